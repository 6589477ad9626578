from __future__ import annotations

from media.rtp_latch import LATCH_PACKETS, Address, SourceLatch

NAMED: Address = ("192.0.2.1", 4000)
NAT: Address = ("198.51.100.7", 61000)
THIEF: Address = ("203.0.113.9", 9)


def stream(
    latch: SourceLatch, source: Address, start: int, count: int, now: int, step: int = 20_000, ssrc: int = 1
) -> list[bool]:
    return [latch.offer(source, (start + at) & 0xFFFF, ssrc, now + at * step) for at in range(count)]


def test_the_signalled_address_is_heard_at_once_and_locked() -> None:
    latch = SourceLatch(NAMED)
    assert all(stream(latch, NAMED, 65534, 10, 0))
    assert latch.locked
    assert latch.remote == NAMED


def test_an_address_behind_nat_is_learnt_without_losing_a_word() -> None:
    latch = SourceLatch(NAMED)
    assert all(stream(latch, NAT, 1, LATCH_PACKETS - 1, 0))
    assert latch.remote == NAMED
    assert latch.offer(NAT, LATCH_PACKETS, 1, 80_000)
    assert (latch.remote, latch.locked) == (NAT, True)


def test_a_hijacker_is_refused_once_it_is_certain() -> None:
    latch = SourceLatch(NAMED)
    stream(latch, NAT, 1, 10, 0)
    now = 200_000
    for at in range(500):
        assert latch.offer(NAT, 11 + at, 1, now)
        assert not latch.offer(THIEF, 11 + at, 1, now + 1)
        now += 20_000
    assert latch.remote == NAT
    assert latch.refused == 500


def test_a_burst_does_not_convince() -> None:
    latch = SourceLatch(NAMED)
    stream(latch, THIEF, 1, 50, 0, step=10)
    assert not latch.locked
    assert latch.remote == NAMED


def test_nobody_outruns_a_signalled_address_that_sends() -> None:
    latch = SourceLatch(NAMED, packets=8)
    now = 0
    for at in range(7):
        assert latch.offer(NAMED, at, 1, now)
        latch.offer(THIEF, 2 * at, 2, now + 1)
        latch.offer(THIEF, 2 * at + 1, 2, now + 2)
        now += 20_000
    assert latch.offer(NAMED, 7, 1, now)
    assert (latch.remote, latch.locked) == (NAMED, True)


def test_wild_sequence_numbers_convince_nobody() -> None:
    latch = SourceLatch(NAMED)
    for at in range(100):
        latch.offer(THIEF, at * 7919 & 0xFFFF, at, at * 20_000)
    assert not latch.locked


def test_silence_lets_another_address_in_after_good_packets() -> None:
    latch = SourceLatch(NAMED)
    stream(latch, NAT, 1, 10, 0)
    heard = 9 * 20_000
    assert not any(stream(latch, THIEF, 1, 20, heard + 2_000_000))
    new: Address = ("198.51.100.7", 62000)
    answers = stream(latch, new, 500, LATCH_PACKETS, heard + 3_100_000)
    assert answers == [False] * (LATCH_PACKETS - 1) + [True]
    assert (latch.remote, latch.relatched) == (new, 1)


def test_signalling_starts_anew_and_a_refresh_changes_nothing() -> None:
    latch = SourceLatch(NAMED)
    stream(latch, NAT, 1, 10, 0)
    latch.signal(NAMED)
    assert (latch.remote, latch.locked) == (NAT, True)
    moved: Address = ("192.0.2.8", 5000)
    latch.signal(moved)
    assert (latch.remote, latch.locked) == (moved, False)
    assert latch.offer(moved, 1, 1, 250_000)
    assert not latch.offer(NAT, 11, 1, 250_001)


def test_without_learning_only_the_signalled_address_speaks() -> None:
    latch = SourceLatch(NAMED, learning=False)
    assert not any(stream(latch, NAT, 1, 100, 0))
    assert all(stream(latch, NAMED, 1, 10, 10_000_000))
    assert latch.remote == NAMED


def test_a_flood_of_addresses_stays_small() -> None:
    latch = SourceLatch(NAMED)
    for number in range(1000):
        latch.offer(("203.0.113.1", number), 1, 1, number)
    assert not latch.locked
    assert all(stream(latch, NAMED, 1, 10, 2000))
