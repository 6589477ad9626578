"""The command `moonline call`: from its options to a call, and from the call to the terminal."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from rich.console import Console

from host.error_line import error_line
from host.log import level_of
from host.standard_streams import forget_output
from host.testing.scenario import (
    Scenario,
    ScenarioError,
    load_scenario,
    parse_press,
    parse_press_when,
    parse_rate,
    parse_say,
    parse_speak,
    parse_speak_when,
    parse_time,
    parse_variable,
)
from host.testing.simulation import CallOptions, run_call
from host.testing.transcript_text import TranscriptText
from host.xml_preprocess import XmlConfigError
from lua_bindings.runtime import VERSIONS
from media.recording import RecordingError

if TYPE_CHECKING:
    from host.testing.transcript import Entry


# What errors say could not be written to.
_OUTPUT: Final = "standard output"


def run_call_command(options: argparse.Namespace) -> int:
    """Run the call and show it; return 0, 1 when the script failed, or 2 when the options make no sense."""
    try:
        scenario = _scenario(options)
        call = _options(options)
        if not os.path.isfile(options.script):
            raise ScenarioError(f"{options.script}: there is no such script")
        if options.base is not None and not options.base.is_dir():
            raise ScenarioError(f"--base {options.base}: there is no such folder")
        for path in (options.record, options.record_stereo):
            if path is not None and not path.suffix:
                raise ScenarioError(f"{path}: the name's ending says the format: write {path}.wav")
        call.listener = _named(_show_json if options.json else _show_text(options.color))
        result = run_call(options.script, options.arguments, scenario, call)
        _flush()
    except BrokenPipeError:
        raise  # who reads no further wants no more
    except (ScenarioError, XmlConfigError, RecordingError, OSError) as error:
        if isinstance(error, OSError) and error.filename == _OUTPUT:
            forget_output()
        print(f"moonline call: {error_line(error)}", file=sys.stderr)
        return 2
    for path in (options.record, options.record_stereo):
        if path is not None and not options.json:
            print(f"wrote {path}: {result.duration / 1_000_000:.1f} s of call")
    if options.timeline is not None and not options.json:
        print(f"wrote {options.timeline}: open it in a browser to see and hear the call")
    return 0 if result.ok else 1


class _Terminal(Console):
    """A terminal, or what else the output is, that tells when nobody reads it any more."""

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError; rich would end the thread, which is a call's."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def _named(show: Callable[[Entry], None]) -> Callable[[Entry], None]:
    """Return `show` with errors that name what could not be written to."""

    def shown(entry: Entry) -> None:
        try:
            show(entry)
        except OSError as error:
            raise OSError(error.errno, error.strerror, _OUTPUT) from None

    return shown


def _flush() -> None:
    try:
        sys.stdout.flush()
    except OSError as error:
        raise OSError(error.errno, error.strerror, _OUTPUT) from None


def _scenario(options: argparse.Namespace) -> Scenario:
    scenario = load_scenario(options.caller) if options.caller is not None else Scenario()
    for text in options.press:
        scenario.press += parse_press(text)
    scenario.press_when += [parse_press_when(text) for text in options.press_when]
    scenario.say += [parse_say(text) for text in options.say]
    scenario.speak += [parse_speak(text) for text in options.speak]
    scenario.speak_when += [parse_speak_when(text) for text in options.speak_when]
    scenario.voice = options.voice or scenario.voice
    if options.hangup_at is not None:
        scenario.hangup_at = parse_time(options.hangup_at)
    scenario.from_number = options.from_number or scenario.from_number
    scenario.from_name = options.name or scenario.from_name
    scenario.to_number = options.to or scenario.to_number
    scenario.variables.update(map(parse_variable, options.var))
    if options.rate is not None:
        scenario.rate = parse_rate(options.rate)
    return scenario


def _options(options: argparse.Namespace) -> CallOptions:
    call = CallOptions(
        realtime=options.realtime,
        limit=parse_time(options.limit),
        burst=parse_time(options.burst),
        record=options.record,
        record_stereo=options.record_stereo,
        timeline=options.timeline,
        speak_missing=options.speak_missing,
        configuration=options.conf,
        base=options.base,
        lua=options.lua,
    )
    if options.lua and options.lua not in VERSIONS:
        raise ScenarioError(f"there is no Lua version {options.lua!r}: {', '.join(VERSIONS)}")
    level = level_of(options.log_level)
    if level is None:
        raise ScenarioError(
            f"{options.log_level!r} is no log level: debug, info, notice, warning, err, crit, alert"
        )
    call.log_level = level
    if options.start_time is not None:
        try:
            moment = datetime.fromisoformat(options.start_time)
        except ValueError:
            raise ScenarioError(f"{options.start_time!r} is no time: write 2026-01-05T10:00:00Z") from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        call.start_time = round(moment.timestamp()) * 1_000_000
    return call


def _show_json(entry: Entry) -> None:
    sys.stdout.write(entry.as_json().encode("utf-8", "backslashreplace").decode() + "\n")


def _show_text(color: str) -> Callable[[Entry], None]:
    console = _Terminal(
        highlight=False,
        soft_wrap=True,
        force_terminal={"always": True, "never": False}.get(color),
        no_color=True if color == "never" else None,
    )
    text = TranscriptText()

    def show(entry: Entry) -> None:
        for line in text.lines(entry):
            console.print(line)

    return show
