"""How an offer, our terms and what is to be answered are written in one line of a table.

An offer is its lines with ` | ` between them. A line of numbers is `m=audio 4000 RTP/AVP` and these formats; a line
without its letter is an attribute: `0 101 | rtpmap:101 telephone-event/8000 | sendonly`. `HEAD` goes before them unless
they begin with `v=`. Lines of the answer are written the same way, its audio being at port 20000.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

ADDRESS: Final = "192.0.2.7"
HEAD: Final = f"v=0\no=- 1 1 IN IP4 {ADDRESS}\ns=-\nc=IN IP4 {ADDRESS}\nt=0 0\n"


@dataclass(frozen=True)
class Case:
    """`codecs` are our preferences, `local` further fields of LocalMedia; `secure` is `rtp_secure_media`.

    Expected: `m` the media lines, `has` and `lacks` whole lines of the answer, `agreed` fields of the agreement (by
    `name` or `choice.name`); or, alone, `refused`, words of the reason.
    """

    why: str
    offer: str
    codecs: str = "PCMU,PCMA"
    local: dict[str, Any] = field(default_factory=dict)
    secure: str = "forbidden"
    negotiation: str = "generous"
    m: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    agreed: dict[str, object] = field(default_factory=dict)
    refused: str = ""


def lines_of(text: str, audio: str) -> tuple[str, ...]:
    """Return the whole lines of a shorthand; `audio` is what a line of formats leaves out."""
    return tuple(_whole(line, audio) for line in text.split(" | ")) if text else ()


def _whole(line: str, audio: str) -> str:
    if line[:1].isdigit():
        return f"{audio} {line}"
    return line if line[1:2] == "=" else f"a={line}"


def offer_of(text: str) -> str:
    """Return the description of a shorthand."""
    body = "".join(f"{line}\n" for line in lines_of(text, "m=audio 4000 RTP/AVP"))
    return body if body.startswith("v=") else HEAD + body


def takes(
    why: str,
    offer: str,
    m: str = "",
    *,
    has: str = "",
    lacks: str = "",
    codecs: str = "PCMU,PCMA",
    local: dict[str, Any] | None = None,
    secure: str = "forbidden",
    negotiation: str = "generous",
    **agreed: object,
) -> Case:
    """Return a case that is answered; `agreed` by `name` or `choice__name`."""
    media, there, absent = (lines_of(text, "m=audio 20000 RTP/AVP") for text in (m, has, lacks))
    terms = {name.replace("__", "."): value for name, value in agreed.items()}
    return Case(
        why, offer_of(offer), codecs, local or {}, secure, negotiation, media, there, absent, agreed=terms
    )


def refuses(why: str, offer: str, reason: str, codecs: str = "PCMU,PCMA", secure: str = "forbidden") -> Case:
    """Return a case that is refused with these words."""
    return Case(why, offer_of(offer), codecs, secure=secure, refused=reason)
