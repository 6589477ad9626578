"""SIP messages as the rest of the module sees them: typed functions over sippy's untyped message classes.

sippy's text is latin-1 here (a character is a byte, so that Content-Length counts bytes); what these functions take
and return is host text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.parser import Parser
from typing import Any, Final, NamedTuple

from sippy.MsgBody import MsgBody
from sippy.SipAddress import SipAddress
from sippy.SipContentType import SipContentType
from sippy.SipGenericHF import SipGenericHF
from sippy.SipHeader import SipHeader
from sippy.SipURL import SipURL

# sippy has no types: what is asked of its messages goes through this file.
Message = Any
Uri = Any  # sippy's SipURL: username, host, port, transport, other, …
NameAddress = Any  # sippy's SipAddress: name, url, params

_SDP: Final = "application/sdp"

# Compact forms of headers that sippy has no class for (RFC 3261 section 7.3.3 and those registered since).
_COMPACT: Final = {
    "o": "event",
    "u": "allow-events",
    "x": "session-expires",
    "s": "subject",
    "j": "reject-contact",
    "d": "request-disposition",
    "a": "accept-contact",
    "b": "referred-by",
    "r": "refer-to",
    "e": "content-encoding",
    "y": "identity",
}


class Source(NamedTuple):
    """Where a message came from: address, port and transport (`udp`, `tcp`, `tls`, `ws`, `wss`)."""

    ip: str
    port: int
    transport: str


@dataclass(frozen=True, slots=True)
class Body:
    """What a message carries: its type without parameters, in lower case, and its text."""

    content_type: str
    text: str


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """A request outside of our calls' dialogs; `next_hop` (ip, port, transport) goes before the route and the URI.

    `on_response` gets every response, in the SIP thread; a timeout is a 408. With `credentials` (user, password) one
    401 or 407 is answered. What is empty is made up: a Call-ID, a tag of From.
    """

    method: str
    uri: str
    from_uri: str
    to_uri: str
    on_response: Callable[[Message], object] | None = None
    from_display: str = ""
    to_display: str = ""
    call_id: str = ""
    from_tag: str = ""
    to_tag: str = ""
    cseq: int = 0
    headers: Sequence[tuple[str, str]] = ()
    body: Body | None = None
    routes: Sequence[str] = ()
    contact: str | None = None  # a whole Contact value; None for that of the profile
    next_hop: Source | None = None
    credentials: tuple[str, str] | None = None
    laddress: object = None


def wire(text: str) -> str:
    """Return host text as sippy's text."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def unwire(text: str) -> str:
    """Return sippy's text as host text."""
    return text if text.isascii() else text.encode("latin-1", "replace").decode("utf-8", "surrogateescape")


class PlainHeader(SipGenericHF):  # type: ignore[misc]
    """A header without a class of its own, written with the name that was given."""

    def __init__(self, body: str, name: str | None = None, written: str = "") -> None:
        super().__init__(body, name)
        self.written = written

    def getCanName(self, name: str, compact: bool = False) -> str:
        """Return the name as it was given."""
        return self.written or "-".join(part.capitalize() for part in name.split("-"))

    def getCopy(self) -> PlainHeader:
        """Return a copy."""
        return PlainHeader(self.body, self.hf_names[0] if self.hf_names else None, self.written)


def method_of(message: Message) -> str:
    """Return a request's method, or that of the request a response answers."""
    method = getattr(message, "method", None)
    return str(method) if method is not None else str(message.getHFBody("cseq").getCSeq()[1])


def status_of(response: Message) -> tuple[int, str]:
    """Return a response's code and reason."""
    code, reason = response.getSCode()
    return int(code), unwire(str(reason))


def source_of(message: Message) -> Source:
    """Return where a message came from."""
    (ip, port), transport = message.source
    return Source(str(ip), int(port), str(transport))


def headers_of(message: Message, name: str) -> list[str]:
    """Return the values of all headers `name` (whole form, any case), in their order."""
    return [unwire(str(header.body)) for header in _by_name(message).get(name.lower(), ())]


def header_of(message: Message, name: str) -> str | None:
    """Return the first header `name`, None without."""
    for header in _by_name(message).get(name.lower(), ()):
        return unwire(str(header.body))
    return None


def _by_name(message: Message) -> dict[str, list[Any]]:
    """Return a message's headers by their whole names; kept as long as none is added or taken away."""
    headers = message.headers
    known = getattr(message, "by_name", None)
    if known is not None and known[0] is headers and known[1] == len(headers):
        kept: dict[str, list[Any]] = known[2]
        return kept
    found: dict[str, list[Any]] = {}
    for header in headers:
        found.setdefault(_COMPACT.get(header.name, header.name), []).append(header)
    message.by_name = headers, len(headers), found
    return found


def all_headers(message: Message, wanted: Callable[[str], bool] = lambda name: True) -> list[tuple[str, str]]:
    """Return all headers but those of the body as (name in lower case, value), in their order; those `wanted`."""
    named = [(_COMPACT.get(header.name, header.name), header) for header in message.headers]
    return [(name, unwire(str(header.body))) for name, header in named if wanted(name)]


def add_header(message: Message, name: str, value: str) -> None:
    """Append a header, its name written as given. FreeSWITCH: line breaks in a value end it."""
    text = wire(value).split("\r", 1)[0].split("\n", 1)[0]
    header = SipHeader(name=name, body=PlainHeader(text, name, name))
    message.appendHeader(header)


def set_header(message: Message, name: str, value: str) -> None:
    """Put a header in place of all of that name."""
    message.delHFs(name.lower())
    add_header(message, name, value)


def body_of(message: Message) -> Body | None:
    """Return what a message carries, None without."""
    body = message.getBody()
    if body is None:
        return None
    return Body(str(body.mtype.name).lower(), unwire(str(body)))


def set_body(message: Message, body: Body) -> None:
    """Let a message carry `body`."""
    kind = SipContentType(wire(body.content_type))
    kind.parse()
    content = MsgBody(wire(body.text), kind)
    content.parsed = True  # it stays the text it is
    message.setBody(content)


def call_id_of(message: Message) -> str:
    """Return the Call-ID."""
    return unwire(str(message.getHFBody("call-id")))


def cseq_of(message: Message) -> tuple[int, str]:
    """Return the CSeq's number and method."""
    number, method = message.getHFBody("cseq").getCSeq()
    return int(number), str(method)


def from_of(message: Message) -> NameAddress:
    """Return the From's address."""
    return message.getHFBody("from").getUri()


def to_of(message: Message) -> NameAddress:
    """Return the To's address."""
    return message.getHFBody("to").getUri()


def tag_of(address: NameAddress) -> str:
    """Return an address's tag, empty without."""
    return str(address.getParam("tag") or "")


def contact_of(message: Message) -> NameAddress | None:
    """Return the first Contact's address, None without one or for `*`."""
    if message.countHFs("contact") == 0:
        return None
    contact = message.getHFBody("contact")
    return None if contact.asterisk else contact.getUri()


def parse_uri(text: str) -> Uri:
    """Return a SIP URI's parts; ValueError for what is none."""
    try:
        return SipURL(wire(text))
    except (IndexError, ValueError, AttributeError, AssertionError) as error:
        raise ValueError(f"not a SIP URI: {text}") from error


def parse_address(text: str) -> NameAddress:
    """Return a name and its URI (`"Bob" <sip:bob@example.com>;tag=1`); ValueError for what is none."""
    try:
        return SipAddress(wire(text))
    except (IndexError, ValueError, AttributeError, AssertionError) as error:
        raise ValueError(f"not a SIP address: {text}") from error


def uri_user(uri: Uri) -> str:
    """Return a URI's user, unescaped and without parameters, empty without."""
    return unwire(str(uri.username)) if uri.username else ""


def uri_host(uri: Uri) -> str:
    """Return a URI's host."""
    return unwire(str(uri.host))


def uri_param(uri: Uri, name: str) -> str | None:
    """Return a URI parameter's value (empty for one without), None when it is not there."""
    if name == "transport":
        return None if uri.transport is None else str(uri.transport)
    if name == "user":
        return None if uri.usertype is None else str(uri.usertype)
    if name == "lr":
        return "" if uri.lr else None
    for entry in uri.other:
        key, _, value = str(entry).partition("=")
        if key == name:
            return unwire(value)
    return None


def display_of(address: NameAddress) -> str:
    """Return the display name of an address without quotes, empty without."""
    return unwire(str(address.name)).strip().strip('"') if address.name else ""


def quoted_display(name: str) -> str:
    """Return a display name as it stands before `<…>`: quoted, its quotes and backslashes escaped; empty for none."""
    if not name:
        return ""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" '


def _written_lines(message: Message) -> list[tuple[str, str]]:
    """Return name and value of the header lines of a received message as they came, without continuations."""
    text = str(getattr(message, "received_text", ""))
    known = getattr(message, "written_lines", None)
    if known is not None and known[0] is text:
        kept: list[tuple[str, str]] = known[1]
        return kept
    head = text.split("\r\n\r\n", 1)[0]
    lines = []
    for line in head.split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        if colon and not name.startswith((" ", "\t")):
            lines.append((name.strip(), value.strip()))
    message.written_lines = text, lines
    return lines


def written_names(message: Message) -> dict[str, str]:
    """Return the names of a received message's headers as they were written, by their lower-case form."""
    names: dict[str, str] = {}
    for name, _ in _written_lines(message):
        names.setdefault(name.lower(), name)
    return names


def written_value(message: Message, name: str) -> str:
    """Return the first header of a name as it came, in its short form too; sippy's own text has lost quotes.

    Empty for a message that was not received, and for a header that goes on in another line.
    """
    short = {"from": "f", "to": "t"}.get(name, name)
    for written, value in _written_lines(message):
        if written.lower() in (name, short):
            return unwire(value)
    return ""


def content_type_of(message: Message) -> str:
    """Return the Content-Type with its parameters, empty without a body."""
    body = message.getBody()
    return "" if body is None else unwire(str(body.mtype))


def sdp_of(message: Message) -> str | None:
    """Return the session description a message carries, also as a part of a multipart body; None without."""
    body = body_of(message)
    if body is None:
        return None
    if body.content_type == _SDP:
        return body.text or None
    if not body.content_type.startswith("multipart/"):
        return None
    whole = Parser().parsestr(f"Content-Type: {content_type_of(message)}\r\n\r\n{body.text}")
    for part in whole.walk():
        if part.get_content_type() == _SDP:
            payload = part.get_payload()
            return payload if isinstance(payload, str) else None
    return None
