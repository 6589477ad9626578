"""What a REGISTER says, and what of another request matters to those who ask for credentials."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from host.modules.mod_sofia.message import (
    Message,
    Source,
    call_id_of,
    display_of,
    from_of,
    header_of,
    headers_of,
    method_of,
    source_of,
    to_of,
    uri_host,
    uri_user,
    wire,
)
from host.modules.mod_sofia.registration.contact_address import (
    ContactAddress,
    ContactError,
    expires_seconds,
    kept_contact,
    parse_contacts,
    split_values,
)

if TYPE_CHECKING:
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings

# FreeSWITCH: seconds for a phone that asks for none, and for one behind NAT, whose way there soon closes.
_DEFAULT_EXPIRES = 300
_NAT_EXPIRES = 30
_WS = re.compile(r"(;transport=)ws(?![a-z])", re.IGNORECASE)

# (address, list) -> whether the list lets it in.
CheckList = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class RegisterRequest:
    """A request and its parts. `contacts` is None for `*`; `nat` is why its sender counts as behind NAT, or empty."""

    message: Message
    method: str
    user: str
    host: str
    display: str
    from_user: str
    from_host: str
    call_id: str
    user_agent: str
    source: Source
    contacts: tuple[ContactAddress, ...] | None
    paths: tuple[str, ...]
    header_expires: int | None
    nat: str
    received_in_contact: bool

    @property
    def place(self) -> str:
        """Where it came from as it stands in a URI, `host:port`."""
        ip = self.source.ip
        return f"[{ip}]:{self.source.port}" if ":" in ip else f"{ip}:{self.source.port}"

    @property
    def received(self) -> str:
        """What goes into the contact as `received`, empty where the profile wants none."""
        return self.place if self.nat and self.received_in_contact else ""

    def kept(self, contact: ContactAddress) -> str:
        """Return the form in which a contact is kept."""
        way = contact.at(self.place) if self.nat else ""
        if self.source.transport == "wss":
            # FreeSWITCH: phones in browsers write ws for what is wss; the way back has to be the right one.
            way = _WS.sub(r"\1wss", way)
        return kept_contact(contact, self.display, way=way, paths=self.paths, received=self.received)

    def expires(self, contact: ContactAddress) -> int:
        """Return the seconds that are asked for a contact (RFC 3261 section 10.3: its own, else the header's)."""
        if contact.expires is not None:
            return contact.expires
        if self.header_expires is not None:
            return self.header_expires
        return _NAT_EXPIRES if self.nat and not self.paths else _DEFAULT_EXPIRES

    def status(self, contact: ContactAddress) -> str:
        """Return what `sofia status profile X reg` shows, such as `Registered(UDP-NAT)`."""
        kind = contact.transport.upper()
        if self.source.transport in ("ws", "wss") and kind not in ("TCP", "TLS"):
            kind = self.source.transport.upper()
        if kind not in ("TCP", "TLS", "WS", "WSS"):
            kind = "UDP"
        return f"Registered({kind}-NAT)" if self.nat else f"Registered({kind})"

    @property
    def first(self) -> ContactAddress | None:
        """The first contact, None without one."""
        return self.contacts[0] if self.contacts else None


def read_request(message: Message, settings: ProfileSettings, check: CheckList) -> RegisterRequest:
    """Return the parts of a request. ContactError for a Contact that cannot be read or an `*` that may not be."""
    method, source = method_of(message), source_of(message)
    contacts: tuple[ContactAddress, ...] | None
    try:
        parsed = parse_contacts(headers_of(message, "contact"))
        contacts = tuple(parsed) if parsed is not None else None
    except ContactError:
        if method == "REGISTER":
            raise
        contacts = ()
    if contacts is None and method != "REGISTER":
        contacts = ()
    sender, target = from_of(message), to_of(message)
    user, host = uri_user(target.url), uri_host(target.url)
    from_user, from_host = uri_user(sender.url), uri_host(sender.url)
    text = header_of(message, "expires")
    request = RegisterRequest(
        message,
        method,
        user or from_user,
        host or from_host,
        display_of(target),
        from_user,
        from_host,
        call_id_of(message),
        header_of(message, "user-agent") or "unknown",
        source,
        contacts,
        tuple(path for value in headers_of(message, "path") for path in split_values(value)),
        expires_seconds(text) if text is not None else None,
        _nat_reason(message, method, source, contacts, settings, check),
        settings.ndlb_received_in_nat_reg_contact,
    )
    if contacts is None and request.header_expires != 0:
        raise ContactError("Bad Contact")
    return request


def _nat_reason(
    message: Message,
    method: str,
    source: Source,
    contacts: Sequence[ContactAddress] | None,
    settings: ProfileSettings,
    check: CheckList,
) -> str:
    """Return why the sender of a REGISTER counts as behind NAT, empty where it does not.

    FreeSWITCH: WebSocket always; an address or port of Via other than where it came from, with
    `aggressive-nat-detection`; a contact in all lists of `apply-nat-acl`; TCP and TLS where the profile says so. Not
    where it came from `local-network-acl`.
    """
    if method != "REGISTER":
        return ""
    reason = ""
    via = message.getHFBody("via")
    if settings.aggressive_nat_detection:
        host, port = str(via.hostname).strip("[]"), via.port
        if via.params.get("received") and via.params["received"] != host:
            reason = "via received"
        elif host != wire(source.ip):
            reason = "via host"
        elif port is not None and int(port) != source.port:
            reason = "via port"
    first = contacts[0] if contacts else None
    lists = settings.apply_nat_acl
    if (
        not reason
        and lists
        and first is not None
        and all(check(first.host.strip("[]"), acl) for acl in lists)
    ):
        reason = lists[-1]
    if reason and settings.local_network_acl and check(source.ip, settings.local_network_acl):
        reason = ""
    if source.transport in ("ws", "wss"):
        return source.transport
    if first is not None and first.transport == "tls" and settings.tls_always_nat:
        return "tls"
    if first is not None and first.transport == "tcp" and settings.tcp_always_nat:
        return "tcp"
    return reason
