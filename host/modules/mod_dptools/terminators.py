"""The keys that end a playback: `playback_terminators`, and `playback_terminator_used` for the one that did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.event import Event
from host.inbox import Digit
from host.ivr.input_args import InputArgs
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session

DEFAULT: Final = "*"
ANY: Final = "1234567890*#"
USED: Final = "playback_terminator_used"


def terminator_args(session: Session) -> InputArgs:
    """Return what lets a terminator end an operation and eats all other keys; forgets the one used before."""
    session.channel.variables.set(USED, None)
    return InputArgs(on_input=_on_input)


def _on_input(session: Session, item: Digit | Event) -> Status:
    if isinstance(item, Digit) and item.digit in terminators(session):
        session.channel.set_variable(USED, item.digit)
        return Status.BREAK
    return Status.SUCCESS


def terminators(session: Session) -> str:
    """Return the keys that end a playback on this channel (`any` and `none` are words for sets of them)."""
    chosen = session.channel.get_variable("playback_terminators") or DEFAULT
    return {"any": ANY, "none": ""}.get(chosen.lower(), chosen)
