"""Descriptions that go on to another far end: in the session that stands there, with a relay's addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from host.sdp.media_section import address_type
from media.packet_relay import StreamEnd

if TYPE_CHECKING:
    from host.sdp.description import Description
    from media.rtp_transport import Address

# An address that says "not now" (RFC 3264 section 8.4): it goes on as it is.
_NOWHERE: Final = ("0.0.0.0", "::")
_ORIGIN: Final = re.compile(r"^o=[^\r\n]*", re.MULTILINE)
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|$)")
_MEDIA: Final = re.compile(r"(m=[ \t]*\S+[ \t]+)(\d+)(.*)", re.DOTALL | re.IGNORECASE | re.ASCII)
_CONNECTION: Final = re.compile(r"c=[ \t]*IN[ \t]+IP[46][ \t]+([^\s/]+)", re.IGNORECASE)
_RTCP: Final = re.compile(r"(a=rtcp:[ \t]*)\d+((?:[ \t]+IN[ \t]+IP[46][ \t]+\S+)?)", re.IGNORECASE | re.ASCII)


def stream_ends(description: Description, *, learning: bool = True) -> tuple[StreamEnd, ...]:
    """Return where the far end that describes them receives its streams, one for each section.

    A section that is refused or has no address as digits has no end.
    """
    ends = []
    for media in description.media:
        connection = description.connection_of(media)
        host = connection.address if connection is not None else ""
        rtcp = media.rtcp
        following = media.port if media.rtcp_mux else min(media.port + 1, 65_535)
        port, reports = (following, host) if rtcp is None else (rtcp.port, rtcp.address or host)
        ends.append(StreamEnd(_address(host, media.port), _address(reports, port), learning))
    return tuple(ends)


def _address(host: str, port: int) -> Address | None:
    try:
        nobody = ip_address(host).is_unspecified or ip_address(host).is_multicast
    except ValueError:
        return None
    return (host, port) if port and not nobody else None


def readdressed(text: str, address: str, ports: Sequence[int]) -> str:
    """Return a description with the address and ports of a relay, section by section; all else is as it was."""
    place = -1
    taken = False  # whether the section is not refused
    lines = []
    for line in _LINE.findall(text):
        media = _MEDIA.match(line)
        if media is not None:
            place += 1
            taken = int(media[2]) > 0 and place < len(ports)
            lines.append(f"{media[1]}{ports[place]}{media[3]}" if taken else line)
            continue
        connection = _CONNECTION.match(line)
        if connection is not None and connection[1] not in _NOWHERE:
            line = f"c=IN {address_type(address)} {address}{line[connection.end() :]}"
        elif taken and (reports := _RTCP.match(line)) is not None:
            where = f" IN {address_type(address)} {address}" if reports[2] else ""
            line = f"{reports[1]}{ports[place] + 1}{where}{line[reports.end() :]}"
        lines.append(line)
    return "".join(lines)


def continued(description: str, former: str, sent: Description | None) -> str:
    """Return another one's description with the origin that a session began with here, and its next version."""
    if sent is None or sent.origin is None or not sent.origin.numbered:
        return description
    if _ORIGIN.sub("", description, 1) == _ORIGIN.sub("", former, 1):
        return former
    line = f"o={sent.origin.following.serialize()}"
    return _ORIGIN.sub(lambda _: line, description, 1)
