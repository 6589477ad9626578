"""A channel: the state, flags, variables and people of one leg of a call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import TYPE_CHECKING

from host.caller_profile import CallerProfile
from host.channel_event import channel_event
from host.channel_row import ChannelRow
from host.channel_state import CallState, ChannelState, may_follow
from host.hangup_cause import HangupCause
from host.log import LogLevel
from host.shared_number import SharedNumber
from host.truth import is_true
from host.variables import Variables

if TYPE_CHECKING:
    from host.switch import Switch


class Flag(Enum):
    """What may be true of a channel beside its state (FreeSWITCH: CF_…)."""

    ANSWERED = auto()
    EARLY_MEDIA = auto()
    RING_READY = auto()
    OUTBOUND = auto()
    ORIGINATOR = auto()
    ORIGINATING = auto()
    TRANSFER = auto()
    BRIDGED = auto()
    BRIDGE_ORIGINATOR = auto()
    UUID_BRIDGE_ORIGINATOR = auto()
    INTERCEPT = auto()
    INTERCEPTED = auto()
    CONFIRMING = auto()
    WINNER = auto()
    BROADCAST = auto()
    BREAK = auto()
    PARK = auto()
    CONTROLLED = auto()
    HOLD = auto()
    LEG_HOLDING = auto()
    REDIRECT = auto()
    RESET = auto()
    NO_RECOVER = auto()
    INNER_BRIDGE = auto()
    DIALPLAN = auto()
    PROXY_MODE = auto()
    PROXY_MEDIA = auto()
    STOP_BROADCAST = auto()
    HANGUP_HELD = auto()
    CONFIRM = auto()
    DROP_DTMF = auto()
    EARLY_OK = auto()
    ZOMBIE_EXEC = auto()
    XFER_ZOMBIE = auto()
    PROTO_HOLD = auto()
    EVENT_LOCK = auto()
    REUSE_CALLER_PROFILE = auto()
    CONFIRM_BLIND_TRANSFER = auto()
    PICKUP = auto()
    CHANNEL_SWAP = auto()
    MEDIA_TRANS = auto()
    REQ_MEDIA = auto()
    BYPASS_MEDIA_AFTER_BRIDGE = auto()
    BYPASS_MEDIA_AFTER_HOLD = auto()
    BROADCAST_DROP_MEDIA = auto()


class Channel:
    """One leg's facts. Any thread may read, set variables and hang up; the rest happens in the session's thread."""

    def __init__(
        self, switch: Switch, uuid: str, name: str, profile: CallerProfile, *, outbound: bool
    ) -> None:
        self.switch = switch
        self.uuid = uuid
        self.name = name
        self.profile = profile
        self.previous_profiles: list[CallerProfile] = []
        self.hunt_profile: CallerProfile | None = (
            None  # in place of `profile` while an extension is looked up and run
        )
        self.outbound = outbound
        self.state = ChannelState.CS_NEW
        self.running_state = ChannelState.CS_NONE
        self.call_state = CallState.DOWN
        self.hangup_cause = HangupCause.NONE
        self.variables = Variables()
        self.private: dict[str, object] = {}
        self.row = ChannelRow()  # in the core's table `channels`
        self.flags: set[Flag] = {Flag.OUTBOUND} if outbound else set()
        self.presence_id = ""
        self.presence_data = ""
        self.can_bypass_media = (
            False  # its endpoint can leave sound to the far ends (FreeSWITCH: CC_BYPASS_MEDIA)
        )
        self.log_level: LogLevel | None = None  # what of this call is logged even where less is of others
        self._lock = threading.RLock()
        self.known_ready = SharedNumber()  # 1: `ready` was true, and nothing changed since
        self.on_change: Callable[[], None] = lambda: None  # the session's wake-up
        self.watchers: list[
            Callable[[], object]
        ] = []  # other legs that wait for this one; they return at once
        self.hung_up_in: int | None = None  # ident of the thread that hung up
        profile.chan_name = name
        profile.uuid = uuid
        profile.direction = profile.logical_direction = self.direction
        profile.profile_index = 1
        profile.times.created = profile.times.profile_created = switch.clock.time()

    @property
    def direction(self) -> str:
        """`inbound` or `outbound`, as seen from the switch."""
        return "outbound" if self.outbound else "inbound"

    # -- state ---------------------------------------------------------------------------------------------------

    def set_state(self, state: ChannelState, *, after: ChannelState | None = None) -> bool:
        """Ask for `state`; False when the table does not let it follow the present one.

        With `after` only while that is the state: another thread may have sent the call elsewhere meanwhile.
        """
        with self._lock:
            if not may_follow(self.state, state) or (after is not None and self.state is not after):
                return False
            self.state = state
            self.known_ready.cell[0] = 0
        self.changed()
        return True

    def changed(self) -> None:
        """Wake the session and whoever watches the channel: a state or a flag is another now."""
        self.known_ready.cell[0] = 0
        self.on_change()
        self.tell_watchers()

    def tell_watchers(self) -> None:
        """Wake whoever watches the channel."""
        for watcher in list(self.watchers):
            watcher()

    def set_call_state(self, call_state: CallState) -> None:
        """Set what the call is doing and tell it with CHANNEL_CALLSTATE. HANGUP is the last one."""
        former = self.call_state
        if call_state is former or former is CallState.HANGUP:
            return
        self.call_state = call_state
        self.fire(
            "CHANNEL_CALLSTATE",
            first=(
                ("Original-Channel-Call-State", former.name),
                ("Channel-Call-State-Number", str(int(call_state))),
            ),
        )

    def run_state(self, state: ChannelState) -> None:
        """Enter `state` in the session's thread and tell it with CHANNEL_STATE.

        FreeSWITCH: an inbound call rings from CS_ROUTING on, and there its call state follows its flags.
        """
        self.running_state = state
        self.tell_watchers()
        if not self.outbound and state < ChannelState.CS_HANGUP:
            if state is ChannelState.CS_ROUTING:
                self.set_call_state(CallState.RINGING)
            elif Flag.ANSWERED in self.flags:
                self.set_call_state(CallState.ACTIVE)
            elif Flag.EARLY_MEDIA in self.flags:
                self.set_call_state(CallState.EARLY)
        self.fire("CHANNEL_STATE")

    @property
    def up(self) -> bool:
        """Whether the channel is not hung up (FreeSWITCH: switch_channel_up)."""
        return self.state < ChannelState.CS_HANGUP

    @property
    def down(self) -> bool:
        """Whether the channel is hung up."""
        return self.state >= ChannelState.CS_HANGUP

    @property
    def ready(self) -> bool:
        """Whether a script or an application may go on with the call.

        FreeSWITCH: past CS_ROUTING, not hung up, and not asked to go elsewhere (a pending state, a transfer).
        """
        state = self.state
        return (
            ChannelState.CS_ROUTING < state < ChannelState.CS_HANGUP
            and state is self.running_state
            and state is not ChannelState.CS_RESET
            and Flag.TRANSFER not in self.flags
        )

    def note_ready(self) -> bool:
        """Return `ready`, and let `known_ready` say so until something changes."""
        ready = self.ready
        if ready:
            self.known_ready.cell[0] = 1
            ready = self.ready  # it may have changed between the two, and been told before the number was set
            if not ready:
                self.known_ready.cell[0] = 0
        return ready

    @property
    def media_ready(self) -> bool:
        """Whether sound can pass: ready, and answered or in early media."""
        return self.ready and (Flag.ANSWERED in self.flags or Flag.EARLY_MEDIA in self.flags)

    @property
    def answered(self) -> bool:
        """Whether the call was answered and is still up."""
        return Flag.ANSWERED in self.flags

    @property
    def answer_state(self) -> str:
        """`hangup`, `answered`, `early` or `ringing`, the value of the event header Answer-State."""
        if self.down:
            return "hangup"
        if Flag.ANSWERED in self.flags:
            return "answered"
        return "early" if Flag.EARLY_MEDIA in self.flags else "ringing"

    def hangup(self, cause: HangupCause = HangupCause.NORMAL_CLEARING) -> bool:
        """Hang up with `cause`; False when it was hung up before. The session's thread winds the call up."""
        with self._lock:
            if self.state >= ChannelState.CS_HANGUP:
                return False
            self.state = ChannelState.CS_HANGUP
            self.known_ready.cell[0] = 0
            self.hangup_cause = cause
            self.hung_up_in = threading.get_ident()
            self.profile.times.hungup = self.switch.clock.time()
        self.log(
            LogLevel.NOTICE, f"Hangup {self.name} [{self.running_state.name}] [{cause.name}]", observed=True
        )
        bond = self.variables.get("signal_bond") or self.variables.get("originate_signal_bond")
        partner = self.switch.find_session(bond or "")
        if partner is not None and partner.channel.up:
            theirs = partner.channel.variables
            theirs.set("last_bridge_hangup_cause", cause.name)
            specific = self.variables.get("proto_specific_hangup_cause")
            if specific:
                theirs.set("last_bridge_proto_specific_hangup_cause", specific)
        if self.flags & {Flag.BRIDGE_ORIGINATOR, Flag.BRIDGED}:
            originator = Flag.BRIDGE_ORIGINATOR in self.flags
            self.variables.set("last_bridge_role", "originator" if originator else "originatee")
        self.fire("CHANNEL_HANGUP")
        self.switch.observe("hangup", self, cause=cause.name)
        self.changed()
        return True

    # -- variables -----------------------------------------------------------------------------------------------

    def get_variable(self, name: str, index: int | None = None) -> str | None:
        """Return a channel variable, else the caller profile's field, else the global variable of that name.

        With `index`, the element of an array variable. FreeSWITCH: what a name has behind `aleg_` and `bleg_` is a
        field of who called this leg and of whom it called, else a global variable.
        """
        value = self.variables.get(name, index)
        if value is not None:
            return value
        own = self.hunt_profile or self.profile
        profile: CallerProfile | None = own
        if name.startswith(("aleg_", "bleg_")):
            profile = own.originator if name[0] == "a" else own.originatee
            name = name[5:]
        value = profile.value(name) if profile is not None else None
        return self.switch.global_variables.get(name) if value is None else value

    def set_variable(self, name: str, value: str | None) -> None:
        """Set a channel variable; None or empty text unsets it."""
        self.variables.set(name, value)
        self.switch.observe("variable", self, name=name, value=value)

    def is_true(self, name: str) -> bool:
        """Return whether the variable holds one of FreeSWITCH's words for true."""
        return is_true(self.get_variable(name))

    # -- flags, profile, messages --------------------------------------------------------------------------------

    def set_flag(self, flag: Flag) -> None:
        """Set a flag and wake the session, which may wait for it."""
        self.flags.add(flag)
        self.changed()

    def clear_flag(self, flag: Flag) -> None:
        """Clear a flag; wakes the session and who watches when it was set."""
        if flag in self.flags:
            self.flags.discard(flag)
            self.changed()

    @property
    def hit_dialplan(self) -> bool:
        """Whether a dialplan has had the call: that of every inbound leg, and an outbound one that was given to it."""
        return not self.outbound or Flag.DIALPLAN in self.flags

    @property
    def logical_direction(self) -> str:
        """That of profiles from now on: an outbound leg that a dialplan takes over becomes a caller."""
        return "inbound" if self.outbound and Flag.DIALPLAN in self.flags else self.direction

    def flip_caller_id(self) -> None:
        """Swap caller and callee of an outbound leg that the dialplan takes over: whom we called is the caller now.

        FreeSWITCH: switch_channel_sort_cid, once for each leg; a bridged leg has no callee afterwards.
        """
        if not self.outbound or Flag.DIALPLAN in self.flags:
            return
        self.flags.add(Flag.DIALPLAN)
        profile = self.profile
        for part in ("name", "number"):
            caller, callee = getattr(profile, f"caller_id_{part}"), getattr(profile, f"callee_id_{part}")
            self.variables.set(f"pre_transfer_caller_id_{part}", caller)
            setattr(profile, f"caller_id_{part}", callee)
            setattr(profile, f"callee_id_{part}", "" if Flag.BRIDGED in self.flags else caller)
        self.variables.set("channel_cid_flipped", "yes")
        partner = self.variables.get("signal_bond")
        bridged = (("Bridged-To", partner),) if partner and self.switch.find_session(partner) else ()
        self.fire("CALL_UPDATE", first=(("Direction", "RECV"), *bridged))

    def push_profile(self, profile: CallerProfile) -> None:
        """Make `profile` the current one; the former stays readable in `previous_profiles`.

        FreeSWITCH: it is the former one that tells when the call was transferred.
        """
        profile.times.profile_created = self.profile.times.transferred = self.switch.clock.time()
        profile.times.created = self.profile.times.created
        for moment in ("answered", "progress", "progress_media"):
            setattr(profile.times, moment, getattr(self.profile.times, moment))
        profile.uuid = self.uuid
        profile.chan_name = self.name
        profile.direction, profile.logical_direction = self.direction, self.logical_direction
        profile.profile_index = self.profile.profile_index + 1
        self.previous_profiles.insert(0, self.profile)
        self.profile = profile

    def fire(self, name: str, *headers: tuple[str, str], first: Iterable[tuple[str, str]] = ()) -> None:
        """Fire the channel event `name` with the headers `first`, the channel's own, and these after them."""
        first = tuple(first)
        self.row.follow(self, name, (*first, *headers))
        if self.switch.bus.wants(name):
            event = channel_event(self, name, first=first)
            event.add_headers(headers)
            self.switch.fire(event)

    def log(self, level: LogLevel, text: str, *, observed: bool = False) -> None:
        """Write a log line that names this channel; `observed` as in `Switch.log`."""
        self.switch.log(level, text, uuid=self.uuid, observed=observed, call_level=self.log_level)
