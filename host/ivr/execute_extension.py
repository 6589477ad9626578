"""Run an extension of the dialplan and come back (FreeSWITCH: switch_core_session_execute_exten)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.log import LogLevel
from host.status import Status

if TYPE_CHECKING:
    from host.caller_profile import CallerExtension, CallerProfile
    from host.session import Session

# FreeSWITCH: SWITCH_MAX_STACKS, extensions that execute extensions.
MAX_STACK: Final = 16
_KEY: Final = "execute_extension_stack"


def execute_extension(session: Session, extension: str, dialplan: str = "", context: str = "") -> Status:
    """Look an extension up and run its applications; empty parts are those of the call. FALSE when there is none."""
    channel = session.channel
    stack = channel.private.get(_KEY, 0)
    assert isinstance(stack, int)
    if stack > MAX_STACK:
        channel.log(LogLevel.ERR, f"Error {channel.name} too many stacked extensions [depth={stack}]")
        return Status.FALSE
    present = channel.hunt_profile or channel.profile  # nested ones stay in the context they were found in
    profile = present.clone()
    profile.times = present.times
    profile.destination_number = extension
    profile.dialplan = dialplan or profile.dialplan
    profile.context = context or profile.context
    former = channel.hunt_profile
    channel.private[_KEY] = stack + 1
    channel.hunt_profile = profile
    try:
        found = _hunt(session, profile)
        if found is None:
            return Status.FALSE
        while channel.ready and (step := found.next()) is not None:
            session.execute(*step)
        return Status.SUCCESS
    finally:
        channel.hunt_profile = former
        channel.private[_KEY] = stack


def _hunt(session: Session, profile: CallerProfile) -> CallerExtension | None:
    for name in profile.dialplan.split(","):
        kind, _, argument = name.partition(":")
        dialplan = session.switch.dialplans.get(kind)
        if dialplan is not None and (found := dialplan.hunt(session, argument, profile)) is not None:
            return found
    return None
