"""Methods of calls that there are: `verto.answer`, `verto.bye`, `verto.attach`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.hangup_cause import HangupCause, find_cause
from host.ivr.uuid_bridge import partner_of
from host.log import LogLevel
from host.modules.mod_verto.call_lookup import (
    Found,
    call_id_of,
    dialog_of,
    failed,
    named_call,
    sdp_of,
)
from host.modules.mod_verto.invitation import set_user
from host.modules.mod_verto.json_rpc import Answer, text_member, whole_member

if TYPE_CHECKING:
    from host.json_members import JsonMembers
    from host.modules.mod_verto.client import Client
    from host.modules.mod_verto.verto import Verto


def answer(verto: Verto, client: Client, params: JsonMembers | None) -> Answer:
    """Take a page's answer to a call."""
    dialog = dialog_of(params)
    call_id = call_id_of(dialog)
    sdp = sdp_of(params)
    session, leg = named_call(verto, client, call_id)
    channel = session.channel
    _note_description(Found(session, leg), sdp)
    channel.variables.set("verto_client_address", client.name)
    set_user(session, client)
    partner = partner_of(session)
    if partner is not None:
        partner.channel.variables.set("switch_m_sdp", sdp)
    if leg.media is None or not leg.media.accept(sdp):
        channel.variables.set("endpoint_disposition", "CODEC NEGOTIATION ERROR")
        channel.hangup(HangupCause.INCOMPATIBLE_DESTINATION)
        raise failed("CODEC ERROR")
    for part in ("callee_id_name", "callee_id_number"):
        told = text_member(dialog, part)
        if told is not None:
            setattr(channel.profile, part, told)
    return Answer({}, session.mark_answered)


def bye(verto: Verto, client: Client, params: JsonMembers | None) -> Answer:
    """End a call, for the reason that the page gives (`cause`, else `causeCode`)."""
    dialog = dialog_of(params)
    call_id = call_id_of(dialog)
    cause = _cause(params)
    session, leg = named_call(verto, client, call_id, callID=call_id)
    leg.over_for_page = True
    session.channel.variables.set("verto_hangup_disposition", "recv_bye")
    session.channel.hangup(cause)
    told = {"callID": call_id, "message": "CALL ENDED", "causeCode": int(cause), "cause": cause.name}
    return Answer(told)


def attach(verto: Verto, client: Client, params: JsonMembers | None) -> Answer:
    """Take a page's answer to a call that it was offered again."""
    dialog = dialog_of(params)
    sdp = sdp_of(params)
    session, leg = named_call(verto, client, call_id_of(dialog))
    channel = session.channel
    if not channel.answered:
        channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        raise failed("Cannot attach to a call that has not been answered.")
    _note_description(Found(session, leg), sdp)
    if leg.media is None or not leg.media.accept(sdp):
        channel.variables.set("endpoint_disposition", "CODEC NEGOTIATION ERROR")
        channel.hangup(HangupCause.BEARERCAPABILITY_NOTAVAIL)
        raise failed("CODEC NEGOTIATION ERROR")
    get = channel.variables.get
    name, number = get("last_sent_display_name") or "", get("last_sent_display_number") or ""
    return Answer({}, lambda: leg.message(session, "display", f"{name}|{number}"))


def _note_description(call: Found, sdp: str) -> None:
    channel = call.session.channel
    channel.variables.set("switch_r_sdp", sdp)
    channel.log(LogLevel.DEBUG, f"Remote SDP {channel.name}:\n{sdp}")


def _cause(params: JsonMembers | None) -> HangupCause:
    """FreeSWITCH: a name that there is, else a number that has a name, else NORMAL_CLEARING."""
    named = find_cause(text_member(params, "cause") or "")
    if named is not None and named is not HangupCause.NONE:
        return named
    number = whole_member(params, "causeCode")
    if number in {cause.value for cause in HangupCause}:
        return HangupCause(number) if number else HangupCause.NORMAL_CLEARING
    return HangupCause.NORMAL_CLEARING
