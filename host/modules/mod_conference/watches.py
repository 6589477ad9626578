"""What happens in a room by the mere passing of time: heartbeats, silence, energy levels, grace, reports of talk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.clock import MILLISECOND, SECOND
from host.log import LogLevel
from host.modules.mod_conference import events

if TYPE_CHECKING:
    from host.modules.mod_conference.member import Member
    from host.modules.mod_conference.room import Room

_AUTO_ENERGY_S: Final = 5
_AUTO_ENERGY_STEP: Final = 100
_REPORT: Final = 10 * SECOND


def start(room: Room) -> None:
    """Begin what the room's profile asks for."""
    period = room.profile.heartbeat
    if period:
        room.clock.call_later(period * SECOND, lambda: _beat(room, period))
    silence = room.profile.number("terminate-on-silence")
    if silence:
        room.clock.call_later(SECOND, lambda: _watch_silence(room, silence))
    if room.profile.number("auto-energy-level"):
        wait = (room.profile.number("auto-energy-seconds") or _AUTO_ENERGY_S) * SECOND
        room.clock.call_later(wait, lambda: _lower_energies(room, wait))


def _beat(room: Room, period: int) -> None:
    if not room.ending:
        events.fire(room, "conference-heartbeat")
        room.clock.call_later(period * SECOND, lambda: _beat(room, period))


def _watch_silence(room: Room, seconds: int) -> None:
    """End the room when nobody came and nobody was heard for so long."""
    if room.ending:
        return
    now = room.clock.time() // SECOND
    members = list(room.members)
    awake = any(
        now - member.joined <= seconds or ((ago := member.heard_ago) is not None and ago <= seconds)
        for member in members
    )
    if room.count > 1 and not awake:
        room.switch.log(LogLevel.INFO, f"Conference has been idle for over {seconds} seconds, terminating")
        room.end()
    else:
        room.clock.call_later(SECOND, lambda: _watch_silence(room, seconds))


def _lower_energies(room: Room, wait: int) -> None:
    """Lower the energy levels that rose by themselves, of those who do not talk."""
    if room.ending:
        return
    for member in list(room.members):
        if member.auto_energy and member.energy > room.energy and not member.talking:
            member.set_energy(max(member.energy - _AUTO_ENERGY_STEP, room.energy))
    room.clock.call_later(wait, lambda: _lower_energies(room, wait))


def end_after_grace(room: Room) -> None:
    """End the room once its last mandatory member has been away for longer than the grace."""

    def look() -> None:
        left = room.mandatory_left
        gone = not room.mandatory and left is not None
        if gone and left is not None and room.clock.now() - left >= room.grace * SECOND:
            room.end()

    room.clock.call_later((room.grace + 1) * SECOND, look)


def report_talk(member: Member) -> None:
    """Tell every ten seconds how often a member began to talk."""

    def report() -> None:
        if not member.running or member.room.ending:
            return
        first, times = member.first_talk, member.talks
        headers = [("talk-detects", str(times))]
        if first is not None:
            duration = (member.room.clock.now() - first) // MILLISECOND
            headers.append(("talk-detect-duration", str(duration)))
            headers.append(("talk-detect-avg", f"{duration / max(1, times):f}"))
        events.fire(member.room, "talk-report", member=member, before=tuple(headers))
        member.talks = int(member.talking)
        member.first_talk = first if member.talking else None
        member.room.clock.call_later(_REPORT, report)

    member.room.clock.call_later(_REPORT, report)
