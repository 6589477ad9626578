"""The variables that a finished call carries for its call detail record."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from host.hangup_cause import HIGHEST_Q850, HangupCause

if TYPE_CHECKING:
    from host.channel import Channel

_SECOND = 1_000_000


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
    put("digits_dialed", str(channel.private.get("digits_dialed") or "none"))
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
    put("caller_id", f'"{last.caller_id_name}" <{last.caller_id_number}>')
    spans = {
        "duration": end - created,
        "bill": end - answered if answered else 0,
        "progress": times.progress - created if times.progress else 0,
        "answer": answered - created if answered else 0,
        "wait": (times.bridged or end) - created,
        "progress_media": times.progress_media - created if times.progress_media else 0,
        "flow_bill": end - (answered or created),
    }
    for unit, divisor in (("sec", _SECOND), ("msec", 1000), ("usec", 1)):
        for name, span in spans.items():
            if name == "duration":
                put({"sec": "", "msec": "m", "usec": "u"}[unit] + name, str(span // divisor))
            else:
                put(name + unit, str(span // divisor))


def _stamp(moment: int) -> str:
    return datetime.fromtimestamp(moment // _SECOND, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
