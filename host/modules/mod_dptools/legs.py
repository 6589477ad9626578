"""Applications that answer, end, move and join calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.arguments import separate
from host.channel import Flag
from host.event import Event
from host.hangup_cause import parse_cause
from host.inbox import Digit
from host.ivr import execute_extension as extension
from host.ivr import soft_hold as soft
from host.ivr.attended_transfer import attended_transfer
from host.ivr.bridge import bridge
from host.ivr.broadcast import flush_broadcasts
from host.ivr.fail_cause import handle_cause
from host.ivr.hold import hold, unhold
from host.ivr.input_args import InputArgs
from host.ivr.note_sent import note_shown
from host.ivr.originate import originate
from host.ivr.park import park
from host.ivr.uuid_bridge import intercept, partner_of
from host.log import LogLevel
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

applications: Final = ApplicationTable("mod_dptools")
application = applications.application

_TRANSFER_PARTS: Final = 4


@application("answer", "", "Answer the call")
def answer(session: Session, data: str) -> None:
    """Answer."""
    session.answer()


@application("pre_answer", "", "Pre-Answer the call")
def pre_answer(session: Session, data: str) -> None:
    """Start early media."""
    session.pre_answer()


@application("ring_ready", "", "Indicate Ring_Ready")
def ring_ready(session: Session, data: str) -> None:
    """Let the far end ring."""
    session.ring_ready()


@application("wait_for_answer", "", "Wait for call to be answered")
def wait_for_answer(session: Session, data: str) -> None:
    """Block until the call is answered or over."""
    channel = session.channel
    session.receive(None, (), until=lambda: Flag.ANSWERED in channel.flags)


@application("hangup", "[<cause>]", "Hangup the call")
def hangup(session: Session, data: str) -> None:
    """Hang up with a cause by name or number."""
    session.channel.hangup(parse_cause(data))


@application("park", "", "Park")
def park_(session: Session, data: str) -> None:
    """Wait to be moved."""
    park(session)


@application("transfer", "<exten> [<dialplan> <context>]", "Immediately transfer the calling channel")
def transfer(session: Session, data: str) -> None:
    """Transfer this leg; with `-bleg` the other one, with `-both` both."""
    parts = separate(data, " ", _TRANSFER_PARTS)
    if not parts:
        session.channel.log(LogLevel.ERR, "No extension specified.")
        return
    which = parts[0].lower()
    if which not in ("-bleg", "-both"):
        session.transfer(*parts[:3])
        return
    where = parts[1:]
    if not where:
        where = [""]
    other = partner_of(session)
    if other is None:
        session.channel.log(LogLevel.WARNING, "No B-leg present.")
    elif which == "-both":
        for one in (session, other):
            one.channel.flags.add(Flag.REDIRECT)
        other.transfer(*where)
    else:
        other.transfer(*where)
    if which == "-both":
        session.transfer(*where)


@application("execute_extension", "<extension> <dialplan> <context>", "Execute an extension")
def execute_extension(session: Session, data: str) -> None:
    """Run an extension's applications and come back."""
    parts = separate(data, " ", _TRANSFER_PARTS)
    if not parts:
        session.channel.log(LogLevel.ERR, "Usage: <extension> <dialplan> <context>")
        return
    extension.execute_extension(session, *parts[:3])


@application("bridge", "<channel_url>", "Bridge Audio")
def bridge_(session: Session, data: str) -> None:
    """Call somebody and speak with them; go on, or end, as `continue_on_fail` and its companions say."""
    if not data:
        return
    channel = session.channel
    peer, cause = originate(session.switch, data, session, 0)
    if peer is None:
        channel.log(LogLevel.INFO, f"Originate Failed.  Cause: {cause.name}")
        channel.variables.set("originate_failed_cause", cause.name)
        handle_cause(session, cause)
        return
    if any(one.channel.is_true("bypass_media_after_bridge") for one in (session, peer)):
        channel.flags.add(Flag.BYPASS_MEDIA_AFTER_BRIDGE)
    bridge(session, peer, _ended_by_key(session), _ended_by_key(peer))


def _ended_by_key(session: Session) -> InputArgs | None:
    """Return what lets `bridge_terminate_key` end the bridge."""
    keys = session.channel.variables.get("bridge_terminate_key")
    if not keys:
        return None

    def on_input(session: Session, item: Digit | Event) -> Status:
        ends = isinstance(item, Digit) and item.digit in keys
        return Status.BREAK if ends else Status.SUCCESS

    return InputArgs(on_input)


@application("redirect", "<redirect_data>", "Send session redirect")
def redirect(session: Session, data: str) -> None:
    """Ask the endpoint to send the caller elsewhere before the answer."""
    session.io.message(session, "redirect", data)


@application("deflect", "<deflect_data>", "Send call deflect")
def deflect(session: Session, data: str) -> None:
    """Ask the endpoint to send the answered far end elsewhere."""
    session.io.message(session, "deflect", data)


@application("respond", "<respond_data>", "Send session respond")
def respond(session: Session, data: str) -> None:
    """Ask the endpoint to refuse with a response of its own protocol."""
    session.io.message(session, "respond", data)


@application("send_display", "<text>", "Send session a new display")
def send_display(session: Session, data: str) -> None:
    """Ask the endpoint to show a text."""
    note_shown(session.channel, data)
    session.io.message(session, "display", data)


@application("hold", "[<display message>]", "Send a hold message")
def hold_(session: Session, data: str) -> None:
    """Hold the call."""
    hold(session, data)


@application("unhold", "", "Send a un-hold message")
def unhold_(session: Session, data: str) -> None:
    """End the hold."""
    unhold(session)


@application("intercept", "[-bleg] <uuid>", "intercept", media=True)
def intercept_(session: Session, data: str) -> None:
    """Take another call over."""
    parts = separate(data, " ", _TRANSFER_PARTS)
    other_leg = bool(parts) and parts[0].lower() == "-bleg"
    if other_leg:
        parts = parts[1:]
    if not parts:
        session.channel.log(LogLevel.ERR, "Usage: [-bleg] <uuid>")
        return
    intercept(session, parts[0], other_leg=other_leg)


@application("att_xfer", "<channel_url>", "Attended Transfer", media=True)
def att_xfer(session: Session, data: str) -> None:
    """Call a third party while the other leg waits."""
    attended_transfer(session, data)


@application("soft_hold", "<unhold key> [<moh_a>] [<moh_b>]", "Put a bridged channel on hold", media=True)
def soft_hold(session: Session, data: str) -> None:
    """Let both legs wait with music until the key is pressed."""
    parts = separate(data, " ", 3)
    if not parts:
        session.channel.log(LogLevel.ERR, "Usage: <unhold key> [<moh_a>] [<moh_b>]")
        return
    soft.soft_hold(session, *parts)


@application("break", "", "Break")
def break_(session: Session, data: str) -> None:
    """End what plays; what is queued as well, when a word other than `all` is given."""
    if data and data.lower() != "all":
        flush_broadcasts(session)
    session.break_off()


def load(switch: Switch) -> None:
    """Bring these applications."""
    applications.register(switch)
