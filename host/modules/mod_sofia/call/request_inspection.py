"""What an INVITE or UPDATE is refused for: extensions and bodies that nobody here knows (RFC 3261 section 8.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from host.modules.mod_sofia.message import Message, body_of, header_of, headers_of, sdp_of

if TYPE_CHECKING:
    from host.modules.mod_sofia.profile.profile import Profile

_EXTENSIONS: Final = frozenset({"100rel", "timer", "replaces", "path"})
_SDP: Final = "application/sdp"
# FreeSWITCH (sofia-sip): what is told of bodies to those who send others.
ACCEPT: Final = (("Accept", "application/sdp, multipart/mixed"),)
_ENCODINGS: Final = ("", "identity")


class _Unacceptable(NamedTuple):
    """The refusal of a body."""

    code: int
    reason: str
    headers: tuple[tuple[str, str], ...]


def refuse_extensions(profile: Profile, request: Message) -> bool:
    """Answer 420 to what requires option tags that nobody here knows (RFC 3261 section 8.2.2.3); tell whether."""
    required = [part.strip() for value in headers_of(request, "require") for part in value.split(",")]
    unknown = [tag for tag in required if tag and tag.lower() not in _EXTENSIONS]
    if unknown:
        profile.respond(request, 420, "Bad Extension", headers=(("Unsupported", ", ".join(unknown)),))
    return bool(unknown)


def refuse_content(profile: Profile, request: Message) -> bool:
    """Refuse a request whose body is none that is understood here (RFC 3261 section 8.2.3); tell whether."""
    unfit = _unacceptable_content(request)
    if unfit is not None:
        profile.respond(request, unfit.code, unfit.reason, headers=unfit.headers)
    return unfit is not None


def _unacceptable_content(request: Message) -> _Unacceptable | None:
    """Return how the body of an INVITE or UPDATE is refused; None for a session description, and without a body.

    sofia-sip: 415 for other types and for what is encoded, unless its Content-Disposition lets it be ignored
    (`handling=optional`, RFC 3261 section 20.11); 406 for parts (`multipart/…`) without a session description.
    """
    body = body_of(request)
    if body is None or not body.text:
        return None
    if (header_of(request, "content-encoding") or "").strip().lower() not in _ENCODINGS:
        return _Unacceptable(415, "Unsupported Media Type", (*ACCEPT, ("Accept-Encoding", "identity")))
    if body.content_type.startswith("multipart/"):
        return None if sdp_of(request) is not None else _Unacceptable(406, "Not Acceptable", ACCEPT)
    kind, *params = (
        part.strip().lower() for part in (header_of(request, "content-disposition") or "").split(";")
    )
    if kind in ("", "session"):
        return None if body.content_type == _SDP else _Unacceptable(415, "Unsupported Media Type", ACCEPT)
    optional = "handling=optional" in [param.replace(" ", "") for param in params]
    return None if optional else _Unacceptable(415, "Unsupported Media Type", ACCEPT)
