"""Log lines of the switch: levels, entries, and the sinks that show or keep them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from host.leading_number import leading_int


class LogLevel(IntEnum):
    """FreeSWITCH's log levels; a lower number is more severe. `DISABLE` is a limit that lets nothing pass."""

    DISABLE = -1
    CONSOLE = 0
    ALERT = 1
    CRIT = 2
    ERR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6
    DEBUG = 7


_BY_NAME = {level.name: level for level in LogLevel}
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?")


def level_of(name: str) -> LogLevel | None:
    """Return the level of a name in any case, or of a number's text, the nearest there is; None for another.

    FreeSWITCH: `ERR` and `WARNING` are names, `error` and `warn` are not.
    """
    name = name.strip()
    if _NUMBER.fullmatch(name):
        return LogLevel(min(max(leading_int(name), LogLevel.CONSOLE), LogLevel.DEBUG))
    return _BY_NAME.get(name.upper())


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One log line: time in µs since the epoch, text without its final newline, and where it was written."""

    level: LogLevel
    text: str
    time: int
    uuid: str = ""
    file: str = ""
    line: int = 0
    function: str = ""
    clean: bool = False
    observed: bool = False  # observers are told the same, so a transcript need not show it twice
    call_level: LogLevel | None = None  # that of the call it is about, which shows more of it


Sink = Callable[[LogEntry], None]


class Log:
    """Hands each entry to its sinks; a sink gets entries as severe as its level or more."""

    def __init__(self) -> None:
        self._sinks: tuple[tuple[Sink, LogLevel], ...] = ()
        self._lock = threading.Lock()
        self.limit = LogLevel.DEBUG  # FreeSWITCH: `fsctl loglevel`, which holds for all sinks
        self.threshold = -1

    def add_sink(self, sink: Sink, level: LogLevel = LogLevel.DEBUG) -> None:
        """Call `sink(entry)` for each entry up to `level`; a sink added again gets the new level."""
        with self._lock:
            self._set((*(pair for pair in self._sinks if pair[0] != sink), (sink, level)))

    def remove_sink(self, sink: Sink) -> None:
        """Stop calling `sink`."""
        with self._lock:
            self._set(tuple(pair for pair in self._sinks if pair[0] != sink))

    def set_limit(self, level: LogLevel) -> None:
        """Let no sink have entries below `level`."""
        with self._lock:
            self.limit = level
            self._set(self._sinks)

    def write(self, entry: LogEntry) -> None:
        """Hand `entry` to the sinks that take its level; none takes one of the level `DISABLE`."""
        if entry.level < LogLevel.CONSOLE:
            return
        for sink, level in self._sinks:
            if entry.level <= level:
                sink(entry)

    def _set(self, sinks: tuple[tuple[Sink, LogLevel], ...]) -> None:
        self._sinks = sinks
        self.threshold = min(max((level for _, level in sinks), default=-1), self.limit)
