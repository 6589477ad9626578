"""A switch with a call center: queues, agents who answer, ring or refuse, callers, and the events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from host.clock import SECOND
from host.event import Event
from host.inbox import Digit
from host.session import Session
from host.switch import Switch
from tests.host.placed_call import placed
from tests.host.xml_document import extension, named

QUEUES = {
    "support": {"strategy": "longest-idle-agent"},
    "all": {"strategy": "ring-all"},
    "one-by-one": {"strategy": "ring-progressively", "ring-progressively-delay": "5"},
    "down": {"strategy": "top-down"},
    "round": {"strategy": "round-robin"},
    "levels": {
        "strategy": "sequentially-by-agent-order",
        "tier-rules-apply": "true",
        "tier-rule-wait-second": "10",
        "tier-rule-wait-multiply-level": "true",
        "tier-rule-no-agent-no-wait": "true",
    },
    "brief": {
        "max-wait-time": "20",
        "max-wait-time-with-no-agent": "5",
        "max-wait-time-with-no-agent-time-reached": "3",
    },
    "again": {"abandoned-resume-allowed": "true", "discard-abandoned-after": "30"},
    "music": {
        "moh-sound": "tone_stream://%(1000,0,440);loops=-1",
        "announce-sound": "tone_stream://%(500,0,880)",
        "announce-frequency": "10",
        "time-base-score": "system",
    },
}

CONFIGURATION = f"""<document type="freeswitch/xml">
  <section name="configuration">
    <configuration name="callcenter.conf">
      <settings/>
      <queues>{named("queue", QUEUES)}</queues>
      <agents>
        <agent name="ada" type="callback" contact="null/ada" status="Available" max-no-answer="2"
          wrap-up-time="10" reject-delay-time="7" busy-delay-time="60" no-answer-delay-time="3"/>
      </agents>
      <tiers><tier agent="ada" queue="support" level="2" position="3"/></tiers>
    </configuration>
  </section>
  <section name="dialplan">
    <context name="default">
      {extension("ring", "ring_ready", "sleep 3600000")}
      {extension("late", "ring_ready", "sleep 4000", "bridge null/desk")}
    </context>
  </section>
</document>"""


@dataclass
class Center:
    """The switch under test, as these tests speak of it."""

    switch: Switch
    events: list[Event] = field(default_factory=list)

    def call(self, application: str, variables: str = "", *, then: str = "park") -> Session:
        """Have a call run an application; it goes on with `then` when it is out."""
        session = placed(self.switch, f"null/leg 'm:^:{application}^{then}' inline", variables)
        self.wait(0.1)
        return session

    def caller(self, queue: str, variables: str = "", *, then: str = "park") -> Session:
        """Have a call join a queue."""
        return self.call(f"callcenter:{queue}", variables, then=then)

    def press(self, session: Session, digits: str) -> None:
        for digit in digits:
            session.receive_digit(Digit(digit))
        self.wait(0.1)

    def config(self, text: str) -> str:
        return self.switch.api("callcenter_config", text)

    def done(self, *commands: str) -> None:
        """Run commands that succeed."""
        for command in commands:
            assert self.config(command) == "+OK\n", command

    def agent(self, name: str, contact: str, *queues: str, level: int = 1, position: int = 1) -> None:
        """Add an agent who is available."""
        self.done(
            f"agent add {name} callback",
            f"agent set contact {name} {contact}",
            f"agent set status {name} Available",
            *(f"tier add {queue} {name} {level} {position}" for queue in queues),
        )

    def rows(self, command: str) -> list[dict[str, str]]:
        """Return the rows of a list by column."""
        lines = self.config(command).splitlines()
        assert lines.pop() == "+OK"
        columns = lines[0].split("|") if lines else []
        return [dict(zip(columns, line.split("|"), strict=True)) for line in lines[1:]]

    def row(self, command: str) -> dict[str, str]:
        (row,) = self.rows(command)
        return row

    def wait(self, seconds: float) -> None:
        self.switch.clock.sleep(int(seconds * SECOND))

    def actions(self) -> list[str]:
        return [event.get_header("CC-Action") or "" for event in self.events]

    def told(self, action: str, header: str) -> list[str | None]:
        """Return a header of all events of an action."""
        return [event.get_header(header) for event in self.events if event.get_header("CC-Action") == action]

    def last(self, action: str) -> Event:
        return next(event for event in reversed(self.events) if event.get_header("CC-Action") == action)


def value(session: Session, name: str) -> str | None:
    """Return a channel variable."""
    return session.channel.variables.get(name)


@pytest.fixture
def center(switch: Switch) -> Iterator[Center]:
    switch.modules.unload("mod_callcenter")
    switch.xml.load_text(CONFIGURATION)
    switch.modules.load("mod_callcenter")
    made = Center(switch)
    switch.bus.subscribe(made.events.append, ("CUSTOM",), "callcenter::info")
    yield made
    for session in list(switch.sessions.values()):
        switch.api("uuid_kill", session.uuid)
    made.wait(5)
    assert not switch.sessions
    assert {row["state"] for row in made.rows("agent list")} <= {"Waiting", "Idle"}
    assert {row["state"] for row in made.rows("tier list")} <= {"Ready", "No Answer"}
    made.wait(90)
    assert not made.rows("queue list members")
