"""What a call sends while it waits: nothing, digital silence, or noise that is the fainter the greater its divisor."""

from __future__ import annotations

from pathlib import Path

import pytest

from host.channel import Flag
from host.ivr.bridge import wait_for_answer
from host.ivr.idle_silence import silence_divisor
from host.session import Session
from host.status import Status
from media.source import ComfortNoise
from tests.host.ivr.legs import Legs
from tests.media.ear import Ear

RATE = 8000


class LineEar(Ear):
    """Hears what a line sends."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        session.line.tap(self, read=False)

    def loudest_since(self) -> int:
        """Return the loudest sample since the last time this was asked."""
        level = self.loudest
        self.forget()
        return level


@pytest.mark.parametrize(
    ("value", "loudest"), [(None, 0), ("0", 0), ("no", 0), ("-1", 0), ("1400", 23), ("100", 327), ("-7", 81)]
)
@pytest.mark.parametrize("wait", [("sleep", "1000"), ("park", ""), ("keys", "")])
def test_a_wait_sends_what_the_variable_says(
    legs: Legs, wait: tuple[str, str], value: str | None, loudest: int
) -> None:
    keys(legs)
    leg = legs.call("null/near")
    ear = LineEar(leg)
    if value is not None:
        leg.channel.variables.set("send_silence_when_idle", value)
    legs.run(leg, wait, ("pause", "60000"))
    legs.wait(0.5)
    assert leg.line.idle == (
        -1 if value == "-1" else 400 if value == "-7" else 0 if loudest == 0 else int(value or 0)
    )
    assert ear.loudest_since() == loudest
    if wait[0] == "park":
        leg.channel.clear_flag(Flag.PARK)
    legs.wait(1)
    assert leg.line.idle == 0
    ear.forget()
    legs.wait(1)
    assert ear.loudest_since() == 0


def keys(legs: Legs) -> None:
    """Give the legs an application that collects keys for a second."""
    from host.interfaces import Application
    from host.ivr.digits import collect_digits_count

    def collect(session: Session, data: str) -> None:
        text, terminator, status = collect_digits_count(session, 4, "#", 1000)
        assert (text, terminator, status) == ("", "", Status.TIMEOUT)

    legs.switch.applications.add(Application("keys", "mod_test", collect))


def test_other_waits_and_short_ones_send_nothing(legs: Legs) -> None:
    leg = legs.call("null/near")
    leg.channel.variables.set("send_silence_when_idle", "100")
    ear = LineEar(leg)
    legs.run(leg, ("pause", "500"), ("sleep", "10"), ("pause", "60000"))
    legs.wait(2)
    assert ear.loudest_since() == 0


def test_what_is_played_meanwhile_is_heard_alone_and_then_the_silence_again(legs: Legs) -> None:
    leg = legs.caller(("park", ""), send_silence_when_idle="100")
    legs.wait(0.1)
    ear = LineEar(leg)
    playback = leg.line.play(ComfortNoise(RATE, RATE // 2, 3000))
    legs.wait(0.4)
    assert ear.loudest_since() == 10
    legs.wait(0.5)
    assert playback.played == RATE // 2 and ear.loudest_since() == 327


def test_a_parked_call_that_is_answered_later_sends_it_then(legs: Legs) -> None:
    leg = legs.call("null/near")
    flags = leg.channel.flags.copy()
    leg.channel.flags.clear()
    leg.channel.variables.set("send_silence_when_idle", "100")
    legs.run(leg, ("park", ""))
    legs.wait(0.5)
    assert leg.line.idle == 0
    leg.channel.flags |= flags
    leg.channel.changed()
    legs.wait(0.1)
    assert leg.line.idle == 100


@pytest.mark.parametrize(
    ("ringback", "divisor"),
    [("silence", 400), ("silence:1400", 1400), ("SILENCE:-1", -1), ("silence:x", 400)],
)
def test_silence_as_ringback(legs: Legs, ringback: str, divisor: int) -> None:
    leg = legs.caller(("bridge", "loopback/late/legs"), ringback=ringback)
    assert silence_divisor(ringback.partition(":")[2]) == divisor
    legs.wait(0.5)
    assert leg.line.idle == divisor
    legs.wait(1)
    assert leg.channel.answered and leg.line.idle == 0


@pytest.mark.parametrize(("value", "loudest"), [(None, 23), ("true", 23), ("100", 327), ("0", 0), ("-1", 0)])
def test_who_is_recorded_hears_faint_noise(
    legs: Legs, tmp_path: Path, value: str | None, loudest: int
) -> None:
    from host.ivr.record import record_file

    legs.switch.modules.load("mod_sndfile")
    leg = legs.call("null/near")
    if value is not None:
        leg.channel.variables.set("record_waste_resources", value)
    ear = LineEar(leg)
    leg.run_in_session(lambda session: record_file(session, str(tmp_path / "one.wav"), 2))
    legs.run(leg, ("pause", "60000"))
    legs.wait(1)
    assert ear.loudest_since() == loudest
    legs.wait(3)
    ear.forget()
    legs.wait(1)
    assert ear.loudest_since() == 0 and (tmp_path / "one.wav").stat().st_size > 30_000


def test_who_waits_for_an_answer_sends_it_where_no_ringback_is_wanted(legs: Legs) -> None:
    near = legs.parked()
    far = legs.call("{return_ring_ready=true}loopback/late/legs")
    near.channel.variables.set("send_silence_when_idle", "400")
    seen: list[int] = []
    legs.switch.clock.call_later(300_000, lambda: seen.append(near.line.idle))
    near.run_in_session(lambda session: seen.append(int(wait_for_answer(session, far) is Status.SUCCESS)))
    legs.wait(2)
    assert seen == [400, 1]
    assert near.line.idle == 0
