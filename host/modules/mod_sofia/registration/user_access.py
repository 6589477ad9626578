"""Whether a user of the directory may come in at all, whatever the password is.

FreeSWITCH: the params `sip-forbid-register`, `auth-acl`, `allow-empty-password`, `user-agent-filter` and
`max-registrations-per-extension`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_sofia.message import header_of, to_of, uri_user
from host.modules.mod_sofia.registration.register_request import RegisterRequest
from host.modules.mod_sofia.registration.registrations import Registrations
from host.regex import RegexError, search
from host.truth import is_true
from host.xml_directory import DirectoryUser

if TYPE_CHECKING:
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
    from host.switch import Switch

_AUTH_IP: Final = "x-auth-ip"


class ProxyProfile(Protocol):
    """What is asked of a profile to know a proxy."""

    @property
    def switch(self) -> Switch: ...
    @property
    def settings(self) -> ProfileSettings: ...


class _Registrar(Protocol):
    @property
    def registrations(self) -> Registrations: ...


class AccessProfile(ProxyProfile, Protocol):
    """What is asked of a profile here."""

    @property
    def registrar(self) -> _Registrar: ...


def is_proxy(profile: ProxyProfile, ip: str) -> bool:
    """Return whether an address is in a list of `apply-proxy-acl`: it speaks for many, and is trusted."""
    return any(profile.switch.access_lists.check(ip, acl) for acl in profile.settings.apply_proxy_acl)


def may_enter(
    profile: AccessProfile, request: RegisterRequest, who: str, domain: str, user: DirectoryUser
) -> bool:
    """Return whether a user is let in if the password is right; says why not in the log. May block.

    `who` is `login@domain`, `domain` that of the directory.
    """
    registers = request.method == "REGISTER"
    if (user.attribute("type") or "").lower() == "pointer":
        _warn(profile, "Can't register a pointer.")
        return False
    # FreeSWITCH: calls are refused by it as well.
    if is_true(user.param("sip-forbid-register")):
        return False
    acl = user.param("auth-acl")
    if acl and not _passes_acl(profile, request, acl):
        return False
    empty = user.param("allow-empty-password")
    if empty is not None and not is_true(empty) and not user.param("password") and not user.param("a1-hash"):
        _warn(profile, f"Empty password denied for user {who}")
        return False
    if not _passes_filter(profile, request, user):
        return False
    return not (registers and _has_too_many(profile, request, domain, user))


def _passes_acl(profile: AccessProfile, request: RegisterRequest, acl: str) -> bool:
    """Return whether an address is in a user's `auth-acl`; behind a known proxy, the one that X-AUTH-IP names."""
    switch, ip = profile.switch, request.source.ip
    if switch.access_lists.check(ip, acl):
        return True
    if not profile.settings.apply_proxy_acl:
        _warn(profile, f"IP {ip} Rejected by user acl [{acl}] and no proxy acl present")
        return False
    told = header_of(request.message, _AUTH_IP)
    if not is_proxy(profile, ip) or not told:
        return False
    if switch.access_lists.check(told.strip(), acl):
        return True
    _warn(profile, f"IP {told} Rejected by user acl {acl}")
    return False


def _passes_filter(profile: AccessProfile, request: RegisterRequest, user: DirectoryUser) -> bool:
    pattern = user.param("user-agent-filter") or profile.settings.user_agent_filter
    if not pattern:
        return True
    try:
        matches = search(request.user_agent, pattern) is not None
    except RegexError as error:
        _warn(profile, f"user-agent-filter {pattern}: {error}")
        return False
    if profile.settings.log_auth_failures and not matches:
        _warn(
            profile,
            f'SIP auth failure (REGISTER) due to user-agent-filter.  Filter "{pattern}"'
            f' User-Agent "{request.user_agent}"',
        )
    return matches


def _has_too_many(profile: AccessProfile, request: RegisterRequest, domain: str, user: DirectoryUser) -> bool:
    own = user.param("max-registrations-per-extension")
    most = leading_int(own) if own is not None else profile.settings.max_registrations_per_extension
    if most <= 0 or not request.contacts or not any(request.expires(one) for one in request.contacts):
        return False
    found = profile.registrar.registrations.find(uri_user(to_of(request.message).url), domain)
    count = sum(one.call_id != request.call_id for one in found)
    if count + 1 <= most:
        return False
    if profile.settings.log_auth_failures:
        _warn(
            profile, f"SIP auth failure (REGISTER) due to reaching max allowed registrations.  Count: {count}"
        )
    return True


def _warn(profile: AccessProfile, text: str) -> None:
    profile.switch.log(LogLevel.WARNING, text)
