"""INVITE with Replaces (RFC 3891): a new call takes the place of one there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.channel import Flag
from host.event import Event
from host.hangup_cause import HangupCause
from host.ivr.uuid_bridge import partner_of
from host.log import LogLevel
from host.modules.mod_sofia.message import header_of

if TYPE_CHECKING:
    from host.modules.mod_sofia.call.server_leg import ServerLeg
    from host.session import Session


def take_over(leg: ServerLeg, session: Session, replaces: str) -> None:
    """Send a new call, before it starts, to where the call that it replaces is.

    FreeSWITCH: it intercepts whom the replaced call is bridged with; where nobody is, it executes the application of
    the replaced call, which is hung up. With `early-only` a call that is bridged is not replaced. A call that is not
    here leaves the new one to the dialplan.
    """
    call_id, *params = [part.strip() for part in replaces.split(";")]
    named = dict(param.partition("=")[::2] for param in params)
    replaced = leg.sofia.find_dialog(call_id, named.get("to-tag", ""), named.get("from-tag", ""))
    old = replaced.session if replaced is not None else leg.profile.switch.find_session(call_id)
    if old is None or old is session:
        return
    _take_names(session, old)
    profile = session.channel.profile
    profile.dialplan = "inline"
    if "a-leg" in named:
        profile.destination_number = f"answer,intercept:{old.uuid}"
        session.channel.log(LogLevel.DEBUG, f"call {old.uuid} picked up on a-leg")
        _tell(leg, old, "sofia::intercepted", "intercepted_by")
        return
    for header, variable in (
        ("x-fs-refer-for", "transfer_refer_for"),
        ("x-fs-refer-from", "transfer_refer_from"),
    ):
        value = header_of(leg.invite, header)
        if value:
            old.channel.variables.set(variable, value)
    partner = partner_of(old)
    if partner is None:
        variables = old.channel.variables
        application, data = variables.get("current_application"), variables.get("current_application_data")
        if application:
            profile.destination_number = f"answer,{application}" + (f":{data}" if data else "")
        _tell(leg, old, "sofia::replaced", "att_xfer_replaced_by")
        old.channel.hangup(HangupCause.ATTENDED_TRANSFER)
    elif "early-only" in named and Flag.BRIDGED in old.channel.flags:
        session.channel.log(LogLevel.DEBUG, f"call {partner.uuid} intercept rejected")
        profile.destination_number = "hangup:CALL_REJECTED"
    else:
        profile.destination_number = f"answer,intercept:{partner.uuid}"
        session.channel.log(LogLevel.DEBUG, f"call {partner.uuid} intercepted")
        _tell(leg, old, "sofia::intercepted", "intercepted_by")


def _take_names(session: Session, old: Session) -> None:
    """Let the new call show whom the replaced one showed."""
    mine, theirs = session.channel.profile, old.channel.profile
    mine.callee_id_name, mine.callee_id_number = theirs.callee_id_name, theirs.callee_id_number
    mine.caller_id_name, mine.caller_id_number = theirs.caller_id_name, theirs.caller_id_number
    mine.originator = theirs.clone()


def _tell(leg: ServerLeg, old: Session, subclass: str, header: str) -> None:
    """Fire an event of the replaced call, where the profile wants such (`fire-transfer-events`)."""
    if leg.profile.settings.fire_transfer_events:
        event: Event = old.event("CUSTOM", subclass)
        event.add_header(header, leg.dialog.call_id)
        old.switch.fire(event)
