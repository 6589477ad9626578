"""What goes over a line's port beside sound where the far end is a browser: checks of the path, the keys' handshake."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Final

from media.dtls_error import DtlsError
from media.dtls_handshake import DtlsHandshake, is_dtls
from media.ice_lite import IceLite, is_stun
from media.rtp_transport import Address, RtpTransport
from media.srtp_keys import SrtpKeys
from media.webrtc_parameters import DtlsParameters

# Strangers who may spoil a handshake without ICE before it is given up: beginning anew makes a key, in the tick.
MAX_STRANGERS: Final = 8
# RFC 7675 section 5.1: after so long, in µs, without a check that went well nobody is sent to any more. Who is lite
# makes no checks of its own, but sees those of the far end, which come every five seconds.
CONSENT: Final = 30_000_000

_LIBRARIES: Final = (
    "aioice.stun",
    "OpenSSL.SSL",
    "cryptography.hazmat.primitives.serialization",
    "pylibsrtp",
)


class WebRtcPath:
    """One line's. `send` sends a datagram to an address.

    `remote` is where sound goes to: the path that ICE has chosen, or without ICE whoever the keys were agreed on with;
    None as long as nobody is known. `keys` are those of the handshake, None until it is through; `failure` says why
    there will be none.
    """

    def __init__(self, transport: RtpTransport, send: Callable[[bytes, Address], object]) -> None:
        """IceError and DtlsError where a library is missing or the certificate is none."""
        self._send = send
        self._ice = None if transport.ice is None else IceLite(transport.ice)
        self._parameters = transport.dtls
        self._handshake = None if transport.dtls is None else DtlsHandshake(transport.dtls)
        self._signalled = transport.remote
        self.remote: Address | None = None
        self.keys: SrtpKeys | None = None
        self.failure = ""
        self._followed: Address | None = None
        self._named = False  # whether a handshake has come from where the far end was said to be
        self._disturbing: set[Address] = set()  # strangers who have spoilt one
        self._signs = (0, 0)  # of life, counted: good checks, and what else came that was authentic
        self._alive_at = 0

    def has_left(self, authentic: int, now: int) -> bool:
        """Whether nothing has come of the far end for as long as consent holds, if ICE tells its ways; then none is
        known any more until it checks one.

        `authentic` counts what came under its key, `now` is in µs. By RFC 7675 that is no consent, but far ends that
        are older check no more once a path is chosen, and send.
        """
        ice = self._ice
        if ice is None:
            return False
        signs = ice.checked, authentic
        if signs != self._signs:
            self._signs, self._alive_at = signs, now
        if now - self._alive_at < CONSENT:
            return False
        self.remote = self._followed = None
        return True

    def moved(self) -> Address | None:
        """Return `remote` where it is another than when this was asked last; None where it is not.

        In between whoever is authentic may have moved the sound elsewhere (`media.rtp_latch`), which stands.
        """
        if self.remote == self._followed:
            return None
        self._followed = self.remote
        return self.remote

    @property
    def waits(self) -> bool:
        """Whether a handshake goes on, and `tick` has something to do."""
        return self._handshake is not None and self.keys is None and not self.failure

    def change(self, transport: RtpTransport) -> None:
        """Take what the signalling says now; another certificate, role or key of either side begins a new handshake.

        A far end with another certificate is somebody else, whose path is not yet known. IceError and DtlsError as at
        the beginning.
        """
        stranger = is_somebody_else(self._parameters, transport.dtls)
        if stranger:
            self.remote = self._followed = None
        if transport.ice is None:
            self._ice = None
            if transport.remote != self._signalled:
                self.remote = transport.remote
        elif self._ice is None or stranger:
            self._ice = IceLite(transport.ice)
        else:
            self._ice.change(transport.ice)
        self._signalled = transport.remote
        if transport.dtls != self._parameters:
            self._parameters = transport.dtls
            self._handshake = None
            self.keys = None
            self.failure = ""
            self._named = False
            self._disturbing.clear()
            if transport.dtls is not None:
                self._handshake = DtlsHandshake(transport.dtls)

    def begin(self) -> None:
        """Send the first message of a handshake, if that is ours to do, has not been done and it is known whereto."""
        if self._ice is None and self.remote is None:
            self.remote = self._signalled
        handshake, remote = self._handshake, self.remote
        if handshake is not None and remote is not None and self._is_ready and not handshake.started:
            self._carry_on(handshake.start, remote)

    def receive(self, datagram: bytes, source: Address) -> None:
        """Take a datagram that is no RTP."""
        if is_stun(datagram):
            self._check(datagram, source)
        elif is_dtls(datagram):
            self._shake(datagram, source)

    def tick(self) -> None:
        """Repeat what was not answered."""
        if self._handshake is not None and self.remote is not None:
            self._carry_on(self._handshake.tick, self.remote)

    def _check(self, datagram: bytes, source: Address) -> None:
        if self._ice is None:
            return
        answer = self._ice.receive(datagram, source)
        if answer is None:
            return
        self._send(answer.datagram, source)
        if answer.good:
            self.remote = self._ice.remote
            self.begin()

    @property
    def _is_ready(self) -> bool:
        """Whether it is known whose certificate the far end is to show; until then it repeats its messages."""
        return self._parameters is not None and bool(self._parameters.remote)

    def _shake(self, datagram: bytes, source: Address) -> None:
        handshake = self._handshake
        if handshake is None or self.failure or not self._is_ready:
            return
        # With ICE only paths that were checked count. Without it the fingerprint alone tells who it is.
        if self._ice is not None:
            if not self._ice.knows(source) or (self.keys is not None and source != self.remote):
                return
        elif not self._may_be(source):
            return
        went_on = self._carry_on(lambda: handshake.receive(datagram), source)
        if not went_on and self._ice is None and self.keys is None and source != self.remote:
            self._begin_anew(source)
            return
        if self.keys is None and handshake.finished:
            self.keys = handshake.keys
            if self._ice is None:
                self.remote = source

    def _may_be(self, source: Address) -> bool:
        """Whether without ICE it may be the far end that shakes hands from an address: behind NAT it has another one.

        Once one has come from the address that was told, nobody else is listened to.
        """
        if source == self.remote:
            self._named = True
            return True
        strange = source in self._disturbing or len(self._disturbing) >= MAX_STRANGERS
        return not (self._named or self.keys is not None or strange)

    def _begin_anew(self, stranger: Address) -> None:
        """Forget a handshake that somebody has spoilt who is not where the far end was said to be."""
        if self._parameters is None:
            return
        self._disturbing.add(stranger)
        self.failure = ""
        self._handshake = DtlsHandshake(self._parameters)
        self.begin()

    def _carry_on(self, step: Callable[[], list[bytes]], target: Address) -> bool:
        try:
            for datagram in step():
                self._send(datagram, target)
        except DtlsError as error:
            self.failure = str(error)
            return False
        return True


def load_libraries() -> None:
    """Load what paths stand on, as far as it is installed: a tenth of a second, which no tick ought to wait for."""
    for name in _LIBRARIES:
        with suppress(ImportError):
            import_module(name)


def is_somebody_else(former: DtlsParameters | None, now: DtlsParameters | None) -> bool:
    """Whether a far end that was known by its certificate is now known by another one."""
    return former is not None and now is not None and bool(former.remote) and former.remote != now.remote
