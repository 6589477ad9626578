"""mod_snapshot: keep the last seconds of a call, and write them to a file when they turn out to matter."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable
from host.application_table import ApplicationTable
from host.arguments import separate
from host.channel_argument import session_of, words_of
from host.hangup_cause import HangupCause
from host.leading_number import leading_int
from host.local_zone import local_zone
from host.log import LogLevel
from host.media_bug import MediaBug, add_media_bug, media_bugs, remove_media_bug
from host.time_format import format_time
from media.last_sound import LastSound
from media.recording import Recording, RecordingError

if TYPE_CHECKING:
    from host.interfaces import ApiRequest
    from host.session import Session
    from host.switch import Switch

NAME: Final = "mod_snapshot"

applications: Final = ApplicationTable(NAME)
commands: Final = ApiTable(NAME)

_SYNTAX: Final = "start <sec> <read|write>"
_COMMAND_SYNTAX: Final = "<uuid> snap|start [<sec> read|write <base>]"
_FAILED: Final = "-ERR Operation Failed\n"
_FUNCTION: Final = "snapshot"
_BASE: Final = "mod_snapshot"
_KEY: Final = "7"  # FreeSWITCH: behind the meta key it takes a snapshot
_FEWEST_SECONDS: Final = 5
_MOST_SECONDS: Final = 3600  # 58 MB at 8 kHz


@dataclass(slots=True)
class _Capture:
    """What is kept of a call, and how the files of it begin."""

    sound: LastSound
    base: str


def load(switch: Switch) -> None:
    """Bring the application and the command."""
    applications.register(switch)
    commands.register(switch)


def unload(switch: Switch) -> None:
    """Keep nothing any more, of no call."""
    for session in list(switch.sessions.values()):
        for bug in media_bugs(session, _FUNCTION):
            remove_media_bug(session, bug)


@applications.application("snapshot", _SYNTAX, media=True)
def snapshot(session: Session, data: str) -> None:
    """Begin to keep the last seconds, or write them to a file: `snap`."""
    words = separate(data, " ", 4)
    if not words:
        session.channel.log(LogLevel.ERR, f"Usage: {_SYNTAX}")
    elif words[0].lower() == "start":
        start(session, words[1:])
    elif words[0].lower() == "snap":
        snap(session)


@commands.command("uuid_snapshot", _COMMAND_SYNTAX, "Snapshot API")
def uuid_snapshot(request: ApiRequest) -> str:
    """Begin to keep the last seconds of a channel, or write them to a file: `snap`."""
    uuid, what, *how = words_of(request, 2, 5)
    session = session_of(request, uuid, _FAILED)
    done = False
    if what.lower() == "snap":
        done = snap(session)
    elif what.lower() == "start":
        done = start(session, how)
    return "+OK Success\n" if done else _FAILED


def start(session: Session, words: list[str]) -> bool:
    """Keep so many seconds (5 at least) of what is received, sent or both; False where that is done already."""
    if session.private(_FUNCTION, _Capture) is not None:
        session.channel.log(LogLevel.ERR, "Already Running.")
        return False
    if not session.pre_answer():
        return False
    seconds = leading_int(words[0]) if words else _FEWEST_SECONDS
    sides = words[1].lower() if len(words) > 1 else "read write"
    base = words[2] if len(words) > 2 else _BASE
    line, private = session.line, session.channel.private
    sound = LastSound(line.rate * max(_FEWEST_SECONDS, min(_MOST_SECONDS, seconds)))
    tap = line.tap(sound, read="read" in sides, write="write" in sides)

    def forget() -> None:
        line.untap(tap)
        private.pop(_FUNCTION, None)

    private[_FUNCTION] = _Capture(sound, base)
    add_media_bug(session, MediaBug(_FUNCTION, "N/A", forget))
    if session.switch.applications.get("bind_meta_app") is not None:
        session.run_in_session(lambda call: call.execute("bind_meta_app", f"{_KEY} a s snapshot::snap"))
    return True


def snap(session: Session) -> bool:
    """Write what is kept to `<sounds_dir>/<base>_<date>.wav`, named by the global variable `file`; False without."""
    switch, channel = session.switch, session.channel
    capture = session.private(_FUNCTION, _Capture)
    if capture is None:
        channel.log(LogLevel.ERR, f"{channel.name} Bug is not attached.")
        return False
    date = format_time("%Y_%m_%d_%H_%M_%S", session.clock.time(), local_zone()) or ""
    folder = switch.global_variables.get("sounds_dir") or ""
    path = os.path.join(folder, f"{capture.base}_{date}.wav")
    try:
        with Recording(path, session.line.rate) as recording:
            recording.write(capture.sound.take())
    except RecordingError as error:
        channel.log(LogLevel.ERR, f"Error opening {error.path}: {error.reason}")
        channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        return False
    switch.global_variables.set("file", path)
    channel.log(LogLevel.INFO, f"Wrote {path}")
    return True
