"""mod_logfile: the log in files, one for each profile of `logfile.conf`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from host.clock import SECOND
from host.leading_number import leading_int
from host.log import LogEntry, LogLevel
from host.log_line import file_line, log_line
from host.log_map import LogMap, read_log_map
from host.log_writer import LogWriter
from host.rotating_file import RotatingFile
from host.truth import is_true

if TYPE_CHECKING:
    from lxml.etree import _Element

    from host.event import Event
    from host.event_bus import Subscription
    from host.switch import Switch

# FreeSWITCH: what a profile without the parameters `logfile` and `rollover` has.
FILE_NAME: Final = "freeswitch.log"
ROLLOVER: Final = 0x280000


@dataclass(frozen=True, slots=True)
class Profile:
    """One log file; `keep` is how many former ones stay, 0 for all of them."""

    name: str
    path: Path
    rollover: int = ROLLOVER
    keep: int = 0
    uuid: bool = True
    shown: LogMap = field(default_factory=LogMap)


@dataclass(slots=True)
class _Running:
    """A profile's file and the thread that writes it."""

    profile: Profile
    file: RotatingFile
    writer: LogWriter


@dataclass(slots=True)
class _Loaded:
    files: list[_Running]
    traps: Subscription
    rotates: bool


_loaded: WeakKeyDictionary[Switch, _Loaded] = WeakKeyDictionary()


def read_profiles(configuration: _Element | None, log_dir: Path) -> list[Profile]:
    """Return the profiles of `logfile.conf`; none without one."""
    profiles = [] if configuration is None else configuration.findall("profiles/profile")
    return [_profile(element, log_dir) for element in profiles]


def _profile(element: _Element, log_dir: Path) -> Profile:
    given = {
        param.get("name", "").lower(): param.get("value", "") for param in element.iterfind("settings/param")
    }
    rollover = leading_int(given["rollover"]) if "rollover" in given else ROLLOVER
    return Profile(
        element.get("name", ""),
        log_dir / (given.get("logfile") or FILE_NAME),
        max(0, rollover),
        max(0, leading_int(given.get("maximum-rotate", ""))),
        is_true(given.get("uuid", "true")),
        read_log_map(element.iterfind("mappings/map")),
    )


def load(switch: Switch) -> None:
    """Begin to write the files. Simulated calls write none: they must not differ by what is on the disk."""
    if switch.clock.virtual:
        return
    configuration = switch.xml.configuration("logfile.conf")
    rotates = configuration is not None and any(
        param.get("name") == "rotate-on-hup" and is_true(param.get("value"))
        for param in configuration.iterfind("settings/param")
    )
    log_dir = Path(switch.global_variables.get("log_dir") or "log")
    files = [
        running
        for profile in read_profiles(configuration, log_dir)
        if (running := _open(switch, profile)) is not None
    ]
    traps = switch.bus.subscribe(lambda event: _hear_trap(switch, event), ("TRAP",), owner="mod_logfile")
    _loaded[switch] = _Loaded(files, traps, rotates)


def unload(switch: Switch) -> None:
    """Write what waits and close the files."""
    loaded = _loaded.pop(switch, None)
    if loaded is None:
        return
    switch.bus.unsubscribe(loaded.traps)
    for running in loaded.files:
        switch.logs.remove_sink(running.writer)
        running.writer.close()
        running.file.close()


def _open(switch: Switch, profile: Profile) -> _Running | None:
    def stamp() -> str:
        return datetime.fromtimestamp(switch.clock.time() // SECOND).strftime("%Y-%m-%d-%H-%M-%S")

    def form(entry: LogEntry) -> str:
        if not profile.shown.shows(entry):
            return ""
        return (file_line if profile.uuid else log_line)(entry, switch.idle_cpu.percent())

    try:
        file = RotatingFile(profile.path, profile.rollover, profile.keep, stamp)
    except OSError as error:
        switch.log(LogLevel.ERR, f"Error Opening log file {profile.path}: {error.strerror}")
        return None
    running = _Running(profile, file, LogWriter(switch.clock, file.write, form))
    switch.logs.add_sink(running.writer, LogLevel.DEBUG)
    return running


def _hear_trap(switch: Switch, event: Event) -> None:
    """Begin new files, or open them anew, at a SIGHUP."""
    loaded = _loaded.get(switch)
    if loaded is None or event.get_header("Trapped-Signal") != "HUP":
        return
    for running in loaded.files:
        try:
            if loaded.rotates:
                running.file.rotate()
            else:
                running.file.reopen()
        except OSError as error:
            switch.log(
                LogLevel.ERR, f"The log file {running.profile.path} cannot be renewed: {error.strerror}"
            )
