"""SIP statuses and hangup causes, each way, as FreeSWITCH maps them; and the Reason header (RFC 3326)."""

from __future__ import annotations

import re
from typing import Final

from host.hangup_cause import HIGHEST_Q850, HangupCause
from host.leading_number import leading_int

_PARAMETER: Final = re.compile(r';\s*([\w.!%*+`\'~-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;,\s]*)')
_OTHER_STATUS: Final = 480  # of causes that have none of their own
# The protocols of a Reason whose cause is taken as a hangup cause; a profile's `username` is one more.
_OUR_PROTOCOLS: Final = frozenset({"q.850", "freeswitch"})

_STATUSES: Final[dict[int, tuple[HangupCause, ...]]] = {
    403: (
        HangupCause.OUTGOING_CALL_BARRED,
        HangupCause.INCOMING_CALL_BARRED,
        HangupCause.BEARERCAPABILITY_NOTAUTH,
        HangupCause.STALE_DATE,
    ),
    404: (
        HangupCause.UNALLOCATED_NUMBER,
        HangupCause.NO_ROUTE_TRANSIT_NET,
        HangupCause.NO_ROUTE_DESTINATION,
    ),
    408: (HangupCause.NO_USER_RESPONSE,),
    410: (HangupCause.NUMBER_CHANGED, HangupCause.REDIRECTION_TO_NEW_DESTINATION),
    428: (HangupCause.NO_IDENTITY,),
    429: (HangupCause.BAD_IDENTITY_INFO,),
    437: (HangupCause.UNSUPPORTED_CERTIFICATE,),
    438: (HangupCause.INVALID_IDENTITY,),
    480: (HangupCause.NO_ANSWER, HangupCause.SUBSCRIBER_ABSENT, HangupCause.NORMAL_UNSPECIFIED),
    483: (HangupCause.EXCHANGE_ROUTING_ERROR,),
    484: (HangupCause.INVALID_NUMBER_FORMAT, HangupCause.INVALID_URL, HangupCause.INVALID_GATEWAY),
    486: (HangupCause.USER_BUSY,),
    487: (HangupCause.ORIGINATOR_CANCEL,),
    488: (HangupCause.BEARERCAPABILITY_NOTIMPL, HangupCause.INCOMPATIBLE_DESTINATION),
    501: (
        HangupCause.FACILITY_REJECTED,
        HangupCause.FACILITY_NOT_IMPLEMENTED,
        HangupCause.SERVICE_NOT_IMPLEMENTED,
    ),
    502: (HangupCause.DESTINATION_OUT_OF_ORDER, HangupCause.INVALID_PROFILE),
    503: (
        HangupCause.REQUESTED_CHAN_UNAVAIL,
        HangupCause.NORMAL_CIRCUIT_CONGESTION,
        HangupCause.NETWORK_OUT_OF_ORDER,
        HangupCause.NORMAL_TEMPORARY_FAILURE,
        HangupCause.SWITCH_CONGESTION,
        HangupCause.GATEWAY_DOWN,
        HangupCause.BEARERCAPABILITY_NOTAVAIL,
    ),
    504: (HangupCause.RECOVERY_ON_TIMER_EXPIRE,),
    600: (HangupCause.BUSY_EVERYWHERE,),
    603: (HangupCause.CALL_REJECTED, HangupCause.DECLINE, HangupCause.REJECT_ALL),
    604: (HangupCause.DOES_NOT_EXIST_ANYWHERE,),
    606: (HangupCause.NOT_ACCEPTABLE,),
    607: (HangupCause.UNWANTED,),
}
_STATUS_OF: Final = {cause: status for status, causes in _STATUSES.items() for cause in causes}

_CAUSES: Final[dict[HangupCause, tuple[int, ...]]] = {
    HangupCause.NORMAL_CLEARING: (200,),
    HangupCause.CALL_REJECTED: (401, 402, 403, 407, 603, 608),
    HangupCause.UNWANTED: (607,),
    HangupCause.UNALLOCATED_NUMBER: (404,),
    HangupCause.NO_ROUTE_DESTINATION: (485, 604),
    HangupCause.RECOVERY_ON_TIMER_EXPIRE: (408, 504),
    HangupCause.NUMBER_CHANGED: (410,),
    HangupCause.INTERWORKING: (413, 414, 416, 420, 421, 423, 505, 513),
    HangupCause.NO_USER_RESPONSE: (480,),
    HangupCause.NORMAL_TEMPORARY_FAILURE: (400, 481, 500, 503),
    HangupCause.USER_BUSY: (486, 600),
    HangupCause.INVALID_NUMBER_FORMAT: (484,),
    HangupCause.INCOMPATIBLE_DESTINATION: (488, 606),
    HangupCause.NETWORK_OUT_OF_ORDER: (502,),
    HangupCause.SERVICE_UNAVAILABLE: (405,),
    HangupCause.SERVICE_NOT_IMPLEMENTED: (406, 415, 501),
    HangupCause.EXCHANGE_ROUTING_ERROR: (482, 483),
    HangupCause.ORIGINATOR_CANCEL: (487,),
    HangupCause.NO_IDENTITY: (428,),
    HangupCause.BAD_IDENTITY_INFO: (429,),
    HangupCause.UNSUPPORTED_CERTIFICATE: (437,),
    HangupCause.INVALID_IDENTITY: (438,),
}
_CAUSE_OF: Final = {status: cause for cause, statuses in _CAUSES.items() for status in statuses}

# The registered phrases (RFC 3261 section 21 and the extensions).
_PHRASES: Final = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    305: "Use Proxy",
    380: "Alternative Service",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    411: "Length Required",
    412: "Conditional Request Failed",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    417: "Unknown Resource-Priority",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    424: "Bad Location Information",
    428: "Use Identity Header",
    429: "Provide Referrer Identity",
    433: "Anonymity Disallowed",
    436: "Bad Identity Info",
    437: "Unsupported Credential",
    438: "Invalid Identity Header",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    485: "Ambiguous",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    493: "Undecipherable",
    494: "Security Agreement Required",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    580: "Precondition Failure",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
    607: "Unwanted",
    608: "Rejected",
}


def sip_status(cause: HangupCause) -> int:
    """Return the status that refuses a call for a cause; 480 for causes that have none of their own."""
    return _STATUS_OF.get(cause, _OTHER_STATUS)


def status_cause(status: int) -> HangupCause:
    """Return the cause that a final status gives a call; NORMAL_UNSPECIFIED for others."""
    return _CAUSE_OF.get(status, HangupCause.NORMAL_UNSPECIFIED)


def status_phrase(status: int) -> str:
    """Return the phrase of a status, empty for one that is not known."""
    return _PHRASES.get(status, "")


def reason_value(cause: HangupCause, *, elsewhere: bool = False) -> str:
    """Return the Reason that is sent with BYE, CANCEL and refusals; `elsewhere`: another one took the call.

    FreeSWITCH: PICKED_OFF and LOSE_RACE are such as well; Q.850's causes go by its name, all others as SIP.
    """
    if elsewhere or cause in (HangupCause.PICKED_OFF, HangupCause.LOSE_RACE):
        return 'SIP;cause=200;text="Call completed elsewhere"'
    protocol = "Q.850" if 0 < cause <= HIGHEST_Q850 else "SIP"
    return f'{protocol};cause={int(cause)};text="{cause.name}"'


def reason_cause(value: str | None, username: str = "") -> HangupCause | None:
    """Return the cause of a Reason header, None where it has none that counts here.

    FreeSWITCH: that of the protocols Q.850, FreeSWITCH and the profile's `username`; of several the first decides.
    """
    if not value:
        return None
    protocol = value.partition(";")[0].strip().lower()
    if protocol not in _OUR_PROTOCOLS and (not username or protocol != username.lower()):
        return None
    for match in _PARAMETER.finditer(value.partition(",")[0] if '"' not in value else value):
        if match[1].lower() == "cause":
            return HangupCause(leading_int(match[2].strip('"')))
    return None


def partner_status(value: str | None) -> int | None:
    """Return the status that `last_bridge_proto_specific_hangup_cause` (`sip:486`) passes on, None without one.

    FreeSWITCH: it refuses the caller with the status that the one called gave, unless `sip_ignore_remote_cause`.
    """
    scheme, _, rest = (value or "").partition(":")
    if scheme.lower() not in ("sip", "sips"):
        return None
    return leading_int(rest) or None
