"""Applications that change how the call itself runs: its end, its caller profile, its state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host import session_state
from host.application_table import ApplicationTable
from host.channel import Flag
from host.channel_state import ChannelState
from host.ivr.park import park_session
from host.log import LogLevel

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

_EARLY: Final = "early_hangup"


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


@_application("early_hangup", "", "Enable early hangup", routing=True)
def early_hangup(session: Session, data: str) -> None:
    """Tell the far end of a hangup that comes from the call's own thread at once, and run the hangup hooks.

    Without it that waits until the application that hung up has ended.
    """
    channel = session.channel
    if _EARLY in channel.private:
        return
    channel.private[_EARLY] = True

    def told() -> None:
        if channel.state is ChannelState.CS_HANGUP and session.in_own_thread:
            for table in (session.endpoint_handlers, *session.handlers, session_state.DEFAULT):
                handler = table.get(ChannelState.CS_HANGUP)
                if handler is not None and not handler(session):
                    return

    channel.watchers.append(told)


@_application("reuse_caller_profile", "", "Reuse the caller profile")
def reuse_caller_profile(session: Session, data: str) -> None:
    """Let transfers change the caller profile there is, instead of putting a new one in front of it."""
    session.channel.flags.add(Flag.REUSE_CALLER_PROFILE)


@_application("park_state", "", "Park State", media=True)
def park_state(session: Session, data: str) -> None:
    """Send the call to the state CS_PARK: what is left of the extension is not executed."""
    park_session(session)


@_application("media_reset", "", "Reset all bypass/proxy media flags")
def media_reset(session: Session, data: str) -> None:
    """Take back `bypass_media` and `proxy_media` before the call has media."""
    channel = session.channel
    if channel.media_ready:
        channel.log(
            LogLevel.WARNING,
            f"{channel.name} This function does not work once media has been established.",
        )
        return
    channel.flags -= {Flag.PROXY_MODE, Flag.PROXY_MEDIA}
    channel.set_variable("bypass_media", None)
    channel.set_variable("proxy_media", None)
    channel.log(LogLevel.INFO, f"{channel.name} Reset MEDIA flags.")
