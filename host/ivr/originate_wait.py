"""Where an originating thread waits: in its caller's inbox when it has one, else on the clock alone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from host.channel import Flag
from host.channel_watch import watching
from host.inbox import Digit
from host.ivr.ringback import Ringback
from media.notice import PlaybackEnded

if TYPE_CHECKING:
    from host.channel import Channel
    from host.clock import Clock
    from host.session import Session


class OriginateWait:
    """One thread's place to wait for changes of several legs."""

    def __init__(self, clock: Clock, caller: Session | None) -> None:
        self._clock = clock
        self._caller = caller
        self._in_inbox = caller is not None and caller.in_own_thread
        self._waiter = clock.waiter()
        self._changed = False
        self.ringback = Ringback(caller)
        self.cancelled_by_key = False
        key = caller.channel.variables.get("origination_cancel_key") if caller is not None else None
        self._cancel_key = key[:1] if key else ""

    @property
    def caller_gone(self) -> bool:
        """Whether the caller is not there any more; never so for a call without one, or one that may go on alone."""
        if self._caller is None or Flag.XFER_ZOMBIE in self._caller.channel.flags:
            return False
        return not self._caller.channel.ready

    @contextlib.contextmanager
    def watching(self, *channels: Channel) -> Iterator[Callable[[], None]]:
        """Be woken by changes of `channels` (and of the caller) inside the block; yield what others may call for it."""
        own = () if self._caller is None else (self._caller.channel,)
        with watching(self.notify, *own, *channels):
            yield self.notify

    def notify(self) -> None:
        """Wake the thread; anybody may call this."""
        self._changed = True
        if self._in_inbox:
            assert self._caller is not None
            self._caller.channel.on_change()
        self._waiter.notify()

    def wait(self, deadline: int | None) -> None:
        """Block until something changed since the last wait, or until `deadline` in µs of `Clock.now()`."""
        if self._in_inbox and not self.caller_gone and not self._zombie:
            self._wait_in_inbox(deadline)
        elif not self._changed:
            self._waiter.wait(deadline)
        self._changed = False

    def sleep(self, ms: int) -> bool:
        """Block for `ms`; False when the caller is gone."""
        deadline = self._clock.now() + ms * 1000
        while self._clock.now() < deadline and not self.caller_gone:
            self.wait(deadline)
        return not self.caller_gone

    @property
    def _zombie(self) -> bool:
        return self._caller is not None and not self._caller.channel.ready

    def _wait_in_inbox(self, deadline: int | None) -> None:
        assert self._caller is not None
        kinds: tuple[type[object], ...] = (PlaybackEnded,) if self.ringback.playing else ()
        if self._cancel_key:
            kinds = (*kinds, Digit)
        while True:
            item = self._caller.receive(deadline, kinds, until=lambda: self._changed)
            if isinstance(item, PlaybackEnded):
                self.ringback.ended(item)
            elif isinstance(item, Digit):
                self._caller.tell_digit(item)
                self.cancelled_by_key = item.digit == self._cancel_key
                if self.cancelled_by_key:
                    return
            else:
                return
