"""The dialog in which a caller records a message, a greeting or a name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from host.inbox import Digit
from host.ivr.input_args import NO_INPUT, InputArgs
from host.ivr.listen import play_source
from host.ivr.play import play_file
from host.ivr.record import record_file
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_voicemail.file_keys import FileKeys
from host.modules.mod_voicemail.prompts import ask, proceed, say
from host.status import Status
from media.tone import ToneError, ToneSource

if TYPE_CHECKING:
    from host.modules.mod_voicemail.profile import Profile
    from host.session import Session


@dataclass(slots=True)
class Recorded:
    """What came of the dialog: whether there is a file, its length in seconds, and the key that left the dialog."""

    kept: bool
    seconds: int = 0
    left_with: str = ""


def record(
    session: Session,
    profile: Profile,
    macro: str | None,
    path: str,
    *,
    shortest: bool = True,
    exit_keys: str = "",
) -> Recorded:
    """Let the caller record `path` after the macro and a tone, hear it, and record it again. Raises DialogEnded.

    With `shortest`, what is shorter than `min-record-len` is discarded, and asked for again `max-retries` times; one
    of `exit_keys` pressed instead of speaking leaves. A hangup keeps what was said. FreeSWITCH: `skip_record_check`.
    """
    channel = session.channel
    retries = 0
    while channel.ready:
        if macro is not None:
            proceed(say(session, macro))
        session.inbox.flush(Digit)
        proceed(_beep(session, profile.text("tone-spec")))
        _delete(session, path)
        args = InputArgs(buffer_size=1)
        record_file(
            session,
            path,
            profile.number("max-record-len"),
            profile.number("record-silence-threshold"),
            profile.number("record-silence-hits"),
            args,
        )
        seconds = leading_int(channel.get_variable("record_ms") or "") // 1000
        if not os.path.exists(path):
            return Recorded(False)
        if shortest and seconds < profile.number("min-record-len"):
            _delete(session, path)
            if args.digits and args.digits in exit_keys:
                return Recorded(False, 0, args.digits)
            channel.log(
                LogLevel.DEBUG,
                f"Message is less than minimum record length: {profile.number('min-record-len')}, discarding it.",
            )
            if not channel.ready or retries >= profile.number("max-retries"):
                return Recorded(False)
            proceed(say(session, "ack", "too-small"))
            retries += 1
            continue
        if _accepted(session, profile, path):
            return Recorded(True, seconds)
        retries = 0
    return Recorded(False)


def _accepted(session: Session, profile: Profile, path: str) -> bool:
    """Let the caller hear the recording as often as wished; False to record again. A call that ends accepts it."""
    channel = session.channel
    skip = channel.is_true("skip_record_check")
    keys = profile.keys("listen-file", "save-file", "record-file")
    hear = profile.flag("auto-playback-recordings")
    while channel.ready:
        pressed = ""
        if hear:
            steering = FileKeys(profile)
            steering.in_message = True
            play_file(session, path, args=steering.args())
            pressed = "" if steering.pressed == profile.key("terminator") else steering.pressed
        hear = False
        if not pressed:
            if skip or not channel.ready:
                return True
            pressed, _ = ask(session, "record_file_check", keys, profile.number("digit-timeout"), most=1)
        if pressed and pressed == profile.key("listen-file"):
            hear = True
        elif pressed and pressed == profile.key("record-file"):
            return False
        else:
            say(session, "ack", "saved")
            return True
    return True


def _beep(session: Session, script: str) -> Status:
    channel = session.channel
    if not channel.ready or not session.pre_answer():
        return Status.FALSE
    try:
        return play_source(session, ToneSource(script, session.line.rate, 0), NO_INPUT)
    except ToneError as error:
        channel.log(LogLevel.ERR, str(error))
        return Status.FALSE


def _delete(session: Session, path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass  # nothing was recorded
    except OSError as error:
        session.channel.log(LogLevel.WARNING, f"Failed to delete file [{path}]: {error}")
