"""What a far end's audio section says: where sound goes, and what its payload types are."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final, NamedTuple

from host.sdp.audio_match import RemoteAudio
from host.sdp.description import Description, Media
from host.sdp.rtp_map import RtpMap

# RFC 3264 section 8.4 (and RFC 2543 before it): an address that says "not now".
_NOWHERE: Final = ("0.0.0.0", "::")


class RemoteAddress(NamedTuple):
    """Where the far end wants sound and reports; the addresses are None where it wants none."""

    address: str | None
    rtcp_address: str | None
    rtcp_port: int


class Unfit(Exception):
    """Why an audio section cannot be taken."""


def remote_audio(description: Description, media: Media, offered: tuple[RtpMap, ...]) -> RemoteAudio:
    """What a section says; a number of an answer that has no rtpmap means what it means in the offer."""
    named = {each.payload_type: each for each in (*offered, *media.rtp_maps)}
    numbers = [number for number in media.payload_types if number in named]
    parameters = media.parameters
    return RemoteAudio(
        tuple(named[number] for number in numbers),
        {number: parameters.get(number, "") for number in numbers},
        description.ptime_of(media),
        description.maxptime_of(media),
    )


def remote_address(description: Description, media: Media, local_address: str, mux: bool) -> RemoteAddress:
    """Where a section wants sound and reports sent; Unfit where nothing can be sent there."""
    connection = description.connection_of(media)
    if connection is None:
        raise Unfit("neither the session nor the audio has an address")
    rtcp = None if mux else media.rtcp
    following = media.port if mux else min(media.port + 1, 65_535)
    rtcp_port = following if rtcp is None else rtcp.port
    address = connection.address
    if address in _NOWHERE:
        return RemoteAddress(None, None, rtcp_port)
    if not _reaches(local_address, address):
        raise Unfit(f"sound cannot be sent from {local_address} to {address}")
    said = address if rtcp is None or rtcp.address is None else rtcp.address
    return RemoteAddress(
        address, said if said not in _NOWHERE and _reaches(local_address, said) else address, rtcp_port
    )


def _reaches(source: str, target: str) -> bool:
    """Whether one host can be sent to from an address.

    "0.0.0.0" and "::" stand for any address of ours; a name is left to whoever resolves it.
    """
    try:
        ours, theirs = ip_address(source), ip_address(target)
    except ValueError:
        return True
    if theirs.is_multicast or str(theirs) == "255.255.255.255":
        return False
    return ours.is_unspecified or ours.version == theirs.version
