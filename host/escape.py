"""Texts made safe for where they go: URLs, SQL, shells, XML, and FreeSWITCH's own backslash escapes.

All functions take and return whole texts; the API commands of the same names print what they return.
"""

from __future__ import annotations

import re
from typing import Final

from host.byte_text import to_bytes, to_text

# FreeSWITCH: these, control characters, DEL and all bytes above are escaped in URLs; a percent sign is, too, unless
# two capital hexadecimal digits follow.
_URL_UNSAFE: Final = re.compile(rb"%(?![0-9A-F]{2})|[^!$'()*,\-./0-9A-Z_a-z~%]")
_URL_SAFE: Final = re.compile(r"[!$'()*,\-./0-9A-Z_a-z~]*")
_PERCENT: Final = re.compile(rb"%(?:([0-9A-Fa-f]{2})|([0-9A-Fa-f])[^0-9A-Fa-f])", re.DOTALL)

_BACKSLASHED: Final = str.maketrans({"\n": "\\n", "\r": "\\r", "\t": "\\t", " ": "\\s", "$": "\\$"})
_XML_SPECIAL: Final = re.compile(r"[&<>\r\x80-\U0010ffff]")
_XML_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}


def url_encode(text: str) -> str:
    """Escape for a URL or an event; what is escaped already (`%41`, capital digits) stays as it is."""
    if _URL_SAFE.fullmatch(text):
        return text
    return to_text(_URL_UNSAFE.sub(_percent, to_bytes(text)))


def url_decode(text: str) -> str:
    """Resolve `%41`; what is no escape stays, `%4` before another character than a digit is one, too.

    A NUL ends the text.
    """
    if "%" not in text:
        return text
    return to_text(_PERCENT.sub(_unpercent, to_bytes(text)).partition(b"\0")[0])


def sql_escape(text: str) -> str:
    """Double the single quotes, for use between single quotes in SQL."""
    return text.replace("'", "''")


def quote_shell_arg(text: str) -> str:
    """Quote `text` so that a POSIX shell takes it as one word; nothing stays nothing."""
    return "'" + text.replace("'", "'\\''") + "'" if text else ""


def escape(text: str) -> str:
    r"""Escape line ends, tabs, blanks (`\s`) and dollars by backslashes."""
    return text.translate(_BACKSLASHED)


def xml_escape(text: str) -> str:
    """Escape for an XML element's text, in ASCII; bytes that are no UTF-8 are left out.

    FreeSWITCH: from the first `<!` on, the text stays as it is.
    """
    if not _XML_SPECIAL.search(text):
        return text
    head, mark, tail = text.partition("<!")
    return _XML_SPECIAL.sub(_entity, head) + mark + tail


def attribute_escape(text: str) -> str:
    """Escape for the value of an XML attribute in double quotes, else as `xml_escape` does."""
    return xml_escape(text).replace('"', "&quot;")


def _percent(match: re.Match[bytes]) -> bytes:
    return b"%%%02X" % match[0][0]


def _unpercent(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1] or match[2], 16)])


def _entity(match: re.Match[str]) -> str:
    character = match[0]
    known = _XML_ENTITIES.get(character)
    if known is not None:
        return known
    code = ord(character)
    return "" if 0xD800 <= code <= 0xDFFF else f"&#x{code:X};"
