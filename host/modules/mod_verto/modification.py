"""`verto.modify`: hold, transfer, other media, and one call put in another one's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.channel import Flag
from host.hangup_cause import HangupCause
from host.ivr.hold import held_by_far_end
from host.ivr.uuid_bridge import partner_of
from host.log import LogLevel
from host.modules.mod_verto.call_lookup import Found, call_id_of, dialog_of, failed, find_call, named_call
from host.modules.mod_verto.json_rpc import Answer, text_member
from host.modules.mod_verto.replacement import replace_call

if TYPE_CHECKING:
    from host.json_members import JsonMembers
    from host.modules.mod_verto.client import Client
    from host.modules.mod_verto.verto import Verto


def modify(verto: Verto, client: Client, params: JsonMembers | None) -> Answer:
    """Do what `action` says. FreeSWITCH: one that is unknown only tells whether the call is on hold."""
    call_id = call_id_of(dialog_of(params))
    action = text_member(params, "action")
    if action is None:
        raise failed("action missing")
    told: dict[str, object] = {"callID": call_id, "action": action}
    call = named_call(verto, client, call_id, **told)
    lowered = action.lower()
    held = Flag.LEG_HOLDING in call.session.channel.flags
    if lowered == "updatemedia":
        told["sdp"] = _update(call, text_member(params, "sdp"), told)
    elif lowered == "transfer":
        _transfer(call, text_member(params, "destination"), told)
        told["message"] = "CALL TRANSFERRED"
    elif lowered == "replace":
        _replace(verto, client, call, text_member(params, "replaceCallID"), told)
    elif lowered in ("hold", "unhold", "togglehold"):
        wanted = lowered == "hold" or (lowered == "togglehold" and not held)
        held = _hold(call, wanted)
    told["holdState"] = "held" if held else "active"
    return Answer(told)


def _hold(call: Found, wanted: bool) -> bool:
    """Have the other side hear music, or its voice again; return whether the call is then on hold."""
    if not call.session.channel.answered:
        return False
    call.session.run_in_session(lambda session: held_by_far_end(session, wanted))
    return wanted


def _update(call: Found, sdp: str | None, told: dict[str, object]) -> str:
    session, leg = call
    channel = session.channel
    if not channel.answered:
        channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        raise failed("Cannot update a call that has not been answered.", **told)
    if sdp is None:
        raise failed("SDP missing", **told)
    channel.variables.set("switch_r_sdp", sdp)
    channel.log(LogLevel.DEBUG, f"updateMedia: Remote SDP {channel.name}:\n{sdp}")
    answer = leg.media.answer(sdp) if leg.media is not None else None
    if answer is None:
        channel.variables.set("endpoint_disposition", "CODEC NEGOTIATION ERROR")
        raise failed("CODEC NEGOTIATION ERROR", **told)
    return answer


def _transfer(call: Found, destination: str | None, told: dict[str, object]) -> None:
    """Send whom the page speaks with elsewhere."""
    if destination is None:
        raise failed("destination missing", **told)
    partner = partner_of(call.session)
    if partner is None:
        raise failed("call is not bridged", **told)
    partner.transfer(destination)
    call.session.channel.variables.set("transfer_disposition", "recv_replace")


def _replace(
    verto: Verto, client: Client, call: Found, other_id: str | None, told: dict[str, object]
) -> None:
    if other_id is None:
        raise failed("replaceCallID missing", **told)
    other = find_call(verto, client, other_id)
    if other is None:
        raise failed("invalid transfer leg", **told)
    if not replace_call(call.session, other.session):
        raise failed("transfer failed", **told)
