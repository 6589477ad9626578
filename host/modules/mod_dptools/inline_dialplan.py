"""The dialplan `inline`: the destination itself lists the applications, `app:data,app:data`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.arguments import separate
from host.caller_profile import CallerExtension, CallerProfile
from host.interfaces import Dialplan

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

# FreeSWITCH takes so many applications; the last holds the rest of the text.
MAX_APPLICATIONS: Final = 128


def parse_inline(text: str) -> list[tuple[str, str]]:
    """Return the applications and their data; `m:X:` in front makes X the separator instead of the comma."""
    separator = ","
    if len(text) > 3 and text[0] == "m" and text[1] == ":" and text[3] == ":":
        separator, text = text[2], text[4:]
    pairs = []
    for part in separate(text, separator, MAX_APPLICATIONS):
        application, _, data = part.partition(":")
        pairs.append((application.lstrip(" "), data))
    return pairs


def hunt_inline(session: Session, argument: str, profile: CallerProfile) -> CallerExtension | None:
    """Return an extension of the applications in `argument` or the destination; None when both are empty.

    FreeSWITCH: the call's destination is what it was before the transfer that brought it here.
    """
    text = argument or profile.destination_number
    if not text:
        return None
    extension = CallerExtension("inline", "inline", parse_inline(text))
    profile.destination_number, profile.rdnis = profile.rdnis, ""
    return extension


def load(switch: Switch) -> None:
    """Bring the dialplan `inline`."""
    switch.dialplans.add(Dialplan("inline", "mod_dptools", hunt_inline))
