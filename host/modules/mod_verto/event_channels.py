"""Event channels: who has subscribed to which, and what is sent to them (`verto.event`)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from host.json_members import JsonMembers

if TYPE_CHECKING:
    from host.modules.mod_verto.client import Client

# Sends a request of a method with these params to a client.
Send = Callable[["Client", str, dict[str, object]], object]
# Whether a client may listen to a channel.
Permit = Callable[["Client", str], bool]

# Pages listen to a handful; some 100 bytes each.
MOST_CHANNELS: Final = 1_000
# FreeSWITCH: clients whose user begins so see only what is public, unless they are allowed the channel.
_GUEST: Final = "guest"


class EventChannels:
    """The subscriptions of one switch. Any thread may ask."""

    def __init__(self, send: Send, permits: Permit) -> None:
        self._send = send
        self._permits = permits
        self._lock = threading.Lock()
        self._subscribers: dict[str, dict[Client, int]] = {}  # by channel: how many events each has had
        self._counts: dict[Client, int] = {}  # how many channels each listens to

    def has_room(self, client: Client) -> bool:
        """Return whether a client may subscribe to one more channel."""
        with self._lock:
            return self._counts.get(client, 0) < MOST_CHANNELS

    def subscribe(self, client: Client, channel: str) -> bool:
        """Have a client told of a channel; False when it is already."""
        with self._lock:
            subscribers = self._subscribers.setdefault(channel, {})
            if client in subscribers:
                return False
            subscribers[client] = 0
            self._counts[client] = self._counts.get(client, 0) + 1
            return True

    def unsubscribe(self, client: Client, channel: str | None = None) -> bool:
        """Have it told no more, of any without `channel`; False when it was not."""
        with self._lock:
            names = list(self._subscribers) if channel is None else [channel]
            ended = 0
            for name in names:
                subscribers = self._subscribers.get(name, {})
                ended += subscribers.pop(client, None) is not None
                if name in self._subscribers and not subscribers:
                    del self._subscribers[name]
            left = self._counts.pop(client, 0) - ended
            if left:
                self._counts[client] = left
            return ended > 0

    def has_listeners(self, channel: str) -> bool:
        """Return whether anybody listens to a channel or to what stands before its first dot."""
        with self._lock:
            return channel in self._subscribers or channel.partition(".")[0] in self._subscribers

    def broadcast(self, channel: str, event: dict[str, object], *, main: bool = True) -> None:
        """Send an event to who listens to its channel, and (`main`) to what stands before the channel's first dot."""
        self._write(channel, channel, event)
        first = channel.partition(".")[0]
        if main and first != channel:
            self._write(first, channel, event)

    def _write(self, subscribed: str, channel: str, event: dict[str, object]) -> None:
        visibility = event.get("contentVisibility")
        private = isinstance(visibility, str) and visibility.lower() != "public"
        with self._lock:
            receivers = []
            for client, count in self._subscribers.get(subscribed, {}).items():
                receivers.append((client, count))
        for client, _ in receivers:
            guest = client.user[: len(_GUEST)].lower() == _GUEST
            if (
                private
                and guest
                and not (self._permits(client, subscribed) or self._permits(client, channel))
            ):
                continue
            with self._lock:
                numbers = self._subscribers.get(subscribed, {})
                if client not in numbers:
                    continue
                number = numbers[client]
                numbers[client] += 1
            params = JsonMembers(event.items())
            params["eventSerno"] = number
            params["subscribedChannel"] = subscribed
            self._send(client, "verto.event", params)
