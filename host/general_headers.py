"""The headers that every event carries: which switch, when, in which order, and where it was made."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final, NamedTuple

from host.byte_text import folded
from host.event import Event, Header
from host.variables import Variables

_SECOND: Final = 1_000_000


# Where in the list of the general headers those of one event alone stand.
_TIMESTAMP: Final = 8
_SEQUENCE: Final = 12


class General(NamedTuple):
    """The headers of all events of a second while no global variable changes, and their positions by folded name."""

    second: int
    generation: int
    headers: list[Header]
    positions: dict[str, int]


# What makes an event's general headers: those of its second, its time in µs since the epoch, and its number.
Stamp = tuple[General, int, int]


class GeneralHeaders:
    """Makes the events of one switch with their general headers; what is alike within a second is kept."""

    def __init__(self, core_uuid: str, hostname: str, global_variables: Variables) -> None:
        self._core_uuid = core_uuid
        self._hostname = hostname
        self._globals = global_variables
        self._sequence = itertools.count(1)
        self._kept = General(-1, -1, [], {})

    def stamp(self, time: int) -> Stamp:
        """Return what an event made at `time` (µs since the epoch) is marked with."""
        kept = self._kept
        if kept[0] != time // _SECOND or kept[1] != self._globals.generation:
            kept = self._kept = self._general(time // _SECOND)
        return kept, time, next(self._sequence)

    def event(self, name: str, stamp: Stamp, subclass: str | None = None) -> Event:
        """Return an event of a type, with its subclass behind the others. Raises ValueError for an unknown type."""
        general, time, sequence = stamp
        headers = general.headers.copy()
        headers[_TIMESTAMP] = ("Event-Date-Timestamp", str(time))
        headers[_SEQUENCE] = ("Event-Sequence", str(sequence))
        event = Event.prepared(name, headers, general.positions.copy())
        if subclass:
            event.set_subclass(subclass)
        return event

    def _general(self, second: int) -> General:
        generation = self._globals.generation
        headers = self._headers(second)
        index = {folded(name): position for position, (name, _) in enumerate(headers)}
        return General(second, generation, headers, index)

    def _headers(self, second: int) -> list[Header]:
        moment = datetime.fromtimestamp(second, UTC)
        get = self._globals.get
        return [
            ("Event-Name", ""),
            ("Core-UUID", self._core_uuid),
            ("FreeSWITCH-Hostname", self._hostname),
            ("FreeSWITCH-Switchname", get("switchname") or self._hostname),
            ("FreeSWITCH-IPv4", get("local_ip_v4") or "127.0.0.1"),
            ("FreeSWITCH-IPv6", get("local_ip_v6") or "::1"),
            ("Event-Date-Local", moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")),
            ("Event-Date-GMT", format_datetime(moment, usegmt=True)),
            ("Event-Date-Timestamp", ""),
            ("Event-Calling-File", "switch.py"),
            ("Event-Calling-Function", "new_event"),
            ("Event-Calling-Line-Number", "1"),
            ("Event-Sequence", ""),
        ]
