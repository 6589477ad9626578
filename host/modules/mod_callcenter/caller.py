"""The application `callcenter QUEUE`: a member waits with music and announcements until an agent takes the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.arguments import separate
from host.clock import MILLISECOND, SECOND
from host.hangup_cause import HangupCause
from host.inbox import Digit
from host.ivr.broadcast import stop_broadcast
from host.ivr.digits import collect_digits_callback
from host.ivr.input_args import InputArgs
from host.ivr.play import play_file
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_callcenter import members
from host.modules.mod_callcenter.announcements import Announcements
from host.modules.mod_callcenter.center import Waiting
from host.modules.mod_callcenter.events import fire, tell_count, tell_presence
from host.modules.mod_callcenter.members import Member
from host.modules.mod_callcenter.states import BREAK_OUT, EXIT_WITH_KEY, NOT_CANCELLED
from host.status import Status
from host.truth import is_true

if TYPE_CHECKING:
    from host.event import Event
    from host.modules.mod_callcenter.center import CallCenter
    from host.modules.mod_callcenter.queue import Queue
    from host.session import Session

SYNTAX: Final = "queue_name"
_MOST_WORDS: Final = 6

# A file that is over sooner holds no sound.
_SHORTEST_MUSIC: Final = 20 * MILLISECOND
_PLAYED: Final = frozenset({Status.SUCCESS, Status.BREAK, Status.TIMEOUT})


def callcenter(center: CallCenter, session: Session, data: str) -> None:
    """Wait in the queue that `data` names; afterwards the call is on its way to an agent, or goes on, or is over."""
    channel = session.channel
    if not data:
        channel.log(LogLevel.WARNING, "No Queue name provided")
        return
    name = (separate(data, " ", _MOST_WORDS) or [""])[0]
    queue = center.find_queue(name)
    if queue is None:
        channel.log(LogLevel.WARNING, f"Queue {name} not found")
        return
    session.answer()
    waiting = _join(center, session, queue)
    center.wake()
    announcements = Announcements(center, session, name)
    announcements.begin()
    try:
        _wait(session, queue, waiting)
    finally:
        announcements.end()
        center.leave(waiting)
    _leave(center, waiting)


def _join(center: CallCenter, session: Session, queue: Queue) -> Waiting:
    """Make the call a member, or the one again that it was before (`abandoned-resume-allowed`)."""
    channel = session.channel
    now = center.seconds
    name, number = (channel.get_variable(f"caller_id_{part}") or "" for part in ("name", "number"))
    members.forget_abandoned(center)
    resumed = queue.settings.abandoned_resume_allowed and members.abandoned_place(center, queue.name, number)
    uuid = resumed or center.switch.new_uuid()
    put = channel.variables.set
    put("cc_side", "member")
    put("cc_member_uuid", uuid)
    put("cc_agent_found", None)
    put("cc_agent_bridged", None)
    answered = channel.profile.times.answered // SECOND
    score = leading_int(channel.get_variable("cc_base_score") or "")
    if queue.settings.time_base_score.lower() == "system":
        score += now - answered
    put("cc_queue_joined_epoch", str(now))
    put("cc_queue", queue.name)
    waiting = Waiting(session, queue.name, uuid, now)
    center.enter(waiting)  # before it can be offered to anybody
    if resumed and not members.resume(center, uuid, session.uuid):
        channel.log(
            LogLevel.ERR,
            f"Member {name} <{number}> restoring action failed in queue {queue.name}, joining again",
        )
        resumed = ""
        uuid = waiting.member_uuid = center.switch.new_uuid()
        put("cc_member_uuid", uuid)
    member = Member(queue.name, uuid, session.uuid, number, name, now, "", center.instance)
    fire(
        center,
        ("CC-Queue", queue.name),
        ("CC-Action", "member-queue-resume" if resumed else "member-queue-start"),
        *_headers(member),
        session=session,
    )
    if not resumed:
        members.joining(center, member, queue.settings.way, answered, score)
    tell_count(center, queue.name)
    tell_presence(center, queue.name)
    return waiting


def _wait(session: Session, queue: Queue, waiting: Waiting) -> None:
    """Hear music until an agent takes the call, or until it leaves."""
    channel = session.channel
    given = channel.get_variable("cc_moh_override")
    music = session.expand(given if given is not None else queue.settings.moh_sound or "")
    while channel.ready and waiting.reason == NOT_CANCELLED:
        if is_true(channel.variables.get("cc_agent_bridged")):
            return
        pressed = _ExitKeys(channel.get_variable("cc_exit_keys") or "")
        args = InputArgs(pressed.on_input)
        if music:
            began = session.clock.now()
            status = play_file(session, music, args=args)
            brief = status is Status.SUCCESS and session.clock.now() - began < _SHORTEST_MUSIC
            if channel.ready and (brief or status not in _PLAYED):
                channel.log(LogLevel.WARNING, f"Couldn't play file '{music}', continuing wait with no audio")
                music = ""
        else:
            collect_digits_callback(session, args)
        if pressed.key:
            channel.variables.set("cc_exit_key", pressed.key)
            waiting.reason = EXIT_WITH_KEY


class _ExitKeys:
    """The keys that lead out of the queue, and the one of them that was pressed."""

    def __init__(self, keys: str) -> None:
        self._keys = keys
        self.key = ""

    def on_input(self, session: Session, item: Digit | Event) -> Status:
        """Break off at such a key."""
        if isinstance(item, Digit) and item.digit in self._keys:
            self.key = item.digit
            return Status.BREAK
        return Status.SUCCESS


def _leave(center: CallCenter, waiting: Waiting) -> None:
    """Note how the wait ended. FreeSWITCH: a hangup is told as BREAK_OUT."""
    session = waiting.session
    channel = session.channel
    variables = channel.variables
    found = is_true(variables.get("cc_agent_bridged")) or is_true(variables.get("cc_agent_found"))
    stop_broadcast(session)
    session.forget_input()
    if waiting.reason == NOT_CANCELLED and not found:
        waiting.reason = BREAK_OUT
    variables.set("cc_agent_found", None)
    queue = center.find_queue(waiting.queue)
    if channel.up and waiting.reason == NOT_CANCELLED:
        variables.set("cc_cause", "answered")
        if queue is not None:
            queue.calls_answered += 1
    else:
        _cancel(center, waiting)
        if queue is not None:
            queue.calls_abandoned += 1
    tell_count(center, waiting.queue)
    tell_presence(center, waiting.queue)


def _cancel(center: CallCenter, waiting: Waiting) -> None:
    session = waiting.session
    channel = session.channel
    name, number = (channel.get_variable(f"caller_id_{part}") or "" for part in ("name", "number"))
    members.abandon(center, waiting.member_uuid)
    center.give_up(waiting.member_uuid, HangupCause.ORIGINATOR_CANCEL)
    now = str(center.seconds)
    member = Member(waiting.queue, waiting.member_uuid, session.uuid, number, name, waiting.joined, "", "")
    fire(
        center,
        ("CC-Queue", waiting.queue),
        ("CC-Action", "member-queue-end"),
        ("CC-Member-Leaving-Time", now),
        ("CC-Member-Joined-Time", str(waiting.joined)),
        ("CC-Cause", "Cancel"),
        ("CC-Cancel-Reason", waiting.reason),
        *_headers(member),
        session=session,
    )
    channel.variables.set("cc_queue_canceled_epoch", now)
    channel.variables.set("cc_cause", "cancel")
    channel.variables.set("cc_cancel_reason", waiting.reason)
    channel.log(
        LogLevel.DEBUG, f'Member "{name}" <{number}> exit queue {waiting.queue} due to {waiting.reason}'
    )


def _headers(member: Member) -> tuple[tuple[str, str], ...]:
    return (
        ("CC-Member-UUID", member.uuid),
        ("CC-Member-Session-UUID", member.session_uuid),
        ("CC-Member-CID-Name", member.cid_name),
        ("CC-Member-CID-Number", member.cid_number),
    )
