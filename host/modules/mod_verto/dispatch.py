"""From what a client says to what it is answered: who may call which method, and in what order things go out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from host.json_members import JsonMembers
from host.log import LogLevel
from host.modules.mod_verto import json_rpc
from host.modules.mod_verto.json_rpc import Answer, Invalid, Request, Response, RpcError
from host.modules.mod_verto.login import log_in
from host.truth import is_true

if TYPE_CHECKING:
    from host.modules.mod_verto.client import Client
    from host.modules.mod_verto.verto import Verto

# A method answers, or raises RpcError.
Method = Callable[["Verto", "Client", "JsonMembers | None"], Answer]

# A session is part of a dial string. Pages name UUIDs; one that names something else gets another.
_SESSION: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NO_METHOD: Final = RpcError(json_rpc.NO_METHOD, "Invalid Method, Missing Method or Permission Denied")


def receive(verto: Verto, client: Client, text: str, methods: dict[str, Method]) -> None:
    """Take what a client sent, answer it, and then do what the answer was to come before.

    FreeSWITCH: whoever has logged in is then offered the calls that a former connection had.
    """
    verto.log_message(client, "READ", text)
    verto.ping_later(client)
    message = json_rpc.read_message(text)
    replies: list[object] = []
    afterwards: list[Callable[[], object]] = []
    for item in message.items:
        if isinstance(item, Response):
            continue
        if isinstance(item, Invalid):
            error: dict[str, object] = {"code": json_rpc.INVALID, "message": item.message}
            replies.append({"jsonrpc": json_rpc.VERSION, "error": error, "id": item.id})
            continue
        reply, then = _answer(verto, client, item, methods)
        replies.append(reply)
        if then is not None:
            afterwards.append(then)
    if message.batch:
        _send(verto, client, replies)
    elif replies:
        _send(verto, client, replies[0])
    for then in afterwards:
        then()
    if client.doomed:
        client.drop()
    if client.authed and client.begun and not client.attached and not client.dropped:
        client.attached = True
        verto.attach_calls(client)


def _send(verto: Verto, client: Client, reply: object) -> None:
    text = json_rpc.text_of(reply)
    verto.log_message(client, "WRITE", text)
    client.link.send(text)


def _answer(
    verto: Verto, client: Client, request: Request, methods: dict[str, Method]
) -> tuple[dict[str, object], Callable[[], object] | None]:
    try:
        _let_in(verto, client, request)
        method = methods.get(request.method) if client.permissions.allows_method(request.method) else None
        if method is None:
            raise _NO_METHOD
        answer = method(verto, client, request.params)
    except RpcError as error:
        return json_rpc.refusal(request.id, error.error), None
    except Exception as error:  # one client's request must not end the connection of its calls
        verto.switch.report_bug(f"the verto method {request.method}", error)
        failure = RpcError(json_rpc.CALL_FAILED, "Unexpected Error")
        return json_rpc.refusal(request.id, failure.error), None
    return json_rpc.result(request.id, _completed(client, request, answer.result)), answer.then


def _let_in(verto: Verto, client: Client, request: Request) -> None:
    """Have a client log in where its profile wants that, and give it its session."""
    if client.profile.wants_login and (not client.authed or request.method == "login"):
        log_in(verto, client, request.params)
    client.authed = True
    if client.begun:
        return
    wanted = json_rpc.text_member(request.params, "sessid") or ""
    if not verto.begin_session(client, wanted if _SESSION.fullmatch(wanted) else ""):
        client.doomed = True
        raise RpcError(json_rpc.LOGIN_FAILED, "Session in use")
    verto.log(LogLevel.DEBUG, f"{client.name} has the RPC session {client.sessid}")
    client.begun = True


def _completed(client: Client, request: Request, result: object) -> object:
    """Add what every result has: the session, and what of the request its sender wants to have back."""
    if not isinstance(result, dict):
        return result
    full = JsonMembers(result.items())
    wanted = request.params.get("echoParams") if request.params is not None else None
    if wanted is not None and wanted is not False:
        whole = wanted is True or (isinstance(wanted, str) and is_true(wanted))
        full["requestParams"] = request.params if whole else wanted
    if client.sessid:
        full["sessid"] = client.sessid
    return full
