"""Writes log lines in a thread of its own: a full disk or a stopped terminal holds up no call."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from host.clock import SECOND, Clock
from host.console_settings import LogFormat
from host.log import LogEntry
from host.log_line import coloured, file_line, json_line, log_line, printable, syslog_line
from host.standard_streams import write_out

if TYPE_CHECKING:
    from host.switch import Switch

# Lines that wait to be written; what a switch under load logs within seconds. More are dropped and counted.
MOST_WAITING: Final = 100_000

Writer = Callable[[str], None]
# The line of an entry.
Form = Callable[[LogEntry], str]


class LogWriter:
    """Takes entries as a sink of the switch's log and writes their lines in order."""

    def __init__(
        self, clock: Clock, write: Writer, form: Form, shows: Callable[[LogEntry], bool] | None = None
    ) -> None:
        """Write with `write(text)`, whose OSError is taken as a lost line; `form(entry)` is the line.

        Entries that `shows` is False for are left out.
        """
        self._shows = shows
        self._write = write
        self._form = form
        self._clock = clock
        self._waiting: deque[LogEntry] = deque()
        self._waiter = clock.waiter()
        self._asleep = False
        self._closing = False
        self._ended = clock.waiter()
        self.dropped = 0
        clock.spawn(self._run, "log-writer")

    def __call__(self, entry: LogEntry) -> None:
        """Queue an entry."""
        if self._shows is not None and not self._shows(entry):
            return
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        self._waiting.append(entry)
        if self._asleep:
            self._asleep = False
            self._waiter.notify()

    def close(self) -> None:
        """Write what waits, for two seconds at most."""
        self._closing = True
        self._waiter.notify()
        deadline = self._clock.now() + 2 * SECOND
        self._ended.wait(deadline)

    def _run(self) -> None:
        while True:
            lines = []
            while self._waiting:
                lines.append(self._form(self._waiting.popleft()))
            if self.dropped:
                lines.append(f"{self.dropped} log lines were lost\n")
                self.dropped = 0
            if lines:
                try:
                    self._write("".join(lines))
                except (OSError, ValueError):
                    self.dropped += len(lines)
            if self._closing and not self._waiting:
                break
            self._asleep = True
            if not self._waiting and not self._closing:
                self._waiter.wait()
            self._asleep = False
        self._ended.notify()


def on_terminal(switch: Switch) -> LogWriter:
    """Return a writer to the standard output that does as the switch's console settings say.

    Colours are for terminals; elsewhere a call's lines have its UUID before them. What `sys.stdout` is may change:
    a prompt puts itself there.
    """
    settings = switch.console_settings
    terminal = sys.stdout.isatty()

    def form(entry: LogEntry) -> str:
        if settings.form is not LogFormat.PLAIN:
            return printable(json_line(entry) if settings.form is LogFormat.JSON else syslog_line(entry))
        write_line = file_line if settings.uuid or not terminal else log_line
        line = printable(write_line(entry, switch.idle_cpu.percent()))
        return coloured(line, entry.level) if terminal and settings.colorize else line

    return LogWriter(switch.clock, write_out, form, settings.shows)


class LogFile:
    """A log file that can be opened anew, after it was moved away (SIGHUP)."""

    def __init__(self, path: Path) -> None:
        """Open the file for appending, with its folder; raises OSError."""
        self.path = path
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")

    def write(self, text: str) -> None:
        """Append text; raises OSError."""
        with self._lock:
            self._file.write(text.encode("utf-8", "surrogateescape"))
            self._file.flush()

    def reopen(self) -> None:
        """Open the path again; raises OSError, and the file that was open stays in use then."""
        fresh = self.path.open("ab")
        with self._lock:
            former, self._file = self._file, fresh
        former.close()

    def close(self) -> None:
        """Close the file; what a full disk does not take is lost."""
        with self._lock, contextlib.suppress(OSError):
            self._file.close()


def into_file(switch: Switch, file: LogFile, log_format: LogFormat = LogFormat.PLAIN) -> LogWriter:
    """Return a writer to a log file, with the call's UUID before each line."""
    forms: dict[LogFormat, Form] = {
        LogFormat.PLAIN: lambda entry: file_line(entry, switch.idle_cpu.percent()),
        LogFormat.JSON: json_line,
        LogFormat.SYSLOG: syslog_line,
    }
    return LogWriter(switch.clock, file.write, forms[log_format])
