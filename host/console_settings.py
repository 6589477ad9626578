"""What the console shows of the log, as `console` sets it and the console reads it."""

from __future__ import annotations

from dataclasses import dataclass

from host.log import LogLevel


@dataclass(slots=True)
class ConsoleSettings:
    """How log lines appear: down to which level, in colour, with the call's UUID, as JSON."""

    level: LogLevel = LogLevel.DEBUG
    colorize: bool = True
    uuid: bool = False
    json: bool = False
