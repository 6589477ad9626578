"""The application `conference`: into a room, past its pin, its lock and its limit, and out again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.channel_event import tell_codec
from host.clock import MILLISECOND
from host.hangup_cause import HangupCause
from host.inbox import Digit
from host.ivr.digits import collect_digits_count
from host.ivr.input_args import InputArgs
from host.ivr.play import play_file
from host.ivr.speak import speak_text
from host.log import LogLevel
from host.modules.mod_conference import events, membership
from host.modules.mod_conference.flags import combined_variable, member_flags
from host.modules.mod_conference.member import Member
from host.modules.mod_conference.outcall import Outcall, call_in, place_outcalls
from host.modules.mod_conference.profile import DEFAULT_PROFILE, Profile, find_profile
from host.modules.mod_conference.sounds import LEAD_IN, full_name
from host.modules.mod_conference.stay import stay
from host.status import Status
from host.truth import is_true

if TYPE_CHECKING:
    from host.modules.mod_conference.room import Room
    from host.modules.mod_conference.rooms import Rooms
    from host.session import Session

_FLAGS_MARK: Final = "+flags{"
_BRIDGE_MARK: Final = "bridge:"
_MEMBER_NUMBER: Final = "conference_member_number"
_SILENT: Final = "conference_silent"

_PIN_SOUND: Final = "conference/conf-pin.wav"
_BAD_PIN_SOUND: Final = "conference/conf-bad-pin.wav"
_PIN_RETRIES: Final = 3
_PIN_TIMEOUT_MS: Final = 10_000
_PIN_IN_URL: Final = "x-confpin="
_FALSE: Final = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What the application was given: `[bridge:]NAME[@PROFILE][+PIN][+flags{…}][:DIAL STRING]`."""

    name: str
    profile: str = DEFAULT_PROFILE
    pin: str = ""
    flags: str = ""
    bridge_to: str | None = None


def parse_wish(data: str) -> Wish | None:
    """Parse the application's data; None when a bridge names nobody to call."""
    data, mark, flags = data.partition(_FLAGS_MARK)
    flags = flags.partition("}")[0] if mark else ""
    bridge_to: str | None = None
    if data[: len(_BRIDGE_MARK)].lower() == _BRIDGE_MARK:
        data, colon, bridge_to = data[len(_BRIDGE_MARK) :].partition(":")
        if not colon:
            return None
    name, _, pin = data.lstrip(" ").partition("+")
    name, at, profile = name.rpartition("@") if "@" in name else (name, "", "")
    return Wish(name, profile if at else DEFAULT_PROFILE, pin, flags, bridge_to)


def conference(rooms: Rooms, session: Session, data: str) -> None:
    """Take a call into a room until it leaves."""
    channel = session.channel
    if session.pre_answer() is not Status.SUCCESS:
        channel.log(LogLevel.ERR, "Channel pre answer failed.")
        return
    wish = parse_wish(data) if data else None
    if wish is None:
        channel.log(LogLevel.CRIT, "Invalid arguments" if not data else "Config Error!")
        return
    profile = find_profile(rooms.switch, wish.name, wish.profile, session.uuid)
    if profile is None:
        channel.log(LogLevel.ERR, "Open of conference.conf failed")
        return
    flags = _joined(wish.flags, combined_variable(session, "conference_member_flags"))
    silent = is_true(channel.get_variable("conference_silent_entry")) and _SILENT not in channel.private
    room = _open(rooms, session, wish, profile, flags)
    if room is None:
        return
    member: Member | None = None
    try:
        moderator = False
        if wish.bridge_to is None:
            passed = _pass_door(room, session, wish, silent=silent)
            if passed is None:
                return
            moderator = passed
        if wish.bridge_to and wish.bridge_to.lower() != "none":
            cause, leg = call_in(rooms.switch, room.name, room, Outcall(wish.bridge_to), session)
            if leg is None:
                channel.log(LogLevel.NOTICE, f"Bridge of conference {room.name} failed: {cause.name}")
                return
        elif not channel.outbound:
            room.answered = True
        member = _join(rooms, room, session, flags, moderator=moderator, silent=silent)
        if member is not None:
            _serve(member)
    finally:
        room.exit()
        if member is not None and member.kicked:
            _play_kicked(room, member)
        channel.variables.set("last_transfered_conference", None)


def _joined(*flags: str) -> str:
    return "|".join(text for text in flags if text)


def _open(rooms: Rooms, session: Session, wish: Wish, profile: Profile, flags: str) -> Room | None:
    """Find the room or make it, and enter it; None when that is not allowed."""
    channel = session.channel
    name = session.uuid if wish.bridge_to is not None and wish.name == "_uuid_" else wish.name
    if not name:
        channel.log(LogLevel.ERR, "Invalid Record! no name.")
        return None
    there = rooms.find(name)
    if wish.bridge_to is not None and there is not None:
        channel.log(LogLevel.ERR, f"Conference {name} already exists!")
        return None
    if there is None and wish.bridge_to is None and "join-only" in member_flags(flags):
        _refuse_to_open(session, name, wish.profile, profile)
        return None
    room_flags = _joined(flags, combined_variable(session, "conference_flags"))
    room, made = rooms.open(name, profile, session, room_flags)
    channel.variables.set("conference_name", room.name)
    channel.variables.set("app_session_uuid", room.uuid)
    if made:
        if wish.bridge_to is not None:
            room.least, room.bridged = 2, True
        room.tell_creation(channel)
        command = channel.get_variable("api_on_conference_create")
        if command:
            application, _, argument = session.expand(command).partition(" ")
            session.switch.api(application, argument, session)
    return room


def _refuse_to_open(session: Session, name: str, profile_name: str, profile: Profile) -> None:
    channel = session.channel
    events.fire_rejection(channel, name, profile_name)
    channel.log(LogLevel.NOTICE, "Cannot create a conference since join-only flag is set")
    sound = profile.get("join-only-sound")
    if sound:
        session.answer()
        play_file(session, sound)
    if (channel.get_variable("hangup_after_conference") or "").lower() not in _FALSE:
        channel.hangup(HangupCause.NORMAL_CLEARING)


def _pass_door(room: Room, session: Session, wish: Wish, *, silent: bool) -> bool | None:
    """Ask for the pin, heed lock and limit; None when the call may not enter, else whether it is a moderator's.

    FreeSWITCH: calls that the switch placed are asked for nothing, unless `conference_enforce_security` says so.
    """
    channel = session.channel
    enforced = channel.get_variable("conference_enforce_security")
    secured = is_true(enforced) if enforced else not channel.outbound
    pin = wish.pin or room.pin
    moderator_pin = channel.get_variable("conference_moderator_pin") or room.moderator_pin
    session.answer()
    moderator = False
    if secured and (pin or moderator_pin):
        given = _ask_pin(room, session, pin, moderator_pin)
        if given is None:
            return None
        moderator = given
    if room.special_announce and not silent:
        _play_here(room, session, room.special_announce)
    refused = ""
    if room.locked and secured:
        channel.log(LogLevel.NOTICE, f"Conference {room.name} is locked.")
        refused = "locked-sound"
    elif 0 < room.max_members <= room.count:
        channel.log(LogLevel.NOTICE, f"Conference {room.name} is full.")
        refused = "max-members-sound"
    if refused:
        if room.profile.get(refused):
            _play_here(room, session, room.profile.get(refused))
        return None
    welcome = room.profile.get("member-enter-sound")
    if welcome and not silent:
        _play_here(room, session, welcome)
    return moderator


def _ask_pin(room: Room, session: Session, pin: str, moderator_pin: str) -> bool | None:
    """Ask until the pin is right; None when it was not, else whether it was the moderators'."""
    channel = session.channel

    def verdict(text: str) -> bool | None:
        if pin and text == pin:
            return False
        return True if moderator_pin and text == moderator_pin else None

    supplied = channel.get_variable("supplied_pin") or ""
    place = supplied.lower().find(_PIN_IN_URL)
    supplied = supplied[place + len(_PIN_IN_URL) :] if place >= 0 else supplied
    found = verdict(supplied.partition(";")[0]) if supplied else None
    longest = max(len(pin), len(moderator_pin))
    tries = room.profile.number("pin-retries", _PIN_RETRIES)
    while found is None and tries > 0 and channel.ready:
        tries -= 1
        args = InputArgs(buffer_size=1)
        asked = _play_here(room, session, room.profile.get("pin-sound") or _PIN_SOUND, args)
        if asked not in (Status.SUCCESS, Status.BREAK):
            channel.log(LogLevel.WARNING, "Cannot ask the user for a pin, ending call")
            channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
            return None
        text = args.digits
        if len(text) < longest:
            more, _, status = collect_digits_count(session, longest - len(text), "#", _PIN_TIMEOUT_MS)
            text += more
            if status not in (Status.SUCCESS, Status.TIMEOUT):
                return None
        found = verdict(text)
        if found is None:
            _play_here(room, session, room.profile.get("bad-pin-sound") or _BAD_PIN_SOUND)
            session.inbox.flush(Digit)
    return found


def _play_here(room: Room, session: Session, path: str, args: InputArgs | None = None) -> Status:
    """Play one of the room's sounds to a call that is not in it."""
    pause = LEAD_IN * room.interval * MILLISECOND
    session.receive(session.clock.now() + pause, ())
    path = session.expand(path)
    if path[:4].lower() == "say:":
        engine, voice = room.profile.get("tts-engine"), room.profile.get("tts-voice")
        if not engine or not voice:
            return Status.FALSE
        return speak_text(session, engine, voice, path[4:], args)
    return play_file(session, full_name(room, path), args=args)


def _join(
    rooms: Rooms, room: Room, session: Session, flags: str, *, moderator: bool, silent: bool
) -> Member | None:
    channel = session.channel
    if not channel.ready:
        return None
    number = session.private(_MEMBER_NUMBER, int)
    if number is None:
        number = rooms.next_member_number()
        channel.private[_MEMBER_NUMBER] = number
    own = member_flags(flags)
    # FreeSWITCH: flags given with the call replace what the profile's say of speaking and hearing.
    from_profile = member_flags(room.profile.get("member-flags"))
    wanted = own | (from_profile - {"mute", "deaf"} if flags else from_profile)
    if moderator:
        wanted |= {"moderator"}
    if "mintwo" in wanted:
        room.least = 2
    member = Member(room, session, number, wanted)
    channel.private[_SILENT] = True
    tell_codec(channel, "read", "L16", session.line.rate)
    membership.add(room, member, silent=silent)
    return member


def _serve(member: Member) -> None:
    try:
        if place_outcalls(member):
            stay(member)
    finally:
        member.running = False
        membership.remove(member.room, member)
        tell_codec(member.channel, "read", *member.former_codec)


def _play_kicked(room: Room, member: Member) -> None:
    """Play the sound of those that are put out; FreeSWITCH: one of its own only when the profile has one, too."""
    default = room.profile.get("kicked-sound")
    if not default:
        return
    session = member.session
    path = session.expand(member.kicked_sound or default)
    if path[:4].lower() == "say:":
        engine, voice = room.profile.get("tts-engine"), room.profile.get("tts-voice")
        if engine and voice:
            speak_text(session, engine, voice, path[4:])
    else:
        play_file(session, full_name(room, path))
