"""What the switch tells, on its way to the clients: one queue that events and log lines are put into at once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from host.log import LogEntry, LogLevel
from host.modules.mod_event_socket.protocol import log_message

if TYPE_CHECKING:
    from host.event import Event
    from host.event_bus import Subscription
    from host.switch import Switch

# FreeSWITCH: so many events wait at most; ten seconds of the most that a switch fires.
MOST_QUEUED: Final = 100_000

# FreeSWITCH: the numbers of the text channels that a log line may come through.
_TEXT_CHANNEL_LOG: Final = 0
_TEXT_CHANNEL_CLEAN: Final = 1
_TEXT_CHANNEL_SESSION: Final = 3

Work = Callable[[], object]


class Feed:
    """Takes events and log lines from any thread, without ever waiting, and wakes the one thread that sends them."""

    def __init__(self, switch: Switch, wake: Callable[[], None]) -> None:
        self._switch = switch
        self._wake = wake
        self._queue: deque[Event | LogEntry | Work] = deque()
        self._asleep = False
        self._lock = threading.Lock()
        self._subscriptions: list[Subscription] = []
        self._log_level: int | None = None
        self.dropped = 0

    def put(self, item: Event | LogEntry | Work) -> None:
        """Queue an item; work is done in the sending thread, in its turn."""
        self._queue.append(item)
        if self._asleep:
            self._asleep = False
            self._wake()

    def take(self) -> Event | LogEntry | Work | None:
        """Return the oldest item, None when there is none."""
        try:
            return self._queue.popleft()
        except IndexError:
            return None

    def may_sleep(self) -> bool:
        """Return whether the sending thread may wait to be woken: nothing is queued."""
        self._asleep = True
        return not self._queue

    def listen(self, names: Iterable[str], log_level: int | None) -> None:
        """Hear the events of `names` from now on, and log lines up to `log_level`; others may still come."""
        with self._lock:
            self._listen_to_events(frozenset(names))
            if log_level != self._log_level:
                self._log_level = log_level
                if log_level is None or log_level < LogLevel.CONSOLE:
                    self._switch.logs.remove_sink(self._take)
                else:
                    self._switch.logs.add_sink(self._take, LogLevel(min(log_level, LogLevel.DEBUG)))

    def close(self) -> None:
        """Hear nothing any more."""
        self.listen((), None)

    def _listen_to_events(self, names: frozenset[str]) -> None:
        # New names get a subscription of their own, and one goes when none of its names is wanted: so no event is
        # heard twice, and none is missed while clients come and go.
        bus = self._switch.bus
        for subscription in [old for old in self._subscriptions if not old.names & names]:
            bus.unsubscribe(subscription)
            self._subscriptions.remove(subscription)
        heard = frozenset().union(*(subscription.names for subscription in self._subscriptions))
        if names - heard:
            self._subscriptions.append(bus.subscribe(self._take, names - heard, owner="mod_event_socket"))

    def _take(self, item: Event | LogEntry) -> None:
        if len(self._queue) >= MOST_QUEUED:
            self.dropped += 1
        else:
            self.put(item)


def log_frame(entry: LogEntry, line: str) -> bytes:
    """Return a log entry as a message; `line` is how it is written."""
    channel = _TEXT_CHANNEL_SESSION if entry.uuid else _TEXT_CHANNEL_LOG
    if entry.clean:
        channel = _TEXT_CHANNEL_CLEAN
    return log_message(
        entry.level, channel, entry.file or "moonline", entry.function, entry.line, entry.uuid, line
    )
