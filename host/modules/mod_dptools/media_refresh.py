"""Applications about media that is renewed or not wanted: pictures, comfort noise, a call that was recovered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.log import LogLevel

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

_MANUAL: Final = "manual_video_refresh"


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


@_application("video_refresh", "[manual|auto]", "Send video refresh.")
def video_refresh(session: Session, data: str) -> None:
    """Ask the far end for a whole picture, or set whether that happens by itself; a call of sound alone has none."""
    channel = session.channel
    if not data:
        session.io.message(session, "video_refresh", "")
        return
    if data.lower() in ("manual", "auto"):
        channel.private[_MANUAL] = data.lower() == "manual"
    mode = "manual" if channel.private.get(_MANUAL) else "auto"
    channel.log(LogLevel.DEBUG, f"{channel.name} video refresh now in {mode} mode.")


@_application("recovery_refresh", "", "Send call recovery_refresh")
def recovery_refresh(session: Session, data: str) -> None:
    """Let the far end set the call up anew, as after a recovery, where its endpoint can."""
    session.io.message(session, "recovery_refresh", data)


@_application("novideo", "", "Refuse Inbound Video", routing=True)
def novideo(session: Session, data: str) -> None:
    """Refuse the pictures that a caller offers: none are taken anyway."""


@_application("cng_plc", "", "Do PLC on CNG frames", routing=True)
def cng_plc(session: Session, data: str) -> None:
    """Let a pause with comfort noise be concealed like frames that were lost: what does not come always is."""
