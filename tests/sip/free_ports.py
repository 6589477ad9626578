"""Ports of the loopback address for servers and peers that the tests start at the same time."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
import threading
from pathlib import Path
from typing import IO

# Below the kernel's ephemeral range, so that no connection of somebody else takes what was found free.
_FIRST = 12_000
# Test processes that run side by side have a block each, which a lock on a file says is taken.
_BLOCK = 4_000
_BLOCKS = 5

_lock = threading.Lock()
_offset = 0
_claims: list[IO[str]] = []
_claimed: list[int] = []


def _block() -> int:
    """Return the first port of this process's block."""
    for number in range(_BLOCKS):
        claim = (Path(tempfile.gettempdir()) / f"moonline-test-ports-{os.getuid()}-{number}").open("w")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            claim.close()
            continue
        _claims.append(claim)  # held as long as the process lives
        return _FIRST + number * _BLOCK
    raise OSError(f"{_BLOCKS} test processes have all the ports")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def free_ports(count: int) -> int:
    """Return the first, an even one, of so many adjacent ports that are free for UDP and TCP; others each time."""
    global _offset
    with _lock:
        if not _claims:
            _claimed.append(_block())
        while True:
            if _offset + count > _BLOCK:
                _offset = 0
            first = _claimed[0] + _offset
            _offset += count + count % 2
            if all(_is_free(port) for port in range(first, first + count)):
                return first


def free_port() -> int:
    """Return an even port that is free for UDP and TCP, another one each time."""
    return free_ports(2)
