"""Calling the outbound members of queues in which somebody waits and nobody serves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.channel_watch import wait_until
from host.clock import SECOND, Timer
from host.dial_string import ENTERPRISE_SEPARATOR
from host.hangup_cause import HangupCause
from host.ivr.originate import Request, place_call, send_to_application
from host.ivr.originate_wait import OriginateWait
from host.log import LogLevel
from host.modules.mod_fifo.events import fire
from host.modules.mod_fifo.member import take_variables
from host.modules.mod_fifo.queue import ENTERPRISE, Entry, Queue
from host.modules.mod_fifo.queues import Dial

if TYPE_CHECKING:
    from host.modules.mod_fifo.member import Member
    from host.modules.mod_fifo.queues import Queues
    from host.session import Session

_CYCLE: Final = SECOND  # FreeSWITCH: so often the queues are looked at
_RING_SECONDS: Final = 60
_BRIDGE_SECONDS: Final = 5  # until an answered member talks
_GIVEN_UP: Final = frozenset({HangupCause.ORIGINATOR_CANCEL, HangupCause.PICKED_OFF})
# FreeSWITCH: a member of the directory may be several legs, so it is called by itself.
_USER: Final = "user/"
_APART: Final = "ignore_early_media=true,outbound_redirect_fatal=true"
_EVERY_PHONE_HAS: Final = frozenset({"PCMU", "PCMA"})


_Call = Callable[[Queue, "list[Member]"], object]


class Outbound:
    """The cycle that calls members. It runs only while somebody waits in a queue that has some."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._switch = queues.switch
        self._timer: Timer | None = None

    def wake(self) -> None:
        """Look at the queues after a while, unless that is about to happen."""
        with self._queues.lock:
            wanted = self._queues.running and any(q.has_outbound and q.waiting for q in self._queues)
            if wanted and self._timer is None:
                self._timer = self._switch.clock.call_later(_CYCLE, self._due)

    def close(self) -> None:
        """Call nobody any more, and give up the calls under way."""
        with self._queues.lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            dials = [*self._queues.dialled.values(), *self._queues.dialled_for.values()]
        for dial in dials:
            dial.cancel(HangupCause.ORIGINATOR_CANCEL)

    def _due(self) -> None:
        self._switch.clock.spawn(self._cycle, "fifo-outbound")

    def _cycle(self) -> None:
        """Call members of each queue that needs some, those of the first priority first."""
        with self._queues.lock:
            self._timer = None
            if not self._queues.running or not self._switch.running:
                return
            for queue in sorted(self._queues, key=lambda q: q.priority):
                if queue.has_outbound and queue.waiting > queue.ringing and not queue.idle_consumers:
                    self._call_members(queue)
        self.wake()

    def _call_members(self, queue: Queue) -> None:
        members = [m for m in self._queues.members_of(queue) if m.available(self._queues.seconds)]
        members.sort(key=lambda m: (m.next_available, m.fails, m.calls))
        if queue.strategy == ENTERPRISE:
            need = queue.waiting
            if queue.per_cycle and queue.per_cycle < need:
                need = queue.per_cycle
            elif queue.per_cycle_min > need:
                need = queue.per_cycle_min
            for member in members[:need]:
                queue.ringing += 1
                member.ring_count += 1
                self._switch.clock.spawn(partial(self._run, queue, [member], self._enterprise), "fifo-member")
            return
        if queue.per_cycle:
            members = members[: queue.per_cycle]
        members = [
            m for m in members if m.uuid not in self._queues.dialled and m.uuid not in self._queues.bridged
        ]
        entry = self._next_caller(queue)
        if not members or entry is None or entry.session is None:
            return
        queue.ringing += 1
        for member in members:
            member.ring_count += 1
        caller = entry.session
        self._switch.clock.spawn(
            lambda: self._run(queue, members, lambda q, ms: self._ringall(q, ms, entry, caller)),
            "fifo-members",
        )

    def _next_caller(self, queue: Queue) -> Entry | None:
        """Return whom members are called for next: a VIP, else the first for whom nobody is called yet."""
        free = [e for slot in queue.slots for e in slot if e.session and self._queues.waits_for(e)]
        vip = next((e for e in free if e.fact("variable_fifo_vip") == "true"), None)
        return vip or next(iter(free), None)

    def _run(self, queue: Queue, members: list[Member], call: _Call) -> None:
        """Call members in a thread of their own; whatever happens, they ring no more afterwards."""
        try:
            call(queue, members)
        except Exception as error:  # a fault of one call must not end the cycle
            self._switch.report_bug(f"fifo {queue.name}", error)
        finally:
            with self._queues.lock:
                queue.ringing = max(0, queue.ringing - 1)
                for member in members:
                    member.stop_ringing()
            self.wake()

    # -- ringall -------------------------------------------------------------------------------------------------

    def _ringall(self, queue: Queue, members: list[Member], entry: Entry, caller: Session) -> None:
        """Call all members for one caller; who answers first gets the call."""
        variables: dict[str, str] = {}
        dial_string = ""
        timeout = 0
        for member in members:
            ring = member.timeout or queue.ring_timeout
            timeout = max(timeout, ring)
            expanded = self._switch.expand(member.originate_string)
            apart = _USER in expanded
            own, rest = take_variables(expanded, "<" if apart else "{")
            own.pop("fifo_outbound_uuid", None)
            variables.update(own)
            told = f"leg_timeout={ring},fifo_outbound_uuid={member.uuid},fifo_name={queue.name}"
            if apart:
                dial_string += f"{{{_APART},{told}}}{rest}"
                dial_string += ENTERPRISE_SEPARATOR if member is not members[-1] else ""
            else:
                dial_string += f"[{told}]{rest},"
        ids = ",".join(member.uuid for member in members)
        call_id = self._switch.new_uuid()
        variables.update(self._caller_variables(queue, entry, caller, variables))
        variables["fifo_originate_uuid"] = call_id
        caller.channel.variables.set("fifo_originate_uuid", call_id)
        strategy, caller_uuid = ("outbound-strategy", "ringall"), ("caller-uuid", caller.uuid)
        dialled, listed = ("originate_string", dial_string), ("FIFO-Outbound-UUID-List", ids)
        fire(self._switch, queue.name, "pre-dial", strategy, caller_uuid, dialled, listed, session=caller)
        leg, cause = self._dial(dial_string, timeout or _RING_SECONDS, variables, members, caller.uuid)
        if leg is None:
            acceptable = cause in _GIVEN_UP
            if not acceptable:
                self._count_failure(queue, members)
            fire(
                self._switch,
                queue.name,
                "post-dial",
                strategy,
                caller_uuid,
                ("result", "failure"),
                ("acceptable", "true" if acceptable else "false"),
                ("cause", cause.name),
                dialled,
                listed,
            )
            return
        outbound_uuid = ("FIFO-Outbound-UUID", leg.channel.variables.get("fifo_outbound_uuid") or "")
        fire(
            self._switch,
            queue.name,
            "post-dial",
            strategy,
            caller_uuid,
            outbound_uuid,
            listed,
            ("result", "success"),
            dialled,
            session=leg,
        )
        leg.channel.variables.set("fifo_pop_order", None)
        send_to_application(leg, "fifo", f"{queue.name} out nowait")
        wait_until(
            self._switch.clock,
            lambda: Flag.BRIDGED in leg.channel.flags or leg.channel.down,
            leg.channel,
            deadline=self._switch.clock.now() + _BRIDGE_SECONDS * SECOND,
        )

    def _caller_variables(
        self, queue: Queue, entry: Entry, caller: Session, given: dict[str, str]
    ) -> dict[str, str]:
        """Return what the members' legs are told of the caller."""
        found = {"fifo_bridge_uuid": caller.uuid}
        name = entry.fact("Caller-Caller-ID-Name")
        if queue.outbound_name.startswith("="):
            name = queue.outbound_name[1:]
        elif queue.outbound_name:
            name = f"({queue.outbound_name}) {name}"
        number = entry.fact("Caller-Caller-ID-Number")
        for variable, value in (
            ("origination_caller_id_name", name),
            ("origination_caller_id_number", number),
        ):
            if value and variable not in given:
                found[variable] = value
        for variable in entry.fact("variable_fifo_export").split(","):
            value = entry.fact(f"variable_{variable}")
            if variable and value:
                found[variable] = value
        codec = entry.fact("variable_rtp_use_codec_name")
        own_choice = entry.fact("variable_fifo_allow_transcoding") == "true"
        if codec and not self._queues.allow_transcoding and not own_choice:
            rate, ptime = (entry.fact(f"variable_rtp_use_codec_{what}") for what in ("rate", "ptime"))
            codecs = [f"{codec}@{ptime}i@{rate}h"]
            if codec.upper() not in _EVERY_PHONE_HAS:
                codecs += [f"PCMU@{ptime}i", f"PCMA@{ptime}i"]
            found["absolute_codec_string"] = ",".join(codecs)
        return found

    # -- enterprise ----------------------------------------------------------------------------------------------

    def _enterprise(self, queue: Queue, members: list[Member]) -> None:
        """Call one member, for nobody in particular; once it has answered, it serves the queue."""
        (member,) = members
        expanded = self._switch.expand(member.originate_string)
        told = [
            "execute_on_answer='unset fifo_hangup_check'",
            f"fifo_name='{queue.name}'",
            f"fifo_hangup_check='{queue.name}'",
        ]
        if "origination_caller" not in expanded.lower():
            shown = queue.outbound_name or queue.name
            told += ["origination_caller_id_name=Queue", f"origination_caller_id_number='Queue: {shown}'"]
        dial_string = f"{{{','.join(told)}}}{expanded}"
        outbound_uuid, strategy = ("FIFO-Outbound-UUID", member.uuid), ("outbound-strategy", "enterprise")
        dialled = ("originate_string", dial_string)
        fire(self._switch, queue.name, "pre-dial", outbound_uuid, strategy, dialled)
        timeout = member.timeout or _RING_SECONDS
        variables = {"originate_timeout": str(timeout)}
        leg, cause = self._dial(dial_string, timeout, variables, members)
        if leg is None:
            self._count_failure(queue, members)
            told_cause = ("cause", cause.name)
            failed = ("result", "failure")
            fire(self._switch, queue.name, "post-dial", outbound_uuid, strategy, failed, told_cause, dialled)
            return
        succeeded = ("result", "success")
        fire(self._switch, queue.name, "post-dial", outbound_uuid, strategy, succeeded, dialled, session=leg)
        own = leg.channel.get_variable("fifo_member_wait") or leg.channel.get_variable("member_wait") or ""
        how = own.lower() if own.lower() in ("wait", "nowait") else "wait"
        leg.channel.variables.set("fifo_outbound_uuid", member.uuid)
        send_to_application(leg, "fifo", f"{queue.name} out {how}")

    # -- both ----------------------------------------------------------------------------------------------------

    def _dial(
        self,
        dial_string: str,
        timeout: int,
        variables: dict[str, str],
        members: list[Member],
        caller_uuid: str = "",
    ) -> tuple[Session | None, HangupCause]:
        """Place a call that others can give up: who serves the caller, the caller's end, the members' answers."""
        queues = self._queues
        wait = OriginateWait(self._switch.clock, None)
        dial = Dial(wait.notify)
        if queues.debug:
            self._switch.log(LogLevel.DEBUG, f"dialing: {dial_string}")
        with queues.lock:
            if caller_uuid:
                queues.dialled_for[caller_uuid] = dial
                for member in members:
                    queues.dialled[member.uuid] = dial
        try:
            request = Request(self._switch, None, timeout, variables, cancel=lambda: dial.cause, wait=wait)
            return place_call(request, dial_string)
        finally:
            with queues.lock:
                queues.dialled_for.pop(caller_uuid, None)
                for member in members:
                    if queues.dialled.get(member.uuid) is dial:
                        del queues.dialled[member.uuid]

    def _count_failure(self, queue: Queue, members: list[Member]) -> None:
        with self._queues.lock:
            for member in members:
                member.fails += 1
                member.fails_total += 1
                member.rest(self._queues.seconds, queue.retry_delay)
