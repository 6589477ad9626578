"""What a scripted phone says and hears by RTP."""

from __future__ import annotations

import struct
import threading
from dataclasses import dataclass
from types import TracebackType

from tests.host.modules.mod_sofia.sip_phone import SipMessage, SipPhone


@dataclass(frozen=True)
class Packet:
    """A packet that was heard; `stamp` in units of the payload's clock."""

    payload_type: int
    stamp: int
    payload: bytes


class RtpStream:
    """Sound to where a description wants it, a packet of `step` samples at a time; `heard` is what comes meanwhile."""

    def __init__(self, phone: SipPhone, described: SipMessage, step: int) -> None:
        self._media, self._step = phone.media, step
        self._far = ("127.0.0.1", port_of(described))
        self._number = 0
        self.heard: list[Packet] = []
        self._over = threading.Event()
        self._listener = threading.Thread(target=self._listen)

    def send(self, payload_type: int, payload: bytes, marked: bool = False, stamp: int | None = None) -> None:
        stamp = self._number * self._step if stamp is None else stamp
        head = struct.pack("!BBHII", 0x80, payload_type | 0x80 * marked, self._number, stamp, 77)
        self._media.sendto(head + payload, self._far)
        self._number += 1

    def of(self, payload_type: int) -> list[Packet]:
        """Return what was heard by one number so far."""
        return [packet for packet in list(self.heard) if packet.payload_type == payload_type]

    def __enter__(self) -> RtpStream:
        self._listener.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._listener.join()

    def _listen(self) -> None:
        self._media.settimeout(0.02)
        while not self._over.is_set():
            try:
                packet = self._media.recv(2048)
            except TimeoutError:
                continue
            self.heard.append(Packet(packet[1] & 0x7F, int.from_bytes(packet[4:8], "big"), packet[12:]))


def port_of(message: SipMessage) -> int:
    """Return where a description wants sound to go."""
    return int(next(line for line in message.body.split("\r\n") if line.startswith("m=audio")).split()[1])
