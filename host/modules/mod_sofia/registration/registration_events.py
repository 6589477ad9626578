"""The events of registrations, their names and headers FreeSWITCH's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from host.modules.mod_sofia.registration.register_request import RegisterRequest
from host.modules.mod_sofia.registration.registrations import Binding

if TYPE_CHECKING:
    from host.switch import Switch

Header = tuple[str, str]


def fire_custom(switch: Switch, subclass: str, headers: Iterable[Header]) -> None:
    """Fire a CUSTOM event `sofia::SUBCLASS`."""
    if not switch.bus.wants("CUSTOM"):
        return
    event = switch.new_event("CUSTOM", f"sofia::{subclass}")
    for name, value in headers:
        event.add_header(name, value)
    switch.fire(event)


def fire_attempt(
    switch: Switch, profile: str, request: RegisterRequest, login: tuple[str, str], result: str
) -> None:
    """Fire `sofia::register_attempt`: credentials came, `login` (user, realm); `result` is how they were taken."""
    headers = _asked(profile, request)
    headers[-1:-1] = [("username", login[0]), ("realm", login[1])]
    fire_custom(switch, "register_attempt", [*headers, ("auth-result", result)])


def fire_pre_register(switch: Switch, profile: str, request: RegisterRequest) -> None:
    """Fire `sofia::pre_register`: a challenge goes out."""
    fire_custom(switch, "pre_register", _asked(profile, request))


def fire_failure(switch: Switch, profile: str, request: RegisterRequest) -> None:
    """Fire `sofia::register_failure`: the credentials were wrong."""
    headers = (
        ("profile-name", profile),
        ("to-user", request.user),
        ("to-host", request.host),
        ("network-ip", request.source.ip),
        ("user-agent", request.user_agent),
        ("profile-name", profile),
        ("network-port", str(request.source.port)),
        ("registration-type", "REGISTER" if request.method == "REGISTER" else "INVITE"),
    )
    fire_custom(switch, "register_failure", headers)


def fire_register(
    switch: Switch,
    binding: Binding,
    request: RegisterRequest,
    expires: int,
    *,
    updated: bool,
    variables: Iterable[Header],
) -> None:
    """Fire `sofia::register`: a contact is registered for `expires` s, or only renewed where `updated`."""
    headers = [
        ("profile-name", binding.profile_name),
        ("from-user", binding.sip_user),
        ("from-host", binding.sip_host),
        ("presence-hosts", binding.presence_hosts or "n/a"),
        ("contact", binding.contact),
        ("call-id", binding.call_id),
        ("rpid", binding.rpid),
        ("status", binding.status),
        ("expires", str(expires)),
        ("to-user", request.from_user),
        ("to-host", request.from_host),
        ("network-ip", binding.network_ip),
        ("network-port", binding.network_port),
        ("username", binding.sip_username),
        ("realm", binding.sip_realm),
        ("user-agent", binding.user_agent),
    ]
    if updated:
        headers.append(("update-reg", "true"))
    fire_custom(switch, "register", [*headers, *variables])


def fire_unregister(
    switch: Switch, binding: Binding, request: RegisterRequest, contact: str, variables: Iterable[Header]
) -> None:
    """Fire `sofia::unregister`: a phone took back a contact."""
    headers = [
        ("profile-name", binding.profile_name),
        ("username", binding.sip_username),
        ("from-user", binding.sip_user),
        ("from-host", binding.sip_host),
        ("contact", contact),
        ("call-id", request.call_id),
        ("rpid", "unknown"),
        ("realm", binding.sip_realm),
        ("network-ip", request.source.ip),
        ("network-port", str(request.source.port)),
        ("user-agent", request.user_agent),
        ("expires", "0"),
    ]
    fire_custom(switch, "unregister", [*headers, *variables])


def fire_disconnected(switch: Switch, binding: Binding) -> None:
    """Fire `sofia::unregister`: the connection that a contact was registered over is closed."""
    headers = (
        ("profile-name", binding.profile_name),
        ("from-user", binding.sip_user),
        ("from-host", binding.sip_host),
        ("call-id", binding.call_id),
        ("rpid", "unknown"),
        ("reason", "socket-disconnection"),
    )
    fire_custom(switch, "unregister", headers)


def fire_expire(switch: Switch, binding: Binding) -> None:
    """Fire `sofia::expire`: a registration ran out or was flushed."""
    headers = (
        ("profile-name", binding.profile_name),
        ("call-id", binding.call_id),
        ("user", binding.sip_user),
        ("username", binding.sip_user),
        ("host", binding.sip_host),
        ("contact", binding.contact),
        ("expires", str(binding.expires)),
        ("user-agent", binding.user_agent),
        ("realm", binding.sip_realm),
        ("network-ip", binding.network_ip),
        ("network-port", binding.network_port),
    )
    fire_custom(switch, "expire", headers)


def fire_user_state(switch: Switch, binding: Binding, reachable: bool, status: int, phrase: str) -> None:
    """Fire `sofia::sip_user_state`: pings say that a phone is reachable again, or no longer."""
    headers = [
        ("sip_contact", binding.contact),
        ("profile-name", binding.profile_name),
        ("sip_user", f"{binding.sip_user}@{binding.sip_host}"),
        ("from-user", binding.sip_user),
        ("from-host", binding.sip_host),
        ("call-id", binding.call_id),
        ("Ping-Status", "REACHABLE" if reachable else "UNREACHABLE"),
        ("Status", str(status)),
    ]
    fire_custom(switch, "sip_user_state", [*headers, *([("Phrase", phrase)] if phrase else [])])


def fire_presence(switch: Switch, headers: Iterable[Header], name: str = "PRESENCE_IN") -> None:
    """Fire PRESENCE_IN, PRESENCE_PROBE or MESSAGE_QUERY."""
    if not switch.bus.wants(name):
        return
    event = switch.new_event(name)
    for header, value in headers:
        event.add_header(header, value)
    switch.fire(event)


def _asked(profile: str, request: RegisterRequest) -> list[Header]:
    first = request.first
    headers = [("profile-name", profile), ("from-user", request.user), ("from-host", request.host)]
    if first is not None:
        headers.append(("contact", request.kept(first)))
    headers += [("call-id", request.call_id), ("rpid", "unknown")]
    headers.append(("status", request.status(first) if first is not None else "Registered"))
    if first is not None:
        headers.append(("expires", str(request.expires(first))))
    return [
        *headers,
        ("to-user", request.from_user),
        ("to-host", request.from_host),
        ("network-ip", request.source.ip),
        ("network-port", str(request.source.port)),
        ("user-agent", request.user_agent),
    ]
