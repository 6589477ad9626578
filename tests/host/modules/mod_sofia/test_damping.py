"""Damping: who is dropped, for how long, and that it forgets."""

from __future__ import annotations

import pytest

from host.modules.mod_sofia.transport.damping import Damping, DampingLimits, Offence, Verdict

LIMITS = DampingLimits(window=60, block=100, failures=5, unknown_users=3, challenges=10, addresses=4)


@pytest.mark.parametrize(
    ("agent", "verdict"),
    [
        ("friendly-scanner", Verdict.DROP),
        ("SIPVicious 0.3", Verdict.DROP),
        ("sipcli/v1.8", Verdict.DROP),
        ("Yealink SIP-T46S", Verdict.PASS),
        ("baresip v1.1.0", Verdict.PASS),
        ("", Verdict.PASS),
    ],
)
def test_scanners(agent: str, verdict: Verdict) -> None:
    damping = Damping(LIMITS)
    assert damping.judge("1.1.1.1", agent, 0.0) is verdict
    assert damping.judge("1.1.1.1", agent, 0.0, trusted=True) is verdict
    assert damping.figures.scanners_dropped == (2 if verdict is Verdict.DROP else 0)


@pytest.mark.parametrize("offence", list(Offence))
def test_a_limit_blocks_and_time_frees(offence: Offence) -> None:
    damping = Damping(LIMITS)
    limit = LIMITS.of(offence)
    assert [damping.note("1.1.1.1", offence, float(n) / 10) for n in range(limit)] == [False] * limit
    assert damping.judge("1.1.1.1", "", 2.0) is Verdict.PASS
    assert damping.note("1.1.1.1", offence, 2.0)
    assert damping.judge("1.1.1.1", "", 3.0) is Verdict.DROP
    assert damping.judge("2.2.2.2", "", 3.0) is Verdict.PASS
    assert damping.blocked(3.0) == ["1.1.1.1"]
    assert damping.judge("1.1.1.1", "", 102.5) is Verdict.PASS
    assert damping.figures.addresses_blocked == 1


def test_who_goes_on_stays_blocked() -> None:
    damping = Damping(LIMITS)
    for _ in range(LIMITS.failures + 1):
        damping.note("1.1.1.1", Offence.FAILURE, 0.0)
    for second in range(0, 1000, 40):
        assert damping.judge("1.1.1.1", "", float(second)) is Verdict.DROP
    assert damping.judge("1.1.1.1", "", 1011.0) is Verdict.PASS


def test_slow_mistakes_are_no_attack() -> None:
    damping = Damping(LIMITS)
    assert not any(damping.note("1.1.1.1", Offence.FAILURE, second * 15.0) for second in range(100))


def test_answered_challenges_do_not_count() -> None:
    damping = Damping(LIMITS)
    for n in range(1000):
        assert not damping.note("1.1.1.1", Offence.CHALLENGE, n / 50)
        damping.accept("1.1.1.1")
    assert damping.judge("1.1.1.1", "", 20.0) is Verdict.PASS


def test_proxies_are_not_blocked() -> None:
    damping = Damping(LIMITS)
    assert not any(damping.note("1.1.1.1", Offence.FAILURE, 0.0, trusted=True) for _ in range(100))
    assert damping.judge("1.1.1.1", "", 0.0, trusted=True) is Verdict.PASS
    assert len(damping) == 0
    assert damping.figures.failures == 100


def test_memory_is_bounded_and_the_quiet_are_forgotten() -> None:
    damping = Damping(LIMITS)
    for n in range(100):
        damping.note(f"10.0.0.{n}", Offence.FAILURE, 0.0)
    assert len(damping) == LIMITS.addresses
    damping.sweep(30.0)
    assert len(damping) == LIMITS.addresses
    damping.sweep(61.0)
    assert len(damping) == 0
