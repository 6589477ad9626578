"""The call that a request is about, and what is wrong where there is none, in FreeSWITCH's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from host.modules.mod_verto.json_rpc import CALL_FAILED, RpcError, object_member, text_member
from host.modules.mod_verto.leg import VertoLeg

if TYPE_CHECKING:
    from host.json_members import JsonMembers
    from host.modules.mod_verto.client import Client
    from host.modules.mod_verto.verto import Verto
    from host.session import Session


class Found(NamedTuple):
    """A call with its leg."""

    session: Session
    leg: VertoLeg


def dialog_of(params: JsonMembers | None) -> JsonMembers:
    """Return `dialogParams`; RpcError without."""
    if params is None:
        raise failed("Params data missing")
    dialog = object_member(params, "dialogParams")
    if dialog is None:
        raise failed("Dialog data missing")
    return dialog


def call_id_of(dialog: JsonMembers) -> str:
    """Return `callID`; RpcError without."""
    call_id = text_member(dialog, "callID")
    if call_id is None:
        raise failed("CallID missing")
    return call_id


def sdp_of(params: JsonMembers | None) -> str:
    """Return `sdp`; RpcError without."""
    sdp = text_member(params, "sdp")
    if sdp is None:
        raise failed("SDP missing")
    return sdp


def find_call(verto: Verto, client: Client, call_id: str) -> Found | None:
    """Return a call of this client's user; others' are no more to be steered than those of other protocols."""
    session = verto.switch.find_session(call_id)
    leg = session.io if session is not None else None
    if session is None or not isinstance(leg, VertoLeg):
        return None
    own = leg.uid == client.uid and (bool(client.uid) or leg.sessid == client.sessid)
    return Found(session, leg) if own else None


def named_call(verto: Verto, client: Client, call_id: str, **more: object) -> Found:
    """As `find_call`; RpcError, with these members beside, where there is none."""
    found = find_call(verto, client, call_id)
    if found is None:
        raise failed("CALL DOES NOT EXIST", **more)
    return found


def failed(message: str, **more: object) -> RpcError:
    """Return what is raised where something about a call went wrong."""
    return RpcError(CALL_FAILED, message, **more)
