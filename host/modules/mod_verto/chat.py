"""The chat protocol `verto`: messages to pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.log import LogLevel
from host.modules.mod_verto.leg import VertoLeg

if TYPE_CHECKING:
    from host.event import Event
    from host.modules.mod_verto.verto import Verto


def send_message(verto: Verto, message: Event) -> bool:
    """Send a message to the page of its `call_id`, else to all that its receiver has logged in with.

    FreeSWITCH: nobody has to be there; only a message without receiver, sender or text fails.
    """
    to, sender = message.get_header("to"), message.get_header("from")
    if not (to and sender and message.body):
        verto.log(LogLevel.ERR, "INVALID EVENT")
        return False
    told: dict[str, object] = {"from": sender, "to": to, "body": message.body}
    for name, value in message.headers:
        if isinstance(value, str) and name.lower().startswith(("from_", "to_")):
            told[name] = value
    params: dict[str, object] = {"msg": told}
    call_id = message.get_header("call_id")
    if call_id:
        params["callID"] = call_id
        session = verto.switch.find_session(call_id)
        leg = session.io if session is not None else None
        if "@" in to and isinstance(leg, VertoLeg) and leg.send("verto.info", params):
            return True
    if "@" in to:
        for client in verto.clients_of(to):
            verto.send_request(client, "verto.info", params)
    return True
