"""`verto.info`: digits, messages and wishes of a page, about a call or about none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.chat import send_chat
from host.dtmf_string import parse_dtmf
from host.inbox import Digit
from host.modules.mod_verto.call_lookup import find_call
from host.modules.mod_verto.invitation import context_of, take_user_variables
from host.modules.mod_verto.json_rpc import CALL_FAILED, Answer, RpcError, object_member, text_member, text_of
from host.modules.mod_verto.verto import PROTOCOL
from host.truth import is_true

if TYPE_CHECKING:
    from host.event import Event
    from host.json_members import JsonMembers
    from host.modules.mod_verto.client import Client
    from host.modules.mod_verto.verto import Verto
    from host.session import Session


def info(verto: Verto, client: Client, params: JsonMembers | None) -> Answer:
    """Take what a page tells: `dtmf` and `command` of a call, a `msg` for somebody.

    FreeSWITCH: a call that is not there is not missed. There is no text stream that `txt` could go to.
    """
    if params is None:
        raise RpcError(CALL_FAILED, "Params data missing")
    dialog = object_member(params, "dialogParams")
    call_id = text_member(dialog, "callID") or ""
    found = find_call(verto, client, call_id) if call_id else None
    told: dict[str, object] = {}
    session = found.session if found is not None else None
    if session is not None and dialog is not None:
        take_user_variables(session.channel, dialog)
        if "command" in params:
            session.queue_event(_command(verto, params.get("command")))
        digits = text_member(params, "dtmf")
        if digits is not None:
            _press(session, digits)
            told["message"] = "SENT"
    message = object_member(params, "msg")
    if message is not None:
        _send_message(verto, client, message, session, call_id)
        told["message"] = "SENT"
    return Answer(told)


def _press(session: Session, text: str) -> None:
    """FreeSWITCH: digits of pages go through bindings and blocks, as those of phones."""
    for digit in parse_dtmf(text, session.switch.control):
        session.receive_digit(Digit(digit.digit, digit.duration))


def _command(verto: Verto, command: object) -> Event:
    event = verto.switch.new_event("COMMAND")
    event.add_header("content-type", "text/json")
    event.add_header("content-source", PROTOCOL)
    event.body = text_of(command)
    return event


def _send_message(
    verto: Verto, client: Client, message: JsonMembers, session: Session | None, call_id: str
) -> None:
    """Hand a message to the chat plan, or with `inDialog` to the call."""
    to, body = text_member(message, "to") or "", text_member(message, "body") or ""
    protocol, plus, address = to.partition("+")
    if plus:
        to = address
    else:
        protocol = PROTOCOL
    if not to or not body:
        raise RpcError(CALL_FAILED, "INVALID MESSAGE to and body params required")
    event = verto.switch.new_event("MESSAGE")
    for name, value in (
        ("proto", PROTOCOL),
        ("from", client.uid),
        ("from_user", client.user),
        ("from_host", client.domain),
        ("to", to),
        ("type", "text/plain"),
        ("from_full", client.user),
        ("verto_profile", client.profile.name),
        ("verto_jsock_uuid", client.sessid),
    ):
        event.add_header(name, value)
    for name, given in message.items():
        if isinstance(given, str) and given and name.lower().startswith(("from_", "to_")):
            event.add_header(name, given)
    wish = message.get("inDialog")
    within = wish is True or (isinstance(wish, str) and is_true(wish))
    if within:
        event.add_header("call_id", call_id)
    event.add_header("context", context_of(client))
    event.body = body
    if protocol.lower() != PROTOCOL:
        send_chat(verto.switch, protocol, event)
    if not within:
        send_chat(verto.switch, "GLOBAL", event)
    elif session is not None:
        session.queue_event(event)
