"""A switch with mailboxes: prompts are 100 ms of silence, events of voicemail are collected."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from host.default_config import english_voicemail_macros
from host.event import Event
from host.modules.mod_voicemail.events import SUBCLASS
from host.session import Session
from host.switch import Switch
from media.source import Samples, Source
from media.tone import ToneSource
from tests.host.one_call import Outcome, in_call
from tests.host.xml_document import named

PROFILES = {
    "box": {
        "min-record-len": "1",
        "max-record-len": "20",
        "max-retries": "2",
        "max-login-attempts": "2",
        "digit-timeout": "3000",
        "tone-spec": "%(100,0,640)",
        "operator-key": "9",
        "operator-extension": "operator XML elsewhere",
    },
    "steered": {"previous-message-key": "*", "repeat-message-key": "#", "play-date-announcement": "last"},
    "strict": {
        "allow-empty-password-auth": "false",
        "db-password-override": "true",
        "max-login-attempts": "2",
        "digit-timeout": "1000",
        "send-full-vm-header": "true",
    },
}

CONFIGURATION = f"""<document type="freeswitch/xml">
  <section name="configuration">
    <configuration name="voicemail.conf">
      <settings/>
      <profiles>
        {named("profile", PROFILES)}
      </profiles>
    </configuration>
  </section>
  <section name="directory">
    <domain name="test">
      <groups>
        <group name="sales">
          <users>
            <user id="1001"><params><param name="vm-password" value="4711"/></params></user>
            <user id="1002" number-alias="2002"><params><param name="vm-password" value="user-choose"/></params></user>
            <user id="1003" type="pointer"/>
          </users>
        </group>
        <group name="others">
          <users>
            <user id="1003"><params>
              <param name="vm-a1-hash" value="e7cb61e95a88585e09c61316f3519b9c"/>
            </params></user>
            <user id="1004"><params><param name="vm-enabled" value="no"/></params></user>
            <user id="1005"><params>
              <param name="vm-cc" value="1001@test@box"/><param name="vm-disk-quota" value="5"/>
            </params></user>
          </users>
        </group>
      </groups>
    </domain>
  </section>
  <section name="languages">
    <language name="en" say-module="en">
      <phrases><macros>
{english_voicemail_macros()}
      </macros></phrases>
    </language>
  </section>
</document>"""


def phrases(outcome: Outcome) -> list[str]:
    """Return the names of the macros that a call heard, without `voicemail_`."""
    return [str(facts["macro"]).removeprefix("voicemail_") for facts in outcome.kinds("phrase")]


def quiet(text: str, rate: int) -> Source:
    return Samples(np.zeros(rate // 10, np.int16), rate)


@dataclass
class Mail:
    """The switch, and what it told of mailboxes."""

    switch: Switch
    events: list[Event] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)

    def call(
        self,
        data: str,
        press: tuple[tuple[int, str], ...] = (),
        *,
        talk: bool = False,
        hangup_ms: int | None = None,
    ) -> Outcome:
        """Run the application in a call whose caller presses keys and, `talk`, hums all the time."""
        say = ToneSource("%(60000,0,440)", 8000) if talk else None

        def run(session: Session) -> object:
            for name, value in self.variables.items():
                session.channel.set_variable(name, value)
            return session.execute("voicemail", data)

        return in_call(self.switch, run, press=press, say=say, hangup_ms=hangup_ms)

    def api(self, command: str, argument: str = "") -> str:
        return self.switch.api(command, argument)

    def told(self, action: str) -> list[Event]:
        """Return the events vm::maintenance of an action."""
        return [event for event in self.events if event.get_header("VM-Action") == action]

    def waiting(self) -> list[str]:
        """Return the summaries of the events MESSAGE_WAITING."""
        return [
            event.get_header("MWI-Voice-Message") or ""
            for event in self.events
            if event.name == "MESSAGE_WAITING"
        ]


@pytest.fixture
def mail(switch: Switch) -> Mail:
    switch.xml.load_text(CONFIGURATION)
    switch.speak_missing = quiet
    made = Mail(switch)
    switch.bus.subscribe(made.events.append, ["MESSAGE_WAITING"])
    switch.bus.subscribe(made.events.append, ["CUSTOM"], SUBCLASS)
    return made
