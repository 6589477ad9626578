"""What a blocking operation does with keys and events that arrive while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from host.event import Event
from host.inbox import Break, Digit
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session
    from media.recording import Recorder

# Called in the session's thread; SUCCESS lets the operation go on, anything else breaks it off.
OnInput = Callable[["Session", Digit | Event], Status]


@dataclass(slots=True)
class InputArgs:
    """`on_input` gets every key and event; without it, up to `buffer_size` keys are kept in `digits` instead.

    The first key that is kept ends the operation with BREAK (FreeSWITCH: a buffer in switch_input_args_t).
    """

    on_input: OnInput | None = None
    buffer_size: int = 0
    digits: str = ""
    asks: bool = False  # what is played asks the caller for keys
    recorder: Recorder | None = None  # what `record_file` records into, while it does
    paused: bool = False  # whether the input has paused it

    @property
    def takes_digits(self) -> bool:
        """Whether keys are taken at all; else they stay queued."""
        return self.on_input is not None or self.buffer_size > 0

    def kinds(self) -> tuple[type[object], ...]:
        """Return the kinds of inbox items that the operation has to take for these arguments."""
        if self.on_input is not None:
            return (Digit, Event, Break)
        return (Digit, Break) if self.buffer_size else (Break,)

    def take(self, session: Session, item: object) -> Status:
        """Deal with one item of `kinds()`; anything but SUCCESS ends the operation."""
        if isinstance(item, Break):
            return Status.BREAK
        if isinstance(item, Digit):
            session.tell_digit(item)
        if self.on_input is not None:
            assert isinstance(item, Digit | Event)
            status = self.on_input(session, item)
            # FreeSWITCH: with a key comes the event that waits behind it, though the key may have ended it all.
            event = session.inbox.take(Event) if isinstance(item, Digit) else None
            told = Status.SUCCESS if event is None else self.on_input(session, event)
            return status if told else told
        assert isinstance(item, Digit)
        self.digits += item.digit
        return Status.BREAK

    def toggle_pause(self) -> None:
        """Have the recorder leave out what comes, or no longer."""
        if self.recorder is not None:
            self.paused = not self.paused
            if self.paused:
                self.recorder.pause()
            else:
                self.recorder.resume()


NO_INPUT = InputArgs()
