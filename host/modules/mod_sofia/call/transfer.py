"""What a REFER from a phone does with the calls here: blind and attended transfers, and those to another server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.hangup_cause import HangupCause
from host.ivr.caller_place import place_of
from host.ivr.hold import hold_music
from host.ivr.originate import Request, place_call
from host.ivr.originate_handover import hand_over
from host.ivr.park import park_session
from host.ivr.transfer_recordings import follow_transfer
from host.ivr.uuid_bridge import partner_of, uuid_bridge, wait_for_bridge
from host.log import LogLevel
from host.modules.mod_sofia.sip_cause import reason_value
from host.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from host.modules.mod_sofia.call.leg import SofiaLeg
    from host.modules.mod_sofia.call.refer_to import ReferTo
    from host.session import Session

# FreeSWITCH: how long the one who has asked waits for a transfer that is to be confirmed, in s.
_CONFIRM_WAIT: Final = "600:blind_transfer"
# FreeSWITCH: how long a transferor's second call stays when both calls were joined, in s.
_LEAVE_WAIT: Final = "2:attended_transfer"
# How long a call may take to be bridged with one who answers just when the transfer is asked for, in s.
_ANSWER_WAIT: Final = 2
# FreeSWITCH: how long the other server's call may ring, in s.
_ELSEWHERE_TIMEOUT: Final = 60
# FreeSWITCH (sofia-sip): with what the unanswered call of one who transferred it is refused.
_LEFT: Final = (486, "Busy Here")


@dataclass(frozen=True, slots=True)
class Transfer:
    """A REFER that was accepted. `told(done)` lets its sender know how it ended; None when that comes later."""

    leg: SofiaLeg
    session: Session
    target: ReferTo
    refer_to: str
    referred_by: str
    event: str
    sender: str  # the user of From
    told: Callable[[bool | None], object]

    def run(self) -> None:
        """Do it, in a thread that may block."""
        if self.target.replaces:
            self._attended()
        else:
            self._blind()

    def _blind(self) -> None:
        """Send whom the leg speaks with elsewhere. FreeSWITCH: a call that nobody is bridged with is not moved."""
        session, target = self.session, self.target
        variables = session.channel.variables
        number = f"{target.user}@{target.host}" if self._full_id else target.user
        partner = _standing(partner_of(session))
        variables.set("transfer_to", f"blind:{partner.uuid if partner is not None else number}")
        variables.set("transfer_destination", f"blind:{number}")
        if partner is None:
            event = session.event("CUSTOM", "sofia::error")
            event.add_header("Error-Type", "blind_transfer")
            event.add_header("Transfer-Exten", number)
            event.add_header("Full-Refer-To", self.refer_to)
            session.switch.fire(event)
            session.channel.log(LogLevel.ERR, "Cannot Blind Transfer 1 Legged calls")
            variables.set("endpoint_disposition", "ATTENDED_TRANSFER_ERROR")
            self.told(False)
            return
        variables.set("transfer_fallback_extension", self.sender)
        self._mark(partner)
        follow_transfer(session, partner)
        variables.set("endpoint_disposition", "BLIND_TRANSFER")
        confirmed = (
            session.channel.is_true("confirm_blind_transfer")
            or self.leg.profile.settings.confirm_blind_transfer
        )
        if confirmed:
            # It is not to hang up because the other one leaves their bridge.
            partner.channel.flags |= {Flag.CONFIRM_BLIND_TRANSFER, Flag.REDIRECT}
            variables.set("sip_blind_transfer_event", self.event)
            partner.channel.variables.set("blind_transfer_uuid", session.uuid)
            variables.set("blind_transfer_uuid", partner.uuid)
            variables.set("park_timeout", _CONFIRM_WAIT)
            park_session(session)
        self.told(None if confirmed else True)
        if target.params:
            partner.channel.variables.set("sip_h_X-FS-Refer-Params", target.params)
        self._tell_transfer(partner)
        partner.transfer(number)

    def _attended(self) -> None:
        """Join the two whom the far end speaks with on two calls.

        FreeSWITCH: two bridged legs are bridged; where only one is, that one is sent to where the other call went; a
        dialog that is not here is called at the other server with Replaces.
        """
        session, target = self.session, self.target
        session.channel.log(LogLevel.DEBUG, f"Replaces: [{target.replaced_dialog[0]}]")
        other_leg = self.leg.sofia.find_dialog(*target.replaced_dialog)
        first = _standing(partner_of(session))
        if other_leg is None or other_leg.session is None:
            self._elsewhere(first)
            return
        other = other_leg.session
        session.channel.variables.set("refer_uuid", other.uuid)
        other.channel.variables.set("transfer_disposition", "replaced")
        if any(
            one is not None and one.channel.is_true("deny_refer_requests")
            for one in (session, other, first, partner_of(other))
        ):
            session.channel.log(
                LogLevel.NOTICE,
                "Denying Attended Transfer, variable [deny_refer_requests] was set to true",
            )
            self.told(False)
            return
        session.channel.variables.set("_sofia_replaces_", target.replaced_dialog[0])
        if other.channel.down:
            session.channel.log(LogLevel.WARNING, f"{other.channel.name} has just ended")
            self.told(False)
        elif first is None or Flag.ORIGINATOR not in other.channel.flags:
            self._settled(other, first, _standing(partner_of(other)))
        elif not self._early(other_leg, other, first):
            self._too_late(other, first)

    def _settled(self, other: Session, first: Session | None, second: Session | None) -> None:
        """Transfer with a second call that nobody is called for any more."""
        if first is not None and second is not None:
            for call in (self.session, other):
                wait_for_bridge(call, _ANSWER_WAIT)
            self._join(other, first, second)
        elif first is None and second is None:
            self.session.channel.log(LogLevel.WARNING, "Cannot transfer channels that are not in a bridge.")
            self.told(False)
        else:
            self._follow(other, first, second)

    def _early(self, other_leg: SofiaLeg, other: Session, first: Session) -> bool:
        """Give `first` the place of the second call, whose callee still rings; False when that is too late.

        FreeSWITCH: it waits with hold music until the callee answers; where that one does not, it goes on in the
        dialplan where the second call would have. The second call ends at once for the one who transfers.
        """
        session, channel = self.session, other.channel
        session.channel.log(LogLevel.NOTICE, f"Attended Transfer on originating session {other.uuid}")
        destination = partner_of(other)
        channel.variables.set("transfer_to", f"satt:{first.uuid}")
        channel.variables.set("endpoint_disposition", "ATTENDED_TRANSFER")
        channel.flags.discard(Flag.LEG_HOLDING)
        profile, variables = channel.profile, first.channel.variables
        for name, value in (
            ("att_xfer_kill_uuid", other.uuid),
            ("att_xfer_destination_number", profile.destination_number),
            ("att_xfer_callee_id_name", profile.callee_id_name),
            ("att_xfer_callee_id_number", profile.callee_id_number),
        ):
            variables.set(name, value)
        self._tell_transfer(
            first, replaced=other, destination=destination.uuid if destination is not None else ""
        )
        self._bypass(first)
        for one in (session, other):
            follow_transfer(one, first)
        # It leaves its call before it may be bridged with the one called, and not after that.
        music = hold_music(first) or self.leg.profile.settings.hold_music
        playing = bool(music) and music.lower() != "silence"
        first.transfer(f'm:":endless_playback:{music}"park' if playing else "park", "inline")
        place = place_of(other)
        if place is None or not place.take(first):
            return False
        self.told(True)
        cause = HangupCause.NORMAL_CLEARING
        quiet = channel.is_true("disable_q850_reason")
        headers = () if quiet else (("Reason", reason_value(cause)),)
        other_leg.refuse(*_LEFT, ())
        other_leg.stack.call(lambda: other_leg.end_call(cause, headers))
        return True

    def _too_late(self, other: Session, first: Session) -> None:
        """Transfer `first`, which is out of its call, with a second call whose callee just answered, or refused."""
        wait_for_bridge(other, _ANSWER_WAIT)
        second = _standing(partner_of(other))
        if second is not None:
            self._join(other, first, second)
        elif other.channel.up:
            self._follow(other, first, None)
        elif first.channel.up:
            hand_over(other, first, None)
            self.told(True)
        else:
            self.told(False)

    def _join(self, other: Session, first: Session, second: Session) -> None:
        """Bridge the far ends of both calls, and leave the one who asked."""
        session = self.session
        session.channel.log(LogLevel.NOTICE, f"Attended Transfer [{first.uuid}][{second.uuid}]")
        second.channel.variables.set("transfer_disposition", "bridge")
        self._bypass(first, second)
        session.channel.variables.set("transfer_to", f"att:{second.uuid}")
        if session.channel.is_true("recording_follow_transfer"):
            first.channel.variables.set("transfer_disposition", "bridge")
        follow_transfer(session, first)
        follow_transfer(other, second)
        self._record(first, second)
        self._tell_transfer(first, replaced=other, destination=second.uuid)
        joined = uuid_bridge(first, second) is Status.SUCCESS
        other.channel.variables.set("endpoint_disposition", "ATTENDED_TRANSFER")
        self.told(joined)
        if not joined:
            return
        other.channel.flags.discard(Flag.LEG_HOLDING)
        other.channel.variables.set("park_timeout", _LEAVE_WAIT)
        park_session(other)

    def _follow(self, other: Session, first: Session | None, second: Session | None) -> None:
        """Send the one of the two calls that somebody is bridged with to where the other one went."""
        if first is not None:
            moved, left = first, other
        else:
            assert second is not None
            moved, left = second, self.session
            for one in (other, left):
                one.channel.flags.discard(Flag.LEG_HOLDING)
        self._mark(moved)
        follow_transfer(left, moved)
        self._tell_transfer(moved, replaced=left, followed=True)
        inline = left.channel.variables.get("inline_destination")
        if inline:
            moved.transfer(inline, "inline")
        else:
            moved.transfer(left.channel.get_variable("destination_number") or "")
        self.told(True)
        if first is None:
            other.channel.hangup(HangupCause.ATTENDED_TRANSFER)
        left.channel.hangup(HangupCause.ATTENDED_TRANSFER)

    def _elsewhere(self, moved: Session | None) -> None:
        """Call the other server's dialog with Replaces, and give it the one whom the leg speaks with."""
        session, target = self.session, self.target
        if moved is None:
            session.channel.log(LogLevel.ERR, "Invalid Transfer! []")
            session.channel.variables.set("endpoint_disposition", "ATTENDED_TRANSFER_ERROR")
            self.told(False)
            return
        place = f"{target.user}@{target.host}{f':{target.port}' if target.port else ''}"
        dial_string = f"sofia/{self.leg.profile.name}/sip:{place}"
        session.channel.log(LogLevel.INFO, f"Nightmare transfer to '{dial_string}'")
        variables = {
            "_sofia_replaces_": target.replaces,
            "sip_h_X-FS-Refer-From": session.uuid,
            "sip_h_X-FS-Refer-For": moved.uuid,
            "sip_refer_to": self.refer_to,
        }
        if target.params:
            variables["sip_invite_params"] = target.params
        if self.referred_by:
            variables["sip_h_Referred-By"] = self.referred_by
        for name, value in target.headers:
            if name.lower() != "replaces":
                variables[f"sip_h_{name}"] = value
        self._tell_transfer(moved)

        request = Request(
            session.switch, None, _ELSEWHERE_TIMEOUT, variables, profile=session.channel.profile
        )

        def run() -> None:
            called, _ = place_call(request, dial_string)
            done = False
            if called is not None and session.channel.up:
                session.channel.variables.set("transfer_to", f"att:{called.uuid}")
                follow_transfer(session, moved)
                self._record(moved, called)
                done = uuid_bridge(moved, called) is Status.SUCCESS
                session.channel.variables.set("endpoint_disposition", "ATTENDED_TRANSFER")
            self.told(done)
            if called is not None and not done:
                called.channel.hangup(HangupCause.ORIGINATOR_CANCEL)

        session.clock.spawn(run, "sofia-transfer")

    # -- what is told --------------------------------------------------------------------------------------------

    @property
    def _full_id(self) -> bool:
        return self.leg.profile.settings.full_id_in_dialplan

    def _bypass(self, *joined: Session) -> None:
        """Let the sound of those who are joined leave the switch, where the profile wants that."""
        if "bypass-media-after-att-xfer" in self.leg.profile.settings.media_option:
            for one in joined:
                one.channel.flags.add(Flag.BYPASS_MEDIA_AFTER_BRIDGE)

    def _mark(self, moved: Session) -> None:
        """Leave on the leg that goes elsewhere who sent it, and where to."""
        if self.referred_by:
            moved.channel.variables.set("sip_h_Referred-By", self.referred_by)
        if self.refer_to:
            moved.channel.variables.set("sip_refer_to", self.refer_to)

    def _record(self, first: Session, second: Session) -> None:
        """Leave in the transfer history of both who joined them. FreeSWITCH: `time:id:att_xfer:who/whom`."""
        who = _address(self.session)
        for one in (second, first):
            profile, variables = one.channel.profile, one.channel.variables
            stamp = one.clock.time() // 1_000_000
            profile.transfer_source = f"{stamp}:{one.switch.new_uuid()}:att_xfer:{who}/{_address(one)}"
            variables.push("transfer_history", profile.transfer_source)
            variables.set("transfer_source", profile.transfer_source)

    def _tell_transfer(
        self,
        transferee: Session,
        *,
        replaced: Session | None = None,
        destination: str = "",
        followed: bool = False,
    ) -> None:
        """Fire the events of a transfer where the profile wants them (`fire-transfer-events`).

        `replaced` is the second call of the one who transfers; with `followed` it is only left, not replaced.
        """
        if not self.leg.profile.settings.fire_transfer_events:
            return
        if replaced is not None and not followed:
            event = replaced.event("CUSTOM", "sofia::replaced")
            event.add_header("att_xfer_replaced_by", transferee.uuid)
            replaced.switch.fire(event)
        event = self.session.event("CUSTOM", "sofia::transferor")
        if replaced is not None:
            peer = partner_of(transferee) if followed else replaced
            for name, value in (
                ("original_call_id", replaced.uuid if followed else transferee.uuid),
                ("destination_call_id", transferee.uuid if followed else destination),
                ("destination_peer_uuid", peer.uuid if peer is not None else ""),
            ):
                if value:
                    event.add_header(f"att_xfer_{name}", value)
        self.session.switch.fire(event)
        event = transferee.event("CUSTOM", "sofia::transferee")
        if replaced is not None and not followed:
            event.add_header("att_xfer_replaced_call_id", replaced.uuid)
        transferee.switch.fire(event)


def _standing(session: Session | None) -> Session | None:
    """Return a call that is not hung up. FreeSWITCH: one that is is nobody's partner."""
    return session if session is not None and session.channel.up else None


def _address(session: Session) -> str:
    """Return `user@host` of a SIP leg's far end."""
    side = "to" if session.channel.outbound else "from"
    user, host = (session.channel.variables.get(f"sip_{side}_{part}") or "" for part in ("user", "host"))
    return f"{user}@{host}"
