"""Call pickup: the endpoint `pickup/KEY`, a leg that waits beside those that ring, and the application `pickup`."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.channel_state import ChannelState
from host.hangup_cause import HangupCause
from host.interfaces import Application, OutgoingCall
from host.log import LogLevel
from host.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from host.event import Event
    from host.event_bus import Subscription
    from host.switch import Switch

_MODULE: Final = "mod_dptools"
_PROTO: Final = "pickup"
_SYNTAX: Final = "[<key>]"


class PickupLeg:
    """The leg's far end: nobody. `variables` are given to whom takes the call."""

    def __init__(self, key: str, variables: Mapping[str, str]) -> None:
        self.key = key
        self.variables = dict(variables)

    def answer(self, session: Session) -> None: ...

    def pre_answer(self, session: Session) -> None: ...

    def ring_ready(self, session: Session) -> None: ...

    def send_dtmf(self, session: Session, digit: str, duration: int, processed: bool = True) -> None: ...

    def hangup(self, session: Session) -> None: ...

    def message(self, session: Session, kind: str, argument: str) -> bool:
        """Take nothing."""
        return False


class Pickups:
    """The legs of one switch that wait to be picked up, by key, the oldest first."""

    name = "pickup"
    module = _MODULE

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._waiting: dict[str, deque[Session]] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count()

    def outgoing(self, switch: Switch, call: OutgoingCall) -> Session | HangupCause:
        """Make a leg that waits under the key `KEY` or `KEY@DOMAIN`."""
        profile = call.profile.clone()
        profile.source = _MODULE
        key = profile.destination_number
        if not call.address:
            return HangupCause.DESTINATION_OUT_OF_ORDER
        rate = call.originator.line.rate if call.originator is not None else 8000
        session = Session(
            switch,
            f"pickup/{key}",
            profile,
            PickupLeg(self._full(key), call.variables),
            outbound=True,
            endpoint=self.name,
            rate=rate,
            uuid=call.variables.get("origination_uuid"),
        )
        session.channel.variables.set("process_cdr", "false")
        session.channel.flags.add(Flag.PICKUP)
        session.endpoint_handlers = {ChannelState.CS_HANGUP: self._ended}
        with self._lock:
            self._waiting.setdefault(self._full(key), deque()).append(session)
        self._tell(self._full(key))
        session.channel.set_state(ChannelState.CS_INIT)
        return session

    def pick_up(self, session: Session, data: str) -> None:
        """Take the oldest call that waits under a key: the call is the leg that was called from then on."""
        channel = session.channel
        if not data:
            channel.log(LogLevel.WARNING, f"Missing data.  Usage: pickup {_SYNTAX}")
            return
        waiting = self._take(self._full(data))
        if waiting is None:
            return
        assert isinstance(waiting.io, PickupLeg)
        for name, value in waiting.io.variables.items():
            channel.variables.set(name, value)
        mine, theirs = channel.profile, waiting.channel.profile
        for part in ("name", "number"):
            setattr(mine, f"callee_id_{part}", getattr(mine, f"caller_id_{part}"))
            setattr(mine, f"caller_id_{part}", getattr(theirs, f"caller_id_{part}"))
        session.answer()
        channel.fire("CALL_UPDATE", ("Direction", "RECV"))
        channel.set_state(ChannelState.CS_HIBERNATE)
        waiting.channel.variables.set("channel_swap_uuid", session.uuid)
        waiting.channel.set_flag(Flag.CHANNEL_SWAP)
        waiting.mark_answered()

    def tell_probe(self, event: Event) -> None:
        """Answer who asks for the presence of `pickup+KEY@DOMAIN`."""
        kind, plus, key = (event.get_header("to") or "").partition("+")
        if event.get_header("proto") == _PROTO and kind.lower() == _PROTO and plus and "@" in key:
            self._tell(key)

    def _full(self, key: str) -> str:
        return key if "@" in key else f"{key}@{self._switch.global_variables.get('domain') or ''}"

    def _take(self, key: str, wanted: Session | None = None) -> Session | None:
        """Remove and return a leg that waits under a key: the one wanted, or the oldest that is still up."""
        with self._lock:
            queue = self._waiting.get(key, deque())
            found = next(
                (leg for leg in queue if (leg.channel.up if wanted is None else leg is wanted)), None
            )
            if found is not None:
                queue.remove(found)
            if not queue:
                self._waiting.pop(key, None)
        if found is not None:
            self._tell(key)
        return found

    def _ended(self, session: Session) -> bool:
        assert isinstance(session.io, PickupLeg)
        self._take(session.io.key, session)
        channel = session.channel
        if Flag.CHANNEL_SWAP in channel.flags:  # taken, but by then nobody called any more
            picker = self._switch.find_session(channel.variables.get("channel_swap_uuid") or "")
            if picker is not None:
                picker.channel.hangup(HangupCause.PICKED_OFF)
        return True

    def _tell(self, key: str) -> None:
        """Tell with PRESENCE_IN how many calls wait under a key, for the lamps of telephones."""
        if not self._switch.bus.wants("PRESENCE_IN"):
            return
        count = len(self._waiting.get(key, ()))
        login = key.partition("@")[0]
        event = self._switch.new_event("PRESENCE_IN")
        event.add_headers(
            (
                ("proto", _PROTO),
                ("login", login),
                ("from", key),
                ("force-status", f"Active ({count} call{'' if count == 1 else 's'})" if count else "Idle"),
                ("rpid", "active" if count else "unknown"),
                ("event_type", "presence"),
                ("alt_event_type", "dialog"),
                ("event_count", str(next(self._numbers))),
                ("unique-id", login),
                ("channel-state", "CS_ROUTING" if count else "CS_HANGUP"),
                ("answer-state", "confirmed" if count else "terminated"),
                ("call-direction", "inbound"),
            )
        )
        self._switch.fire(event)


def load(switch: Switch) -> None:
    """Bring the endpoint and the application `pickup`."""
    pickups = Pickups(switch)
    switch.endpoints.add(pickups)
    switch.applications.add(Application("pickup", _MODULE, pickups.pick_up, _SYNTAX, "Pickup"))
    _probes[switch.core_uuid] = switch.bus.subscribe(pickups.tell_probe, ["PRESENCE_PROBE"])


def unload(switch: Switch) -> None:
    """Answer for presence no more."""
    subscription = _probes.pop(switch.core_uuid, None)
    if subscription is not None:
        switch.bus.unsubscribe(subscription)


# By the switch's core UUID: `unload` gets no more than the switch.
_probes: Final[dict[str, Subscription]] = {}
