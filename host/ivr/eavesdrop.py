"""Listen to another call, and speak into it (FreeSWITCH: switch_ivr_eavesdrop_session)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.channel_event import tell_codec
from host.channel_watch import watching
from host.event import Event
from host.inbox import Break, Digit
from host.ivr.media_path import media_on
from host.log import LogLevel
from host.media_bug import MediaBug, add_media_bug, remove_media_bug
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session

_MEDIA: Final = {Flag.ANSWERED, Flag.EARLY_MEDIA}
# The header of an event, queued on the listening session, whose value is keys as if they had been pressed.
_COMMAND: Final = "eavesdrop-command"


@dataclass(frozen=True, slots=True)
class Ear:
    """What the listener hears of the target and into what it speaks; `read` is what the target's far end says.

    `keys` lets the listener change that: 1 speaks into read, 2 into write, 3 into both, 0 into none, * ends it.
    """

    hears_read: bool = True
    hears_write: bool = True
    speaks_read: bool = False
    speaks_write: bool = False
    keys: bool = True


THREE_WAY: Final = Ear(speaks_read=True, speaks_write=True, keys=False)

_SPEAKS: Final = {"1": (True, False), "2": (False, True), "3": (True, True), "0": (False, False)}


def eavesdrop(session: Session, target: Session, ear: Ear, require_group: str = "") -> Status:
    """Listen until one of the two calls is over or the key `*` is pressed.

    FALSE when the target has no media, BREAK when its `eavesdrop_group` does not have `require_group`.
    """
    channel, heard = session.channel, target.channel
    if target is not session and Flag.PROXY_MODE in heard.flags:
        media_on(target, rebridge=True)  # its sound passes elsewhere
    if target is session or heard.down or not heard.flags & _MEDIA:
        channel.log(LogLevel.ERR, f"Cannot eavesdrop on {heard.name}: it has no media")
        return Status.FALSE
    if require_group and require_group not in (heard.variables.get("eavesdrop_group") or "").split(","):
        return Status.BREAK
    if session.pre_answer() is not Status.SUCCESS:
        return Status.FALSE
    former = channel.variables.get("read_codec") or "L16"
    tell_codec(channel, "read", "L16", session.line.rate)
    bug = MediaBug("eavesdrop", target.uuid, session.line.stop_eavesdrop)
    add_media_bug(target, bug)
    _apply(session, target, ear)
    _show(session, target)
    try:
        with watching(channel.on_change, heard):
            while channel.ready and heard.up:
                item = session.receive(None, (Digit, Event, Break), until=lambda: heard.down)
                keys = ""
                if isinstance(item, Digit):
                    session.tell_digit(item)
                    keys = item.digit if ear.keys else ""
                elif isinstance(item, Event):
                    keys = item.get_header(_COMMAND) or ""
                for key in keys:
                    if key == "*":
                        return Status.SUCCESS
                    if key in _SPEAKS:
                        speaks_read, speaks_write = _SPEAKS[key]
                        ear = replace(ear, speaks_read=speaks_read, speaks_write=speaks_write)
                        _apply(session, target, ear)
        return Status.SUCCESS
    finally:
        remove_media_bug(target, bug)
        tell_codec(channel, "read", former, session.line.rate)
        session.forget_input(digits=True)


def _show(session: Session, target: Session) -> None:
    """Tell the listener's far end whom it hears (FreeSWITCH: the target's caller)."""
    profile = target.channel.profile
    who = {"name": profile.caller_id_name, "number": profile.caller_id_number}
    for part, text in who.items():
        if text:
            session.channel.variables.set(f"last_sent_callee_id_{part}", text)
    session.io.message(session, "display", "|".join(who.values()))


def _apply(session: Session, target: Session, ear: Ear) -> None:
    session.line.eavesdrop(
        target.line,
        hears_read=ear.hears_read,
        hears_write=ear.hears_write,
        speaks_read=ear.speaks_read,
        speaks_write=ear.speaks_write,
    )
