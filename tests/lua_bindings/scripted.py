"""A switch for scripts in virtual time, and running code on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from host.clock import VirtualClock
from host.interfaces import ApiCommand, Application
from host.status import Status
from host.switch import Switch
from lua_bindings import lua_conf, mod_lua
from lua_bindings.script import ScriptResult, run
from lua_bindings.script_run import Limits
from lua_bindings.stream import Stream
from tests.host.handset import start_call
from tests.host.xml_document import configuration

VERSIONS = ("luajit", "5.1", "5.2", "5.3", "5.4", "5.5")
MOST = ("luajit", "5.2", "5.4")  # where a fault of one version alone is unlikely

# Before code of a test: show(...) writes its arguments, each as `shown` makes it a text, with | between and ; behind.
SHOW = """
  local shown = tostring
  local function show(...)
    local t = {}
    for i = 1, select("#", ...) do t[i] = shown((select(i, ...))) end
    stream:write(table.concat(t, "|") .. ";")
  end
"""


@contextmanager
def scripted_switch(folder: Path) -> Iterator[Switch]:
    """Yield a switch with mod_lua, the command `echo` and the folders of scripts and databases."""
    (folder / "scripts").mkdir(exist_ok=True)
    (folder / "db").mkdir(exist_ok=True)
    clock = VirtualClock()
    with clock.participating():
        switch = Switch(clock, folder, seed=1)
        mod_lua.load(switch)
        switch.api_commands.add(ApiCommand("echo", "mod_test", lambda request: request.argument))
        yield switch
        mod_lua.unload(switch)
        switch.close()


@dataclass(slots=True)
class Ran:
    """What a script wrote to its stream, and how it ended."""

    text: str
    result: ScriptResult


def ran(switch: Switch, code: str, limits: Limits | None = None) -> Ran:
    """Run inline code with a stream."""
    stream = Stream()
    result = run(switch, "~" + code, stream=stream, limits=limits)
    return Ran(stream.data.decode("utf-8", "surrogateescape"), result)


def text_of(switch: Switch, code: str, version: str = "luajit") -> str:
    """Return what the code writes; it must end without an error."""
    done = ran(switch, code, Limits(version=version))
    assert done.result.ok, f"{done.result.error}\n{done.result.traceback}"
    return done.text


def lua_conf_with(params: str) -> str:
    """Return a document whose lua.conf has these elements `param`."""
    return configuration("lua.conf", f"<settings>{params}</settings>")


def configure(switch: Switch, params: str) -> None:
    """Let a switch have these elements `param` in its lua.conf."""
    switch.xml.load_text(lua_conf_with(params))
    lua_conf.withdraw(switch)
    lua_conf.apply(switch)


class Call:
    """A call whose extension runs inline code with the application `lua`."""

    def __init__(self, switch: Switch, code: str) -> None:
        self.switch = switch
        self.facts: list[tuple[str, dict[str, object]]] = []
        switch.observers.append(lambda kind, channel, facts: self.facts.append((kind, facts)))
        switch.applications.add(Application("note_done", "mod_test", lambda session, data: Status.SUCCESS))
        self.session = start_call(switch, ("lua", "~" + code), ("note_done", ""))

    def finish(self, seconds: int = 60) -> None:
        """Wait for the call's end."""
        clock = self.switch.clock
        assert self.session.ended.wait(clock.now() + seconds * 1_000_000), "the call goes on"

    def of_kind(self, kind: str) -> list[dict[str, object]]:
        """Return the facts observed of one kind."""
        return [facts for name, facts in self.facts if name == kind]

    def variable(self, name: str) -> str | None:
        """Return a channel variable."""
        return self.session.channel.get_variable(name)
