"""Calls that the command `originate` places."""

from __future__ import annotations

from host.session import Session
from host.switch import Switch


def placed(switch: Switch, arguments: str, variables: str = "") -> Session:
    """Return the leg that `originate` placed; `variables` are those of all legs: ``a=1,b=2``."""
    given = f"{{{variables}}}" if variables else ""
    reply = switch.api("originate", given + arguments)
    assert reply.startswith("+OK "), reply
    session = switch.find_session(reply[4:].strip())
    assert session is not None
    return session


def parked(switch: Switch, variables: str = "") -> Session:
    """Return a leg that is parked."""
    return placed(switch, "null/x &park()", variables)
