"""Ports that nobody else on this machine has: for servers that are told their port, and for ranges to use up."""

from __future__ import annotations

import random
import socket

# Below the ports that the system hands out by itself, those that FreeSWITCH has for RTP, and those of tests/sip.
_LOWEST, _HIGHEST = 10_000, 12_000
# A process of tests has blocks of its own, each guarded by a listener on the block's last port.
_BLOCK = 50

_guards: list[socket.socket] = []
_unused: list[int] = []  # ports in a row, of the block that was taken last


def free_ports(count: int) -> tuple[int, int]:
    """Return the first, an even one, and the last of `count` ports free for UDP and TCP; others each time."""
    assert 0 < count < _BLOCK
    while True:
        while len(_unused) >= count:
            ports = _unused[:count]
            del _unused[: count + count % 2]
            if all(map(_is_free, ports)):
                return ports[0], ports[-1]
        _unused[:] = _take_block()


def free_port() -> int:
    """Return a port free for UDP and TCP."""
    return free_ports(1)[0]


def _take_block() -> range:
    firsts = list(range(_LOWEST, _HIGHEST, _BLOCK))
    random.SystemRandom().shuffle(firsts)
    for first in firsts:
        guard = socket.socket()
        try:
            guard.bind(("127.0.0.1", first + _BLOCK - 1))
            guard.listen()
        except OSError:
            guard.close()
            continue
        _guards.append(guard)
        return range(first, first + _BLOCK - 1)
    raise OSError(f"all blocks of {_LOWEST}-{_HIGHEST} are taken")


def _is_free(port: int) -> bool:
    try:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(socket.AF_INET, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind == socket.SOCK_STREAM))
                probe.bind(("0.0.0.0", port))
    except OSError:
        return False
    return True
