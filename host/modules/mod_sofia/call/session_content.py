"""Whether the body of an offer is one that is understood here (RFC 3261 section 8.2.3)."""

from __future__ import annotations

from typing import Final, NamedTuple

from host.modules.mod_sofia.message import Message, body_of, header_of, sdp_of

_SDP: Final = "application/sdp"
# FreeSWITCH (sofia-sip): what is told of bodies to those who send others.
ACCEPT: Final = (("Accept", "application/sdp, multipart/mixed"),)
_ENCODINGS: Final = ("", "identity")


class Unacceptable(NamedTuple):
    """The refusal of a body."""

    code: int
    reason: str
    headers: tuple[tuple[str, str], ...]


def unacceptable_content(request: Message) -> Unacceptable | None:
    """Return how the body of an INVITE or UPDATE is refused; None for a session description, and without a body.

    sofia-sip: 415 for other types and for what is encoded, unless its Content-Disposition lets it be ignored
    (`handling=optional`, RFC 3261 section 20.11); 406 for parts (`multipart/…`) without a session description.
    """
    body = body_of(request)
    if body is None or not body.text:
        return None
    if (header_of(request, "content-encoding") or "").strip().lower() not in _ENCODINGS:
        return Unacceptable(415, "Unsupported Media Type", (*ACCEPT, ("Accept-Encoding", "identity")))
    if body.content_type.startswith("multipart/"):
        return None if sdp_of(request) is not None else Unacceptable(406, "Not Acceptable", ACCEPT)
    kind, *params = (
        part.strip().lower() for part in (header_of(request, "content-disposition") or "").split(";")
    )
    if kind in ("", "session"):
        return None if body.content_type == _SDP else Unacceptable(415, "Unsupported Media Type", ACCEPT)
    optional = "handling=optional" in [param.replace(" ", "") for param in params]
    return None if optional else Unacceptable(415, "Unsupported Media Type", ACCEPT)
