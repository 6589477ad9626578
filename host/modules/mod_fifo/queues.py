"""All queues of one switch, their outbound members, and which calls are dialled or talk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.clock import SECOND
from host.hangup_cause import HangupCause
from host.modules.mod_fifo.events import tell_presence
from host.modules.mod_fifo.member import Member, outbound_id
from host.modules.mod_fifo.queue import ENTERPRISE, RINGALL, Entry, Queue

if TYPE_CHECKING:
    from host.event import Event
    from host.modules.mod_fifo.member_store import MemberStore
    from host.session import Session
    from host.switch import Switch

# FreeSWITCH: the queue under which calls are told that no queue has brought together.
MANUAL: Final = "manual_calls"


@dataclass(slots=True)
class Dial:
    """A dial under way: `cause` gives it up, `wake` tells it to look."""

    wake: Callable[[], None]
    cause: HangupCause | None = None

    def cancel(self, cause: HangupCause) -> None:
        """Give it up."""
        self.cause = self.cause or cause
        self.wake()


@dataclass(frozen=True, slots=True)
class Talk:
    """A caller and a consumer who talk; `since` is in seconds since the epoch."""

    queue: str
    caller_uuid: str
    caller_id_name: str
    caller_id_number: str
    consumer_uuid: str
    outbound_id: str
    since: int


class Queues:
    """The queues. `lock` guards them and all that is in them; nothing blocks while holding it."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.lock = threading.RLock()
        self.queues: dict[str, Queue] = {MANUAL: Queue(MANUAL)}
        self.members: list[Member] = []
        self.store: MemberStore | None = None
        self.default_strategy = RINGALL
        self.allow_transcoding = False
        self.hold_key = True  # `0` holds the caller
        self.debug = 0
        self.running = True
        self.talks: dict[str, Talk] = {}  # by the consumer's UUID
        self.bridged: dict[str, int] = {}  # UUIDs and outbound ids of who talks
        self.use_counts: dict[str, int] = {}  # by outbound id
        self.dialled_for: dict[str, Dial] = {}  # by the UUID of the caller
        self.dialled: dict[str, Dial] = {}  # by the outbound id of the member
        self.on_waiting: Callable[[], object] = lambda: None  # somebody waits now

    def __iter__(self) -> Iterator[Queue]:
        """Go through the queues, the newest first, as FreeSWITCH does."""
        with self.lock:
            return iter(list(self.queues.values())[::-1])

    def find(self, name: str) -> Queue | None:
        """Return a queue, None when there is none of that name."""
        with self.lock:
            return self.queues.get(name)

    def open(self, name: str, importance: int = 0) -> Queue:
        """Return a queue, a new one when there is none of that name; its importance is that of the new one."""
        with self.lock:
            queue = self.queues.get(name)
            if queue is None:
                queue = self.queues[name] = Queue(name, importance, self.default_strategy)
                self.count_members(queue)
            return queue

    @property
    def seconds(self) -> int:
        """Seconds since the epoch."""
        return self.switch.clock.time() // SECOND

    # -- callers -------------------------------------------------------------------------------------------------

    def push(self, queue: Queue, entry: Entry, slot: int) -> int:
        """Let somebody wait in a queue and tell consumers; return the position, 0 when the slot is full."""
        with self.lock:
            position = queue.push(entry, slot, self.switch.clock.time())
            idle = list(queue.idle.values())
        for session in idle:
            session.break_off()
        self.on_waiting()
        return position or 0

    def put_back(self, queue: Queue, entry: Entry) -> None:
        """Let somebody whom a consumer took and could not serve be the next one."""
        with self.lock:
            if not queue.waiting:
                queue.waiting_since = self.switch.clock.time()
            queue.slots[0].insert(0, entry)
            idle = list(queue.idle.values())
        for session in idle:
            session.break_off()
        self.on_waiting()

    def leave(self, queue: Queue, entry: Entry) -> None:
        """Forget somebody who waits no more, and end the dials that were for nobody else."""
        with self.lock:
            queue.remove(entry)
        tell_presence(self.switch, queue)
        self.end_needless(queue)

    def waits_for(self, entry: Entry) -> bool:
        """Return whether a consumer who comes by may have this one: not while members are called for it."""
        return entry.uuid not in self.dialled_for or not entry.uuid

    def anybody(self, queues: list[Queue]) -> bool:
        """Return whether somebody waits whom a consumer may have."""
        with self.lock:
            return any(self.waits_for(entry) for queue in queues for slot in queue.slots for entry in slot)

    def first(self, queue: Queue, order: list[int], suits: Callable[[Entry], bool]) -> Entry | None:
        """Return the first entry that suits, the slots taken in this order."""
        return next((entry for slot in order for entry in queue.slots[slot] if suits(entry)), None)

    def end_needless(self, queue: Queue) -> None:
        """Hang up on the members that ring for callers who are not there any more (only with `enterprise`)."""
        with self.lock:
            needless = queue.strategy == ENTERPRISE and queue.ringing > 0 and not queue.waiting
        if needless:
            for session in list(self.switch.sessions.values()):
                if session.channel.variables.get("fifo_hangup_check") == queue.name:
                    session.channel.hangup(HangupCause.ORIGINATOR_CANCEL)

    def drop_if_unused(self, queue: Queue) -> None:
        """Remove a queue that neither callers nor consumers use (`fifo_destroy_after_use`)."""
        with self.lock:
            unused = not queue.waiting and not queue.consumers
            if unused and queue.name != MANUAL and self.queues.get(queue.name) is queue:
                del self.queues[queue.name]

    # -- members -------------------------------------------------------------------------------------------------

    def add_member(self, member: Member) -> None:
        """Add a member, in the place of the one of the same id."""
        with self.lock:
            self._drop(member.queue, member.uuid)
            self.members.append(member)
            self.count_members(self.open(member.queue))
        if self.store is not None and not member.static:
            self.store.save(member)
        self.on_waiting()

    def delete_member(self, queue: str, originate_string: str) -> None:
        """Remove the member with that dial string."""
        uuid = outbound_id(originate_string)
        with self.lock:
            self._drop(queue, uuid)
            self.count_members(self.open(queue))
        if self.store is not None:
            self.store.delete(queue, uuid)

    def delete_all_members(self) -> None:
        """Remove the members that commands have added."""
        with self.lock:
            self.members = [member for member in self.members if member.static]
            for queue in self:
                self.count_members(queue)
        if self.store is not None:
            self.store.clear()

    def _drop(self, queue: str, uuid: str) -> None:
        self.members = [m for m in self.members if (m.queue, m.uuid) != (queue, uuid)]

    def members_of(self, queue: Queue) -> list[Member]:
        """Return the members of a queue, those of all queues for that of the manual calls."""
        with self.lock:
            return [m for m in self.members if queue.name in (m.queue, MANUAL)]

    def members_called(self, uuid: str) -> list[Member]:
        """Return the members with that outbound id, in whatever queue."""
        with self.lock:
            return [m for m in self.members if m.uuid == uuid]

    def count_members(self, queue: Queue) -> None:
        """Note how many members a queue has."""
        queue.member_count = sum(m.queue == queue.name for m in self.members)
        queue.has_outbound = queue.member_count > 0

    # -- calls ---------------------------------------------------------------------------------------------------

    def mark_bridged(self, *keys: str) -> None:
        """Note that these talk."""
        with self.lock:
            for key in keys:
                self.bridged[key] = self.bridged.get(key, 0) + 1

    def unmark_bridged(self, *keys: str) -> None:
        """Note that these do not talk any more."""
        with self.lock:
            for key in keys:
                self.bridged.pop(key, None)

    def cancel(self, dials: dict[str, Dial], key: str, cause: HangupCause) -> None:
        """Give up the dial that is known under `key`, if there is one."""
        with self.lock:
            dial = dials.get(key)
        if dial is not None:
            dial.cancel(cause)

    def begin_use(self, uuid: str) -> list[Member]:
        """Count a call with the member of that outbound id; return its rows."""
        with self.lock:
            self.use_counts[uuid] = self.use_counts.get(uuid, 0) + 1
            rows = self.members_called(uuid)
            for member in rows:
                member.stop_time, member.start_time, member.fails = 0, self.seconds, 0
                member.use_count += 1
        return rows

    def end_use(self, uuid: str) -> list[Member]:
        """Count a call less with the member of that outbound id, which rests now; return its rows."""
        with self.lock:
            left = self.use_counts.pop(uuid, 0) - 1
            if left > 0:
                self.use_counts[uuid] = left
            rows = [member for member in self.members_called(uuid) if member.use_count > 0]
            for member in rows:
                member.use_count -= 1
                member.stop_time = self.seconds
                member.rest(self.seconds)
        self.on_waiting()
        return rows

    def use_headers(self, uuid: str | None) -> tuple[tuple[str, str], ...]:
        """Return the headers that tell which member a consumer is, none when it is not one."""
        if not uuid:
            return ()
        count = self.use_counts.get(uuid, 0)
        return ("FIFO-Consumer-Outbound-ID", uuid), ("FIFO-Consumer-Use-Count", str(count))

    def begin_talk(self, queue: str, caller: Session, consumer: Session, uuid: str) -> None:
        """Note a caller and a consumer who talk."""
        profile = caller.channel.profile
        talk = Talk(
            queue,
            caller.uuid,
            profile.caller_id_name,
            profile.caller_id_number,
            consumer.uuid,
            uuid,
            self.seconds,
        )
        with self.lock:
            self.talks[consumer.uuid] = talk

    def end_talk(self, consumer: Session) -> None:
        """Forget what a consumer talked about."""
        with self.lock:
            self.talks.pop(consumer.uuid, None)

    def answer_probe(self, event: Event) -> None:
        """Answer who asks for the presence of `queue+NAME@DOMAIN`."""
        kind, plus, wanted = (event.get_header("to") or "").partition("+")
        if kind.lower() == "queue" and plus and "@" in wanted:
            name = wanted.partition("@")[0]
            tell_presence(self.switch, self.find(name) or self.find(wanted) or self.open(name))
