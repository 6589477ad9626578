"""A room: its members, its sound, and when it ends."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from host.channel_event import add_channel_headers
from host.clock import MILLISECOND, SECOND
from host.hangup_cause import HangupCause
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_conference import events, watches
from host.modules.mod_conference.flags import room_flags
from host.modules.mod_conference.mixer_notice import take_notice
from host.modules.mod_conference.playlist import Playlist
from host.modules.mod_conference.recordings import Recordings
from host.modules.mod_conference.room_sound import play
from host.modules.mod_conference.sounds import LEAD_IN
from host.truth import is_true
from host.variables import Variables

if TYPE_CHECKING:
    from host.channel import Channel
    from host.modules.mod_conference.member import Member
    from host.modules.mod_conference.profile import Profile
    from host.modules.mod_conference.rooms import Rooms
    from host.session import Session

_FALLBACK_DOMAIN: Final = "cluecon.com"
_FALLBACK_NAME: Final = "conference"
_FALLBACK_NUMBER: Final = "0000000000"
_VARIABLE_PREFIX: Final = "confvar_"

# FreeSWITCH: words that stand for no music at all.
_NO_MUSIC: Final = frozenset({"", "silence", "indicate_hold"})


class Room:
    """One conference. `lock` guards members and playlists and is never held while anybody waits.

    `visitors` are the threads that are busy with the room (members, those who are asked for a pin, calls being
    placed): the room is over when it is `ending` and the last of them has gone.
    """

    def __init__(self, rooms: Rooms, name: str, profile: Profile, session: Session, flags: str) -> None:
        switch = rooms.switch
        channel = session.channel
        self.rooms = rooms
        self.switch = switch
        self.clock = switch.clock
        self.name = name
        self.profile = profile
        self.uuid = switch.new_uuid()
        self.lock = threading.RLock()
        self.domain = (
            name.partition("@")[2]
            or profile.get("domain")
            or (channel.get_variable("presence_id") or "").partition("@")[2]
            or _FALLBACK_DOMAIN
        )
        self.rate = profile.forced_rate(
            channel.get_variable("conference_force_rate") or "", session.line.rate
        )
        self.interval = profile.interval
        self.energy: int = profile.number("energy-level") or profile.number("auto-energy-level") // 2
        loudest = profile.number("max-energy-level")
        self.max_energy = loudest if loudest >= self.energy else 0
        self.flags = set(room_flags(profile.get("conference-flags")) | room_flags(flags))
        self.suppressed = frozenset(profile.get("suppress-events").split(",")) & events.SUPPRESSIBLE
        self.verbose = is_true(profile.get("verbose-events"))
        self.sound_prefix = profile.get("sound-prefix") or channel.get_variable("sound_prefix") or ""
        if not self.sound_prefix and switch.speak_missing is not None:
            self.sound_prefix = channel.get_variable("base_dir") or ""  # where prompts are missed, and spoken
        self.pin = profile.get("pin")
        self.moderator_pin = profile.get("moderator-pin")
        self.caller_id_name = profile.get("caller-id-name") or _FALLBACK_NAME
        self.caller_id_number = profile.get("caller-id-number") or _FALLBACK_NUMBER
        self.enter_sound = profile.get("enter-sound")
        self.exit_sound = profile.get("exit-sound")
        self.special_announce = ""
        moh = profile.get("moh-sound")
        self.moh = moh if moh.lower() not in _NO_MUSIC else channel.get_variable("conference_moh_sound") or ""
        self.other_moh = ""
        self.perpetual = profile.get("perpetual-sound") or channel.get_variable("conference_perpetual_sound")
        self.auto_record = channel.get_variable("conference_auto_record") or profile.get("auto-record")
        self.record_participants = 2 if profile.get("min-required-recording-participants") == "2" else 1
        self.max_members = _limit(channel, "conference_max_members", profile.max_members)
        self.grace = _limit(
            channel, "conference_endconference_grace_time", profile.number("endconf-grace-time")
        )
        self.members: list[Member] = []  # the newest first
        self.count = 0
        self.ghosts = 0
        self.least = 1
        self.enforces_least = False
        self.locked = False
        self.answered = False
        self.bridged = False
        self.no_moh = False
        self.enter_sounds = True
        self.exit_sounds = True
        self.floor: Member | None = None
        self.mandatory = 0
        self.mandatory_left: int | None = None  # µs of the clock since when all mandatory members are gone
        self.hangup_cause = HangupCause.NORMAL_CLEARING
        self.originating = 0
        self.calls_out = False
        self.ending = False
        self.visitors = 0
        self._closed = False
        self.started = self.clock.time() // SECOND
        self.variables = Variables()
        for variables in (switch.global_variables, channel.variables):
            for variable, value in variables.items():
                if variable.lower().startswith(_VARIABLE_PREFIX):
                    self.variables.set(variable[len(_VARIABLE_PREFIX) :], value)
        for variable, value in profile.variables:
            self.variables.set(variable, value)
        comfort = profile.comfort_noise * max(1, self.rate // 8000)
        self.mixer = switch.engine.mixer(
            self.rate, self.interval, lambda notice: take_notice(self, notice), comfort
        )
        self.files = Playlist(self)
        self.endless = Playlist(self, beside=True)
        self.recordings = Recordings(self)
        self.apply()
        watches.start(self)

    def tell_creation(self, channel: Channel) -> None:
        """Fire the event conference-create."""
        if self.verbose and self.switch.bus.wants("CUSTOM"):
            event = self.switch.new_event("CUSTOM", events.SUBCLASS)
            events.add_room(event, self)
            add_channel_headers(event, channel)
            event.add_header("Action", "conference-create")
            self.switch.fire(event)
        else:
            events.fire(self, "conference-create")

    # -- what it is ----------------------------------------------------------------------------------------------

    @property
    def run_time(self) -> int:
        """Seconds since it began."""
        return self.clock.time() // SECOND - self.started

    @property
    def waits_for_moderator(self) -> bool:
        """Whether nobody is heard until a moderator comes."""
        return "wait-mod" in self.flags

    def member(self, number: int) -> Member | None:
        """Return the member of that number; None for one that is on its way out."""
        for member in self.members:
            if member.id == number:
                return None if member.kicked or member.channel.down else member
        return None

    def member_by_variable(self, name: str, value: str) -> Member | None:
        """Return the newest member whose channel has that variable."""
        for member in self.members:
            if member.channel.get_variable(name) == value:
                return None if member.kicked or member.channel.down else member
        return None

    def find_member(self, text: str) -> Member | None:
        """Return the member that a number, or `variable=value`, names."""
        name, equals, value = text.partition("=")
        return self.member_by_variable(name, value) if equals else self.member(leading_int(text))

    @property
    def last_member(self) -> Member | None:
        """The member with the highest number."""
        return max(self.members, key=lambda member: member.id, default=None)

    def apply(self) -> None:
        """Tell the mixer who may be heard at all.

        FreeSWITCH: somebody alone is not heard, unless for a recording.
        """
        recorded = self.recordings.count > 0 and self.count >= self.record_participants
        self.mixer.set(
            closed=self.waits_for_moderator or not (self.count > 1 or recorded),
            always="audio-always" in self.flags,
        )

    def relate(self) -> None:
        """Tell the mixer whom members do not speak to or hear."""
        lines = {member.id: member.session.line.number for member in self.members}
        pairs: set[tuple[int, int]] = set()
        for member in self.members:
            for number, (speaks, hears, _) in member.relations.items():
                if number in lines:
                    if not speaks:
                        pairs.add((lines[member.id], lines[number]))
                    if not hears:
                        pairs.add((lines[number], lines[member.id]))
        self.mixer.relate(frozenset(pairs))

    @property
    def relation_count(self) -> int:
        """How many relations there are."""
        return sum(len(member.relations) for member in self.members)

    # -- who gets in and who is seen -------------------------------------------------------------------------------

    def set_lock(self, locked: bool) -> None:
        """Let nobody in any more, or everybody again."""
        sound = self.profile.get("is-locked-sound" if locked else "is-unlocked-sound")
        if sound:
            play(self, sound, LEAD_IN)
        self.locked = locked
        events.fire(self, "lock" if locked else "unlock")

    def set_floor(self, member: Member | None) -> None:
        """Give somebody the floor, or take it away."""
        former, self.floor = self.floor, member
        self.mixer.set_floor(member.session.line if member is not None else None)
        events.fire_floor_change(self, former, member)

    # -- its end --------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """End the room: nobody finds it any more; in the next frame all who are left are hung up."""
        with self.lock:
            if self.ending:
                return
            self.ending = True
        self.rooms.forget(self)
        self.clock.call_later(self.interval * MILLISECOND, self._wind_up)

    def _wind_up(self) -> None:
        with self.lock:
            members = list(self.members)
        for member in members:
            hang_up = (member.channel.get_variable("hangup_after_conference") or "true").lower()
            if hang_up not in ("false", "no", "off", "0"):
                member.channel.hangup(HangupCause.NORMAL_CLEARING if self.answered else self.hangup_cause)
            member.leave()
        self._close_when_left()

    def enter(self) -> None:
        """Count somebody who is busy with the room."""
        with self.lock:
            self.visitors += 1

    def exit(self) -> None:
        """Count somebody out; a room that nobody is in any more ends."""
        with self.lock:
            self.visitors -= 1
            empty = not self.count and not self.ghosts
        if empty:
            self.end()
        if self.ending and not self.visitors:
            self.clock.call_later(self.interval * MILLISECOND, self._close_when_left)

    def _close_when_left(self) -> None:
        with self.lock:
            if self.visitors or self._closed:
                return
            self._closed = True
            self.files.clear()
            self.endless.clear()
            self.recordings.stop_all()
            self.mixer.close()
        events.fire(self, "conference-destroy")


def _limit(channel: Channel, variable: str, default: int) -> int:
    """Return a limit that a variable of the channel may set instead of the profile."""
    text = channel.get_variable(variable)
    if not text:
        return default
    number = leading_int(text)
    if number < 0 or (number == 1 and variable == "conference_max_members"):
        channel.log(LogLevel.ERR, f"{variable} variable {text} is invalid, not setting a limit")
        return default
    return number
