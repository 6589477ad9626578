"""Log entries as the lines that FreeSWITCH writes to its console, its log file and its event socket."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Final

from host.clock import SECOND
from host.log import LogEntry, LogLevel

COLOURS: Final = {
    LogLevel.CONSOLE: "\033[1;37m",
    LogLevel.ALERT: "\033[1;31m",
    LogLevel.CRIT: "\033[1;31m",
    LogLevel.ERR: "\033[1;31m",
    LogLevel.WARNING: "\033[1;35m",
    LogLevel.NOTICE: "\033[1;36m",
    LogLevel.INFO: "\033[1;32m",
    LogLevel.DEBUG: "\033[1;33m",
}
PLAIN: Final = "\033[0m"

# What a caller sent may stand in a log line; none of it may steer a terminal.
_STEERS_TERMINALS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def log_line(entry: LogEntry, idle_percent: float) -> str:
    """Return the line, with its line feed: `YYYY-MM-DD HH:MM:SS.µµµµµµ II.II% [LEVEL] file:line text`."""
    if entry.clean:
        return f"{entry.text}\n"
    seconds, microseconds = divmod(entry.time, SECOND)
    date = datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")
    place = f"{entry.file or 'moonline'}:{entry.line}"
    return f"{date}.{microseconds:06d} {idle_percent:.2f}% [{entry.level.name}] {place} {entry.text}\n"


def file_line(entry: LogEntry, idle_percent: float) -> str:
    """Return the line as it goes to a log file: before it the UUID of the call that it is about."""
    line = log_line(entry, idle_percent)
    return f"{entry.uuid} {line}" if entry.uuid else line


def json_line(entry: LogEntry) -> str:
    """Return the entry as a line with one JSON object; the time is in microseconds since the epoch."""
    members: dict[str, object] = {"timestamp": entry.time, "level": int(entry.level)}
    members |= {"uuid": entry.uuid} if entry.uuid else {}
    members |= {"file": entry.file, "line": entry.line} if entry.file else {}
    members |= {"function": entry.function} if entry.function else {}
    return f"{json.dumps({**members, 'message': entry.text})}\n"


def syslog_line(entry: LogEntry) -> str:
    """Return the line for a reader of syslog's kind (journald, rsyslog), which adds the time itself.

    Its priority stands in angle brackets before each physical line (sd-daemon(3)); CONSOLE is a notice.
    """
    priority = int(entry.level) or int(LogLevel.NOTICE)
    uuid = f"{entry.uuid} " if entry.uuid else ""
    place = f"{entry.file}:{entry.line} " if entry.file else ""
    first = f"{uuid}[{entry.level.name}] {place}"
    lines = entry.text.split("\n")
    return "".join(
        f"<{priority}>{first if number == 0 else uuid}{line}\n" for number, line in enumerate(lines)
    )


def printable(text: str) -> str:
    """Return `text` for a terminal: control characters and what is no UTF-8 become `?`; line feeds and tabs stay."""
    return _STEERS_TERMINALS.sub("?", text)


def coloured(line: str, level: LogLevel) -> str:
    """Return a line in its level's colour for a terminal."""
    return f"{COLOURS[level]}{line.removesuffix(chr(10))}{PLAIN}\n"
