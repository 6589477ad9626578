"""Sub-commands of `conference` for members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.modules.mod_conference import events
from host.modules.mod_conference.member import ENERGY_STEP, HIGHEST_ENERGY
from host.modules.mod_conference.subcommand import Call, SubCommands

if TYPE_CHECKING:
    from host.modules.mod_conference.member import Member

commands: Final = SubCommands()
member = commands.member

_LEVEL: Final = "<member_id|all|last|non_moderator> [<newval>]"
_WHO: Final = "<[member_id|all]|last|non_moderator>"
_QUIET: Final = f"{_WHO} [<quiet>]"
_OUT: Final = "<[member_id|all|last|non_moderator]>"


def _stepped(level: int, data: str) -> int:
    """Return the level that `up`, `down` or a number makes of another."""
    if data.lower() == "up":
        return min(HIGHEST_ENERGY, level + ENERGY_STEP)
    if data.lower() == "down":
        return max(0, level - ENERGY_STEP)
    return leading_int(data)


@member("energy", _LEVEL)
def energy(call: Call, who: Member, data: str | None) -> None:
    """Tell or set the energy that is needed to be heard."""
    if data is not None:
        who.set_energy(_stepped(who.energy, data))
    call.write(f"Energy {who.id} = {who.energy}\n")
    if who.auto_energy and who.energy > who.auto_energy:
        who.auto_energy = 0
        call.write("Auto-Energy level exceeded, Auto-Energy mode disabled\n")
    if data is not None:
        events.fire(who.room, "energy-level-member", ("Energy-Level", str(who.energy)), member=who)


@member("auto-energy", _LEVEL)
def auto_energy(call: Call, who: Member, data: str | None) -> None:
    """Tell or set up to which level the energy rises by itself."""
    if data is not None:
        who.auto_energy = _stepped(who.auto_energy, data)
    call.write(f"{who.id} = Auto-Energy: {who.auto_energy} Energy: {who.energy}\n")
    if not who.energy:
        who.set_energy(who.auto_energy // 2)
    if data is not None:
        headers = (("Auto-Energy-Level", str(who.auto_energy)), ("Energy-Level", str(who.energy)))
        events.fire(who.room, "auto-energy-level-member", *headers, member=who)


@member("max-energy", _LEVEL)
def max_energy(call: Call, who: Member, data: str | None) -> None:
    """Tell or set the energy above which a member is silenced: `level[:ms[:frames]]`."""
    interval = who.room.interval
    if data is not None:
        who.loudest = _stepped(who.loudest, data)
    if who.loudest and who.loudest < who.energy:
        who.loudest = 0
        call.write(f"-ERR {who.id} Max-Energy cannot exceed energy level.\n")
    elif data is not None:
        _, *rest = data.split(":", 2)
        if rest and rest[0]:
            who.hush_frames = max(0, leading_int(rest[0])) // interval
        if len(rest) > 1 and rest[1]:
            who.loud_trigger = max(0, leading_int(rest[1]))
    who.apply()
    mute = who.hush_frames * interval
    # FreeSWITCH: the two levels stand in each other's place
    call.write(
        f"{who.id} = Max-Energy: {who.energy} Energy: {who.loudest} Max-Energy-Mute: {mute}ms"
        f" Max-Energy-Hit-Trigger {who.loud_trigger}\n"
    )
    if data is not None:
        events.fire(
            who.room,
            "max-energy-level-member",
            ("Max-Energy-Level", str(who.loudest)),
            ("Max-Energy-Mute", str(mute)),
            ("Max-Energy-Hit-Trigger", str(who.loud_trigger)),
            ("Energy-Level", str(who.loudest)),
            member=who,
        )


@member("agc", _LEVEL)
def agc(call: Call, who: Member, data: str | None) -> None:
    """Tell or set the level towards which the volume is regulated: `level[:low energy[:step]]`."""
    if data is not None:
        if data.lower() in ("up", "down"):
            who.gain_level = _stepped(who.gain_level, data)
        else:
            level, low, step = (leading_int(part) for part in (*data.split(":", 2), "", "")[:3])
            who.gain_level = level if level > 0 else who.gain_level
            who.gain_low = low if low > 0 else who.gain_low
            who.gain_step = step if step > 0 else who.gain_step
        who.apply()
    call.write(f"Agc {who.id} = {who.gain_level}\n")
    if data is not None:
        events.fire(who.room, "agc-level-member", ("Agc-Level", str(who.gain_level)), member=who)


def _louder(volume: int, data: str) -> int:
    """Return the volume that `up`, `down` or a number makes of another, within no bounds."""
    return {"up": volume + 1, "down": volume - 1}.get(data.lower(), leading_int(data))


@member("volume_in", _LEVEL)
def volume_in(call: Call, who: Member, data: str | None) -> None:
    """Tell or set how loud a member is heard."""
    if data is not None:
        who.set_volume_in(_louder(who.volume_in, data))
    call.write(f"+OK Volume IN {who.id} = {who.volume_in}\n")
    if data is not None:
        events.fire(who.room, "volume-in-member", ("Volume-Level", str(who.volume_in)), member=who)


@member("volume_out", _LEVEL)
def volume_out(call: Call, who: Member, data: str | None) -> None:
    """Tell or set how loud a member hears."""
    if data is not None:
        who.set_volume_out(_louder(who.volume_out, data))
    call.write(f"+OK Volume OUT {who.id} = {who.volume_out}\n")
    if data is not None:
        events.fire(who.room, "volume-out-member", ("Volume-Level", str(who.volume_out)), member=who)


@member("position", "<member_id> <x>:<y>:<z>")
def position(call: Call, who: Member, data: str | None) -> None:
    """FreeSWITCH without OpenAL cannot place members in a room."""
    call.write("-ERR not supported\n")


@member("dtmf", f"{_OUT} <digits>")
def dtmf(call: Call, who: Member, data: str | None) -> None:
    """Send keys to a member's far end."""
    if not data:
        call.write("-ERR Invalid input!\n")
        return
    who.send_digits(data)
    call.write(f"+OK sent {data} to {who.id}\n")
    events.fire(who.room, "dtmf-member", ("Digits", data), member=who)


@member("kick", f"{_OUT} [<optional sound file>]")
def kick(call: Call, who: Member, data: str | None) -> None:
    """Put a member out, with a sound."""
    call.write(f"+OK kicked {who.id}\n")
    who.kick(data or "")


@member("hup", _OUT)
def hup(call: Call, who: Member, data: str | None) -> None:
    """Put a member out without a sound."""
    events.fire(who.room, "hup-member", member=who)  # while it is still there
    who.leave()
    call.write(f"+OK hup {who.id}\n")


@member("hold", f"{_WHO} [file]")
def hold(call: Call, who: Member, data: str | None) -> None:
    """Let a member neither speak nor hear, and play something to it."""
    who.hold(data or "")
    call.write(f"+OK hold {who.id}\n")


@member("unhold", _WHO)
def unhold(call: Call, who: Member, data: str | None) -> None:
    """End a hold."""
    who.unhold()
    call.write(f"+OK unhold {who.id}\n")


@member("mute", _QUIET)
def mute(call: Call, who: Member, data: str | None) -> None:
    """Let a member not speak."""
    who.mute(quiet="quiet" in (data or ""))
    call.write(f"+OK mute {who.id}\n")


@member("tmute", _QUIET)
def tmute(call: Call, who: Member, data: str | None) -> None:
    """Mute, or end that."""
    (mute if who.speaks else unmute)(call, who, data)


@member("unmute", _QUIET)
def unmute(call: Call, who: Member, data: str | None) -> None:
    """Let a member speak again."""
    who.unmute(quiet="quiet" in (data or ""))
    call.write(f"+OK unmute {who.id}\n")


@member("deaf", _WHO)
def deaf(call: Call, who: Member, data: str | None) -> None:
    """Let a member not hear."""
    who.deafen(quiet="quiet" in (data or ""))
    call.write(f"+OK deaf {who.id}\n")


@member("undeaf", _WHO)
def undeaf(call: Call, who: Member, data: str | None) -> None:
    """Let a member hear again."""
    who.undeafen(quiet="quiet" in (data or ""))
    call.write(f"+OK undeaf {who.id}\n")


@member("floor", "<member_id|last>")
def floor(call: Call, who: Member, data: str | None) -> None:
    """Give the floor to a member when nobody has it, or take it from the one that has."""
    room = who.room
    holder = room.floor
    if holder is who:
        room.set_floor(None)
        call.write("+OK floor none\n")
    elif holder is None:
        room.set_floor(who)
        call.write(f"+OK floor {who.id}\n")
    else:
        call.write(f"-ERR floor is held by {holder.id}\n")


@member("get-uuid", "<member_id|last>")
def get_uuid(call: Call, who: Member, data: str | None) -> None:
    """Tell a member's call."""
    call.write(who.session.uuid)
