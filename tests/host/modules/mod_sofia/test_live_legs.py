"""What happens before and within bridges of real SIP legs: early sound, ringing, forking, and who listens in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from host.channel import Flag
from host.hangup_cause import HangupCause
from host.session import Session
from tests.host.modules.mod_sofia.live_rig import Caller, LiveRig, level_of, live, read_wav
from tests.host.modules.mod_sofia.two_profiles import extension

pytestmark = pytest.mark.usefixtures("clean")


def tone(frequency: int, ms: int = 60_000) -> str:
    return f"tone_stream://v=-13;%({ms},0,{frequency})"


def to_near(number: str) -> str:
    """Return the dial string with which `far` calls a number of `near`."""
    return f"sofia/far/{number}@127.0.0.1:$${{near_port}}"


EXTENSIONS = "".join(
    (
        extension("park", ("answer", ""), ("park", "")),
        extension("tone900", ("answer", ""), ("playback", tone(900))),
        extension("early", ("pre_answer", ""), ("playback", tone(440))),
        extension("ring", ("ring_ready", ""), ("sleep", "60000")),
        extension("never", ("ring_ready", ""), ("sleep", "60000")),
        extension("bridge", ("bridge", to_near("tone900"))),
        extension("ringback", ("set", f"ringback={tone(600)}"), ("bridge", to_near("ring"))),
        extension(
            "transfer_ringback",
            ("answer", ""),
            ("set", f"transfer_ringback={tone(600)}"),
            ("bridge", to_near("ring")),
        ),
        extension("pass_early", ("bridge", to_near("early"))),
        extension(
            "ignore_early",
            ("set", f"ringback={tone(600)}"),
            ("bridge", "{ignore_early_media=true}" + to_near("early")),
        ),
        extension("fork", ("bridge", f"{to_near('ring')},{to_near('never')}")),
        extension(
            "spy", ("answer", ""), ("set", "eavesdrop_enable_dtmf=true"), ("eavesdrop", "${sip_h_X-Spied}")
        ),
        extension("speech", ("answer", ""), ("detect_speech", "nobody yesno yesno"), ("park", "")),
    )
)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRig]:
    with live(Path(tmp_path_factory.mktemp("legs")), EXTENSIONS) as rig:
        yield rig


def partner(rig: LiveRig, session: Session) -> Session:
    """Return the leg that a leg is bridged with."""
    uuid = rig.variable(session, "bridge_uuid")
    other = rig.switch.find_session(uuid)
    assert other is not None
    return other


def answer(rig: LiveRig, number: str, legs: int = 1) -> None:
    """Have so many legs answer with 900 Hz that are called by a number."""

    def called() -> list[Session]:
        return [one for one in rig.legs("inbound") if one.channel.profile.destination_number == number]

    rig.wait(lambda: len(called()) == legs)
    for one in called():
        assert rig.api(f"uuid_transfer {one.uuid} tone900").startswith("+OK")


def test_sound_before_the_answer(rig: LiveRig) -> None:
    caller = Caller(rig, "early", answered=False)
    caller.wait_for(440)
    assert not caller.session.channel.answered
    assert Flag.EARLY_MEDIA in caller.session.channel.flags
    answer(rig, "early")
    caller.wait_for(900)
    rig.wait(lambda: caller.session.channel.answered)


def test_ringing_without_sound(rig: LiveRig) -> None:
    caller = Caller(rig, "ring", answered=False)
    rig.wait(lambda: Flag.RING_READY in caller.session.channel.flags)
    assert Flag.EARLY_MEDIA not in caller.session.channel.flags
    answer(rig, "ring")
    rig.wait(lambda: caller.session.channel.answered)
    caller.wait_for(900)


def test_the_caller_hears_ringback_until_the_answer(rig: LiveRig) -> None:
    callers = {number: Caller(rig, number, answered=False) for number in ("ringback", "transfer_ringback")}
    for number, caller in callers.items():
        caller.wait_for(600)
        if number == "ringback":
            assert not caller.session.channel.answered
    rig.wait(lambda: callers["transfer_ringback"].session.channel.answered)
    answer(rig, "ring", 2)
    for caller in callers.values():
        caller.wait_for_only(900, without=600)
    rig.wait(lambda: all(caller.session.channel.answered for caller in callers.values()))


def test_early_sound_goes_through_a_bridge(rig: LiveRig) -> None:
    caller = Caller(rig, "pass_early", answered=False)
    caller.wait_for(440)
    assert not caller.session.channel.answered
    answer(rig, "early")
    caller.wait_for(900)
    rig.wait(lambda: caller.session.channel.answered)


def test_early_sound_may_be_ignored(rig: LiveRig) -> None:
    caller = Caller(rig, "ignore_early", answered=False)
    caller.wait_for(600)
    assert not caller.hears(440)
    answer(rig, "early")
    caller.wait_for(900)


def test_of_two_that_ring_one_answers(rig: LiveRig) -> None:
    caller = Caller(rig, "fork", answered=False)
    rings = ("ring", "never")
    rig.wait(lambda: {leg.channel.profile.destination_number for leg in rig.legs("inbound")} >= {*rings})
    answer(rig, "ring")
    rig.wait(lambda: caller.session.channel.answered)
    called = [one for one in rig.made if one.channel.profile.destination_number == "never"]
    ours = next(one for one in called if one.channel.direction == "outbound")
    theirs = next(one for one in called if one.channel.direction == "inbound")
    rig.wait(lambda: theirs.ended_already and ours.ended_already)
    assert ours.channel.hangup_cause is HangupCause.LOSE_RACE
    assert theirs.channel.variables.get("sip_reason") == 'SIP;cause=200;text="Call completed elsewhere"'
    assert theirs.channel.variables.get("sip_hangup_disposition") == "recv_cancel"
    caller.wait_for(900)


def test_listening_in_and_speaking(rig: LiveRig) -> None:
    caller = Caller(rig, "bridge")
    caller.say_tone(500)
    caller.wait_for(900)
    spy = Caller(rig, "spy", f"sip_h_X-Spied={caller.far.uuid}")
    rig.wait(lambda: spy.hears(500) and spy.hears(900))
    spy.say_tone(1300)
    spy.press("3")
    caller.wait_for_both(900, 1300)
    spy.hang_up()
    caller.wait_for_only(900, without=1300)


def test_commands_change_what_a_leg_hears(rig: LiveRig, tmp_path: Path) -> None:
    caller = Caller(rig, "bridge")
    caller.say_tone(500)
    caller.wait_for(900)
    callee = partner(rig, caller.far)
    uuid = caller.far.uuid
    assert rig.api(f"uuid_audio {uuid} start write mute -1").startswith("+OK")
    caller.wait_for_end_of(900)
    assert rig.api(f"uuid_audio {uuid} stop").startswith("+OK")
    caller.wait_for(900)
    assert rig.api(f"uuid_displace {uuid} start {tone(1100)} 0 mux").startswith("+OK")
    caller.wait_for_both(900, 1100)
    assert rig.api(f"uuid_displace {uuid} stop {tone(1100)}").startswith("+OK")
    caller.wait_for_only(900, without=1100)
    caller.ear.forget()
    assert rig.api(f"uuid_broadcast {uuid} {tone(1200, 400)} both").startswith("+OK")
    caller.wait_for_passing(1200)
    caller.wait_for_only(900, without=1200)
    assert caller.far.channel.variables.get("bridge_uuid") == callee.uuid
    path = tmp_path / "leg.wav"
    assert rig.api(f"uuid_record {uuid} start {path}").startswith("+OK")
    rig.wait(lambda: path.exists() and path.stat().st_size > 8_000)
    rig.api(f"uuid_record {uuid} stop all")
    mixed = read_wav(path)[800:, 0]
    assert level_of(mixed, 500) > 1000
    assert level_of(mixed, 900) > 1000


def test_what_variables_run_at_answer_and_hangup(rig: LiveRig) -> None:
    given = (
        "execute_on_answer='set told=yes'",
        "api_on_answer='global_setvar at_answer=yes'",
        "api_hangup_hook='global_setvar at_end=yes'",
    )
    caller = Caller(rig, "bridge", ",".join(given))
    rig.variable(caller.session, "told", "yes")
    rig.wait(lambda: rig.api("global_getvar at_answer") == "yes")
    caller.hang_up()
    rig.wait(lambda: rig.api("global_getvar at_end") == "yes")


def test_speech_is_not_recognised_without_an_engine(rig: LiveRig) -> None:
    lines: list[str] = []
    rig.switch.logs.add_sink(sink := lambda entry: lines.append(entry.text))
    try:
        caller = Caller(rig, "speech", answered=False)
        rig.wait(lambda: caller.session.channel.variables.get("current_application") == "park")
    finally:
        rig.switch.logs.remove_sink(sink)
    assert "Invalid ASR module [nobody]!" in lines
    caller.session.channel.hangup()
