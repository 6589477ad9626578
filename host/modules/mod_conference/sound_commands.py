"""Sub-commands of `conference` for what is played, said and recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.modules.mod_conference import events, room_sound
from host.modules.mod_conference.sounds import speak
from host.modules.mod_conference.subcommand import Call, SubCommands

if TYPE_CHECKING:
    from host.modules.mod_conference.playlist import Playlist

commands: Final = SubCommands()
room = commands.room

# FreeSWITCH: the highest number of a canvas that may stand behind a recording's name.
_HIGHEST_CANVAS: Final = 21


def _playlist(call: Call, index: int) -> Playlist | None:
    """Return the room's sounds, or those of the member that a word names; None, and told, when there is none."""
    if len(call.words) <= index:
        return call.room.files
    member = call.room.find_member(call.words[index])
    if member is None:
        call.write(f"-ERR Member: {call.words[index]} not found.\n")
        return None
    return member.files


@room("play", "<file_path> [async|<member_id> [nomux]]")
def play(call: Call) -> bool:
    """Play a file to all, beside what is played already with `async`, or to one member."""
    words = list(call.words)
    beside = len(words) in (2, 3) and words[-1].lower() == "async"
    words = words[:-1] if beside else words
    if not words:
        return False
    path = words[0]
    if len(words) == 1:
        if not room_sound.play(call.room, path, beside=beside):
            call.write(f"-ERR (play) File: {path} not found.\n")
            return True
        call.write(f"+OK (play) Playing file {path}\n")
        playing = (call.room.endless if beside else call.room.files).first
        parameters = tuple(playing.parameters.items()) if playing is not None else ()
        headers = (("File", path), ("Async", "true" if beside else "false"))
        events.fire(call.room, "play-file", *headers, before=parameters)
        return True
    member = call.room.find_member(words[1])
    if member is None:
        call.write(f"-ERR Member: {words[1]} not found.\n")
        return False
    if not member.play(path, mux=len(words) < 3 or words[2].lower() != "nomux"):
        call.write(f"-ERR (play) File: {path} not found.\n")
        return True
    call.write(f"+OK (play) Playing file {path} to member {member.id}\n")
    events.fire(call.room, "play-file-member", ("File", path), member=member)
    return True


@room("moh", "<file_path>|toggle|[on|off]")
def moh(call: Call) -> bool:
    """Switch or change the music that somebody alone hears."""
    if call.words:
        room_sound.set_moh(call.room, call.words[0])
        call.write("+OK moh\n")
    else:
        call.write("-ERR invalid moh param\n")
    return True


@room("pause_play", "[<member_id>]", "pause")
def pause_play(call: Call) -> bool:
    """Hold what is played, or let it go on."""
    if len(call.words) > 1:
        return False
    playlist = _playlist(call, 0)
    if playlist is None:
        return False
    held = playlist.toggle_pause()
    if held is not None:
        call.write("+OK Pause\n" if held else "+OK Resume\n")
    return True


@room("play_status", "[<member_id>]")
def play_status(call: Call) -> bool:
    """Tell what is played. FreeSWITCH: the position and duration are those of a video, which there is none."""
    if len(call.words) > 1:
        return False
    playlist = _playlist(call, 0)
    if playlist is None:
        return False
    first = playlist.first
    call.write("-ERR Nothing is playing\n" if first is None else f"+OK 0/0 {first.path}\n")
    return True


@room("file_seek", "[+-]<val> [<member_id>]")
def file_seek(call: Call) -> bool:
    """Go to a place of the file, in ms, from the start or (+, -) from here."""
    if not 1 <= len(call.words) <= 2:
        return False
    playlist = _playlist(call, 1)
    if playlist is None:
        return False
    text = call.words[0]
    relative = text[:1] in ("+", "-")
    step = leading_int(text)
    position = playlist.seek(step if step or not relative else 1000, relative=relative)
    if position is not None:
        call.write(f"+OK seek to position {position}\n")
    return True


@room("say", "<text>")
def say(call: Call) -> bool:
    """Speak to all."""
    target = call.room
    if not call.text:
        call.write("-ERR (say) Error! No text.\n")
        return False
    sound = speak(target, call.text) if target.count else None
    if sound is None:
        call.write("-ERR (say) Error!\n")
        return False
    target.files.add(sound)
    call.write("+OK (say) OK\n")
    events.fire(target, "speak-text", ("Text", call.text))
    return True


@room("saymember", "<member_id> <text>")
def saymember(call: Call) -> bool:
    """Speak to one member."""
    who, blank, text = call.text.partition(" ")
    if not blank:
        text = who  # FreeSWITCH: without a text the member's number is said
    if not text:
        call.write("-ERR (saymember) No Text!\n")
        return False
    member = call.room.find_member(who)
    if member is None:
        call.write(f"-ERR (saymember) Unknown Member {who}!\n")
        return False
    text = member.session.expand(text)
    if not member.say(text):
        call.write("-ERR (saymember) Error!\n")
        return False
    call.write("+OK (saymember) OK\n")
    events.fire(call.room, "speak-text-member", ("Text", text), member=member)
    return True


@room("stop", "<[current|all|async|last]> [<member_id>]")
def stop(call: Call) -> bool:
    """Stop what is played."""
    which = call.word(0).lower() or "all"
    if which not in ("current", "all", "async"):
        return False
    if len(call.words) == 2:
        playlist = _playlist(call, 1)
        if playlist is not None:
            stopped = playlist.stop(everything=which == "all")
            call.write(f"+OK Stopped {stopped} files.\n")
    else:
        call.write(f"+OK Stopped {room_sound.stop_files(call.room, which)} files.\n")
    return True


@room("file-vol", "<vol#>")
def file_vol(call: Call) -> bool:
    """Set the volume of the file that is played; FreeSWITCH: a second word but `async` means the one beside it."""
    if not call.words:
        call.write("-ERR missing args\n")
        return False
    beside = len(call.words) > 1 and call.words[1].lower() != "async"
    playlist = call.room.endless if beside else call.room.files
    if not playlist.set_volume(leading_int(call.words[0])):
        call.write("-ERR File not playing\n")
        return False
    call.write("+OK volume changed\n")
    return True


# -- recordings --------------------------------------------------------------------------------------------------


@room("record", "<filename>")
def record(call: Call) -> bool:
    """Record all that is said and played into a file."""
    if not call.words:
        return False
    path = call.words[0]
    canvas = len(call.words) > 1
    if canvas and not 1 <= leading_int(call.words[1]) <= _HIGHEST_CANVAS:
        call.write("-ERR Invalid canvas\n")
    known = call.room.recordings.uses(path)
    if known is not None:
        call.write(f"-ERR file [{known.path}] is already being used for recording.\n")
        return True
    call.write(f"+OK Record file {path}{' canvas 1' if canvas else ''}\n")
    call.room.recordings.start(path)
    return True


@room("chkrecord", "<confname>")
def chkrecord(call: Call) -> bool:
    """Tell the recordings."""
    running = call.room.recordings.running()
    for one in running:
        call.write(f"+OK Record file {one.path}{' (Auto)' if one.automatic else ''}\n")
    if not running:
        call.write("-ERR Conference is not being recorded.\n")
    return True


@room("norecord", "<[filename|all]>")
def norecord(call: Call) -> bool:
    """Stop recording. FreeSWITCH: the files end a moment later, so none is counted here."""
    if not call.words:
        return False
    everything = call.words[0].lower() == "all"
    said = call.room.recordings.stop(None if everything else call.words[0])
    for text in said:
        call.write(text)
    if not said and not everything:
        call.write(f"-ERR non-existant recording '{call.words[0]}'\n")
    call.write("+OK Stopped recording 0 files\n")
    return True


@room("pause", "<filename>")
def pause(call: Call) -> bool:
    """Leave out of a recording what is said from now on."""
    return _pause(call, paused=True)


@room("resume", "<filename>")
def resume(call: Call) -> bool:
    """Record again."""
    return _pause(call, paused=False)


def _pause(call: Call, *, paused: bool) -> bool:
    if not call.words:
        return False
    path = call.words[0]
    call.write(f"+OK {'Pause' if paused else 'Resume'} recording file {path}\n")
    if not call.room.recordings.pause(path, paused):
        call.write(f"-ERR non-existant recording '{path}'\n")
        return True
    others = "true" if call.room.recordings.count else "false"
    action = "pause-recording" if paused else "resume-recording"
    events.fire(call.room, action, ("Path", path), ("Other-Recordings", others))
    return True


@room("recording", "[start|stop|check|pause|resume] [<filename>|all]")
def recording(call: Call) -> bool:
    """Do what one of the others does, by its first word."""
    words = list(call.words)
    if len(words) == 1 and words[0].lower() in ("stop", "check"):
        words.append("all")
    if len(words) <= 1:
        return record(call)
    what = words[0].lower()
    run = {"start": record, "stop": norecord, "check": chkrecord, "pause": pause, "resume": resume}.get(what)
    if run is None:
        return False
    call.words = words[1:]
    return run(call)
