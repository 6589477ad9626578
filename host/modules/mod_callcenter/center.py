"""All that one switch's queues share: the tables, the queues, who waits in them, and the dials under way."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.clock import SECOND
from host.hangup_cause import HangupCause
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_callcenter.queue import Queue, queue_settings
from host.modules.mod_callcenter.states import BREAK_OUT, NOT_CANCELLED
from host.truth import is_true

if TYPE_CHECKING:
    from lxml import etree

    from host.channel import Channel
    from host.modules.mod_callcenter.database import Database
    from host.session import Session
    from host.switch import Switch

CONFIGURATION: Final = "callcenter.conf"

_RING_SECONDS: Final = 60

# The variable of legs that ring for a member, by which they are found when it has no use for them any more.
RINGING_FOR: Final = "cc_member_pre_answer_uuid"


@dataclass(slots=True, eq=False)
class Waiting:
    """A member whose call is in the application. `joined` is in seconds since the epoch.

    `reason` is why it leaves without an agent, `connecting` whether one is being called or bridged with it.
    """

    session: Session
    queue: str
    member_uuid: str
    joined: int
    reason: str = NOT_CANCELLED
    connecting: bool = False

    def leave(self, reason: str) -> None:
        """Have the call leave the queue."""
        self.reason = reason
        self.session.break_off()


@dataclass(slots=True, eq=False)
class Dial:
    """A dial of an agent: `cause` gives it up, `wake` tells it to look."""

    member_uuid: str
    wake: Callable[[], None]
    cause: HangupCause | None = None


class CallCenter:
    """The state of the module. `lock` guards its collections; nothing blocks while holding it.

    `wake` has the dispatcher look for agents; it is called whenever something has changed that may matter.
    """

    def __init__(self, switch: Switch, database: Database, settings: dict[str, str]) -> None:
        self.switch = switch
        self.database = database
        self.instance = settings.get("cc-instance-id") or "single_box"
        self.originate_timeout = leading_int(settings.get("agent-originate-timeout") or "") or _RING_SECONDS
        self.reserve_agents = is_true(settings.get("reserve-agents"))
        self.lock = threading.RLock()
        self.queues: dict[str, Queue] = {}
        self.waiting: dict[str, Waiting] = {}  # by the call's UUID
        self.running = True
        self.wake: Callable[[], None] = lambda: None
        # In simulated time everything happens the same way every time.
        mixer = random.Random(1) if switch.clock.virtual else random.SystemRandom()
        self.shuffle = mixer.shuffle
        self._dials: list[Dial] = []
        self._talking: list[Channel] = []

    @property
    def seconds(self) -> int:
        """The seconds since the epoch."""
        return self.switch.clock.time() // SECOND

    # -- queues --------------------------------------------------------------------------------------------------

    def find_queue(self, name: str) -> Queue | None:
        """Return a queue, which is loaded when the configuration has it; None when there is none."""
        with self.lock:
            found = self.queues.get(name)
        return found if found is not None else self.load_queue(name)

    def load_queue(self, name: str) -> Queue | None:
        """Read a queue, in the place of the one of its name; None when the configuration has none."""
        configuration = self.switch.xml.configuration(CONFIGURATION, {"CC-Queue": name})
        if configuration is None:
            self.switch.log(LogLevel.ERR, f"Open of {CONFIGURATION} failed")
            return None
        elements = configuration.findall("queues/queue")
        element = next((one for one in elements if (one.get("name") or "").lower() == name.lower()), None)
        return self.add_queue(name, element) if element is not None else None

    def add_queue(self, name: str, element: etree._Element) -> Queue:
        """Make a queue of its element; FreeSWITCH: it is called as it was asked for, in whatever case."""
        params = [(param.get("name") or "", param.get("value") or "") for param in element.findall("param")]
        settings = queue_settings(name, params, lambda text: self.switch.log(LogLevel.ERR, text))
        queue = Queue(name, settings)
        with self.lock:
            self.queues[name] = queue
        self.switch.log(LogLevel.INFO, f"Added queue {name}")
        return queue

    def unload_queue(self, name: str) -> None:
        """Forget a queue until it is asked for again."""
        with self.lock:
            found = self.queues.pop(name, None)
        if found is None:
            self.switch.log(LogLevel.ERR, f"[{name}] Invalid queue")

    # -- who waits -----------------------------------------------------------------------------------------------

    def enter(self, waiting: Waiting) -> None:
        """Note a member that waits from now on."""
        with self.lock:
            self.waiting[waiting.session.uuid] = waiting

    def leave(self, waiting: Waiting) -> None:
        """Note that a member does not wait any more."""
        with self.lock:
            self.waiting.pop(waiting.session.uuid, None)
            queue = self.queues.get(waiting.queue)
            if queue is not None and all(other.queue != queue.name for other in self.waiting.values()):
                queue.seen.note(None, self.seconds)
        self.wake()

    def connecting(self, session_uuid: str, value: bool) -> None:
        """Note whether an agent is being called for, or bridged with, the call of a member."""
        with self.lock:
            waiting = self.waiting.get(session_uuid)
            if waiting is not None:
                waiting.connecting = value

    @contextlib.contextmanager
    def talking(self, channel: Channel) -> Iterator[None]:
        """Have whoever waits for the end of an agent's talk inside the block be woken by `close`."""
        with self.lock:
            self._talking.append(channel)
        try:
            yield
        finally:
            with self.lock:
                self._talking.remove(channel)

    def close(self) -> None:
        """Serve nobody any more: dials are given up, and talks are not watched any longer."""
        with self.lock:
            self.running = False
            dials, talking, waiting = list(self._dials), list(self._talking), list(self.waiting.values())
        for dial in dials:
            dial.cause = dial.cause or HangupCause.ORIGINATOR_CANCEL
            dial.wake()
        for channel in talking:
            channel.tell_watchers()
        for one in waiting:
            one.leave(BREAK_OUT)

    # -- dials ---------------------------------------------------------------------------------------------------

    def begin_dial(self, dial: Dial) -> None:
        """Note a dial, so that it can be given up."""
        with self.lock:
            self._dials.append(dial)

    def end_dial(self, dial: Dial) -> None:
        """Note that a dial is over."""
        with self.lock:
            self._dials.remove(dial)

    def give_up(self, member_uuid: str, cause: HangupCause) -> None:
        """End what rings for a member: the dials, and all legs that say in a variable that they do."""
        with self.lock:
            dials = [dial for dial in self._dials if dial.member_uuid == member_uuid]
        for dial in dials:
            dial.cause = dial.cause or cause
            dial.wake()
        for session in list(self.switch.sessions.values()):
            if session.channel.up and session.channel.variables.get(RINGING_FOR) == member_uuid:
                session.channel.hangup(cause)
