"""Who may place a call: access lists, proxies that speak for others, blind authentication, credentials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from host.log import LogLevel
from host.modules.mod_sofia.message import from_of, header_of, source_of, uri_host, uri_user
from host.modules.mod_sofia.registration.digest_server import Accepted
from host.modules.mod_sofia.registration.user_access import is_proxy
from host.xml_directory import DirectoryUser

if TYPE_CHECKING:
    from host.modules.mod_sofia.call.server_leg import ServerLeg
    from host.modules.mod_sofia.profile.profile import Profile


@dataclass(frozen=True, slots=True)
class Permit:
    """Why a call may come in.

    `authorized` says that somebody vouches for it: the access list `acl`, a user, or that the profile takes all for
    good. `context` is the access list's, empty without; `acl_token` the user (`user@domain`) or token of the list.
    """

    context: str = ""
    authorized: bool = False
    acl: str = ""
    acl_token: str = ""
    account: Accepted | None = None  # who gave the credentials
    user: DirectoryUser | None = None  # whom the directory knows without any
    looped: bool = False  # the profile calls itself


def admit(leg: ServerLeg, enter: Callable[[Permit], object]) -> None:
    """Let `enter` run for a call that may come in, in a thread that may block; refuse others. May block itself.

    FreeSWITCH: `apply-inbound-acl` lets in whom a list allows. Others have to authenticate where `auth-calls` is on,
    unless `accept-blind-auth`, and are refused where it is off and the list names no context for them.
    """
    profile, settings = leg.profile, leg.profile.settings
    switch, source = profile.switch, source_of(leg.invite)
    judged = _judge_address(leg)
    if judged is None:
        switch.log(
            LogLevel.WARNING, f'IP {source.ip} Rejected by acl "{settings.apply_inbound_acl[-1].list}"'
        )
        leg.reject(403, "Forbidden")
        return
    permit = judged
    if settings.auth_calls and not permit.authorized and settings.auth_calls_acl_only:
        switch.log(
            LogLevel.DEBUG,
            f"IP/Port {source.ip} {source.port} Rejected by acls and auth-calls-acl-only flag is set,"
            " rejecting call",
        )
        leg.reject(403, "Forbidden")
        return
    if settings.auth_calls and not permit.authorized and settings.accept_blind_auth:
        blind = _blind(leg, permit)
        if blind is None:
            return
        permit = blind
    looped = (source.ip, source.port) == (settings.sip_ip, settings.sip_port)
    gives = header_of(leg.invite, "proxy-authorization") or header_of(leg.invite, "authorization")
    asks = settings.auth_calls or (bool(gives) and not settings.accept_blind_auth)
    if permit.authorized or not asks or looped:
        user = permit.user
        if permit.acl_token:
            user = _user_of_token(leg, permit.acl_token)
            if user is None and settings.auth_require_user:
                leg.reject(480, "Temporarily Unavailable")
                return
        authorized = permit.authorized or (asks and looped)
        enter(Permit(permit.context, authorized, permit.acl, permit.acl_token, None, user, asks and looped))
        return

    def accepted(account: Accepted) -> None:
        if not profile.sofia.stack.work(lambda: enter(Permit(permit.context, True, account=account))):
            leg.reject(503, "Service Unavailable")

    profile.sofia.stack.call(
        lambda: profile.registrar.digest.authenticate(leg.invite, accepted, lambda code: leg.dismiss())
    )


def _judge_address(leg: ServerLeg) -> Permit | None:
    """Return what the access lists say of where a call came from; None when they refuse it for good."""
    profile, settings = leg.profile, leg.profile.settings
    if not settings.apply_inbound_acl:
        return Permit()
    source = source_of(leg.invite)
    allowed, permit = _check_lists(profile, source.ip)
    if allowed:
        token = permit.acl_token or _token(leg, settings.apply_inbound_acl_x_token)
        return _approved(profile, source.ip, permit, token)
    if is_proxy(profile, source.ip):
        profile.switch.log(LogLevel.INFO, f"{source.ip} is a proxy according to the proxy acl")
        token = _token(leg, settings.apply_proxy_acl_x_token)
        if token:
            return _approved(profile, source.ip, permit, token)
        told = (header_of(leg.invite, "x-auth-ip") or "").strip()
        if told:
            allowed, permit = _check_lists(profile, told)
            if allowed:
                return _approved(profile, told, permit, permit.acl_token)
    if settings.auth_calls:
        return permit
    return permit if permit.context else None


def _check_lists(profile: Profile, ip: str) -> tuple[bool, Permit]:
    """Return whether a list allows an address, and which with what context; else the last list's context for those."""
    context = name = ""
    for acl in profile.settings.apply_inbound_acl:
        name = acl.list
        profile.switch.log(LogLevel.DEBUG, f'verifying acl "{name}" for ip/port {ip}:0.')
        allowed, user = profile.switch.access_lists.judge(ip, name)
        if allowed:
            return True, Permit(acl.pass_context, acl=name, acl_token=user)
        context = acl.fail_context
    return False, Permit(context, acl=name)


def _approved(profile: Profile, ip: str, permit: Permit, token: str) -> Permit:
    """Return the permit of an address that is let in. FreeSWITCH: only with `auth-calls` it counts as authorized."""
    if not profile.settings.auth_calls:
        return Permit(permit.context, acl_token=token)
    profile.switch.log(LogLevel.DEBUG, f'IP {ip} Approved by acl "{permit.acl}[{token}]". Access Granted.')
    return Permit(permit.context, True, permit.acl, token)


def _token(leg: ServerLeg, header: str) -> str:
    return (header_of(leg.invite, header) or "").strip() if header else ""


def _blind(leg: ServerLeg, permit: Permit) -> Permit | None:
    """Take From for who calls, without credentials; None when the call was refused."""
    settings = leg.profile.settings
    sender = from_of(leg.invite).url
    name, domain = uri_user(sender), uri_host(sender)
    user = leg.profile.switch.xml.directory.user(name, domain, key="id") if name and domain else None
    if user is not None or not settings.enforce_blind_auth_result:
        return Permit(permit.context, True, user=user)
    if settings.blind_auth_reply_403:
        leg.profile.switch.log(
            LogLevel.DEBUG,
            f"blind auth enforce 403 enabled and couldn't find user {name}@{domain}, rejecting call",
        )
        leg.reject(403, "Forbidden")
        return None
    return permit


def _user_of_token(leg: ServerLeg, token: str) -> DirectoryUser | None:
    name, at, domain = token.partition("@")
    switch = leg.profile.switch
    user = switch.xml.directory.user(name, domain, key="id") if at else None
    if user is None:
        switch.log(LogLevel.WARNING, f"Error Authenticating user {token}")
    else:
        switch.log(LogLevel.DEBUG, f"Authenticating user {token}")
    return user
