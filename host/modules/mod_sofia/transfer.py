"""What a REFER from a phone does with the calls here: blind and attended transfers, and those to another server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from host.channel import Flag
from host.hangup_cause import HangupCause
from host.ivr.originate import originate
from host.ivr.park import park_session
from host.ivr.uuid_bridge import partner_of, uuid_bridge
from host.log import LogLevel
from host.modules.mod_sofia.message import parse_address, unwire, uri_host, uri_user
from host.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from host.modules.mod_sofia.leg import SofiaLeg
    from host.session import Session

# FreeSWITCH: how long the one who has asked waits for a transfer that is to be confirmed, in s.
_CONFIRM_WAIT: Final = "600:blind_transfer"
# FreeSWITCH: how long a transferor's second call stays when both calls were joined, in s.
_LEAVE_WAIT: Final = "2:attended_transfer"


@dataclass(frozen=True, slots=True)
class ReferTo:
    """Where a REFER points: number, host, the URI as a whole, and the dialog it replaces there."""

    user: str
    host: str
    uri: str
    replaces: str = ""
    port: str = ""
    params: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def replaced_dialog(self) -> tuple[str, str, str]:
        """Call-ID, to-tag and from-tag of the dialog that is to be replaced, empty without."""
        call_id, *params = [part.strip() for part in self.replaces.split(";")]
        named = dict(param.partition("=")[::2] for param in params)
        return call_id, named.get("to-tag", ""), named.get("from-tag", "")


def parse_refer_to(value: str) -> ReferTo:
    """Return the parts of a Refer-To header; ValueError for what is no SIP address."""
    address = parse_address(value if "<" in value else f"<{value.partition(';')[0]}>")
    url = address.url
    headers = tuple((str(k), unquote(unwire(str(v)))) for k, v in (url.headers or {}).items())
    copy = url.getCopy()
    copy.headers = None
    return ReferTo(
        unquote(uri_user(url)),
        uri_host(url),
        unwire(str(copy)),
        next((text for name, text in headers if name.lower() == "replaces"), ""),
        str(url.port) if url.port else "",
        ";".join(unwire(str(one)) for one in url.getParams()),
        headers,
    )


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
        partner = partner_of(session)
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
        variables.set("endpoint_disposition", "BLIND_TRANSFER")
        if (
            session.channel.is_true("confirm_blind_transfer")
            or self.leg.profile.settings.confirm_blind_transfer
        ):
            partner.channel.set_flag(Flag.CONFIRM_BLIND_TRANSFER)
            variables.set("sip_blind_transfer_event", self.event)
            partner.channel.variables.set("blind_transfer_uuid", session.uuid)
            variables.set("blind_transfer_uuid", partner.uuid)
            variables.set("park_timeout", _CONFIRM_WAIT)
            park_session(session)
            partner.transfer(number)
            self.told(None)
            return
        if target.params:
            partner.channel.variables.set("sip_h_X-FS-Refer-Params", target.params)
        self._tell_transfer(partner)
        partner.transfer(number)
        self.told(True)

    def _attended(self) -> None:
        """Join the two whom the far end speaks with on two calls.

        FreeSWITCH: two bridged legs are bridged; where only one is, that one is sent to where the other call went; a
        dialog that is not here is called at the other server with Replaces.
        """
        session, target = self.session, self.target
        session.channel.log(LogLevel.DEBUG, f"Replaces: [{target.replaced_dialog[0]}]")
        other_leg = self.leg.sofia.find_dialog(*target.replaced_dialog)
        first = partner_of(session)
        if other_leg is None or other_leg.session is None:
            self._elsewhere(first)
            return
        other = other_leg.session
        second = partner_of(other)
        session.channel.variables.set("refer_uuid", other.uuid)
        other.channel.variables.set("transfer_disposition", "replaced")
        if any(
            one is not None and one.channel.is_true("deny_refer_requests")
            for one in (session, other, first, second)
        ):
            session.channel.log(
                LogLevel.NOTICE,
                "Denying Attended Transfer, variable [deny_refer_requests] was set to true",
            )
            self.told(False)
        elif first is not None and second is not None and second.channel.answered:
            self._join(other, first, second)
        elif first is None and second is None:
            session.channel.log(LogLevel.WARNING, "Cannot transfer channels that are not in a bridge.")
            self.told(False)
        else:
            self._follow(other, first, second)

    def _join(self, other: Session, first: Session, second: Session) -> None:
        """Bridge the far ends of both calls, and leave the one who asked."""
        session = self.session
        session.channel.log(LogLevel.NOTICE, f"Attended Transfer [{first.uuid}][{second.uuid}]")
        second.channel.variables.set("transfer_disposition", "bridge")
        session.channel.variables.set("transfer_to", f"att:{second.uuid}")
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
        self._tell_transfer(moved)
        inline = left.channel.variables.get("inline_destination")
        if inline:
            moved.transfer(inline, "inline")
        else:
            moved.transfer(left.channel.profile.destination_number)
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

        def run() -> None:
            called, _ = originate(session.switch, dial_string, variables=variables)
            done = called is not None and uuid_bridge(moved, called) is Status.SUCCESS
            self.told(done)
            if called is not None and not done:
                called.channel.hangup(HangupCause.NORMAL_CLEARING)

        session.clock.spawn(run, "sofia-transfer")

    # -- what is told --------------------------------------------------------------------------------------------

    @property
    def _full_id(self) -> bool:
        return self.leg.profile.settings.full_id_in_dialplan

    def _mark(self, moved: Session) -> None:
        """Leave on the leg that goes elsewhere who sent it, and where to."""
        if self.referred_by:
            moved.channel.variables.set("sip_h_Referred-By", self.referred_by)
        if self.refer_to:
            moved.channel.variables.set("sip_refer_to", self.refer_to)

    def _tell_transfer(
        self, transferee: Session, *, replaced: Session | None = None, destination: str = ""
    ) -> None:
        """Fire the events of a transfer where the profile wants them (`fire-transfer-events`)."""
        if not self.leg.profile.settings.fire_transfer_events:
            return
        if replaced is not None:
            event = replaced.event("CUSTOM", "sofia::replaced")
            event.add_header("att_xfer_replaced_by", transferee.uuid)
            replaced.switch.fire(event)
        event = self.session.event("CUSTOM", "sofia::transferor")
        if replaced is not None:
            event.add_header("att_xfer_original_call_id", transferee.uuid)
            event.add_header("att_xfer_destination_call_id", destination)
            event.add_header("att_xfer_destination_peer_uuid", replaced.uuid)
        self.session.switch.fire(event)
        event = transferee.event("CUSTOM", "sofia::transferee")
        if replaced is not None:
            event.add_header("att_xfer_replaced_call_id", replaced.uuid)
        transferee.switch.fire(event)
