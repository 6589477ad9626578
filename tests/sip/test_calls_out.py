"""The host calls SIPp: each row is one scenario of a call."""

from __future__ import annotations

import pytest

from tests.sip.call_rows import CallOut, Said, parameters
from tests.sip.free_ports import free_port
from tests.sip.host_configuration import Gateway
from tests.sip.parallel_rows import ParallelRows
from tests.sip.refusing_callee import refusing_callee
from tests.sip.served_host import ServedHost

SENT_BYE = {"Hangup-Cause": "NORMAL_CLEARING", "variable_sip_hangup_disposition": "send_bye"}
GOT_BYE = {"Hangup-Cause": "NORMAL_CLEARING", "variable_sip_hangup_disposition": "recv_bye"}
KILL = "uuid_kill UUID"
# SIPp has the answer acknowledged, or has answered a request in the call.
ACKED, ACKED_AGAIN, ACKED_THRICE = (Said(r"\bACK sip:", times) for times in (1, 2, 3))
TOOK_INFO, TOOK_UPDATE = (Said(rf"CSeq: ?\d+ {method}", 2) for method in ("INFO", "UPDATE"))
HELD = [("CHANNEL_HOLD", "Event-Name", "CHANNEL_HOLD"), ("CHANNEL_UNHOLD", "Event-Name", "CHANNEL_UNHOLD")]

# What FreeSWITCH makes of a final response to an INVITE.
CAUSES = {
    400: "NORMAL_TEMPORARY_FAILURE", 402: "CALL_REJECTED", 403: "CALL_REJECTED", 404: "UNALLOCATED_NUMBER",
    405: "SERVICE_UNAVAILABLE", 406: "SERVICE_NOT_IMPLEMENTED", 408: "RECOVERY_ON_TIMER_EXPIRE",
    410: "NUMBER_CHANGED", 413: "INTERWORKING", 415: "SERVICE_NOT_IMPLEMENTED", 420: "INTERWORKING",
    480: "NO_USER_RESPONSE", 481: "NORMAL_TEMPORARY_FAILURE", 482: "EXCHANGE_ROUTING_ERROR",
    483: "EXCHANGE_ROUTING_ERROR", 484: "INVALID_NUMBER_FORMAT", 485: "NO_ROUTE_DESTINATION", 486: "USER_BUSY",
    487: "ORIGINATOR_CANCEL", 488: "INCOMPATIBLE_DESTINATION", 500: "NORMAL_TEMPORARY_FAILURE",
    501: "SERVICE_NOT_IMPLEMENTED", 502: "NETWORK_OUT_OF_ORDER", 503: "NORMAL_TEMPORARY_FAILURE",
    504: "RECOVERY_ON_TIMER_EXPIRE", 505: "INTERWORKING", 513: "INTERWORKING", 600: "USER_BUSY",
    603: "CALL_REJECTED", 604: "NO_ROUTE_DESTINATION", 606: "INCOMPATIBLE_DESTINATION", 607: "UNWANTED",
    608: "CALL_REJECTED",
}  # fmt: skip

TRUNK_PORT, PROXY_PORT = free_port(), free_port()
GATEWAYS = [
    Gateway(name, {"username": "trunk", "password": "secret", "realm": "far.test", "register": "false",
                   "proxy": f"127.0.0.1:{port}"})
    for name, port in (("trunk", TRUNK_PORT), ("proxied", PROXY_PORT))
]  # fmt: skip

ROWS = [
    CallOut("out-answered", "callee_waits", steps=[ACKED, KILL], ends=SENT_BYE),
    CallOut("out-over-tcp", "callee_waits", steps=[ACKED, KILL], ends=SENT_BYE, transport="t1",
            dial="sofia/PROFILE/callee@PEER;transport=tcp"),
    CallOut("out-callee-hangs-up", "callee_hangs_up", ends=GOT_BYE,
            events=[("CHANNEL_PROGRESS", "Answer-State", "ringing")]),
    CallOut("out-early-media", "callee_early_media", variables="ignore_early_media=false",
           application="&playback(tone_stream://%(300,0,440))",
            ends=SENT_BYE, events=[("CHANNEL_PROGRESS_MEDIA", "Answer-State", "early")]),
    CallOut("out-rings", "callee_rings", variables="originate_timeout=1", reply="-ERR NO_ANSWER",
            ends={"Hangup-Cause": "NO_ANSWER", "variable_sip_hangup_disposition": "send_cancel"}),
    CallOut("out-cancel-crosses-answer", "callee_crosses", variables="originate_timeout=1", reply="-ERR NO_ANSWER",
           ends=None),
    CallOut("out-silence", "callee_silent", variables="originate_timeout=1",
           reply="-ERR (NO_ANSWER|RECOVERY_ON_TIMER_EXPIRE)",
            ends=None),
    CallOut("out-redirected", "callee_redirects", keys={"target": "callee@SECOND"}, second="callee_waits",
            steps=[Said(r"\bACK sip:", second=True), KILL], ends=SENT_BYE),
    CallOut("out-held", "callee_is_held", steps=[ACKED, "uuid_hold UUID", ACKED_AGAIN, "uuid_hold off UUID",
           ACKED_THRICE, KILL],
            ends=SENT_BYE),
    CallOut("out-callee-holds", "callee_holds", ends=GOT_BYE, events=HELD,
            keys={"hold_address": "127.0.0.1", "hold_direction": "sendonly"}),
    CallOut("out-prack", "callee_wants_prack", profile="timed", steps=[ACKED, KILL], ends=SENT_BYE),
    CallOut("out-display", "callee_gets_update", steps=[ACKED, "uuid_display UUID Anna|4711", TOOK_UPDATE, KILL],
           ends=SENT_BYE),
    CallOut("out-info", "callee_gets_info", steps=[ACKED, "uuid_send_info UUID text plain lamp=on", TOOK_INFO,
           KILL],
            ends=SENT_BYE),
    CallOut("out-info-digit", "callee_gets_digit", variables="dtmf_type=info", steps=[ACKED, "uuid_send_dtmf UUID 7",
           TOOK_INFO, KILL],
            ends=SENT_BYE),
    CallOut("out-deflected", "callee_is_transferred", steps=[ACKED,
           "uuid_deflect UUID sip:elsewhere@127.0.0.1"], ends={}),
    CallOut("out-challenged", "callee_challenges", dial="sofia/gateway/trunk/callee", port=TRUNK_PORT,
            steps=[ACKED_AGAIN, KILL], ends=SENT_BYE),
    CallOut("out-challenged-by-proxy", "proxy_challenges", dial="sofia/gateway/proxied/callee",
           port=PROXY_PORT,
            steps=[ACKED_AGAIN, KILL], ends=SENT_BYE),
    CallOut("out-longer-timer", "callee_wants_longer_timer", profile="timed", steps=[ACKED_AGAIN, KILL],
           ends=SENT_BYE),
    CallOut("out-refreshes", "callee_is_refreshed", profile="timed", ends=GOT_BYE, seconds=60, slow=True),
]  # fmt: skip


@pytest.mark.parametrize("row", parameters(ROWS))
def test_call_out(rows: ParallelRows[CallOut], row: CallOut) -> None:
    rows.check(row)


def test_final_responses_become_causes(host: ServedHost) -> None:
    with refusing_callee() as address:
        replies = {
            code: host.api(
                f"originate {{row=out-{code},originate_timeout=5}}sofia/open/{code}@{address} &park()"
            ).strip()
            for code in CAUSES
        }
    assert replies == {code: f"-ERR {cause}" for code, cause in CAUSES.items()}
    for code, cause in CAUSES.items():
        end = host.event(host.of_row(f"out-{code}", "CHANNEL_HANGUP_COMPLETE"), what=f"the hangup of {code}")
        assert (end.get("Hangup-Cause"), end.get("variable_sip_invite_failure_status")) == (cause, str(code))
        assert end.get("variable_sip_hangup_disposition") == "recv_refuse"
