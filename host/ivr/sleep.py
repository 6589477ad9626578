"""Wait for some time while keys and events arrive (FreeSWITCH: switch_ivr_sleep)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.clock import MILLISECOND
from host.ivr.input_args import NO_INPUT, InputArgs
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session


def sleep(session: Session, ms: int, args: InputArgs | None = None) -> Status:
    """Wait `ms` milliseconds; what input ended it with, FALSE when the call ended meanwhile, else SUCCESS.

    FreeSWITCH: a call that was over before is no wait at all, and SUCCESS.
    """
    args = args or NO_INPUT
    if not session.channel.ready:
        return Status.SUCCESS
    deadline = session.clock.now() + ms * MILLISECOND
    while True:
        item = session.receive(deadline, args.kinds())
        if item is None:
            return Status.SUCCESS if session.channel.ready else Status.FALSE
        status = args.take(session, item)
        if not status:
            return status
