"""A switch with queues, calls on both sides of them, and the queues' events."""

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

CONFIGURATION = """<document type="freeswitch/xml">
  <section name="configuration">
    <configuration name="fifo.conf">
      <settings><param name="outbound-strategy" value="ringall"/></settings>
      <fifos>
        <fifo name="sales" importance="3" outbound_strategy="enterprise" outbound_ring_timeout="20">
          <member timeout="15" simo="2" lag="1">{fifo_member_wait=nowait}null/seller</member>
        </fifo>
        <fifo name="plain" outbound_per_cycle="0"/>
        <fifo name="manual_calls"/>
      </fifos>
    </configuration>
  </section>
</document>"""


@dataclass
class Calls:
    """The switch under test, as these tests speak of it."""

    switch: Switch
    events: list[Event] = field(default_factory=list)

    def _place(self, application: str, variables: str) -> Session:
        session = placed(self.switch, f"null/leg '{application}' inline", variables)
        self.wait(0.1)
        return session

    def caller(self, data: str, variables: str = "", *, then: str = "park") -> Session:
        """Have a call wait in a queue; it goes on with `then` when it is out."""
        return self._place(f"m:^:fifo:{data}^{then}", variables)

    def consumer(self, data: str, variables: str = "", *, then: str = "park") -> Session:
        """Have a call serve queues."""
        return self._place(f"m:^:fifo:{data}^{then}", variables)

    def press(self, session: Session, digits: str) -> None:
        for digit in digits:
            session.receive_digit(Digit(digit))
        self.wait(0.1)

    def command(self, text: str) -> str:
        return self.switch.api("fifo", text)

    def wait(self, seconds: float) -> None:
        self.switch.clock.sleep(int(seconds * SECOND))

    def actions(self, *, of: Session | None = None) -> list[str]:
        return [
            event.get_header("FIFO-Action") or ""
            for event in self.events
            if of is None or event.get_header("Unique-ID") == of.uuid
        ]

    def last(self, action: str) -> Event:
        return next(event for event in reversed(self.events) if event.get_header("FIFO-Action") == action)


def value(session: Session, name: str) -> str | None:
    """Return a channel variable."""
    return session.channel.variables.get(name)


@pytest.fixture
def calls(switch: Switch) -> Iterator[Calls]:
    made = Calls(switch)
    switch.bus.subscribe(made.events.append, ("CUSTOM",), "fifo::info")
    yield made
    made.switch.api("fifo", "reparse del_all")
    for session in list(switch.sessions.values()):
        switch.api("uuid_kill", session.uuid)
    made.wait(70)
    for session in list(switch.sessions.values()):
        switch.api("uuid_kill", session.uuid)
    made.wait(2)
    assert not switch.sessions
    for line in made.command("count").splitlines():
        _, consumers, waiting, _, ringing, _ = line.split(":")
        assert (consumers, waiting, ringing) == ("0", "0", "0"), line
    status = made.command("status")
    assert status.endswith(" caller_orig:\n consumer_orig:\n bridge:\n"), status
