"""Dial strings joined by `:_:`: each is dialled by itself, with its alternatives; the first real answer wins."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from host.hangup_cause import HangupCause
from host.ivr.fail_cause import handle_cause
from host.ivr.originate import Request, exported, place_single
from host.ivr.originate_wait import OriginateWait

if TYPE_CHECKING:
    from host.dial_string import DialString, EnterpriseDialString
    from host.session import Session


class _Attempt:
    """One of the dial strings, dialled in a thread of its own."""

    def __init__(self, request: Request, dialled: DialString, variables: dict[str, str]) -> None:
        self._request = request
        self._dialled = dialled
        self._variables = variables
        self.given_up: HangupCause | None = None
        self.done = False
        self.leg: Session | None = None
        self.cause = HangupCause.NONE
        self.wait = OriginateWait(request.switch.clock, None)
        self.over = request.switch.clock.waiter()

    def run(self, notify: OriginateWait) -> None:
        caller = self._request.caller
        request = Request(
            self._request.switch,
            timeout=self._request.timeout,
            variables=self._variables,
            caller_id_name=self._request.caller_id_name,
            caller_id_number=self._request.caller_id_number,
            profile=self._request.profile or (caller.channel.profile if caller is not None else None),
            handlers=self._request.handlers,
            cancel=lambda: self.given_up,
            wait=self.wait,
        )
        try:
            self.leg, self.cause = place_single(request, self._dialled)
        except Exception as error:  # a fault of ours must not leave the others' thread waiting for this one
            self.cause = HangupCause.DESTINATION_OUT_OF_ORDER
            request.switch.report_bug("originate", error)
        self.done = True
        notify.notify()
        self.over.notify()

    def give_up(self, cause: HangupCause) -> None:
        if not self.done:
            self.given_up = cause
            self.wait.notify()
            self.over.wait(None)
        if self.leg is not None:
            self.leg.channel.hangup(cause)


def place_enterprise(request: Request, dialled: EnterpriseDialString) -> tuple[Session | None, HangupCause]:
    """Dial all dial strings at once, each in a thread; return the first leg answered, or the cause of a failure."""
    caller = request.caller
    variables = dict(request.variables)
    if caller is not None:
        variables.update(exported(caller, "export_vars"))
        for part in ("ani", "aniii", "caller_id_name", "caller_id_number"):
            value = caller.channel.variables.get(f"effective_{part}")
            if value is not None:
                variables[f"origination_{part}"] = value
        variables["ent_originate_aleg_uuid"] = caller.uuid
    variables.update(dialled.variables)
    wait = OriginateWait(request.switch.clock, caller)
    attempts = [_Attempt(request, part, dict(variables)) for part in dialled.dial_strings]
    winner: _Attempt | None = None
    stopped: HangupCause | None = None
    wait.ringback.told = True
    if wait.ringback.wanted:
        wait.ringback.start()
    with wait.watching():
        for attempt in attempts:
            request.switch.clock.spawn(partial(attempt.run, wait), "originate")
        while winner is None and not wait.caller_gone:
            winner = next((a for a in attempts if a.done and a.leg is not None), None)
            stopped = request.cancel() if request.cancel is not None else None
            if stopped is not None or all(a.done for a in attempts):
                break
            if winner is None:
                wait.wait(None)
    wait.ringback.stop()
    lost = stopped or (HangupCause.LOSE_RACE if winner is not None else HangupCause.ORIGINATOR_CANCEL)
    for attempt in attempts:
        if attempt is not winner:
            attempt.give_up(lost)
    if caller is not None and request.place is not None and (holder := request.place.close()) is not None:
        from host.ivr.originate_handover import hand_over  # it bridges, and a bridge calls

        return None, hand_over(caller, holder, winner.leg if winner is not None else None)
    cause = HangupCause.SUCCESS if winner is not None else _last_cause(attempts)
    if caller is not None:
        _tell_caller(caller, winner, cause)
    return (winner.leg if winner is not None else None), cause


def _last_cause(attempts: list[_Attempt]) -> HangupCause:
    told = [a.cause for a in attempts if a.cause not in (HangupCause.LOSE_RACE, HangupCause.NO_PICKUP)]
    return next((cause for cause in reversed(told) if cause), HangupCause.NO_ANSWER)


def _tell_caller(caller: Session, winner: _Attempt | None, cause: HangupCause) -> None:
    channel = caller.channel
    if winner is not None and winner.leg is not None:
        leg = winner.leg
        leg.channel.profile.originator = channel.profile.clone()
        channel.profile.originatee = leg.channel.profile.as_originatee()
        channel.variables.set("signal_bond", leg.uuid)
        leg.channel.variables.set("signal_bond", caller.uuid)
        channel.variables.set("originate_disposition", "success")
        return
    channel.variables.set("originate_disposition", "failure")
    channel.variables.set("hangup_cause", cause.name)
    handle_cause(caller, cause)
