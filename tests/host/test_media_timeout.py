"""What runs when no media comes any more, and how the call ends then."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from host.clock import SECOND
from host.hangup_cause import HangupCause
from host.ivr.sleep import sleep
from host.session import Session
from host.switch import Switch
from media.line import Line
from media.notice import MediaTimeout, Notice
from tests.host.one_call import in_call


@pytest.fixture
def ends(virtual_switch: Switch, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Session]:
    """Return what has a call hear nothing after a second, under some variables, and returns its session."""
    switch = virtual_switch
    told: list[Callable[[Notice], object]] = []
    open_line = switch.engine.line

    def line(rate: int, notify: Callable[[Notice], object]) -> Line:
        told.append(notify)
        return open_line(rate, notify)

    monkeypatch.setattr(switch.engine, "line", line)

    def run(**variables: str) -> Session:
        def do(session: Session) -> None:
            for name, value in variables.items():
                session.channel.set_variable(name, value)
            switch.clock.call_later(SECOND, lambda: told[-1](MediaTimeout(1000)))
            sleep(session, 5000)
            session.channel.set_variable("slept_ms", str(session.clock.now() // 1000))

        return in_call(switch, do).session

    return run


def test_without_an_application_the_call_ends(ends: Callable[..., Session]) -> None:
    channel = ends().channel
    assert channel.hangup_cause is HangupCause.MEDIA_TIMEOUT
    assert channel.get_variable("slept_ms") == "1000"


def test_applications_run_before_the_call_ends(ends: Callable[..., Session]) -> None:
    channel = ends(
        execute_on_media_timeout="set one=1",
        execute_on_media_timeout_2="set:two=${one}2",
        execute_on_media_timeout_3="set::three=3",
    ).channel
    assert channel.hangup_cause is HangupCause.MEDIA_TIMEOUT
    assert [channel.get_variable(name) for name in ("one", "two", "three")] == ["1", "12", None]


def test_the_cause_of_an_application_that_hangs_up_stays(ends: Callable[..., Session]) -> None:
    channel = ends(
        execute_on_media_timeout="hangup NORMAL_TEMPORARY_FAILURE", execute_on_media_timeout_2="set after=1"
    ).channel
    assert channel.hangup_cause is HangupCause.NORMAL_TEMPORARY_FAILURE
    assert channel.get_variable("after") is None


def test_an_unknown_application_ends_the_call_in_its_own_way(ends: Callable[..., Session]) -> None:
    channel = ends(execute_on_media_timeout="nosuch").channel
    assert channel.hangup_cause is HangupCause.DESTINATION_OUT_OF_ORDER


def test_a_transfer_does_not_save_the_call(ends: Callable[..., Session]) -> None:
    channel = ends(execute_on_media_timeout="transfer elsewhere XML default").channel
    assert channel.hangup_cause is HangupCause.MEDIA_TIMEOUT
