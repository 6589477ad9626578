"""A session description (RFC 8866) as typed values, read from text and written to it.

A description is host text: bytes that are no UTF-8 pass through as surrogate escapes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from host.sdp.direction import Direction
from host.sdp.line_fields import fields_of, is_number
from host.sdp.media_section import (
    Attribute,
    Bandwidth,
    Connection,
    Media,
    SdpError,
    direction_of,
    milliseconds,
    values_of,
)

__all__ = [
    "Attribute",
    "Bandwidth",
    "Connection",
    "Description",
    "Media",
    "Origin",
    "SdpError",
    "Timing",
    "parse",
]

# A UDP datagram holds no more; over TCP a description of a browser with many streams stays below it.
MAX_LENGTH: Final = 65_536
# Browsers in large conferences offer some dozens; each costs a line of the answer.
MAX_MEDIA: Final = 64
# A media line of RTP has at most 128 payload types; other protocols name a few formats.
MAX_FORMATS: Final = 256
# RFC 8866 section 5.2 wants times of NTP, which have 20 digits at most.
MAX_VERSION_DIGITS: Final = 20

_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_UNWRITABLE: Final = re.compile(r"[\r\n\0]")


class Timing(NamedTuple):
    """`t=` and the `r=` lines that repeat it."""

    start: str = "0"
    stop: str = "0"
    repeats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """`o=`; session id and version as digits may be longer than any machine's integers."""

    username: str
    session_id: str
    version: str
    address: str
    address_type: str = "IP4"
    net_type: str = "IN"

    def serialize(self) -> str:
        return " ".join(
            (self.username, self.session_id, self.version, self.net_type, self.address_type, self.address)
        )

    @property
    def numbered(self) -> bool:
        """Whether the version is the number that it has to be."""
        return self.version.isascii() and self.version.isdigit() and len(self.version) <= MAX_VERSION_DIGITS

    @property
    def following(self) -> Origin:
        """The same session's next version. ValueError where the version is no number."""
        return replace(self, version=f"{int(self.version) + 1:0{len(self.version)}d}")


@dataclass(frozen=True, slots=True)
class Description:
    """A whole description. `times` is empty where there is no `t=`, which many leave out."""

    origin: Origin | None
    media: tuple[Media, ...] = ()
    connection: Connection | None = None
    name: str = "-"
    times: tuple[Timing, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    bandwidths: tuple[Bandwidth, ...] = ()
    information: str | None = None
    uri: str | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    time_zones: str | None = None
    key: str | None = None

    def values(self, name: str) -> tuple[str, ...]:
        """The values of the session's attributes of a name; those without a value give ''."""
        return values_of(self.attributes, name)

    def connection_of(self, media: Media) -> Connection | None:
        """Where media is sent to: its own `c=` goes before the session's."""
        return media.connections[0] if media.connections else self.connection

    def direction_of(self, media: Media) -> Direction:
        """The media's direction, the session's where it has none, sendrecv where nobody says."""
        return media.direction or direction_of(self.attributes) or Direction.SENDRECV

    def ptime_of(self, media: Media) -> int | None:
        """FreeSWITCH: a `ptime` of the session holds for media that has none."""
        return media.ptime or milliseconds(self.values("ptime"))

    def maxptime_of(self, media: Media) -> int | None:
        return media.maxptime or milliseconds(self.values("maxptime"))

    def serialize(self) -> str:
        """The description with CRLF line ends; SdpError for a value with a line end in it."""
        lines: list[str] = ["v=0"]

        def put(letter: str, value: str) -> None:
            lines.append(f"{letter}={value}")

        if self.origin is not None:
            put("o", self.origin.serialize())
        put("s", self.name)
        _put_optional(put, "i", self.information)
        _put_optional(put, "u", self.uri)
        for email in self.emails:
            put("e", email)
        for phone in self.phones:
            put("p", phone)
        if self.connection is not None:
            put("c", self.connection.serialize())
        for bandwidth in self.bandwidths:
            put("b", f"{bandwidth.kind}:{bandwidth.value}")
        for timing in self.times:
            put("t", f"{timing.start} {timing.stop}")
            for repeat in timing.repeats:
                put("r", repeat)
        _put_optional(put, "z", self.time_zones)
        _put_optional(put, "k", self.key)
        for attribute in self.attributes:
            put("a", _attribute_text(attribute))
        for media in self.media:
            _put_media(put, media)
        if any(_UNWRITABLE.search(line) for line in lines):
            raise SdpError("a value of a description cannot have a line end in it")
        return "\r\n".join(lines) + "\r\n"


def parse(text: str) -> Description:
    """Read a description; SdpError, and nothing else, where it is none.

    Taken too: any line ends, lines in another order, blank ones, missing `v=`, `o=`, `s=` and `t=`, letters that
    nobody knows (left out), a username with blanks, NULs behind the end.
    """
    if len(text) > MAX_LENGTH:
        raise SdpError(f"a description of {len(text)} characters")
    text = text.rstrip("\0")
    if "\0" in text:
        raise SdpError("a description with a NUL in it")
    reader = _Reader()
    for line in _LINE_END.split(text):
        if not line.strip(" \t"):
            continue
        letter, equals, value = line.partition("=")
        letter = letter.strip(" \t")
        if not equals or len(letter) != 1:
            raise SdpError(f"no line of a description: {line[:80]!r}")
        reader.take(letter.lower(), value)
    return reader.description()


class _Reader:
    """Collects lines: those before the first `m=` are the session's, the others the last media's."""

    def __init__(self) -> None:
        self.empty = True
        self.origin: Origin | None = None
        self.name = "-"
        self.texts: dict[str, str] = {}
        self.emails: list[str] = []
        self.phones: list[str] = []
        self.times: list[Timing] = []
        self.media: list[Media] = []
        self.connections: list[Connection] = []
        self.bandwidths: list[Bandwidth] = []
        self.attributes: list[Attribute] = []
        # What the lists and texts belong to; None is the session.
        self.section: Media | None = None
        self.session: Description | None = None

    def take(self, letter: str, value: str) -> None:
        self.empty = False
        match letter:
            case "v":
                if value.strip() != "0":
                    raise SdpError(f"a description of version {value[:20]!r}")
            case "o":
                self.origin = _origin(value)
            case "s":
                self.name = value
            case "m":
                self.close()
                if len(self.media) == MAX_MEDIA:
                    raise SdpError(f"a description of more than {MAX_MEDIA} media")
                self.section = _media_line(value)
            case "c":
                self.connections.append(_connection(value))
            case "b":
                kind, colon, amount = value.partition(":")
                if colon:
                    self.bandwidths.append(Bandwidth(kind, amount))
            case "a":
                name, colon, rest = value.partition(":")
                self.attributes.append(Attribute(name, rest if colon else None))
            case "t":
                start, stop, *_ = (*fields_of(value), "0", "0")
                self.times.append(Timing(start, stop))
            case "r":
                if not self.times:
                    raise SdpError("a repetition of no time")
                last = self.times[-1]
                self.times[-1] = last._replace(repeats=(*last.repeats, value))
            case "e":
                self.emails.append(value)
            case "p":
                self.phones.append(value)
            case "i" | "u" | "z" | "k":
                self.texts.setdefault(letter, value)

    def close(self) -> None:
        """End a section: its lines are complete."""
        if self.section is None:
            connection = self.connections[-1] if self.connections else None
            self.session = Description(
                None,
                connection=connection,
                attributes=tuple(self.attributes),
                bandwidths=tuple(self.bandwidths),
                information=self.texts.get("i"),
                uri=self.texts.get("u"),
                key=self.texts.get("k"),
            )
        else:
            line = self.section
            self.media.append(
                Media(
                    line.kind,
                    line.port,
                    line.protocol,
                    line.formats,
                    tuple(self.attributes),
                    tuple(self.connections),
                    tuple(self.bandwidths),
                    self.texts.get("i"),
                    self.texts.get("k"),
                    line.port_count,
                )
            )
        kept = self.texts.get("z")
        self.texts = {} if kept is None else {"z": kept}
        self.connections, self.bandwidths, self.attributes = [], [], []

    def description(self) -> Description:
        if self.empty:
            raise SdpError("an empty description")
        self.close()
        session = self.session
        assert session is not None
        return Description(
            self.origin,
            tuple(self.media),
            session.connection,
            self.name,
            tuple(self.times),
            session.attributes,
            session.bandwidths,
            session.information,
            session.uri,
            tuple(self.emails),
            tuple(self.phones),
            self.texts.get("z"),
            session.key,
        )


def _origin(value: str) -> Origin:
    fields = fields_of(value)
    # Five fields are an origin without its username, which some leave empty, or one that lacks something else.
    if len(fields) < 6 and (len(fields) < 5 or fields[2].upper() != "IN"):
        raise SdpError(f"no origin: {value[:80]!r}")
    username = " ".join(fields[:-5]) or "-"
    session_id, version, net_type, kind, address = fields[-5:]
    return Origin(username, session_id, version, address, kind, net_type)


def _connection(value: str) -> Connection:
    fields = fields_of(value)
    if len(fields) < 3:
        raise SdpError(f"no connection: {value[:80]!r}")
    address, slash, rest = fields[2].partition("/")
    return Connection(address, fields[1], fields[0], slash + rest)


def _media_line(value: str) -> Media:
    fields = fields_of(value)
    if len(fields) < 3 or len(fields) > 3 + MAX_FORMATS:
        raise SdpError(f"no media: {value[:80]!r}")
    kind, ports, protocol, *formats = fields
    port, slash, count = ports.partition("/")
    if not is_number(port, 5) or int(port) > 65_535:
        raise SdpError(f"no port of media: {ports[:20]!r}")
    if slash and not (is_number(count, 5) and int(count)):
        raise SdpError(f"no number of ports: {ports[:20]!r}")
    return Media(kind, int(port), protocol, tuple(formats), port_count=int(count) if slash else 1)


def _put_optional(put: Callable[[str, str], None], letter: str, value: str | None) -> None:
    if value is not None:
        put(letter, value)


def _put_media(put: Callable[[str, str], None], media: Media) -> None:
    port = str(media.port) if media.port_count == 1 else f"{media.port}/{media.port_count}"
    put("m", " ".join((media.kind, port, media.protocol, *media.formats)))
    _put_optional(put, "i", media.title)
    for connection in media.connections:
        put("c", connection.serialize())
    for bandwidth in media.bandwidths:
        put("b", f"{bandwidth.kind}:{bandwidth.value}")
    _put_optional(put, "k", media.key)
    for attribute in media.attributes:
        put("a", _attribute_text(attribute))


def _attribute_text(attribute: Attribute) -> str:
    return attribute.name if attribute.value is None else f"{attribute.name}:{attribute.value}"
