"""A switch for scripts in virtual time, and running code on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from host.caller_profile import CallerExtension, CallerProfile
from host.channel_state import ChannelState
from host.clock import VirtualClock
from host.interfaces import ApiCommand, Application
from host.session import Session
from host.status import Status
from host.switch import Switch
from lua_bindings import mod_lua
from lua_bindings.script import ScriptResult, run
from lua_bindings.script_run import Limits
from lua_bindings.stream import Stream

VERSIONS = ("luajit", "5.1", "5.2", "5.3", "5.4", "5.5")


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


class Handset:
    """An endpoint that takes what it is told."""

    def answer(self, session: Session) -> None:
        pass

    def pre_answer(self, session: Session) -> None:
        pass

    def ring_ready(self, session: Session) -> None:
        pass

    def send_dtmf(self, session: Session, digit: str, duration: int) -> None:
        pass

    def hangup(self, session: Session) -> None:
        pass

    def message(self, session: Session, kind: str, argument: str) -> bool:
        return False


class Call:
    """A call whose extension runs inline code with the application `lua`."""

    def __init__(self, switch: Switch, code: str) -> None:
        self.switch = switch
        self.facts: list[tuple[str, dict[str, object]]] = []
        switch.observers.append(lambda kind, channel, facts: self.facts.append((kind, facts)))
        switch.applications.add(Application("note_done", "mod_test", lambda session, data: Status.SUCCESS))
        self.session = Session(switch, "test/1", CallerProfile(), Handset(), outbound=False, endpoint="test")
        applications = [("lua", "~" + code), ("note_done", "")]
        self.session.channel.profile.extension = CallerExtension("x", "x", applications)
        self.session.channel.set_state(ChannelState.CS_EXECUTE)
        self.session.start()

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
