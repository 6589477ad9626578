"""The event bus: who fires an event does not know who listens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.event import Event

Listener = Callable[["Event"], None]


@dataclass(eq=False, slots=True)
class Subscription:
    """One listener's wish; `names` empty means all events; `subclass` narrows CUSTOM ones, with case."""

    listener: Listener
    names: frozenset[str]
    subclass: str | None = None
    owner: str = ""


@dataclass(slots=True)
class EventBus:
    """Delivers events, in the thread that fires them, to listeners that return at once (they queue or count)."""

    _subscriptions: tuple[Subscription, ...] = ()
    _wanted: frozenset[str] | None = field(default_factory=frozenset)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def subscribe(
        self, listener: Listener, names: Iterable[str] = (), subclass: str | None = None, owner: str = ""
    ) -> Subscription:
        """Call `listener(event)` for each event of `names` (all when empty) until `unsubscribe`."""
        subscription = Subscription(listener, frozenset(names), subclass, owner)
        with self._lock:
            self._set((*self._subscriptions, subscription))
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Take a subscription back; harmless when it is gone."""
        with self._lock:
            self._set(tuple(s for s in self._subscriptions if s is not subscription))

    def wants(self, name: str) -> bool:
        """Return whether anybody listens to `name`, so that nobody builds an event in vain."""
        return self._wanted is None or name in self._wanted

    def deliver(self, event: Event) -> None:
        """Hand `event` to all who asked for it."""
        for subscription in self._subscriptions:
            if subscription.names and event.name not in subscription.names:
                continue
            if subscription.subclass is not None and event.subclass != subscription.subclass:
                continue
            subscription.listener(event)

    def _set(self, subscriptions: tuple[Subscription, ...]) -> None:
        self._subscriptions = subscriptions
        if any(not s.names for s in subscriptions):
            self._wanted = None
        else:
            self._wanted = frozenset().union(*(s.names for s in subscriptions))
