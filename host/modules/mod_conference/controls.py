"""Caller controls: what the keys of a member do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.arguments import separate
from host.digit_action import DigitMachine, Matched
from host.log import LogLevel
from host.modules.mod_conference import events
from host.modules.mod_conference.member import ENERGY_STEP, HIGHEST_ENERGY
from host.modules.mod_conference.profile import control_group
from host.modules.mod_conference.room_sound import set_moh

if TYPE_CHECKING:
    from host.modules.mod_conference.member import Member

_REALM: Final = "conf"
_DEFAULT_GROUP: Final = "default"
_NO_GROUP: Final = "none"


@dataclass(frozen=True, slots=True)
class Control:
    """A bound key: the action's name, the keys as bound, and the action's data."""

    action: str
    digits: str
    data: str


def bind_controls(member: Member) -> None:
    """Bind the keys of the group that is meant for a member.

    FreeSWITCH: the channel's `conference_controls`, else the profile's for moderators or callers, else `default`.
    """
    room = member.room
    group = member.channel.get_variable("conference_controls") or ""
    if not group and member.moderator:
        group = room.profile.get("moderator-controls")
    group = group or room.profile.get("caller-controls") or _DEFAULT_GROUP
    if group.lower() == _NO_GROUP:
        return
    member.machine = DigitMachine(room.profile.digit_timeout)
    found = control_group(room.switch, room.name, room.profile.name, group, member.session.uuid)
    if found is None:
        member.channel.log(LogLevel.ERR, f"Can't find group '{group}' in caller-controls section")
        return
    for element in found.findall("control"):
        action, digits = (element.get("action") or "").lower(), element.get("digits") or ""
        if action in _ACTIONS and digits:
            member.machine.bind(_REALM, digits, Control(action, digits, element.get("data") or ""))


def run_control(member: Member, matched: Matched[Control]) -> None:
    """Do what the keys that a member pressed are bound to."""
    control = matched.action
    member.channel.variables.set("conference_last_matching_digits", matched.digits)
    data = member.session.expand(control.data) if control.data else ""
    _ACTIONS[control.action](member, Control(control.action, control.digits, data))


def _mute_toggle(member: Member, control: Control) -> None:
    if member.speaks:
        _mute_on(member, control)
    else:
        _mute_off(member, control)


def _mute_on(member: Member, control: Control) -> None:
    if not member.held and member.speaks:
        member.mute()


def _mute_off(member: Member, control: Control) -> None:
    if not member.held and not member.speaks:
        member.unmute()
        if not member.hears:
            member.undeafen()


def _deaf_mute(member: Member, control: Control) -> None:
    if member.held:
        return
    if member.speaks:
        member.mute()
        if member.hears:
            member.deafen()
    else:
        _mute_off(member, control)


def _deaf_toggle(member: Member, control: Control) -> None:
    if member.hears:
        member.deafen()
    else:
        member.undeafen()


def _deaf_on(member: Member, control: Control) -> None:
    if member.hears:
        member.deafen()


def _deaf_off(member: Member, control: Control) -> None:
    if not member.hears:
        member.undeafen()


def _moh_toggle(member: Member, control: Control) -> None:
    set_moh(member.room, "toggle")


def _lock_toggle(member: Member, control: Control) -> None:
    room = member.room
    if not room.waits_for_moderator or member.moderator:
        room.set_lock(not room.locked)


def _floor(member: Member, control: Control) -> None:
    if member.room.floor is member:
        member.room.set_floor(None)
    elif member.room.floor is None:
        member.room.set_floor(member)


def _hangup(member: Member, control: Control) -> None:
    member.leave()


def _event(member: Member, control: Control) -> None:
    events.fire(member.room, "dtmf", ("DTMF-Key", control.digits), ("Data", control.data), member=member)


def _transfer(member: Member, control: Control) -> None:
    events.fire(member.room, "transfer", ("Dialplan", control.data), member=member, known_as="dtmf")
    parts = separate(control.data, " ", 3)
    if not parts:
        member.channel.log(LogLevel.ERR, f"Empty transfer string [{control.data}]")
        member.leave()
        return
    extension, dialplan, context = (*parts, "", "")[:3]
    member.session.transfer(extension, dialplan or "XML", context or "default")
    member.leave()


def _execute(member: Member, control: Control) -> None:
    if not control.data:
        return
    events.fire(member.room, "execute_app", ("Application", control.data), member=member)
    parts = separate(control.data, " ", 2)
    if parts:
        member.session.execute(parts[0], parts[1] if len(parts) > 1 else "")


def _energy(level: Callable[[Member], int]) -> Callable[[Member, Control], None]:
    def change(member: Member, control: Control) -> None:
        member.set_energy(max(0, min(HIGHEST_ENERGY, level(member))))
        if member.auto_energy and member.energy > member.auto_energy:
            member.auto_energy = 0
        events.fire(member.room, "energy-level", ("New-Level", str(member.energy)), member=member)
        for digit in str(member.energy // ENERGY_STEP):
            member.play(f"digits/{digit}.wav")

    return change


def _volume(step: int, *, talk: bool) -> Callable[[Member, Control], None]:
    """FreeSWITCH: `vol talk` is what the member hears, `vol listen` how loud it is heard; 0 as it was."""

    def change(member: Member, control: Control) -> None:
        if talk:
            member.set_volume_out(member.volume_out + step if step else 0)
        else:
            member.set_volume_in(member.volume_in + step if step else 0)
        level = member.volume_out if talk else member.volume_in
        action = "volume-level" if talk else "gain-level"
        events.fire(member.room, action, ("New-Level", str(level)), member=member)
        if level < 0:
            member.play("currency/negative.wav")
        member.play(f"digits/{abs(level)}.wav")

    return change


_ACTIONS: Final[dict[str, Callable[[Member, Control], None]]] = {
    "mute": _mute_toggle,
    "mute on": _mute_on,
    "mute off": _mute_off,
    "moh toggle": _moh_toggle,
    "deaf mute": _deaf_mute,
    "energy up": _energy(lambda member: member.energy + ENERGY_STEP),
    "energy equ": _energy(lambda member: member.room.energy),
    "energy dn": _energy(lambda member: member.energy - ENERGY_STEP),
    "vol talk up": _volume(1, talk=True),
    "vol talk zero": _volume(0, talk=True),
    "vol talk dn": _volume(-1, talk=True),
    "vol listen up": _volume(1, talk=False),
    "vol listen zero": _volume(0, talk=False),
    "vol listen dn": _volume(-1, talk=False),
    "hangup": _hangup,
    "event": _event,
    "lock": _lock_toggle,
    "transfer": _transfer,
    "execute_application": _execute,
    "floor": _floor,
    "deaf": _deaf_toggle,
    "deaf on": _deaf_on,
    "deaf off": _deaf_off,
}
