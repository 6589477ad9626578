"""The caller's place in a call that is being placed: a third may take it while the called ones still ring."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.hangup_cause import HangupCause

if TYPE_CHECKING:
    from host.session import Session

_KEY: Final = "caller_place"


class CallerPlace:
    """Who is to speak with the one called: the caller, or the call that took its place (FreeSWITCH: holding_uuid).

    The caller that lost its place is a zombie: its call goes on being placed, whatever becomes of the caller itself,
    until the other one is gone as well.
    """

    def __init__(self, caller: Session) -> None:
        self._caller = caller
        self._lock = threading.Lock()
        self._open = True
        self._holder: Session | None = None

    @property
    def taken(self) -> bool:
        """Whether another call has the caller's place."""
        return self._holder is not None

    def take(self, session: Session) -> bool:
        """Give the place to `session`; False when the call is placed already, or the place is another's. Any thread."""
        channel = self._caller.channel
        with self._lock:
            if not self._open or self._holder is not None or session.channel.down:
                return False
            self._holder = session
            channel.variables.set("holding_uuid", session.uuid)
            channel.flags.add(Flag.XFER_ZOMBIE)
        session.channel.watchers.append(self._look)
        channel.set_flag(Flag.TRANSFER)
        self._look()
        return True

    def close(self) -> Session | None:
        """Let nobody take the place any more; return who has it, None for the caller itself."""
        with self._lock:
            self._open = False
            holder = self._holder
        if holder is not None:
            with contextlib.suppress(ValueError):  # it has only just been taken, and nobody looks yet
                holder.channel.watchers.remove(self._look)
            self._caller.channel.variables.set("holding_uuid", None)
        return holder

    def _look(self) -> None:
        """Give the call up once the one who waits for it is gone."""
        holder, channel = self._holder, self._caller.channel
        if self._open and holder is not None and holder.channel.down:
            channel.flags -= {Flag.XFER_ZOMBIE, Flag.TRANSFER}
            channel.hangup(HangupCause.NORMAL_CLEARING)
            channel.changed()


def place_of(caller: Session) -> CallerPlace | None:
    """Return the place of a caller whose call is being placed now."""
    place = caller.channel.private.get(_KEY)
    return place if isinstance(place, CallerPlace) else None


@contextlib.contextmanager
def caller_place(caller: Session) -> Iterator[CallerPlace]:
    """Have a place for the caller inside the block; at its end the place is closed."""
    private = caller.channel.private
    former = private.get(_KEY)
    place = private[_KEY] = CallerPlace(caller)
    try:
        yield place
    finally:
        place.close()
        if former is None:
            private.pop(_KEY, None)
        else:
            private[_KEY] = former
