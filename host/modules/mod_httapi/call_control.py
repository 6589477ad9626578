"""Work that steers the call: answer, dial, conference, applications, variables, messages, its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.chat import send_chat
from host.hangup_cause import HangupCause, parse_cause
from host.ivr.session_transfer import session_transfer
from host.log import LogLevel, level_of
from host.truth import is_true

if TYPE_CHECKING:
    from host.modules.mod_httapi.client import Client
    from host.modules.mod_httapi.document import Work

_DENIED: Final = "Permission Denied!"


def answer(client: Client, work: Work, body: str) -> bool:
    """Answer the call, or let it ring; FreeSWITCH: it is the last thing that the application does."""
    session = client.session
    match work.name.lower():
        case "answer":
            session.answer()
        case "preanswer":
            session.pre_answer()
        case _:
            session.ring_ready()
    return False


def end(client: Client, work: Work, body: str) -> bool:
    """End the application; the dialplan goes on."""
    return False


def go_on(client: Client, work: Work, body: str) -> bool:
    """Do nothing but what the attributes of every tag do."""
    return True


def hang_up(client: Client, work: Work, body: str) -> bool:
    """Hang up with the cause of the attribute or of the text."""
    client.session.channel.hangup(parse_cause(work.get("cause") or body))
    return False


def log(client: Client, work: Work, body: str) -> bool:
    """Write a log line; with `clean` without time and level."""
    level = level_of(work.get("level") or "")
    client.session.switch.log(
        LogLevel.DEBUG if level is None else level,
        body,
        uuid=client.session.uuid,
        clean=is_true(work.get("clean")),
    )
    return True


def get_variable(client: Client, work: Work, body: str) -> bool:
    """Tell the server a variable of the call with its next request, or with all."""
    name = work.get("name")
    if not name:
        client.log(LogLevel.ERR, "Missing name attribute!")
        return True
    if not client.profile.permissions.may_with("get-vars", name):
        client.log(LogLevel.ERR, f"variable {name} permission denied!")
        return False
    value = client.session.channel.get_variable(name)
    if value is not None:
        (client.params if is_true(work.get("permanent")) else client.once).set(name, value)
    return True


def execute(client: Client, work: Work, body: str) -> bool:
    """Run an application of the dialplan."""
    application, data = work.get("application"), work.get("data") or body
    permissions = client.profile.permissions
    refused = ""
    if not application:
        refused = "Invalid app"
    elif not permissions.may_with("execute-apps", application, "application-list"):
        refused = _DENIED
    if refused or not application:
        return _refuse(client, refused)
    return _run(client, application, data)


def dial(client: Client, work: Work, body: str) -> bool:
    """Send the call to an extension, or with `dial-full-originate` bridge it with a dial string."""
    session, channel, permissions = client.session, client.session.channel, client.profile.permissions
    if not permissions.may("dial"):
        return _refuse(client, _DENIED)

    def permitted(attribute: str, permission: str) -> str:
        return (work.get(attribute) or "") if permissions.may(permission) else ""

    context = permitted("context", "dial-set-context")
    dialplan = permitted("dialplan", "dial-set-dialplan")
    name = permitted("caller-id-name", "dial-set-cid-name")
    number = permitted("caller-id-number", "dial-set-cid-number")
    if permissions.may("dial-full-originate") and "/" in body:
        name = name or channel.get_variable("caller_id_name") or ""
        number = number or channel.get_variable("caller_id_number") or ""
        who = f"{{origination_caller_id_name='{name}',origination_caller_id_number='{number}'}}"
        return _run(client, "bridge", f"{who}{body}")
    if name:
        client.log(LogLevel.INFO, f"Changing Caller-ID Name to: {name}")
        client.set_variable("effective_caller_id_name", name)
    if number:
        client.log(LogLevel.INFO, f"Changing Caller-ID Number to: {number}")
        client.set_variable("effective_caller_id_number", number)
    session_transfer(session, body, dialplan, context)
    return True


def conference(client: Client, work: Work, body: str) -> bool:
    """Enter a conference room."""
    permissions = client.profile.permissions
    if not permissions.may("conference"):
        return _refuse(client, _DENIED)
    profile = work.get("profile") if permissions.may("conference-set-profile") else ""
    data = f"{body.partition('@')[0]}@{profile or client.profile.conference_profile}"
    if work.get("pin"):
        data += f"+{work.get('pin')}"
    if work.get("flags"):
        data += f"+flags{{{work.get('flags')}}}"
    return _run(client, "conference", data)


def voicemail(client: Client, work: Work, body: str) -> bool:
    """Leave a message for a mailbox, or with `check` or `auth-only` log in to it."""
    auth = is_true(work.get("auth-only"))
    words = (
        "check" if auth or is_true(work.get("check")) else "",
        "auth_only" if auth else "",
        work.get("profile") or "default",
        work.get("domain") or client.session.switch.domain,
        work.get("id") or "",
    )
    return _run(client, "voicemail", " ".join(words).lstrip(" ")) and client.session.channel.ready


def sms(client: Client, work: Work, body: str) -> bool:
    """Send a text message by SIP in the caller's name."""
    to = work.get("to")
    switch = client.session.switch
    if to is None:
        client.log(LogLevel.ERR, "Missing 'to' Attribute!")
        return False
    message = switch.new_event("MESSAGE")
    for name, value in (
        ("proto", "httapi"),
        ("to_proto", "sip"),
        ("from", client.session.channel.get_variable("caller_id_number") or ""),
        ("to", to),
        ("type", "text/plain"),
    ):
        message.add_header(name, value)
    message.body = body
    send_chat(switch, "sip", message)
    return True


def _run(client: Client, application: str, data: str) -> bool:
    """Run an application, whose data is expanded.

    FreeSWITCH asks for the permission to expand only where a server names the application; data that would run
    commands is the server's whatever the tag is.
    """
    if "$" in data and not client.profile.permissions.may("expand-vars"):
        return _refuse(client, f"Expand Variables: {_DENIED}")
    client.session.execute(application, data)
    return True


def _refuse(client: Client, why: str) -> bool:
    client.log(LogLevel.ERR, why)
    client.session.channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
    return False
