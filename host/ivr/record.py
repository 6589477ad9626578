"""Record what a caller says (FreeSWITCH: switch_ivr_record_file) and whole calls (switch_ivr_record_session)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

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


class SessionRecording:
    """A recording of a session that runs beside what the session does: `record_session`, `uuid_record`."""

    def __init__(self, session: Session, path: str, recording: Recorder, tap: int) -> None:
        self.session = session
        self.path = path
        self.recording = recording
        self.tap = tap
        self.started = session.clock.now()
        self.timer: Timer | None = None
        self.bug = MediaBug("session_record", path, lambda: stop_record_session(session, path))

    def stop(self, cause: str = "stop") -> None:
        """End the recording and close its file."""
        if self.timer is not None:
            self.timer.cancel()
        self.session.line.untap(self.tap)
        samples = self.recording.samples
        self.recording.close()
        _tell_end(self.session, self.path, samples, self.recording.rate, cause)
        remove_media_bug(self.session, self.bug)


def record_path(session: Session, path: str) -> str:
    """Return the full path of a recording."""
    return full_path(session.channel, split_parameters(path)[1])


def open_recording(session: Session, path: str, channels: int = 1) -> Recorder:
    """Open a recording for what the session's line carries; RecordingError says why there is none.

    FreeSWITCH: RECORD_APPEND adds to a file that is there, RECORD_TITLE … are its comments, `record_sample_rate` its
    rate, `enable_file_write_buffering` needs no heed here.
    """
    channel = session.channel
    ending = os.path.splitext(path)[1][1:].lower()
    found = session.switch.file_formats.get(ending)
    if found is None or not found.record:
        raise RecordingError(path, f"Invalid file format [{ending}] for [{path}]!")
    append = channel.is_true("RECORD_APPEND")
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
    channel.fire("RECORD_START", ("Record-File-Path", full))
    session.switch.observe("record", channel, path=full)
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
    _tell_end(session, full, samples, line.rate, cause)
    return status


def _noise_divisor(text: str | None) -> int:
    """Return what `record_waste_resources` divides full-scale noise by, 0 for no noise."""
    if text is None or text.lower() == "true":
        return _NOISE_DIVISOR
    return max(0, leading_int(text))


def record_session(session: Session, path: str, limit_s: int = 0) -> Status:
    """Record both directions of a session from now on, mixed, or left and right with RECORD_STEREO.

    FALSE when the file is being recorded already, GENERR when it cannot be written. RECORD_READ_ONLY and
    RECORD_WRITE_ONLY leave the other direction out.
    """
    channel = session.channel
    if Flag.PROXY_MODE in channel.flags:
        channel.log(LogLevel.ERR, "Can not record session.  Media not enabled on channel")
        return Status.FALSE
    full = record_path(session, path)
    running = session_recordings(session)
    if full in running:
        channel.log(LogLevel.WARNING, f"Already recording [{full}]")
        return Status.FALSE
    read, write = not channel.is_true("RECORD_WRITE_ONLY"), not channel.is_true("RECORD_READ_ONLY")
    stereo = channel.is_true("RECORD_STEREO") and read and write
    try:
        # FreeSWITCH: for recordings of sessions (not of `record`) missing folders are made.
        os.makedirs(os.path.dirname(full) or ".", exist_ok=True)
        recording = open_recording(session, full, 2 if stereo else 1)
    except (RecordingError, OSError, ValueError) as error:
        channel.log(LogLevel.ERR, f"Error opening {full}: {error}")
        channel.variables.set("record_completion_cause", "uri-failure")
        session.switch.observe("record_failed", channel, path=full, reason=str(error))
        return Status.GENERR
    tap = session.line.tap(recording, read=read, write=write, stereo=stereo)
    if not running:
        session.at_hangup.append(lambda: stop_record_session(session, "all", "no-input-timeout"))
    started = running[full] = SessionRecording(session, full, recording, tap)
    channel.fire("RECORD_START", ("Record-File-Path", full))
    add_media_bug(session, started.bug)
    session.switch.observe("record", channel, path=full)
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


def _tell_end(session: Session, path: str, samples: int, rate: int, cause: str) -> None:
    channel = session.channel
    ms = samples * 1000 // rate
    put = channel.variables.set
    put("record_file_size", str(os.path.getsize(path) if os.path.exists(path) else 0))
    put("record_samples", str(ms * rate // 1000))
    put("record_seconds", str(ms // 1000))
    put("record_ms", str(ms))
    put("record_completion_cause", cause)
    channel.fire("RECORD_STOP", ("Record-File-Path", path), ("Record-Completion-Cause", cause))
    session.switch.observe("recorded", channel, path=path, ms=ms, ended=cause)
