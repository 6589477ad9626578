"""A document, done: what it sets, and its work in order until something ends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from host.expansion import expand
from host.log import LogLevel
from host.modules.mod_httapi import call_control
from host.modules.mod_httapi.document import Document, Work
from host.modules.mod_httapi.prompts import prompt
from host.modules.mod_httapi.recordings import record, record_call

if TYPE_CHECKING:
    from host.modules.mod_httapi.client import Client

# Does the work of a tag whose text is given; False ends the application.
_Handler = Callable[["Client", Work, str], bool]

_HANDLERS: Final[Mapping[str, _Handler]] = {
    "answer": call_control.answer,
    "break": call_control.end,
    "conference": call_control.conference,
    "continue": call_control.go_on,
    "dial": call_control.dial,
    "execute": call_control.execute,
    "getvariable": call_control.get_variable,
    "hangup": call_control.hang_up,
    "log": call_control.log,
    "pause": prompt,
    "playback": prompt,
    "preanswer": call_control.answer,
    "record": record,
    "recordcall": record_call,
    "ringready": call_control.answer,
    "say": prompt,
    "sms": call_control.sms,
    "speak": prompt,
    "vmname": prompt,
    "voicemail": call_control.voicemail,
}


def carry_out(client: Client, document: Document) -> bool:
    """Do what a document says; False when the application is over with it."""
    permissions = client.profile.permissions
    if permissions.may("set-params") and not client.params.update(
        (name, value) for name, value in document.params if value
    ):
        client.log(LogLevel.ERR, "Too many params!")
    if permissions.may("set-vars"):
        _set_variables(client, document)
    if not document.work:
        client.log(LogLevel.WARNING, "No instructions found in result!")
        return False
    ran = False
    for work in document.work:
        handler = _HANDLERS.get(work.name.lower())
        if handler is None:
            client.log(LogLevel.WARNING, f"Unsupported Tag: [{work.name}]")
            if not ran:
                client.log(LogLevel.WARNING, "No instructions found in result!")
            return False
        ran = True
        body = _expanded(client, work.text)
        client.log(LogLevel.DEBUG, f"Process Tag: [{work.name}]")
        if work.get("action"):
            client.params.set("url", work.get("action") or "")
        if work.get("temp-action"):
            client.once.set("url", work.get("temp-action") or "")
        if not handler(client, work, body):
            return False
    return True


def _set_variables(client: Client, document: Document) -> None:
    for name, value in document.variables:
        if client.profile.permissions.lists_name("set-vars", name):
            client.set_variable(name, value)
        else:
            client.log(LogLevel.ERR, f"variable {name} permission denied!")


def _expanded(client: Client, text: str) -> str:
    """Return a tag's text with variables and commands in it resolved, as far as that is permitted.

    FreeSWITCH: what the server was told goes before the call's variables. Its list of variables keeps only those of
    the switch from a server; here it keeps those of the call, too.
    """
    permissions, session = client.profile.permissions, client.session
    if not permissions.may("expand-vars"):
        return text
    run = session.switch.api_in_text(None, "<API execute Permission Denied>")

    def lookup(name: str, index: int | None) -> str | None:
        found = client.params.get(name)
        if found is not None:
            return found
        return session.channel.variables.get(name, index) if allowed(name) else None

    def allowed(name: str) -> bool:
        return permissions.lists_name("expand-vars", name)

    def other(name: str) -> str | None:
        if not allowed(name):
            return "<Variable Expansion Permission Denied>"
        return session.switch.global_variables.get(name)

    def api(command: str, argument: str) -> str | None:
        if not permissions.lists_name("expand-vars", command, "api-list"):
            return "<API execute Permission Denied>"
        return run(command, argument)

    return expand(text, lookup, api=api, global_lookup=other)
