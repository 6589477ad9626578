"""The application `broadcast`: play or execute something on the call and on whom it is bridged with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.arguments import separate
from host.ivr.broadcast import broadcast as play_to_legs
from host.log import LogLevel

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")


@_applications.application("broadcast", "<path> <leg>", "Broadcast File", media=True)
def broadcast(session: Session, data: str) -> None:
    """Play or execute `path` on both legs, on this one alone when `leg` has the word `holdb`.

    FreeSWITCH: `aleg` and `bleg` are both, too.
    """
    parts = separate(data, " ", 4)
    if not 0 < len(parts) < 3:
        session.channel.log(LogLevel.ERR, f"invalid args for broadcast app [{data}]")
        return
    path, *leg = parts
    play_to_legs(session.switch, session.uuid, path, "aleg" if "holdb" in "".join(leg).lower() else "both")
    session.channel.set_variable("current_application_response", "BROADCAST_SENT")


def load(switch: Switch) -> None:
    """Register the application."""
    _applications.register(switch)
