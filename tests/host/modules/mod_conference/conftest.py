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
from tests.host.placed_call import placed
from tests.host.xml_document import named
from tests.media.ear import Ear

CONTROLS = {
    "1": 'action="mute"',
    "2": 'action="deaf mute"',
    "3": 'action="vol talk up"',
    "4": 'action="vol listen dn"',
    "5": 'action="energy up"',
    "6": 'action="lock"',
    "7": 'action="event" data="seven ${uuid}"',
    "8": 'action="execute_application" data="set eight=yes"',
    "*1": 'action="transfer" data="set:moved=yes,park inline"',
    "*2": 'action="floor"',
    "9": 'action="hangup"',
}
PROFILES = {
    "open": {"caller-controls": "none"},
    "pinned": {
        "pin": "1234",
        "moderator-pin": "99",
        "pin-retries": "2",
        "pin-sound": "silence_stream://100",
        "bad-pin-sound": "silence_stream://100",
    },
    "small": {"max-members": "2"},
    "sounds": {
        "enter-sound": "tone_stream://%(200,0,440)",
        "exit-sound": "tone_stream://%(200,0,880)",
        "alone-sound": "tone_stream://%(200,0,300)",
        "moh-sound": "tone_stream://%(100,0,1000);loops=-1",
        "muted-sound": "tone_stream://%(200,0,500)",
        "kicked-sound": "silence_stream://500",
    },
    "mod": {"conference-flags": "wait-mod"},
    "automatic": {"auto-energy-level": "400", "heartbeat-period-sec": "20"},
    "quiet": {"suppress-events": "mute-member,floor-change"},
    "grace": {"endconf-grace-time": "3"},
    "asleep": {"terminate-on-silence": "5"},
}

CONFIGURATION = f"""<document type="freeswitch/xml">
  <section name="configuration">
    <configuration name="conference.conf">
      <advertise><room name="3001@test" status="Open"/></advertise>
      <caller-controls>
        <group name="keys">
          {"".join(f'<control digits="{digits}" {action}/>' for digits, action in CONTROLS.items())}
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
        {named("profile", PROFILES)}
      </profiles>
    </configuration>
  </section>
</document>"""


@dataclass
class Caller:
    """A call in a room, with its far end."""

    session: Session
    ear: Ear = field(default_factory=Ear)

    def __post_init__(self) -> None:
        line = self.session.line
        self.far = self.session.switch.engine.line(line.rate, lambda notice: None)
        self.far.connect(line)
        self.far.tap(self.ear, write=False)

    @property
    def heard(self) -> NDArray[np.int16]:
        """All that was heard since the last call of `forget`."""
        return self.ear.heard

    def forget(self) -> None:
        self.ear.forget()

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
        session = placed(self.switch, f"null/leg 'conference:{data},{then}' inline", variables)
        self.wait(0.1)
        return Caller(session)

    def dial_in(self, data: str, variables: str = "") -> Caller:
        """Have a call come in, as its caller's leg: what is pressed there reaches the room."""
        session = placed(self.switch, f"loopback/app=conference:{data} &park()", variables)
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
