"""A switch in this process whose profiles `near` and `far` call each other: real sockets, real SIP, real RTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from host.clock import RealClock
from host.module_list import load_modules
from host.modules.mod_sofia import sofia_of
from host.modules.mod_sofia.profile.profile import Profile
from host.session import Session
from host.switch import Switch
from host.switch_settings import apply_switch_conf

_T = TypeVar("_T")

MODULES = (
    "mod_commands", "mod_dptools", "mod_dialplan_xml", "mod_expr", "mod_loopback", "mod_tone_stream", "mod_sndfile",
    "mod_lua", "mod_sofia",
)  # fmt: skip
# Has what is not acknowledged be given up after two seconds: soon, but not before a busy machine acknowledges it.
QUICK_TIMERS = '<param name="timer-T1" value="50"/><param name="timer-T1X64" value="2000"/>'


def configuration(
    extensions: str, *, near: str = "", far: str = "", gateways: str = "", directory: str = ""
) -> str:
    """Return a configuration; `near` and `far` are further `<param>`s of the profiles."""
    loads = "".join(f'<load module="{name}"/>' for name in MODULES)
    common = """<param name="sip-ip" value="127.0.0.1"/><param name="rtp-ip" value="127.0.0.1"/>
        <param name="sip-port" value="auto"/><param name="dialplan" value="XML"/><param name="context" value="default"/>
        <param name="codec-prefs" value="PCMU,PCMA"/>"""
    return f"""<document type="freeswitch/xml">
    <section name="configuration">
      <configuration name="modules.conf"><modules>{loads}</modules></configuration>
      <configuration name="switch.conf"><settings>
        <param name="sessions-per-second" value="1000"/>
      </settings></configuration>
      <configuration name="sofia.conf"><profiles>
        <profile name="near"><gateways>{gateways}</gateways><settings>{common}{near}</settings></profile>
        <profile name="far"><settings>{common}{far}</settings></profile>
      </profiles></configuration>
    </section>
    <section name="dialplan"><context name="default">{extensions}</context></section>
    <section name="directory">{directory}</section>
    </document>"""


def extension(number: str, *actions: tuple[str, str]) -> str:
    """Return an extension of the dialplan."""
    steps = "".join(f'<action application="{name}" data="{data}"/>' for name, data in actions)
    condition = f'<condition field="destination_number" expression="^{number}$">{steps}</condition>'
    return f'<extension name="{number}">{condition}</extension>'


class Rig:
    """The switch, its two profiles, and what a test does with them."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        sofia = sofia_of(switch)
        assert sofia is not None
        self.sofia = sofia
        self.bugs: list[str] = []

    @property
    def near(self) -> Profile:
        return self.sofia.profiles["near"]

    @property
    def far(self) -> Profile:
        return self.sofia.profiles["far"]

    def address(self, number: str, variables: str = "") -> str:
        """Return the dial string that calls `number` of the profile `far`."""
        return f"{variables}sofia/near/{number}@127.0.0.1:{self.far.settings.sip_port}"

    def api(self, line: str) -> str:
        command, _, argument = line.partition(" ")
        return self.switch.api(command, argument)

    def legs(self, direction: str) -> list[Session]:
        return [one for one in self.switch.sessions.values() if one.channel.direction == direction]

    def leg(self, direction: str) -> Session:
        """Return the only leg of a direction, once it is there."""
        return self.wait(lambda: self.legs(direction)[:1])[0]

    @property
    def ports(self) -> int:
        """How many calls have ports for RTP."""
        return self.switch.engine.status().transports

    @property
    def relays(self) -> int:
        """How many calls have their packets passed on as they come."""
        return self.switch.engine.status().relays

    def wait(self, found: Callable[[], _T | None], seconds: float = 20.0) -> _T:
        """Return what `found` gives as soon as it is something."""
        end = time.monotonic() + seconds
        while not (value := found()):
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.005)
        return value

    def quiet(self) -> None:
        """Wait until no call, no dialog, no transaction and no port is left."""
        self.wait(lambda: not self.switch.sessions)
        self.wait(lambda: not self.near.legs and not self.far.legs)
        self.wait(lambda: self.near.proceeding == self.far.proceeding == 0)
        self.wait(lambda: self.ports == self.relays == 0)


@contextmanager
def two_profiles(folder: Path, text: str) -> Iterator[Rig]:
    """Run a switch with a configuration; afterwards nothing of ours may have gone wrong.

    The dialplan knows the profiles' ports as `$${near_port}` and `$${far_port}`.
    """
    clock = RealClock()
    switch = Switch(clock, folder)
    bugs: list[str] = []
    switch.observers.append(
        lambda kind, channel, facts: bugs.append(str(facts.get("error"))) if kind == "bug" else None
    )
    try:
        switch.xml.load_text(text)
        apply_switch_conf(switch)
        load_modules(switch)
        rig = Rig(switch)
        for name, profile in (("near_port", rig.near), ("far_port", rig.far)):
            switch.global_variables.set(name, str(profile.settings.sip_port))
        yield rig
        rig.quiet()
    finally:
        switch.close()
        clock.close()
    assert not bugs, bugs[0]
