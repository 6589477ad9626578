"""What happens between a caller and a consumer: the bridge, what is known and told of it, and a caller left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.caller_profile import CallerExtension
from host.channel import Flag
from host.channel_state import ChannelState
from host.channel_watch import wait_for_state
from host.hangup_cause import HangupCause
from host.inbox import Digit
from host.ivr.bridge import bridge
from host.ivr.input_args import InputArgs
from host.ivr.record import record_session, stop_record_session
from host.ivr.soft_hold import soft_hold
from host.log import LogLevel
from host.modules.mod_fifo.events import date_text, durations, fire, talk_times, tell_presence
from host.status import Status

if TYPE_CHECKING:
    from host.channel import Channel
    from host.event import Event
    from host.modules.mod_fifo.queue import Queue
    from host.modules.mod_fifo.queues import Queues
    from host.session import Session

_HOLD_KEY: Final = "0"
_EXIT_KEY: Final = "*"
_ONHOOK: Final = ("FIFO-Type", "onhook")


def converse(queues: Queues, session: Session, queue: Queue, other: Session, name: str) -> None:
    """Bridge the consumer, whose thread calls this, with a caller until one of them ends it."""
    channel, peer = session.channel, other.channel
    if peer.state is ChannelState.CS_HIBERNATE:
        wait_for_state(session.clock, peer, ChannelState.CS_HIBERNATE)
    session.answer()
    own_id = channel.get_variable("fifo_outbound_uuid") or ""
    cid = _consumer_id(session)
    _acquaint(session, other)
    began = queues.seconds
    _note_begin(session, other, began)
    tell_presence(queues.switch, queue)
    template = channel.get_variable("fifo_record_template")
    recording = other.expand(template) if template else ""
    if recording:
        record_session(session, recording)
    import_variables(session, other, "fifo_caller_consumer_import")
    import_variables(other, session, "fifo_consumer_caller_import")
    if own_id:
        queues.cancel(queues.dialled, own_id, HangupCause.ORIGINATOR_CANCEL)
        queues.mark_bridged(own_id)
        queues.begin_use(own_id)
    use = queues.use_headers(own_id)
    fire(queues.switch, name, "channel-consumer-start", _ONHOOK, *cid, *use, session=session)
    fire(queues.switch, name, "bridge-consumer-start", *use, session=session)
    fire(queues.switch, name, "bridge-caller-start", session=other)
    queues.mark_bridged(session.uuid, other.uuid)
    queues.begin_talk(queue.name, other, session, own_id)
    _bond(session, other)
    if peer.set_state(ChannelState.CS_CONSUME_MEDIA, after=ChannelState.CS_HIBERNATE):
        wait_for_state(session.clock, peer, ChannelState.CS_CONSUME_MEDIA)
    _talk(queues, session, other)
    if Flag.TRANSFER in (peer.flags | channel.flags) and peer.up:
        peer.variables.set("fifo_initiated_bridge", None)
        peer.variables.set("fifo_bridge_role", None)
    if own_id:
        for member in queues.end_use(own_id):
            member.calls += 1
            member.calls_total += 1
        queues.unmark_bridged(own_id)
    _tell_end(queues, session, other, name, own_id)
    queues.unmark_bridged(session.uuid, other.uuid)
    queues.end_talk(session)
    if recording:
        stop_record_session(session, recording)
    note_end(session, other, queues.seconds - began, queues.seconds)
    tell_presence(queues.switch, queue)
    queues.end_needless(queue)


def return_to_queue(queues: Queues, session: Session, queue: Queue, other: Session) -> None:
    """Let a caller whose consumer is gone before they could talk wait again, as the next one to be served."""
    channel, peer = session.channel, other.channel
    channel.variables.set("last_sent_callee_id_name", f"{peer.profile.caller_id_name} (AGENT FAIL)")
    channel.variables.set("last_sent_callee_id_number", peer.profile.caller_id_number)
    channel.log(
        LogLevel.WARNING,
        f"Customer {peer.name} {peer.profile.caller_id_name} [{peer.profile.caller_id_number}] appears to be "
        f"abandoned by agent {channel.profile.caller_id_name} [{channel.profile.caller_id_number}] but is still on "
        "the line, redirecting them back to the queue with VIP status.",
    )
    if peer.state is ChannelState.CS_HIBERNATE:
        wait_for_state(session.clock, peer, ChannelState.CS_HIBERNATE)
    tell_presence(queues.switch, queue)
    queues.end_needless(queue)
    application = peer.variables.get("current_application")
    peer.variables.set("fifo_vip", "true")
    if not application or peer.down:
        peer.hangup(HangupCause.NORMAL_CLEARING)
        return
    data = peer.variables.get("current_application_data") or ""
    peer.profile.extension = CallerExtension(application, data, [(application, data)])
    peer.set_state(ChannelState.CS_EXECUTE)


def import_variables(session: Session, other: Session, which: str) -> None:
    """Copy to a leg the other one's variables that its own variable `which` names, under `fifo_import_prefix`."""
    channel = session.channel
    prefix = channel.get_variable("fifo_import_prefix") or ""
    for name in (channel.get_variable(which) or "").split(","):
        value = other.channel.get_variable(name) if name else None
        if value is not None:
            channel.variables.set(f"{prefix}{name}", value)


def note_end(session: Session, other: Session | None, seconds: int, now: int) -> None:
    """Set the variables that tell of a talk that is over; `now` in seconds since the epoch."""
    stamp = date_text(session.clock.time())
    for leg, status in ((session, "WAITING"), (other, "DONE")):
        if leg is not None:
            variables = leg.channel.variables
            variables.set("fifo_epoch_stop_bridge", str(now))
            variables.set("fifo_bridge_seconds", str(seconds))
            variables.set("fifo_status", status)
            variables.set("fifo_timestamp", stamp)


def _talk(queues: Queues, session: Session, other: Session) -> None:
    """Be bridged: the consumer's exit key hangs up on the caller, `0` lets both wait with music."""
    holding = False

    def exit_on_key(leg: Session, item: Digit | Event) -> Status:
        key = leg.channel.get_variable("fifo_consumer_exit_key") or _EXIT_KEY
        if isinstance(item, Digit) and item.digit == key[:1]:
            other.channel.hangup(HangupCause.NORMAL_CLEARING)
            return Status.BREAK
        return Status.SUCCESS

    def hold(leg: Session) -> None:
        nonlocal holding
        mine = leg.channel.get_variable("fifo_hold_music") or leg.channel.get_variable("fifo_music")
        theirs = other.channel.get_variable("fifo_music")
        try:
            if leg.partner is not None:
                soft_hold(
                    leg, _HOLD_KEY, mine or _hold_music(leg.channel), theirs or _hold_music(other.channel)
                )
        finally:
            holding = False

    def intercept(digit: Digit) -> bool:
        nonlocal holding
        exit_key = session.channel.get_variable("fifo_consumer_exit_key") or _EXIT_KEY
        if holding or digit.digit != _HOLD_KEY or exit_key.startswith(_HOLD_KEY):
            return False
        holding = True
        session.run_in_session(hold)
        return True

    if queues.hold_key:
        session.digit_interceptors.append(intercept)
    try:
        bridge(session, other, InputArgs(exit_on_key))
    finally:
        if queues.hold_key:
            session.digit_interceptors.remove(intercept)


def _hold_music(channel: Channel) -> str:
    return channel.get_variable("temp_hold_music") or channel.get_variable("hold_music") or ""


def _acquaint(session: Session, other: Session) -> None:
    """Let each profile know the other leg: the caller sees the consumer, the consumer the caller's callee."""
    for leg in (session, other):
        stepped = leg.channel.profile.clone()
        stepped.extension = leg.channel.profile.extension
        leg.channel.push_profile(stepped)
    mine, theirs = session.channel.profile, other.channel.profile
    theirs.originator, mine.originatee = mine.clone(), theirs.as_originatee()
    for part in ("name", "number"):
        setattr(mine, f"callee_id_{part}", getattr(theirs, f"callee_id_{part}"))
        setattr(theirs, f"callee_id_{part}", getattr(theirs, f"caller_id_{part}"))
        setattr(theirs, f"caller_id_{part}", getattr(mine, f"caller_id_{part}"))


def _consumer_id(session: Session) -> tuple[tuple[str, str], ...]:
    """Return the headers that tell who the consumer is."""
    profile = session.channel.profile
    if session.channel.outbound:
        name, number = profile.caller_id_name, profile.caller_id_number
    else:
        name = profile.callee_id_name or profile.destination_number
        number = profile.callee_id_number or name
    return ("FIFO-Caller-CID-Name", name), ("FIFO-Caller-CID-Number", number)


def _note_begin(session: Session, other: Session, began: int) -> None:
    stamp = date_text(session.clock.time())
    for leg, target, role in ((session, other, "consumer"), (other, session, "caller")):
        variables = leg.channel.variables
        variables.set("fifo_status", "TALKING")
        variables.set("fifo_target", target.uuid)
        variables.set("fifo_timestamp", stamp)
        variables.set("fifo_epoch_start_bridge", str(began))
        variables.set("fifo_role", role)


def _bond(session: Session, other: Session) -> None:
    for leg, partner, role in ((session, other, "consumer"), (other, session, "caller")):
        leg.channel.variables.set("signal_bond", partner.uuid)
        leg.channel.variables.set("fifo_initiated_bridge", "true")
        leg.channel.variables.set("fifo_bridge_role", role)


def _tell_end(queues: Queues, session: Session, other: Session, name: str, own_id: str) -> None:
    use = queues.use_headers(own_id)
    bridged = durations("FIFO-Consumer-Bridge-Time", session.channel.profile.times.bridged)
    talked = talk_times(session, "Consumer")
    fire(queues.switch, name, "channel-consumer-stop", _ONHOOK, *use, *bridged, *talked, session=session)
    fire(queues.switch, name, "bridge-consumer-stop", *use, session=session)
    fire(queues.switch, name, "bridge-caller-stop", *talk_times(other, "Caller"), session=other)
