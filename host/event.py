"""Events: a type, ordered headers, perhaps a body; and the three forms in which they are written."""

from __future__ import annotations

from collections.abc import Iterable
from json import JSONEncoder
from typing import Final

from host.array_value import HIGHEST_INDEX, PREFIX, ArrayValue, parse_array
from host.byte_text import byte_length, folded
from host.escape import url_encode, xml_escape
from host.event_name import EVENT_NAMES, find_event_name
from host.json_reader import read
from host.leading_number import leading_int

Value = str | ArrayValue
Header = tuple[str, Value]

CUSTOM: Final = "CUSTOM"
MESSAGE: Final = "MESSAGE"
CLONE: Final = "CLONE"
SUBCLASS_HEADER: Final = "Event-Subclass"

# FreeSWITCH: in events of these types a header that is added takes the place of those with its name.
UNIQUE_HEADERS: Final = frozenset({"REQUEST_PARAMS", "CHANNEL_DATA", "MESSAGE"})

_NAME_HEADERS: Final[dict[str, Header]] = {name: ("Event-Name", name) for name in EVENT_NAMES}

_encode_json: Final = JSONEncoder(ensure_ascii=False).encode


class EventJsonError(ValueError):
    """JSON text that no event can be made of."""


class Event:
    """A type of `EVENT_NAMES`, headers in their order, and a body.

    Headers may come several times, are found in any case, and hold a text or an array.
    """

    __slots__ = ("_headers", "_index", "_unique", "body", "name", "priority", "subclass")

    def __init__(self, name: str, subclass: str | None = None) -> None:
        """Make an event of a type as in EVENT_NAMES, with the header Event-Name, before that of the subclass.

        That is the order of a delivered event; one that a script makes has the subclass behind the general headers
        (`set_subclass`). Raises ValueError for an unknown type.
        """
        if name not in _NAME_HEADERS:
            raise ValueError(f"unknown event type {name!r}")
        self.name = name
        self.subclass = subclass or None
        self.body: str | None = None
        self.priority = "NORMAL"
        self._unique = name in UNIQUE_HEADERS
        self._index: dict[str, int] | None = None
        self._headers: list[Header] = [_NAME_HEADERS[name]]
        if subclass:
            self._headers.insert(0, (SUBCLASS_HEADER, subclass))

    @classmethod
    def of(cls, name: str, headers: Iterable[Header], subclass: str | None = None) -> Event:
        """Make an event with exactly these headers, which are taken without a check.

        They must have no empty values and no `ARRAY::` texts. This is the quick way for many headers.
        """
        event = cls(name)
        event.subclass = subclass
        event._headers = list(headers)
        return event

    @classmethod
    def prepared(cls, name: str, headers: list[Header], positions: dict[str, int]) -> Event:
        """Make an event of headers and their positions by folded name, both of which become the event's own.

        The first header's place is that of Event-Name. Raises ValueError for an unknown type.
        """
        named = _NAME_HEADERS.get(name)
        if named is None:
            raise ValueError(f"unknown event type {name!r}")
        event = cls.__new__(cls)
        headers[0] = named
        event.name = name
        event.subclass = event.body = None
        event.priority = "NORMAL"
        event._unique = name in UNIQUE_HEADERS
        event._index = positions
        event._headers = headers
        return event

    @property
    def headers(self) -> list[Header]:
        """A list of the headers in their order, names as spelled."""
        return list(self._headers)

    def __len__(self) -> int:
        return len(self._headers)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) is not None

    def __repr__(self) -> str:
        return f"Event({self.name!r}, {self.subclass!r}, {[(n, _text(v)) for n, v in self._headers]!r})"

    def get_header(self, name: str, index: int | None = None) -> str | None:
        """Return the text of the first header of that name (any case), or an element of its array.

        `_body` is the body unless there is a header of that name. A text that is no array has no elements.
        """
        position = self._find(name)
        if position is None:
            return self.body if name == "_body" else None
        value = self._headers[position][1]
        if index is None or index < 0:
            return value if isinstance(value, str) else value.text
        return value.get(index) if isinstance(value, ArrayValue) else None

    def add_header(self, name: str, value: str) -> None:
        """Add a header at the end.

        FreeSWITCH: an empty value deletes the headers of that name; `name[n]` sets an element of an array (an index
        that is negative or above 4000 does nothing); `ARRAY::a|:b` makes an array, or is appended to the header of
        that name; `_body` sets the body, too.
        """
        if name == "_body":
            self.body = value
        if "[" in name:
            self._put(name, value)
        elif not value:
            self.delete_header(name)
        elif value.startswith(PREFIX):
            self._add_array(name, value)
        else:
            self._append(name, value)

    def add_first_header(self, name: str, value: str) -> None:
        """Add a header with a plain text before all others."""
        if self._unique:
            self.delete_header(name)
        self._headers.insert(0, (name, value))
        self._index = None

    def add_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        """Add several headers as by `add_header`."""
        for name, value in headers:
            self.add_header(name, value)

    def push_header(self, name: str, value: str) -> None:
        """Add an element at the end of the array of that name, making one of a plain text or of nothing."""
        if "[" in name:
            self._put(name, value)
            return
        position = self._find(name)
        if position is None:
            if value.startswith(PREFIX):
                self._add_array(name, value)
            elif value:
                self._append(name, ArrayValue([value]))
            return
        spelled, present = self._headers[position]
        array = ArrayValue([present]) if isinstance(present, str) else present
        array.push(value)
        self._headers[position] = (spelled, array)

    def set_header(self, name: str, value: str) -> None:
        """Add a header after deleting those of its name."""
        self.delete_header(name)
        self.add_header(name, value)

    def delete_header(self, name: str) -> bool:
        """Delete all headers of that name (any case); tell whether there were any."""
        if self._find(name) is None:
            return False
        key = folded(name)
        self._headers = [header for header in self._headers if folded(header[0]) != key]
        self._index = None
        return True

    def set_subclass(self, subclass: str) -> None:
        """Set the subclass and its header."""
        self.subclass = subclass
        self.set_header(SUBCLASS_HEADER, subclass)

    def set_priority(self, priority: str = "NORMAL") -> None:
        """Set the priority (LOW, NORMAL or HIGH) and put the header `priority` before all others."""
        self.priority = priority
        self.add_first_header("priority", priority)

    def merge(self, other: Event) -> None:
        """Add the headers of `other` behind one's own, elements of arrays to the array of that name; not the body."""
        for name, value in other.headers:
            if isinstance(value, str):
                self.add_header(name, value)
            else:
                for element in list(value.items):
                    self.push_header(name, element)

    def copy(self) -> Event:
        """Return an event of its own; FreeSWITCH: the subclass is its first header, wherever it was."""
        subclass = self.subclass
        twin = Event.of(self.name, () if subclass is None else ((SUBCLASS_HEADER, subclass),), subclass)
        for name, value in self._headers:
            if subclass is not None and name == SUBCLASS_HEADER:
                continue
            twin._headers.append((name, value if isinstance(value, str) else value.copy()))
        twin.body = self.body
        twin.priority = self.priority
        twin._unique = self._unique
        return twin

    def serialize(self, form: str | None = None) -> str:
        """Write the event as `plain`, `json` or `xml` (any case); every other form is plain."""
        wanted = (form or "").lower()
        if wanted == "json":
            return self._json()
        return self._xml() if wanted == "xml" else self._plain()

    def _plain(self) -> str:
        lines = [f"{name}: {url_encode(_text(value)) or '_undef_'}\n" for name, value in self._headers]
        if self.body:
            lines.append(f"Content-Length: {byte_length(self.body)}\n\n{self.body}")
        else:
            lines.append("\n")
        return "".join(lines)

    def _json(self) -> str:
        members = [
            f"{_encode_json(name)}:{_encode_json(value)}"
            if isinstance(value, str)
            else f"{_encode_json(name)}:[{','.join(map(_encode_json, value.items))}]"
            for name, value in self._headers
        ]
        if self.body is not None:
            members.append(f'"Content-Length":"{byte_length(self.body)}"')
            members.append(f'"_body":{_encode_json(self.body)}')
        return "{" + ",".join(members) + "}"

    def _xml(self) -> str:
        lines: list[str] = []
        for name, value in self._headers:
            for element in (value,) if isinstance(value, str) else value.items:
                lines.append(f"    <{name}>{url_encode(element)}</{name}>\n")
        headers = "\n" + "".join(lines) + "  " if lines else ""
        body = ""
        if self.body:
            text = xml_escape(self.body)
            # FreeSWITCH indents the closing tag that stands at the beginning of a line.
            indent = "  " if text.endswith("\n") else ""
            length = byte_length(self.body)
            body = f"  <Content-Length>{length}</Content-Length>\n  <body>{text}{indent}</body>\n"
        return f"<event>\n  <headers>{headers}</headers>\n{body}</event>\n"

    def _find(self, name: str) -> int | None:
        index = self._index
        if index is None:
            index = {}
            for position in range(len(self._headers) - 1, -1, -1):
                index[folded(self._headers[position][0])] = position
            self._index = index
        return index.get(folded(name))

    def _append(self, name: str, value: Value) -> None:
        if self._unique:
            self.delete_header(name)
        if self._index is not None:
            self._index.setdefault(folded(name), len(self._headers))
        self._headers.append((name, value))

    def _add_array(self, name: str, text: str) -> None:
        if self._unique:
            self.delete_header(name)
        position = self._find(name)
        if position is None:
            array = parse_array(text)
            if array is not None:
                self._append(name, array)
            return
        for element in text[len(PREFIX) :].split("|:") if len(text) > len(PREFIX) else ():
            self.push_header(name, element)

    def _put(self, indexed_name: str, value: str) -> None:
        name, _, index_text = indexed_name.partition("[")
        index = leading_int(index_text)
        if not 0 <= index <= HIGHEST_INDEX:
            return
        position = self._find(name)
        if position is None:
            self._append(name, ArrayValue([""] * index + [value]))
            return
        spelled, present = self._headers[position]
        if isinstance(present, ArrayValue):
            present.put(index, value)
        else:
            self._headers[position] = (spelled, ArrayValue([""] * index + [value]))


def event_type(text: str, subclass: str | None = None) -> str:
    """Return the type of the event that a script asks for.

    FreeSWITCH: an unknown type is a MESSAGE, a subclass makes every event a CUSTOM one; an empty one is none.
    """
    return CUSTOM if subclass else find_event_name(text) or MESSAGE


def event_from_json(text: str) -> Event:
    """Make an event of a JSON object: texts become headers, texts in lists arrays, `_body` the body.

    Everything else in it is skipped, as is text behind the object. The type is the header Event-Name's, CLONE
    without it. Raises EventJsonError when the text is no JSON.
    """
    try:
        members = read(text, _Members)
    except ValueError as error:
        raise EventJsonError(str(error)) from error
    event = Event.of(CLONE, ())
    if not isinstance(members, _Members):
        return event
    for name, value in members:
        if isinstance(value, str):
            lowered = name.lower()
            if lowered == "_body":
                event.body = value
                continue
            if lowered == "event-name":
                event.delete_header(name)
                event.name = find_event_name(value) or event.name
            event.add_header(name, value)
        elif isinstance(value, list) and not isinstance(value, _Members):
            for element in value:
                if isinstance(element, str):
                    event.push_header(name, element)
    if event.name == CUSTOM:
        event.subclass = event.get_header(SUBCLASS_HEADER)
    return event


class _Members(list[tuple[str, object]]):
    """The members of a JSON object in their order, with those that come twice."""


def _text(value: Value) -> str:
    return value if isinstance(value, str) else value.text
