"""What one client wants to hear: event types, CUSTOM subclasses, filters, the form, one call's own events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from host.event_name import EVENT_NAMES, find_event_name
from host.regex import RegexError, search

if TYPE_CHECKING:
    from host.event import Event

FORMS: Final = ("plain", "xml", "json")
ALL: Final = "ALL"
CUSTOM: Final = "CUSTOM"
EVERY_TYPE: Final = frozenset(EVENT_NAMES) - {ALL}

# What `myevents` hears of its call.
CALL_EVENTS: Final = frozenset(
    {
        "CHANNEL_ANSWER",
        "CHANNEL_APPLICATION",
        "CHANNEL_BRIDGE",
        "CHANNEL_CREATE",
        "CHANNEL_DATA",
        "CHANNEL_DESTROY",
        "CHANNEL_EXECUTE",
        "CHANNEL_EXECUTE_COMPLETE",
        "CHANNEL_HANGUP",
        "CHANNEL_HANGUP_COMPLETE",
        "CHANNEL_ORIGINATE",
        "CHANNEL_OUTGOING",
        "CHANNEL_PARK",
        "CHANNEL_PROGRESS",
        "CHANNEL_PROGRESS_MEDIA",
        "CHANNEL_STATE",
        "CHANNEL_UNBRIDGE",
        "CHANNEL_UNPARK",
        "CHANNEL_UUID",
        "DETECTED_SPEECH",
        "DTMF",
        "NOTALK",
        "TALK",
    }
)


class NotAllowed(Exception):
    """The user may not subscribe to this event."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter: the header's name and the value that it is compared with, as the client wrote it."""

    header: str
    value: str

    def judge(self, text: str) -> tuple[bool, bool]:
        """Return (positive, matches) for a header's value.

        FreeSWITCH: `+` and `-` and blanks before the value say whether a match lets the event pass or keeps it
        back; the last of them counts. A value whose first character is `/` is a regular expression.
        """
        wanted = self.value.lstrip("+- ")
        signs = self.value[: len(self.value) - len(wanted)].replace(" ", "")
        positive = not signs.endswith("-")
        if not self.value.startswith("/"):
            return positive, text.lower() == wanted.lower()
        try:
            return positive, search(text, wanted) is not None
        except RegexError:
            return positive, False


@dataclass(slots=True)
class EventSubscription:
    """A client's wishes. One thread changes them; another may ask `wants` meanwhile and sees either state."""

    form: str = "plain"
    on: bool = False
    everything: bool = False
    names: frozenset[str] = frozenset()
    subclasses: frozenset[str] = frozenset()
    every_subclass: bool = False
    filters: tuple[Filter, ...] = ()
    my_events: bool = False
    session_uuid: str = ""
    allowed_names: frozenset[str] | None = None
    allowed_subclasses: frozenset[str] = field(default=frozenset())

    # -- commands ------------------------------------------------------------------------------------------------

    def add(self, words: list[str]) -> bool:
        """Subscribe to event types; the first word may be the form. False when no type was known.

        Every word behind CUSTOM is a subclass. Raises NotAllowed at the first type that the user may not hear.
        """
        known = False
        custom = False
        if words and words[0].lower() in FORMS:
            self.form = words[0].lower()
            words = words[1:]
        for word in words:
            if custom:
                if self.allowed_names is not None and word not in self.allowed_subclasses:
                    raise NotAllowed
                self.subclasses |= {word}
                continue
            name = find_event_name(word)
            if name is None:
                continue
            if self.allowed_names is not None and not self.allowed_names & {name, ALL}:
                raise NotAllowed
            known = True
            if name == ALL:
                self.names = EVERY_TYPE
                if self.allowed_names is None:
                    self.every_subclass = True
                else:
                    self.subclasses |= self.allowed_subclasses
                self.everything = True
            else:
                self.names |= {name}
                custom = name == CUSTOM
        self.on |= known
        return known

    def remove(self, words: list[str]) -> bool:
        """Take types and, behind CUSTOM, subclasses away (`nixevent`); False when no type was known."""
        known = False
        custom = False
        for word in words:
            if custom:
                self.subclasses -= {word}
                continue
            name = find_event_name(word)
            if name is None:
                continue
            known = True
            if name == CUSTOM:
                custom = True
            elif name == ALL:
                self.names = frozenset()
                self.everything = self.every_subclass = False
            else:
                self.everything = False
                self.names -= {name}
        self.on |= known
        return known

    def clear(self) -> bool:
        """Hear nothing any more (`noevents`); False when nothing was on."""
        was_on = self.on
        self.on = self.everything = self.every_subclass = False
        self.names = self.subclasses = frozenset()
        return was_on

    def add_my_events(self, session_uuid: str) -> None:
        """Hear the call's own events only."""
        self.names |= CALL_EVENTS
        self.my_events = self.on = True
        self.session_uuid = session_uuid

    def add_filter(self, header: str, value: str) -> None:
        """Let events pass that this filter matches; one without a value is none."""
        if header and value:
            self.filters = (*self.filters, Filter(header, value))

    def delete_filter(self, header: str, value: str | None) -> None:
        """Take filters of a header away: those with this value, or all; `all` means every filter."""
        if header.lower() == "all":
            self.filters = ()
            return
        self.filters = tuple(
            kept
            for kept in self.filters
            if kept.header.lower() != header.lower() or (value and kept.value.lower() != value.lower())
        )

    # -- events --------------------------------------------------------------------------------------------------

    @property
    def heard(self) -> frozenset[str]:
        """The types of which an event may be wanted."""
        return self.names if self.on else frozenset()

    def wants(self, event: Event) -> bool:
        """Return whether the event is to be sent."""
        if not self.on or event.name not in self.names:
            return False
        if (
            event.name == CUSTOM
            and not self.everything
            and event.subclass
            and not self._wants_subclass(event)
        ):
            return False
        filters = self.filters
        if filters and not _pass(event, filters):
            return False
        if self.my_events:
            uuid = self.session_uuid
            return bool(uuid) and uuid in (event.get_header("Unique-ID"), event.get_header("Job-Owner-UUID"))
        return True

    def _wants_subclass(self, event: Event) -> bool:
        return self.every_subclass or event.subclass in self.subclasses


def _pass(event: Event, filters: tuple[Filter, ...]) -> bool:
    passed = False
    for entry in filters:
        text = event.get_header(entry.header)
        if text is None:
            continue
        positive, matches = entry.judge(text)
        if matches and not positive:
            return False
        passed |= matches
    return passed
