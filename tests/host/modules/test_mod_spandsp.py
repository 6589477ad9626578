"""mod_spandsp: tones with a cadence, text telephones and faxes, as a call's applications and as commands."""

from __future__ import annotations

import pytest

from host.event import Event
from host.inbox import Digit
from host.ivr.sleep import sleep
from host.log import LogLevel
from host.media_bug import media_bugs
from host.session import Session
from host.switch import Switch
from media.dtmf import tones as key_tones
from media.source import Samples, Sequence, Silence, Source
from media.tdd import TddDetector, modulate
from media.tone import ToneSource
from tests.host.one_call import in_call

CONFIGURATION = """<document type="freeswitch/xml"><section name="configuration">
<configuration name="spandsp.conf"><descriptors>
  <descriptor name="1">
    <tone name="BUSY_TONE">
      <element freq1="480" freq2="620" min="464" max="536"/>
      <element freq1="0" freq2="0" min="464" max="572"/>
      <element freq1="480" freq2="620" min="464" max="536"/>
    </tone>
    <tone name="CED_TONE"><element freq1="2100" freq2="0" min="700" max="0"/></tone>
  </descriptor>
  {more}
</descriptors></configuration></section></document>"""


@pytest.fixture
def switch(virtual_switch: Switch) -> Switch:
    virtual_switch.xml.load_text(CONFIGURATION.format(more=""))
    virtual_switch.modules.load("mod_spandsp")
    return virtual_switch


def events_of(switch: Switch, *names: str) -> list[Event]:
    events: list[Event] = []
    switch.bus.subscribe(events.append, names)
    return events


def busy(times: int = 3) -> Source:
    return ToneSource(f"%(500,500,480,620);loops={times}", 8000)


def test_a_tone_is_told(switch: Switch) -> None:
    events = events_of(switch, "DETECTED_TONE")

    def do(session: Session) -> object:
        session.channel.set_variable("execute_on_spandsp_tone_detect_BUSY_TONE", "set seen=yes")
        session.execute("spandsp_start_tone_detect", "1")
        began = session.channel.get_variable("current_application_response")
        bugs = [bug.function for bug in media_bugs(session)]
        session.execute("spandsp_start_tone_detect", "1")
        again = session.channel.get_variable("current_application_response")
        sleep(session, 4000)
        session.execute("spandsp_stop_tone_detect")
        return began, again, bugs, media_bugs(session), session.channel.get_variable("seen")

    outcome = in_call(switch, do, say=busy())
    assert outcome.values == [
        ("+OK started", "-ERR failed to start tone detector", ["spandsp_tone_detect"], [], "yes")
    ]
    assert [event.get_header("Detected-Tone") for event in events] == ["BUSY_TONE"]
    assert "DETECTED TONE: BUSY_TONE" in outcome.logs


def test_it_stops_by_itself_where_that_is_wanted(switch: Switch) -> None:
    def do(session: Session) -> object:
        session.channel.set_variable("spandsp_tone_detect_stop_on_tone", "true")
        reply = switch.api("spandsp_start_tone_detect", f"{session.uuid} 1")
        sleep(session, 3000)
        return reply, media_bugs(session), switch.api("spandsp_stop_tone_detect", session.uuid)

    assert in_call(switch, do, say=busy()).values == [("+OK started\n", [], "+OK stopped\n")]


def test_a_descriptor_that_is_not_there(switch: Switch) -> None:
    def do(session: Session) -> object:
        return switch.api("spandsp_start_tone_detect", f"{session.uuid} 99")

    outcome = in_call(switch, do)
    assert outcome.values == ["-ERR failed to start tone detector\n"]
    assert "no tone descriptor defined with name '99'.  Update configuration. " in outcome.logs


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("<descriptor/>", "Missing <descriptor> name"),
        ('<descriptor name="x"><tone/></descriptor>', "Missing <tone> name for <descriptor> x"),
        (
            '<descriptor name="x"><tone name="t"><element freq1="440"/></tone></descriptor>',
            "Missing min in <element> of <descriptor> x <tone> t(0)",
        ),
        (
            '<descriptor name="x"><tone name="t"><element min="-1"/></tone></descriptor>',
            "Invalid element param.",
        ),
    ],
)
def test_a_descriptor_that_is_wrong_is_told_and_the_others_stay(switch: Switch, more: str, told: str) -> None:
    logs: list[str] = []
    switch.logs.add_sink(lambda entry: logs.append(entry.text), LogLevel.WARNING)
    switch.xml.load_text(CONFIGURATION.format(more=more))
    switch.fire(switch.new_event("RELOADXML"))
    assert told in logs

    def do(session: Session) -> object:
        return switch.api("spandsp_start_tone_detect", f"{session.uuid} 1")

    assert in_call(switch, do).values == ["+OK started\n"]


def test_fsctl_debug_level_shows_how_descriptors_are_read(switch: Switch) -> None:
    switch.modules.load("mod_commands")
    logs: list[str] = []
    switch.logs.add_sink(lambda entry: logs.append(entry.text), LogLevel.ALERT)
    switch.fire(switch.new_event("RELOADXML"))
    assert logs == []
    assert switch.api("fsctl", "debug_level") == "+OK DEBUG level: 0\n"
    assert switch.api("fsctl", "debug_level 99") == "+OK DEBUG level: 10\n"
    switch.fire(switch.new_event("RELOADXML"))
    assert "Adding tone_descriptor: 1, tone: BUSY_TONE(0), element (480, 620, 464, 536)" in logs


def test_what_a_text_telephone_types_is_told(switch: Switch) -> None:
    events = events_of(switch, "CUSTOM")

    def do(session: Session) -> object:
        reply = switch.api("start_tdd_detect", session.uuid)
        sleep(session, 9000)
        return reply, switch.api("stop_tdd_detect", session.uuid), media_bugs(session)

    typed = Sequence((modulate("Help, 911", 8000), Silence(8000, 4000), modulate("ga", 8000)))
    outcome = in_call(switch, do, say=typed)
    assert outcome.values == [("+OK started\n", "+OK stopped\n", [])]
    received = [event for event in events if event.subclass == "TDD::RECV_MESSAGE"]
    assert [event.get_header("TDD-Data") for event in received] == ["HELP, 911", "GA"]
    assert received[0].body == "HELP, 911\n\n" and received[0].get_header("proto") == "tdd"
    assert outcome.session.channel.variables.elements("tdd_messages") == ["HELP, 911", "GA"]


@pytest.mark.parametrize("how", ["command", "application", "inject", "event"])
def test_what_is_typed_to_the_far_end_can_be_read_there(switch: Switch, how: str) -> None:
    read: list[str] = []

    def do(session: Session) -> object:
        far = session.io.line  # type: ignore[attr-defined]
        detector = TddDetector(8000)

        class Reader:
            def write(self, samples: object) -> None:
                read.extend(text for _, text in detector.feed(samples))  # type: ignore[arg-type]

        far.tap(Reader(), read=True, write=False)
        began = session.clock.now()
        if how == "command":
            assert switch.api("uuid_send_tdd", f"{session.uuid} Hi 5") == "+OK\n"
        elif how == "application":
            session.execute("spandsp_send_tdd", "Hi 5")
            assert session.clock.now() - began > 1_000_000
        elif how == "inject":
            session.execute("spandsp_inject_tdd", "Hi 5")
        else:
            event = switch.new_event("CUSTOM", "TDD::SEND_MESSAGE")
            event.add_header("tdd-uuid", session.uuid)
            event.body = "Hi 5"
            switch.fire(event)
        sleep(session, 3000)
        return media_bugs(session)

    assert in_call(switch, do).values == [[]]
    assert read == ["HI 5"]


def test_a_mode_that_is_not_spoken_fails(switch: Switch) -> None:
    def do(session: Session) -> object:
        session.channel.set_variable("v18_mode", "V21TEXTPHONE")
        return switch.api("start_tdd_detect", session.uuid), media_bugs(session)

    assert in_call(switch, do).values == [("-ERR failed to start tdd detector\n", [])]


@pytest.mark.parametrize(
    ("kind", "frequency", "seen"), [("", 1100, True), ("ced", 2100, True), ("", 2100, False)]
)
def test_a_fax_has_an_application_executed(switch: Switch, kind: str, frequency: int, seen: bool) -> None:
    events = events_of(switch, "DETECTED_TONE")

    def do(session: Session) -> object:
        session.execute("spandsp_start_fax_detect", f"set fax=yes 6 {kind}".strip())
        sleep(session, 3000)
        session.execute("spandsp_stop_fax_detect")
        return session.channel.get_variable("fax"), media_bugs(session)

    tone = Sequence((Silence(8000, 8000), ToneSource(f"%(2600,0,{frequency})", 8000)))
    outcome = in_call(switch, do, say=tone)
    assert outcome.values == [("yes" if seen else None, [])]
    assert [event.get_header("Detected-Fax-Tone") for event in events] == ["true"] * seen


def test_keys_in_the_sound(switch: Switch) -> None:
    def do(session: Session) -> object:
        session.execute("spandsp_start_dtmf")
        sleep(session, 1000)
        session.execute("spandsp_stop_dtmf")
        digit = session.inbox.take(Digit)
        return digit and digit.digit, media_bugs(session)

    sound = Samples(key_tones("7", 200, 8000), 8000)
    assert in_call(switch, do, say=Sequence((Silence(8000, 1600), sound))).values == [("7", [])]


def test_a_module_that_goes_listens_no_more(switch: Switch) -> None:
    def do(session: Session) -> object:
        switch.api("spandsp_start_tone_detect", f"{session.uuid} 1")
        switch.api("start_tdd_detect", session.uuid)
        switch.modules.unload("mod_spandsp")
        return media_bugs(session), switch.api("start_tdd_detect", session.uuid)

    assert in_call(switch, do).values == [([], "-ERR start_tdd_detect Command not found!\n")]
