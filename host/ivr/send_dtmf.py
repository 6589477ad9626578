"""Send DTMF given as a text to the far end of a call."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from host.clock import MILLISECOND
from host.dtmf_string import PAUSES_MS, SentDigit, parse_dtmf, wants_processing
from host.inbox import Digit
from host.ivr.note_sent import note_sent_digits

if TYPE_CHECKING:
    from host.session import Session

# FreeSWITCH: only SIP's channels queue pauses with the digits (CC_QUEUEABLE_DTMF_DELAY).
_QUEUES_PAUSES: Final = frozenset({"sofia"})


def send_dtmf_string(session: Session, text: str) -> bool:
    """Send the digits of `text`; `w` and `W` wait, in here unless the channel queues them. False when it has none.

    FreeSWITCH: bindings, of this leg as of others that they come to, see them only where the text begins with `~`.
    """
    digits = parse_dtmf(text, session.switch.control)
    if not digits:
        return False
    note_sent_digits(session.channel, digits)
    _send(session, digits, processed=wants_processing(text))
    return True


def _send(session: Session, digits: list[SentDigit], *, processed: bool) -> None:
    for index, digit in enumerate(digits):
        if session.channel.down:
            return
        pause = PAUSES_MS.get(digit.digit)
        if pause is None:
            session.send_digit(Digit(digit.digit, digit.duration, "APP", processed))
        elif session.endpoint in _QUEUES_PAUSES:
            later = partial(_send, session, digits[index + 1 :], processed=processed)
            session.clock.call_later(pause * MILLISECOND, later)
            return
        else:
            session.clock.sleep(pause * MILLISECOND)
