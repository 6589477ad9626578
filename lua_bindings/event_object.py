"""freeswitch.Event: an event in a script's hands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.byte_text import folded
from host.chat import send_chat
from host.event import (
    CLONE,
    CUSTOM,
    SUBCLASS_HEADER,
    UNIQUE_HEADERS,
    EventJsonError,
    event_from_json,
    event_type,
)
from host.event import Event as HostEvent
from host.general_headers import Stamp
from host.log import LogLevel
from host.status import Status
from lua_bindings.host_call import ScriptFault
from lua_bindings.opaque import Opaque

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun

# Type and subclass.
EventKind = tuple[str, str | None]

_SUBCLASS: Final = folded(SUBCLASS_HEADER)


class Event:
    """An event that the script made (`mine` 1, it may be fired) or was given (`mine` 0)."""

    __slots__ = ("_event", "_kind", "_run", "_stamp", "added", "mine", "serialized_string")

    _event: HostEvent | None
    # Type and subclass of an event that the script made and only fills so far, None when the host has one (or none).
    _kind: EventKind | None
    _stamp: Stamp
    # Names and values of plain headers in turn, for the host's event; anyone may add to them while the event is
    # `only_filled`.
    added: list[str]
    serialized_string: str | None

    def __init__(
        self, run: ScriptRun, kind: str | Opaque | None = None, detail: str | int | None = None
    ) -> None:
        """Make an event of a type and a subclass, or of JSON text with the type `json`.

        Raises ScriptFault for a nil type (FreeSWITCH crashes).
        """
        self._run = run
        self.mine = 1
        self.serialized_string = None
        self._kind = None
        self._event = None
        if kind is None and isinstance(detail, str):
            raise ScriptFault("Error in Event::Event (arg 1), expected 'char const *' got 'nil'")
        if kind is None or isinstance(kind, Opaque):  # nil is the pointer to no event
            self._event = kind.value if kind is not None and isinstance(kind.value, HostEvent) else None
            self.mine = int(bool(detail))
        elif isinstance(kind, str):
            self._event = self._make(kind, None if detail is None else str(detail))

    @classmethod
    def of_type(cls, run: ScriptRun, name: str, subclass: str | None) -> Event:
        """Make an event of a type of `EVENT_NAMES`, quickly: the host's event is made when one is needed."""
        switch = run.switch
        return cls.stamped(run, (name, subclass), switch.general_headers.stamp(switch.clock.time()))

    @classmethod
    def stamped(cls, run: ScriptRun, kind: EventKind, stamp: Stamp) -> Event:
        """Make an event of a type of `EVENT_NAMES` that was marked with `stamp`."""
        made = cls.__new__(cls)
        made._run = run
        made.mine = 1
        made._kind = kind
        made._stamp = stamp
        made.added = []
        return made

    @property
    def only_filled(self) -> bool:
        """Whether the script made the event and only added headers so far."""
        return self._kind is not None

    @property
    def event(self) -> HostEvent | None:
        """The host's event."""
        kind = self._kind
        if kind is not None:
            self._kind = None
            name, subclass = kind
            self._event = event = self._run.switch.general_headers.event(name, self._stamp, subclass)
            added = iter(self.added)
            event.add_headers(zip(added, added, strict=True))
        return self._event

    @event.setter
    def event(self, event: HostEvent | None) -> None:
        self._kind = None
        self._event = event

    def add_plain(self, name: str, value: str) -> bool:
        """Add a header to an event that was not needed yet; False when it must be added to the host's."""
        if self._kind is None or not value or value[0] == "A" or name[:1] == "_" or "[" in name:
            return False
        self.added += name, value
        return True

    def find_plain(self, name: str, key: str) -> str | None:
        """Return a header that was added to an event which was not needed yet, None when it is not among them.

        `key` is the name when folded.
        """
        kind = self._kind
        if kind is None or kind[0] in UNIQUE_HEADERS or key in self._stamp[0][3] or key == _SUBCLASS:
            return None
        added = self.added
        if added and added[0] == name:
            return added[1]
        for index in range(0, len(added), 2):
            if added[index] == name or folded(added[index]) == key:
                return added[index + 1]
        return None

    @classmethod
    def around(cls, run: ScriptRun, event: HostEvent, mine: bool) -> Event:
        """Wrap an event of the host."""
        made = cls(run)
        made.event = event
        made.mine = int(mine)
        return made

    def _make(self, kind: str, subclass: str | None) -> HostEvent | None:
        if kind.lower() == "json" and subclass:
            try:
                return event_from_json(subclass)
            except EventJsonError:
                return None
        name = event_type(kind, subclass)
        if name == CLONE:  # meant to be filled by who copies an event
            return HostEvent.of(CLONE, ())
        if (
            subclass == "" and name != CUSTOM
        ):  # FreeSWITCH: no other type has a subclass, not even an empty one
            self._run.log(LogLevel.ERR, "Failed to create event!")
            return None
        return self._run.switch.new_event(name, subclass or None)

    def _missing(self, doing: str) -> None:
        self._run.log(LogLevel.ERR, f"Trying to {doing} an event that does not exist!")

    def chat_execute(self, app: str | None, data: str | None = None) -> int:
        """Run a chat application on the message; 1 when there is none of that name."""
        found = self._run.switch.chat_applications.get(app or "")
        if found is None or self.event is None:
            self._run.log(LogLevel.ERR, f"Invalid chat application interface [{app or ''}]!")
            return 1
        result = found.run(self.event, data or "")
        return 0 if result is not False and result is not Status.FALSE else 1

    def chat_send(self, dest_proto: str | None = None) -> int:
        """Send a copy of the message by a chat protocol, that of the header `dest_proto` by default; 0.

        FreeSWITCH: the message is queued, so the answer tells nothing of what becomes of it.
        """
        if self.event is not None:
            name = dest_proto or self.event.get_header("dest_proto")
            if name:
                send_chat(self._run.switch, name, self.event.copy())
        return 0

    def serialize(self, form: str | None = None) -> str:
        """Return the event as text: plain, `xml` or `json`."""
        if self.event is None:
            return ""
        self.serialized_string = self.event.serialize(form)
        return self.serialized_string

    def setPriority(self, priority: object = None) -> bool:
        """Set the header `priority` to NORMAL; no value of Lua is a priority."""
        if self.event is None:
            self._missing("setPriority")
            return False
        self.event.set_priority()
        return True

    def getHeader(self, name: str | None) -> str | None:
        """Return a header's value."""
        if not name:
            self._run.log(LogLevel.ERR, "Trying to getHeader an invalid header!")
            return None
        if self.event is None:
            self._missing("getHeader")
            return None
        return self.event.get_header(name)

    def getBody(self) -> str | None:
        """Return the body."""
        if self.event is None:
            self._missing("getBody")
            return None
        return self.event.body

    def getType(self) -> str:
        """Return the event's type."""
        if self.event is None:
            self._missing("getType")
            return "invalid"
        # FreeSWITCH: what never was an event of a type of its own has the first of all types.
        return CUSTOM if self.event.name == CLONE else self.event.name

    def addBody(self, value: str | None) -> bool:
        """Set the body; nil is the text `(null)`, as C prints it."""
        if self.event is None:
            self._missing("addBody")
            return False
        self.event.body = "(null)" if value is None else value
        return True

    def addHeader(self, name: str | None, value: str | None) -> bool:
        """Add a header; nil for either changes nothing."""
        if self.event is None:
            self._missing("addHeader")
            return False
        if name is None or value is None:
            return False
        self.event.add_header(name, value)
        return True

    def delHeader(self, name: str | None) -> bool:
        """Delete all headers of that name."""
        if not name:
            self._run.log(LogLevel.ERR, "Trying to delHeader an invalid header!")
            return False
        if self.event is None:
            self._missing("delHeader")
            return False
        return self.event.delete_header(name)

    def fire(self) -> bool:
        """Fire a copy of the event, when it is one's own."""
        if not self.mine:
            self._run.log(LogLevel.ERR, "Not My event!")
            return False
        if self.event is None:
            self._missing("fire")
            return False
        self._run.switch.fire(self.event.copy())
        return True

    def merge(self, to_merge: Event | None) -> bool:
        """Add the headers of another event; with itself nothing is added (FreeSWITCH never returns)."""
        if self.event is None:
            self._missing("merge to")
            return False
        if to_merge is None or to_merge.event is None:
            self._missing("merge from")
            return False
        if to_merge.event is not self.event:
            self.event.merge(to_merge.event)
        return True
