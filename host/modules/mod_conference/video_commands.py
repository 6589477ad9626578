"""Sub-commands of `conference` for pictures, as FreeSWITCH answers them in a room that mixes none.

Who may be seen or see is kept and told all the same. What changes a picture has none to change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.modules.mod_conference.subcommand import Call, MemberCommand, RoomCommand, SubCommands

if TYPE_CHECKING:
    from host.modules.mod_conference.member import Member

commands: Final = SubCommands()
room = commands.room
member = commands.member

_NO_MIXING: Final = "-ERR Conference is not in mixing mode\n"
_NO_MIXING_IN_LOWER_CASE: Final = "-ERR conference is not in mixing mode\n"
_LEVEL: Final = "<member_id|all|last|non_moderator> [<newval>]"
_WHO: Final = "<[member_id|all]|last|non_moderator>"
_QUIET: Final = f"{_WHO} [<quiet>]"
_OUT: Final = "<[member_id|all|last|non_moderator]>"
_IMAGE: Final = "<member_id|last> [<path>|clear]"
_BACKGROUND: Final = "<file> | clear [<canvas-id>]"


# -- who is seen and sees ----------------------------------------------------------------------------------------


@member("vmute", _QUIET)
def vmute(call: Call, who: Member, data: str | None) -> None:
    """Let a member not be seen."""
    who.set_seen(False)
    call.write(f"+OK vmute {who.id}\n")


@member("unvmute", _QUIET)
def unvmute(call: Call, who: Member, data: str | None) -> None:
    """Let a member be seen again."""
    who.set_seen(True)
    call.write(f"+OK unvmute {who.id}\n")


@member("tvmute", _QUIET)
def tvmute(call: Call, who: Member, data: str | None) -> None:
    """Let a member not be seen, or end that."""
    (vmute if who.seen else unvmute)(call, who, data)


@member("vblind", _QUIET)
def vblind(call: Call, who: Member, data: str | None) -> None:
    """Let a member not see."""
    who.set_sees(False)
    call.write(f"+OK vblind {who.id}\n")


@member("unvblind", _QUIET)
def unvblind(call: Call, who: Member, data: str | None) -> None:
    """Let a member see again."""
    who.set_sees(True)
    call.write(f"+OK unvblind {who.id}\n")


@member("tvblind", _QUIET)
def tvblind(call: Call, who: Member, data: str | None) -> None:
    """Let a member not see, or end that."""
    (vblind if who.sees else unvblind)(call, who, data)


# -- one member's picture ----------------------------------------------------------------------------------------


def _answering(reply: str) -> MemberCommand:
    def answer(call: Call, who: Member, data: str | None) -> None:
        call.write(reply)

    return answer


# FreeSWITCH is silent about a member that sends no pictures.
for _name, _syntax, _reply in (
    ("vid-canvas", _LEVEL, "-ERR Invalid DATA\n"),
    ("vid-watching-canvas", _LEVEL, "-ERR Invalid DATA\n"),
    ("vmute-snap", _WHO, _NO_MIXING),
    ("vid-filter", f"{_WHO} <string>", "+OK\n"),
    ("vid-floor", "<member_id|last> [force]", ""),
    ("vid-banner", "<member_id|last> <text>", "+OK\n"),
    ("vid-mute-img", _IMAGE, ""),
    ("vid-logo-img", _IMAGE, ""),
    ("vid-codec-group", "<member_id|last> [<group>|clear]", ""),
    ("vid-role-id", "<member_id|last> <val>|clear", ""),
):
    member(_name, _syntax)(_answering(_reply))


@member("vid-layer", _LEVEL)
def vid_layer(call: Call, who: Member, data: str | None) -> None:
    """Refuse to move a member to another layer (FreeSWITCH 1.11 crashes for want of a canvas)."""
    call.write("-ERR Invalid DATA\n" if data is None else _NO_MIXING)


@member("vid-flip", _OUT)
def vid_flip(call: Call, who: Member, data: str | None) -> None:
    """Say that a picture was turned."""
    call.write(f"+OK flipped {who.id}\n")


@member("vid-border", _OUT)
def vid_border(call: Call, who: Member, data: str | None) -> None:
    """Refuse a border."""
    if data is None:
        call.write("-ERR No text supplied\n")
    else:
        call.write(f"-ERR Channel {who.channel.name} is not in a video layer\n")


@room("vid-res-id", "<member_id>|all <val>|clear [force]")
def vid_res_id(call: Call) -> bool:
    """Be silent about a reservation for a member without pictures, `all` only where they are cleared."""
    if not 1 <= len(call.words) <= 3:
        return False
    everybody = call.words[0].lower() == "all" and (call.word(1) or "clear").lower() == "clear"
    return everybody or call.room.find_member(call.words[0]) is not None


# -- the room's picture ------------------------------------------------------------------------------------------


def _refusing(reply: str, *, without_words: str = "") -> RoomCommand:
    def refuse(call: Call) -> bool:
        call.write(reply if call.words else without_words or reply)
        return True

    return refuse


_NO_INPUT: Final = "-ERR Invalid input\n"

for _name, _syntax, _command in (
    ("canvas-auto-clear", "<canvas_id> <true|false>", _refusing(_NO_MIXING, without_words="+OK\n")),
    ("cam", "", _refusing(_NO_MIXING)),
    ("clear-vid-floor", "", _refusing("+OK floor Cleared\n")),
    (
        "vid-layout",
        "<layout name>|group <group name> [<canvas id>]",
        _refusing(_NO_MIXING, without_words=_NO_INPUT),
    ),
    ("vid-write-png", "<path>", _refusing(_NO_MIXING, without_words=_NO_INPUT)),
    ("vid-fps", "<fps>", _refusing(_NO_MIXING)),
    ("vid-res", "<WxH>", _refusing(_NO_MIXING)),
    ("vid-fgimg", _BACKGROUND, _refusing("-ERR Invalid canvas\n", without_words=_NO_INPUT)),
    ("vid-bgimg", _BACKGROUND, _refusing("-ERR Invalid canvas\n", without_words=_NO_INPUT)),
    ("vid-personal", "[on|off]", _refusing(_NO_MIXING_IN_LOWER_CASE)),
):
    room(_name, _syntax)(_command)


@room("vid-bandwidth", "<BW>")
def vid_bandwidth(call: Call) -> bool:
    """Refuse a bandwidth, and before that the canvas that a third word names."""
    if not call.words:
        call.write(_NO_INPUT)
        return True
    if len(call.words) > 2:
        call.write("-ERR Invalid canvas\n")
    call.write("-ERR Bandwidth not set\n")
    return True
