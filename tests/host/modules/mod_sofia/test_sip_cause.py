from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.hangup_cause import HangupCause
from host.modules.mod_sofia.sip_cause import (
    partner_status,
    reason_cause,
    reason_value,
    sip_status,
    status_cause,
    status_phrase,
)


@pytest.mark.parametrize(
    ("cause", "status"),
    [
        ("UNALLOCATED_NUMBER", 404),
        ("USER_BUSY", 486),
        ("NO_USER_RESPONSE", 408),
        ("NO_ANSWER", 480),
        ("CALL_REJECTED", 603),
        ("NUMBER_CHANGED", 410),
        ("INVALID_NUMBER_FORMAT", 484),
        ("NORMAL_TEMPORARY_FAILURE", 503),
        ("INCOMPATIBLE_DESTINATION", 488),
        ("RECOVERY_ON_TIMER_EXPIRE", 504),
        ("ORIGINATOR_CANCEL", 487),
        ("EXCHANGE_ROUTING_ERROR", 483),
        ("BUSY_EVERYWHERE", 600),
        ("NORMAL_CLEARING", 480),
        ("MANAGER_REQUEST", 480),
        ("INVALID_GATEWAY", 484),
        ("GATEWAY_DOWN", 503),
    ],
)
def test_causes_refuse_with_their_status(cause: str, status: int) -> None:
    assert sip_status(HangupCause[cause]) == status


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (401, "CALL_REJECTED"),
        (403, "CALL_REJECTED"),
        (404, "UNALLOCATED_NUMBER"),
        (405, "SERVICE_UNAVAILABLE"),
        (408, "RECOVERY_ON_TIMER_EXPIRE"),
        (410, "NUMBER_CHANGED"),
        (415, "SERVICE_NOT_IMPLEMENTED"),
        (480, "NO_USER_RESPONSE"),
        (481, "NORMAL_TEMPORARY_FAILURE"),
        (484, "INVALID_NUMBER_FORMAT"),
        (486, "USER_BUSY"),
        (487, "ORIGINATOR_CANCEL"),
        (488, "INCOMPATIBLE_DESTINATION"),
        (500, "NORMAL_TEMPORARY_FAILURE"),
        (502, "NETWORK_OUT_OF_ORDER"),
        (503, "NORMAL_TEMPORARY_FAILURE"),
        (600, "USER_BUSY"),
        (603, "CALL_REJECTED"),
        (604, "NO_ROUTE_DESTINATION"),
        (699, "NORMAL_UNSPECIFIED"),
    ],
)
def test_statuses_give_their_cause(status: int, cause: str) -> None:
    assert status_cause(status) is HangupCause[cause]


def test_reasons_are_q850_up_to_its_last_cause() -> None:
    assert reason_value(HangupCause.NORMAL_CLEARING) == 'Q.850;cause=16;text="NORMAL_CLEARING"'
    assert reason_value(HangupCause.BLIND_TRANSFER) == 'SIP;cause=800;text="BLIND_TRANSFER"'
    assert reason_value(HangupCause.PICKED_OFF) == 'SIP;cause=200;text="Call completed elsewhere"'
    assert (
        reason_value(HangupCause.USER_BUSY, elsewhere=True) == 'SIP;cause=200;text="Call completed elsewhere"'
    )


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ('Q.850;cause=17;text="busy, really;cause=3"', HangupCause.USER_BUSY),
        ("q.850 ; cause = 21", HangupCause.CALL_REJECTED),
        ('Q.850;text="cause=3";cause=16', HangupCause.NORMAL_CLEARING),
        ("FreeSWITCH;cause=806", HangupCause.USER_NOT_REGISTERED),
        ("Moonline;cause=17", HangupCause.USER_BUSY),
        ("SIP;cause=200", None),
        ("Q.850", None),
        ("Q.850;cause=17, SIP;cause=480", HangupCause.USER_BUSY),
        ("", None),
        (None, None),
    ],
)
def test_reasons_are_read(value: str | None, cause: HangupCause | None) -> None:
    assert reason_cause(value, "moonline") == cause


@given(st.text())
def test_no_reason_raises(text: str) -> None:
    reason_cause(text)
    reason_cause(f"Q.850;{text}")


@given(st.sampled_from(list(HangupCause)))
def test_a_reason_of_ours_comes_back(cause: HangupCause) -> None:
    value = reason_value(cause)
    assert reason_cause(value) == (cause if value.startswith("Q.850") else None)


def test_the_status_of_the_other_leg_is_passed_on() -> None:
    assert partner_status("sip:486") == 486
    assert partner_status("Q.850:17") is None
    assert partner_status("sip:") is None
    assert partner_status(None) is None


def test_phrases_are_the_registered_ones() -> None:
    assert status_phrase(486) == "Busy Here"
    assert status_phrase(181) == "Call Is Being Forwarded"
    assert status_phrase(299) == ""
