"""Applications that play: files once, many times or without end, and tones; and the one that waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.clock import MILLISECOND
from host.hangup_cause import HangupCause
from host.ivr.listen import play_source
from host.ivr.play import play_file
from host.ivr.sleep import sleep as pause
from host.ivr.sleep import sleep_until_key
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_dptools.terminators import terminator_args
from host.status import Status
from media.tone import ToneError, ToneSource

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

# The time that a file without sound counts for: one frame of FreeSWITCH.
_FRAME_MS: Final = 20

_RESPONSES: Final = {
    Status.SUCCESS: "FILE PLAYED",
    Status.BREAK: "FILE PLAYED",
    Status.NOT_FOUND: "FILE NOT FOUND",
}


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


@_application("playback", "<path>", "Playback File", media=True)
def playback(session: Session, data: str) -> None:
    """Play a file until a terminator is pressed; `@@N` at its end begins at sample N (FreeSWITCH: in no other play)."""
    path, start = data, 0
    at = data.find("@")
    if data[at : at + 2] == "@@":
        path, start = data[:at], leading_int(data[at + 2 :])
    _respond(session, play_file(session, path, start, terminator_args(session)))


@_application("endless_playback", "<path>", "Playback File Endlessly", media=True)
def endless_playback(session: Session, data: str) -> None:
    """Play a file again and again until the call ends or cannot play it."""
    _respond(session, _repeat(session, data, -1))


@_application("loop_playback", "[+loops] <path>", "Playback File looply", media=True)
def loop_playback(session: Session, data: str) -> None:
    """Play a file `+N` times, without end below zero; FreeSWITCH: without a path the call is hung up."""
    loops, path = 1, data
    if data.startswith("+"):
        times, _, path = data[1:].partition(" ")
        loops = leading_int(times)
    if not path:
        session.channel.log(LogLevel.ERR, f"Missing file arg in data [{data}]")
        session.channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        return
    _respond(session, _repeat(session, path, loops))


def _repeat(session: Session, path: str, times: int) -> Status:
    status = Status.SUCCESS
    while times and session.channel.ready:
        began = session.clock.now()
        status = play_file(session, path)
        if status not in (Status.SUCCESS, Status.BREAK):
            break
        times -= 1
        if session.clock.now() - began < MILLISECOND and not pause(session, _FRAME_MS):
            break  # an empty file must not turn this into a loop that hardly waits
    return status


def _respond(session: Session, status: Status) -> None:
    session.channel.variables.set("current_application_response", _RESPONSES.get(status, "PLAYBACK ERROR"))


@_application("gentones", "<tgml_script>[|<loops>]", "Generate Tones", media=True)
def gentones(session: Session, data: str) -> None:
    """Play a tone script, `|N` times, until a terminator is pressed."""
    channel = session.channel
    if not data:
        channel.log(LogLevel.ERR, "Invalid Params!")
        return
    script, _, times = data.partition("|")
    args = terminator_args(session)
    if not channel.ready or not session.pre_answer():
        return
    try:
        source = ToneSource(script, session.line.rate, max(-1, leading_int(times)))
    except ToneError as error:
        channel.log(LogLevel.ERR, str(error))
        return
    session.switch.observe(
        "play",
        channel,
        path=f"tone_stream://{script}",
        spoken=None,
        length_ms=None if source.length is None else source.length * 1000 // source.rate,
    )
    began = session.clock.now()
    status = play_source(session, source, args)
    ended = {Status.SUCCESS: "end", Status.FALSE: "hangup"}.get(status, "input")
    ms = (session.clock.now() - began) // MILLISECOND
    session.switch.observe("played", channel, path=f"tone_stream://{script}", spoken=None, ms=ms, ended=ended)


@_application("sleep", "<pausemilliseconds>", "Pause a channel")
def sleep(session: Session, data: str) -> None:
    """Wait some ms, or until a key, which stays queued; with `sleep_eat_digits` until a terminator, keys eaten."""
    channel = session.channel
    if not data:
        channel.log(LogLevel.ERR, "No timeout specified.")
        return
    ms = leading_int(data) % 2**32  # FreeSWITCH reads it as unsigned
    if channel.is_true("sleep_eat_digits"):
        pause(session, ms, terminator_args(session))
        return
    sleep_until_key(session, ms)
