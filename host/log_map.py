"""Which log lines a log shows: levels for all of them, and more for single files and functions (`mappings`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from host.log import LogEntry, LogLevel, level_of

if TYPE_CHECKING:
    from lxml.etree import _Element

EVERY_LEVEL: Final = frozenset(LogLevel)


def parse_levels(text: str) -> frozenset[LogLevel]:
    """Return the levels of a list as `debug,info,err`; `all` is every one, and what is no level is passed over."""
    words = [word.strip() for word in text.split(",")]
    if any(word.lower() == "all" for word in words):
        return EVERY_LEVEL
    return frozenset(level for word in words if (level := level_of(word)) is not None)


@dataclass(frozen=True, slots=True)
class LogMap:
    """The levels shown of all lines, and of those of a file or a function by its name."""

    of_all: frozenset[LogLevel] = EVERY_LEVEL
    of_names: dict[str, frozenset[LogLevel]] = field(default_factory=dict)

    def shows(self, entry: LogEntry) -> bool:
        """Return whether a line is shown."""
        return (
            entry.level in self.of_all
            or entry.level in self.of_names.get(entry.file, ())
            or entry.level in self.of_names.get(entry.function, ())
        )


def read_log_map(maps: Iterable[_Element]) -> LogMap:
    """Return the map of the elements `<map name= value=/>`; FreeSWITCH: without any, every level is shown."""
    of_names = {map_.get("name", ""): parse_levels(map_.get("value", "")) for map_ in maps}
    if not of_names:
        return LogMap()
    return LogMap(of_names.pop("all", frozenset()), of_names)
