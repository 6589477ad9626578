"""Calls as presence: PRESENCE_IN of a channel's `presence_id` when it rings, is answered, held and hung up."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from host.hangup_cause import HangupCause
from host.truth import is_true

if TYPE_CHECKING:
    from host.channel import Channel
    from host.event import Event
    from host.switch import Switch

# What of a channel's life is told, and the status FreeSWITCH gives it.
_STATUS: Final = {
    "route": "CS_ROUTING",
    "ring_ready": "CS_ROUTING",
    "pre_answer": "CS_ROUTING",
    "answer": "answered",
    "hangup": "CS_HANGUP",
}
_TOLD: Final = "presence_told"
_CALL_INFO: Final = {"hold": "held", "hold-private": "held-private", "CS_HANGUP": "idle", "cancelled": "idle"}


class ChannelPresence:
    """Fires the events while it is attached. Nothing is made of a channel whose presence nobody listens to."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._count = itertools.count()
        switch.observers.append(self._observe)
        self._held = switch.bus.subscribe(self._hold, ("CHANNEL_HOLD", "CHANNEL_UNHOLD"))

    def detach(self) -> None:
        """Fire no more."""
        if self._observe in self._switch.observers:
            self._switch.observers.remove(self._observe)
        self._switch.bus.unsubscribe(self._held)

    def _observe(self, kind: str, channel: Channel | None, facts: dict[str, object]) -> None:
        status = _STATUS.get(kind)
        if status is None or channel is None or not self._switch.bus.wants("PRESENCE_IN"):
            return
        told = channel.private.get(_TOLD)
        if status == told or (status == "CS_ROUTING" and told is not None):
            return
        if status == "CS_HANGUP" and channel.hangup_cause is HangupCause.LOSE_RACE:
            status = "cancelled"
        self._fire(channel, status)

    def _hold(self, event: Event) -> None:
        session = self._switch.find_session(event.get_header("Unique-ID") or "")
        if session is not None and self._switch.bus.wants("PRESENCE_IN"):
            self._fire(session.channel, "hold" if event.name == "CHANNEL_HOLD" else "unhold")

    def _fire(self, channel: Channel, status: str) -> None:
        channel.private[_TOLD] = status
        who = channel.variables.get("presence_id") or channel.presence_id
        if not who:
            return
        headers = [
            ("proto", "any"),
            ("login", "mod_sofia"),
            ("from", who),
            ("rpid", "unknown"),
            ("status", status),
            ("event_type", "presence"),
            ("alt_event_type", "dialog"),
            ("presence-call-info-state", _call_info(channel, status)),
        ]
        call_info = channel.variables.get("presence_call_info")
        if call_info:
            headers.append(("presence-call-info", call_info))
        headers += [("presence-call-direction", channel.direction), ("event_count", str(next(self._count)))]
        if is_true(channel.variables.get("presence_privacy")):
            headers.append(("Presence-Privacy", "true"))
        channel.fire("PRESENCE_IN", *headers)


def _call_info(channel: Channel, status: str) -> str:
    told = _CALL_INFO.get(status)
    if told is not None:
        return told
    if channel.down:
        return "idle"
    if not channel.answered:
        return "progressing" if channel.outbound else "alerting"
    return "active"
