"""What the console shows of the log, as `console` and `console.conf` set it and the console reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from host.log import LogEntry, LogLevel, level_of
from host.log_map import LogMap, read_log_map
from host.truth import is_true

if TYPE_CHECKING:
    from host.xml_registry import XmlRegistry


class LogFormat(StrEnum):
    """How a log line is written: for people, as a JSON object, or for syslog and journald, which keep the time."""

    PLAIN = "plain"
    JSON = "json"
    SYSLOG = "syslog"


@dataclass(slots=True)
class ConsoleSettings:
    """How log lines appear: down to which level, of which calls and places, in which form."""

    level: LogLevel = LogLevel.DEBUG
    colorize: bool = True
    uuid: bool = False
    json: bool = False
    syslog: bool = False
    silent: bool = False
    only_uuid: str = ""  # of one call, when an operator looks at that
    shown: LogMap = field(default_factory=LogMap)

    @property
    def form(self) -> LogFormat:
        """The format of the lines."""
        if self.json:
            return LogFormat.JSON
        return LogFormat.SYSLOG if self.syslog else LogFormat.PLAIN

    def shows(self, entry: LogEntry) -> bool:
        """Return whether a line is shown. FreeSWITCH: a call's own log level shows more of it, never less."""
        if self.silent or (self.only_uuid and entry.uuid != self.only_uuid):
            return False
        wanted = entry.level <= self.level
        if not wanted and entry.call_level is not None:
            wanted = entry.level <= entry.call_level
        return wanted and self.shown.shows(entry)


def apply_console_conf(settings: ConsoleSettings, xml: XmlRegistry) -> None:
    """Set what `console.conf` says; what it does not name stays as it is."""
    configuration = xml.configuration("console.conf")
    if configuration is None:
        return
    settings.shown = read_log_map(configuration.iterfind("mappings/map"))
    for param in configuration.iterfind("settings/param"):
        name, value = param.get("name", "").lower(), param.get("value", "")
        if name == "loglevel":
            level = level_of(value)
            settings.level = level if level is not None else settings.level
        elif name in ("colorize", "uuid"):
            setattr(settings, name, is_true(value))
