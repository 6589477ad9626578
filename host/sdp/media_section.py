"""A media section of a session description (RFC 8866 section 5.14), and the lines it shares with the session.

Attributes are kept as they came, known or not, in their order; what is known of them is read off by properties.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from host.sdp.direction import Direction
from host.sdp.line_fields import fields_of, is_number
from host.sdp.rtp_map import STATIC, RtpMap, parse_fmtp, parse_rtpmap

# Packets longer than this time are no telephony, and a frame of them would have to be kept whole.
MAX_PTIME_MS: Final = 1000


class SdpError(ValueError):
    """A text that is no session description, or a value that none can hold."""


class Attribute(NamedTuple):
    """`a=name:value`, or `a=name` where the value is None."""

    name: str
    value: str | None = None


class Bandwidth(NamedTuple):
    """`b=AS:64`; the value as it stands."""

    kind: str
    value: str


class Rtcp(NamedTuple):
    """`a=rtcp` (RFC 3605): the address is None where that of the media holds."""

    port: int
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """`c=`; `address` without the suffix of a multicast group (`/127/3`), which is kept beside it."""

    address: str
    address_type: str = "IP4"
    net_type: str = "IN"
    suffix: str = ""

    @classmethod
    def of(cls, address: str) -> Connection:
        """The connection of an address literal."""
        return cls(address, address_type(address))

    def serialize(self) -> str:
        return f"{self.net_type} {self.address_type} {self.address}{self.suffix}"


@dataclass(frozen=True, slots=True)
class Media:
    """A media section: `m=` and what follows it. `port` is 0 for one that is refused; `formats` as they stand."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    attributes: tuple[Attribute, ...] = ()
    connections: tuple[Connection, ...] = ()
    bandwidths: tuple[Bandwidth, ...] = ()
    title: str | None = None
    key: str | None = None
    port_count: int = 1

    def values(self, name: str) -> tuple[str, ...]:
        """The values of all attributes of a name, in their order; those without a value give ''."""
        return values_of(self.attributes, name)

    def has(self, name: str) -> bool:
        return any(attribute.name.lower() == name for attribute in self.attributes)

    @property
    def payload_types(self) -> tuple[int, ...]:
        """The formats that are payload types, in the order of preference; each once."""
        numbers = (int(text) for text in self.formats if is_number(text, 3))
        return tuple(dict.fromkeys(number for number in numbers if number <= 127))

    @property
    def rtp_maps(self) -> tuple[RtpMap, ...]:
        """What the payload types stand for, in the order of preference; those that stand for nothing are left out."""
        named: dict[int, RtpMap] = {}
        for value in self.values("rtpmap"):
            found = parse_rtpmap(value)
            if found is not None:
                named.setdefault(found.payload_type, found)
        maps = (named.get(number) or STATIC.get(number) for number in self.payload_types)
        return tuple(each for each in maps if each is not None)

    @property
    def parameters(self) -> dict[int, str]:
        """`a=fmtp` by payload type; several of one type are joined as one."""
        found: dict[int, list[str]] = {}
        for value in self.values("fmtp"):
            each = parse_fmtp(value)
            if each is not None:
                found.setdefault(each[0], []).append(each[1].strip("; "))
        return {number: ";".join(texts) for number, texts in found.items()}

    def format_parameters(self, payload_type: int) -> str:
        """`a=fmtp` of one payload type, '' where there is none."""
        return self.parameters.get(payload_type, "")

    @property
    def ptime(self) -> int | None:
        """Milliseconds of sound that the describing side wants in a packet."""
        return milliseconds(self.values("ptime"))

    @property
    def maxptime(self) -> int | None:
        return milliseconds(self.values("maxptime"))

    @property
    def direction(self) -> Direction | None:
        """None where the media does not say; then the session's holds."""
        return direction_of(self.attributes)

    @property
    def rtcp(self) -> Rtcp | None:
        """Where reports are wanted, where that is said (RFC 3605)."""
        for value in self.values("rtcp"):
            fields = fields_of(value)
            if fields and is_number(fields[0], 5) and 0 < int(fields[0]) <= 65_535:
                return Rtcp(int(fields[0]), fields[3] if len(fields) >= 4 else None)
        return None

    @property
    def rtcp_mux(self) -> bool:
        return self.has("rtcp-mux")

    @property
    def crypto(self) -> tuple[str, ...]:
        """Values of the `a=crypto` lines (RFC 4568), read by `media.srtp_keys`."""
        return self.values("crypto")


def address_type(address: str) -> str:
    """`IP6` for an IPv6 literal, else `IP4`."""
    return "IP6" if ":" in address else "IP4"


def values_of(attributes: Iterable[Attribute], name: str) -> tuple[str, ...]:
    """The values of the attributes of a name in small letters; those without a value give ''."""
    return tuple(attribute.value or "" for attribute in attributes if attribute.name.lower() == name)


def direction_of(attributes: Iterable[Attribute]) -> Direction | None:
    """The last direction that attributes name: some gateways leave an old one in front of it."""
    found = None
    for attribute in attributes:
        try:
            found = Direction(attribute.name.strip().lower())
        except ValueError:
            continue
    return found


def milliseconds(values: Iterable[str]) -> int | None:
    """The first value that is a time of packets: whole, or with a fraction that is dropped (RFC 8866 6.4)."""
    for value in values:
        whole = value.strip().partition(".")[0]
        if is_number(whole, 5) and 0 < int(whole) <= MAX_PTIME_MS:
            return int(whole)
    return None
