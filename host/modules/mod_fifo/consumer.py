"""The application `fifo NAMES out`: a consumer takes callers out of queues and talks to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.arguments import separate
from host.channel import Flag
from host.channel_state import ChannelState
from host.channel_watch import wait_until, watching
from host.clock import MILLISECOND
from host.hangup_cause import HangupCause
from host.inbox import Break
from host.ivr.digits import collect_digits_count
from host.ivr.input_args import InputArgs
from host.ivr.originate import originate
from host.ivr.play import play_file
from host.ivr.sleep import sleep
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_fifo.caller import ACCEPTABLE, SHORTEST_MUSIC
from host.modules.mod_fifo.conversation import converse, return_to_queue
from host.modules.mod_fifo.events import date_text, fire
from host.modules.mod_fifo.queue import SLOTS, Entry, Queue
from host.status import Status
from host.truth import is_true

if TYPE_CHECKING:
    from host.modules.mod_fifo.queues import Queues
    from host.session import Session

_MORE_PEOPLE: Final = "more_ppl"
_WAITING_LONGER: Final = "waiting_longer"
_WRAPUP_MS: Final = 5000
_URL_SECONDS: Final = 120
_KEYS: Final = 4  # so many keys of a wrap-up are looked at


@dataclass(slots=True)
class ConsumerOptions:
    """What the application's words and the call's variables say, beside the queues.

    `name` is the queues' names as they were given. `order` are the slots in the order in which they are served.
    """

    name: str
    wait: bool = True
    announce: str = ""
    music: str = ""
    strategy: str = _WAITING_LONGER
    order: tuple[int, ...] = tuple(range(SLOTS))


class _AnsweredAlready(Exception):
    """The caller for whom a member was called has somebody else to talk to."""


def consumer_options(session: Session, name: str, words: list[str]) -> ConsumerOptions | None:
    """Read the words behind `out` and the variables; None (logged) for a strategy that there is not."""
    channel = session.channel
    options = ConsumerOptions(name, wait=words[0].lower() != "nowait" if words else True)
    strategy = channel.get_variable("fifo_strategy")
    if strategy:
        options.strategy = strategy.lower()
        if options.strategy not in (_MORE_PEOPLE, _WAITING_LONGER):
            channel.log(LogLevel.ERR, "Invalid strategy")
            return None
    given = channel.get_variable("fifo_pop_order")
    if given:
        slots = [leading_int(slot) for slot in separate(given, ",", SLOTS - 1)]
        wanted = [slot if 0 <= slot < SLOTS else 0 for slot in slots]
        options.order = (*wanted, *(slot for slot in range(SLOTS) if slot == 0 and slot not in wanted))
    return options


def serve(queues: Queues, session: Session, served: list[Queue], options: ConsumerOptions) -> None:
    """Serve the queues until nobody waits (`nowait`) or the call is over."""
    channel = session.channel
    if options.wait:
        with queues.lock:
            for queue in served:
                queue.consumers[session.uuid] = session
        session.answer()
    fire(queues.switch, options.name, "consumer_start", session=session)
    channel.variables.set("fifo_status", "WAITING")
    channel.variables.set("fifo_timestamp", date_text(session.clock.time()))
    try:
        while channel.ready and _serve_one(queues, session, served, options):
            if options.wait and channel.ready:
                fire(queues.switch, options.name, "consumer_reentrance", session=session)
    except _AnsweredAlready:
        channel.log(LogLevel.WARNING, f"{channel.name} Call has already been answered")
        return
    finally:
        with queues.lock:
            for queue in served:
                queue.consumers.pop(session.uuid, None)
    fire(queues.switch, options.name, "consumer_stop", session=session)


def _serve_one(queues: Queues, session: Session, served: list[Queue], options: ConsumerOptions) -> bool:
    """Wait for a caller and talk; False when the consumer is through."""
    channel = session.channel
    if options.wait and not _await_caller(queues, session, served, options.music):
        return False
    taken = _take(queues, session, served, options)
    if taken is None:
        return options.wait
    queue, entry = taken
    other = _call(queues, session, options, entry) if entry.url else entry.session
    if other is None or other.channel.down:
        return channel.ready
    if not entry.url:
        fire(queues.switch, options.name, "caller_pop", session=other)
    caller_uuid = ("FIFO-Caller-UUID", other.uuid)
    fire(queues.switch, options.name, "consumer_pop", caller_uuid, session=session)
    announce = other.channel.get_variable("fifo_override_announce") or options.announce
    if announce and play_file(session, announce) not in ACCEPTABLE:
        if entry.url:
            other.channel.hangup(HangupCause.ORIGINATOR_CANCEL)
        else:
            queues.put_back(queue, entry)
        return False
    there = _claim(session, entry, other) if not entry.url else other.channel.up
    if there and not channel.ready:
        return_to_queue(queues, session, queue, other)
        return False
    if there:
        converse(queues, session, queue, other, options.name)
    if not options.wait or not channel.ready:
        return False
    return _wrap_up(queues, session, options.name)


def _await_caller(queues: Queues, session: Session, served: list[Queue], music: str) -> bool:
    """Hear music until somebody waits; False when the call is over, or the music cannot be played."""
    channel = session.channel
    with queues.lock:
        for queue in served:
            queue.idle[session.uuid] = session
    try:
        while channel.ready and not queues.anybody(served):
            if music:
                began = session.clock.now()
                status = play_file(session, music)
                if status not in ACCEPTABLE:
                    return False
                if status is Status.SUCCESS and session.clock.now() - began < SHORTEST_MUSIC:
                    music = ""  # it would be played over and over, and nothing else done
            else:
                session.receive(None, (Break,), until=lambda: queues.anybody(served))
    finally:
        with queues.lock:
            for queue in served:
                queue.idle.pop(session.uuid, None)
        while session.inbox.take(Break) is not None:
            pass
    return channel.ready


def _take(
    queues: Queues, session: Session, served: list[Queue], options: ConsumerOptions
) -> tuple[Queue, Entry] | None:
    """Take somebody out of the queue that is next; None when nobody waits. Raises _AnsweredAlready."""
    with queues.lock:
        queue = _choose(served, options.strategy)
        if queue is None:
            return None
        entry = _pick(queues, session, queue, list(options.order))
        if entry is not None:
            queue.remove(entry)
            if not queue.waiting:
                queue.waiting_since = 0
    return (queue, entry) if entry is not None else None


def _choose(served: list[Queue], strategy: str) -> Queue | None:
    """Choose the queue to serve. FreeSWITCH: one of importance outdoes those behind it that are not above it."""
    chosen: Queue | None = None
    importance = 0
    for queue in served:
        if not queue.waiting:
            continue
        if not importance or queue.importance > importance:
            if chosen is None:
                better = True
            elif strategy == _MORE_PEOPLE:
                better = queue.waiting > chosen.waiting
            else:
                better = queue.waiting_since < chosen.waiting_since
            if better:
                chosen = queue
        importance = max(importance, queue.importance)
    return chosen


def _pick(queues: Queues, session: Session, queue: Queue, order: list[int]) -> Entry | None:
    """Pick the caller whom this consumer was called for, else one of the skill it has, else a VIP, else the first."""
    channel = session.channel
    required = is_true(channel.get_variable("fifo_bridge_uuid_required"))
    destined = channel.get_variable("fifo_bridge_uuid")
    if destined:
        if required and destined in queues.bridged:
            raise _AnsweredAlready
        own = channel.get_variable("fifo_outbound_uuid") or ""
        queues.cancel(queues.dialled, own, HangupCause.ORIGINATOR_CANCEL)
        entry = queues.first(queue, order, lambda e: e.uuid == destined)
        if entry is not None:
            queues.cancel(queues.dialled_for, destined, HangupCause.PICKED_OFF)
            return entry
        if required:
            raise _AnsweredAlready
    skill = channel.get_variable("fifo_target_skill")
    for header, wanted in (("variable_fifo_skill", skill), ("variable_fifo_vip", "true")):
        if wanted:
            entry = _with_fact(queues, queue, order, header, wanted)
            if entry is not None:
                return entry
    return queues.first(queue, order, queues.waits_for)


def _with_fact(queues: Queues, queue: Queue, order: list[int], header: str, wanted: str) -> Entry | None:
    return queues.first(queue, order, lambda e: e.fact(header) == wanted and queues.waits_for(e))


def _call(queues: Queues, session: Session, options: ConsumerOptions, entry: Entry) -> Session | None:
    """Call the dial string that waited in the queue."""
    announce = session.channel.get_variable("fifo_outbound_announce")
    if announce and play_file(session, announce) not in ACCEPTABLE:
        return None
    leg, cause = originate(queues.switch, entry.url, session, _URL_SECONDS)
    if leg is None:
        text = f"Originate to [{entry.url}] failed, cause: {cause.name}"
        session.channel.log(LogLevel.WARNING, text)
    result = ("FIFO-Result", "success" if leg is not None else f"failure:{cause.name}")
    outbound = ("Outbound-URL", entry.url)
    fire(queues.switch, options.name, "caller_outbound", result, outbound, session=session)
    return leg


def _claim(session: Session, entry: Entry, other: Session) -> bool:
    """Take the caller out of the music, and wait until it has heard its announcement; False when it is gone."""
    channel, peer = session.channel, other.channel
    peer.variables.set("fifo_serviced_by", channel.get_variable("fifo_consumer_id") or session.uuid)
    peer.variables.set("fifo_serviced_uuid", session.uuid)
    other.break_off()

    def decided() -> bool:
        return entry.released or peer.down or Flag.TRANSFER in peer.flags

    with watching(channel.on_change, peer):
        while channel.ready and not decided():
            session.receive(None, (Break,), until=decided)
    if not channel.ready:
        other.break_off()
        wait_until(session.clock, decided, peer)
    return peer.state is ChannelState.CS_HIBERNATE


def _wrap_up(queues: Queues, session: Session, name: str) -> bool:
    """Give the consumer time between two callers; False when the call is over."""
    channel = session.channel
    sound = channel.get_variable("fifo_consumer_wrapup_sound")
    key = channel.get_variable("fifo_consumer_wrapup_key") or ""
    given = channel.get_variable("fifo_consumer_wrapup_time")
    ms = max(0, leading_int(given)) if given else _WRAPUP_MS
    if ms or key:
        channel.variables.set("fifo_status", "WRAPUP")
        fire(queues.switch, name, "consumer_wrapup", session=session)
    args = InputArgs(buffer_size=_KEYS)
    if sound and play_file(session, sound, args=args) not in ACCEPTABLE:
        return False
    if ms and (not key or args.digits == key):
        sleep(session, ms)
    elif ms:
        _await_key(session, key, ms)
    channel.variables.set("fifo_status", "WAITING")
    return channel.ready


def _await_key(session: Session, key: str, ms: int) -> None:
    until = session.clock.now() + ms * MILLISECOND
    while session.channel.ready and (left := until - session.clock.now()) > 0:
        _, pressed, status = collect_digits_count(
            session, _KEYS, key, 0, abs_timeout_ms=max(1, left // MILLISECOND)
        )
        if pressed == key[:1] or status is Status.FALSE:
            return
