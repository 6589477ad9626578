"""A switch with a dialplan of legs that answer, ring or refuse, for tests that call them."""

from __future__ import annotations

from dataclasses import dataclass, field

from host.channel_state import ChannelState
from host.clock import SECOND
from host.event import Event
from host.interfaces import Application
from host.ivr.originate import originate, send_to_applications
from host.session import Session
from host.switch import Switch
from tests.host.xml_document import extension

EXTENSIONS = {
    "answer": ("answer", "park"),
    "short": ("answer", "pause 600", "hangup"),
    "late": ("ring_ready", "pause 800", "answer", "park"),
    "early": ("pre_answer", "pause 800", "answer", "park"),
    "rings": ("ring_ready", "pause 60000"),
    "cause_(.+)": ("hangup $1",),
    "forward_(.+)": ("bridge loopback/$1/legs",),
    "press_(.+)": ("answer", "pause 500", "press $1", "park"),
}
CONFIGURATION = f"""
<document type="freeswitch/xml">
  <section name="dialplan">
    <context name="legs">{"".join(extension(number, *actions) for number, actions in EXTENSIONS.items())}</context>
  </section>
  <section name="directory">
    <domain name="test.lan">
      <params><param name="dial-string" value="loopback/${{dialed_user}}/legs"/></params>
      <groups>
        <group name="desk">
          <users>
            <user id="answer">
              <params><param name="dial-var-from_user" value="yes"/></params>
              <variables><variable name="user_context" value="legs"/></variables>
            </user>
            <user id="busy"><params><param name="dial-string" value="error/USER_BUSY"/></params></user>
          </users>
        </group>
      </groups>
    </domain>
  </section>
</document>
"""


@dataclass
class Legs:
    """The switch, what its events were, and what the test's own application `note` was given."""

    switch: Switch
    events: list[Event] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        switch = self.switch
        switch.xml.load_text(CONFIGURATION)
        switch.bus.subscribe(self.events.append)
        for application in (
            Application("note", "mod_test", lambda session, data: self.notes.append(data)),
            Application("pause", "mod_test", _pause),
            Application("press", "mod_test", _press),
        ):
            switch.applications.add(application)

    def names(self, *wanted: str) -> list[str]:
        """Return the names of the events, only those wanted when any are given."""
        return [event.name for event in self.events if not wanted or event.name in wanted]

    def call(self, dial_string: str) -> Session:
        """Return an answered leg."""
        leg, cause = originate(self.switch, dial_string)
        assert leg is not None, cause
        return leg

    def run(self, leg: Session, *applications: tuple[str, str]) -> None:
        """Let a leg run applications one after another."""
        send_to_applications(leg, "test", list(applications))

    def parked(self, dial_string: str = "null/near") -> Session:
        """Return a leg that is parked."""
        leg = self.call(dial_string)
        self.run(leg, ("park", ""))
        return leg

    def caller(
        self, *applications: tuple[str, str], dial_string: str = "null/near", **variables: str
    ) -> Session:
        """Return a leg with these variables that runs these applications."""
        leg = self.call(dial_string)
        for name, value in variables.items():
            leg.channel.variables.set(name, value)
        self.run(leg, *applications)
        return leg

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.switch.clock.sleep(int(seconds * SECOND))

    def now_ms(self) -> int:
        """Return the time since the switch's start in ms."""
        return self.switch.clock.now() // 1000

    def hang_up_all(self) -> None:
        """End what is left and let it wind up."""
        for session in list(self.switch.sessions.values()):
            session.channel.hangup()
        self.wait(0.001)


def gone(session: Session) -> bool:
    """Return whether a call is over and wound up."""
    return session.channel.running_state is ChannelState.CS_DESTROY


def _pause(session: Session, data: str) -> None:
    session.receive(session.clock.now() + int(data) * 1000, ())


def _press(session: Session, data: str) -> None:
    for digit in data:
        session.io.send_dtmf(session, digit, 2000)
