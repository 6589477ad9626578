"""Record what a caller says (FreeSWITCH: switch_ivr_record_file) and whole calls (switch_ivr_record_session)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.clock import SECOND
from host.hangup_cause import HangupCause
from host.inbox import Digit
from host.ivr.idle_silence import LineIdle
from host.ivr.input_args import NO_INPUT, InputArgs
from host.ivr.recorded_line import RecordedLine
from host.ivr.recording_events import file_size, run_applications, run_post_process_api, tell_end, tell_start
from host.ivr.recording_settings import Directions, Settings
from host.leading_number import leading_int
from host.log import LogLevel
from host.media_bug import MediaBug, add_media_bug, remove_media_bug
from host.sound_file import SoundFileError, full_path, open_sound, split_parameters
from host.status import Status
from media.energy import EnergyDetector, hits_of
from media.notice import Detected, PlaybackEnded
from media.recording import RecordingError
from media.recording_form import RecordingForm

if TYPE_CHECKING:
    from host.clock import Timer
    from host.session import Session
    from media.line import Playback
    from media.recording import Recorder

# FreeSWITCH: what full-scale noise is divided by that a caller hears while he is recorded.
_NOISE_DIVISOR: Final = 1400
# FreeSWITCH: the seconds of silence that end a recording where a threshold is given without them.
_SILENCE_S: Final = 3
# FreeSWITCH: what parameters in braces before the path of a recording beside the call may say.
_IN_PATH: Final = frozenset({"record_read_only", "record_write_only"})


class SessionRecording:
    """A recording of a session that runs beside what the session does: `record_session`, `uuid_record`."""

    def __init__(
        self, session: Session, path: str, recording: Recorder, directions: Directions, settings: Settings
    ) -> None:
        self.session = session
        self.path = path
        self.recording = recording
        self.settings = settings
        self._line = RecordedLine(recording, directions, settings, self._finish)
        self._continues = self.settings.is_true("RECORD_APPEND")
        self._least_s = max(0, leading_int(self.settings.get("RECORD_MIN_SEC") or ""))
        self.started = session.clock.now()
        self.timer: Timer | None = None
        self.bug = self._make_bug()

    def _make_bug(self) -> MediaBug:
        return MediaBug("session_record", self.path, self._finish)

    def _finish(self, cause: str = "success-maxtime") -> None:
        stop_record_session(self.session, self.path, cause)

    def begin(self) -> None:
        """Record what the session hears and says from now on, and tell that."""
        self._line.begin(self.session)
        tell_start(self.session, self.path, self.settings)
        add_media_bug(self.session, self.bug)

    def end_after(self, delay: int) -> None:
        """End the recording `delay` µs from now."""
        self.timer = self.session.clock.call_later(delay, self._finish)

    def move(self, to: Session) -> None:
        """Record `to`, whose line has the same rate, from now on."""
        self._line.end()
        remove_media_bug(self.session, self.bug)
        self.session = to
        self.bug = self._make_bug()
        self._line.begin(to)
        add_media_bug(to, self.bug)

    def stop(self, cause: str | None) -> None:
        """End the recording and close its file; None for a cause is that the call has ended."""
        if self.timer is not None:
            self.timer.cancel()
        self._line.end()
        if cause is None:
            cause = self._line.cause_of_hangup
        samples, rate = self.recording.samples, self.recording.rate
        self.recording.close()
        channel = self.session.channel
        channel.variables.set("record_file_size", file_size(self.path))
        reason = self._too_little(samples, rate)
        if reason is not None:
            with suppress(OSError):
                os.remove(self.path)
            channel.variables.set("RECORD_DISCARDED", "true")
            cause = reason
        tell_end(self.session, self.path, samples, rate, cause, self.settings, told=cause)
        run_applications(self.session, "record_post_process_exec_app", self.settings)
        run_post_process_api(self.session)
        remove_media_bug(self.session, self.bug)

    def _too_little(self, samples: int, rate: int) -> str | None:
        """Return why the recording is not worth keeping, None where it is: one that is continued always is."""
        if self._continues:
            return None
        if not samples:
            return "empty-file"
        return "input-too-short" if samples < rate * self._least_s else None


def record_path(session: Session, path: str) -> str:
    """Return the full path of a recording."""
    return full_path(session.channel, split_parameters(path)[1])


def open_recording(
    session: Session, path: str, settings: Settings, form: RecordingForm, channels: int = 1
) -> Recorder:
    """Open a recording for what the session's line carries; RecordingError says why there is none.

    FreeSWITCH: RECORD_APPEND adds to a file that is there; the variables RECORD_TITLE … are gone once a file has them.
    `enable_file_write_buffering`, RECORD_PRE_BUFFER_FRAMES and RECORD_USE_THREAD need no heed here.
    """
    ending = os.path.splitext(path)[1][1:].lower()
    found = session.switch.file_formats.get(ending)
    if found is None or not found.record:
        raise RecordingError(path, f"Invalid file format [{ending}] for [{path}]!")
    append = settings.is_true("RECORD_APPEND")
    recording = session.switch.engine.recording(path, session.line.rate, channels, append, form)
    for name in form.tags:
        session.channel.variables.set(f"record_{name}", None)
    return recording


def record_file(
    session: Session,
    path: str,
    limit_s: int = 0,
    silence_threshold: int = 0,
    silence_s: int = 0,
    args: InputArgs | None = None,
) -> Status:
    """Record what the caller says until a limit, silence, input or hangup; return how it ended.

    Keys that wait count as input; without any for them they are dropped at the end, as are those that are left.
    `silence_threshold` is the average absolute sample below which a 20 ms frame is silent; `silence_s` seconds of it
    end the recording (0: three). Sets record_seconds, record_ms, record_samples, silence_hits_exhausted.
    FreeSWITCH: where the file cannot be written, the call is hung up; the caller hears comfort noise meanwhile, as
    loud as `record_waste_resources` says (0: nothing is sent), and first the sound `record_indication`. The limit
    counts from the last key with `record_restart_limit_on_dtmf`; RECORD_WRITE_OVER writes over a file that is there.
    """
    channel = session.channel
    args = args or NO_INPUT
    if not channel.ready or not session.pre_answer():
        return Status.FALSE
    full = record_path(session, path)
    settings = Settings(session)
    given = Settings(session, split_parameters(path)[0])
    form = RecordingForm(
        over=settings.is_true("RECORD_WRITE_OVER"), rate=settings.sample_rate, tags=given.tags
    )
    try:
        recording = open_recording(session, full, settings, form)
    except RecordingError as error:
        session.forget_input(digits=True)
        channel.log(LogLevel.CRIT, f"File [{full}] Open Failed: {error}")
        session.switch.observe("record_failed", channel, path=full, reason=str(error))
        channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        return Status.GENERR
    clock, line = session.clock, session.line
    began = clock.now()
    deadline = began + limit_s * SECOND if limit_s > 0 else None
    anew = given.is_true("record_restart_limit_on_dtmf")
    tell_start(session, full, settings)
    tap = line.tap(recording, read=True, write=False)
    listener = None
    if silence_threshold > 0:
        listener = line.listen(EnergyDetector(line.rate, silence_threshold, hits_of(silence_s or _SILENCE_S)))
    cause, silent = "success", False
    channel.variables.set("silence_hits_exhausted", "false")
    if args.on_input is not None:
        args.recorder, args.paused = recording, False
    indication = _play_indication(session, given.get("record_indication"))
    noise = LineIdle(session)
    divisor = _noise_divisor(given.get("record_waste_resources"))
    if divisor:
        noise.begin(divisor)
    try:
        while True:
            item = session.receive(deadline, (Detected, PlaybackEnded, *args.kinds()))
            if item is None:
                status = Status.SUCCESS if channel.ready else Status.FALSE
                cause = "success-maxtime" if status else "hangup"
                break
            if isinstance(item, PlaybackEnded):
                continue
            if isinstance(item, Detected):
                if item.detector == listener:
                    silent, cause, status = True, "success-silence", Status.SUCCESS
                    break
                continue
            if anew and deadline is not None and isinstance(item, Digit):
                deadline = clock.now() + limit_s * SECOND
            status = args.take(session, item)
            if not status:
                cause = "input"
                break
    finally:
        if args.on_input is not None:
            args.recorder = None
        noise.end()
        if indication is not None:
            indication.stop()
        line.untap(tap)
        if listener is not None:
            line.unlisten(listener)
        samples = recording.samples
        recording.close()
    session.forget_input(digits=True)  # FreeSWITCH: keys pressed before and into a recording are gone
    channel.variables.set("silence_hits_exhausted", "true" if silent else "false")
    for name in ("record_record_file_size", "record_file_size"):
        channel.variables.set(name, file_size(full))
    run_post_process_api(session)
    tell_end(session, full, samples, line.rate, cause, settings)
    return status


def _play_indication(session: Session, path: str | None) -> Playback | None:
    """Play the caller what tells him that he is recorded, once; None for nothing."""
    if not path:
        return None
    try:
        source = open_sound(session.switch, session.channel, path, session.line.rate).source
    except SoundFileError:
        session.channel.log(LogLevel.ERR, "Indication file invalid")
        return None
    return session.line.play(source)


def _noise_divisor(text: str | None) -> int:
    """Return what `record_waste_resources` divides full-scale noise by, 0 for no noise."""
    if text is None or text.lower() == "true":
        return _NOISE_DIVISOR
    return max(0, leading_int(text))


def record_session(
    session: Session, path: str, limit_s: int = 0, own_settings: Mapping[str, str] | None = None
) -> Status:
    """Record both directions of a session from now on, mixed, or left and right with RECORD_STEREO.

    `own_settings` go before the variables of the channel. RECORD_READ_ONLY and RECORD_WRITE_ONLY leave the other
    direction out, RECORD_ANSWER_REQ and RECORD_BRIDGE_REQ what comes before; RECORD_INITIAL_TIMEOUT_MS and
    RECORD_FINAL_TIMEOUT_MS of silence end the recording. A file that is being recorded already goes on (SUCCESS), or
    is ended with RECORD_TOGGLE_ON_REPEAT; with RECORD_CHECK_BRIDGE also one that the bridged call records. GENERR when
    it cannot be written, which hangs up with RECORD_HANGUP_ON_ERROR. One that is shorter than RECORD_MIN_SEC or empty
    is removed at its end (RECORD_DISCARDED).
    """
    channel = session.channel
    settings = Settings(session, own_settings)
    if Flag.PROXY_MODE in channel.flags:
        channel.log(LogLevel.ERR, "Can not record session.  Media not enabled on channel")
        return Status.FALSE
    full = record_path(session, path)
    running = session_recordings(session)
    if full in running:
        if settings.is_true("RECORD_TOGGLE_ON_REPEAT"):
            return stop_record_session(session, path)
        channel.log(LogLevel.WARNING, f"Already recording [{full}]")
        return Status.SUCCESS
    if settings.is_true("RECORD_CHECK_BRIDGE"):
        other = session.switch.find_session(session.partner or "")
        if other is not None and full in session_recordings(other):
            if other.channel.is_true("RECORD_TOGGLE_ON_REPEAT"):
                return stop_record_session(other, full)
            other.channel.log(LogLevel.WARNING, f"Already recording [{full}]")
            return Status.SUCCESS
    directions = Directions.wanted(Settings(session, {**(own_settings or {}), **_directions_in(path)}))
    try:
        # FreeSWITCH: for recordings of sessions (not of `record`) missing folders are made.
        os.makedirs(os.path.dirname(full) or ".", exist_ok=True)
        recording = open_recording(session, full, settings, directions.form(settings), directions.channels)
    except (RecordingError, OSError, ValueError) as error:
        channel.log(LogLevel.ERR, f"Error opening {full}: {error}")
        channel.variables.set("record_completion_cause", "uri-failure")
        session.switch.observe("record_failed", channel, path=full, reason=str(error))
        if settings.is_true("RECORD_HANGUP_ON_ERROR"):
            channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        return Status.GENERR
    if not running:
        end_with_call(session)
    started = running[full] = SessionRecording(session, full, recording, directions, settings)
    started.begin()
    if limit_s > 0:
        started.end_after(limit_s * SECOND)
    return Status.SUCCESS


def _directions_in(path: str) -> dict[str, str]:
    """Return what the parameters of a path say of the directions: FreeSWITCH asks them for no more."""
    parameters, _ = split_parameters(path)
    return {name: value for name, value in parameters.items() if name.lower() in _IN_PATH}


def end_with_call(session: Session) -> None:
    """Have the session's recordings end with its call."""
    session.at_hangup.append(lambda: stop_record_session(session, "all", None))


def stop_record_session(session: Session, path: str, cause: str | None = "success-maxtime") -> Status:
    """End the recording of `path`, or all of them for `all`; FALSE when there is none.

    FreeSWITCH: one that is stopped counts as one that ran out of time; None for the cause is that the call has ended.
    """
    running = session_recordings(session)
    names = list(running) if path == "all" else [record_path(session, path)]
    found = [running.pop(name) for name in names if name in running]
    for recording in found:
        recording.stop(cause)
    return Status.SUCCESS if found else Status.FALSE


def session_recordings(session: Session) -> dict[str, SessionRecording]:
    """Return the recordings that run beside a session, by path."""
    found: dict[str, SessionRecording] = session.channel.private.setdefault("recordings", {})  # type: ignore[assignment]
    return found


# What can be done to a recording that runs.
STEERING: Final[Mapping[str, Callable[[Recorder], None]]] = {
    "mask": lambda recording: recording.mask(),
    "unmask": lambda recording: recording.unmask(),
    "pause": lambda recording: recording.pause(),
    "resume": lambda recording: recording.resume(),
}


def steer_recording(session: Session, path: str, how: str) -> bool:
    """Do to a session's recording of `path` what STEERING has under `how`; False when no such recording runs."""
    running = session_recordings(session).get(record_path(session, path))
    if running is None:
        return False
    STEERING[how](running.recording)
    return True
