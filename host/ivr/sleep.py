"""Wait for some time while keys and events arrive (FreeSWITCH: switch_ivr_sleep)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Final

from host.clock import MILLISECOND
from host.inbox import Break, Digit
from host.ivr.idle_silence import IdleSilence
from host.ivr.input_args import NO_INPUT, InputArgs
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session

# FreeSWITCH: what a wait without frames is made of.
_STEP_MS: Final = 20

# FreeSWITCH: the time that is left is a signed number of 32 bits, so that a wait of this or more is over at once.
_OVERFLOW_MS: Final = 2**31

# FreeSWITCH: in so short a wait nothing is sent.
_SHORT_MS: Final = 10


def sleep(session: Session, ms: int, args: InputArgs | None = None) -> Status:
    """Wait `ms` milliseconds; what input ended it with, FALSE when the call ended meanwhile, else SUCCESS.

    `send_silence_when_idle` is sent meanwhile.

    FreeSWITCH: a call that was over before is no wait at all, and SUCCESS.
    """
    args = args or NO_INPUT
    if not session.channel.ready or ms == 0:
        return Status.SUCCESS
    if not session.channel.media_ready:
        return _sleep_without_media(session, ms)
    if ms >= _OVERFLOW_MS:
        return Status.SUCCESS
    deadline = session.clock.now() + ms * MILLISECOND
    with _sending(session, ms):
        while True:
            item = session.receive(deadline, args.kinds())
            if item is None:
                return Status.SUCCESS if session.channel.ready else Status.FALSE
            status = args.take(session, item)
            if not status:
                return status


def _sleep_without_media(session: Session, ms: int) -> Status:
    """Wait in steps of 20 ms, as FreeSWITCH does where no frames come: no input ends it, and its end is a SUCCESS."""
    deadline = session.clock.now() + ms // _STEP_MS * _STEP_MS * MILLISECOND
    item = session.receive(deadline, (Break,))
    return Status.SUCCESS if item is None else Status.BREAK


def sleep_until_key(session: Session, ms: int) -> None:
    """Wait `ms` milliseconds or until a key, which stays queued, or a break; also with `send_silence_when_idle`.

    FreeSWITCH: no key ends it where no sound comes.
    """
    if session.channel.ready and not session.channel.media_ready:
        _sleep_without_media(session, ms)
        return
    if ms >= _OVERFLOW_MS:
        return
    with _sending(session, ms):
        item = session.receive(session.clock.now() + ms * MILLISECOND, (Digit, Break))
    if isinstance(item, Digit):
        session.inbox.put_back(item)


def _sending(session: Session, ms: int) -> AbstractContextManager[object]:
    return IdleSilence(session) if ms > _SHORT_MS else nullcontext()
