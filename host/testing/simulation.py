"""One call of a simulated caller against a script: the switch around it, its limits, and what came out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from host.clock import SECOND, VIRTUAL_EPOCH, Clock, RealClock, VirtualClock
from host.default_config import default_configuration
from host.hangup_cause import HangupCause
from host.log import LogLevel
from host.switch import Switch, default_base
from host.testing.caller import SimulatedCaller
from host.testing.scenario import Scenario, ScenarioError
from host.testing.transcript import Entry, Transcript
from lua_bindings import lua_conf
from lua_bindings import script as scripts
from media.espeak import synthesize
from media.recording import Recording
from media.source import Samples, Source

# What a call to a script needs. The event socket and the console belong to a server.
MODULES: Final = (
    "mod_sndfile",
    "mod_native_file",
    "mod_tone_stream",
    "mod_local_stream",
    "mod_commands",
    "mod_expr",
    "mod_hash",
    "mod_db",
    "mod_dptools",
    "mod_dialplan_xml",
    "mod_loopback",
    "mod_say_en",
    "mod_flite",
    "mod_lua",
)
DEFAULT_LIMIT: Final = 3600 * SECOND
DEFAULT_BURST: Final = 10 * SECOND

# A script may finish its work after the hangup for so long before it counts as one that never ends.
_AFTER_LIMIT: Final = 5 * SECOND


@dataclass(slots=True)
class CallOptions:
    """How a call is run. Times are µs; `start_time` is the calendar time at which it begins, µs since the epoch."""

    realtime: bool = False
    limit: int = DEFAULT_LIMIT
    burst: int = DEFAULT_BURST
    record: Path | None = None
    record_stereo: Path | None = None
    speak_missing: bool = True
    configuration: Path | None = None
    base: Path | None = None
    start_time: int = VIRTUAL_EPOCH
    log_level: LogLevel = LogLevel.INFO
    lua: str = ""
    seed: int = 1
    listener: Callable[[Entry], None] = lambda entry: None
    modules: Sequence[str] = MODULES


@dataclass(slots=True)
class CallResult:
    """What came out: the transcript, the hangup cause and who caused it, and the script's error if it had one."""

    transcript: Transcript
    cause: str = ""
    hung_up_by: str = ""
    duration: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the script ran without an error of its own and within its limits."""
        return not self.errors


def run_call(
    script: str,
    arguments: Sequence[str] = (),
    scenario: Scenario | None = None,
    options: CallOptions | None = None,
) -> CallResult:
    """Run `script` for one call of the caller that `scenario` describes.

    Raises ScenarioError for a path with blanks, RecordingError where a recording cannot be written, XmlConfigError for
    a bad configuration and OSError for audio of the caller that is not there, all before the call begins.
    """
    options = options or CallOptions()
    script = os.path.abspath(script)
    if " " in script:
        raise ScenarioError(
            f"{script}: a script's path must have no blanks, for mod_lua takes them for its end"
        )
    clock: Clock = RealClock() if options.realtime else VirtualClock(options.start_time)
    with clock.participating():
        # scripts beside the one that is called are found as in a switch's script folder
        switch = _switch(clock, options, "" if options.configuration else os.path.dirname(script))
        try:
            return _run(switch, script, arguments, scenario or Scenario(), options)
        finally:
            switch.close()


def _switch(clock: Clock, options: CallOptions, folder: str) -> Switch:
    switch = Switch(clock, options.base or default_base(), seed=None if options.realtime else options.seed)
    if folder:
        switch.global_variables.set("script_dir", folder)
    if options.configuration is not None:
        root = options.configuration
        switch.xml.load(root / "freeswitch.xml" if root.is_dir() else root)
    else:
        switch.xml.load_text(default_configuration(switch.global_variables.get("script_dir") or "scripts"))
    for module in options.modules:
        switch.modules.load(module)
    lua_conf.adjust_limits(switch, options.burst / SECOND, options.lua)
    if options.speak_missing:
        switch.speak_missing = spoken
    return switch


def spoken(text: str, rate: int) -> Source:
    """Return `text` spoken in English, at `rate` samples a second."""
    return Samples(synthesize(text, "en", rate), rate)


def quoted_arguments(script: str, arguments: Sequence[str]) -> str:
    """Return the data of the application `lua`: single quotes keep blanks inside an argument."""
    return " ".join([script, *(f"'{text}'" if not text or " " in text else text for text in arguments)])


def _run(
    switch: Switch, script: str, arguments: Sequence[str], scenario: Scenario, options: CallOptions
) -> CallResult:
    clock = switch.clock
    transcript = Transcript(switch, options.log_level, options.listener)
    result = CallResult(transcript)
    if not scenario.to_number:
        scenario.to_number = f"lua-{os.path.splitext(os.path.basename(script))[0]}"
    caller = SimulatedCaller(switch, scenario, transcript)
    recordings: list[Recording] = []
    try:
        if options.record is not None:
            recordings.append(Recording(str(options.record), scenario.rate))
            caller.line.tap(recordings[-1], read=True, write=False)
        if options.record_stereo is not None:
            recordings.append(Recording(str(options.record_stereo), scenario.rate, 2))
            caller.line.tap(recordings[-1], stereo=True)
        session = caller.session
        began = clock.now()

        def stop() -> None:
            text = f"the call reached its limit of {options.limit / SECOND:g} s of call time"
            result.errors.append(text)
            transcript.add("limit", text=text)
            for running in scripts.running():
                if running.switch is switch:
                    running.kill(text)
            session.channel.hangup(HangupCause.ALLOTTED_TIMEOUT)

        limit = clock.call_at(began + options.limit, stop)
        caller.call([("lua", quoted_arguments(script, arguments))])
        deadline = began + options.limit + _AFTER_LIMIT
        session.ended.wait(deadline)
        limit.cancel()
        result.duration = (
            session.channel.profile.times.hungup or clock.time()
        ) - session.channel.profile.times.created
        result.cause = session.channel.hangup_cause.name
        result.hung_up_by = caller.hung_up_by or "switch"
        transcript.add("end", cause=result.cause, by=result.hung_up_by, seconds=result.duration / SECOND)
        result.errors[:0] = [
            f"{entry.facts['error']}\n{entry.facts['traceback']}".rstrip()
            for entry in transcript.of_kind("script-error")
        ]
        result.errors += [str(entry.facts["error"]) for entry in transcript.of_kind("bug")]
    finally:
        caller.close()
        for recording in recordings:
            recording.close()
        if transcript.caller_uuid:
            transcript.end()
    return result
