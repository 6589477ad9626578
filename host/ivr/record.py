"""Record what a caller says (FreeSWITCH: switch_ivr_record_file) and whole calls (switch_ivr_record_session)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from host import session_state
from host.channel import Flag
from host.clock import SECOND, Timer
from host.hangup_cause import HangupCause
from host.ivr.idle_silence import LineIdle
from host.ivr.input_args import NO_INPUT, InputArgs
from host.leading_number import leading_int
from host.log import LogLevel
from host.media_bug import MediaBug, add_media_bug, remove_media_bug
from host.sound_file import full_path, split_parameters
from host.status import Status
from host.truth import is_true
from media.energy import EnergyDetector, hits_of
from media.notice import Detected
from media.recording import RecordingError

if TYPE_CHECKING:
    from host.session import Session
    from media.recording import Recorder

# FreeSWITCH: what full-scale noise is divided by that a caller hears while he is recorded.
_NOISE_DIVISOR: Final = 1400
# FreeSWITCH: the seconds of silence that end a recording where a threshold is given without them.
_SILENCE_S: Final = 3


class Settings:
    """What a recording is to be like: settings of its own before the variables of the channel."""

    def __init__(self, session: Session, own: Mapping[str, str] | None = None) -> None:
        self.own = {name.lower(): value for name, value in (own or {}).items()}
        self._get = session.channel.get_variable

    def get(self, name: str) -> str | None:
        """Return a setting, None where there is none."""
        value = self.own.get(name.lower())
        return self._get(name) if value is None else value

    def is_true(self, name: str) -> bool:
        """Return whether a setting holds one of FreeSWITCH's words for true."""
        return is_true(self.get(name))


class SessionRecording:
    """A recording of a session that runs beside what the session does: `record_session`, `uuid_record`."""

    def __init__(
        self, session: Session, path: str, recording: Recorder, tap: int, settings: Settings | None = None
    ) -> None:
        self.session = session
        self.path = path
        self.recording = recording
        self.tap = tap
        self.settings = settings or Settings(session)
        self._continues = self.settings.is_true("RECORD_APPEND")
        self._least_s = max(0, leading_int(self.settings.get("RECORD_MIN_SEC") or ""))
        self.started = session.clock.now()
        self.timer: Timer | None = None
        self.bug = MediaBug("session_record", path, lambda: stop_record_session(session, path))

    def stop(self, cause: str = "stop") -> None:
        """End the recording and close its file."""
        if self.timer is not None:
            self.timer.cancel()
        self.session.line.untap(self.tap)
        samples, rate = self.recording.samples, self.recording.rate
        self.recording.close()
        channel = self.session.channel
        reason = self._too_little(samples, rate)
        if reason is not None:
            with suppress(OSError):
                os.remove(self.path)
            channel.variables.set("RECORD_DISCARDED", "true")
            cause = reason
        _tell_end(self.session, self.path, samples, rate, cause, self.settings, told=cause)
        _run_applications(self.session, "record_post_process_exec_app", self.settings)
        _run_post_process_api(self.session)
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
    session: Session, path: str, channels: int = 1, settings: Settings | None = None
) -> Recorder:
    """Open a recording for what the session's line carries; RecordingError says why there is none.

    FreeSWITCH: RECORD_APPEND adds to a file that is there, RECORD_TITLE … are its comments, `record_sample_rate` its
    rate, `enable_file_write_buffering` needs no heed here.
    """
    ending = os.path.splitext(path)[1][1:].lower()
    found = session.switch.file_formats.get(ending)
    if found is None or not found.record:
        raise RecordingError(path, f"Invalid file format [{ending}] for [{path}]!")
    append = (settings or Settings(session)).is_true("RECORD_APPEND")
    return session.switch.engine.recording(path, session.line.rate, channels, append)


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
    loud as `record_waste_resources` says (0: nothing is sent).
    """
    channel = session.channel
    args = args or NO_INPUT
    if not channel.ready or not session.pre_answer():
        return Status.FALSE
    full = record_path(session, path)
    try:
        recording = open_recording(session, full)
    except RecordingError as error:
        session.forget_input(digits=True)
        channel.log(LogLevel.CRIT, f"File [{full}] Open Failed: {error}")
        session.switch.observe("record_failed", channel, path=full, reason=str(error))
        channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        return Status.GENERR
    clock, line = session.clock, session.line
    began = clock.now()
    deadline = began + limit_s * SECOND if limit_s > 0 else None
    settings = Settings(session)
    _tell_start(session, full, settings)
    tap = line.tap(recording, read=True, write=False)
    listener = None
    if silence_threshold > 0:
        listener = line.listen(EnergyDetector(line.rate, silence_threshold, hits_of(silence_s or _SILENCE_S)))
    cause, silent = "success", False
    channel.variables.set("silence_hits_exhausted", "false")
    if args.on_input is not None:
        args.recorder, args.paused = recording, False
    noise = LineIdle(session)
    divisor = _noise_divisor(channel.get_variable("record_waste_resources"))
    if divisor:
        noise.begin(divisor)
    try:
        while True:
            item = session.receive(deadline, (Detected, *args.kinds()))
            if item is None:
                status = Status.SUCCESS if channel.ready else Status.FALSE
                cause = "success-maxtime" if status else "hangup"
                break
            if isinstance(item, Detected):
                if item.detector == listener:
                    silent, cause, status = True, "success-silence", Status.SUCCESS
                    break
                continue
            status = args.take(session, item)
            if not status:
                cause = "input"
                break
    finally:
        if args.on_input is not None:
            args.recorder = None
        noise.end()
        line.untap(tap)
        if listener is not None:
            line.unlisten(listener)
        samples = recording.samples
        recording.close()
    session.forget_input(digits=True)  # FreeSWITCH: keys pressed before and into a recording are gone
    channel.variables.set("silence_hits_exhausted", "true" if silent else "false")
    _run_post_process_api(session)
    channel.variables.set("record_record_file_size", _file_size(full))
    _tell_end(session, full, samples, line.rate, cause, settings)
    return status


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
    direction out; a file that is being recorded already goes on (SUCCESS), or is ended with
    RECORD_TOGGLE_ON_REPEAT. GENERR when it cannot be written, which hangs up with RECORD_HANGUP_ON_ERROR. One that is
    shorter than RECORD_MIN_SEC or empty is removed at its end (RECORD_DISCARDED).
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
    read, write = not settings.is_true("RECORD_WRITE_ONLY"), not settings.is_true("RECORD_READ_ONLY")
    stereo = settings.is_true("RECORD_STEREO") and read and write
    try:
        # FreeSWITCH: for recordings of sessions (not of `record`) missing folders are made.
        os.makedirs(os.path.dirname(full) or ".", exist_ok=True)
        recording = open_recording(session, full, 2 if stereo else 1, settings)
    except (RecordingError, OSError, ValueError) as error:
        channel.log(LogLevel.ERR, f"Error opening {full}: {error}")
        channel.variables.set("record_completion_cause", "uri-failure")
        session.switch.observe("record_failed", channel, path=full, reason=str(error))
        if settings.is_true("RECORD_HANGUP_ON_ERROR"):
            channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        return Status.GENERR
    tap = session.line.tap(recording, read=read, write=write, stereo=stereo)
    if not running:
        session.at_hangup.append(lambda: stop_record_session(session, "all", "success-silence"))
    started = running[full] = SessionRecording(session, full, recording, tap, settings)
    _tell_start(session, full, settings)
    add_media_bug(session, started.bug)
    if limit_s > 0:
        started.timer = session.clock.call_later(
            limit_s * SECOND, lambda: stop_record_session(session, full, "success-maxtime")
        )
    return Status.SUCCESS


def stop_record_session(session: Session, path: str, cause: str = "success-maxtime") -> Status:
    """End the recording of `path`, or all of them for `all`; FALSE when there is none.

    FreeSWITCH: one that is stopped counts as one that ran out of time.
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


def _tell_start(session: Session, path: str, settings: Settings) -> None:
    channel = session.channel
    channel.fire("RECORD_START", ("Record-File-Path", path), *_told_settings(settings))
    session.switch.observe("record", channel, path=path)
    _run_own_application(session, "execute_on_record_start", settings)
    session_state.run_moment(session, "record_start")


def _tell_end(
    session: Session,
    path: str,
    samples: int,
    rate: int,
    cause: str,
    settings: Settings,
    told: str | None = None,
) -> None:
    """Set what is known of a recording that ended, and tell it; `told` is the cause that the event has."""
    channel = session.channel
    ms = samples * 1000 // rate
    put = channel.variables.set
    put("record_file_size", _file_size(path))
    put("record_samples", str(ms * rate // 1000))
    put("record_seconds", str(ms // 1000))
    put("record_ms", str(ms))
    more: tuple[tuple[str, str], ...] = ()
    if told is not None:
        put("record_completion_cause", told)
        more = (("Record-Completion-Cause", told),)
    channel.fire("RECORD_STOP", ("Record-File-Path", path), *_told_settings(settings), *more)
    session.switch.observe("recorded", channel, path=path, ms=ms, ended=cause)
    _run_own_application(session, "execute_on_record_stop", settings)
    session_state.run_moment(session, "record_stop")


def _file_size(path: str) -> str:
    return str(os.path.getsize(path) if os.path.exists(path) else 0)


def _told_settings(settings: Settings) -> list[tuple[str, str]]:
    return [(f"Recording-Variable-{name}", value) for name, value in settings.own.items()]


def _run_own_application(session: Session, name: str, settings: Settings) -> None:
    text = settings.own.get(name)
    if text:
        session_state.run_application_text(session, text)


def _run_applications(session: Session, name: str, settings: Settings) -> None:
    _run_own_application(session, name, settings)
    for _, text in session.channel.variables.beginning(name):
        session_state.run_application_text(session, text)


def _run_post_process_api(session: Session) -> None:
    """Run the API command of `record_post_process_exec_api`, `command:argument`."""
    text = session.channel.get_variable("record_post_process_exec_api")
    if text:
        command, _, argument = text.partition(":")
        session.switch.api(command, session.expand(argument), session)
