"""freeswitch.EventConsumer: events queued for a script that asks for them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from host.event import Event as HostEvent
from host.event_bus import Subscription
from host.event_name import EVENT_NAMES, find_event_name
from host.log import LogLevel
from lua_bindings.event_object import Event
from lua_bindings.opaque import Opaque

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun


class EventConsumer:
    """A queue of at most `length` events; what does not fit is lost. It listens until `cleanup`."""

    def __init__(
        self,
        run: ScriptRun,
        event_name: str | None = None,
        subclass_name: str | None = "",
        length: int = 5000,
    ) -> None:
        """Make a queue and bind it to `event_name`, if any."""
        self._run = run
        self._queue: deque[HostEvent] = deque()
        self._length = length
        self._subscriptions: list[Subscription] = []
        self._filters: list[tuple[str, str | None]] = []
        self._waiter = run.switch.clock.waiter()
        self._ready = True
        self.events = Opaque("switch_queue_t", self._queue)
        self.enodes = Opaque("switch_event_node_t *", self._subscriptions)
        self.e_callback: str | None = None
        self.e_subclass_name: str | None = None
        self.e_cb_arg: str | None = None
        run.resources.add(self)
        if event_name:
            self.bind(event_name, subclass_name)

    def _take(self, event: HostEvent) -> None:
        for header, value in self._filters:
            found = event.get_header(header)
            if found is None or (value is not None and found != value):
                return
        if len(self._queue) >= self._length:
            self._run.switch.log(LogLevel.ERR, "Cannot queue any more events.....")
            return
        self._queue.append(event.copy())
        self._waiter.notify()

    def filter(self, header: str | None, value: str | None = None) -> None:
        """From now on queue only events that have a header (with this text); several filters must all hold.

        FreeSWITCH has no such method.
        """
        if header:
            self._filters.append((header, value))

    def bind(self, event_name: str | None, subclass_name: str | None = "") -> int:
        """Listen to a type of event (ALL: every one), with a subclass to only those; 1, or 0 for an unknown type."""
        if not self._ready:
            return 0
        name = find_event_name(event_name or "")
        if name is None:
            self._run.log(LogLevel.WARNING, f"Can't bind to {event_name or ''}, event not found")
            return 0
        if len(self._subscriptions) > len(EVENT_NAMES):
            self._run.log(LogLevel.ERR, f"Cannot bind to {event_name} {subclass_name or ''}")
            return 0
        names = () if name == "ALL" else (name,)
        bus = self._run.switch.bus
        self._subscriptions.append(bus.subscribe(self._take, names, subclass_name or None, owner="mod_lua"))
        self._run.log(LogLevel.DEBUG, f"bound to {event_name} {subclass_name or ''}")
        return 1

    def pop(self, block: int = 0, timeout: int = 0) -> Event | None:
        """Return the oldest event; with `block` other than 0 wait for one, `timeout` ms or for ever (0)."""
        if not self._ready:
            return None
        if block:
            clock = self._run.switch.clock
            deadline = clock.now() + timeout * 1000 if timeout > 0 else None
            while not self._queue:
                if not self._run.block_on(self._waiter, deadline):
                    break
        if not self._queue:
            return None
        return Event.around(self._run, self._queue.popleft(), mine=True)

    def cleanup(self) -> None:
        """Stop listening for good and drop what is queued."""
        self._ready = False
        for subscription in self._subscriptions:
            self._run.switch.bus.unsubscribe(subscription)
        self._subscriptions.clear()
        self._queue.clear()

    release = cleanup

    def __del__(self) -> None:
        for subscription in getattr(self, "_subscriptions", ()):
            self._run.switch.bus.unsubscribe(subscription)
