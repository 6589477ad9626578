"""`call-command: unicast`: a call's audio as bare samples in UDP packets, and what comes back into the call."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from host.channel_state import ChannelState
from host.leading_number import leading_int
from host.log import LogLevel

if TYPE_CHECKING:
    from host.event import Event
    from host.session import Session

# FreeSWITCH: where it sends from and to when the message names nothing.
LOCAL_PORT: Final = "8025"
REMOTE_PORT: Final = "8026"
ADDRESS: Final = "127.0.0.1"

# A second of what came in waits for the call; more is an other end that sends faster than time passes.
_MOST_SECONDS: Final = 1
_LARGEST_PACKET: Final = 65_536


class _Packets:
    """Both directions of one unicast: the sink of a tap, and a source of what comes in."""

    def __init__(self, connection: socket.socket, remote: tuple[str, int], rate: int) -> None:
        self.rate = rate
        self.length: int | None = None
        self._socket = connection
        self._remote = remote
        self._waiting = bytearray()
        self._rendered: tuple[int, NDArray[np.int16]] = (0, np.zeros(0, np.int16))

    def write(self, samples: NDArray[np.int16]) -> None:
        """Send samples as one packet; one that cannot be sent is lost, as on any network."""
        try:
            self._socket.sendto(samples.tobytes(), self._remote)
        except OSError:
            return

    def render(self, start: int, count: int) -> NDArray[np.int16]:
        """Return the next `count` samples that came in, silence where there are none."""
        if self._rendered[0] == start and len(self._rendered[1]) == count:
            return self._rendered[1]
        self._receive()
        taken = bytes(self._waiting[: 2 * count])
        del self._waiting[: 2 * count]
        samples = np.zeros(count, np.int16)
        arrived = np.frombuffer(taken[: len(taken) // 2 * 2], np.int16)
        samples[: len(arrived)] = arrived
        self._rendered = (start, samples)
        return samples

    def _receive(self) -> None:
        while True:
            try:
                packet = self._socket.recv(_LARGEST_PACKET)
            except OSError:  # nothing more is there, or the other end has gone
                break
            self._waiting += packet
        del self._waiting[: max(0, len(self._waiting) - 2 * self.rate * _MOST_SECONDS)]


def start_unicast(session: Session, message: Event) -> None:
    """Send the call's audio (int16, the line's rate) where the message says and play what comes back.

    It ends with the call. What cannot be set up is logged.
    """
    channel = session.channel
    if (message.get_header("transport") or "udp").lower() != "udp":
        channel.log(LogLevel.ERR, "unicast: only the transport udp is there")
        return
    local = message.get_header("local-ip") or ADDRESS
    remote = message.get_header("remote-ip") or ADDRESS
    local_port = leading_int(message.get_header("local-port") or LOCAL_PORT) % 65536
    remote_port = leading_int(message.get_header("remote-port") or REMOTE_PORT) % 65536
    connection: socket.socket | None = None
    try:
        family, _, _, _, address = socket.getaddrinfo(local, local_port, type=socket.SOCK_DGRAM)[0]
        connection = socket.socket(family, socket.SOCK_DGRAM)
        connection.setblocking(False)
        connection.bind(address)
        target = socket.getaddrinfo(remote, remote_port, family=family, type=socket.SOCK_DGRAM)[0][4]
    except OSError as error:
        if connection is not None:
            connection.close()
        channel.log(LogLevel.ERR, f"unicast {local}:{local_port} -> {remote}:{remote_port}: {error}")
        return
    session.pre_answer()
    _join(session, connection, (str(target[0]), int(target[1])))


def _join(session: Session, connection: socket.socket, remote: tuple[str, int]) -> None:
    packets = _Packets(connection, remote, session.line.rate)
    tap = session.line.tap(packets, read=True, write=False)
    playback = session.line.play(packets)

    def end(call: Session) -> bool:
        call.line.untap(tap)
        playback.stop()
        connection.close()
        return True

    session.handlers.append({ChannelState.CS_HANGUP: end})
