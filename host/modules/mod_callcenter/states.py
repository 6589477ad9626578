"""What agents, tiers and members can be, in FreeSWITCH's words, which commands take in any case."""

from __future__ import annotations

from typing import Final

CALLBACK: Final = "callback"
UUID_STANDBY: Final = "uuid-standby"
AGENT_TYPES: Final = frozenset({CALLBACK, UUID_STANDBY})

LOGGED_OUT: Final = "Logged Out"
AVAILABLE: Final = "Available"
ON_DEMAND: Final = "Available (On Demand)"
ON_BREAK: Final = "On Break"
AGENT_STATUSES: Final = (LOGGED_OUT, AVAILABLE, ON_DEMAND, ON_BREAK)

WAITING: Final = "Waiting"
RECEIVING: Final = "Receiving"
IN_A_QUEUE_CALL: Final = "In a queue call"
IDLE: Final = "Idle"
RESERVED: Final = "Reserved"
AGENT_STATES: Final = (WAITING, RECEIVING, IN_A_QUEUE_CALL, IDLE, RESERVED)

NO_ANSWER: Final = "No Answer"
READY: Final = "Ready"
OFFERING: Final = "Offering"
ACTIVE_INBOUND: Final = "Active Inbound"
STANDBY: Final = "Standby"
TIER_STATES: Final = (NO_ANSWER, READY, OFFERING, ACTIVE_INBOUND, STANDBY)

# A member is WAITING, too.
TRYING: Final = "Trying"
ANSWERED: Final = "Answered"
ABANDONED: Final = "Abandoned"

NOT_CANCELLED: Final = "NONE"
TIMEOUT: Final = "TIMEOUT"
NO_AGENT_TIMEOUT: Final = "NO_AGENT_TIMEOUT"
BREAK_OUT: Final = "BREAK_OUT"
EXIT_WITH_KEY: Final = "EXIT_WITH_KEY"


def known(text: str, names: tuple[str, ...]) -> str | None:
    """Return the one of `names` that `text` is in whatever case, None when there is none."""
    lower = text.lower()
    return next((name for name in names if name.lower() == lower), None)
