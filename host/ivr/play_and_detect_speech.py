"""Play a prompt and wait for what the caller says (FreeSWITCH: switch_ivr_play_and_detect_speech)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.asr import Heard
from host.event import Event
from host.inbox import Digit
from host.ivr.detect_speech import (
    detect_speech,
    pause_detect_speech,
    speech_detection,
    start_input_timers,
    stop_detect_speech,
)
from host.ivr.input_args import InputArgs
from host.ivr.play import play_file
from host.ivr.sleep import sleep
from host.log import LogLevel
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session

# FreeSWITCH: how long one wait for a result lasts (ms); it is renewed until the engine has one.
_WAIT_MS: Final = 5000

_ANY_KEY: Final = "1234567890*#"


def play_and_detect_speech(
    session: Session, path: str, engine: str, grammar: str, args: InputArgs | None = None
) -> tuple[Status, str]:
    """Play `path` while `engine` listens by `grammar`; return how it ended and what the engine said.

    The caller's voice ends the prompt. A key in `playback_terminators` ends all of it with the result `DIGIT: 1`;
    other keys are dropped. `args` gets the events DETECTED_SPEECH. FALSE when the prompt cannot be played or the call
    is over, with no result. When it returns the engine is open and listens no more; with
    `play_and_detect_speech_close_asr` it is closed.

    Raises AsrInitError, and GrammarError after which the engine is closed.
    """
    detect_speech(session, engine, grammar, "")
    channel = session.channel
    awaited = _Result(args)
    status = Status.FALSE
    try:
        taking = InputArgs(on_input=awaited.take)
        status = play_file(session, path, args=taking)
        if status not in (Status.SUCCESS, Status.BREAK):
            status = Status.FALSE
        elif not awaited.done:
            start_input_timers(session)
            channel.log(LogLevel.INFO, f"({channel.name}) WAITING FOR RESULT")
            while not awaited.done and channel.ready:
                status = sleep(session, _WAIT_MS, taking)
                if status not in (Status.SUCCESS, Status.BREAK):
                    status = Status.FALSE
                    break
    finally:
        if not awaited.by_engine:
            pause_detect_speech(session)
        if channel.is_true("play_and_detect_speech_close_asr"):
            stop_detect_speech(session)
    return (Status.SUCCESS if awaited.done else status), awaited.text


class _Result:
    """What the caller said or pressed, once `done`; `by_engine` when the engine listens no more by itself."""

    def __init__(self, args: InputArgs | None) -> None:
        self._args = args
        self.text = ""
        self.done = False
        self.by_engine = False

    def take(self, session: Session, item: Digit | Event) -> Status:
        """Look at a key or an event; BREAK when it ends the prompt or the wait."""
        if self.done:
            return Status.SUCCESS
        if isinstance(item, Event):
            return self._take_event(session, item) if item.name == "DETECTED_SPEECH" else Status.SUCCESS
        return self._take_digit(session, item)

    def _take_event(self, session: Session, event: Event) -> Status:
        channel = session.channel
        speech_type = (event.get_header("Speech-Type") or "").lower()
        if not speech_type:
            return Status.SUCCESS
        if self._args is not None and self._args.on_input is not None:
            self._args.on_input(session, event)
        match speech_type:
            case Heard.FINAL.value:
                channel.log(LogLevel.INFO, f"({channel.name}) DETECTED SPEECH")
                self.text, self.done, self.by_engine = event.body or "", True, True
                return Status.BREAK
            case Heard.BEGIN.value:
                channel.log(LogLevel.INFO, f"({channel.name}) START OF SPEECH")
                return Status.BREAK
            case "closed" if speech_detection(session) is None:
                self.text, self.done, self.by_engine = "", True, True
                return Status.BREAK
            case Heard.PARTIAL.value | "closed":
                pass  # an engine that is still open was not the one that closed
            case _:
                channel.log(LogLevel.ERR, f"unhandled speech type {speech_type}")
        return Status.SUCCESS

    def _take_digit(self, session: Session, digit: Digit) -> Status:
        channel = session.channel
        wanted = channel.get_variable("playback_terminators") or ""
        terminators = {"any": _ANY_KEY, "none": ""}.get(wanted.lower(), wanted)
        if digit.digit not in terminators:
            channel.log(LogLevel.DEBUG, f"({channel.name}) IGNORE NON-TERMINATOR DIGIT {digit.digit}")
            return Status.SUCCESS
        channel.log(LogLevel.DEBUG, f"({channel.name}) ACCEPT TERMINATOR {digit.digit}")
        channel.set_variable("playback_terminator_used", digit.digit)
        self.text, self.done = f"DIGIT: {digit.digit}", True
        return Status.BREAK
