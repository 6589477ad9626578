"""mod_lua: the API commands `lua` and `luarun`, the application `lua`, its dialplan, hooks and XML handler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from host.interfaces import ApiCommand, ApiRequest, Application, ChatApplication
from host.log import LogLevel
from lua_bindings import lua_conf, lua_dialplan, script_command
from lua_bindings.event_object import Event as ScriptEvent
from lua_bindings.script import ApiCommandLine, run, running
from lua_bindings.stream import Stream

if TYPE_CHECKING:
    from host.event import Event
    from host.event_bus import Subscription
    from host.session import Session
    from host.switch import Switch

MODULE: Final = "mod_lua"
_GAUGE: Final = "scripts_running"

_WATCHES: Final[WeakKeyDictionary[Switch, Subscription]] = WeakKeyDictionary()

# FreeSWITCH: scripts may run.
UNLOADABLE = False


def load(switch: Switch) -> None:
    """Register everything and read `lua.conf`."""
    switch.api_commands.add(
        ApiCommand("lua", MODULE, _lua_command, "<script>", "run a script as an api function")
    )
    switch.api_commands.add(ApiCommand("luarun", MODULE, _luarun_command, "<script>", "run a script"))
    switch.applications.add(
        Application(
            "lua",
            MODULE,
            _lua_application,
            "<script>",
            "Run a lua ivr on a channel",
            routing_exec=True,
            zombie_exec=True,
        )
    )
    switch.chat_applications.add(
        ChatApplication("lua", MODULE, lambda message, data: _lua_chat(switch, message, data), "<script>")
    )
    lua_dialplan.register(switch)
    lua_conf.apply(switch)
    _WATCHES[switch] = lua_conf.watch(switch)
    switch.gauges[_GAUGE] = (
        "Lua scripts that run.",
        lambda: sum(script.switch is switch for script in running()),
    )


def unload(switch: Switch) -> None:
    """Take back what `load` and `lua.conf` set up beside the registries."""
    switch.gauges.pop(_GAUGE, None)
    watch = _WATCHES.pop(switch, None)
    if watch is not None:
        switch.bus.unsubscribe(watch)
    lua_conf.withdraw(switch)


def _lua_command(request: ApiRequest) -> str | None:
    switch = request.switch
    text = request.argument
    if not text:
        if request.session is None:
            return ""
        switch.log(LogLevel.ERR, "no args specified!")
        return ""
    asked = script_command.answer(switch, text)
    if asked is not None:
        return asked
    stream = Stream()
    result = run(
        switch,
        text,
        session=request.session,
        stream=stream,
        env=request.event or ApiCommandLine("lua", text),
        limits=lua_conf.limits(switch),
    )
    reply = stream.data.decode("utf-8", "surrogateescape")
    return reply if result.ok else f"{reply}-ERR Cannot execute script\n"


def _luarun_command(request: ApiRequest) -> str:
    if not request.argument:
        return "-ERR no args specified!\n"
    start(request.switch, request.argument)
    return "+OK\n"


def start(switch: Switch, text: str) -> None:
    """Run a script in a thread of its own."""
    switch.clock.spawn(lambda: run(switch, text, limits=lua_conf.limits(switch)), "luarun")


def _lua_application(session: Session, data: str) -> None:
    if not data:
        session.channel.log(LogLevel.ERR, "no args specified!")
        return
    run(session.switch, data, session=session, limits=lua_conf.limits(session.switch))


def _lua_chat(switch: Switch, message: Event, data: str) -> bool:
    """Run a script for a message; True in any case, as in FreeSWITCH."""
    run(
        switch,
        data,
        limits=lua_conf.limits(switch),
        prepare=lambda script: script.put(
            "message", ScriptEvent.around(script, message, mine=False), "Event"
        ),
    )
    return True
