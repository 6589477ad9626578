"""Session timers: what requests and responses come to, and when something is due."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from host.hangup_cause import HangupCause
from host.modules.mod_sofia.call.session_timer import (
    NO_TIMER,
    Agreed,
    IntervalTooSmall,
    SessionTimer,
    accept_response,
    answer_request,
    parse_session_expires,
    request_headers,
)


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("1800", (1800, "")),
        ("1800;refresher=uac", (1800, "uac")),
        (" 90 ; Refresher=UAS ", (90, "uas")),
        ("x", (0, "")),
        ("-5", (0, "")),
    ],
)
def test_the_header(value: str, parts: tuple[int, str]) -> None:
    assert parse_session_expires(value) == parts


def test_what_a_request_carries() -> None:
    assert request_headers(0, 90) == ()
    assert request_headers(30, 0) == (("Session-Expires", "90;refresher=uac"), ("Min-SE", "90"))
    assert request_headers(1800, 120)[1] == ("Min-SE", "120")
    assert request_headers(1800, 120, refresher="")[0] == ("Session-Expires", "1800")


@pytest.mark.parametrize(
    ("asked", "supported", "interval", "agreed", "headers"),
    [
        (None, False, 0, NO_TIMER, ()),
        (
            "600",
            True,
            0,
            Agreed(600, False),
            (("Session-Expires", "600;refresher=uac"), ("Require", "timer")),
        ),
        ("600;refresher=uas", True, 0, Agreed(600, True), (("Session-Expires", "600;refresher=uas"),)),
        ("600", False, 0, Agreed(600, True), (("Session-Expires", "600;refresher=uas"),)),
        (None, False, 300, Agreed(300, True), (("Session-Expires", "300;refresher=uas"),)),
        (
            None,
            True,
            300,
            Agreed(300, False),
            (("Session-Expires", "300;refresher=uac"), ("Require", "timer")),
        ),
    ],
)
def test_the_answer_to_a_request(
    asked: str | None,
    supported: bool,
    interval: int,
    agreed: Agreed,
    headers: tuple[tuple[str, str], ...],
) -> None:
    answer = answer_request(asked, None, supported=supported, interval=interval, least=90)
    assert answer == (agreed, headers)


def test_too_short_an_interval_is_refused() -> None:
    with pytest.raises(IntervalTooSmall) as refused:
        answer_request("60", None, supported=True, interval=0, least=120)
    assert refused.value.least == 120


def test_what_a_response_comes_to() -> None:
    assert accept_response(None, 0) == NO_TIMER
    assert accept_response(None, 600) == Agreed(600, True)
    assert accept_response("300;refresher=uas", 600) == Agreed(300, False)
    assert accept_response("300", 600) == Agreed(300, True)


class _Timer:
    def __init__(self, run: Callable[[], object]) -> None:
        self.run: Callable[[], object] | None = run

    def cancel(self) -> None:
        self.run = None


class _Leg:
    """A leg that notes what it is asked; it is its own stack."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.timers: list[_Timer] = []
        self.refreshed = 0
        self.lost: HangupCause | None = None

    @property
    def stack(self) -> _Leg:
        return self

    def call_later(self, seconds: float, run: Callable[[], object]) -> _Timer:
        self.delays.append(seconds)
        self.timers.append(_Timer(run))
        return self.timers[-1]

    def refresh_session(self) -> None:
        self.refreshed += 1

    def lose(self, cause: HangupCause, status: int = 0, disposition: str = "") -> None:
        self.lost = cause

    def due(self) -> None:
        run = self.timers[-1].run
        assert run is not None
        run()


def test_the_refresher_refreshes_at_half_time_and_gives_up_in_the_end() -> None:
    leg = _Leg()
    timer = SessionTimer(leg)  # type: ignore[arg-type]
    timer.begin(Agreed(600, True))
    assert leg.delays == [300]
    leg.due()
    assert leg.refreshed == 1 and leg.delays[-1] == 300 - 32
    timer.again()
    assert leg.timers[1].run is None and leg.delays[-1] == 300
    leg.due()
    leg.due()
    assert leg.lost is HangupCause.RECOVERY_ON_TIMER_EXPIRE


def test_the_other_side_waits_for_a_refresh() -> None:
    leg = _Leg()
    timer = SessionTimer(leg)  # type: ignore[arg-type]
    timer.begin(Agreed(90, False))
    assert leg.delays == [60]
    timer.stop()
    assert leg.timers[0].run is None
    timer.begin(NO_TIMER)
    assert len(leg.timers) == 1
