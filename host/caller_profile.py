"""Who calls whom: the caller profile of a channel, its times, and the extension it executes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final


@dataclass(slots=True)
class ChannelTimes:
    """When things happened to a channel, in µs since the epoch; 0 is never."""

    profile_created: int = 0
    created: int = 0
    answered: int = 0
    progress: int = 0
    progress_media: int = 0
    hungup: int = 0
    transferred: int = 0
    resurrected: int = 0
    bridged: int = 0
    last_hold: int = 0
    hold_accum: int = 0


@dataclass(slots=True)
class CallerExtension:
    """The applications that the dialplan chose for a call, and how far the call is with them."""

    name: str
    number: str
    applications: list[tuple[str, str]] = field(default_factory=list)
    position: int = 0

    def next(self) -> tuple[str, str] | None:
        """Return the next (application, data) and step past it; None at the end."""
        if self.position >= len(self.applications):
            return None
        self.position += 1
        return self.applications[self.position - 1]


@dataclass(slots=True)
class CallerProfile:
    """The facts of a call that the dialplan decides on (FreeSWITCH: switch_caller_profile_t)."""

    username: str = ""
    dialplan: str = "XML"
    caller_id_name: str = ""
    caller_id_number: str = ""
    orig_caller_id_name: str = ""
    orig_caller_id_number: str = ""
    callee_id_name: str = ""
    callee_id_number: str = ""
    ani: str = ""
    aniii: str = ""
    network_addr: str = ""
    rdnis: str = ""
    destination_number: str = ""
    source: str = ""
    context: str = "default"
    chan_name: str = ""
    uuid: str = ""
    transfer_source: str = ""
    privacy_hide_name: bool = False
    privacy_hide_number: bool = False
    screen: bool = True
    direction: str = ""
    logical_direction: str = ""
    profile_index: int = 1  # the how many-th profile of its channel it is
    times: ChannelTimes = field(default_factory=ChannelTimes)
    extension: CallerExtension | None = None
    originator: CallerProfile | None = None
    originatee: CallerProfile | None = None

    # What `getVariable`, `${…}` and dialplan conditions read by these names, in the order of an XML detail record.
    FIELDS: ClassVar[tuple[str, ...]] = (
        "username",
        "dialplan",
        "caller_id_name",
        "caller_id_number",
        "callee_id_name",
        "callee_id_number",
        "ani",
        "aniii",
        "network_addr",
        "rdnis",
        "destination_number",
        "uuid",
        "source",
        "transfer_source",
        "context",
        "chan_name",
    )

    def value(self, name: str) -> str | None:
        """Return the field `name`, in any case, as text; None when there is no such field."""
        if name in _FIELD_NAMES:
            return str(getattr(self, name))
        read = _OTHER_FIELDS.get(name)
        if read is not None:
            return read(self)
        folded = name.lower()
        return None if folded == name else self.value(folded)

    def clone(self) -> CallerProfile:
        """Return a copy for a new leg or a transfer: same people, no extension, times of its own."""
        return replace(self, times=ChannelTimes(), extension=None, originator=None, originatee=None)

    def as_originatee(self) -> CallerProfile:
        """Return the copy that the caller's profile keeps of the leg called, with the times reached so far.

        FreeSWITCH: of the caller, the leg's profile keeps a copy without times (`clone`).
        """
        return replace(self.clone(), times=replace(self.times))


# FreeSWITCH: nobody tells the type and the plan of a number, so that both stand at their highest value.
_UNKNOWN_PLAN: Final = "255"


def _word(holds: bool) -> str:
    return "true" if holds else "false"


_OTHER_FIELDS: Final[Mapping[str, Callable[[CallerProfile], str | None]]] = {
    "transfer_source": lambda profile: profile.transfer_source or None,
    "orig_caller_id_name": lambda profile: profile.orig_caller_id_name,
    "orig_caller_id_number": lambda profile: profile.orig_caller_id_number,
    "profile_index": lambda profile: str(profile.profile_index),
    "screen_bit": lambda profile: _word(profile.screen),
    "privacy_hide_name": lambda profile: _word(profile.privacy_hide_name),
    "privacy_hide_number": lambda profile: _word(profile.privacy_hide_number),
    "created_time": lambda profile: str(profile.times.created),
    "answered_time": lambda profile: str(profile.times.answered),
    "progress_time": lambda profile: str(profile.times.progress),
    "progress_media_time": lambda profile: str(profile.times.progress_media),
    "hungup_time": lambda profile: str(profile.times.hungup),
    "transferred_time": lambda profile: str(profile.times.transferred),
    "profile_created_time": lambda profile: str(profile.times.profile_created),
    **{
        f"{party}_{what}": lambda profile: _UNKNOWN_PLAN
        for party in ("caller", "destination_number", "ani", "rdnis")
        for what in ("ton", "numplan")
    },
}
_FIELD_NAMES: Final = frozenset(CallerProfile.FIELDS) - set(_OTHER_FIELDS)
