"""Messages that steer a call (`sendmsg`): each is an event with a `call-command`, obeyed in the call's own thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from host.caller_profile import CallerExtension
from host.channel import Flag
from host.channel_event import add_channel_headers
from host.channel_state import ChannelState
from host.event import Event
from host.hangup_cause import HangupCause, parse_cause
from host.inbox import Command, Wake
from host.leading_number import leading_int
from host.log import LogLevel
from host.status import Status
from host.truth import is_true

if TYPE_CHECKING:
    from host.session import Session

# FreeSWITCH: a turn of a loop that took less than this ends the loop.
SHORTEST_TURN: Final = 500_000  # µs
# How long a frame of audio is taken for when a message waits for some.
FRAME: Final = 20_000  # µs

# Private of a channel: the UUID of the leg whose partner gets the messages that this one has no use for.
MESSAGES_PASS_BY: Final = "messages_pass_by"
# No call waits longer than this for `lead-frames`, whatever a client asks for.
MOST_LEAD_FRAMES: Final = 5 * 60 * 50

_QUEUE: Final = "session_messages"


def queue_message(session: Session, message: Event) -> None:
    """Have the session's thread obey `message` at its next wait and tell it with PRIVATE_COMMAND.

    While a message with `event-lock` is obeyed, those behind it wait; else they run inside of what an earlier one
    started.
    """
    _queue(session).append(message)
    session.inbox.put(Command(_obey_queued))


def _queue(session: Session) -> deque[Event]:
    queue = session.channel.private.setdefault(_QUEUE, deque())
    assert isinstance(queue, deque)
    return queue


def _obey_queued(session: Session) -> None:
    queue = _queue(session)
    while queue and Flag.EVENT_LOCK not in session.channel.flags:
        message = queue.popleft()
        obey(session, message)
        tell_message(session, message)


def tell_message(session: Session, message: Event) -> None:
    """Tell with PRIVATE_COMMAND that a message was obeyed: its headers, the general ones, the channel's."""
    if not session.switch.bus.wants("PRIVATE_COMMAND"):
        return
    event = Event.of("PRIVATE_COMMAND", message.headers)
    for name, value in session.switch.new_event("PRIVATE_COMMAND").headers:
        if isinstance(value, str):
            event.add_header(name, value)
    add_channel_headers(event, session.channel, variables=False)
    event.body = message.body
    session.switch.fire(event)


def obey(session: Session, message: Event) -> Status:
    """Do what the `call-command` of `message` says, in the session's thread; FALSE when it has none.

    FreeSWITCH: an unknown command does nothing.
    """
    channel = session.channel
    command = message.get_header("call-command")
    if not command:
        channel.log(LogLevel.ERR, "Invalid Command!")
        return Status.FALSE
    locks = is_true(message.get_header("event-lock"))
    if locks:
        channel.set_flag(Flag.EVENT_LOCK)
    channel.clear_flag(Flag.STOP_BROADCAST)
    try:
        if not _lead_in(session, message):
            return Status.FALSE
        if command == "execute":
            _execute(session, message)
        elif command == "hangup":
            cause = message.get_header("hangup-cause")
            channel.hangup(parse_cause(cause) if cause is not None else HangupCause.NORMAL_CLEARING)
        elif command == "xferext":
            transfer_to_extension(session, _extension_of(message))
        elif command == "nomedia":
            _nomedia(session, message.get_header("nomedia-uuid") or "")
    finally:
        if locks:
            channel.clear_flag(Flag.EVENT_LOCK)
    return Status.SUCCESS


def _lead_in(session: Session, message: Event) -> bool:
    """Wait for the frames of audio that the message asks for; False when the call ended meanwhile.

    FreeSWITCH: a call that is sent elsewhere meanwhile still does what the message says, before it goes.
    """
    frames = min(leading_int(message.get_header("lead-frames") or ""), MOST_LEAD_FRAMES)
    if frames > 0 and session.channel.media_ready:
        session.receive(session.clock.now() + frames * FRAME, ())
        return session.channel.up
    return True


def _execute(session: Session, message: Event) -> None:
    application = message.get_header("execute-app-name")
    if application is None:
        return
    argument = message.get_header("execute-app-arg")
    if not argument and (message.get_header("content-type") or "").lower() == "text/plain":
        argument = message.body
    loops_text = message.get_header("loops")
    loops = leading_int(loops_text) if loops_text is not None else 1
    channel = session.channel
    release = _hold_other_leg(session, message)
    turn = 0
    try:
        while turn < loops or loops < 0:
            turn += 1
            began = session.clock.now()
            _run_turn(session, message, application, argument or "", (turn, loops))
            ended_early = session.clock.now() - began < SHORTEST_TURN
            if not channel.ready or Flag.STOP_BROADCAST in channel.flags or ended_early:
                break
    finally:
        channel.variables.set("current_loop", None)
        channel.variables.set("total_loops", None)
        channel.clear_flag(Flag.STOP_BROADCAST)
        if release is not None:
            release()


def _run_turn(
    session: Session, message: Event, application: str, argument: str, loop: tuple[int, int]
) -> None:
    variables = session.channel.variables
    app_uuid = message.get_header("event-uuid")
    for name, value in (
        ("app_uuid", app_uuid),
        ("app_uuid_name", message.get_header("event-uuid-name")),
        ("current_loop", str(loop[0])),
        ("total_loops", str(loop[1])),
    ):
        if value is not None:
            variables.set(name, value)
    session.execute(application, argument)


def _hold_other_leg(session: Session, message: Event) -> Callable[[], None] | None:
    """Play hold music to the bridged leg, for `hold-bleg`; return what ends it when there is some."""
    from host.ivr.broadcast import play_music, stop_broadcast  # which is made of messages itself

    if not is_true(message.get_header("hold-bleg")) or session.partner is None:
        return None
    partner = session.switch.find_session(session.partner)
    music = session.channel.get_variable("hold_music") or ""
    if partner is None or not music or music.lower() in ("silence", "indicate_hold"):
        return None
    play_music(partner, music)
    return lambda: stop_broadcast(partner)


def _extension_of(message: Event) -> CallerExtension:
    extension = CallerExtension("xferext", "xferext")
    for name, value in message.headers:
        if name.lower() == "application" and isinstance(value, str):
            application, _, data = value.partition(" ")
            extension.applications.append((application, data))
    return extension


def transfer_to_extension(session: Session, extension: CallerExtension) -> None:
    """Have the call execute `extension` instead of what it does, without asking a dialplan."""
    channel = session.channel
    channel.profile.extension = extension  # FreeSWITCH: the caller profile stays
    session.handlers.clear()

    def skip_the_hunt(call: Session) -> bool:
        call.handlers.remove(table)
        call.channel.set_state(ChannelState.CS_EXECUTE)
        return False

    table = {ChannelState.CS_ROUTING: skip_the_hunt}
    session.handlers.append(table)
    channel.set_flag(Flag.TRANSFER)
    if not channel.set_state(ChannelState.CS_ROUTING):
        session.handlers.remove(table)
    session.inbox.put(Wake())


def _nomedia(session: Session, uuid: str) -> None:
    wanted = session.switch.find_session(uuid)
    if wanted is not None:
        from host.ivr.media_path import media_off  # which bridges, and a bridge comes here

        media_off(wanted)
