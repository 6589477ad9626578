"""Contact headers as a registrar reads them, and the form in which it keeps them.

FreeSWITCH: a kept contact is `"display" <uri>`; within the URI stand the parameters `fs_nat=yes` for a phone behind
NAT and `fs_path`, the URL-encoded way to it: the address that it sent from, or the values of its Path headers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from host.escape import url_encode
from host.leading_number import leading_long

# A phone registers one contact, some register two; an INVITE for a user rings all that there are.
MAX_CONTACTS: Final = 10
# FreeSWITCH's column holds 1024; the way to a phone, percent-encoded, takes up to three times its length.
MAX_CONTACT: Final = 1024
# RFC 3261 section 20.19: what is larger counts as this.
MAX_EXPIRES: Final = 2**32 - 1

_ADDRESS: Final = re.compile(
    r"""\s*(?:
        (?P<display>"(?:[^"\\]|\\.)*"|[^"<>,;:@]*?)\s*<(?P<inside>[^<>"]*)>   # name-addr
        |(?P<bare>[^\s<>",;?]+)                                             # addr-spec
    )\s*(?P<rest>(?:;.*)?)""",
    re.VERBOSE | re.DOTALL,
)
_URI: Final = re.compile(
    r"(?P<scheme>sips?):(?:(?P<user>[^@<>\"\s]*)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^@:;?\[\]\s<>\"]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<params>(?:;[^?\s<>\"]*)?)(?P<headers>(?:\?[^\s<>\"]*)?)",
    re.IGNORECASE,
)
_PARAM: Final = re.compile(
    r"\s*;\s*([^\s;=\",]+)(?:\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;\",]*)))?\s*", re.DOTALL
)
_OWN: Final = re.compile(r";fs_(?:nat|path)\b[^;]*", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class ContactError(ValueError):
    """A Contact that cannot be read, or several that do not go together."""


@dataclass(frozen=True, slots=True)
class ContactAddress:
    """One Contact; `user` and `params` (those of the URI) are as written, `display` as well with its quotes.

    `fields` are the parameters behind the address by their names in lower case, without quotes.
    """

    display: str
    scheme: str
    user: str
    host: str
    port: str
    params: str
    fields: Mapping[str, str]

    @property
    def uri(self) -> str:
        """The URI, without headers and without parameters that only a registrar writes."""
        return self.at(f"{self.host}:{self.port}" if self.port else self.host)

    def at(self, place: str) -> str:
        """Return the URI with `host[:port]` in place of its own."""
        user = f"{self.user}@" if self.user else ""
        return f"{self.scheme}:{user}{place}{f';{self.params}' if self.params else ''}"

    @property
    def expires(self) -> int | None:
        """Seconds that the contact asks for itself, None where it does not."""
        return expires_seconds(self.fields["expires"]) if "expires" in self.fields else None

    @property
    def q(self) -> str:
        """How much the contact is liked, as written; empty without."""
        return self.fields.get("q", "")

    @property
    def flow(self) -> tuple[str, str] | None:
        """The instance and flow that the contact is one of (RFC 5626), None where it names none."""
        instance, flow = self.fields.get("+sip.instance", ""), self.fields.get("reg-id", "")
        return (instance, flow) if instance and flow.isdecimal() and flow.isascii() else None

    @property
    def transport(self) -> str:
        """`udp`, `tcp`, `tls`, `ws` or `wss`: that of the URI (FreeSWITCH: sips is TLS)."""
        named = re.search(r"(?:^|;)transport=([a-z]+)", self.params, re.IGNORECASE)
        if named is not None:
            return named[1].lower()
        return "tls" if self.scheme == "sips" else "udp"


def expires_seconds(text: str) -> int:
    """Return what an Expires says: RFC 3261 section 20.19, where a malformed one counts as 3600."""
    digits = text.strip()
    if not digits.isdecimal() or not digits.isascii():
        return 3600
    return min(leading_long(digits), MAX_EXPIRES)


def split_values(text: str) -> list[str]:
    """Return the values of a header that holds several, split at commas outside of quotes and angle brackets."""
    values, start, quoted, bracket, escaped = [], 0, False, False, False
    for index, character in enumerate(text):
        if escaped:
            escaped = False
        elif quoted:
            escaped = character == "\\"
            quoted = character != '"'
        elif character == '"':
            quoted = True
        elif character in "<>":
            bracket = character == "<"
        elif character == "," and not bracket:
            values.append(text[start:index].strip())
            start = index + 1
    return [value for value in (*values, text[start:].strip()) if value]


def parse_contact(text: str) -> ContactAddress:
    """Return one Contact. ContactError for what is none, is too long or has no SIP URI."""
    if len(text) > MAX_CONTACT:
        raise ContactError("Contact Too Long")
    if _CONTROL.search(text):
        raise ContactError("Bad Contact")
    found = _ADDRESS.fullmatch(text)
    uri = _URI.fullmatch((found["inside"] or found["bare"] or "").strip()) if found is not None else None
    if found is None or uri is None or int(uri["port"] or "0") > 65535:
        raise ContactError("Bad Contact")
    fields: dict[str, str] = {}
    rest, position = found["rest"].rstrip("; \t"), 0
    while position < len(rest):
        param = _PARAM.match(rest, position)
        if param is None:
            raise ContactError("Bad Contact")
        quoted = re.sub(r"\\(.)", r"\1", param[2]) if param[2] is not None else None
        fields.setdefault(param[1].lower(), quoted if quoted is not None else param[3] or "")
        position = param.end()
    if found["bare"]:
        # RFC 3261 section 20.10: without brackets, all parameters belong to the header.
        params = ""
    else:
        params = _OWN.sub("", uri["params"]).strip(";")
    display = (found["display"] or "").strip()
    user, host, port = uri["user"] or "", uri["host"], uri["port"] or ""
    return ContactAddress(display, uri["scheme"].lower(), user, host, port, params, fields)


def parse_contacts(values: Sequence[str]) -> list[ContactAddress] | None:
    """Return the Contacts of a REGISTER in their order; None for `*`, which stands alone. ContactError."""
    parts = [part for value in values for part in split_values(value)]
    if "*" in parts:
        if len(parts) > 1:
            raise ContactError("Bad Contact")
        return None
    if len(parts) > MAX_CONTACTS:
        raise ContactError("Too Many Contacts")
    return [parse_contact(part) for part in parts]


def kept_contact(
    contact: ContactAddress,
    to_display: str,
    *,
    way: str = "",
    paths: Sequence[str] = (),
    received: str = "",
) -> str:
    """Return the form in which a contact is kept.

    `way` is the URI by which a phone behind NAT is reached, empty for others; `paths` are the values of its Path
    headers; `received` (`host:port`) goes into the URI where the profile says so.
    """
    own = f";received={received}" if received else ""
    own += ";fs_nat=yes" if way else ""
    if paths:
        own += f";fs_path={'%2C'.join(_encoded(path) for path in paths)}"
    elif way:
        own += f";fs_path={_encoded(way)}"
    return f"{_display(contact, to_display)} <{contact.uri}{own}>"


def contact_from(contact: ContactAddress, to_display: str, source: str, received: str = "") -> str:
    """Return a contact with the address it was sent from in place of its own (`NDLB-connectile-dysfunction`)."""
    own = f";received={received}" if received else ""
    return f"{_display(contact, to_display)} <{contact.at(source)}{own};fs_nat=yes>"


def with_path(kept: str, contact: ContactAddress, source: str) -> str:
    """Return a kept contact with the way to it (`NDLB-connectile-dysfunction-2.0`), where it has none yet."""
    if "fs_path=" in kept:
        return kept
    user = f"{contact.user}@" if contact.user else ""
    own = f";fs_nat=yes;fs_path={_encoded(f'{contact.scheme}:{user}{source}')}"
    return f"{kept[:-1]}{own}>" if kept.endswith(">") else kept + own


def contact_url(kept: str) -> str:
    """Return the URI of a kept contact with all its parameters: what stands between `<` and `>`."""
    text = kept.lstrip(" ")
    if text.startswith('"'):
        text = text[1:].partition('"')[2] or text
    inside = text.partition("<")[2]
    return inside.partition(">")[0] if ">" in inside else text.strip()


def public_url(kept: str) -> str:
    """Return the URI of a kept contact as its phone knows it: without what the registrar added."""
    return contact_url(kept).partition(";fs_")[0]


def without_scheme(uri: str) -> str:
    """Return what is behind the first colon of a URI."""
    before, colon, rest = uri.partition(":")
    return rest if colon else before


def _display(contact: ContactAddress, to_display: str) -> str:
    name = contact.display or to_display or '""'
    return name if '"' in name else f'"{name}"'


def _encoded(text: str) -> str:
    # url_encode keeps what is escaped already; doubled, the escapes of a user part come back as they were.
    return url_encode(text.replace("%", "%25"))
