"""`call-command: unicast`: a call's audio as bare samples in UDP packets, and what comes back into the call."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

from host.channel_state import ChannelState
from host.leading_number import leading_int
from host.log import LogLevel
from media.packet_audio import PacketAudio

if TYPE_CHECKING:
    from host.event import Event
    from host.session import Session

# FreeSWITCH: where it sends from and to when the message names nothing.
LOCAL_PORT: Final = "8025"
REMOTE_PORT: Final = "8026"
ADDRESS: Final = "127.0.0.1"


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
    packets = PacketAudio(connection, remote, session.line.rate)
    tap = session.line.tap(packets, read=True, write=False)
    playback = session.line.play(packets)

    def end(call: Session) -> bool:
        call.line.untap(tap)
        playback.stop()
        connection.close()
        return True

    session.handlers.append({ChannelState.CS_HANGUP: end})
