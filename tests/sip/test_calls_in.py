"""SIPp calls the host: each row is one scenario of a call."""

from __future__ import annotations

import pytest

from tests.sip.call_rows import CallIn, Nudge, Said, parameters
from tests.sip.host_configuration import PASSWORDS, Extension
from tests.sip.parallel_rows import ParallelRows
from tests.sip.raw_phone import RawPhone, field, status
from tests.sip.served_host import ServedHost

ANSWER = ("answer", "")
PARK = ("park", "")
TONE = ("playback", "tone_stream://%(300,0,440)")
HEARD_OUT = {"Hangup-Cause": "NORMAL_CLEARING", "variable_sip_hangup_disposition": "send_bye"}
HUNG_UP = {"Hangup-Cause": "NORMAL_CLEARING", "variable_sip_hangup_disposition": "recv_bye"}
CANCELLED = {"Hangup-Cause": "ORIGINATOR_CANCEL", "variable_sip_hangup_disposition": "recv_cancel"}
RELIABLE = [("pre_answer", ""), TONE, ("sleep", "300"), ANSWER, ("sleep", "200")]
# Answered and ended by a test, once what is to come before has come.
UNHURRIED = [("pre_answer", ""), ("sleep", "60000")]
UPDATED, ACKED = Said(r"CSeq: ?\d+ UPDATE", 2), Said(r"\bACK sip:")
HELD = [("CHANNEL_HOLD", "Event-Name", "CHANNEL_HOLD"), ("CHANNEL_UNHOLD", "Event-Name", "CHANNEL_UNHOLD")]
TRANSFERRED = Extension("transferred", [ANSWER, TONE, ("hangup", "NORMAL_CLEARING")], of_a_row=False)

ROWS = [
    CallIn("in-plays", "caller_waits", actions=[ANSWER, TONE], ends=HEARD_OUT),
    CallIn("in-over-tcp", "caller_waits", actions=[ANSWER, TONE], ends=HEARD_OUT, transport="t1"),
    CallIn("in-hangs-up", "caller_hangs_up", actions=[ANSWER, PARK], ends=HUNG_UP),
    CallIn("in-hangs-up-over-tcp", "caller_hangs_up", actions=[ANSWER, PARK], ends=HUNG_UP, transport="t1"),
    CallIn("in-early-media", "caller_early_media", actions=[("pre_answer", ""), TONE, ANSWER, ("sleep", "200")],
           ends=HEARD_OUT,
           events=[("CHANNEL_PROGRESS_MEDIA", "Answer-State", "early")]),
    CallIn("in-rings", "caller_hears_ringing", actions=[("ring_ready", ""), ("sleep", "300"), ANSWER, PARK],
           ends=HUNG_UP),
    CallIn("in-cancelled", "caller_cancels", actions=[("ring_ready", ""), ("sleep", "9000")], ends=CANCELLED),
    CallIn("in-cancelled-late", "caller_cancels_late", actions=[ANSWER, PARK], ends=HUNG_UP),
    CallIn("in-hangs-up-early", "caller_hangs_up_early", actions=[("ring_ready", ""), ("sleep", "9000")],
           ends={"variable_sip_hangup_disposition": "recv_(bye|cancel)"}),
    CallIn("in-hold-sendonly", "caller_holds", actions=[ANSWER, PARK], ends=HUNG_UP, events=HELD,
           keys={"hold_address": "127.0.0.1", "hold_direction": "sendonly"}, said=["a=recvonly", "a=sendrecv"]),
    CallIn("in-hold-inactive", "caller_holds", actions=[ANSWER, PARK], ends=HUNG_UP, events=HELD,
           keys={"hold_address": "127.0.0.1", "hold_direction": "inactive"}, said=["a=inactive\r?\n(.|\n)*a=sendrecv"]),
    CallIn("in-hold-of-old", "caller_holds", actions=[ANSWER, PARK], ends=HUNG_UP, events=HELD,
           keys={"hold_address": "0.0.0.0", "hold_direction": "sendonly"}),
    CallIn("in-changes-codec", "caller_changes_codec", actions=[ANSWER, PARK], ends={**HUNG_UP,
           "variable_read_codec": "PCMA"}),
    CallIn("in-asks-for-offer", "caller_asks_for_offer", actions=[ANSWER, PARK], ends=HUNG_UP),
    CallIn("in-offers-late", "caller_offers_late", actions=[ANSWER, TONE], ends={**HEARD_OUT,
           "variable_read_codec": "PCMU"}),
    CallIn("in-pracks", "caller_pracks", actions=RELIABLE, profile="timed", ends=HEARD_OUT),
    CallIn("in-pracks-with-answer", "caller_pracks_with_answer", actions=RELIABLE, profile="timed", ends=HEARD_OUT),
    CallIn("in-updates-early", "caller_updates_early", actions=UNHURRIED, profile="timed", ends=HEARD_OUT,
           steps=[UPDATED, "uuid_answer UUID", ACKED, "uuid_kill UUID"]),
    CallIn("in-updates", "caller_updates", actions=[ANSWER, PARK], ends=HUNG_UP, events=HELD,
           keys={"hold_address": "127.0.0.1", "hold_direction": "sendonly"}, said=["a=recvonly"]),
    CallIn("in-refreshes", "caller_refreshes", actions=[ANSWER, PARK], profile="timed", ends=HUNG_UP),
    CallIn("in-timer-too-short", "caller_asks_too_short", actions=[ANSWER, PARK], profile="timed", ends=None),
    CallIn("in-transfers", "caller_transfers", actions=[ANSWER, ("bridge", "sofia/open/callee@CALLEE")],
           keys={"refer_to": "transferred@127.0.0.1"}, callee="callee_waits",
           ends={"variable_endpoint_disposition": "BLIND_TRANSFER"}),
    CallIn("in-transfers-one-leg", "caller_is_refused_transfer", actions=[ANSWER, PARK],
           keys={"refer_to": "transferred@127.0.0.1"}, ends=HUNG_UP),
    CallIn("in-transferred-by-callee", "caller_waits", actions=[ANSWER, ("bridge", "sofia/open/callee@CALLEE")],
           callee="callee_transfers", callee_keys={"refer_to": "transferred@127.0.0.1"}),
    CallIn("in-is-deflected", "caller_is_transferred", actions=[ANSWER, ("sleep", "200"), ("deflect",
           "sip:elsewhere@127.0.0.1")]),
    CallIn("in-is-redirected", "caller_is_redirected", actions=[("redirect", "sip:elsewhere@127.0.0.1")],
           ends={"variable_sip_hangup_disposition": "send_refuse"}),
    CallIn("in-info-digits", "caller_sends_info", actions=[ANSWER, PARK], ends=HUNG_UP,
           events=[("DTMF", "DTMF-Digit", "5"), ("DTMF", "DTMF-Digit", "#")]),
    CallIn("in-gives-password", "caller_gives_password", actions=[ANSWER, TONE], profile="internal",
           keys={"caller": "1000"}, account=("1000", PASSWORDS["1000"]),
           ends={**HEARD_OUT, "variable_sip_auth_username": "1000", "variable_accountcode": "1000"}),
    CallIn("in-bridged", "caller_hangs_up", actions=[("bridge", "sofia/open/callee@CALLEE")],
           callee="callee_waits", ends=HUNG_UP),
    CallIn("in-bridged-callee-ends", "caller_waits", actions=[("set", "hangup_after_bridge=true"), ("bridge",
           "sofia/open/callee@CALLEE")],
           callee="callee_hangs_up", ends=HEARD_OUT),
    CallIn("in-bridged-early", "caller_early_media", actions=[("bridge", "sofia/open/callee@CALLEE"), ("hangup", "")],
           callee="callee_rings_with_media", ends=HEARD_OUT, steps=[Said("SIP/2.0 183"), Nudge()]),
    CallIn("in-presses", "caller_presses", actions=[ANSWER, PARK], ends=HUNG_UP, events=[("DTMF", "DTMF-Digit", "5")],
           as_root=True),
    CallIn("in-is-refreshed", "caller_is_refreshed", actions=[ANSWER, PARK], profile="timed", ends=HUNG_UP,
           seconds=60,
           slow=True),
]  # fmt: skip
# What FreeSWITCH answers for a cause that ends a call before it is answered.
STATUSES = {
    "UNALLOCATED_NUMBER": 404, "NO_ROUTE_DESTINATION": 404, "USER_BUSY": 486, "NO_USER_RESPONSE": 408,
    "NO_ANSWER": 480, "SUBSCRIBER_ABSENT": 480, "CALL_REJECTED": 603, "NUMBER_CHANGED": 410,
    "REDIRECTION_TO_NEW_DESTINATION": 410, "DESTINATION_OUT_OF_ORDER": 502, "INVALID_NUMBER_FORMAT": 484,
    "FACILITY_REJECTED": 501, "NORMAL_UNSPECIFIED": 480, "REQUESTED_CHAN_UNAVAIL": 503,
    "NORMAL_CIRCUIT_CONGESTION": 503, "NORMAL_TEMPORARY_FAILURE": 503, "SWITCH_CONGESTION": 503,
    "OUTGOING_CALL_BARRED": 403, "BEARERCAPABILITY_NOTAUTH": 403, "INCOMPATIBLE_DESTINATION": 488,
    "SERVICE_NOT_IMPLEMENTED": 501, "RECOVERY_ON_TIMER_EXPIRE": 504, "ORIGINATOR_CANCEL": 487,
    "EXCHANGE_ROUTING_ERROR": 483, "BUSY_EVERYWHERE": 600, "DECLINE": 603, "DOES_NOT_EXIST_ANYWHERE": 604,
    "NOT_ACCEPTABLE": 606, "UNWANTED": 607, "NORMAL_CLEARING": 480,
}  # fmt: skip
EXTENSIONS = [
    TRANSFERRED,
    *(row.extension for row in ROWS),
    *(Extension(f"ends-{cause}", [("hangup", cause)]) for cause in STATUSES),
]
SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"


@pytest.mark.parametrize("row", parameters(ROWS))
def test_call_in(rows: ParallelRows[CallIn], row: CallIn) -> None:
    rows.check(row)


def test_causes_become_final_responses(host: ServedHost) -> None:
    answers = {}
    with RawPhone(host.ports.open) as phone:
        for cause in STATUSES:
            request = phone.request(
                "INVITE", f"ends-{cause}", headers={"Content-Type": "application/sdp"}, body=SDP
            )
            answer = phone.ask(request)
            phone.acknowledge(request, answer)
            answers[cause] = status(answer)
            assert f'text="{cause}"' in field(answer, "Reason"), answer
    assert answers == STATUSES
