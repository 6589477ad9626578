"""The transcript of a call: what happened, when in call time, as plain facts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from host.log import LogEntry, LogLevel

if TYPE_CHECKING:
    from host.channel import Channel
    from host.switch import Switch

# FreeSWITCH: what a script logs is told as coming from this file of the switch's.
SCRIPT_FILE = "switch_cpp.cpp"

# Variables that the switch sets by itself at every step: they would drown what the script sets.
_OWN_VARIABLES = frozenset(
    {"current_application", "current_application_data", "current_application_response"}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened `time` µs after the call began; `leg` is "" for the caller's own leg."""

    time: int
    kind: str
    facts: dict[str, object]
    leg: str = ""

    def as_json(self) -> str:
        """Return the entry as one JSON object: `time` in seconds, `kind`, `leg` where it is another one, the facts."""
        head: dict[str, object] = {"time": self.time / 1_000_000, "kind": self.kind}
        if self.leg:
            head["leg"] = self.leg
        return json.dumps(head | self.facts, ensure_ascii=False)


@dataclass(slots=True)
class Transcript:
    """Collects entries from a switch; `listener` gets each as it happens."""

    switch: Switch
    log_level: LogLevel = LogLevel.INFO
    listener: Callable[[Entry], None] = lambda entry: None
    entries: list[Entry] = field(default_factory=list)
    caller_uuid: str = ""
    _began: int = 0

    def begin(self, uuid: str) -> None:
        """Start collecting for the call whose caller's leg is `uuid`; now is its time zero."""
        self.caller_uuid = uuid
        self._began = self.switch.clock.now()
        self.switch.observers.append(self._observe)
        self.switch.logs.add_sink(self._log, self.log_level)

    def end(self) -> None:
        """Stop collecting."""
        self.switch.observers.remove(self._observe)
        self.switch.logs.remove_sink(self._log)

    def add(self, kind: str, leg: str = "", **facts: object) -> None:
        """Add an entry that happens now."""
        entry = Entry(self.switch.clock.now() - self._began, kind, facts, leg)
        self.entries.append(entry)
        self.listener(entry)

    def of_kind(self, kind: str) -> list[Entry]:
        """Return the entries of one kind."""
        return [entry for entry in self.entries if entry.kind == kind]

    def _observe(self, kind: str, channel: Channel | None, facts: dict[str, object]) -> None:
        if kind == "variable" and str(facts.get("name", "")).lower() in _OWN_VARIABLES:
            return
        leg = "" if channel is None or channel.uuid == self.caller_uuid else channel.name
        self.add(kind, leg, **facts)

    def _log(self, entry: LogEntry) -> None:
        if entry.observed:
            return  # there is an entry of its own
        by = "script" if entry.file == SCRIPT_FILE else "switch"
        self.add("log", level=entry.level.name.lower(), text=entry.text.rstrip("\n"), by=by)
