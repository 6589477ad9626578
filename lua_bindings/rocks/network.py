"""Waiting for sockets in a script's own thread: with the script's time-outs, in wall time, ended by a kill.

A network call blocks nobody but its script (in virtual time it takes none of it, and holds the others back: the
peer is real, and only so is a run the same each time).
"""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from host.clock import RealClock, Waiter
from lua_bindings.host_call import CALL_COST_US, ScriptFault
from lua_bindings.rocks.beside_script import BesideScript, Result

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun

_WALL: Final = RealClock()

READ: Final = select.POLLIN
WRITE: Final = select.POLLOUT
_BROKEN: Final = select.POLLERR | select.POLLHUP | select.POLLNVAL

# LuaSocket's own words; everything else is in those of the C library.
_ERRORS: Final = {
    errno.EADDRINUSE: "address already in use",
    errno.EISCONN: "already connected",
    errno.EACCES: "permission denied",
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNABORTED: "closed",
    errno.ECONNRESET: "closed",
    errno.EPIPE: "closed",
    errno.ETIMEDOUT: "timeout",
}
_NAME_ERRORS: Final = {
    socket.EAI_AGAIN: "temporary failure in name resolution",
    socket.EAI_BADFLAGS: "invalid value for ai_flags",
    socket.EAI_FAIL: "non-recoverable failure in name resolution",
    socket.EAI_FAMILY: "ai_family not supported",
    socket.EAI_MEMORY: "memory allocation failure",
    socket.EAI_NONAME: "host or service not provided, or not known",
    socket.EAI_SERVICE: "service not supported for socket type",
    socket.EAI_SOCKTYPE: "ai_socktype not supported",
}

# What getaddrinfo gives for `connect` and `bind`: a family and that family's own tuple.
Address = tuple[socket.AddressFamily, tuple[Any, ...]]


class NetworkError(Exception):
    """What went wrong, as LuaSocket tells it: `timeout`, `closed`, or a system's or resolver's text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def describe(error: OSError) -> str:
    """Return LuaSocket's text for an error of the system or the resolver."""
    if isinstance(error, socket.gaierror):
        return _NAME_ERRORS.get(error.errno or 0, error.strerror or "unknown error")
    number = error.errno or 0
    return _ERRORS.get(number) or error.strerror or os.strerror(number)


class Timeout:
    """The time-outs of one socket: `block` for each wait, `total` for the whole call; seconds, None without end."""

    def __init__(self) -> None:
        self.block: float | None = None
        self.total: float | None = None
        self._began = 0

    def begin(self) -> None:
        """Take note that a call begins."""
        self._began = _WALL.now()

    def deadline(self) -> int | None:
        """Return until when, in wall time, the next wait may last."""
        limits = []
        if self.block is not None:
            limits.append(_WALL.now() + int(self.block * 1_000_000))
        if self.total is not None:
            limits.append(self._began + int(self.total * 1_000_000))
        return min(limits, default=None)


def seconds_since(began: int) -> float:
    """Return how long ago in wall time `began` (of `wall_now`) was."""
    return (_WALL.now() - began) / 1_000_000


def wall_now() -> int:
    """Return the wall time in µs from some start."""
    return _WALL.now()


def deadline_after(seconds: float | None) -> int | None:
    """Return the wall time after so many seconds, None for no end (a negative number, too)."""
    if seconds is None or seconds < 0:
        return None
    return _WALL.now() + int(seconds * 1_000_000)


class _Poll(Waiter):
    """Waits until one of some files is ready; `notify` ends the wait."""

    def __init__(self, wanted: dict[int, int]) -> None:
        self._wanted = wanted
        self._wake, self._alarm = os.pipe()
        self._lock = threading.Lock()
        self._closed = False
        self.ready: dict[int, int] = {}

    def wait(self, deadline: int | None = None) -> bool:
        poll = select.poll()
        for file, events in self._wanted.items():
            poll.register(file, events)
        poll.register(self._wake, READ)
        left = None if deadline is None else max(0, -((_WALL.now() - deadline) // 1000))
        self.ready = dict(poll.poll(left))
        self.ready.pop(self._wake, None)
        return bool(self.ready)

    def notify(self) -> None:
        with self._lock:  # a kill may come when the wait is over, and the file's number somebody else's
            if not self._closed:
                os.write(self._alarm, b"!")

    def close(self) -> None:
        with self._lock:
            self._closed = True
            os.close(self._wake)
            os.close(self._alarm)


def wait_for(run: ScriptRun, wanted: dict[int, int], deadline: int | None) -> dict[int, int]:
    """Wait until one of some files (number -> READ, WRITE) is ready, and return those that are; none: time is up.

    ScriptFault when the script was killed.
    """
    poll = select.poll()
    for file, events in wanted.items():
        poll.register(file, events)
    found = dict(poll.poll(0))
    if not found and (deadline is None or deadline > _WALL.now()):
        if run.killed is not None:
            raise ScriptFault(run.killed)
        waiter = _Poll(wanted)
        try:
            run.block_on(waiter, deadline)
        finally:
            waiter.close()
        found = waiter.ready
    if not found and run.charge is not None:
        run.charge(CALL_COST_US)  # a script that polls gets on in virtual time
    return {file: events | (wanted[file] if events & _BROKEN else 0) for file, events in found.items()}


def in_thread(run: ScriptRun, work: Callable[[], Result]) -> Result:
    """Do what cannot be interrupted (a resolver's question) beside the script, so that a kill ends the wait.

    Raises NetworkError for an OSError of `work`.
    """
    job = BesideScript("name-resolution", work, OSError, ValueError)
    run.block_on(job, None)
    if isinstance(job.error, OSError):
        raise NetworkError(describe(job.error))
    if job.error is not None:  # a name that IDNA refuses
        raise NetworkError(_NAME_ERRORS[socket.EAI_NONAME])
    if not job.results:
        raise NetworkError(_NAME_ERRORS[socket.EAI_AGAIN])
    return job.results[0]


def resolve(
    run: ScriptRun,
    host: str | None,
    port: str | int | None,
    kind: socket.SocketKind,
    family: int = 0,
    flags: int = 0,
) -> list[Address]:
    """Return the addresses of a host and port. Raises NetworkError."""
    try:
        found = socket.getaddrinfo(host, port, family, kind, 0, flags | socket.AI_NUMERICHOST)
    except socket.gaierror:
        found = in_thread(run, lambda: socket.getaddrinfo(host, port, family, kind, 0, flags))
    except ValueError:  # a name that IDNA refuses
        raise NetworkError(_NAME_ERRORS[socket.EAI_NONAME]) from None
    return [(entry[0], entry[4]) for entry in found]
