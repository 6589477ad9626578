"""A switch with rooms, calls in them whose far ends can speak and be heard, and the rooms' events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from host.clock import SECOND
from host.event import Event
from host.session import Session
from host.switch import Switch
from media.source import Samples

CONFIGURATION = """<document type="freeswitch/xml">
  <section name="configuration">
    <configuration name="conference.conf">
      <advertise><room name="3001@test" status="Open"/></advertise>
      <caller-controls>
        <group name="keys">
          <control action="mute" digits="1"/>
          <control action="deaf mute" digits="2"/>
          <control action="vol talk up" digits="3"/>
          <control action="vol listen dn" digits="4"/>
          <control action="energy up" digits="5"/>
          <control action="lock" digits="6"/>
          <control action="event" digits="7" data="seven ${uuid}"/>
          <control action="execute_application" digits="8" data="set eight=yes"/>
          <control action="transfer" digits="*1" data="set:moved=yes,park inline"/>
          <control action="floor" digits="*2"/>
          <control action="hangup" digits="9"/>
        </group>
        <group name="moderators"><control action="mute on" digits="1"/></group>
      </caller-controls>
      <profiles>
        <profile name="plain">
          <param name="domain" value="test"/>
          <param name="energy_level" value="100"/>
          <param name="caller-controls" value="keys"/>
          <param name="moderator-controls" value="moderators"/>
          <variables><variable name="kind" value="plain"/></variables>
        </profile>
        <profile name="open"><param name="caller-controls" value="none"/></profile>
        <profile name="pinned">
          <param name="pin" value="1234"/>
          <param name="moderator-pin" value="99"/>
          <param name="pin-retries" value="2"/>
          <param name="pin-sound" value="silence_stream://100"/>
          <param name="bad-pin-sound" value="silence_stream://100"/>
        </profile>
        <profile name="small"><param name="max-members" value="2"/></profile>
        <profile name="sounds">
          <param name="enter-sound" value="tone_stream://%(200,0,440)"/>
          <param name="exit-sound" value="tone_stream://%(200,0,880)"/>
          <param name="alone-sound" value="tone_stream://%(200,0,300)"/>
          <param name="moh-sound" value="tone_stream://%(100,0,1000);loops=-1"/>
          <param name="muted-sound" value="tone_stream://%(200,0,500)"/>
          <param name="kicked-sound" value="silence_stream://500"/>
        </profile>
        <profile name="mod"><param name="conference-flags" value="wait-mod"/></profile>
        <profile name="automatic">
          <param name="auto-energy-level" value="400"/>
          <param name="heartbeat-period-sec" value="20"/>
        </profile>
        <profile name="quiet"><param name="suppress-events" value="mute-member,floor-change"/></profile>
        <profile name="grace"><param name="endconf-grace-time" value="3"/></profile>
        <profile name="asleep"><param name="terminate-on-silence" value="5"/></profile>
      </profiles>
    </configuration>
  </section>
</document>"""


@dataclass
class Caller:
    """A call in a room, with its far end."""

    session: Session
    heard_blocks: list[NDArray[np.int16]] = field(default_factory=list)

    def __post_init__(self) -> None:
        line = self.session.line
        self.far = self.session.switch.engine.line(line.rate, lambda notice: None)
        self.far.connect(line)
        self.far.tap(self, write=False)

    def write(self, samples: NDArray[np.int16]) -> None:
        self.heard_blocks.append(samples.copy())

    @property
    def heard(self) -> NDArray[np.int16]:
        """All that was heard since the last call of `forget`."""
        return np.concatenate(self.heard_blocks) if self.heard_blocks else np.zeros(0, np.int16)

    def forget(self) -> None:
        self.heard_blocks.clear()

    def say(self, level: int, seconds: float = 1.0) -> None:
        count = int(self.session.line.rate * seconds)
        self.far.play(Samples(np.full(count, level, np.int16), self.session.line.rate))

    def press(self, digits: str) -> None:
        self.session.switch.api("uuid_recv_dtmf", f"{self.session.uuid} {digits}")

    def variable(self, name: str) -> str | None:
        return self.session.channel.get_variable(name)

    def is_up(self) -> bool:
        return self.session.channel.up

    @property
    def number(self) -> str:
        return self.variable("conference_member_id") or ""


@dataclass
class Rooms:
    """The switch under test, as these tests speak of it."""

    switch: Switch
    events: list[Event] = field(default_factory=list)

    def call(self, data: str, variables: str = "", *, then: str = "park") -> Caller:
        """Have a placed call join; it goes on with `then` when it is out."""
        given = f"{{{variables}}}" if variables else ""
        reply = self.switch.api("originate", f"{given}null/leg 'conference:{data},{then}' inline")
        assert reply.startswith("+OK "), reply
        session = self.switch.find_session(reply[4:].strip())
        assert session is not None
        self.wait(0.1)
        return Caller(session)

    def dial_in(self, data: str, variables: str = "") -> Caller:
        """Have a call come in, as its caller's leg: what is pressed there reaches the room."""
        reply = self.switch.api("originate", f"{{{variables}}}loopback/app=conference:{data} &park()")
        assert reply.startswith("+OK "), reply
        session = self.switch.find_session(reply[4:].strip())
        assert session is not None
        self.wait(0.1)
        other = self.switch.find_session(session.channel.get_variable("other_loopback_leg_uuid") or "")
        assert other is not None
        return Caller(other)

    def command(self, text: str) -> str:
        return self.switch.api("conference", text)

    def wait(self, seconds: float) -> None:
        self.switch.clock.sleep(int(seconds * SECOND))

    def actions(self) -> list[str]:
        return [event.get_header("Action") or "" for event in self.events]

    def last(self, action: str) -> Event:
        return next(event for event in reversed(self.events) if event.get_header("Action") == action)


@pytest.fixture
def rooms(switch: Switch) -> Iterator[Rooms]:
    switch.xml.load_text(CONFIGURATION)
    made = Rooms(switch)
    switch.bus.subscribe(made.events.append, ("CUSTOM",), "conference::maintenance")
    yield made
    for session in list(switch.sessions.values()):
        switch.api("uuid_kill", session.uuid)
    made.wait(2)
    assert not switch.sessions
    assert switch.engine.mixer_count == 0
    assert made.command("list") == "+OK No active conferences.\n"
