"""Hangup causes: FreeSWITCH's names and numbers (Q.850 up to 127, FreeSWITCH's own above)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from host.leading_number import leading_int

# Q.850 knows causes up to 127 (INTERWORKING); the numbers above are FreeSWITCH's own.
HIGHEST_Q850: Final = 127


class HangupCause(IntEnum):
    """A cause by name; the value is FreeSWITCH's number.

    Every number is a cause: FreeSWITCH calls those without a name UNKNOWN (`HangupCause(486).name`), and keeps them.
    """

    NONE = 0
    UNALLOCATED_NUMBER = 1
    NO_ROUTE_TRANSIT_NET = 2
    NO_ROUTE_DESTINATION = 3
    CHANNEL_UNACCEPTABLE = 6
    CALL_AWARDED_DELIVERED = 7
    NORMAL_CLEARING = 16
    USER_BUSY = 17
    NO_USER_RESPONSE = 18
    NO_ANSWER = 19
    SUBSCRIBER_ABSENT = 20
    CALL_REJECTED = 21
    NUMBER_CHANGED = 22
    REDIRECTION_TO_NEW_DESTINATION = 23
    EXCHANGE_ROUTING_ERROR = 25
    DESTINATION_OUT_OF_ORDER = 27
    INVALID_NUMBER_FORMAT = 28
    FACILITY_REJECTED = 29
    RESPONSE_TO_STATUS_ENQUIRY = 30
    NORMAL_UNSPECIFIED = 31
    NORMAL_CIRCUIT_CONGESTION = 34
    NETWORK_OUT_OF_ORDER = 38
    NORMAL_TEMPORARY_FAILURE = 41
    SWITCH_CONGESTION = 42
    ACCESS_INFO_DISCARDED = 43
    REQUESTED_CHAN_UNAVAIL = 44
    PRE_EMPTED = 45
    FACILITY_NOT_SUBSCRIBED = 50
    OUTGOING_CALL_BARRED = 52
    INCOMING_CALL_BARRED = 54
    BEARERCAPABILITY_NOTAUTH = 57
    BEARERCAPABILITY_NOTAVAIL = 58
    SERVICE_UNAVAILABLE = 63
    BEARERCAPABILITY_NOTIMPL = 65
    CHAN_NOT_IMPLEMENTED = 66
    FACILITY_NOT_IMPLEMENTED = 69
    SERVICE_NOT_IMPLEMENTED = 79
    INVALID_CALL_REFERENCE = 81
    INCOMPATIBLE_DESTINATION = 88
    INVALID_MSG_UNSPECIFIED = 95
    MANDATORY_IE_MISSING = 96
    MESSAGE_TYPE_NONEXIST = 97
    WRONG_MESSAGE = 98
    IE_NONEXIST = 99
    INVALID_IE_CONTENTS = 100
    WRONG_CALL_STATE = 101
    RECOVERY_ON_TIMER_EXPIRE = 102
    MANDATORY_IE_LENGTH_ERROR = 103
    PROTOCOL_ERROR = 111
    INTERWORKING = 127
    SUCCESS = 142
    ORIGINATOR_CANCEL = 487
    CRASH = 700
    SYSTEM_SHUTDOWN = 701
    LOSE_RACE = 702
    MANAGER_REQUEST = 703
    BLIND_TRANSFER = 800
    ATTENDED_TRANSFER = 801
    ALLOTTED_TIMEOUT = 802
    USER_CHALLENGE = 803
    MEDIA_TIMEOUT = 804
    PICKED_OFF = 805
    USER_NOT_REGISTERED = 806
    PROGRESS_TIMEOUT = 807
    INVALID_GATEWAY = 808
    GATEWAY_DOWN = 809
    INVALID_URL = 810
    INVALID_PROFILE = 811
    NO_PICKUP = 812
    SRTP_READ_ERROR = 813
    BOWOUT = 814
    BUSY_EVERYWHERE = 815
    DECLINE = 816
    DOES_NOT_EXIST_ANYWHERE = 817
    NOT_ACCEPTABLE = 818
    UNWANTED = 819
    NO_IDENTITY = 820
    BAD_IDENTITY_INFO = 821
    UNSUPPORTED_CERTIFICATE = 822
    INVALID_IDENTITY = 823
    STALE_DATE = 824
    REJECT_ALL = 825

    @classmethod
    def _missing_(cls, value: object) -> HangupCause | None:
        """Make a number that has no name the cause UNKNOWN of that number, as FreeSWITCH does."""
        if not isinstance(value, int):
            return None
        unknown = int.__new__(cls, value)
        unknown._name_ = "UNKNOWN"
        unknown._value_ = value
        return unknown


_BY_NAME: Final[dict[str, HangupCause]] = {cause.name: cause for cause in HangupCause}
_BY_NUMBER: Final[dict[int, HangupCause]] = {cause.value: cause for cause in HangupCause}


def find_cause(text: str) -> HangupCause | None:
    """Return the cause named `text` (any case) or numbered so, None when there is no such cause."""
    cause = _BY_NAME.get(text.upper())
    if cause is None and text.isascii() and text.isdigit():
        cause = _BY_NUMBER.get(leading_int(text))
    return cause


def parse_cause(text: str) -> HangupCause:
    """Return the cause that FreeSWITCH takes `text` for, wherever one is asked for.

    FreeSWITCH: a text that begins with a digit is that number, even one that has no name; a name counts in any
    case; an empty text or an unknown name is NORMAL_CLEARING.
    """
    if "0" <= text[:1] <= "9":
        return HangupCause(leading_int(text))
    return _BY_NAME.get(text.upper(), HangupCause.NORMAL_CLEARING)
