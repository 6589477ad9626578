"""What `fifo list` tells: the queues with their members, callers, consumers and bridges, as XML."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from host.clock import SECOND
from host.escape import attribute_escape, url_encode, xml_escape
from host.modules.mod_fifo.events import date_text
from host.modules.mod_fifo.queues import MANUAL
from host.xml_cdr import xml_cdr

if TYPE_CHECKING:
    from host.modules.mod_fifo.member import Member
    from host.modules.mod_fifo.queue import Queue
    from host.modules.mod_fifo.queues import Queues, Talk
    from host.session import Session


@dataclass(slots=True)
class _Element:
    """An element with either text, lines of XML that are there already, or children."""

    tag: str
    attributes: list[tuple[str, str]] = field(default_factory=list)
    children: list[_Element] = field(default_factory=list)
    text: str = ""
    lines: list[str] = field(default_factory=list)

    def write(self, depth: int = 0) -> list[str]:
        """Return its lines; an element without children stands on one."""
        indent = "  " * depth
        if self.lines:
            return [indent + line for line in self.lines]
        attributes = "".join(f' {name}="{attribute_escape(value)}"' for name, value in self.attributes)
        opening = f"{indent}<{self.tag}{attributes}>"
        if not self.children:
            return [f"{opening}{xml_escape(self.text)}</{self.tag}>"]
        inside = [line for child in self.children for line in child.write(depth + 1)]
        return [opening, *inside, f"{indent}</{self.tag}>"]


def report(queues: Queues, shown: list[Queue], *, verbose: bool) -> str:
    """Return the report of some queues; `verbose` puts the calls' records into it."""
    with queues.lock:
        root = _Element("fifo_report", children=[_queue(queues, queue, verbose) for queue in shown])
        return "\n".join(root.write()) + "\n"


def _queue(queues: Queues, queue: Queue, verbose: bool) -> _Element:
    waiting = str(queue.waiting)
    attributes = [
        ("name", queue.name),
        ("consumer_count", str(len(queue.consumers))),
        ("caller_count", waiting),
        ("waiting_count", waiting),
        ("importance", str(queue.importance)),
        ("outbound_per_cycle", str(queue.per_cycle)),
        ("outbound_per_cycle_min", str(queue.per_cycle_min)),
        ("ring_timeout", str(queue.ring_timeout)),
        ("default_lag", str(queue.default_lag)),
        ("outbound_priority", str(queue.priority)),
        ("outbound_strategy", queue.strategy),
    ]
    members = [_member(member, queue.name == MANUAL) for member in queues.members_of(queue)]
    callers = [
        _call("caller", entry.session, verbose, slot)
        for slot, entries in enumerate(queue.slots)
        for entry in entries
        if entry.session is not None
    ]
    consumers = [_call("consumer", session, verbose) for session in queue.consumers.values()]
    bridges = [_bridge(queues, talk, verbose) for talk in queues.talks.values() if talk.queue == queue.name]
    parts = (("outbound", members), ("callers", callers), ("consumers", consumers), ("bridges", bridges))
    return _Element("fifo", attributes, [_Element(tag, children=inside) for tag, inside in parts])


def _member(member: Member, manual: bool) -> _Element:
    on = bool(member.taking_calls)
    attributes = [
        ("simo", str(member.simo)),
        ("use_count", str(member.use_count)),
        ("timeout", str(member.timeout)),
        ("lag", str(member.lag)),
        ("outbound-call-count", str(member.calls)),
        ("outbound-fail-count", str(member.fails)),
        ("taking-calls", str(member.taking_calls)),
        ("status", ""),
        ("outbound-call-total-count", str(member.calls_total)),
        ("outbound-fail-total-count", str(member.fails_total)),
        ("logged-on-since", _moment(member.active_time, "now"))
        if on
        else ("logged-off-since", _moment(member.inactive_time, "now")),
        ("manual-calls-out-count", str(member.manual_out)),
        ("manual-calls-in-count", str(member.manual_in)),
        ("manual-calls-out-total-count", str(member.manual_out_total)),
        ("manual-calls-in-total-count", str(member.manual_in_total)),
    ]
    if not manual:
        attributes += [
            ("ring-count", str(member.ring_count)),
            ("start-time", _moment(member.start_time, "never")),
            ("stop-time", _moment(member.stop_time, "never")),
        ]
    attributes.append(("next-available", _moment(member.next_available, "now")))
    return _Element("member", attributes, text=member.originate_string)


def _moment(seconds: int, never: str) -> str:
    return date_text(seconds * SECOND) if seconds else never


def _call(tag: str, session: Session, verbose: bool, slot: int | None = None) -> _Element:
    channel = session.channel
    attributes = [("uuid", session.uuid)]
    for name, variable in (
        ("status", "fifo_status"),
        ("caller_id_name", "caller_id_name"),
        ("caller_id_number", "caller_id_number"),
        ("timestamp", "fifo_timestamp"),
        ("target", "fifo_target"),
        ("position", "fifo_position"),
    ):
        value = channel.get_variable(variable)
        if value is not None and (name != "position" or slot is not None):
            attributes.append((name, url_encode(value) if name.startswith("caller") else value))
    if slot is not None:
        attributes.append(("slot", str(slot)))
    return _Element(tag, attributes, _record(session) if verbose else [])


def _record(session: Session | None) -> list[_Element]:
    return [_Element("cdr", lines=xml_cdr(session).splitlines())] if session is not None else []


def _bridge(queues: Queues, talk: Talk, verbose: bool) -> _Element:
    caller = _Element(
        "caller",
        [
            ("uuid", talk.caller_uuid),
            ("caller_id_name", url_encode(talk.caller_id_name)),
            ("caller_id_number", url_encode(talk.caller_id_number)),
        ],
    )
    consumer = _Element(
        "consumer",
        children=[
            _Element("uuid", text=talk.consumer_uuid),
            _Element("outgoing_uuid", text=talk.outbound_id),
        ],
    )
    if verbose:
        caller.children += _record(queues.switch.find_session(talk.caller_uuid))
        consumer.children += _record(queues.switch.find_session(talk.consumer_uuid))
    attributes = [
        ("fifo_name", talk.queue),
        ("bridge_start", _moment(talk.since, "now")),
        ("bridge_start_epoch", str(talk.since)),
    ]
    return _Element("bridge", attributes, [caller, consumer])
