"""A running profile: its listeners, its calls, and the requests it sends and answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from host import version
from host.hangup_cause import HangupCause
from host.modules.mod_sofia.call.dialog import build_response, new_call_id, new_tag
from host.modules.mod_sofia.call.invite_headers import ALLOW
from host.modules.mod_sofia.message import (
    Body,
    Message,
    OutgoingRequest,
    Source,
    headers_of,
    method_of,
    parse_address,
    parse_uri,
    status_of,
)
from host.modules.mod_sofia.profile.profile_listeners import expects_browsers, listeners
from host.modules.mod_sofia.registration import digest_client
from host.modules.mod_sofia.registration.digest import DigestError
from host.modules.mod_sofia.registration.registrar import Registrar
from host.modules.mod_sofia.transaction.sending import WITH_CONTACT, Sending
from host.modules.mod_sofia.transaction.transactions import Transactions
from host.modules.mod_sofia.transaction.transmission import TransactionSettings
from host.modules.mod_sofia.transport.certificates import tls_settings
from host.modules.mod_sofia.transport.listener import Listener, bracketed
from host.modules.mod_sofia.transport.resolver import NoRoute, numeric_hop
from host.modules.mod_sofia.transport.tls_server import TlsSettingsError

if TYPE_CHECKING:
    from host.modules.mod_sofia.call.leg import SofiaLeg
    from host.modules.mod_sofia.gateway.gateway import Gateway
    from host.modules.mod_sofia.gateway.gateway_settings import GatewaySettings
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
    from host.modules.mod_sofia.sofia import Sofia
    from host.switch import Switch

# How long a stopped profile's calls get to say good-bye before its sockets are closed, in s.
_FAREWELL = 0.3
# How long, and how often, `stop` waits for the SIP thread to have closed everything, in µs.
_STOPPING = 2_000_000


class ProfileError(Exception):
    """A profile that cannot be started; the text says why."""


# Requests of calls: with a To tag they belong to one there is, the second kind always does.
_OF_CALLS = frozenset({"INVITE", "BYE", "UPDATE", "PRACK", "INFO", "REFER"})
_WITHIN_CALLS = frozenset({"BYE", "UPDATE", "PRACK"})


@dataclass(slots=True)
class ProfileCounters:
    """What a profile has counted since it was started."""

    calls_in: int = 0
    failed_calls_in: int = 0
    calls_out: int = 0
    failed_calls_out: int = 0


class Profile:
    """One `<profile>` that runs. The SIP thread owns `legs`; `respond` and `send_request` are for any thread."""

    def __init__(self, sofia: Sofia, settings: ProfileSettings) -> None:
        self.sofia = sofia
        self.settings = settings
        self.name = settings.name
        self.counters = ProfileCounters()
        self.gateways: dict[str, Gateway] = {}
        self.legs: set[SofiaLeg] = set()
        self.proceeding = 0  # calls that came in and are not answered yet
        self._siptrace = settings.sip_trace
        self.transactions: Transactions
        self._ports: dict[str, int] = {}
        self.listening: list[Source] = []
        self._second = self._in_second = 0
        self.registrar: Registrar
        self.running = False
        self.started = sofia.switch.clock.time()

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the sockets; ProfileError when one cannot be had."""
        settings = self.settings
        try:
            tls = tls_settings(settings, self.switch.log)
        except TlsSettingsError as error:
            raise ProfileError(str(error)) from error
        self.transactions = Transactions(
            self.sofia.stack,
            self._take_request,
            report=self.switch.report_bug,
            tls=tls,
            on_lost=self._connection_lost,
            settings=TransactionSettings(
                t1=settings.timer_t1 / 1000,
                t2=settings.timer_t2 / 1000,
                t1x64=settings.timer_t1x64 / 1000,
                force_rport=settings.server_rport_level >= 2,
            ),
            on_message=self._trace if self.siptrace else None,
        )
        try:
            for listener in listeners(settings, self.switch.log):
                source = self._listen(listener)
                self.listening.append(source)
                self._ports.setdefault(source.transport, source.port)
                if source.transport in ("udp", "tcp") and not settings.sip_port:
                    settings.sip_port = source.port
                elif source.transport == "tls":
                    settings.tls_sip_port = source.port
        except (OSError, ValueError) as error:
            self.transactions.shutdown()
            reason = str(error)
            if isinstance(error, OSError) and error.strerror:
                reason = f"{listener.transport} {bracketed(listener.ip)}:{listener.port}: {error.strerror}"
            raise ProfileError(reason) from error
        if expects_browsers(settings, self.switch.global_variables):
            self.switch.expect_browsers()
        self.registrar = Registrar(self)
        self.sofia.stack.call(self.registrar.start)
        self.running = True

    def stop(self) -> None:
        """Hang up the calls, wait a moment for them to say so, and close the sockets."""
        self.running = False
        for leg in list(self.legs):
            if leg.session is not None:
                leg.session.channel.hangup(HangupCause.MANAGER_REQUEST)
        waiter = self.switch.clock.waiter()

        def close() -> None:
            self.registrar.stop()
            self.transactions.shutdown()
            waiter.notify()

        delay = _FAREWELL if self.legs else 0.0
        self.sofia.stack.call(lambda: self.sofia.stack.call_later(delay, close))
        if not self.sofia.stack.in_sip_thread:
            waiter.wait(self.switch.clock.now() + _STOPPING)

    def _listen(self, listener: Listener) -> Source:
        """Open a socket; where the port is any, TCP takes that of UDP if it can be had."""
        port = self.settings.sip_port
        if listener.transport == "tcp" and not listener.port and port:
            try:
                return self.transactions.listen(dataclasses.replace(listener, port=port))
            except OSError:
                pass  # somebody else has that port: any is good enough
        return self.transactions.listen(listener)

    def _connection_lost(self, source: Source, reason: str) -> None:
        if self.running:
            self.registrar.connection_closed(source.ip, source.port, source.transport)

    def add_gateway(self, settings: GatewaySettings) -> bool:
        """Add a gateway and begin its registration; False for a name that is taken."""
        return self.sofia.add_gateway(self, settings)

    def adopt(self, settings: ProfileSettings) -> None:
        """Take over new settings, but for what the sockets were opened with."""
        settings.sip_port = self.settings.sip_port
        settings.sip_ip = self.settings.sip_ip
        settings.tls_sip_port = self.settings.tls_sip_port
        self.settings = settings

    @property
    def siptrace(self) -> bool:
        """Whether all messages go to the log."""
        return self._siptrace

    @siptrace.setter
    def siptrace(self, on: bool) -> None:
        self._siptrace = on
        transactions = getattr(self, "transactions", None)
        if transactions is not None:
            transactions.on_message = self._trace if on else None

    def _trace(self, way: str, data: bytes, peer: Source, local: Source) -> None:
        stamp = datetime.fromtimestamp(self.switch.clock.time() / 1_000_000).strftime("%H:%M:%S.%f")
        word = "from" if way == "recv" else "to"
        line = f"{way} {len(data)} bytes {word} {peer.transport}/[{peer.ip}]:{peer.port} at {stamp}:"
        text = data.decode("utf-8", "surrogateescape")
        self.switch.log(self.sofia.global_settings.tracelevel, f"{line}\n{'-' * 72}\n{text}\n{'-' * 72}")

    def _take_request(self, request: Message, transaction: Any) -> None:
        """Take a request that belongs to no call of ours (in the SIP thread)."""
        method = method_of(request)
        if not self.running or self._floods():
            self.respond(request, 503, "Service Unavailable", headers=(("Retry-After", "1"),))
            return
        in_dialog = bool(request.getHFBody("to").getTag())
        handler = self.sofia.handlers.get(method)
        if method in _WITHIN_CALLS or (in_dialog and method in _OF_CALLS):
            self.respond(request, 481, "Call Does Not Exist")
        elif handler is None:
            self.respond(request, 501, "Not Implemented", headers=(("Allow", ALLOW),))
        else:
            handler(self, request)

    def _floods(self) -> bool:
        """Return whether there were more requests in this second than are taken (`max-recv-requests-per-second`)."""
        most, second = self.settings.max_recv_requests_per_second, int(self.sofia.stack.now())
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        return 0 < most < self._in_second

    @property
    def transports(self) -> tuple[str, ...]:
        """The transports that it listens on, as they prefer."""
        return tuple(kind for kind in ("udp", "tcp", "tls", "ws", "wss") if kind in self._ports)

    @property
    def families(self) -> tuple[str, ...]:
        """The address families that it listens on, `4` and `6`."""
        kinds = {"6" if ":" in source.ip else "4" for source in self.listening}
        return tuple(sorted(kinds))

    @property
    def switch(self) -> Switch:
        """The switch."""
        return self.sofia.switch

    @property
    def user_agent(self) -> str:
        """What we call ourselves."""
        return self.settings.user_agent_string or f"FreeSWITCH-mod_sofia/{version.full()}"

    # -- addresses -----------------------------------------------------------------------------------------------

    def contact_address(self, transport: str = "udp", remote_ip: str = "") -> tuple[str, int]:
        """Return the address and port that a far end is told, for one transport.

        FreeSWITCH: `ext-sip-ip`, unless that is for those outside of `local-network-acl` only (autonat) and the far
        end is inside of it.
        """
        settings = self.settings
        ip = settings.sip_ip
        if settings.ext_sip_ip and (not settings.auto_nat or self.is_outside(remote_ip)):
            ip = settings.ext_sip_ip
        port = self._ports.get(transport) or settings.sip_port
        if transport in ("udp", "tcp") and settings.ext_sip_port:
            port = settings.ext_sip_port
        return ip, port

    def rtp_address(self, remote_ip: str = "") -> str:
        """Return the address where media is received, as a far end is told it (`ext-rtp-ip`)."""
        settings = self.settings
        if settings.ext_rtp_ip and (not settings.auto_nat or self.is_outside(remote_ip)):
            return settings.ext_rtp_ip
        return settings.rtp_ip

    def is_outside(self, ip: str) -> bool:
        """Return whether an address lies outside of `local-network-acl`."""
        acl = self.settings.local_network_acl
        return not (acl and ip and self.switch.access_lists.check(ip, acl))

    def contact_uri(self, transport: str = "udp", user: str = "", remote_ip: str = "") -> str:
        """Return the URI of our Contact."""
        ip, port = self.contact_address(transport, remote_ip)
        host = f"[{ip}]" if ":" in ip else ip
        param = f";transport={transport}" if transport != "udp" else ""
        return f"sip:{user or self.settings.contact_user}@{host}:{port}{param}"

    # -- answers -------------------------------------------------------------------------------------------------

    def respond(
        self,
        request: Message,
        code: int,
        reason: str = "",
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: Body | None = None,
        contact: str = "",
        tag: str = "",
        on_ack: Callable[[Message], object] | None = None,
        on_no_ack: Callable[[], object] | None = None,
    ) -> None:
        """Answer a request; what comes after its final answer is dropped. In the SIP thread it goes out at once."""
        if not self.sofia.stack.in_sip_thread:
            self.sofia.stack.call(
                lambda: self.respond(
                    request,
                    code,
                    reason,
                    headers=headers,
                    body=body,
                    contact=contact,
                    tag=tag,
                    on_ack=on_ack,
                    on_no_ack=on_no_ack,
                )
            )
            return
        method = method_of(request)
        if not contact and method in WITH_CONTACT and method != "REGISTER" and 100 < code < 300:
            contact = f"<{self.contact_uri(request.source[1], remote_ip=request.source[0][0])}>"
        response = build_response(
            request,
            code,
            reason or "OK",
            local_tag=tag or new_tag() if not request.getHFBody("to").getTag() else "",
            contact=contact,
            headers=(("User-Agent", self.user_agent), *headers),
            body=body,
        )
        self.transactions.respond(request, response, on_ack=on_ack, on_no_ack=on_no_ack)

    # -- requests ------------------------------------------------------------------------------------------------

    def send_request(self, request: OutgoingRequest) -> None:
        """Send a request that belongs to none of our calls, from any thread; see OutgoingRequest."""
        whole = dataclasses.replace(
            request,
            call_id=request.call_id or new_call_id(),
            from_tag=request.from_tag or new_tag(),
            cseq=request.cseq or 1,
        )
        self.sofia.stack.call(
            lambda: self.transact(
                whole,
                on_response=request.on_response,
                contact=request.contact,
                body=request.body,
                next_hop=request.next_hop,
                credentials=request.credentials,
            )
        )

    def transact(
        self,
        request: OutgoingRequest,
        *,
        on_response: Callable[[Message], object] | None = None,
        contact: str | None = None,
        body: Body | None = None,
        next_hop: Source | None = None,
        credentials: tuple[str, str] | None = None,
        started: Callable[[Any], object] | None = None,
    ) -> None:
        """Send a request, in the SIP thread; `started` gets each transaction that is begun for it.

        A URI that names a host is looked up first; the hops are tried in their order (RFC 3263 section 4.3).
        """
        sending = Sending(self, request, on_response, contact, body, credentials, started)
        if next_hop is not None:
            sending.begin([next_hop])
            return
        target = parse_address(request.routes[0]).url if request.routes else parse_uri(request.uri)
        try:
            numeric = numeric_hop(target)
        except NoRoute:
            numeric = None
        if numeric is not None:
            sending.begin([numeric])
        else:
            self.sofia.resolve(self, target, sending.begin)

    @staticmethod
    def authorized(
        request: OutgoingRequest,
        response: Message,
        body: Body | None,
        credentials: tuple[str, str],
    ) -> OutgoingRequest | None:
        """Return the request that answers a challenge, None when the challenge is none that we can answer."""
        code, _ = status_of(response)
        challenges = headers_of(response, "www-authenticate" if code == 401 else "proxy-authenticate")
        try:
            value = digest_client.credentials(
                challenges,
                method=request.method,
                uri=request.uri,
                user=credentials[0],
                password=credentials[1],
                body=body.text if body is not None else "",
            )
        except DigestError:
            return None
        name = "Authorization" if code == 401 else "Proxy-Authorization"
        kept = [header for header in request.headers if header[0] != name]
        return dataclasses.replace(request, headers=(*kept, (name, value)), cseq=request.cseq + 1)
