"""RTP lines that a test moves tick by tick, with the other side of each as a socket."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from media.g711 import G711
from media.notice import Notice
from media.realtime.rtp_lines import RtpLines
from media.rtp import RtpPacket
from media.rtp_transport import RtpTransport
from media.srtp import SrtpReceiver, SrtpSender
from media.srtp_keys import InlineKey

PORTS = (42_000, 43_000)
PCMU = G711("PCMU")


class FarEnd:
    """The other side of a line: sends what it is told, keeps what it gets; with `secure` by SRTP.

    `control` is the socket that RTCP goes to where the line does not multiplex it.
    """

    def __init__(self, ssrc: int = 7) -> None:
        self.socket, self.control = port_pair()
        for one in (self.socket, self.control):
            one.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.address: tuple[str, int] = self.socket.getsockname()
        self.ssrc = ssrc
        self.sequence = 100
        self.timestamp = 5000
        self.sender: SrtpSender | None = None
        self.receiver: SrtpReceiver | None = None

    def secure(self, suite: str, local: InlineKey, remote: InlineKey) -> None:
        """Protect what is sent under `local`, and read what comes under `remote`."""
        self.sender, self.receiver = SrtpSender(suite, local), SrtpReceiver(suite, remote)

    def packet(self, payload: bytes, kind: int = 0, step: int = 160) -> bytes:
        """Return the next packet, protected."""
        packet = RtpPacket(kind, self.sequence % 65536, self.timestamp, self.ssrc, payload).serialize()
        self.sequence += 1
        self.timestamp += step
        return packet if self.sender is None else self.sender.protect(packet)

    def say(
        self, remote: tuple[str, int], payload: bytes, kind: int = 0, skip: int = 0, step: int = 160
    ) -> None:
        """Send a packet, after leaving out `skip` numbers."""
        self.sequence += skip
        self.socket.sendto(self.packet(payload, kind, step), remote)

    def datagrams(self) -> list[bytes]:
        """Return what has come, as it came."""
        got = []
        while True:
            try:
                got.append(self.socket.recv(2000))
            except BlockingIOError:
                return got

    def received(self) -> list[RtpPacket]:
        """Return what has come."""
        got = self.datagrams()
        if self.receiver is not None:
            got = [self.receiver.unprotect(data) for data in got]
        return [RtpPacket.parse(data) for data in got]

    def close(self) -> None:
        """Give the ports back."""
        self.socket.close()
        self.control.close()


class Bench:
    """RTP lines with a far end each, moved tick by tick."""

    def __init__(self) -> None:
        self.memory = np.zeros(1 << 17, np.int16)
        self.memory[40_000:80_000] = np.random.default_rng(3).integers(-9000, 9000, 40_000)
        self.faults: list[str] = []
        self.wall = 1_700_000_000_000_000
        self.lines = RtpLines(
            self.memory, lambda: self.wall, lambda where, error: self.faults.append(repr(error))
        )
        self.notices: dict[int, list[Notice]] = {}
        self.transports: dict[int, RtpTransport] = {}
        self.ends: list[FarEnd] = []

    def open(
        self, line: int, *, rate: int = 8000, known: bool = True, **options: Any
    ) -> tuple[FarEnd, tuple[str, int]]:
        end = FarEnd()
        self.ends.append(end)
        self.notices[line] = []
        transport = RtpTransport(
            "127.0.0.1",
            PORTS,
            end.address if known else None,
            **options,
        )
        self.transports[line] = transport
        return end, self.lines.open(line, transport, rate, self.notices[line].append)

    def tick(self) -> list[int]:
        self.lines.receive()
        return self.lines.send()

    def hear(self, line: int, count: int = 160) -> NDArray[np.int16]:
        self.lines.receive()
        heard = self.lines.heard(line, 0, count)
        self.lines.send()
        return heard

    def speak(self, line: int, samples: NDArray[np.int16] | None = None) -> None:
        """Move on by a tick in which a line says 20 ms of something."""
        self.lines.receive()
        self.lines.say(line, 0, np.full(160, 500, np.int16) if samples is None else samples)
        self.lines.send()

    def change(self, line: int, **options: Any) -> None:
        """Change a part of a line's transport."""
        self.transports[line] = replace(self.transports[line], **options)
        self.lines.change(line, self.transports[line])

    def close(self) -> None:
        for line in list(self.notices):
            self.lines.close(line)
        for end in self.ends:
            end.close()


def port_pair() -> tuple[socket.socket, socket.socket]:
    """Return sockets of a port, for RTP, and of the one behind it: who has that one gets the RTCP."""
    while True:
        pair = (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        )
        try:
            pair[0].bind(("127.0.0.1", 0))
            pair[1].bind(("127.0.0.1", pair[0].getsockname()[1] + 1))
        except (OSError, OverflowError):
            for one in pair:
                one.close()
            continue
        return pair


def frame(value: int) -> bytes:
    return bytes([value]) * 160


def sounds(value: int) -> int:
    return int(PCMU.decode(bytes([value]))[0])
