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
from host.modules.mod_conference.playlist import LEAD_IN, Playlist
from host.modules.mod_conference.recordings import Recordings
from host.modules.mod_conference.sounds import open_room_sound
from host.truth import is_true
from host.variables import Variables
from media.notice import FloorTaken, Notice, PlaybackEnded, Talking

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
        self.mixer = switch.engine.mixer(self.rate, self.interval, self._take_notice, comfort)
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

    # -- who comes and goes --------------------------------------------------------------------------------------

    def add(self, member: Member, *, silent: bool) -> None:
        """Let a member in, with the sounds and events that go with it."""
        channel = member.channel
        with self.lock:
            if member.ghost:
                self.ghosts += 1
            else:
                self.count += 1
            if "endconf" in member.flags:
                self.mandatory_left = None
            if "mandatory_member_endconf" in member.flags:
                self.mandatory += 1
                self.mandatory_left = None
            self.members.insert(0, member)
            self.mixer.join(member.session.line, member.settings)
            if self.waits_for_moderator and member.moderator:
                self.flags.discard("wait-mod")
            self.apply()
        variables = channel.variables
        variables.set("conference_member_id", str(member.id))
        variables.set("conference_moderator", "true" if member.moderator else "false")
        variables.set("conference_ghost", "true" if member.ghost else "false")
        variables.set("conference_recording", self.recordings.last_path)
        variables.set("conference_uuid", self.uuid)
        if not channel.get_variable("conference_call_key"):
            number = channel.get_variable("caller_id_number") or ""
            variables.set("conference_call_key", f"conference_{self.name}_{self.domain}_{number}")
        self._welcome(member, silent=silent)
        if self.least and self.count >= self.least:
            self.enforces_least = True
        if not silent:
            events.fire(self, "add-member", member=member, known_as="add-member")
        events.fire_presence(self)
        if "talk-data-events" in member.flags:
            watches.report_talk(member)
        self.recordings.start_automatic(channel)
        self.look_after_music()

    def _welcome(self, member: Member, *, silent: bool) -> None:
        channel = member.channel
        if self.count > 1:
            music = (self.moh or self.other_moh) and not self.waits_for_moderator
            if music or (
                self.waits_for_moderator and not channel.is_true("conference_permanent_wait_mod_moh")
            ):
                self.endless.stop(everything=True)
                self.no_moh = False
            if not silent and self.enter_sounds:
                self.play(
                    channel.get_variable("conference_enter_sound") or self.enter_sound, LEAD_IN, channel
                )
        announce = self.profile.number("announce-count")
        if silent or channel.private.get("conference_outcalls"):
            return
        if self.count >= announce > 1:
            member.say(f"There are {self.count} callers", LEAD_IN)
        elif self.count == 1 and not self.perpetual and not self.waits_for_moderator and not self.bridged:
            alone = self.profile.get("alone-sound")
            if alone and not member.ghost:
                self.endless.stop(everything=True)
                self.play(alone, LEAD_IN, channel)
            else:
                member.say("You are currently the only person in this conference.", LEAD_IN)

    def remove(self, member: Member) -> None:
        """Let a member out; with the last one, or too few, the room ends."""
        channel = member.channel
        own_sound = channel.get_variable("conference_exit_sound")
        if own_sound:
            self.play(own_sound, LEAD_IN, channel)
        with self.lock:
            self.members.remove(member)
            self.mixer.leave(member.session.line)
            member.files.clear()
            member.relations.clear()
            for other in self.members:
                other.relations.pop(member.id, None)
            self.relate()
            if self.floor is member:
                self.floor = None
            if member.ghost:
                self.ghosts -= 1
            else:
                self.count -= 1
            self.apply()
        if "mandatory_member_endconf" in member.flags:
            self.mandatory -= 1
            if not self.mandatory:
                self.mandatory_left = self.clock.now()
                watches.end_after_grace(self)
        events.fire_presence(self)
        channel.variables.set("conference_call_key", None)
        left = self.count + self.ghosts
        if left == 0:
            self.recordings.stop_all()
        over = "endconf" in member.flags or left == 0 or (self.enforces_least and left < self.least)
        if over:
            self.end()
        else:
            if self.waits_for_moderator and not channel.is_true("conference_permanent_wait_mod_moh"):
                self.endless.stop(everything=True)
            if not own_sound and self.exit_sounds:
                self.play(self.exit_sound, 0, channel)
            alone = self.profile.get("alone-sound")
            if self.count == 1 and alone and not self.waits_for_moderator and not member.ghost:
                self.endless.stop(everything=True)
                self.play(alone, 0, channel)
            self.look_after_music()
        events.fire(self, "del-member", member=member)

    # -- sound ---------------------------------------------------------------------------------------------------

    def play(
        self, path: str, lead_in: int = 0, channel: Channel | None = None, *, beside: bool = False
    ) -> bool:
        """Play a path to all, after what is played already or `beside` it; False when there is nothing to play."""
        if not path or not self.count or self.ending:
            return False
        sound = open_room_sound(self, path, channel)
        if sound is None:
            events.fire(
                self,
                "play-file",
                ("File", path),
                ("Async", "true" if beside else "false"),
                ("Error", "File could not be played"),
            )
            return False
        (self.endless if beside else self.files).add(sound, lead_in)
        return True

    def stop_files(self, which: str) -> int:
        """Stop the `current` file, the `async` one, or `all`; return how many that were."""
        with self.lock:
            if which == "current":
                return self.files.stop(everything=False)
            stopped = self.files.stop(everything=True) if which == "all" else 0
            return stopped + self.endless.stop(everything=True)

    def set_moh(self, what: str) -> None:
        """Switch music on hold: `on`, `off`, `toggle`, `reset` to the profile's, or a path of its own."""
        lowered = what.lower()
        if lowered in ("on", "off", "toggle"):
            self.no_moh = {"on": False, "off": True, "toggle": not self.no_moh}[lowered]
        else:
            self.other_moh = "" if lowered == "reset" else what
        if self.no_moh or self.other_moh:
            self.endless.stop(everything=True)
        self.look_after_music()

    def look_after_music(self) -> None:
        """See in the next frame whether music has to be played: to somebody alone, or until a moderator comes."""
        self.clock.call_later(self.interval * MILLISECOND, self._play_music)

    def _play_music(self) -> None:
        with self.lock:
            if self.ending or len(self.endless):
                return
            music = self.other_moh or self.moh
            quiet = self.no_moh or any("nomoh" in member.flags for member in self.members)
            alone = self.count == 1 and not quiet
            if self.perpetual:
                self.play(self.perpetual, LEAD_IN, beside=True)
            elif music and (alone or self.waits_for_moderator) and not len(self.files):
                self.play(music, LEAD_IN, beside=True)

    def set_lock(self, locked: bool) -> None:
        """Let nobody in any more, or everybody again."""
        sound = self.profile.get("is-locked-sound" if locked else "is-unlocked-sound")
        if sound:
            self.play(sound, LEAD_IN)
        self.locked = locked
        events.fire(self, "lock" if locked else "unlock")

    def set_floor(self, member: Member | None) -> None:
        """Give somebody the floor, or take it away."""
        former, self.floor = self.floor, member
        self.mixer.set_floor(member.session.line if member is not None else None)
        events.fire_floor_change(self, former, member)

    def _take_notice(self, notice: Notice) -> None:
        # not here: the media engine must not wait for the room
        self.clock.call_later(0, lambda: self._heed(notice))

    def _heed(self, notice: Notice) -> None:
        with self.lock:
            if isinstance(notice, PlaybackEnded):
                for playlist in (self.files, self.endless, *(member.files for member in self.members)):
                    if playlist.take_end(notice.playback):
                        return
                return
            if not isinstance(notice, Talking | FloorTaken):
                return
            member = next((m for m in self.members if m.session.line.number == notice.line), None)
        if member is None:
            return
        if isinstance(notice, FloorTaken):
            if self.floor is not member:
                former, self.floor = self.floor, member
                events.fire_floor_change(self, former, member)
            return
        member.talking = notice.statistics is None
        if notice.statistics is not None:
            member.end_talk(notice.statistics)
        elif member.speaks and not member.held:
            member.note_talk()
            events.fire(self, "start-talking", member=member)
        elif "mute-detect" in member.flags and not member.speaks:
            member.tell_muted_talk()

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
