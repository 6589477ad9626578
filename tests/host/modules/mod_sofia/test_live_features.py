"""What is done to bridged SIP legs while they talk: keys, transfers, holding, and what rates and frames differ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from host.channel_state import CallState
from host.hangup_cause import HangupCause
from host.session import Session
from tests.host.modules.mod_sofia.live_rig import Caller, LiveRig, level_of, live, read_wav
from tests.host.modules.mod_sofia.two_profiles import extension

pytestmark = pytest.mark.usefixtures("clean")


def tone(frequency: int) -> str:
    return f"tone_stream://v=-13;%(60000,0,{frequency})"


def to_near(number: str) -> str:
    """Return the dial string with which `far` calls a number of `near`."""
    return f"sofia/far/{number}@127.0.0.1:$${{near_port}}"


EXTENSIONS = "".join(
    (
        extension("park", ("answer", ""), ("park", "")),
        extension("tone900", ("answer", ""), ("playback", tone(900))),
        extension("tone1300", ("answer", ""), ("playback", tone(1300))),
        extension("echo", ("answer", ""), ("echo", "")),
        extension("keys", ("answer", ""), ("read", "4 4 silence_stream://-1 pressed 8000 #"), ("park", "")),
        extension("ring", ("ring_ready", ""), ("sleep", "60000")),
        *(
            extension(f"to_{number}", ("bridge", to_near(number)))
            for number in ("tone900", "ring", "keys", "echo")
        ),
        *(
            extension(f"keys_{codec}", ("bridge", f"[absolute_codec_string={codec}]{to_near('keys')}"))
            for codec in ("G722", "opus")
        ),
        extension(
            "star",
            ("bind_meta_app", f"3 a s playback::{tone(700)}"),
            ("bind_meta_app", "4 a s execute_extension::tone1300"),
            ("bridge", to_near("tone900")),
        ),
        extension(
            "attended",
            ("bind_meta_app", f"5 a a att_xfer::{to_near('tone1300')}"),
            ("bridge", to_near("tone900")),
        ),
        extension(
            "recorded",
            ("set", "RECORD_STEREO=true"),
            ("record_session", "$${folder}/before.wav"),
            ("bridge", f"[absolute_codec_string=opus]{to_near('tone900')}"),
        ),
        extension("loop", ("bridge", "loopback/tone900/default")),
        extension("held", ("export", f"hold_music={tone(600)}"), ("bridge", to_near("park"))),
        extension("held_too", ("export", "hold_music=indicate_hold"), ("bridge", to_near("park"))),
    )
)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRig]:
    folder = Path(tmp_path_factory.mktemp("features"))
    with live(folder, EXTENSIONS) as rig:
        rig.switch.global_variables.set("folder", str(folder))
        yield rig


def callee(rig: LiveRig, number: str) -> Session:
    """Return the last leg on which a number of `near` is called."""
    return rig.wait(
        lambda: next(
            (
                one
                for one in reversed(rig.made)
                if not one.ended_already
                and one.channel.direction == "inbound"
                and one.channel.profile.destination_number == number
            ),
            None,
        )
    )


def test_keys_go_through_a_bridge(rig: LiveRig) -> None:
    pairs = (("to_keys", "PCMU"), ("keys_G722", "PCMU"), ("keys_opus", "PCMA"), ("to_keys", "opus"))
    called = []
    for number, codec in pairs:
        caller = Caller(rig, number, f"absolute_codec_string={codec}")
        rig.variable(caller.far, "bridge_uuid")
        theirs = callee(rig, "keys")
        rig.variable(theirs, "current_application", "read")
        caller.press("5*12")
        called.append(theirs)
    for theirs in called:
        assert rig.variable(theirs, "pressed") == "5*12"


def test_who_hangs_up_while_it_rings_cancels(rig: LiveRig) -> None:
    caller = Caller(rig, "to_ring", answered=False)
    theirs = callee(rig, "ring")
    rig.variable(theirs, "current_application", "sleep")
    caller.hang_up()
    rig.wait(lambda: theirs.ended_already)
    assert theirs.channel.hangup_cause is HangupCause.ORIGINATOR_CANCEL


def test_transfers_of_either_side(rig: LiveRig) -> None:
    caller = Caller(rig, "to_echo")
    caller.say_tone(500)
    caller.wait_for(500)
    assert rig.api(f"uuid_transfer {caller.far.uuid} -bleg tone1300").startswith("+OK")
    other = caller.far
    rig.wait(lambda: other.channel.down)
    second = Caller(rig, "to_tone900")
    second.wait_for(900)
    assert rig.api(f"uuid_transfer {second.far.uuid} tone1300").startswith("+OK")
    second.wait_for(1300)


def test_two_calls_become_one(rig: LiveRig) -> None:
    first, second = Caller(rig, "park"), Caller(rig, "park")
    for one in (first, second):
        rig.variable(one.far, "current_application", "park")
    first.say_tone(500)
    second.say_tone(700)
    assert rig.api(f"uuid_bridge {first.far.uuid} {second.far.uuid}").startswith("+OK")
    rig.wait(lambda: first.hears(700) and second.hears(500))
    second.hang_up()
    rig.wait(lambda: first.session.channel.down)


def test_keys_start_what_they_are_bound_to(rig: LiveRig) -> None:
    caller = Caller(rig, "star")
    caller.wait_for(900)
    caller.press("*3")
    caller.wait_for(700)
    assert caller.far.channel.up


def test_an_attended_transfer(rig: LiveRig) -> None:
    caller = Caller(rig, "attended")
    caller.wait_for(900)
    caller.press("*5")
    caller.wait_for(1300)
    caller.hang_up()
    first, second = callee(rig, "tone900"), callee(rig, "tone1300")
    rig.wait(lambda: caller.far.ended_already)
    assert first.channel.up
    assert second.channel.up


def test_a_recording_begun_before_the_bridge(rig: LiveRig) -> None:
    caller = Caller(rig, "recorded")
    caller.say_tone(500)
    caller.wait_for(900)
    caller.ear.forget()
    rig.wait(lambda: len(caller.ear.heard) > 5_600)
    path = Path(rig.switch.global_variables.get("folder") or "") / "before.wav"
    caller.hang_up()
    rig.quiet()
    heard = read_wav(path)[-4000:-800]
    left, right = heard[:, 0], heard[:, 1]
    assert level_of(left, 500) > 1000
    assert level_of(left, 900) < 50
    assert level_of(right, 900) > 1000
    assert level_of(right, 500) < 50


def test_frames_of_other_lengths(rig: LiveRig) -> None:
    codecs = ("PCMU@30i", "PCMA@10i", "G722@40i", "opus@48000h@40i")
    callers = {codec: Caller(rig, "to_echo", f"absolute_codec_string={codec}") for codec in codecs}
    for caller in callers.values():
        caller.say_tone(500)
    for codec, caller in callers.items():
        caller.wait_for(500)
        agreed = caller.session.channel.variables.get("rtp_last_audio_codec_string") or ""
        assert f"@{codec.rpartition('@')[2]}@" in agreed


def test_a_loopback_between(rig: LiveRig) -> None:
    caller = Caller(rig, "loop")
    caller.wait_for(900)
    caller.hang_up()


def test_who_is_held_hears_music(rig: LiveRig) -> None:
    caller = Caller(rig, "held")
    theirs = callee(rig, "park")
    rig.variable(caller.far, "bridge_uuid")
    rig.api(f"uuid_hold {theirs.uuid}")
    caller.wait_for(600)
    rig.api(f"uuid_hold off {theirs.uuid}")
    caller.wait_for_end_of(600)
    rig.wait(lambda: caller.far.channel.call_state is CallState.ACTIVE)


def test_hold_is_passed_on(rig: LiveRig) -> None:
    caller = Caller(rig, "held_too")
    theirs = callee(rig, "park")
    rig.variable(caller.far, "bridge_uuid")
    rig.api(f"uuid_hold {theirs.uuid}")
    rig.wait(lambda: caller.session.channel.call_state is CallState.HELD)
    rig.api(f"uuid_hold off {theirs.uuid}")
    rig.wait(lambda: caller.session.channel.call_state is CallState.ACTIVE)
