"""Programs that a script starts with `io.popen` and `os.execute`: run without the host's lock, ended with the script.

C's `popen` and `system` would not tell which process is a script's, so that one which is killed would wait for its
program first. Here Lua opens the pipe of a program that the host started, as a file of its own.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

SHELL: Final = "/bin/sh"

# A status as `os.execute` and a pipe's `close` tell it: success or None, "exit" or "signal", and the number.
Status = tuple[bool | None, bytes, int]


class Programs:
    """The programs of one script. Everything but `end` happens in the script's thread."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._ends: dict[int, tuple[int, int]] = {}
        self._ended = False

    @property
    def functions(self) -> tuple[Callable[..., object], ...]:
        """What Lua calls: `start(command, mode)`, `opened(number)`, `wait(number)`, `execute(command)`."""
        return self._start, self._opened, self._wait, self._execute

    @property
    def running(self) -> int:
        """How many programs run."""
        with self._lock:
            return len(self._running)

    def _spawn(self, command: bytes, stdin: int | None, stdout: int | None) -> int:
        program = subprocess.Popen(
            [SHELL.encode(), b"-c", command], stdin=stdin, stdout=stdout, start_new_session=True
        )
        number = next(self._numbers)
        with self._lock:
            self._running[number] = program
            ended = self._ended
        if ended:
            _stop(program)
        return number

    def _start(self, command: bytes, mode: bytes) -> tuple[bytes, int] | tuple[None, bytes, int]:
        """Start a program with a pipe: the path of Lua's end and the program's number, or None and the error."""
        try:
            reading, writing = os.pipe()
        except OSError as error:
            return None, (error.strerror or "").encode(), error.errno or 0
        reads = mode == b"r"
        try:
            number = self._spawn(command, None if reads else reading, writing if reads else None)
        except (OSError, ValueError) as error:
            os.close(reading)
            os.close(writing)
            return None, str(error).encode("utf-8", "replace"), getattr(error, "errno", 0) or 0
        self._ends[number] = (reading, writing)
        return b"/proc/self/fd/%d" % (reading if reads else writing), number

    def _opened(self, number: int) -> None:
        """Close the host's ends of a pipe: Lua has opened its own."""
        for end in self._ends.pop(number, ()):
            os.close(end)

    def _wait(self, number: int) -> Status:
        """Wait for a program's end."""
        self._opened(number)
        program = self._running.get(number)
        if program is None:
            return None, b"exit", -1
        status = program.wait()
        with self._lock:
            self._running.pop(number, None)
        if status < 0:
            return None, b"signal", -status
        return True if status == 0 else None, b"exit", status

    def _execute(self, command: bytes) -> Status:
        """Run a program to its end."""
        try:
            return self._wait(self._spawn(command, None, None))
        except (OSError, ValueError):
            return None, b"exit", -1

    def end(self) -> None:
        """Stop the programs that run, and those that are started from now on; the script was killed."""
        with self._lock:
            self._ended = True
            running = list(self._running.values())
        for program in running:
            _stop(program)

    def close(self) -> None:
        """Wait for programs whose pipes the script dropped without closing them."""
        for number in list(self._running):
            self._wait(number)


def _stop(program: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):  # all of it has ended, or gone to another user
        os.killpg(program.pid, signal.SIGKILL)
