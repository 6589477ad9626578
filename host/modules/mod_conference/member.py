"""A member of a room: what it may, how loud it is, and what can be done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.inbox import Digit, Wake
from host.leading_number import leading_int
from host.modules.mod_conference import events
from host.modules.mod_conference.flags import BLIND, DEAF, MUTE, VIDEO_MUTE
from host.modules.mod_conference.playlist import Playlist
from host.modules.mod_conference.sounds import RoomSound, open_room_sound, speak
from media.command import MemberSettings, Regulation
from media.mix import STEP_FACTORS
from media.notice import TalkStatistics

if TYPE_CHECKING:
    from host.digit_action import DigitMachine
    from host.modules.mod_conference.controls import Control
    from host.modules.mod_conference.room import Room
    from host.session import Session

_LOUDEST: Final = max(STEP_FACTORS)
ENERGY_STEP: Final = 200
HIGHEST_ENERGY: Final = 1800

# FreeSWITCH: after a talk longer than this (ms), with more than one frame in a hundred that was not heard, an
# automatic energy level becomes this part of the talk's mean score.
_AUTO_ENERGY_TALK_MS: Final = 2000
_AUTO_ENERGY_PART: Final = 0.75


class Member:
    """One call in a room. Its lock is the room's."""

    def __init__(self, room: Room, session: Session, number: int, flags: frozenset[str]) -> None:
        self.room = room
        self.session = session
        self.channel = session.channel
        self.id = number
        self.flags = flags
        self.speaks = MUTE not in flags
        self.hears = DEAF not in flags
        self.seen = VIDEO_MUTE not in flags
        self.sees = BLIND not in flags
        self.held = False
        self.talking = False  # as the media engine told last
        self.running = True
        self.first_talk: int | None = None  # µs of the clock; with `talks` since the last report
        self.talks = 0
        self.kicked = False
        self.kicked_sound = ""
        self.files = Playlist(room, self)
        self.machine: DigitMachine[Control] | None = None
        # Whom it does not speak to or hear: (speaks, hears, sends video) by member number, the newest first.
        self.relations: dict[int, tuple[bool, bool, bool]] = {}
        self.joined = session.clock.time() // 1_000_000
        profile = room.profile
        self.auto_energy = profile.number("auto-energy-level")
        self.loudest = room.max_energy
        self.loud_trigger = profile.number("max-energy-hit-trigger", 5) if self.loudest else 5
        self.hush_frames = profile.number("max-energy-level-mute-ms") // room.interval
        self.gain_level = profile.number("auto-gain-level")
        self.gain_low = profile.number("auto-gain-low-energy-level")
        self.gain_step = profile.number("auto-gain-change-factor", 2)
        get = self.channel.get_variable
        # The codec that it read with before: in a room that is L16.
        self.former_codec = (get("read_codec") or "L16", leading_int(get("read_rate") or ""))
        self.volume_in = _within(get("conference_join_volume_in"), -_LOUDEST, _LOUDEST, 0)
        self.volume_out = _within(get("conference_join_volume_out"), -_LOUDEST, _LOUDEST, 0)
        self.energy: int = _within(get("conference_join_energy_level"), -1, HIGHEST_ENERGY, room.energy)

    # -- what it is ----------------------------------------------------------------------------------------------

    @property
    def moderator(self) -> bool:
        """Whether it is a moderator."""
        return "moderator" in self.flags

    @property
    def ghost(self) -> bool:
        """Whether it is not counted as a member."""
        return "ghost" in self.flags

    @property
    def score(self) -> int:
        """The energy of what it said last."""
        return self.room.mixer.status(self.session.line)[1]

    @property
    def heard_ago(self) -> int | None:
        """How many seconds ago it was heard talking, None for never."""
        ago = self.room.mixer.status(self.session.line)[2]
        return None if ago is None else ago // 1_000_000

    @property
    def settings(self) -> MemberSettings:
        """How it takes part in the room's mixer."""
        profile = self.room.profile
        regulation = None
        if self.gain_level > 0:
            regulation = Regulation(
                self.gain_level,
                self.gain_low,
                profile.number("auto-gain-margin", 100),
                self.gain_step,
                profile.number("auto-gain-period-len") or 500 // self.room.interval,
            )
        return MemberSettings(
            speaks=self.speaks and not self.held,
            hears=self.hears,
            detects="mute-detect" in self.flags,
            energy=self.energy,
            gain_in=STEP_FACTORS[self.volume_in],
            gain_out=STEP_FACTORS[self.volume_out],
            loudest=self.loudest,
            loud_trigger=self.loud_trigger,
            hush=self.hush_frames,
            regulation=regulation,
        )

    def apply(self) -> None:
        """Tell the mixer the settings."""
        self.room.mixer.set_member(self.session.line, self.settings)

    # -- what can be done to it ----------------------------------------------------------------------------------

    def mute(self, *, quiet: bool = False) -> None:
        """Let it not speak."""
        self.speaks = self.talking = False
        self.apply()
        if not quiet:
            self._indicate("muted-sound", "Muted")
        events.fire(self.room, "mute-member", member=self)

    def unmute(self, *, quiet: bool = False) -> None:
        """Let it speak."""
        self.speaks = True
        self.apply()
        if not quiet:
            self._indicate("unmuted-sound", "Un-Muted")
        events.fire(self.room, "unmute-member", member=self)

    def deafen(self, *, quiet: bool = False) -> None:
        """Let it not hear."""
        self.hears = False
        self.apply()
        if not quiet:
            self._indicate("deaf-sound")
        events.fire(self.room, "deaf-member", member=self)

    def undeafen(self, *, quiet: bool = False) -> None:
        """Let it hear."""
        self.hears = True
        self.apply()
        if not quiet:
            self._indicate("undeaf-sound")
        events.fire(self.room, "undeaf-member", member=self)

    def set_seen(self, seen: bool) -> None:
        """Let it be seen or not."""
        self.seen = seen
        events.fire(self.room, "unvmute-member" if seen else "vmute-member", member=self)

    def set_sees(self, sees: bool) -> None:
        """Let it see or not."""
        self.sees = sees
        events.fire(self.room, "unvblind-member" if sees else "vblind-member", member=self)

    def hold(self, path: str = "") -> None:
        """Keep what it says from the others and play `path` to it in the place of what they say."""
        self.held = True
        self.talking = False
        self.apply()
        if path:
            self.play(path, mux=False)
        events.fire(self.room, "hold-member", member=self)

    def unhold(self) -> None:
        """End the hold, and what is played to it."""
        self.held = False
        self.apply()
        self.files.stop(everything=True)
        events.fire(self.room, "unhold-member", member=self)

    def leave(self) -> None:
        """Let it go out of the room; the call goes on."""
        self.running = False
        self.session.inbox.put(Wake())

    def kick(self, sound: str = "") -> None:
        """Put it out of the room, with a sound of its own."""
        self.kicked = True
        self.kicked_sound = sound
        events.fire(self.room, "kick-member", member=self)  # while it is still there
        self.leave()

    def send_digits(self, digits: str) -> None:
        """Send keys to its far end."""
        for digit in digits:
            self.session.send_digit(Digit(digit))

    def set_volume_in(self, level: int) -> None:
        """Set how loud it is heard, in steps from -4 to 4."""
        self.volume_in = max(-_LOUDEST, min(_LOUDEST, level))
        self.apply()

    def set_volume_out(self, level: int) -> None:
        """Set how loud it hears, in steps from -4 to 4."""
        self.volume_out = max(-_LOUDEST, min(_LOUDEST, level))
        self.apply()

    def set_energy(self, level: int) -> None:
        """Set the energy that is needed to be heard."""
        self.energy = level
        self.apply()

    def play(self, path: str, lead_in: int = 0, *, mux: bool = True) -> bool:
        """Play a path to it alone; False when there is nothing to play."""
        if self.kicked:
            return False
        sound = open_room_sound(self.room, path, self.channel)
        if sound is None:
            return False
        self.files.add(sound, lead_in, mux=mux)
        return True

    def say(self, text: str, lead_in: int = 0) -> bool:
        """Speak to it alone; FreeSWITCH: in a room without a speech engine nothing is said, which is no failure."""
        profile = self.room.profile
        if not profile.get("tts-engine") or not profile.get("tts-voice"):
            return bool(text)
        sound: RoomSound | None = speak(self.room, text)
        if sound is None:
            return False
        self.files.add(sound, lead_in)
        return True

    def _indicate(self, parameter: str, spoken: str = "") -> None:
        path = self.room.profile.get(parameter)
        if path:
            self.play(path)
        elif spoken:
            self.say(spoken)

    def note_talk(self) -> None:
        """Count a talk that begins."""
        self.first_talk = self.session.clock.now() if self.first_talk is None else self.first_talk
        self.talks += 1

    def tell_muted_talk(self) -> None:
        """Tell it that it talks although it is muted."""
        profile = self.room.profile
        path = profile.get("mute-detect-sound") or profile.get("muted-sound")
        if path:
            self.play(path)
        events.fire(self.room, "mute-detect", member=self)

    def end_talk(self, talk: TalkStatistics) -> None:
        """Tell that it stopped talking, and adjust its energy level where that is automatic."""
        headers: list[tuple[str, str]] = []
        if talk.hits and talk.frames:
            hits, misses = talk.hits, max(1, talk.misses - min(talk.misses, 40))
            mean, change = talk.score_sum / hits, talk.change_sum / hits
            ratio = misses / hits * 100
            hit, miss = hits / talk.frames * 100, misses / talk.frames * 100
            duration = talk.frames * self.room.interval
            if self.auto_energy and duration > _AUTO_ENERGY_TALK_MS and ratio > 1:
                self.set_energy(min(int(mean * _AUTO_ENERGY_PART), self.auto_energy))
            if change:
                headers = [
                    ("talking-gate-hits", str(hits)),
                    ("talking-total-packets", str(talk.frames)),
                    ("talking-duration-ms", str(duration)),
                    ("talking-average-energy", f"{mean:f}"),
                    ("talking-delta-average", f"{change:f}"),
                    ("talking-hit-on-percent", f"{hit:f}"),
                    ("talking-non-hit-ratio", f"{ratio:f}"),
                    ("talking-hit-off-percent", f"{miss:f}"),
                    ("talking-hit-off-differential", f"{hit - miss:f}"),
                ]
        events.fire(self.room, "stop-talking", member=self, before=tuple(headers))


def _within(text: str | None, least: int, most: int, default: int) -> int:
    """Return the number of a variable, `default` when it is not set or out of bounds."""
    if text is None:
        return default
    number = leading_int(text)
    return number if least <= number <= most else default
