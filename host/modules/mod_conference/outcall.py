"""Calling people into a room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.hangup_cause import HangupCause
from host.ivr.originate import Request, exported, place_call, send_to_application
from host.ivr.sleep import sleep
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_conference import events
from host.truth import is_true

if TYPE_CHECKING:
    from collections.abc import Mapping

    from host.modules.mod_conference.member import Member
    from host.modules.mod_conference.room import Room
    from host.session import Session
    from host.switch import Switch

TIMEOUT: Final = 60

# What `conference_set_auto_outcall` was given, in a channel's private values.
OUTCALLS: Final = "conference_outcalls"

_BEEP: Final = "tone_stream://%(500,0,640)"
_WAIT_STEP_MS: Final = 100


@dataclass(frozen=True, slots=True)
class Outcall:
    """A call to be placed into a room: whom to call, as whom, with which flags and profile of the room."""

    dial_string: str
    caller_id_name: str = ""
    caller_id_number: str = ""
    timeout: int = TIMEOUT
    flags: str = ""
    profile: str = ""
    variables: Mapping[str, str] | None = None
    cancelled_with_room: bool = False


def call_in(
    switch: Switch, name: str, room: Room | None, call: Outcall, caller: Session | None = None
) -> tuple[HangupCause, Session | None]:
    """Call somebody into a room and return how it went, with the leg; `caller` is who hears it ring.

    FreeSWITCH: where there is no room yet, the leg that answers opens it, and early media is not enough.
    """
    if room is not None:
        room.enter()
    try:
        return _call_in(switch, name, room, call, caller)
    finally:
        if room is not None:
            room.exit()


def _call_in(
    switch: Switch, name: str, room: Room | None, call: Outcall, caller: Session | None
) -> tuple[HangupCause, Session | None]:
    cid_name, cid_number = call.caller_id_name, call.caller_id_number
    dial_string = call.dial_string
    if room is None:
        dial_string = "{ignore_early_media=true}" + dial_string
    else:
        cid_name = cid_name or room.caller_id_name
        cid_number = cid_number or room.caller_id_number
    request = Request(
        switch,
        caller,
        call.timeout,
        dict(call.variables or {}),
        cid_name or None,
        cid_number or None,
        cancel=(lambda: _cancelled(room)) if call.cancelled_with_room else None,
    )
    if room is not None:
        room.originating += 1
    try:
        leg, cause = place_call(request, dial_string)
    finally:
        if room is not None:
            room.originating -= 1
    if leg is None:
        switch.log(LogLevel.ERR, f"Cannot create outgoing channel, cause: {cause.name}")
        if caller is not None:
            caller.channel.hangup(cause)
        return cause, None
    channel = leg.channel
    if room is not None and room.ending:
        switch.log(LogLevel.ERR, "Conference is gone now, nevermind..")
        if caller is not None:
            caller.channel.hangup(HangupCause.NO_ROUTE_DESTINATION)
        channel.hangup(HangupCause.NO_ROUTE_DESTINATION)
        return cause, None
    if caller is not None and Flag.ANSWERED in channel.flags:
        caller.answer()
    if not channel.flags & {Flag.ANSWERED, Flag.EARLY_MEDIA}:
        channel.hangup(HangupCause.NO_ANSWER)
        return cause, None
    flags = channel.get_variable("outcall_flags") or call.flags
    data = name + (f"@{call.profile}" if call.profile else "")
    if flags and flags.lower() != "none":
        data += f"+flags{{{flags}}}"
    send_to_application(leg, "conference", data)
    return cause, leg


def _cancelled(room: Room | None) -> HangupCause | None:
    return HangupCause.ORIGINATOR_CANCEL if room is not None and room.ending else None


def call_in_background(switch: Switch, name: str, room: Room | None, call: Outcall) -> str:
    """Call somebody into a room in a thread of its own; return the job's UUID."""
    job = switch.new_uuid()
    variables = dict(call.variables or {}) | {"conference_bgdial_jobid": job}
    placed = Outcall(
        call.dial_string,
        call.caller_id_name,
        call.caller_id_number,
        call.timeout,
        call.flags,
        call.profile,
        variables,
        call.cancelled_with_room,
    )
    if room is not None:
        room.enter()

    def run() -> None:
        try:
            cause, leg = call_in(switch, name, room, placed)
            if room is not None:
                headers = [("Result", cause.name), ("Job-UUID", job)]
                if leg is not None:
                    headers.append(("Peer-UUID", leg.uuid))
                events.fire(room, "bgdial-result", *headers)
        finally:
            if room is not None:
                room.exit()

    switch.clock.spawn(run, f"conference-dial-{job[:8]}")
    return job


def remember_outcall(session: Session, data: str) -> None:
    """Keep whom to call once this call is in a room; without anybody, forget those kept so far."""
    private = session.channel.private
    if not data:
        private.pop(OUTCALLS, None)
        return
    kept = session.private(OUTCALLS, list) or []
    private[OUTCALLS] = [data, *kept]


def place_outcalls(member: Member) -> bool:
    """Call those whom a member brought with it, and wait a little for the answers; False when it left meanwhile."""
    session, room = member.session, member.room
    kept = session.private(OUTCALLS, list)
    if not kept:
        return True
    channel = session.channel
    channel.private.pop(OUTCALLS, None)
    get = channel.get_variable

    def setting(name: str) -> str:
        return get(f"conference_auto_outcall_{name}") or ""

    room.special_announce = setting("announce") or room.special_announce
    room.calls_out = True
    timeout = leading_int(setting("timeout"))
    timeout = timeout if 10 <= timeout <= 500 else TIMEOUT
    delimiter = setting("delimiter")
    variables = exported(session, "conference_auto_outcall_export_vars")
    for data in kept:
        for target in str(data).split(delimiter if len(delimiter) == 1 else ","):
            call = Outcall(
                setting("prefix") + target,
                setting("caller_id_name"),
                setting("caller_id_number"),
                timeout,
                get("conference_utils_auto_outcall_flags") or setting("flags"),
                setting("profile"),
                variables,
                cancelled_with_room=True,
            )
            call_in_background(room.switch, room.name, room, call)
    wait = leading_int(setting("maxwait"))
    steps = (wait if wait > 0 else 2) * 1000 // _WAIT_STEP_MS
    while channel.up and room.originating and steps:
        steps -= 1
        sleep(session, _WAIT_STEP_MS)
    if not channel.ready:
        return False
    if not is_true(setting("skip_member_beep")):
        member.play(_BEEP)
    return True
