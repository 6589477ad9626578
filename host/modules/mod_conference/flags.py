"""Flags of members, of rooms and of events, as profiles, dial strings and variables name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.arguments import separate
from host.truth import is_true

if TYPE_CHECKING:
    from host.session import Session

# FreeSWITCH reads so many flags of a list.
_MEMBER_FLAGS_LIMIT: Final = 10
_ROOM_FLAGS_LIMIT: Final = 25

# FreeSWITCH: these take something from a member that it has otherwise.
MUTE: Final = "mute"
DEAF: Final = "deaf"
VIDEO_MUTE: Final = "vmute"
BLIND: Final = "blind"

MEMBER_FLAGS: Final = frozenset(
    {
        MUTE,
        DEAF,
        VIDEO_MUTE,
        BLIND,
        "mute-detect",
        "dist-dtmf",
        "skip-dtmf",
        "moderator",
        "nomoh",
        "endconf",
        "mandatory_member_endconf",
        "mintwo",
        "talk-data-events",
        "ghost",
        "join-only",
    }
)

ROOM_FLAGS: Final = frozenset({"wait-mod", "audio-always", "restart-auto-record", "breakable"})


def member_flags(text: str) -> frozenset[str]:
    """Return the flags of a member that a list names; FreeSWITCH: unknown ones mean nothing."""
    return frozenset(flag.lower() for flag in _listed(text, _MEMBER_FLAGS_LIMIT)) & MEMBER_FLAGS


def room_flags(text: str) -> frozenset[str]:
    """Return the flags of a room that a list names; FreeSWITCH: unknown ones mean nothing."""
    return frozenset(flag.lower() for flag in _listed(text, _ROOM_FLAGS_LIMIT)) & ROOM_FLAGS


def _listed(text: str, limit: int) -> list[str]:
    return separate(text.replace(",", "|"), "|", limit) if text else []


def combined_variable(session: Session, name: str) -> str:
    """Return the flags that variables give, divided by `|`.

    FreeSWITCH: the global variable of that name, then the channel's (all elements of an array), then the rest of the
    name of every `NAME_FLAG` that is true.
    """
    found: list[str] = []
    wanted = name.lower()
    for variables in (session.switch.global_variables, session.channel.variables):
        for variable, value in variables.items():
            lowered = variable.lower()
            if lowered == wanted:
                found += variables.elements(variable) or [value]
            elif lowered.startswith(f"{wanted}_") and is_true(value):
                found.append(variable[len(name) + 1 :])
    return "|".join(found)
