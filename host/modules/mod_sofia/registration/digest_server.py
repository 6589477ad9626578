"""Asking for credentials and checking them against the directory (RFC 3261 section 22, RFC 7616, RFC 8760).

FreeSWITCH: REGISTER is answered 401, all others 407. A user's params `password`, `a1-hash`, `auth-acl`,
`allow-empty-password`, `user-agent-filter`, `max-registrations-per-extension` and `sip-forbid-register` count; a
user without a password is let in by any, unless `allow-empty-password` is false.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Final, NamedTuple

from host.log import LogLevel
from host.modules.mod_sofia.message import (
    Message,
    body_of,
    header_of,
    headers_of,
    source_of,
)
from host.modules.mod_sofia.profile.profile_settings import AUTO_FROM, AUTO_TO
from host.modules.mod_sofia.registration.digest import (
    Challenge,
    Credentials,
    DigestError,
    a1_hash,
    digest_response,
    known_algorithm,
    parse_credentials,
    write_challenge,
)
from host.modules.mod_sofia.registration.directory_params import directory_params, user_variables
from host.modules.mod_sofia.registration.nonces import Nonces
from host.modules.mod_sofia.registration.register_request import RegisterRequest, read_request
from host.modules.mod_sofia.registration.registrar_profile import RegistrarProfile
from host.modules.mod_sofia.registration.registration_events import (
    fire_attempt,
    fire_failure,
    fire_pre_register,
)
from host.modules.mod_sofia.registration.user_access import is_proxy, may_enter
from host.modules.mod_sofia.transport.damping import Offence, Verdict
from host.xml_directory import DirectoryUser

_DEFAULT_NONCE_TTL: Final = 60  # FreeSWITCH
# What a request for something else than a registration lets its nonce live on for (FreeSWITCH: the default expiry).
_CALL_EXPIRES: Final = 300
_BUSY_RETRY: Final = "5"


class Refusal(Enum):
    """Why credentials are not taken."""

    STALE = "STALE"  # the nonce is none of ours, too old or used: a new challenge
    UNKNOWN_USER = "UNKNOWN_USER"
    WRONG = "WRONG"
    FORBIDDEN = "FORBIDDEN"  # the password may be right


class Accepted(NamedTuple):
    """Credentials that are right, and whose they are.

    `variables` go to the channel of an authenticated call and are what a registration is influenced by: FreeSWITCH's
    `sip_auth_username`, `user_name`, … then params of the user that begin with `sip-`, then its variables.
    `uses` counts the requests with this nonce, from 1; `renewed` says that it came with a count.
    """

    username: str
    realm: str
    domain: str
    user: DirectoryUser
    variables: list[tuple[str, str]]
    renewed: bool
    uses: int

    def variable(self, name: str) -> str:
        """Return the first variable of a name in any case, empty without."""
        lowered = name.lower()
        return next((value for key, value in self.variables if key.lower() == lowered), "")


class DigestServer:
    """Challenges and checks of one profile."""

    def __init__(self, profile: RegistrarProfile) -> None:
        self._profile = profile
        self.nonces = Nonces(profile.switch.new_uuid)

    # -- in the SIP thread ---------------------------------------------------------------------------------------

    def authenticate(
        self,
        message: Message,
        accepted: Callable[[Accepted], object],
        refused: Callable[[int], object] | None = None,
    ) -> None:
        """Let `accepted` run in the SIP thread when a request has good credentials; else answer it.

        `refused` is told the code of the answer that went out (401, 403, 407, 500, or 503 where too much waits).
        """
        request = read_request(message, self._profile.settings, self._profile.switch.access_lists.check)
        self.demand(request, accepted, refused)

    def demand(
        self,
        request: RegisterRequest,
        accepted: Callable[[Accepted], object],
        refused: Callable[[int], object] | None = None,
    ) -> None:
        """As `authenticate`, for a request that was read already."""
        tell = refused or (lambda code: None)
        if not request.user or not request.host:
            self._profile.switch.log(
                LogLevel.ERR,
                f"Can not do authorization without a complete header in {request.method} request from"
                f" {request.source.ip}:{request.source.port}",
            )
            self._profile.respond(request.message, 401, "Unauthorized")
            tell(401)
        elif not self._given(request):
            tell(self.challenge(request))
        else:
            stack = self._profile.sofia.stack

            def work() -> None:
                try:
                    result = self.check(request)
                except Exception as error:  # what answers for the directory may be anybody's script
                    self._profile.switch.report_bug(f"credentials of a {request.method}", error)
                    self._profile.respond(request.message, 500, "Server Internal Error")
                    stack.call(lambda: tell(500))
                    return
                stack.call(lambda: self._decide(request, result, accepted, tell))

            if not stack.work(work):
                self._profile.respond(
                    request.message, 503, "Service Unavailable", headers=(("Retry-After", _BUSY_RETRY),)
                )
                tell(503)

    def challenge(self, request: RegisterRequest, *, stale: bool = False) -> int:
        """Answer with a challenge for each algorithm; return the code."""
        profile, settings = self._profile, self._profile.settings
        fire_pre_register(profile.switch, profile.name, request)
        realm = settings.challenge_realm
        if not realm or realm.lower() == AUTO_TO:
            realm = request.host
        elif realm.lower() == AUTO_FROM:
            realm = request.from_host
        until = self._now() + (settings.nonce_ttl or _DEFAULT_NONCE_TTL) + settings.timer_t1x64 / 1000
        code, reason, name = (
            (401, "Unauthorized", "WWW-Authenticate")
            if request.method == "REGISTER"
            else (407, "Proxy Authentication Required", "Proxy-Authenticate")
        )
        headers = [
            (
                name,
                write_challenge(
                    Challenge(realm, self.nonces.issue(until), algorithm, ("auth",), None, stale)
                ),
            )
            for algorithm in settings.rfc8760_auth_algorithms or ("MD5",)
        ]
        self._log_failure("challenge", request)
        profile.respond(request.message, code, reason, headers=headers)
        self._note(request, Offence.CHALLENGE)
        return code

    def _decide(
        self,
        request: RegisterRequest,
        result: Accepted | Refusal,
        accepted: Callable[[Accepted], object],
        refused: Callable[[int], object],
    ) -> None:
        if isinstance(result, Accepted):
            self._profile.sofia.damping.accept(request.source.ip)
            accepted(result)
        elif result is Refusal.STALE:
            refused(self.challenge(request, stale=True))
        else:
            self.forbid(request, Offence.UNKNOWN_USER if result is Refusal.UNKNOWN_USER else Offence.FAILURE)
            refused(403)

    def forbid(self, request: RegisterRequest, offence: Offence) -> None:
        """Answer 403, with the log line that fail2ban reads and the event."""
        profile = self._profile
        profile.respond(request.message, 403, "Forbidden")
        self._log_failure("failure", request)
        fire_failure(profile.switch, profile.name, request)
        self._note(request, offence)

    def _note(self, request: RegisterRequest, offence: Offence) -> None:
        profile, ip = self._profile, request.source.ip
        damping = profile.sofia.damping
        if damping.note(ip, offence, profile.sofia.stack.now(), trusted=is_proxy(profile, ip)):
            profile.switch.log(
                LogLevel.WARNING,
                f"SIP requests from ip {ip} on sofia profile '{profile.name}' are dropped for"
                f" {damping.limits.block:.0f} s: too many of {offence.value}",
            )

    def _log_failure(self, what: str, request: RegisterRequest) -> None:
        profile = self._profile
        if profile.settings.log_auth_failures:
            kind = "REGISTER" if request.method == "REGISTER" else "INVITE"
            profile.switch.log(
                LogLevel.WARNING,
                f"SIP auth {what} ({kind}) on sofia profile '{profile.name}' for"
                f" [{request.user}@{request.host}] from ip {request.source.ip}",
            )

    @staticmethod
    def _given(request: RegisterRequest) -> list[str]:
        name = "authorization" if request.method == "REGISTER" else "proxy-authorization"
        return headers_of(request.message, name)

    # -- in a thread that may block ------------------------------------------------------------------------------

    def check(self, request: RegisterRequest) -> Accepted | Refusal:
        """Return whose credentials a request bears, or why they are not taken; fires `sofia::register_attempt`.

        Of several credentials (RFC 8760: a proxy on the way may ask, too) those count that bear a nonce of ours.
        """
        profile = self._profile
        given: Credentials | None = None
        for text in self._given(request):
            try:
                one = parse_credentials(text)
            except DigestError:
                continue
            if given is None or self.nonces.last_count(one.nonce, _count(one), self._now()) is not None:
                given = one
        result: Accepted | Refusal
        if given is None:
            profile.switch.log(LogLevel.ERR, "Invalid Authorization header!")
            result = Refusal.STALE
            login = ("unknown", request.host)
        else:
            result = self._check(request, given)
            login = (given.username, given.realm)
        if isinstance(result, Accepted):
            told = "RENEWED" if result.renewed else "SUCCESS"
        else:
            told = "STALE" if result is Refusal.STALE else "FORBIDDEN"
        fire_attempt(profile.switch, profile.name, request, login, told)
        return result

    def _check(self, request: RegisterRequest, given: Credentials) -> Accepted | Refusal:
        profile, settings = self._profile, self._profile.settings
        registers = request.method == "REGISTER"
        matches = bool(given.username) and request.user.lower() == given.username.lower()
        if registers and settings.inbound_reg_force_matching_username and not matches:
            return Refusal.WRONG
        algorithm = self._algorithm(given)
        if not algorithm:
            profile.switch.log(
                LogLevel.WARNING, f"SIP auth hash algorithm explicitly not allowed. [{given.algorithm}]"
            )
            return Refusal.WRONG
        count, now = _count(given), self._now()
        last = self.nonces.last_count(given.nonce, count, now)
        if last is None or (settings.max_auth_validity and last >= settings.max_auth_validity):
            if last is not None:
                self.nonces.forget(given.nonce)
            return Refusal.STALE
        domain = settings.force_register_domain or given.realm
        user = profile.switch.xml.directory.user(
            given.username or "nobody",
            domain,
            key="id",
            ip=request.source.ip,
            params=directory_params(profile.name, request, given),
        )
        if user is None:
            self._warn(
                f"Can't find user [{given.username}@{domain}] from {request.source.ip}\n"
                f"You must define a domain called '{domain}' in your directory and add a user with the"
                f' id="{given.username}" attribute\n'
                "and you must configure your device to use the proper domain in its authentication credentials."
            )
            return Refusal.UNKNOWN_USER
        if not may_enter(profile, request, f"{given.username}@{domain}", domain, user):
            return Refusal.FORBIDDEN
        if not self._password_is_right(request, given, algorithm, user):
            return Refusal.WRONG
        expires = request.expires(request.first) if registers and request.first is not None else _CALL_EXPIRES
        until = now + (settings.nonce_ttl or _DEFAULT_NONCE_TTL) + expires
        if not self.nonces.use(given.nonce, count, now, until):
            return Refusal.STALE
        renewed = bool(given.nc and given.cnonce and given.qop)
        return Accepted(
            given.username,
            given.realm,
            domain,
            user,
            user_variables(given, domain, user),
            renewed,
            count or 1,
        )

    def _algorithm(self, given: Credentials) -> str:
        """Return the algorithm to check with, empty for one that is not allowed.

        FreeSWITCH: without `rfc8760-auth-algorithms` everything is MD5, whatever it calls itself.
        """
        allowed = self._profile.settings.rfc8760_auth_algorithms
        name = known_algorithm(given.algorithm) if given.algorithm else "MD5"
        base = name.removesuffix("-sess")
        if not allowed:
            return name if base == "MD5" else "MD5"
        return name if base in allowed or not given.algorithm else ""

    def _password_is_right(
        self, request: RegisterRequest, given: Credentials, algorithm: str, user: DirectoryUser
    ) -> bool:
        password, a1 = user.param("password"), user.param("a1-hash")
        if not password and not a1:
            return True
        base = algorithm.removesuffix("-sess")
        a1 = a1.strip().lower() if a1 else a1_hash(base, given.username, given.realm, password or "")
        body = body_of(request.message)
        methods = [request.method]
        if self._profile.settings.ndlb_broken_auth_hash and request.method not in ("REGISTER", "INVITE"):
            methods.append("INVITE")
        # FreeSWITCH: a qop without what belongs to it counts as none.
        whole = given if given.nc and given.cnonce and given.qop else replace(given, qop="")
        for method in methods:
            try:
                wanted = digest_response(whole, a1, method, body.text if body else "", algorithm=algorithm)
            except DigestError:
                return False
            if hmac.compare_digest(wanted.encode(), given.response.lower().encode("utf-8", "replace")):
                return True
        return False

    def _warn(self, text: str) -> None:
        self._profile.switch.log(LogLevel.WARNING, text)

    def _now(self) -> float:
        return self._profile.switch.clock.now() / 1_000_000


def damped(profile: RegistrarProfile, message: Message) -> bool:
    """Return whether a request is to be dropped without an answer; to be asked once for each, in the SIP thread."""
    ip = source_of(message).ip
    verdict = profile.sofia.damping.judge(
        ip,
        header_of(message, "user-agent") or "",
        profile.sofia.stack.now(),
        trusted=is_proxy(profile, ip),
    )
    return verdict is Verdict.DROP


def _count(given: Credentials) -> int | None:
    """Return the nonce count, None without one; 0 (never fresh) for what is no hexadecimal number."""
    if not given.nc:
        return None
    try:
        return int(given.nc[:16], 16)
    except ValueError:
        return 0
