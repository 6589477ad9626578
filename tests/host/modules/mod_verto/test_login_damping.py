"""Guessers are not let in for a while."""

from __future__ import annotations

from host.clock import SECOND
from host.modules.mod_verto.login_damping import BLOCK, MOST_ADDRESSES, MOST_FAILURES, WINDOW, LoginDamping


def test_who_fails_too_often_is_blocked_for_a_while() -> None:
    damping = LoginDamping()
    for _ in range(MOST_FAILURES):
        assert not damping.note_failure("a", 0)
    assert damping.note_failure("a", 1) and damping.blocks("a", 1) and not damping.blocks("b", 1)
    assert not damping.blocks("a", 1 + BLOCK)


def test_slow_failures_are_forgotten() -> None:
    damping = LoginDamping()
    every = WINDOW // MOST_FAILURES + SECOND
    assert not any(damping.note_failure("a", turn * every) for turn in range(5 * MOST_FAILURES))


def test_one_success_forgives_one_failure() -> None:
    damping = LoginDamping()
    for _ in range(MOST_FAILURES):
        damping.note_failure("a", 0)
    damping.note_success("a")
    assert not damping.note_failure("a", 0) and damping.note_failure("a", 0)
    damping.note_success("nobody")


def test_many_addresses() -> None:
    damping = LoginDamping()
    for number in range(2 * MOST_ADDRESSES):
        damping.note_failure(str(number), 0)
    assert len(damping._addresses) == MOST_ADDRESSES
