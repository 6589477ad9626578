"""Applications that are messages to the call's endpoint: what it makes of them is its business."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.arguments import separate
from host.ivr.blind_transfer import blind_transfer_ack as ack
from host.log import LogLevel
from host.truth import is_true

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

_DEBUG_MEDIA_SYNTAX: Final = "<read|write|both|vread|vwrite|vboth|all> <on|off>"


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


@_application("acknowledge_call", "", "Indicate Call Acknowledged")
def acknowledge_call(session: Session, data: str) -> None:
    """Let the caller know that the call has arrived, without ringing (SIP: 100 Trying)."""
    session.io.message(session, "acknowledge_call", "")


@_application("send_info", "<info>", "Send info")
def send_info(session: Session, data: str) -> None:
    """Send the far end a text within the call (SIP: INFO)."""
    session.io.message(session, "info", data)


@_application("jitterbuffer", "<jitterbuffer_data>", "Send session jitterbuffer")
def jitterbuffer(session: Session, data: str) -> None:
    """Set, change or take away the jitter buffer of what is received: `60[:200[:20]]` ms, `pause`, `resume`, 0."""
    _send(session, "jitter_buffer", data)


@_application("debug_media", _DEBUG_MEDIA_SYNTAX, "Debug Media")
def debug_media(session: Session, data: str) -> None:
    """Log the packets of a direction, or stop it."""
    parts = separate(data, " ", 2)
    if len(parts) < 2 or not all(parts):
        session.channel.log(LogLevel.ERR, f"USAGE: {_DEBUG_MEDIA_SYNTAX}")
        return
    _send(session, "debug_media", " ".join(parts))


@_application("capture_text", "", "capture text")
def capture_text(session: Session, data: str) -> None:
    """Tell the text that the far end sends within the call as events (`on`), or no more."""
    _send(session, "capture_text", "on" if is_true(data) else "off")


@_application("set_media_stats", "", "Set Media Stats", routing=True, zombie=True)
def set_media_stats(session: Session, data: str) -> None:
    """Have the transport leave its counters in the call's variables now."""
    session.io.message(session, "media_stats", "")


@_application("blind_transfer_ack", "[true|false]", "")
def blind_transfer_ack(session: Session, data: str) -> None:
    """Tell the leg that has asked for the transfer which led here whether it is a success, once."""
    ack(session, is_true(data))


def _send(session: Session, kind: str, argument: str) -> None:
    """Send a message; an endpoint that does not know it (one without RTP) leaves an error in the log."""
    if not session.io.message(session, kind, argument):
        session.channel.log(
            LogLevel.ERR, f"{session.channel.name} has no transport that takes {kind} [{argument}]"
        )
