"""The application valet_park: wait in a slot, or fetch who waits there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.arguments import separate
from host.channel_event import add_channel_headers
from host.clock import MILLISECOND, SECOND
from host.hangup_cause import HangupCause
from host.inbox import Digit
from host.ivr.digits import read
from host.ivr.input_args import InputArgs
from host.ivr.phrase import phrase_macro
from host.ivr.play import play_file
from host.ivr.sleep import sleep
from host.ivr.uuid_bridge import partner_of, uuid_bridge
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_valet_parking.presence import tell_presence
from host.status import Status
from host.truth import is_true

if TYPE_CHECKING:
    from host.event import Event
    from host.modules.mod_valet_parking.lots import Lot, Lots, Slot
    from host.session import Session

SYNTAX: Final = "<lotname> <extension>|[ask [<min>] [<max>] [<to>] [<prompt>]|auto [in|out] [min] [max]]"
_SUBCLASS: Final = "valet_parking::info"

_PROMPT: Final = "ivr/ivr-enter_ext_pound.wav"
_ASK_DEFAULTS: Final = (("valet_ext_min", 1), ("valet_ext_max", 11), ("valet_ext_to", 10_000))
_ORBIT_SECONDS: Final = 60  # with somewhere to send the call to, and no time of its own
_ANNOUNCE_AFTER_MS: Final = 1500
# A file that is over sooner holds no sound.
_SHORTEST_MUSIC: Final = 20 * MILLISECOND
_ENDLESS_SILENCE: Final = "silence_stream://-1"

# What a call that is parked for another one takes with it.
_KEPT: Final = (
    "valet_parking_timeout",
    "valet_parking_orbit_exten",
    "valet_parking_orbit_dialplan",
    "valet_parking_orbit_context",
    "valet_parking_orbit_exit_key",
)


def valet_park(lots: Lots, session: Session, data: str) -> None:
    """Run the application: fetch the call in the slot that `data` names, or wait there until somebody does."""
    lots.sweep()
    words = separate(data, " ", 6)
    if len(words) < 2:
        _refuse(session)
        return
    lot, kind = lots.open(words[0]), words[1].lower()
    slot: Slot | None
    if kind == "auto":
        if len(words) < 5 or words[2].lower() not in ("in", "out"):
            _refuse(session)
            return
        entering = words[2].lower() == "in"
        lowest, highest = leading_int(words[3]), leading_int(words[4])
        if entering:
            slot = lots.take_free(lot, session.uuid, lowest, highest)
        else:
            slot = lots.longest(lot, lowest, highest)
        if slot is None:
            what = "full" if entering else "empty"
            phrase_macro(session, f"valet_lot_{what}", "")
            session.channel.log(LogLevel.ERR, f"{session.channel.name} lot is {what}.")
            return
        if entering:
            _enter(lots, session, lot, slot, announced=True)
            return
        extension = slot.extension
    elif kind == "ask":
        entered = _ask(session, words[2:])
        if entered is None:
            session.channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
            return
        extension = entered
    else:
        extension = words[1]
    if not _fetch(lots, session, lot, extension):
        _enter(lots, session, lot, lots.take(lot, extension, session.uuid), announced=False)


def _refuse(session: Session) -> None:
    session.channel.log(LogLevel.ERR, f"Usage: {SYNTAX}")


def _ask(session: Session, words: list[str]) -> str | None:
    """Ask the caller for an extension; None when the call is over or there is no prompt to ask with."""
    given = [*words, "", "", "", ""]
    limits: list[int] = []
    for (variable, default), word in zip(_ASK_DEFAULTS, given, strict=False):
        number = leading_int(word or session.channel.get_variable(variable) or "")
        limits.append(number if number > 0 else default)
    shortest, longest, timeout_ms = limits
    prompt = given[3] or session.channel.get_variable("valet_ext_prompt") or _PROMPT
    while session.channel.ready:
        digits, status = read(session, shortest, longest, prompt, "", timeout_ms, "#")
        if status is Status.SUCCESS:
            return digits
        if status in (Status.FALSE, Status.NOT_FOUND):
            break
    return None


def _fetch(lots: Lots, session: Session, lot: Lot, extension: str) -> bool:
    """Bridge with who waits in a slot; False when nobody does and the call may take it."""
    channel = session.channel
    slot = lot.slots.get(extension)
    if slot is None or slot.bridged or slot.left:
        return False
    if slot.until is not None:
        ticket = channel.get_variable("valet_ticket")
        if ticket and ticket != slot.uuid:
            channel.log(LogLevel.ERR, f"Invalid token {slot.uuid}")
            channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
            return True
        if ticket:
            channel.log(LogLevel.DEBUG, f"Valet ticket {ticket} accepted.")
            slot.until = None
            channel.variables.set("valet_ticket", None)
    parked = session.switch.find_session(slot.uuid)
    if parked is None or parked.channel.down:
        return False
    _tell(parked, lot, extension, "bridge", ("Bridge-To-UUID", session.uuid))
    slot.until, slot.bridged = None, True
    uuid_bridge(parked, session)
    return True


def _enter(lots: Lots, session: Session, lot: Lot, slot: Slot, *, announced: bool) -> None:
    """Wait in a slot, or put the call that this one is bridged with there; tell the slot's number first."""
    channel = session.channel
    music = (
        channel.get_variable("valet_hold_music")
        or channel.get_variable("temp_hold_music")
        or channel.get_variable("hold_music")
        or "silence"
    )
    if music.lower() == "silence":
        music = _ENDLESS_SILENCE
    steps = [f"set:{name}={value}" for name in _KEPT if (value := channel.get_variable(name))]
    steps += [f"set:valet_ticket={slot.uuid}", f"set:valet_hold_music='{music}'", "sleep:1000"]
    way_back = ",".join([*steps, f"valet_park:{lot.name} {slot.extension}"])
    channel.variables.set("inline_destination", way_back)
    if announced:
        said = channel.get_variable("valet_announce_slot")
        partner = partner_of(session)
        if partner is not None:
            lots.reserve(slot)
        if said is None or is_true(said):
            sleep(session, _ANNOUNCE_AFTER_MS)
            phrase_macro(session, "valet_announce_ext", f"{lot.name}:{slot.extension}")
        if partner is not None:
            partner.transfer(way_back, "inline")
            channel.hangup(HangupCause.NORMAL_CLEARING)
            return
    try:
        _stay(lots, session, lot, slot, music)
    finally:
        slot.left = True
    tell_presence(lots, lot, slot, present=False)
    _tell(session, lot, slot.extension, "exit")


def _stay(lots: Lots, session: Session, lot: Lot, slot: Slot, music: str) -> None:
    """Hear music until somebody comes, a key ends it, or the time is over."""
    channel = session.channel
    _tell(session, lot, slot.extension, "hold")
    channel.variables.set("valet_lot_extension", slot.extension)
    tell_presence(lots, lot, slot, present=True)
    seconds = leading_int(channel.get_variable("valet_parking_timeout") or "")
    if seconds <= 0 and channel.get_variable("valet_parking_orbit_exten"):
        seconds = _ORBIT_SECONDS
    over = False

    def end() -> None:
        nonlocal over
        over = True
        session.break_off()

    timer = session.clock.call_later(seconds * SECOND, end) if seconds > 0 else None
    try:
        while channel.ready:
            began = session.clock.now()
            status = play_file(session, music, args=InputArgs(_on_input))
            if status is not Status.SUCCESS or over:
                break
            if session.clock.now() - began < _SHORTEST_MUSIC:
                music = _ENDLESS_SILENCE  # it would be played over and over, and nothing else done
    finally:
        if timer is not None:
            timer.cancel()
    if over and channel.ready:
        _send_away(session)


def _on_input(session: Session, item: Digit | Event) -> Status:
    """Let the exit key send the call away, and `#` end its stay."""
    if not isinstance(item, Digit):
        return Status.SUCCESS
    exit_key = session.channel.get_variable("valet_parking_orbit_exit_key") or ""
    if item.digit == exit_key[:1]:
        _send_away(session)
        return Status.BREAK
    return Status.BREAK if item.digit == "#" else Status.SUCCESS


def _send_away(session: Session) -> None:
    """Transfer the call to where its variables say that it goes when nobody fetched it."""
    channel = session.channel
    extension, dialplan, context = (
        channel.get_variable(f"valet_parking_orbit_{part}") or "" for part in ("exten", "dialplan", "context")
    )
    if extension:
        session.transfer(extension, dialplan, context)


def _tell(session: Session, lot: Lot, extension: str, action: str, *headers: tuple[str, str]) -> None:
    """Fire `valet_parking::info` for the call that waits."""
    switch = session.switch
    if not switch.bus.wants("CUSTOM"):
        return
    event = switch.new_event("CUSTOM", _SUBCLASS)
    event.add_headers((("Valet-Lot-Name", lot.name), ("Valet-Extension", extension), ("Action", action)))
    event.add_headers(headers)
    add_channel_headers(event, session.channel)
    switch.fire(event)
