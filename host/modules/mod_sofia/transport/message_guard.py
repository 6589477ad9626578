"""What comes from the network becomes a SIP message, or one declared error: `MalformedMessage`.

sippy's header classes do the parsing. What they would stumble over is settled before: limits, the line ends (sippy
splits lines also at characters that are bytes of UTF-8 text here), `Content-Length`, start lines, URIs' schemes.
"""

from __future__ import annotations

import builtins
import re
import secrets
from typing import Any, Final

import sippy.SipMsg
import sippy.SipRequest
import sippy.SipTransactionManager
import sippy.SipURL
from sippy.ESipHeaderCSV import ESipHeaderCSV
from sippy.ESipHeaderIgnore import ESipHeaderIgnore
from sippy.MsgBody import MsgBody
from sippy.SipConf import SipConf
from sippy.SipContentType import SipContentType
from sippy.SipGenericHF import SipGenericHF
from sippy.SipHeader import SipHeader
from sippy.SipRequest import SipRequest
from sippy.SipResponse import SipResponse

from host.modules.mod_sofia.message import Message

# A UDP datagram holds no more (16 bits of length less the headers); streams get the same limit.
MAX_MESSAGE: Final = 65_535
# A whole call through ten proxies carries about 40; each costs an object and several passes.
MAX_HEADERS: Final = 256
# Long ones are tokens of identity or history, a few thousand characters; more is meant to cost.
MAX_HEADER: Final = 8_192
# An SDP of several media with ICE candidates stays below 20,000, a conference document below 60,000.
MAX_BODY: Final = 60_000
# Longer URIs are no addresses: the longest host name is 253, the rest are parameters.
MAX_URI: Final = 2_048
# RFC 3261 section 8.1.1.5.
MAX_CSEQ: Final = 2**31 - 1
# More proxies than a message may pass by default (RFC 3261 section 8.1.1.6).
MAX_VIAS: Final = 70
MAX_PORT: Final = 65_535
# Numbers of more digits are no numbers of SIP; `int()` of thousands of them takes long.
MAX_DIGITS: Final = 10

_TOKEN: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_NUMBER: Final = re.compile(r"[0-9]+")
_VERSION: Final = re.compile(r"SIP/[0-9]+\.[0-9]+", re.IGNORECASE)
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_HEAD_END: Final = re.compile(r"\r\n\r\n|\n\n|\r\r")
_VIA_START: Final = re.compile(
    r"\s*SIP\s*/\s*([0-9.]+)\s*/\s*([A-Za-z0-9\-.!%*_+`'~]+)\s+(?=\S)", re.IGNORECASE
)
_SPACED: Final = re.compile(r"""("(?:[^"\\]|\\.)*"|<[^>]*>)|[ \t]*([;=])[ \t]*""")
_LOOSE: Final = re.compile(r"[ \t][;=]|[;=][ \t]")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")

# Headers a message cannot be dealt with without (RFC 3261 section 8.1.1; Max-Forwards is often left out).
_REQUIRED: Final = ("via", "from", "to", "call-id", "cseq")
# Those of which there is one (RFC 3261 section 7.3.1 lets only lists be repeated).
_SINGLE: Final = frozenset(("from", "to", "call-id", "cseq", "max-forwards"))
# Parsed here and now: transactions ask for them. All others are tried on a copy, for they keep their text.
_PARSED: Final = frozenset(("via", "from", "to", "cseq"))
# Parsed by `digest` alone: sippy's parser fails at a comma within quotes.
_READ_ELSEWHERE: Final = frozenset(
    ("authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate")
)

# What sippy's header classes raise at text that is none of theirs.
_PARSER_ERRORS: Final = (
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    AssertionError,
    ArithmeticError,
    NameError,
    ESipHeaderCSV,
    ESipHeaderIgnore,
)


class MalformedMessage(ValueError):
    """What came is no SIP message one can work with; `response` answers it where an answer is due."""

    def __init__(self, reason: str, response: Message | None = None) -> None:
        super().__init__(reason)
        self.response = response


class _OwnAddress:
    """Stands for our address until a message is written; as sippy's, but it asks no name server for it."""

    my = True

    def __str__(self) -> str:
        return "localhost"


def _quiet(*_words: object, **_options: object) -> None:
    """Print nothing."""


def _settle_sippy() -> None:
    """Let sippy take `tel:` URIs, ask no name server for our own address, and not print to the terminal."""
    SipConf.autoconvert_tel_url = True
    SipConf.my_address = _OwnAddress()
    for module in (sippy.SipMsg, sippy.SipRequest, sippy.SipTransactionManager, sippy.SipURL):
        if getattr(module, "print", builtins.print) is builtins.print:
            module.print = _quiet


_settle_sippy()


def parse(data: bytes) -> Message:
    """Return the request or response that `data` is, raise MalformedMessage for anything else.

    The message has `received_text`, the whole of it as sippy's text. Optional headers that cannot be parsed are
    left out (RFC 3261 section 8.2: what a server does not understand in them it ignores).
    """
    if len(data) > MAX_MESSAGE:
        raise MalformedMessage("too long")
    text = data.decode("latin-1").lstrip("\r\n")
    found = _HEAD_END.search(text)
    head, rest = (text[: found.start()], text[found.end() :]) if found else (text, "")
    lines = _unfolded(head)
    start = lines[0]
    is_response = start[:4].upper() == "SIP/"
    message = (SipResponse if is_response else SipRequest).__new__(SipResponse if is_response else SipRequest)
    message.headers = []
    message.received_text = text
    trouble = _Trouble()
    types, lengths = _read_headers(message, lines[1:], trouble)
    if is_response:
        _read_status_line(message, start)
    else:
        _read_request_line(message, start, trouble)
    _check_required(message, trouble)
    if found is None and not trouble.reason:
        trouble.note("no end of the headers")
    _read_body(message, rest, types, lengths, trouble)
    if trouble.reason:
        raise MalformedMessage(trouble.reason, None if is_response else _refusal(message, trouble))
    return message


class _Trouble:
    """The first thing that was wrong, and the status that tells it."""

    def __init__(self) -> None:
        self.reason = ""
        self.code = 400
        self.phrase = ""

    def note(self, reason: str, code: int = 400, phrase: str = "") -> None:
        if not self.reason:
            self.reason, self.code, self.phrase = reason, code, phrase


def _unfolded(head: str) -> list[str]:
    """Return the start line and the headers of a head, folded lines joined."""
    lines: list[str] = []
    for line in _LINE_END.split(head):
        if line[:1] in (" ", "\t") and len(lines) > 1:
            lines[-1] += " " + line.strip(" \t")
        else:
            lines.append(line)
    return lines


def _read_headers(message: Message, lines: list[str], trouble: _Trouble) -> tuple[list[Any], list[str]]:
    """Put the headers into `message`; return the Content-Type headers' bodies and the Content-Length ones' text."""
    types: list[Any] = []
    lengths: list[str] = []
    if len(lines) > MAX_HEADERS:
        trouble.note("too many headers")
        lines = lines[:MAX_HEADERS]
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t")
        value = value.strip(" \t")
        if not colon or _TOKEN.fullmatch(name) is None:
            trouble.note("a header without a name")
            continue
        if len(value) > MAX_HEADER:
            trouble.note("a header is too long")
            continue
        lowered = name.lower()
        if lowered in ("content-length", "l"):
            lengths.append(value)
            continue
        for header in _headers(lowered, value):
            if header.name == "content-type":
                types.append(header.body)
            elif _settled(header, trouble):
                message.headers.append(header)
    return types, lengths


def _headers(name: str, value: str) -> list[Any]:
    """Return the header or, for a list of values, the headers of a line."""
    if _CONTROL.search(value) is not None:
        value = _CONTROL.sub(" ", value)
    if name in ("via", "v"):
        value = ",".join(_VIA_START.sub(r"SIP/\1/\2 ", _tightened(via)) for via in value.split(","))
    elif _LOOSE.search(value) is not None and name in (
        "from",
        "f",
        "to",
        "t",
        "contact",
        "m",
        "route",
        "record-route",
    ):
        value = _tightened(value)
    try:
        return [SipHeader(name=name, bodys=value, fixname=True)]
    except ESipHeaderIgnore:
        return []
    except ESipHeaderCSV as listed:
        found = []
        for part in listed.bodys:
            try:
                found.append(SipHeader(name=name, bodys=part.strip(" \t"), fixname=True))
            except _PARSER_ERRORS:
                continue
        return found
    except _PARSER_ERRORS:
        return []


def _tightened(value: str) -> str:
    """Return a header's value without the white space that may stand around `;` and `=` outside of quotes."""
    return _SPACED.sub(lambda match: match[1] or match[2], value)


def _settled(header: Any, trouble: _Trouble) -> bool:
    """Make sure that a header parses; False for one that does not and is not needed."""
    body = header.body
    if body.parsed or type(body) is SipGenericHF:
        return True
    name = header.name
    if name in _READ_ELSEWHERE:
        return True
    try:
        if name in _PARSED:
            body.parse()
        else:
            trial = body.getCopy()
            if not trial.parsed:
                trial.parse()
    except _PARSER_ERRORS:
        if name in _REQUIRED:
            trouble.note(f"a bad {name} header")
        return name in _REQUIRED and name != "via"  # the refusal gives it back as it came
    return True


def _read_status_line(response: Message, line: str) -> None:
    parts = line.split(" ", 2)
    if len(parts) < 2 or parts[0].upper() != "SIP/2.0" or len(parts[1]) != 3 or not parts[1].isascii():
        raise MalformedMessage("a bad status line")
    if not parts[1].isdigit() or not 100 <= int(parts[1]) <= 699:
        raise MalformedMessage("a bad status code")
    response.sipver = "SIP/2.0"
    response.scode = int(parts[1])
    response.reason = _CONTROL.sub(" ", parts[2]) if len(parts) == 3 else ""


def _read_request_line(request: Message, line: str, trouble: _Trouble) -> None:
    request.sipver = "SIP/2.0"
    parts = line.split(" ")
    request.method = parts[0]
    request.ruri = None
    if _TOKEN.fullmatch(parts[0]) is None or len(parts) < 2:
        raise MalformedMessage("a bad request line")
    version = parts[-1]
    if _VERSION.fullmatch(version) is None:
        if version.upper().startswith("HTTP/") or len(parts) < 3:
            raise MalformedMessage("a bad request line")
        trouble.note("a bad request line")
        return
    if version.upper() != "SIP/2.0":
        trouble.note("another version of SIP", 505, "Version Not Supported")
        return
    uri = parts[1]
    if len(parts) != 3 or not uri or _CONTROL.search(uri) is not None or uri.startswith("<"):
        trouble.note("a bad Request-URI")
        return
    if len(uri) > MAX_URI:
        trouble.note("the Request-URI is too long", 414, "Request-URI Too Long")
        return
    scheme, colon, _ = uri.partition(":")
    if not colon or _SCHEME.fullmatch(scheme) is None:
        trouble.note("a bad Request-URI")
        return
    if scheme.lower() not in ("sip", "sips", "tel"):
        trouble.note("an unknown URI scheme", 416, "Unsupported URI Scheme")
        return
    try:
        request.ruri = sippy.SipURL.SipURL(uri)
    except _PARSER_ERRORS:
        trouble.note("a bad Request-URI")
        return
    if not str(request.ruri.host):
        trouble.note("a Request-URI without a host")
    elif request.ruri.port is not None and not 0 <= int(request.ruri.port) <= MAX_PORT:
        trouble.note("a bad port in the Request-URI")


def _check_required(message: Message, trouble: _Trouble) -> None:
    counts: dict[str, int] = {}
    for header in message.headers:
        counts[header.name] = counts.get(header.name, 0) + 1
    for name in _REQUIRED:
        if name not in counts:
            trouble.note(f"no {name} header")
    for name in _SINGLE:
        if counts.get(name, 0) > 1:
            trouble.note(f"more than one {name} header")
    if counts.get("via", 0) > MAX_VIAS:
        trouble.note("too many Via headers")
    for header in message.headers:
        _check_header(message, header, trouble)


def _check_header(message: Message, header: Any, trouble: _Trouble) -> None:
    name, body = header.name, header.body
    if name in _PARSED and not body.parsed:
        return
    if name == "cseq":
        method = getattr(message, "method", None)
        if not 0 <= body.cseq <= MAX_CSEQ:
            trouble.note("a CSeq out of range")
        elif _TOKEN.fullmatch(body.method) is None or method not in (None, body.method):
            trouble.note("a CSeq of another method")
    elif name == "via":
        if str(body.sipver).upper() != "SIP/2.0" or not body.hostname:
            trouble.note("a bad via header")
        elif body.port is not None and not 0 < body.port <= MAX_PORT:
            trouble.note("a bad port in Via")
        elif "" in body.params or not _is_number(body.params.get("rport") or "0"):
            trouble.note("a bad parameter in Via")
    elif name in ("from", "to"):
        if _QUOTED.sub("", body.body or "").count('"') or len(str(body.address.url.username or "")) > MAX_URI:
            trouble.note(f"a bad {name} header")
    elif name == "call-id":
        if not str(body):
            trouble.note("an empty Call-ID")
    elif name in ("max-forwards", "expires", "min-expires"):
        text = str(body).strip()
        if name == "max-forwards" and (not _is_number(text) or int(text) > 255):
            trouble.note("a bad Max-Forwards")


def _is_number(text: str) -> bool:
    return len(text) <= MAX_DIGITS and _NUMBER.fullmatch(text) is not None


def _read_body(message: Message, rest: str, types: list[Any], lengths: list[str], trouble: _Trouble) -> None:
    length = len(rest)
    for text in lengths:
        if not _is_number(text) or text.lstrip("0") != lengths[0].lstrip("0"):
            trouble.note("a bad Content-Length")
            return
        length = int(text)
    if length > len(rest):
        missing = "\r\n"[: length - len(rest)]
        if length - len(rest) > 2 or not rest or trouble.reason:
            trouble.note(f"the body is cut short, {length} bytes announced, {len(rest)} there")
            return
        rest += missing  # phones are known to leave the last line end out
    rest = rest[:length]
    if length > MAX_BODY:
        trouble.note("the body is too long", 413, "Request Entity Too Large")
        return
    if not rest:
        return
    kind = types[0] if types else SipContentType("application/sdp")
    try:
        kind.parse()
    except _PARSER_ERRORS:
        trouble.note("a bad Content-Type")
        return
    content = MsgBody(rest, kind)
    content.parsed = True  # it stays the text it is
    message.setBody(content)


def _refusal(request: Message, trouble: _Trouble) -> Message | None:
    """Return the response that tells what is wrong with a request; None where it says too little to be answered."""
    if request.method == "ACK":
        return None
    kept = {header.name for header in request.headers}
    if not kept.issuperset(_REQUIRED):
        return None
    phrase = trouble.phrase or f"Bad Request - {trouble.reason}"
    try:
        response = request.genResponse(trouble.code, phrase)
    except _PARSER_ERRORS:
        return None
    to = response.getHF("to").body
    if to.parsed and to.getTag() is None:  # a bad one goes back as it came
        to.setTag(secrets.token_hex(8))
    return response
