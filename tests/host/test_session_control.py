from __future__ import annotations

import pytest

from host.clock import SECOND, VirtualClock
from host.hangup_cause import HangupCause
from host.session_control import SessionControl, Shutdown


def test_peaks_of_five_minutes_pass() -> None:
    clock = VirtualClock()
    control = SessionControl(clock)
    with clock.participating():
        for count in (1, 2, 3):
            control.note_session(count)
        assert (control.sessions_peak, control.sessions_per_second_peak) == (3, 3)
        clock.sleep(SECOND)
        assert control.last_sessions_per_second == 3
        control.note_session(1)
        clock.sleep(SECOND)
        assert control.last_sessions_per_second == 1
        clock.sleep(300 * SECOND)
        assert control.sessions_peak_recent == 0
        assert control.sessions_peak == 3
        assert control.last_sessions_per_second == 0


def test_a_session_too_many_is_refused() -> None:
    control = SessionControl(VirtualClock())
    assert control.refusal(0, outbound=True) is None
    control.max_sessions = 2
    assert control.refusal(2, outbound=True) is HangupCause.SWITCH_CONGESTION
    control.max_sessions = 1000
    control.max_sessions_per_second = 1
    control.note_session(1)
    assert control.refusal(1, outbound=False) is HangupCause.SWITCH_CONGESTION


@pytest.mark.parametrize("outbound", [False, True])
def test_a_pause_refuses_one_direction(outbound: bool) -> None:
    control = SessionControl(VirtualClock())
    control.inbound_paused = True
    assert (control.refusal(0, outbound=outbound) is None) is outbound


def test_a_patient_shutdown_waits_for_the_last_session() -> None:
    control = SessionControl(VirtualClock())
    told: list[Shutdown] = []
    control.shutdown_listeners.append(told.append)
    control.request_shutdown(Shutdown(patient=True), 1)
    assert control.refusal(1, outbound=False) is HangupCause.SERVICE_UNAVAILABLE
    control.note_end(1)
    assert not told
    control.note_end(0)
    assert told == [Shutdown(patient=True)]


def test_a_cancelled_shutdown_does_not_happen() -> None:
    control = SessionControl(VirtualClock())
    told: list[Shutdown] = []
    control.shutdown_listeners.append(told.append)
    control.request_shutdown(Shutdown(patient=True), 1)
    control.cancel_shutdown()
    control.note_end(0)
    assert not told
    control.request_shutdown(Shutdown(restart=True), 5)
    assert told == [Shutdown(restart=True)]
