"""The headers that every event carries: which switch, when, in which order, and where it was made."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from host.variables import Variables

_SECOND: Final = 1_000_000


class GeneralHeaders:
    """Makes the general headers of one switch's events; the dates' texts are kept for the second they are for."""

    def __init__(self, core_uuid: str, hostname: str, global_variables: Variables) -> None:
        self._core_uuid = core_uuid
        self._hostname = hostname
        self._globals = global_variables
        self._sequence = itertools.count(1)
        self._dates: tuple[int, str, str] = (-1, "", "")

    def at(self, time: int) -> list[tuple[str, str]]:
        """Return the headers after Event-Name for an event made at `time` (µs since the epoch)."""
        second = time // _SECOND
        known, local, gmt = self._dates
        if known != second:
            moment = datetime.fromtimestamp(second, UTC)
            local = moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
            gmt = format_datetime(moment, usegmt=True)
            self._dates = (second, local, gmt)
        get = self._globals.get
        return [
            ("Core-UUID", self._core_uuid),
            ("FreeSWITCH-Hostname", self._hostname),
            ("FreeSWITCH-Switchname", get("switchname") or self._hostname),
            ("FreeSWITCH-IPv4", get("local_ip_v4") or "127.0.0.1"),
            ("FreeSWITCH-IPv6", get("local_ip_v6") or "::1"),
            ("Event-Date-Local", local),
            ("Event-Date-GMT", gmt),
            ("Event-Date-Timestamp", str(time)),
            ("Event-Calling-File", "switch.py"),
            ("Event-Calling-Function", "new_event"),
            ("Event-Calling-Line-Number", "1"),
            ("Event-Sequence", str(next(self._sequence))),
        ]
