"""One call of a simulated caller against a script: the switch around it, its limits, and what came out."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Final, Self

from host.clock import SECOND, VIRTUAL_EPOCH, Clock, RealClock, Timer, VirtualClock, Waiter
from host.default_config import MODULES_OF_PACKAGES, default_configuration
from host.hangup_cause import HangupCause
from host.log import LogLevel
from host.module_loader import ModuleUnavailable
from host.spoken_prompt import spoken
from host.switch import Switch, default_base
from host.testing import timeline
from host.testing.caller import SimulatedCaller
from host.testing.scenario import Scenario, ScenarioError
from host.testing.transcript import Entry, Transcript
from lua_bindings import lua_conf
from lua_bindings import script as scripts

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
    "mod_conference",
    "mod_fifo",
    "mod_callcenter",
    "mod_valet_parking",
    "mod_voicemail",
    "mod_say_en",
    "mod_flite",
    "mod_test",
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
    timeline: Path | None = None
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
    a bad configuration and OSError for audio of the caller that is not there, all before the call begins. OSError as
    well when the listener raises one, which ends the call.
    """
    with SimulatedCall(script, arguments, scenario, options) as call:
        call.start()
        call.wait_for_end()
    if call.refused is not None:
        raise call.refused
    return call.result


class SimulatedCall:
    """One call in the making, as a context: inside it the calling thread takes part in the call's time.

    `caller` is who calls, `transcript` what happened so far, `result` what came out once the context is left, `refused`
    why the listener took no more.
    """

    def __init__(
        self,
        script: str,
        arguments: Sequence[str] = (),
        scenario: Scenario | None = None,
        options: CallOptions | None = None,
    ) -> None:
        """Prepare a call; raises ScenarioError for a path with blanks."""
        self.script = os.path.abspath(script)
        if " " in self.script:
            raise ScenarioError(
                f"{self.script}: a script's path must have no blanks, for mod_lua takes them for its end"
            )
        self._arguments = arguments
        self._scenario = scenario or Scenario()
        self._options = options or CallOptions()
        self._contexts = ExitStack()
        self._limit: Timer | None = None
        self._changed: Waiter | None = None
        self.refused: OSError | None = None

    def __enter__(self) -> Self:
        """Make the switch and the caller; raises as `run_call`."""
        options, scenario = self._options, self._scenario
        clock: Clock = RealClock() if options.realtime else VirtualClock(options.start_time)
        with ExitStack() as contexts:
            contexts.enter_context(clock.participating())
            # scripts beside the one that is called are found as in a switch's script folder
            folder = "" if options.configuration else os.path.dirname(self.script)
            self.switch = _switch(clock, options, folder)
            contexts.callback(self.switch.close)
            if options.realtime:
                self.switch.engine.start()
                self.switch.engine.status()  # it answers once it is there: its start is no part of the call
            self._changed = clock.waiter()
            self.transcript = Transcript(self.switch, options.log_level, self._tell)
            self.result = CallResult(self.transcript)
            number = scenario.to_number or f"lua-{os.path.splitext(os.path.basename(self.script))[0]}"
            self.caller = SimulatedCaller(self.switch, replace(scenario, to_number=number), self.transcript)
            contexts.callback(self.caller.close)
            sound = self._prepare_timeline(contexts)
            for path, stereo in ((options.record, False), (options.record_stereo, True), (sound, True)):
                if path is not None:
                    recording = self.switch.engine.recording(str(path), scenario.rate, 2 if stereo else 1)
                    contexts.callback(recording.close)
                    self.caller.line.tap(recording, read=True, write=stereo, stereo=stereo)
            self._contexts = contexts.pop_all()
        return self

    def start(self) -> None:
        """Let the call begin; raises OSError for audio of the caller that is not there."""
        clock = self.switch.clock
        self._limit = clock.call_later(self._options.limit, self._stop)
        try:
            self.caller.call([("lua", quoted_arguments(self.script, self._arguments))])
        except OSError:
            self._limit.cancel()
            self._limit = None  # nothing has begun, so nothing is to be ended
            raise

    def go_on_until(self, holds: Callable[[], bool], within: int) -> bool:
        """Let the call go on until `holds()`, asked whenever something happens; False after `within` µs without."""
        clock = self.switch.clock
        assert self._changed is not None
        deadline = clock.now() + within
        while not holds():
            if self.caller.session.ended_already or not self._changed.wait(deadline):
                return holds()
        return True

    def wait_for_end(self) -> None:
        """Let the call go on to its end."""
        clock = self.switch.clock
        deadline = clock.now() + self._options.limit + _AFTER_LIMIT
        self.caller.session.ended.wait(deadline)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the call if it has not ended, and fill in `result`."""
        with self._contexts:
            if self._limit is None:
                return
            self._limit.cancel()
            if not self.caller.session.ended_already:
                self.caller.hang_up()
                deadline = self.switch.clock.now() + _AFTER_LIMIT
                self.caller.session.ended.wait(deadline)
            self._conclude()
            self.transcript.end()

    def _prepare_timeline(self, contexts: ExitStack) -> Path | None:
        """Return where to record what the page needs, or None without one; OSError when the page cannot be written."""
        page = self._options.timeline
        if page is None:
            return None
        page.open("ab").close()
        sound = Path(contexts.enter_context(TemporaryDirectory(prefix="moonline-"))) / "call.wav"
        # Called once the recording is closed, which is opened after this.
        contexts.callback(self._write_timeline, page, sound)
        return sound

    def _write_timeline(self, page: Path, sound: Path) -> None:
        if self._limit is None or not sound.exists():
            return
        samples, rate = timeline.read_sound(sound)
        title = f"{os.path.basename(self.script)}: {self.caller.session.channel.profile.destination_number}"
        text = timeline.page(title, self.transcript.entries, samples, rate, self.result.errors)
        try:
            page.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as error:  # a full disk, which the system does not tell by name
            raise OSError(error.errno, error.strerror, str(page)) from None

    def _conclude(self) -> None:
        channel, result, transcript = self.caller.session.channel, self.result, self.transcript
        times = channel.profile.times
        result.duration = (times.hungup or self.switch.clock.time()) - times.created
        result.cause = channel.hangup_cause.name
        result.hung_up_by = self.caller.hung_up_by or "switch"
        transcript.add("end", cause=result.cause, by=result.hung_up_by, seconds=result.duration / SECOND)
        result.errors[:0] = [
            str(entry.facts.get("traceback") or entry.facts["error"])
            for entry in transcript.of_kind("script-error")
        ]
        result.errors += [str(entry.facts["error"]) for entry in transcript.of_kind("bug")]

    def _stop(self) -> None:
        text = f"the call reached its limit of {self._options.limit / SECOND:g} s of call time"
        self.result.errors.append(text)
        self.transcript.add("limit", text=text)
        self._kill_scripts(text)
        self.caller.session.channel.hangup(HangupCause.ALLOTTED_TIMEOUT)

    def _kill_scripts(self, why: str) -> None:
        for running in scripts.running():
            if running.switch is self.switch:
                running.kill(why)

    def _give_up(self) -> None:
        self._kill_scripts("nobody hears of the call any more")
        self.caller.hang_up()

    def _tell(self, entry: Entry) -> None:
        if self.refused is None:
            try:
                self._options.listener(entry)
            except OSError as error:
                self.refused = error
                self.switch.clock.call_later(0, self._give_up)  # not here: this may be the middle of a hangup
        if self._changed is not None:
            self._changed.notify()


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
    for module in chain(*MODULES_OF_PACKAGES.values()) if options.modules is MODULES else ():
        with contextlib.suppress(ModuleUnavailable):
            switch.modules.load(module)
    lua_conf.adjust_limits(switch, options.burst / SECOND, options.lua)
    if options.speak_missing:
        switch.speak_missing = spoken
    return switch


def quoted_arguments(script: str, arguments: Sequence[str]) -> str:
    """Return the data of the application `lua`: single quotes keep blanks inside an argument."""
    return " ".join([script, *(f"'{text}'" if not text or " " in text else text for text in arguments)])
