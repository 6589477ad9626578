from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.telephone_event import (
    Digit,
    EventPacket,
    EventPayload,
    TelephoneEventError,
    TelephoneEventReceiver,
    TelephoneEventSender,
)


def sent(keys: str, duration_ms: int, ptime_ms: int = 20, rate: int = 8000) -> list[EventPacket]:
    sender = TelephoneEventSender(rate, ptime_ms)
    for key in keys:
        sender.press(key, duration_ms)
    packets = []
    tick = 0
    while sender.busy:
        packet = sender.tick(tick * rate * ptime_ms // 1000)
        if packet is not None:
            packets.append(packet)
        tick += 1
    return packets


def received(packets: list[EventPacket], receiver: TelephoneEventReceiver | None = None) -> list[Digit]:
    receiver = receiver or TelephoneEventReceiver()
    digits = []
    for at, packet in enumerate(packets):
        digits += receiver.receive(packet.timestamp, packet.payload, at * 20_000)
    return digits + receiver.expire(len(packets) * 20_000 + 1_000_000)


@given(
    st.builds(EventPayload, st.integers(0, 255), st.booleans(), st.integers(0, 63), st.integers(0, 0xFFFF))
)
def test_what_is_serialized_is_parsed_again(payload: EventPayload) -> None:
    assert EventPayload.parse(payload.serialize()) == payload


@given(
    st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=6), st.integers(0, 300_000)), max_size=40
    )
)
def test_any_payloads_are_keys_or_the_declared_error(packets: list[tuple[int, bytes, int]]) -> None:
    receiver = TelephoneEventReceiver()
    now = 0
    digits = 0
    for timestamp, payload, passed in packets:
        now += passed
        try:
            digits += len(receiver.receive(timestamp, payload, now))
        except TelephoneEventError:
            assert len(payload) < 4
    digits += len(receiver.expire(now + 10**9))
    assert digits <= len(packets)
    assert receiver.pressed is None


def test_a_key_on_the_wire() -> None:
    packets = sent("5", 100)
    assert [packet.payload.hex() for packet in packets] == [
        "050a00a0",
        "050a0140",
        "050a01e0",
        "050a0280",
        "058a0320",
        "058a0320",
        "058a0320",
    ]
    assert [packet.marker for packet in packets] == [True] + [False] * 6
    assert {packet.timestamp for packet in packets} == {0}


@pytest.mark.parametrize(
    ("ptime", "rate"), [(10, 8000), (20, 8000), (30, 8000), (60, 8000), (20, 16000), (20, 48000)]
)
def test_what_is_pressed_is_heard(ptime: int, rate: int) -> None:
    keys = "0123456789*#ABCDF"
    digits = received(sent(keys, 130, ptime, rate), TelephoneEventReceiver(rate))
    assert "".join(digit.digit for digit in digits) == keys
    assert {digit.milliseconds for digit in digits} == {130}


def test_between_two_equal_keys_there_is_a_gap() -> None:
    packets = sent("77", 100)
    starts = sorted({packet.timestamp for packet in packets})
    assert starts[1] - starts[0] >= 8 * (100 + 40)
    assert [digit.digit for digit in received(packets)] == ["7", "7"]


@pytest.mark.parametrize("ptime", [20, 30])
@pytest.mark.parametrize("duration_ms", [8191, 8192, 8200, 20_000, 24_000])
def test_long_keys_go_in_segments(duration_ms: int, ptime: int) -> None:
    digits = received(sent("1", duration_ms, ptime))
    assert [(digit.digit, digit.milliseconds) for digit in digits] == [("1", duration_ms)]


def test_a_long_key_with_loss_is_still_one() -> None:
    packets = sent("1", 20_000)
    draws = random.Random(5)
    kept = [packet for packet in packets if draws.random() > 0.2]
    digits = received(kept)
    assert [digit.digit for digit in digits] == ["1"]
    assert abs(digits[0].milliseconds - 20_000) <= 40


@pytest.mark.parametrize("lost", range(7))
def test_any_one_packet_may_be_lost(lost: int) -> None:
    packets = sent("9", 100)
    del packets[lost]
    assert received(packets) == [Digit("9", 800, 8000)]


def test_lost_ends_are_over_after_a_while() -> None:
    receiver = TelephoneEventReceiver()
    packets = sent("4", 100)
    for at, packet in enumerate(packets[:4]):
        assert receiver.receive(packet.timestamp, packet.payload, at * 20_000) == []
    assert receiver.pressed == "4"
    assert receiver.deadline == 60_000 + 150_000
    assert receiver.expire(209_999) == []
    assert receiver.expire(210_000) == [Digit("4", 640, 8000)]
    # The ends come after all.
    assert receiver.receive(packets[-1].timestamp, packets[-1].payload, 300_000) == []
    assert receiver.expire(10**9) == []


def test_the_next_key_ends_one_whose_end_was_lost() -> None:
    packets = [packet for packet in sent("12", 100) if not packet.payload[1] & 0x80]
    assert [digit.digit for digit in received(packets)] == ["1", "2"]


def test_in_whatever_order_they_come() -> None:
    for seed in range(50):
        packets = sent("83", 160)
        draws = random.Random(seed)
        # Each packet is late by up to three places.
        order = sorted(range(len(packets)), key=lambda at: at + draws.random() * 3)
        digits = received([packets[at] for at in order])
        assert [digit.digit for digit in digits] == ["8", "3"]


def test_timestamps_may_wrap() -> None:
    packets = [
        EventPacket((p.timestamp + 2**32 - 500) & 0xFFFF_FFFF, p.payload, p.marker) for p in sent("56", 100)
    ]
    assert [digit.digit for digit in received(packets)] == ["5", "6"]


def test_events_that_are_no_keys_are_counted() -> None:
    receiver = TelephoneEventReceiver()
    fax = EventPayload(36, True, 10, 800).serialize()
    assert receiver.receive(0, fax, 0) == []
    assert receiver.ignored == 1


@pytest.mark.parametrize(("key", "duration"), [("x", 100), ("", 100), ("12", 100), ("1", 0)])
def test_what_cannot_be_pressed(key: str, duration: int) -> None:
    with pytest.raises(TelephoneEventError):
        TelephoneEventSender().press(key, duration)


def test_the_queue_is_bounded_and_can_be_cleared() -> None:
    sender = TelephoneEventSender()
    for _ in range(1000):
        sender.press("1", 100)
    with pytest.raises(TelephoneEventError, match="wait already"):
        sender.press("1", 100)
    sender.tick(0)
    sender.clear()
    ticks = 0
    while sender.busy:
        ticks += 1
        sender.tick(ticks * 160)
    assert ticks == 6
