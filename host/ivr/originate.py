"""Place outgoing calls (FreeSWITCH: switch_ivr_originate): forks, alternatives, independent dial strings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from host import session_state
from host.caller_profile import CallerExtension, CallerProfile
from host.channel import Flag
from host.channel_state import CallState, ChannelState
from host.channel_watch import wait_for_state
from host.dial_string import (
    ENTERPRISE_SEPARATOR,
    NOBODY_TO_CALL,
    DialString,
    DialStringError,
    parse_dial_string,
)
from host.hangup_cause import HangupCause
from host.ivr.caller_place import CallerPlace, caller_place, place_of
from host.ivr.dial_options import DEFAULT_TIMEOUT, FROM_CALLER, dial_options
from host.ivr.media_path import prepare_bypass
from host.ivr.originate_group import GroupResult, Outcome, call_group
from host.ivr.originate_wait import OriginateWait
from host.ivr.outgoing_leg import Calling, place_leg
from host.leading_number import leading_int
from host.log import LogLevel
from host.truth import is_true

if TYPE_CHECKING:
    from host.ivr.dial_options import DialOptions
    from host.session import Session, StateHandler
    from host.switch import Switch

# Asked while a call is placed: the cause to give it up with, or None to go on.
Cancel = Callable[[], "HangupCause | None"]

_FALSE = frozenset({"false", "no", "off", "0"})
_DIAL_STATUS = {
    HangupCause.ORIGINATOR_CANCEL: "CANCEL",
    HangupCause.USER_BUSY: "BUSY",
    HangupCause.NO_ANSWER: "NOANSWER",
    HangupCause.DESTINATION_OUT_OF_ORDER: "INVALIDARGS",
    HangupCause.INVALID_PROFILE: "INVALIDARGS",
    HangupCause.CALL_REJECTED: "DONTCALL",
}


@dataclass(slots=True)
class Request:
    """What a call is placed with, beside the dial string.

    `caller` is the leg it is placed for: it hears ringing, hands its exported variables on, and its end gives the
    call up. `profile` is a caller profile to begin with instead of the caller's. `variables` come before those of the
    dial string, which win. `place` is the caller's, which another call may take while the call is placed.
    """

    switch: Switch
    caller: Session | None = None
    timeout: int = DEFAULT_TIMEOUT
    variables: Mapping[str, str] = field(default_factory=dict)
    caller_id_name: str | None = None
    caller_id_number: str | None = None
    profile: CallerProfile | None = None
    handlers: list[Mapping[ChannelState, StateHandler]] = field(default_factory=list)
    cancel: Cancel | None = None
    wait: OriginateWait | None = None
    place: CallerPlace | None = None


def originate(
    switch: Switch,
    dial_string: str,
    session: Session | None = None,
    timeout_s: int = DEFAULT_TIMEOUT,
    variables: Mapping[str, str] | None = None,
    *,
    caller_id_name: str | None = None,
    caller_id_number: str | None = None,
    profile: CallerProfile | None = None,
    cancel: Cancel | None = None,
) -> tuple[Session | None, HangupCause]:
    """Place a call and block until it is answered (or has early media), or has failed.

    Return the leg, in CS_CONSUME_MEDIA, and SUCCESS; or None and the cause of the last one that failed. With
    `session`, which the calling thread must run, that call's inbox is served meanwhile, and its variables
    `originate_disposition`, `DIALSTATUS`, `originated_legs`, `originate_causes`, `signal_bond` are set.
    """
    request = Request(
        switch,
        session,
        timeout_s,
        variables or {},
        caller_id_name,
        caller_id_number,
        profile,
        cancel=cancel,
    )
    return place_call(request, dial_string)


def place_call(request: Request, dial_string: str) -> tuple[Session | None, HangupCause]:
    """As `originate`, with everything in `request`.

    FreeSWITCH: where another call has taken the caller's place meanwhile it gets the leg, the caller is hung up, and
    the cause is ATTENDED_TRANSFER.
    """
    caller = request.caller
    if caller is None or place_of(caller) is not None:  # within another call that is placed for it (user/…)
        return _place(request, dial_string)
    with caller_place(caller) as request.place:
        try:
            return _place(request, dial_string)
        finally:
            caller.channel.flags.discard(Flag.XFER_ZOMBIE)
            caller.channel.clear_flag(Flag.ORIGINATOR)


def _place(request: Request, dial_string: str) -> tuple[Session | None, HangupCause]:
    caller = request.caller
    if caller is not None and caller.channel.variables.get("preserve_originated_vars") in _FALSE:
        caller.channel.variables.set("originated_legs", None)
        caller.channel.variables.set("originate_causes", None)
    if ENTERPRISE_SEPARATOR in dial_string:
        with contextlib.suppress(DialStringError):
            parsed = parse_dial_string(dial_string)
            if parsed.is_enterprise:  # FreeSWITCH: its caller is told of nothing but the end
                from host.ivr.originate_enterprise import place_enterprise  # it comes back here for each one

                return place_enterprise(request, parsed)
    if caller is not None:
        caller.channel.set_flag(Flag.ORIGINATOR)
        caller.channel.variables.set("originate_disposition", "failure")
        caller.channel.variables.set("DIALSTATUS", "INVALIDARGS")
        if caller.channel.up and caller.channel.answered:
            caller.channel.set_call_state(CallState.RING_WAIT)
        session_state.run_moment(caller, "pre_originate")
        prepare_bypass(caller)
    try:
        parsed = parse_dial_string(dial_string)
    except DialStringError as error:
        _tell_refusal(request, str(error))
        # FreeSWITCH: a caller that calls nobody has given up
        nobody = caller is not None and not dial_string
        cause = HangupCause.ORIGINATOR_CANCEL if nobody else HangupCause.DESTINATION_OUT_OF_ORDER
        _tell_caller(request, None, cause)
        _active_again(caller)
        return None, cause
    return place_single(request, parsed.dial_strings[0])


def place_single(
    request: Request, dialled: DialString, general: Iterable[tuple[str, str]] = ()
) -> tuple[Session | None, HangupCause]:
    """Place a call to one dial string; `general` variables come before its own."""
    if dialled.error:
        _tell_refusal(request, dialled.error)
        return None, HangupCause.DESTINATION_OUT_OF_ORDER
    calling, options = _prepare(request, dialled, general)
    wait = request.wait or OriginateWait(request.switch.clock, request.caller)
    leg: Session | None = None
    cause = HangupCause.NONE
    try:
        leg, cause = _attempts(request, dialled, calling, options, wait)
    finally:
        wait.ringback.stop()
    caller = request.caller
    if caller is not None and request.place is not None:
        holder = request.place.close()
        if holder is not None:
            from host.ivr.originate_handover import hand_over  # it bridges, and a bridge comes here

            return None, hand_over(caller, holder, leg)
        if leg is not None and Flag.XFER_ZOMBIE in caller.channel.flags and caller.channel.down:
            return None, _orphan(leg)
    if leg is not None:
        _connect_profiles(caller, leg)
        session_state.run_moment(leg, "post_originate")
    if caller is not None:
        session_state.run_moment(caller, "post_originate")
        _active_again(caller)
        if options.hangup_on_reject and leg is None:
            caller.channel.hangup(cause)
    return leg, cause


def _tell_refusal(request: Request, text: str) -> None:
    level = LogLevel.WARNING if text == NOBODY_TO_CALL else LogLevel.ERR
    request.switch.log(level, text, uuid=request.caller.uuid if request.caller is not None else "")


def _active_again(caller: Session | None) -> None:
    """Let the caller be one that waits for nobody."""
    if caller is not None and caller.channel.up and caller.channel.answered:
        caller.channel.set_call_state(CallState.ACTIVE)


def _orphan(leg: Session) -> HangupCause:
    """Leave a leg whose caller is gone to what its variables `…_on_orphaned_bleg` make of it, else hang it up."""
    cause = HangupCause.ATTENDED_TRANSFER

    def end(session: Session) -> None:
        if session.channel.state is ChannelState.CS_CONSUME_MEDIA:  # it was not sent anywhere
            session.channel.hangup(cause)

    session_state.run_moment(leg, "orphaned_bleg")
    leg.run_in_session(end)
    return cause


def _prepare(
    request: Request, dialled: DialString, general: Iterable[tuple[str, str]]
) -> tuple[Calling, DialOptions]:
    caller = request.caller
    variables = dict(request.variables)
    timeout = request.timeout
    profile = request.profile
    nested = dialled.nested_variables
    if caller is not None:
        variables.update(exported(caller, "export_vars"))
        limit = caller.channel.variables.get("call_timeout")
        timeout = timeout if limit is None else leading_int(limit)
        profile = profile or caller.channel.profile
        nested = nested or caller.channel.is_true("origination_nested_vars")
        if caller.channel.is_true("originate_xfer_zombie"):
            # FreeSWITCH: the call is placed to its end whether the caller stays or not.
            caller.channel.flags.add(Flag.XFER_ZOMBIE)
    nested = nested or request.switch.global_variables.get("origination_nested_vars") == "true"
    variables.update(general)
    variables.update(dialled.variables)
    if caller is not None:
        for name, value in caller.channel.variables.items():
            if name in FROM_CALLER:
                variables.setdefault(name, value)
    for name, given in (
        ("origination_caller_id_name", request.caller_id_name),
        ("origination_caller_id_number", request.caller_id_number),
    ):
        if given is not None:
            variables.setdefault(name, given)
    options = dial_options(variables, timeout)
    if caller is not None and caller.channel.is_true("originate_xfer_zombie"):
        options = replace(options, early_media=False)
    variables["originate_early_media"] = "true" if options.early_media else "false"
    forked = is_true(variables.get("forked_dial")) or len(dialled.groups) > 1 or len(dialled.groups[0]) > 1
    calling = Calling(
        request.switch,
        variables,
        caller,
        profile,
        nested,
        forked,
        request.handlers,
        request.cancel,
        request.wait,
    )
    return calling, options


def place_first(request: Request, dial_string: str) -> Session | HangupCause:
    """Create the first leg of a dial string without calling it, for somebody else to start and to wait for."""
    try:
        dialled = parse_dial_string(dial_string).dial_strings[0]
    except DialStringError as error:
        request.switch.log(LogLevel.ERR, str(error))
        return HangupCause.DESTINATION_OUT_OF_ORDER
    calling, _ = _prepare(request, dialled, ())
    leg = dialled.groups[0][0]
    if leg.error:
        return HangupCause.DESTINATION_OUT_OF_ORDER
    made = place_leg(calling, leg)
    return made if isinstance(made, HangupCause) else made.session


def _attempts(
    request: Request, dialled: DialString, calling: Calling, options: DialOptions, wait: OriginateWait
) -> tuple[Session | None, HangupCause]:
    """Try the groups in turn, all of them as often as is asked for."""
    clock = request.switch.clock
    began = last_try = clock.now()
    cause = HangupCause.DESTINATION_OUT_OF_ORDER
    forced = HangupCause.NONE
    for attempt in range(options.attempts):
        if attempt and options.retry_timeout and clock.now() - began > options.retry_timeout * 1_000_000:
            break
        if attempt and options.retry_period_ms > options.retry_sleep_ms:
            rest = options.retry_period_ms - options.retry_sleep_ms - (clock.now() - last_try) // 1000
            if not wait.sleep(rest):
                return None, HangupCause.ORIGINATOR_CANCEL
        for number, group in enumerate(dialled.groups):
            if attempt and not wait.sleep(options.retry_sleep_ms):
                return None, HangupCause.ORIGINATOR_CANCEL
            if number == 0:
                last_try = clock.now()
            result = call_group(calling, options, group, wait, request.cancel)
            forced = result.forced or forced
            cause = forced or result.cause
            if result.outcome is Outcome.REFUSED:
                return None, cause
            _tell_caller(request, result.winner, result.cause, result.causes)
            if result.winner is not None:
                return result.winner, HangupCause.SUCCESS
            if _given_up(result, options):
                return None, cause
    return None, cause


def _given_up(result: GroupResult, options: DialOptions) -> bool:
    """Return whether no other group is to be tried.

    FreeSWITCH: `fail_on_single_reject=true` ends a group alone, one of causes the whole call.
    """
    if result.outcome in (Outcome.CANCELLED, Outcome.STOPPED):
        return True
    if result.outcome is Outcome.TIMEOUT:
        return not options.continue_on_timeout
    return result.named_cause


def _tell_caller(
    request: Request, leg: Session | None, cause: HangupCause, causes: Iterable[str] = ()
) -> None:
    if request.caller is None:
        return
    place = place_of(request.caller)
    if place is not None and place.taken:
        return
    variables = request.caller.channel.variables
    if leg is not None:
        for name in (variables.get("import") or "").split(","):
            value = leg.channel.variables.get(name) if name else None
            if value is not None:
                variables.set(name, value)
    variables.set("originate_disposition", cause.name)
    variables.set("DIALSTATUS", _DIAL_STATUS.get(cause, cause.name))
    for told in causes:
        variables.push("originate_causes", told)


def _connect_profiles(caller: Session | None, leg: Session) -> None:
    if caller is None:
        return
    channel = caller.channel
    channel.profile.originatee = leg.channel.profile.as_originatee()
    channel.variables.set("signal_bond", leg.uuid)
    channel.variables.set("originate_signal_bond", None)


def exported(session: Session, which: str) -> dict[str, str]:
    """Return the variables that `export` (`which`: export_vars, bridge_export_vars) marked, with the list itself."""
    variables = session.channel.variables
    names = variables.get(which)
    if not names:
        return {}
    found = {which: names}
    for name in names.split(","):
        value = session.channel.get_variable(name.strip(" "))
        if value:
            plain = name.strip(" ")
            for prefix in ("nolocal:", "_nolocal_"):
                if plain.lower().startswith(prefix):
                    plain = plain[len(prefix) :]
            found[plain] = value
    return found


def send_to_application(leg: Session, application: str, data: str = "") -> None:
    """Let an originated leg run one application and then end (`originate … &application(data)`)."""
    send_to_applications(leg, application, [(application, data)])


def send_to_applications(leg: Session, name: str, applications: list[tuple[str, str]]) -> None:
    """Let a leg run the applications, one after the other, and then end; return when it has begun."""
    channel = leg.channel
    channel.flip_caller_id()
    channel.profile.extension = CallerExtension(name, name, applications)
    if channel.set_state(ChannelState.CS_EXECUTE):
        wait_for_state(leg.clock, channel, ChannelState.CS_EXECUTE)


def take_over(leg: Session) -> bool:
    """Let the calling thread run a leg that it placed; False when the leg is over or was sent elsewhere meanwhile.

    FreeSWITCH: a leg that a script owns is in CS_SOFT_EXECUTE. It stays the thread's until it gets another state.
    """
    channel = leg.channel
    channel.set_state(ChannelState.CS_SOFT_EXECUTE)
    if not wait_for_state(leg.clock, channel, ChannelState.CS_SOFT_EXECUTE):
        return False
    leg.drive()
    return True
