"""RTP ports: pairs of sockets, an even port for RTP and the next one for RTCP (RFC 3550 11).

A port is taken by binding it and given back by closing it, so none is lost by bookkeeping.
"""

from __future__ import annotations

import errno
import random
import socket
from typing import Final

from media.rtp_transport import TransportError

# Room in the kernel for what arrives while a tick is late: a second of 50 packets a second, each counted with its
# overhead.
_BUFFER_BYTES: Final = 1 << 17
# Expedited forwarding (RFC 3246), as routers expect it of voice.
_DSCP_EF: Final = 46 << 2
_BUSY: Final = (errno.EADDRINUSE, errno.EACCES, errno.EPERM)


class PortRange:
    """Hands out pairs of bound, non-blocking UDP sockets, one after the other through the range.

    A port just given back is used last, so that stray packets of the former call have ceased.
    """

    def __init__(self) -> None:
        self._next: dict[tuple[str, int, int], int] = {}

    def open(
        self, address: str, ports: tuple[int, int], *, rtcp: bool
    ) -> tuple[socket.socket, socket.socket | None]:
        """Return sockets for RTP and, with `rtcp`, for RTCP; TransportError where no port is free or bound."""
        low, high = ports[0] + ports[0] % 2, ports[1]
        pairs = (high - low) // 2 + ((high - low) % 2 > 0)
        if pairs < 1 or not 0 < low < 65536 or high > 65535:
            raise TransportError(f"there are no port pairs in {ports[0]}-{ports[1]}")
        key = (address, low, high)
        # Hosts on one machine with the same range begin at different places, or each would try the other's first.
        first = self._next.get(key, random.randrange(pairs))
        for step in range(pairs):
            number = (first + step) % pairs
            made = _bind_pair(address, low + 2 * number, rtcp=rtcp)
            if made is not None:
                self._next[key] = (number + 1) % pairs
                return made
        raise TransportError(f"all ports of {address}:{ports[0]}-{ports[1]} are taken")


def _bind_pair(address: str, port: int, *, rtcp: bool) -> tuple[socket.socket, socket.socket | None] | None:
    first = _bind(address, port)
    if first is None or not rtcp:
        return None if first is None else (first, None)
    try:
        second = _bind(address, port + 1)
    except TransportError:
        first.close()
        raise
    if second is None:
        first.close()
        return None
    return first, second


def _bind(address: str, port: int) -> socket.socket | None:
    """Return a socket bound to a port, None when that is taken."""
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        if made.family == socket.AF_INET:
            made.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _DSCP_EF)
        else:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _DSCP_EF)
        made.bind((address, port))
    except OSError as error:
        made.close()
        if error.errno in _BUSY:
            return None
        raise TransportError(f"{address}:{port}: {error.strerror}") from None
    return made
