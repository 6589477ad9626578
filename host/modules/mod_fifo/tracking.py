"""The application `fifo_track_call`: a member's call that no queue brought is counted as one of its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_fifo.conversation import import_variables, note_end
from host.modules.mod_fifo.events import date_text, durations, fire, talk_times
from host.modules.mod_fifo.queues import MANUAL

if TYPE_CHECKING:
    from host.event import Event
    from host.event_bus import Subscription
    from host.modules.mod_fifo.queues import Queues
    from host.session import Session


class Tracking:
    """The calls that are tracked. Their bridges are seen through the switch's events, as long as there are any."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._switch = queues.switch
        self._tracked: dict[str, str] = {}  # outbound id by the call's UUID
        self._talking: dict[str, Session] = {}  # the other leg by the call's UUID
        self._subscription: Subscription | None = None

    def track(self, session: Session, data: str) -> None:
        """Count the call as one of the member with the outbound id `data` until it ends."""
        channel = session.channel
        if not data:
            channel.log(LogLevel.ERR, "Invalid!")
            return
        if session.uuid in self._tracked:
            channel.log(LogLevel.WARNING, f"{channel.name} trying to double-track call!")
            return
        channel.variables.set("fifo_outbound_uuid", data)
        channel.variables.set("fifo_track_call", "true")
        channel.log(LogLevel.DEBUG, f"{channel.name} tracking call on uuid {data}!")
        self._tracked[session.uuid] = data
        if self._subscription is None:
            self._subscription = self._switch.bus.subscribe(
                self._on_event, ["CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE"]
            )
        self._queues.mark_bridged(data)
        session.at_hangup.append(lambda: self.untrack(session, manual=True))
        for member in self._queues.begin_use(data):
            if channel.outbound:
                member.manual_in += 1
                member.manual_in_total += 1
            else:
                member.manual_out += 1
                member.manual_out_total += 1
        name, number = self._caller(session)
        fire(
            self._switch,
            MANUAL,
            "channel-consumer-start",
            *self._queues.use_headers(data),
            ("FIFO-Type", "manual"),
            ("FIFO-Caller-CID-Name", name),
            ("FIFO-Caller-CID-Number", number),
            session=session,
        )

    def untrack(self, session: Session, *, manual: bool = False) -> None:
        """Count the call no more; `manual` tells it as the end of one that no queue brought."""
        uuid = self._tracked.pop(session.uuid, None)
        if uuid is None:
            return
        session.channel.log(LogLevel.DEBUG, f"{session.channel.name} untracking call on uuid {uuid}!")
        self._queues.end_talk(session)
        self._queues.unmark_bridged(uuid)
        self._queues.end_use(uuid)
        self._end_talk(session, uuid)
        if manual:
            fire(
                self._switch,
                MANUAL,
                "channel-consumer-stop",
                ("FIFO-Type", "manual"),
                *self._queues.use_headers(uuid),
                *durations("FIFO-Consumer-Bridge-Time", session.channel.profile.times.bridged),
                *talk_times(session, "Consumer"),
                session=session,
            )
        if not self._tracked:
            self.close()

    def close(self) -> None:
        """Look at no events any more."""
        if self._subscription is not None:
            self._switch.bus.unsubscribe(self._subscription)
            self._subscription = None

    def _on_event(self, event: Event) -> None:
        legs = [event.get_header(f"Bridge-{which}-Unique-ID") or "" for which in "AB"]
        for uuid, other in (legs, legs[::-1]):
            outbound_id = self._tracked.get(uuid)
            session = self._switch.find_session(uuid)
            if outbound_id is None or session is None:
                continue
            if event.name == "CHANNEL_BRIDGE":
                self._begin_talk(session, self._switch.find_session(other), outbound_id)
            else:
                self._end_talk(session, outbound_id)

    def _begin_talk(self, session: Session, caller: Session | None, outbound_id: str) -> None:
        if caller is None or session.uuid in self._talking:
            return
        self._talking[session.uuid] = caller
        variables = session.channel.variables
        variables.set("fifo_bridged", "true")
        variables.set("fifo_manual_bridge", "true")
        stamp, now = date_text(session.clock.time()), str(self._queues.seconds)
        for leg, target, role in ((session, caller, "consumer"), (caller, session, "caller")):
            leg.channel.variables.set("fifo_role", role)
            leg.channel.variables.set("fifo_status", "TALKING")
            leg.channel.variables.set("fifo_target", target.uuid)
            leg.channel.variables.set("fifo_timestamp", stamp)
            leg.channel.variables.set("fifo_epoch_start_bridge", now)
        import_variables(session, caller, "fifo_caller_consumer_import")
        import_variables(caller, session, "fifo_consumer_caller_import")
        name, number = self._caller(session)
        fire(
            self._switch,
            MANUAL,
            "bridge-consumer-start",
            ("FIFO-Caller-CID-Name", name),
            ("FIFO-Caller-CID-Number", number),
            *self._queues.use_headers(outbound_id),
            session=session,
        )
        fire(self._switch, MANUAL, "bridge-caller-start", session=caller)
        self._queues.begin_talk(MANUAL, caller, session, outbound_id)

    def _end_talk(self, session: Session, outbound_id: str) -> None:
        caller = self._talking.pop(session.uuid, None)
        if caller is None:
            return
        self._queues.end_talk(session)
        variables = session.channel.variables
        variables.set("fifo_bridged", None)
        now = self._queues.seconds
        began = leading_int(variables.get("fifo_epoch_start_bridge") or str(now))
        note_end(session, caller, now - began, now)
        use = self._queues.use_headers(outbound_id)
        fire(self._switch, MANUAL, "bridge-consumer-stop", *use, session=session)
        fire(self._switch, MANUAL, "bridge-caller-stop", session=caller)
        fire(self._switch, MANUAL, "consumer_stop", session=session)

    @staticmethod
    def _caller(session: Session) -> tuple[str, str]:
        """Return the name and number of whom the member talks to."""
        profile = session.channel.profile
        if session.channel.outbound:
            return profile.caller_id_name, profile.caller_id_number
        return profile.destination_number, profile.destination_number
