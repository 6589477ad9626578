"""The events NOTIFY, SEND_MESSAGE and SEND_INFO, with which scripts and event sockets have SIP requests sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from host.log import LogLevel
from host.modules.mod_sofia.call.leg import SofiaLeg
from host.modules.mod_sofia.message import Body, OutgoingRequest
from host.modules.mod_sofia.presence.message_waiting import PACKAGE, SUMMARY
from host.modules.mod_sofia.registration.contact_route import towards
from host.sql_store import SqlError
from host.truth import is_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from host.event import Event
    from host.modules.mod_sofia.profile.profile import Profile
    from host.modules.mod_sofia.registration.registrations import Binding
    from host.modules.mod_sofia.sofia import Sofia

_EVENTS: Final = ("NOTIFY", "SEND_MESSAGE", "SEND_INFO")
_LAST: Final = ("Subscription-State", "terminated;reason=noresource")
Header = tuple[str, str]


class NotifyEvents:
    """Sends what the events of one switch ask for."""

    def __init__(self, sofia: Sofia) -> None:
        self._sofia = sofia
        self._heard = sofia.switch.bus.subscribe(self.hear, _EVENTS)

    def detach(self) -> None:
        """Hear no more events."""
        self._sofia.switch.bus.unsubscribe(self._heard)

    def hear(self, event: Event) -> None:
        """Take an event of the bus, in any thread; registrations are looked up in a worker."""
        take = {"NOTIFY": self.notify, "SEND_MESSAGE": self.send_message, "SEND_INFO": self.send_info}[
            event.name
        ]
        self._sofia.stack.work(lambda: take(event))

    def notify(self, event: Event) -> None:
        """Send a NOTIFY: to URIs, within a call (`uuid`), or to a user's phones.

        FreeSWITCH: `contact-uri` or `to-uri` with `from-uri`; else `uuid`, `content-type` and `event-string`; else
        those with `profile`, `user` and `host`, of them the one that registered with `call-id`.
        """
        kind, package = event.get_header("content-type"), event.get_header("event-string")
        to_uri, from_uri = event.get_header("to-uri"), event.get_header("from-uri")
        contact = event.get_header("contact-uri")
        if contact or to_uri or from_uri:
            profile = self._profile(event.get_header("profile") or "default")
            if profile is None or not to_uri or not from_uri:
                return
            quiet = bool(contact) and is_true(event.get_header("no-sub-state"))
            headers = (("Event", package or PACKAGE), *(() if quiet else (_LAST,)), *_extra(event))
            request = OutgoingRequest(
                "NOTIFY",
                "",
                from_uri,
                to_uri,
                call_id=(event.get_header("call-id") or "") if contact else "",
                headers=headers,
                body=_body(event, kind or SUMMARY),
            )
            profile.send_request(towards(contact or to_uri, request))
            return
        uuid = event.get_header("uuid")
        if not kind or not package:
            return
        headers = (("Event", package), _LAST)
        if uuid:
            self._in_call(uuid, "NOTIFY", headers, _body(event, kind))
            return
        name, user, host = (event.get_header(part) for part in ("profile", "user", "host"))
        profile = self._sofia.find_profile(name) if name else None
        if profile is None or not user or not host:
            return
        call_id = event.get_header("call-id")
        by_account = package.lower() == PACKAGE

        def mine(one: Binding) -> bool:
            if call_id:
                return one.call_id == call_id
            return (user, host) == (
                (one.mwi_user, one.mwi_host) if by_account else (one.sip_user, one.sip_host)
            )

        for binding in self._bindings(profile, mine):
            who = f"sip:{binding.sip_user}@{binding.sip_host}"
            request = OutgoingRequest("NOTIFY", "", who, who, headers=headers, body=_body(event, kind))
            profile.send_request(towards(binding.contact, request))

    def send_message(self, event: Event) -> None:
        """Send a MESSAGE to a user's phones, or within a call (`uuid`)."""
        kind, user, host = (event.get_header(part) for part in ("content-type", "user", "host"))
        if not kind:
            return
        subject = event.get_header("subject")
        headers = (("Subject", subject),) if subject else ()
        uuid = event.get_header("uuid")
        if not user or not host:
            if uuid:
                self._in_call(uuid, "MESSAGE", headers, _body(event, kind))
            return
        profile = self._profile(event.get_header("profile") or "")
        if profile is None:
            return
        found = self._bindings(profile, lambda one: one.sip_user == user and one.serves(host))
        if not found:
            self._error(f"Can't find registered user {user}@{host}")
        who = f"sip:{user}@{host}"
        for binding in found:
            request = OutgoingRequest("MESSAGE", "", who, who, headers=headers, body=_body(event, kind))
            profile.send_request(towards(binding.contact, request))

    def send_info(self, event: Event) -> None:
        """Send an INFO within a call (`call-id`), to a URI or to a local user's phone."""
        name, call_id = event.get_header("profile"), event.get_header("call-id")
        to_uri, from_uri = event.get_header("to-uri") or "", event.get_header("from-uri")
        local = event.get_header("local-user")
        if not name:
            self._error("Missing Profile Name")
            return
        if not call_id and not to_uri and not local:
            self._error("Missing To-URI header")
            return
        if not call_id and not from_uri:
            self._error("Missing From-URI header")
            return
        profile = self._profile(name)
        if profile is None:
            return
        kind = event.get_header("content-type") or ""
        headers = tuple(
            (written, value)
            for written in ("Content-Disposition", "Alert-Info", "Call-Info")
            if (value := event.get_header(written))
        )
        body = _body(event, kind) if kind else None
        if call_id:
            leg = self._sofia.find_dialog(call_id)
            if leg is None:
                self._error(f"Invalid Call-ID {call_id}")
            else:
                self._sofia.stack.call(lambda: leg.send("INFO", headers=headers, body=body))
            return
        contact = to_uri
        if local:
            user, _, host = local.partition("@")
            found = (
                self._bindings(profile, lambda one: one.sip_user == user and one.serves(host)) if host else []
            )
            if not found:
                self._error("Can't find local user")
                return
            contact = found[0].contact
        request = towards(
            contact, OutgoingRequest("INFO", "", from_uri or "", to_uri, headers=headers, body=body)
        )
        profile.send_request(request if to_uri else replace(request, to_uri=request.uri))

    def _in_call(self, uuid: str, method: str, headers: tuple[Header, ...], body: Body | None) -> None:
        session = self._sofia.switch.find_session(uuid)
        leg = session.io if session is not None else None
        if isinstance(leg, SofiaLeg):
            sip_leg: SofiaLeg = leg
            self._sofia.stack.call(lambda: sip_leg.send(method, headers=headers, body=body))

    def _profile(self, name: str) -> Profile | None:
        profile = self._sofia.find_profile(name)
        if profile is None:
            self._error(f"Can't find profile {name}")
        return profile

    def _bindings(self, profile: Profile, wanted: Callable[[Binding], bool]) -> list[Binding]:
        try:
            return [one for one in profile.registrar.registrations.all() if wanted(one)]
        except SqlError as error:
            self._error(f"Registrations of {profile.name}: {error}")
            return []

    def _error(self, text: str) -> None:
        self._sofia.switch.log(LogLevel.ERR, text)


def _body(event: Event, content_type: str) -> Body | None:
    return Body(content_type, event.body) if event.body else None


def _extra(event: Event) -> tuple[Header, ...]:
    """Return the lines of `extra-headers`."""
    pairs = (line.partition(":") for line in (event.get_header("extra-headers") or "").splitlines())
    return tuple((name.strip(), value.strip()) for name, colon, value in pairs if colon and name.strip())
