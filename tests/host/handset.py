"""An endpoint without a far end, and calls of it that run applications."""

from __future__ import annotations

from host.caller_profile import CallerExtension, CallerProfile
from host.channel_state import ChannelState
from host.interfaces import ChannelIO
from host.session import Session
from host.switch import Switch


class Handset:
    """Takes what it is told, and does nothing."""

    def answer(self, session: Session) -> None: ...
    def pre_answer(self, session: Session) -> None: ...
    def ring_ready(self, session: Session) -> None: ...
    def send_dtmf(self, session: Session, digit: str, duration: int, processed: bool = True) -> None: ...
    def hangup(self, session: Session) -> None: ...
    def message(self, session: Session, kind: str, argument: str) -> bool:
        return False


def start_call(
    switch: Switch, *applications: tuple[str, str], handset: ChannelIO | None = None, destination: str = ""
) -> Session:
    """Return a call that came in, named ``test/1``, whose thread runs these applications."""
    profile = CallerProfile(destination_number=destination)
    session = Session(switch, "test/1", profile, handset or Handset(), outbound=False, endpoint="test")
    session.channel.profile.extension = CallerExtension("x", "x", list(applications))
    session.channel.set_state(ChannelState.CS_EXECUTE)
    session.start()
    return session
