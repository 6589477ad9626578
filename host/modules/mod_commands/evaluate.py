"""Commands that put variables into a text, or run another command."""

from __future__ import annotations

from typing import Final

from host.api_table import ApiTable, UsageError
from host.arguments import separate
from host.channel_event import channel_event
from host.escape import url_encode
from host.event import Event
from host.expansion import expand as expand_text
from host.interfaces import ApiRequest

commands: Final = ApiTable("mod_commands")
command = commands.command

_INVALID_COMMAND: Final = "INVALID COMMAND!\n"
_UUID_PREFIX: Final = "uuid:"


@command("eval", "[uuid:<uuid> ]<expression>", "eval (noop)")
def eval_(request: ApiRequest) -> str:
    return _expanded(request, *_about(request))


@command("expand", "[uuid:<uuid> ]<cmd> <args>", "Execute an api with variable expansion")
def expand(request: ApiRequest) -> str:
    """Run a command, its arguments expanded first; FreeSWITCH: its name is not."""
    about, text = _about(request)
    if not text:
        return "-ERR No input\n"
    name, _, argument = text.partition(" ")
    if request.switch.api_commands.get(name) is None:
        return f"{_INVALID_COMMAND}-ERR Cannot execute command\n"
    return request.switch.api(name, _expanded(request, about, argument), request.session)


@command("xml_wrap", "<command> <args>", "Wrap another api command in xml")
def xml_wrap(request: ApiRequest) -> str:
    name, _, argument = request.argument.partition(" ")
    encoded = name.lower() == "encoded" and bool(argument)
    if encoded:
        name, _, argument = argument.lstrip(" ").partition(" ")
    if request.switch.api_commands.get(name) is None:
        reply = _INVALID_COMMAND
    else:
        reply = request.switch.api(name, argument, request.session)
    data = url_encode(reply) if encoded else reply
    return f'<result>\n  <row id="1">\n    <data>{data}</data>\n  </row>\n</result>\n'


@command("bgapi", "<command>[ <arg>]", "Execute an api command in a thread")
def bgapi(request: ApiRequest) -> str:
    """Answer the job's UUID at once; the reply comes with the event BACKGROUND_JOB."""
    switch = request.switch
    text = request.argument
    job = ""
    if text[: len(_UUID_PREFIX)].lower() == _UUID_PREFIX:
        job, _, text = text[len(_UUID_PREFIX) :].partition(" ")
        if not job:
            return "-ERR Invalid syntax\n"
    name, _, argument = text.lstrip(" ").partition(" ")
    if not name:
        return "-ERR Invalid syntax\n"
    job = job or switch.new_uuid()

    def work() -> None:
        known = switch.api_commands.get(name) is not None
        reply = switch.api(name, argument) if known else f"{name}: Command not found!\n"
        event = switch.new_event("BACKGROUND_JOB")
        event.add_header("Job-UUID", job)
        event.add_header("Job-Command", name)
        if argument:
            event.add_header("Job-Command-Arg", argument)
        event.body = reply
        switch.fire(event)

    switch.clock.spawn(work, f"bgapi-{name}")
    return f"+OK Job-UUID: {job}\n"


@command("global_getvar", "<var>", "Get global var")
def global_getvar(request: ApiRequest) -> str:
    variables = request.switch.global_variables
    if not request.argument:
        return "".join(f"{name}={value}\n" for name, value in variables.items())
    return variables.get(request.argument) or ""


@command("global_setvar", "<var>=<value> [=<value2>]", "Set global var")
def global_setvar(request: ApiRequest) -> str:
    """Set a variable, or with a second `=` set it only where it holds the second value. `${` becomes `%{`."""
    parts = separate(request.argument, "=", 3)
    if not parts or not parts[0]:
        raise UsageError
    name = parts[0]
    value = parts[1].replace("${", "%{") if len(parts) > 1 else ""
    variables = request.switch.global_variables
    if len(parts) < 3 or variables.get(name) == parts[2]:
        variables.set(name, value)
    return "+OK"


@command("create_uuid", "<uuid> <other_uuid>", "Create a uuid")
def create_uuid(request: ApiRequest) -> str:
    return request.switch.new_uuid()


def _about(request: ApiRequest) -> tuple[str | None, str]:
    """Return the UUID after `uuid:` (any case), None without, and the text that follows."""
    text = request.argument
    if text[: len(_UUID_PREFIX)].lower() != _UUID_PREFIX:
        return None, text
    uuid, _, text = text[len(_UUID_PREFIX) :].partition(" ")
    return uuid, text


def _expanded(request: ApiRequest, uuid: str | None, text: str) -> str:
    """Return `text` expanded: on the channel named, on the session it came from, or globally."""
    switch = request.switch
    if uuid is not None:
        session = switch.find_session(uuid)
        event = channel_event(session.channel, "CHANNEL_DATA") if session is not None else None
        return _on_event(request, text, event)
    if request.session is not None:
        return request.session.expand(text)
    return _on_event(request, text, request.event)


def _on_event(request: ApiRequest, text: str, event: Event | None) -> str:
    """Expand with an event's headers before the global variables (FreeSWITCH: `${variable_NAME}` of a channel)."""
    switch = request.switch

    def header(name: str, index: int | None) -> str | None:
        return event.get_header(name, index) if event is not None else None

    run = switch.api_in_text(request.session, "<API execute Permission Denied>")
    return expand_text(text, header, api=run, global_lookup=switch.global_variables.get)
