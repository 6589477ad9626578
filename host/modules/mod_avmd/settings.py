"""What avmd.conf says, and what a call may ask for instead: `avmd_start inbound_channel=1,detection_mode=1`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

from host.arguments import separate
from host.truth import is_true
from media.beep_detector import Mode

if TYPE_CHECKING:
    from host.xml_registry import XmlRegistry

# FreeSWITCH: so many settings may a call ask for.
_MOST_ENTRIES: Final = 20
_NUMBER: Final = re.compile(r"\s*\+?([0-9]{1,9})")


class AvmdSettingError(Exception):
    """A setting that there is not, or a value that it cannot have: what FreeSWITCH logs of it, line by line."""

    def __init__(self, *lines: str) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


@dataclass(frozen=True, slots=True)
class AvmdSettings:
    """The settings of avmd.conf, by default FreeSWITCH's.

    The beep is listened for in what an outbound channel receives (`outbound_channel`) and an inbound one sends
    (`inbound_channel`). `detection_mode` is `media.beep_detector.Mode`; the streaks are how many windows more than
    three in a row have to be steady in frequency and amplitude, none without the `require_…`. With `report_status`
    the log and the command's replies say what is done. The others tell FreeSWITCH how its 37 estimators reckon (in
    threads of their own, by a table of arc cosines); the one that works here needs none of them.
    """

    debug: int = 0
    report_status: int = 1
    fast_math: int = 0
    require_continuous_streak: int = 1
    sample_n_continuous_streak: int = 3
    sample_n_to_skip: int = 0
    require_continuous_streak_amp: int = 1
    sample_n_continuous_streak_amp: int = 3
    simplified_estimation: int = 1
    inbound_channel: int = 0
    outbound_channel: int = 1
    detection_mode: int = Mode.BOTH
    detectors_n: int = 36
    detectors_lagged_n: int = 1

    @property
    def streak(self) -> int:
        """The windows in a row that what has to be steady must be steady for, beyond the detector's own."""
        frequency = self.sample_n_continuous_streak if self.require_continuous_streak else 0
        amplitude = self.sample_n_continuous_streak_amp if self.require_continuous_streak_amp else 0
        if self.detection_mode == Mode.AMPLITUDE:
            return amplitude
        return frequency if self.detection_mode == Mode.FREQUENCY else max(frequency, amplitude)


def _truth(text: str) -> int:
    return int(is_true(text))


def _number(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        match = _NUMBER.fullmatch(text)
        if match is None or int(match[1]) > most:
            raise ValueError(text)
        return int(match[1])

    return read


_READERS: Final[dict[str, Callable[[str], int]]] = {field.name: _truth for field in fields(AvmdSettings)} | {
    "sample_n_continuous_streak": _number(0xFFFF),
    "sample_n_to_skip": _number(0xFFFF),
    "sample_n_continuous_streak_amp": _number(0xFFFF),
    "detection_mode": _number(2),
    "detectors_n": _number(0xFF),
    "detectors_lagged_n": _number(0xFF),
}


def read_settings(xml: XmlRegistry, log: Callable[[str], object]) -> AvmdSettings:
    """Read avmd.conf, the defaults where there is none; `log(text)` is told of what is missing there or wrong."""
    configuration = xml.configuration("avmd.conf")
    if configuration is None:
        return AvmdSettings()
    values: dict[str, int] = {}
    for param in configuration.iterfind("settings/param"):
        name, value = param.get("name", ""), param.get("value", "")
        if name in _READERS and value:
            try:
                values[name] = _READERS[name](value)
            except ValueError:
                values.pop(name, None)
    for name in _READERS:
        if name not in values:
            log(f"AVMD config parameter '{name}' missing or invalid - using default")
    return replace(AvmdSettings(), **values)


def with_entries(settings: AvmdSettings, text: str) -> AvmdSettings:
    """Return `settings` with what `name=value,name=value` says. Raises AvmdSettingError."""
    values: dict[str, int] = {}
    entries = separate(text, ",", 2 * _MOST_ENTRIES)
    if len(entries) > _MOST_ENTRIES:
        raise AvmdSettingError(f"Syntax Error, avmd_start APP takes [0] to [{_MOST_ENTRIES}] parameters")
    for number, entry in enumerate(entries, 1):
        try:
            name, value = _entry(entry)
            values[name] = value
        except ValueError as error:
            raise AvmdSettingError(f"Error parsing option [{number}] [{entry}]", str(error)) from None
    return replace(settings, **values)


def _entry(entry: str) -> tuple[str, int]:
    """Read `name=value`. Raises ValueError with FreeSWITCH's words."""
    name, equals, value = entry.partition("=")
    if not name:
        raise ValueError("Syntax error. No key specified")
    if "=" in value:
        raise ValueError("Syntax error. Currently we accept only option=value syntax")
    if not equals or not value:
        raise ValueError("Syntax error. No value for the key? Currently we accept only option=value syntax")
    read = _READERS.get(name)
    if read is None:
        raise ValueError("Option not found. Please check option name is correct")
    try:
        return name, read(value)
    except ValueError:
        raise ValueError("Bad value for this option") from None
