"""The variables that a finished call carries for its call detail record."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from host.hangup_cause import HIGHEST_Q850, HangupCause
from host.regex import RegexError, search

if TYPE_CHECKING:
    from host.channel import Channel

_SECOND = 1_000_000
DIGITS_DIALED = "digits_dialed"  # the keys of the call so far, among a channel's private values


def set_cdr_variables(channel: Channel) -> None:
    """Set stamps, epochs and durations in seconds, ms and µs, as FreeSWITCH does on hangup."""
    last, first = channel.profile, (channel.previous_profiles or [channel.profile])[-1]
    times = last.times
    created, answered, end = first.times.created, times.answered, times.hungup
    put = channel.variables.set
    cause = int(channel.hangup_cause)
    q850 = cause if cause <= HIGHEST_Q850 else int(HangupCause.NORMAL_CLEARING)
    put("hangup_cause", channel.hangup_cause.name)
    put("hangup_cause_q850", str(q850))
    put("digits_dialed", _dialed(channel))
    for name, moment in (
        ("start", created),
        ("profile_start", times.profile_created),
        ("answer", answered),
        ("bridge", times.bridged),
        ("resurrect", times.resurrected),
        ("progress", times.progress),
        ("progress_media", times.progress_media),
        ("end", end),
    ):
        if moment:
            put(f"{name}_stamp", _stamp(moment))
    for name, moment in (
        ("start", created),
        ("profile_start", times.profile_created),
        ("answer", answered),
        ("bridge", times.bridged),
        ("last_hold", times.last_hold),
    ):
        put(f"{name}_epoch", str(moment // _SECOND))
        put(f"{name}_uepoch", str(moment))
    put("hold_accum_seconds", str(times.hold_accum // _SECOND))
    put("hold_accum_usec", str(times.hold_accum))
    put("hold_accum_ms", str(times.hold_accum // 1000))
    for name, moment in (
        ("resurrect", times.resurrected),
        ("progress", times.progress),
        ("progress_media", times.progress_media),
        ("end", end),
    ):
        put(f"{name}_epoch", str(moment // _SECOND))
        put(f"{name}_uepoch", str(moment))
    last_app = channel.private.get("last_app")
    if isinstance(last_app, tuple):
        put("last_app", last_app[0])
        put("last_arg", last_app[1] or None)
    named = f'"{last.caller_id_name}" <{last.caller_id_number}>'
    put("caller_id", named if last.caller_id_name else last.caller_id_number)
    bridged = times.bridged if times.bridged > created else 0
    spans = {
        "duration": (created, end),
        "bill": (answered, end if answered else 0),
        "progress": (created, times.progress),
        "answer": (created, answered),
        "wait": (created, bridged),
        "progress_media": (created, times.progress_media),
        "flow_bill": (created, end if answered else 0),
    }
    for unit, divisor in (("sec", _SECOND), ("msec", 1000), ("usec", 1)):
        for name, (begin, until) in spans.items():
            # FreeSWITCH: whole seconds lie between two moments that are cut to whole seconds first.
            span = until // divisor - begin // divisor if until else 0
            if name == "duration":
                put({"sec": "", "msec": "m", "usec": "u"}[unit] + name, str(span))
            else:
                put(name + unit, str(span))


def _dialed(channel: Channel) -> str:
    """Return the keys that were pressed, those that groups of `digits_dialed_filter` match as X."""
    digits = str(channel.private.get(DIGITS_DIALED) or "")
    pattern = channel.get_variable("digits_dialed_filter")
    if digits and pattern:
        try:
            match = search(digits, pattern)
        except RegexError:
            match = None
        for group in match.groups if match is not None else ():
            if group:
                digits = digits.replace(group, "X" * len(group))
    return digits or "none"


def _stamp(moment: int) -> str:
    return datetime.fromtimestamp(moment // _SECOND, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
