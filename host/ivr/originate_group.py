"""Legs that are called at once: the first that is answered wins, the others are hung up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.clock import SECOND
from host.hangup_cause import HangupCause
from host.ivr.caller_place import place_of
from host.ivr.confirm import ask_for_key
from host.ivr.dial_options import confirm_of_leg
from host.ivr.outgoing_leg import OutgoingLeg, place_leg
from host.ivr.transfer_recordings import follow_transfer
from host.log import LogLevel
from host.status import Status
from host.truth import is_true

if TYPE_CHECKING:
    from host.dial_string import Leg
    from host.ivr.dial_options import DialOptions
    from host.ivr.originate_wait import OriginateWait
    from host.ivr.outgoing_leg import Calling
    from host.session import Session

_CONFIRM_VARIABLES: Final = (
    "group_confirm_key",
    "group_confirm_file",
    "group_confirm_error_file",
    "group_confirm_cancel_timeout",
    "group_confirm_read_timeout",
)


class Outcome(Enum):
    """How calling a group of legs ended."""

    ANSWERED = auto()
    FAILED = auto()  # every leg is hung up
    TIMEOUT = auto()
    CANCELLED = auto()  # the caller is gone
    KEY = auto()  # the caller pressed origination_cancel_key
    STOPPED = auto()  # another thread gave the call up
    REJECTED = auto()  # one leg failed with a cause that ends it all
    REFUSED = auto()  # as REJECTED, and the leg could not even be created
    NO_PROGRESS = auto()  # progress_timeout


@dataclass(frozen=True, slots=True)
class GroupResult:
    """The leg that was answered, or the cause of the failure; `causes` are those of all legs, as `UUID;CAUSE`.

    FreeSWITCH: a `forced` cause is that of the whole call, also when the next group fails with another.
    """

    outcome: Outcome
    winner: Session | None
    cause: HangupCause
    causes: tuple[str, ...] = ()
    forced: HangupCause = HangupCause.NONE
    named_cause: bool = False  # a leg ended with one of the causes that `fail_on_single_reject` names


def call_group(
    calling: Calling,
    options: DialOptions,
    group: tuple[Leg, ...],
    wait: OriginateWait,
    cancel: Callable[[], HangupCause | None] | None = None,
) -> GroupResult:
    """Call all legs of `group` at once and block until one is answered or none can be any more."""
    call = _GroupCall(calling, options, wait, cancel)
    broken = call.place(group)
    if broken is not None:
        return call.finish(broken, None)
    channels = [leg.session.channel for leg in call.legs]
    with wait.watching(*channels):
        while (verdict := call.judge()) is None:
            deadline = call.next_deadline()
            wait.wait(deadline)
        return call.finish(*verdict)


# FreeSWITCH: all of these end as a call that nobody answered in time.
_LIMITS: Final = frozenset({Outcome.TIMEOUT, Outcome.NO_PROGRESS, Outcome.REJECTED})


class _GroupCall:
    def __init__(
        self,
        calling: Calling,
        options: DialOptions,
        wait: OriginateWait,
        cancel: Callable[[], HangupCause | None] | None,
    ) -> None:
        self._calling = calling
        self._options = options
        self._wait = wait
        self._cancel = cancel
        self._clock = calling.switch.clock
        self._began = self._clock.now()
        self._reason = HangupCause.NONE  # of the last leg that could not even be created, or was hung up here
        self._forced = HangupCause.NONE
        self._ringing = False
        self._told_ringing = False  # the caller was
        self._progress = False
        self.legs: list[OutgoingLeg] = []

    # -- begin ---------------------------------------------------------------------------------------------------

    def place(self, group: tuple[Leg, ...]) -> Outcome | None:
        """Create the legs; an outcome when that ends the call already."""
        for leg in group:
            if leg.error:
                self._calling.switch.log(LogLevel.ERR, leg.error)
                self._reason = self._forced = HangupCause.DESTINATION_OUT_OF_ORDER
                return Outcome.STOPPED
            if self._wait.caller_gone:
                return Outcome.CANCELLED
            made = place_leg(self._calling, leg)
            if isinstance(made, OutgoingLeg):
                self.legs.append(made)
                if made.starts is not None and made.starts <= self._clock.now():
                    made.start()
                continue
            self._reason = made
            if self._ends_it_all(made):
                self._forced = made
                return Outcome.REFUSED
        self._began = self._clock.now()
        return None

    def next_deadline(self) -> int | None:
        """Return when to look again even when nothing changes, in µs of `Clock.now()`; None for never."""
        times = [] if self._only_named_causes else [self._began + self._options.timeout * SECOND]
        if not self._told_ringing and not self._progress:
            times.append(self._progress_limit)
        for leg in self.legs:
            if leg.up:
                times += [
                    t for t in (leg.starts, leg.deadline, self._progress_deadline(leg)) if t is not None
                ]
        return min(times, default=None)

    @property
    def _progress_limit(self) -> int:
        """When a call without progress ends. FreeSWITCH: once more whole seconds than the limit have gone by."""
        return self._began + ((self._options.progress_timeout or self._options.timeout) + 1) * SECOND

    @property
    def _only_named_causes(self) -> bool:
        """Whether only some causes end it all (FreeSWITCH: the limit for the whole call does not, then)."""
        return bool(self._options.fail_on) and not is_true(self._options.fail_on)

    # -- meanwhile -----------------------------------------------------------------------------------------------

    def judge(self) -> tuple[Outcome, OutgoingLeg | None] | None:
        """Look at all legs; return the outcome and the winner once it is decided."""
        now = self._clock.now()
        if self._wait.caller_gone:
            return Outcome.CANCELLED, None
        if self._wait.cancelled_by_key:
            return Outcome.KEY, None
        cause = self._cancel() if self._cancel is not None else None
        if cause is not None:
            self._forced = cause
            return Outcome.STOPPED, None
        for leg in self.legs:
            leg.swap()
        self._start_delayed(now)
        alive = 0
        for leg in self.legs:
            self._tell_progress(leg)
            if not leg.up:
                continue
            alive += 1
            if self._accepts(leg):
                return Outcome.ANSWERED, leg
        if not alive or self._only_pickups():
            return Outcome.FAILED, None
        self._time_out_legs(now)  # those it ends count from the next look on
        if not self._told_ringing and not self._progress and now >= self._progress_limit:
            self._forced = self._forced or HangupCause.PROGRESS_TIMEOUT
            return Outcome.NO_PROGRESS, None
        if self._rejected:
            return Outcome.REJECTED, None
        if now >= self._began + self._options.timeout * SECOND and not self._only_named_causes:
            return Outcome.TIMEOUT, None
        return None

    @property
    def _rejected(self) -> bool:
        return any(not leg.up and self._ends_it_all(leg.session.channel.hangup_cause) for leg in self.legs)

    def _only_pickups(self) -> bool:
        """Hang up the legs that wait to be picked up once there is no other left; True then.

        FreeSWITCH: those with a `leg_timeout` of their own wait on, and so do they where nobody else was called.
        """
        left = [leg for leg in self.legs if leg.up]
        if not (self._reason or len(left) < len(self.legs)) or any(
            leg.deadline is not None or Flag.PICKUP not in leg.session.channel.flags for leg in left
        ):
            return False
        for leg in left:
            leg.hang_up(HangupCause.NO_PICKUP)
        return True

    def _start_delayed(self, now: int) -> None:
        waiting = [leg for leg in self.legs if leg.starts is not None and leg.up]
        if not waiting:
            return
        if not any(leg.up and leg.starts is None for leg in self.legs):
            gained = min(leg.starts for leg in waiting if leg.starts is not None) - now
            for leg in waiting:
                leg.hurry(max(0, gained))
        for leg in waiting:
            if leg.starts is not None and leg.starts <= now:
                leg.start()

    def _time_out_legs(self, now: int) -> None:
        for leg in self.legs:
            if not leg.up:
                continue
            progress = self._progress_deadline(leg)
            if progress is not None and now >= progress:
                self._forced = HangupCause.PROGRESS_TIMEOUT
                leg.hang_up(HangupCause.PROGRESS_TIMEOUT)
            elif leg.deadline is not None and now >= leg.deadline:
                leg.hang_up(HangupCause.ALLOTTED_TIMEOUT)

    def _progress_deadline(self, leg: OutgoingLeg) -> int | None:
        made = leg.session.channel.flags & {Flag.RING_READY, Flag.ANSWERED, Flag.EARLY_MEDIA}
        return None if made else leg.progress_deadline

    def _tell_progress(self, leg: OutgoingLeg) -> None:
        """Pass ringing and early media on to the caller."""
        flags = leg.session.channel.flags
        early = Flag.EARLY_MEDIA in flags
        if early:
            self._progress = True
        rings = Flag.RING_READY in flags or self._options.ring_ready or self._options.instant_ringback
        if self._wait.ringback.wanted:
            # FreeSWITCH: early media that nobody is to hear rings as well, and so does what ignore_ring_ready hides
            unheard = early and Flag.ANSWERED not in flags and not self._options.early_media
            if not self._ringing and (rings or unheard):
                self._ringing = True
                self._wait.ringback.start()
            return
        if early and self._options.ring_on_early_media and len(self.legs) == 1:
            rings = True
        if self._ringing or not rings or self._options.ignore_ring_ready:
            return
        self._ringing = True
        caller = self._calling.caller
        if caller is None or Flag.XFER_ZOMBIE in caller.channel.flags:
            return
        if len(self.legs) == 1:
            pass_callee_id(leg.session, caller)
        caller.ring_ready()
        self._told_ringing = True

    def _accepts(self, leg: OutgoingLeg) -> bool:
        """Return whether the leg counts as answered now; one that has to confirm is asked to."""
        channel = leg.session.channel
        flags = channel.flags
        if Flag.CONFIRMING in flags:
            return Flag.WINNER in flags
        rings = Flag.RING_READY in flags and self._options.return_ring_ready and len(self.legs) == 1
        early = Flag.EARLY_MEDIA in flags and self._options.early_media
        if not (Flag.ANSWERED in flags or early or rings):
            return False
        confirm = confirm_of_leg(channel, self._options.confirm)
        if confirm is None:
            return True
        if confirm.timeout is not None:
            extended = self._clock.now() + confirm.timeout * SECOND if confirm.timeout else None
            leg.deadline = leg.progress_deadline = extended
        flags.add(Flag.CONFIRMING)
        leg.session.run_in_session(lambda session: ask_for_key(session, confirm))
        return False

    def _ends_it_all(self, cause: HangupCause) -> bool:
        wanted = self._options.fail_on
        if not wanted:
            return False
        if is_true(wanted):
            return True
        matches = cause.name in wanted.upper()
        return not matches if wanted.startswith("!") else matches

    # -- end -----------------------------------------------------------------------------------------------------

    def finish(self, outcome: Outcome, winner: OutgoingLeg | None) -> GroupResult:
        """Hang up who lost, connect the winner with the caller's media, and tell the result."""
        if outcome is Outcome.CANCELLED:
            self._pass_on()
        for leg in self.legs:
            if leg is not winner and leg.up:
                reason = self._losing_cause(outcome)
                if reason is HangupCause.LOSE_RACE:
                    leg.session.channel.variables.set("group_dial_status", "loser")
                self._reason = reason
                leg.hang_up(self._forced or reason)
        if winner is not None and not self._join(winner):
            winner.hang_up(HangupCause.INCOMPATIBLE_DESTINATION)
            outcome, winner = Outcome.FAILED, None
        for leg in self.legs:
            leg.session.channel.flags -= {Flag.ORIGINATING, Flag.CONFIRMING, Flag.WINNER}
        named = self._only_named_causes and self._rejected
        causes = tuple(f"{leg.session.uuid};{leg.session.channel.hangup_cause.name}" for leg in self.legs)
        if winner is not None:
            for name in _CONFIRM_VARIABLES:
                winner.session.channel.variables.set(name, None)
            return GroupResult(outcome, winner.session, HangupCause.SUCCESS, causes)
        return GroupResult(outcome, None, self._cause(outcome), causes, self._forced, named)

    def _pass_on(self) -> None:
        """Give the first leg to whom the caller has waiting for it, the caller of an attended transfer being gone.

        FreeSWITCH: `soft_holding_uuid`; that one hears its ringback until the leg is answered.
        """
        caller = self._calling.caller
        first = self.legs[0] if self.legs else None
        waiting = caller.channel.variables.get("soft_holding_uuid") if caller is not None else None
        holder = self._calling.switch.find_session(waiting or "")
        if caller is None or first is None or holder is None or not first.up:
            return
        from host.ivr.uuid_bridge import uuid_bridge  # a bridge calls, and comes here

        caller.channel.variables.set("soft_holding_uuid", None)
        holder.channel.variables.set("hangup_after_bridge", "true")
        for recorded in (caller, holder):
            follow_transfer(recorded, first.session)
        uuid_bridge(holder, first.session)

    def _losing_cause(self, outcome: Outcome) -> HangupCause:
        caller = self._calling.caller
        place = place_of(caller) if caller is not None else None
        if place is not None and place.taken:
            return HangupCause.ATTENDED_TRANSFER
        if outcome is Outcome.CANCELLED:
            return HangupCause.ORIGINATOR_CANCEL
        if outcome in _LIMITS or len(self.legs) == 1:
            return HangupCause.NO_ANSWER
        return HangupCause.LOSE_RACE

    def _join(self, winner: OutgoingLeg) -> bool:
        """Give the caller what the winner has: an answer, or early media."""
        caller = self._calling.caller
        if caller is None or not caller.channel.ready:
            return True
        flags = winner.session.channel.flags
        if not flags & {Flag.ANSWERED, Flag.EARLY_MEDIA}:
            return True
        pass_callee_id(winner.session, caller)
        self._wait.ringback.stop()
        joined = caller.answer() if Flag.ANSWERED in flags else caller.pre_answer()
        return joined is Status.SUCCESS

    def _cause(self, outcome: Outcome) -> HangupCause:
        caller = self._calling.caller
        if outcome is Outcome.STOPPED:
            return self._forced
        if outcome is Outcome.CANCELLED:
            intercepted = caller is not None and Flag.INTERCEPTED in caller.channel.flags
            return HangupCause.PICKED_OFF if intercepted else HangupCause.ORIGINATOR_CANCEL
        if outcome in _LIMITS:
            return HangupCause.NO_ANSWER
        cause = self.legs[0].session.channel.hangup_cause if self.legs else HangupCause.NONE
        cause = cause or self._reason
        if not cause and caller is not None and self.legs:
            cause = HangupCause.ORIGINATOR_CANCEL  # FreeSWITCH: the legs are up, but another's now
        cause = cause or HangupCause.DESTINATION_OUT_OF_ORDER
        return HangupCause.ORIGINATOR_CANCEL if cause is HangupCause.SUCCESS else cause


def pass_callee_id(leg: Session, caller: Session) -> None:
    """Tell the caller's profile whom it reached."""
    for part in ("callee_id_name", "callee_id_number"):
        value = getattr(leg.channel.profile, part)
        if value:
            setattr(caller.channel.profile, part, value)
