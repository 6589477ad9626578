"""The registrar of a profile: REGISTER from the first byte to the 200, and what becomes of registrations later.

FreeSWITCH's ways, and RFC 3261 section 10.3 where it has none: several contacts in one REGISTER, `*`, and the
expiry of each contact. Pings of phones are in `registration_ping`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from email.utils import formatdate
from typing import Final

from host.log import LogLevel
from host.modules.mod_sofia.message import Message, headers_of
from host.modules.mod_sofia.registration.check_sync import check_sync
from host.modules.mod_sofia.registration.contact_address import (
    ContactAddress,
    ContactError,
    public_url,
)
from host.modules.mod_sofia.registration.core_registrations import CoreRegistrations
from host.modules.mod_sofia.registration.digest_server import Accepted, DigestServer, damped
from host.modules.mod_sofia.registration.register_request import RegisterRequest, read_request
from host.modules.mod_sofia.registration.registrar_profile import RegistrarProfile, StoppableTimer
from host.modules.mod_sofia.registration.registration_events import (
    fire_disconnected,
    fire_expire,
    fire_register,
    fire_unregister,
)
from host.modules.mod_sofia.registration.registration_grant import Grant, grant
from host.modules.mod_sofia.registration.registration_ping import RegistrationPing
from host.modules.mod_sofia.registration.registration_presence import RegistrationPresence
from host.modules.mod_sofia.registration.registrations import Binding, Registrations, registrations_dsn
from host.sql_store import MEMORY, SqlError
from host.truth import is_true

Headers = Sequence[tuple[str, str]]

_DEBOUNCE: Final = 30  # seconds in which presence and MWI of a user are told once (FreeSWITCH)
_MOST_DEBOUNCED: Final = 50_000  # users that are remembered for it


class Registrar:
    """One profile's registrar; `profile.registrar` is it. `start` and `stop` in the SIP thread."""

    def __init__(self, profile: RegistrarProfile) -> None:
        """Open the registrations, which may block; a database that fails is logged and memory taken instead."""
        self._profile = profile
        self.digest = DigestServer(profile)
        self.registrations = self._open()
        self.core = CoreRegistrations(profile.switch)
        self._ping = RegistrationPing(profile, self.registrations)
        self._timers: dict[str, StoppableTimer] = {}
        self._presence = RegistrationPresence(profile.switch, profile.settings)
        self._random = random.Random()

    def _open(self) -> Registrations:
        profile, settings = self._profile, self._profile.settings
        write = profile.sofia.stack.work
        try:
            dsn = registrations_dsn(profile.switch, profile.name, settings.odbc_dsn, settings.dbname)
            return Registrations(profile.switch, profile.name, dsn, write)
        except SqlError as error:
            profile.switch.log(LogLevel.ERR, f"{profile.name} keeps its registrations in memory: {error}")
            return Registrations(profile.switch, profile.name, MEMORY, write)

    def start(self) -> None:
        """Tell the core what is registered still, and begin to look for what runs out."""
        self._in_worker(lambda: self.core.add(self.registrations.own()))
        self._again("expire", self._profile.settings.registration_thread_frequency, self._sweep)
        self._again("ping", self._profile.settings.ping_thread_frequency, self._ping.ping_due)

    def stop(self) -> None:
        """Look no more; registrations stay in the database (FreeSWITCH), and leave the core's list."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self.core.clear()
        self.registrations.close()

    def _again(self, name: str, seconds: int, run: Callable[[], object]) -> None:
        """Have `run` called by a worker every so many seconds, the next time when it is done."""
        stack = self._profile.sofia.stack

        def work() -> None:
            try:
                run()
            except SqlError as error:
                self._profile.switch.log(LogLevel.ERR, f"Registrations of {self._profile.name}: {error}")
            finally:
                stack.call(arm)

        def due() -> None:
            if not stack.work(work):
                arm()

        def arm() -> None:
            if name in self._timers:
                self._timers[name] = stack.call_later(max(seconds, 1), due)

        self._timers[name] = stack.call_later(max(seconds, 1), due)

    def _in_worker(self, run: Callable[[], object]) -> bool:
        def work() -> None:
            try:
                run()
            except SqlError as error:
                self._profile.switch.log(LogLevel.ERR, f"Registrations of {self._profile.name}: {error}")

        return self._profile.sofia.stack.work(work)

    # -- REGISTER ------------------------------------------------------------------------------------------------

    def handle_register(self, profile: object, message: Message) -> None:
        """Answer a REGISTER; in the SIP thread. What may block goes to a worker."""
        settings, switch = self._profile.settings, self._profile.switch
        if damped(self._profile, message):
            return
        if settings.disable_register:
            self._profile.respond(message, 403, "Forbidden")
            return
        try:
            request = read_request(message, settings, switch.access_lists.check)
        except ContactError as error:
            self._profile.respond(message, 400, str(error))
            return
        for name in settings.apply_register_acl:
            if not switch.access_lists.check(request.source.ip, name):
                switch.log(LogLevel.WARNING, f'IP {request.source.ip} Rejected by register acl "{name}"')
                self._profile.respond(message, 403, "Forbidden")
                return
        if settings.apply_register_acl or settings.accept_blind_reg:
            self._take(request, None)
        else:
            self.digest.demand(request, lambda accepted: self._take(request, accepted))

    def _take(self, request: RegisterRequest, accepted: Accepted | None) -> None:
        def work() -> None:
            try:
                self._register(request, accepted)
            except SqlError as error:
                self._profile.switch.log(LogLevel.ERR, f"Registrations of {self._profile.name}: {error}")
                self._profile.respond(request.message, 500, "Server Internal Error")
            except Exception as error:  # one phone's fault must not cost another the worker
                self._profile.switch.report_bug("a REGISTER", error)
                self._profile.respond(request.message, 500, "Server Internal Error")

        if not self._profile.sofia.stack.work(work):
            self._profile.respond(
                request.message, 503, "Service Unavailable", headers=(("Retry-After", "5"),)
            )

    def _register(self, request: RegisterRequest, accepted: Accepted | None) -> None:
        """Change the registrations as a REGISTER asks, answer it and tell all who listen; in a worker."""
        settings = self._profile.settings
        force_user = accepted.variable("sip-force-user") if accepted is not None else ""
        extension = accepted.variable("sip-force-extension") if accepted is not None else ""
        user = extension or force_user or request.user
        host = settings.force_register_db_domain or request.host
        gone: list[Binding] = []
        wanted: list[tuple[Binding, int]] = []
        unwanted: list[str] = []
        check = self._profile.switch.access_lists.check
        for contact in request.contacts or ():
            granted = grant(request, contact, accepted, settings, check, self._random.randrange)
            if granted.seconds:
                wanted.append(
                    (self._binding(request, contact, accepted, (user, host), granted), granted.seconds)
                )
            else:
                unwanted.append(granted.kept)
        replacing = self._replacing(accepted)
        if request.contacts is None:
            gone = self._of(user, host)
        elif unwanted:
            gone = self._unwanted(request, self._of(user, host), unwanted, replacing)
        self.registrations.remove(gone)
        self.core.remove(gone)
        if wanted:
            self._keep(request, accepted, wanted, replacing)
        self._answer(request, user, host, {binding.contact: seconds for binding, seconds in wanted})
        if wanted:
            self._presence.came(wanted[0][0], accepted)
        if unwanted or request.contacts is None:
            self._tell_gone(request, accepted, user, host, gone, unwanted[0] if unwanted else "*")

    def _keep(
        self,
        request: RegisterRequest,
        accepted: Accepted | None,
        wanted: Sequence[tuple[Binding, int]],
        replacing: str,
    ) -> None:
        updated, gone = self.registrations.register(
            [binding for binding, _ in wanted],
            replacing=replacing,
            renewed=accepted is not None and accepted.renewed and replacing != "user",
        )
        self.core.remove(gone)
        metadata = accepted.variable("registration_metadata") if accepted is not None else ""
        self.core.add((binding for binding, _ in wanted), metadata)
        variables = accepted.variables if accepted is not None else []
        for binding, seconds in wanted:
            fire_register(
                self._profile.switch, binding, request, seconds, updated=updated, variables=variables
            )

    def _binding(
        self,
        request: RegisterRequest,
        contact: ContactAddress,
        accepted: Accepted | None,
        who: tuple[str, str],
        granted: Grant,
    ) -> Binding:
        settings, switch = self._profile.settings, self._profile.switch
        (user, host), now = who, self._time()
        here = switch.global_variables.get("local_ip_v4") or settings.sip_ip
        mwi_user, _, mwi_host = (accepted.variable("mwi-account") if accepted is not None else "").partition(
            "@"
        )
        ping = accepted is not None and is_true(accepted.variable("force_ping"))
        return Binding(
            call_id=request.call_id,
            sip_user=user,
            sip_host=host,
            presence_hosts=settings.presence_hosts,
            contact=granted.kept,
            status=granted.status,
            force_ping=int(ping),
            expires=now + granted.seconds + settings.sip_expires_late_margin,
            ping_expires=now + self._random.randint(0, max(settings.ping_mean_interval, 0)),
            user_agent=request.user_agent,
            server_user=request.from_user,
            server_host=here,
            profile_name=self._profile.name,
            hostname=switch.hostname,
            network_ip=request.source.ip,
            network_port=str(request.source.port),
            sip_username=accepted.username if accepted is not None else "unknown",
            sip_realm=accepted.realm if accepted is not None else host,
            mwi_user=mwi_user or user,
            mwi_host=mwi_host or host,
            orig_server_host=here,
            orig_hostname=switch.hostname,
            sub_host=settings.force_subscription_domain or request.host,
            flow=contact.flow if settings.enable_rfc_5626 else None,
        )

    def _replacing(self, accepted: Accepted | None) -> str:
        """Return which earlier registrations of a user give way to a new one: `user` (all), `contact`, `call-id`."""
        allowed = accepted.variable("sip-allow-multiple-registrations") if accepted is not None else ""
        several = self._profile.settings.multiple_registrations
        if not several or (allowed and not is_true(allowed)):
            return "user"
        return "contact" if several == "contact" else "call-id"

    def _of(self, user: str, host: str) -> list[Binding]:
        return [one for one in self.registrations.find(user) if one.sip_host == host]

    @staticmethod
    def _unwanted(
        request: RegisterRequest, found: list[Binding], contacts: Sequence[str], replacing: str
    ) -> list[Binding]:
        """Return what a REGISTER that takes contacts back ends; without several registrations that is all."""
        if replacing == "user":
            return found
        urls = {public_url(contact) for contact in contacts}
        by_call = replacing == "call-id"
        return [
            one
            for one in found
            if public_url(one.contact) in urls or (by_call and one.call_id == request.call_id)
        ]

    def _tell_gone(
        self,
        request: RegisterRequest,
        accepted: Accepted | None,
        user: str,
        host: str,
        gone: Sequence[Binding],
        contact: str,
    ) -> None:
        """Fire the events of registrations taken back: each of them, or what was asked where there were none."""
        switch = self._profile.switch
        sub_host = self._profile.settings.force_subscription_domain or request.host
        if not self._of(user, host):
            self._presence.left(f"{user}@{sub_host}", request.user_agent, by_phone=True)
        asked = Binding(
            call_id=request.call_id,
            sip_user=user,
            sip_host=host,
            contact=contact,
            status="",
            expires=0,
            profile_name=self._profile.name,
            hostname=switch.hostname,
            sip_username=accepted.username if accepted is not None else "unknown",
            sip_realm=accepted.realm if accepted is not None else "unknown",
        )
        for binding in gone or (asked,):
            fire_unregister(
                switch, binding, request, binding.contact, accepted.variables if accepted is not None else []
            )

    def _answer(self, request: RegisterRequest, user: str, host: str, granted: dict[str, int]) -> None:
        """Send the 200 with all contacts of the user and how long each is registered still."""
        settings, now = self._profile.settings, self._time()
        liked = {request.kept(one): one.q for one in request.contacts or () if one.q}
        headers: list[tuple[str, str]] = [("Date", formatdate(now, usegmt=True))]
        for binding in self._of(user, host):
            left = granted.get(binding.contact, binding.expires - settings.sip_expires_late_margin - now)
            if left > 0:
                q = f";q={liked[binding.contact]}" if binding.contact in liked else ""
                headers.append(("Contact", f"<{public_url(binding.contact)}>;expires={left}{q}"))
        headers += [("Path", path) for path in request.paths]
        if settings.ndlb_expires_in_register_response and granted:
            headers.append(("Expires", str(max(granted.values()))))
        if self._is_outbound(request):
            headers.append(("Require", "outbound"))
        self._profile.respond(request.message, 200, "OK", headers=headers)

    def _is_outbound(self, request: RegisterRequest) -> bool:
        """RFC 5626 section 6: the phone keeps a flow open, and is told that it counts."""
        supported = ",".join(headers_of(request.message, "supported")).lower().split(",")
        first = request.first
        return (
            self._profile.settings.enable_rfc_5626
            and first is not None
            and first.flow is not None
            and "outbound" in (word.strip() for word in supported)
            and (len(request.message.getHFs("via")) == 1 or any(";ob" in path for path in request.paths))
        )

    # -- later ---------------------------------------------------------------------------------------------------

    def _sweep(self) -> None:
        now = self._time()
        self._end(self.registrations.expire(now))
        self.digest.nonces.sweep(self._profile.switch.clock.now() / 1_000_000)

    def _end(self, gone: Iterable[Binding]) -> None:
        """Tell the core, the events and presence of registrations that ended by themselves."""
        gone = list(gone)
        self.core.remove(gone)
        for binding in gone:
            fire_expire(self._profile.switch, binding)
            self._presence.left(f"{binding.sip_user}@{binding.sip_host}", binding.user_agent, by_phone=False)

    def flush(self, target: str = "", *, reboot: bool = False) -> None:
        """End the registrations that `target` (a Call-ID, `[user]@host`, a host) names, all that run out without one.

        With `reboot` the phones are told to start anew. May block.
        """
        found = (
            self.registrations.named(target)
            if target
            else [one for one in self.registrations.own() if one.expires]
        )
        if reboot:
            for binding in found:
                self._profile.send_request(check_sync(binding, self._profile.settings.url))
        self.registrations.remove(found)
        self._end(found)

    def check_sync(self, target: str = "") -> None:
        """Tell the phones that `target` names to look for a new configuration (FreeSWITCH: without one, flush all).

        May block.
        """
        if not target:
            self.flush()
            return
        for binding in self.registrations.named(target):
            self._profile.send_request(check_sync(binding, self._profile.settings.url))

    def connection_closed(self, ip: str, port: int, transport: str) -> None:
        """End the registrations over a connection that was closed, in the SIP thread.

        FreeSWITCH: WebSocket always, TCP and TLS with `tcp-unreg-on-socket-close`.
        """
        if transport in ("ws", "wss") or (
            transport in ("tcp", "tls") and self._profile.settings.tcp_unreg_on_socket_close
        ):
            self._in_worker(lambda: self._disconnect(ip, port, transport))

    def _disconnect(self, ip: str, port: int, transport: str) -> None:
        kinds = ("ws", "wss") if transport in ("ws", "wss") else ("tcp", "tls")
        gone = [
            one
            for one in self.registrations.own()
            if one.network_ip == ip and one.network_port == str(port) and _kind(one) in kinds
        ]
        self.registrations.remove(gone)
        self.core.remove(gone)
        for binding in gone:
            self._presence.left(f"{binding.sip_user}@{binding.sip_host}", binding.user_agent, by_phone=True)
            fire_disconnected(self._profile.switch, binding)

    def _time(self) -> int:
        return self._profile.switch.clock.time() // 1_000_000


def _kind(binding: Binding) -> str:
    """Return the transport that a status names: `Registered(WSS-NAT)` is `wss`."""
    return binding.status.partition("(")[2].partition("-")[0].rstrip(")").lower()
