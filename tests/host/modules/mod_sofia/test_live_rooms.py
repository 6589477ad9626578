"""Where several SIP legs meet: a conference, a queue, a parking lot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.modules.mod_sofia.live_rig import Caller, LiveRig, live
from tests.host.modules.mod_sofia.two_profiles import extension

MUSIC = "tone_stream://v=-13;%(60000,0,600)"
EXTENSIONS = "".join(
    (
        extension("park", ("answer", ""), ("park", "")),
        extension("room", ("answer", ""), ("conference", "room@default")),
        extension("queue", ("answer", ""), ("set", f"fifo_music={MUSIC}"), ("fifo", "sales in")),
        extension("serve", ("answer", ""), ("fifo", "sales out nowait")),
        extension("lot", ("answer", ""), ("set", f"valet_hold_music={MUSIC}"), ("valet_park", "lot 6001")),
        extension("fetch", ("answer", ""), ("valet_park", "lot 6001")),
    )
)
CONFERENCE = """<configuration name="conference.conf"><profiles><profile name="default">
    <param name="rate" value="8000"/><param name="energy-level" value="0"/>
    </profile></profiles></configuration>"""
pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRig]:
    with live(Path(tmp_path_factory.mktemp("rooms")), EXTENSIONS, more=CONFERENCE) as rig:
        yield rig


def test_three_in_a_conference_hear_each_other(rig: LiveRig) -> None:
    voices = (500, 700, 1100)
    codecs = ("PCMU", "G722", "opus")
    callers = [Caller(rig, "room", f"absolute_codec_string={codec}") for codec in codecs]
    for caller, voice in zip(callers, voices, strict=True):
        caller.say_tone(voice)
    for caller, own in zip(callers, voices, strict=True):
        for other in voices:
            if other != own:
                caller.wait_for(other)
        assert not caller.hears(own)
    numbers = [caller.far.channel.variables.get("conference_member_id") for caller in callers]
    assert "OK mute" in rig.api(f"conference room mute {numbers[1]}")
    callers[0].wait_for_only(1100, without=700)
    callers[2].wait_for_only(500, without=700)
    callers[1].wait_for(500)
    assert "OK unmute" in rig.api(f"conference room unmute {numbers[1]}")
    rig.wait(lambda: callers[0].hears(700))
    assert "OK kicked" in rig.api(f"conference room kick {numbers[2]}")
    rig.wait(lambda: callers[2].session.channel.down)
    callers[0].wait_for_only(700, without=1100)


def test_who_waits_in_a_queue_hears_music_until_served(rig: LiveRig) -> None:
    waiting = Caller(rig, "queue")
    waiting.wait_for(600)
    agent = Caller(rig, "serve")
    agent.say_tone(900)
    waiting.say_tone(500)
    waiting.wait_for_only(900, without=600)
    agent.wait_for(500)
    agent.hang_up()
    rig.wait(lambda: waiting.session.channel.down)


def test_a_parked_call_is_fetched(rig: LiveRig) -> None:
    parked = Caller(rig, "lot")
    parked.wait_for(600)
    assert "6001" in rig.api("valet_info lot")
    other = Caller(rig, "fetch")
    other.say_tone(900)
    parked.say_tone(500)
    parked.wait_for_only(900, without=600)
    other.wait_for(500)
    other.hang_up()
    rig.wait(lambda: parked.session.channel.down)
