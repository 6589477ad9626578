"""What the switch finds in the sound that comes in by RTP, and calls that the switch places by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from media.source import Silence
from media.tone import ToneSource
from tests.host.modules.mod_sofia.live_rig import Caller, LiveRig, level_of, live, read_wav
from tests.host.modules.mod_sofia.two_profiles import extension

pytestmark = pytest.mark.usefixtures("clean")


def to_near(number: str) -> str:
    """Return the dial string with which `far` calls a number of `near`."""
    return f"sofia/far/{number}@127.0.0.1:$${{near_port}}"


EXTENSIONS = "".join(
    (
        extension("park", ("answer", ""), ("park", "")),
        extension("tone900", ("answer", ""), ("playback", "tone_stream://v=-13;%(60000,0,900)")),
        extension("busy", ("hangup", "USER_BUSY")),
        extension(
            "inband",
            ("answer", ""),
            ("start_dtmf", ""),
            ("read", "3 3 silence_stream://-1 pressed 8000 #"),
            ("park", ""),
        ),
        extension(
            "fax",
            ("answer", ""),
            ("tone_detect", "fax 1100 r +5000 set heard=fax 1"),
            ("wait_for_silence", "200 5 3 5000"),
            ("park", ""),
        ),
        extension("room", ("answer", ""), ("conference", "room@default")),
        extension("enterprise", ("bridge", f"{to_near('busy')}:_:{to_near('tone900')}")),
        extension("failover", ("bridge", f"{to_near('busy')}|{to_near('tone900')}")),
        extension("intercept", ("answer", ""), ("intercept", "${sip_h_X-Wanted}")),
        extension("bridge", ("bridge", to_near("tone900"))),
    )
)
CONFERENCE = """<configuration name="conference.conf"><profiles><profile name="default">
    <param name="rate" value="8000"/><param name="energy-level" value="0"/>
    </profile></profiles></configuration>"""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRig]:
    folder = Path(tmp_path_factory.mktemp("hearing"))
    with live(folder, EXTENSIONS, more=CONFERENCE) as rig:
        yield rig


def test_keys_in_the_sound(rig: LiveRig) -> None:
    callers = [Caller(rig, "inband", f"absolute_codec_string={codec}") for codec in ("PCMU", "G722", "opus")]
    for caller in callers:
        rig.variable(caller.far, "current_application", "read")
        line = caller.session.line
        line.play(ToneSource("v=-10;%(80,80,852,1336);%(80,80,697,1209);%(80,80,941,1209)", line.rate))
    for caller in callers:
        assert rig.variable(caller.far, "pressed") == "81*"


def test_a_fax_tone_and_silence(rig: LiveRig) -> None:
    caller = Caller(rig, "fax")
    caller.say_tone(1100)
    rig.variable(caller.far, "heard", "fax")
    caller.session.line.play(Silence(caller.session.line.rate))
    rig.variable(caller.far, "current_application", "park")


def test_a_conference_calls_somebody_and_records(rig: LiveRig, tmp_path: Path) -> None:
    caller = Caller(rig, "room")
    caller.say_tone(500)
    rig.variable(caller.far, "conference_member_id")
    assert "OK" in rig.api(f"conference room bgdial {rig.switch.expand(to_near('tone900'))}")
    caller.wait_for(900)
    path = tmp_path / "room.wav"
    rig.api(f"conference room record {path}")
    rig.wait(lambda: path.exists() and path.stat().st_size > 12_000)
    assert rig.api("conference room norecord all")
    caller.hang_up()
    rig.api("conference room hup all")
    rig.quiet()
    heard = read_wav(path)[1600:, 0]
    assert level_of(heard, 500) > 1000
    assert level_of(heard, 900) > 1000


@pytest.mark.parametrize("number", ["enterprise", "failover"])
def test_another_one_answers_where_one_is_busy(rig: LiveRig, number: str) -> None:
    caller = Caller(rig, number, answered=False)
    caller.wait_for(900)


def test_a_call_is_taken_over(rig: LiveRig) -> None:
    caller = Caller(rig, "bridge")
    caller.wait_for(900)
    called = rig.variable(caller.far, "bridge_uuid")
    other = Caller(rig, "intercept", f"sip_h_X-Wanted={called}")
    other.wait_for(900)
    rig.wait(lambda: caller.session.channel.down)


def test_a_call_that_the_switch_places_between_two(rig: LiveRig) -> None:
    for number in ("park", "tone900"):
        assert rig.api(f"originate {rig.address(number)} &bridge({rig.address('tone900')})").startswith("+OK")
    rig.wait(lambda: len(rig.switch.sessions) == 8)
