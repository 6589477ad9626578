"""What a call means for the presence of somebody: its state as lamps show it, and the words for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.leading_number import leading_int
from host.modules.mod_sofia.presence.dialog_info import CONFIRMED, EARLY, TERMINATED, DialogEntry, call_entry
from host.truth import is_true

if TYPE_CHECKING:
    from host.channel import Channel
    from host.event import Event

ON_THE_PHONE: Final = "on-the-phone"


@dataclass(frozen=True, slots=True)
class CallPresence:
    """One call of `who` (`user@host`). `direction` is the channel's; `caller` the user it came from.

    `number` and `name` are the far end's as dialogs show it, `other` as a status line does.
    """

    uuid: str
    who: str
    direction: str
    state: str
    caller: str = ""
    number: str = ""
    name: str = ""
    other: str = ""
    holding: bool = False
    private: bool = False
    hides_early: bool = False
    answered: bool = False
    call_id: str = ""
    local_tag: str = ""
    remote_tag: str = ""

    @property
    def rings(self) -> bool:
        """Whether it is not answered."""
        return self.state == EARLY

    def hidden(self, disable_early: bool) -> bool:
        """Return whether nothing is told of it: it rings, or was never answered (`presence-disable-early`)."""
        quiet = self.state == EARLY or (self.state == TERMINATED and not self.answered)
        return quiet and (disable_early or self.hides_early)

    def status(self, *, private: bool) -> str:
        """Return the words for a call that is up, as FreeSWITCH has them; `private` leaves out with whom."""
        if self.holding:
            word = "Hold"
        elif self.rings:
            word = "Ring" if self.direction == "outbound" else "Call"
        elif self.other and not private:
            word = "Talk"
        else:
            return "On The Phone"
        return word if private or not self.other else f"{word} {self.other}"

    def entry(self, hold_state: str) -> DialogEntry:
        """Return the dialog of it; `hold_state` is what a held call counts as (`presence-hold-state`).

        FreeSWITCH: somebody whose call came in from someone else is the one called.
        """
        user, _, host = self.who.partition("@")
        state = self.state
        if self.holding and state != TERMINATED:
            state = hold_state if hold_state in (CONFIRMED, TERMINATED) else EARLY
        recipient = self.direction == "outbound" or self.caller != user
        return call_entry(
            uuid=self.uuid,
            direction="recipient" if recipient else "initiator",
            state=state,
            user=user,
            host=host,
            other_number=self.number,
            other_name=self.name,
            holding=self.holding,
            private=self.private,
            call_id=self.call_id,
            local_tag=self.local_tag,
            remote_tag=self.remote_tag,
        )


def dialog_state(answer_state: str, *, direction: str, down: bool) -> str:
    """Return a dialog's state of the header Answer-State."""
    if down or answer_state in ("hangup", TERMINATED):
        return TERMINATED
    if answer_state in ("answered", CONFIRMED):
        return CONFIRMED
    if answer_state in (EARLY, "ringing"):
        return EARLY
    return EARLY if direction == "outbound" else CONFIRMED


def call_of_event(event: Event, who: str) -> CallPresence:
    """Return the call of a channel's PRESENCE_IN."""

    def get(name: str) -> str:
        return event.get_header(name) or ""

    direction = get("presence-call-direction").lower()
    status = get("status").lower()
    down = (get("channel-state").upper() in ("CS_HANGUP", "CS_REPORTING", "CS_DESTROY")) or status in (
        "cs_hangup",
        "cancelled",
    )
    callee = get("Caller-Callee-ID-Number"), get("Caller-Callee-ID-Name")
    if callee[0] and _moved(direction, get("variable_channel_cid_flipped"), get("variable_transfer_source")):
        number, name = callee
    else:
        number, name = _far_end(
            direction,
            get("Caller-Destination-Number"),
            get("Caller-Caller-ID-Number") or get("Other-Leg-Caller-ID-Number"),
            get("Caller-Caller-ID-Name") or get("Other-Leg-Caller-ID-Name"),
        )
    other = get("Other-Leg-Caller-ID-Number") if direction == "outbound" else get("Caller-Callee-ID-Number")
    return CallPresence(
        uuid=get("unique-id"),
        who=who,
        direction=direction,
        state=dialog_state(get("answer-state").lower(), direction=direction, down=down),
        caller=get("Caller-Username"),
        number=number,
        name=name,
        other=other or get("Caller-Destination-Number"),
        holding=status.startswith("hold") and not down,
        private=is_true(get("Presence-Privacy")),
        hides_early=is_true(get("variable_presence_disable_early")),
        answered=leading_int(get("Caller-Channel-Answered-Time")) > 0,
    )


def call_of_channel(channel: Channel, who: str) -> CallPresence:
    """Return the call of a channel as it is."""
    profile, variables = channel.profile, channel.variables
    number, name = _far_end(
        channel.direction, profile.destination_number, profile.caller_id_number, profile.caller_id_name
    )
    moved = _moved(
        channel.direction, variables.get("channel_cid_flipped") or "", variables.get("transfer_source") or ""
    )
    if profile.callee_id_number and moved:
        number, name = profile.callee_id_number, profile.callee_id_name
    if channel.outbound:
        originator = profile.originator
        other = originator.caller_id_number if originator is not None else ""
    else:
        other = profile.callee_id_number
    local, remote = ("from", "to") if channel.outbound else ("to", "from")
    return CallPresence(
        uuid=channel.uuid,
        who=who,
        direction=channel.direction,
        state=dialog_state(channel.answer_state, direction=channel.direction, down=channel.down),
        caller=profile.username,
        number=number,
        name=name,
        other=other or profile.destination_number,
        holding=bool(channel.flags & {Flag.HOLD, Flag.LEG_HOLDING, Flag.PROTO_HOLD}),
        private=is_true(variables.get("presence_privacy")),
        hides_early=is_true(variables.get("presence_disable_early")),
        answered=channel.answered,
        call_id=variables.get("sip_call_id") or "",
        local_tag=variables.get(f"sip_{local}_tag") or "",
        remote_tag=variables.get(f"sip_{remote}_tag") or "",
    )


def _moved(direction: str, flipped: str, transfer_source: str) -> bool:
    """Return whether a call's callee is whom it speaks with now: its far end became the caller, or it was joined."""
    return flipped == "yes" if direction == "outbound" else ":uuid_br:" in transfer_source


def _far_end(direction: str, dialled: str, number: str, name: str) -> tuple[str, str]:
    """Return number and name of the far end: whom a caller dialled, or who calls."""
    return (number, name) if direction == "outbound" else (dialled, "")
