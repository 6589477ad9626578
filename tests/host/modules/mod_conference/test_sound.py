"""What members hear: each other, the room's sounds, files, and what is recorded."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from media.sndfile import Sndfile
from tests.host.modules.mod_conference.conftest import Rooms


def pitch(samples: NDArray[np.int16], rate: int = 8000) -> int:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return round(int(spectrum.argmax()) * rate / len(samples) / 10) * 10


def loud(samples: NDArray[np.int16]) -> bool:
    return bool(np.abs(samples.astype(int)).max(initial=0) > 50)


def test_members_hear_the_others_and_not_themselves(rooms: Rooms) -> None:
    a, b, c = (rooms.call("r@open") for _ in range(3))
    for caller, level in ((a, 10), (b, 100), (c, 1000)):
        caller.forget()
        caller.say(level)
    rooms.wait(0.5)
    assert [int(caller.heard[-1]) for caller in (a, b, c)] == [1100, 1010, 110]


def test_what_is_too_faint_is_not_heard(rooms: Rooms) -> None:
    a, b = rooms.call("r@plain"), rooms.call("r@plain")
    a.say(90)
    rooms.wait(0.5)
    assert not loud(b.heard)
    a.say(600)
    rooms.wait(0.5)
    assert b.heard[-1] == 600


@pytest.mark.parametrize(
    ("command", "a_hears", "b_hears"),
    [
        ("mute", 1000, 0),
        ("deaf", 0, 700),
        ("hold", 1000, 0),
        ("volume_in {} -4", 1000, 140),
        ("volume_out {} 2", 2300, 700),
    ],
)
def test_commands_change_what_is_heard(rooms: Rooms, command: str, a_hears: int, b_hears: int) -> None:
    a, b = rooms.call("r@open"), rooms.call("r@open")
    text = command.format(a.number) if "{}" in command else f"{command} {a.number}"
    assert str(a.number) in rooms.command(f"r {text}")
    a.say(700)
    b.say(1000)
    rooms.wait(0.5)
    assert (int(a.heard[-1]), int(b.heard[-1])) == (a_hears, b_hears)


def test_relations(rooms: Rooms) -> None:
    a, b, c = (rooms.call("r@open") for _ in range(3))
    assert (
        rooms.command(f"r relate {a.number} {b.number} nospeak")
        == f"+OK {a.number}->{b.number} nospeak set\n"
    )
    a.say(700)
    rooms.wait(0.5)
    assert (int(b.heard[-1]), int(c.heard[-1])) == (0, 700)
    assert rooms.command(f"r relate {a.number}") == f"{a.number} -> {b.number} NOSPEAK HEAR NOSENDVIDEO \n"
    cleared = f"+OK relationship {a.number}->{b.number} cleared.\n"
    assert rooms.command(f"r relate {a.number} {b.number} clear") == cleared
    rooms.wait(0.2)
    assert b.heard[-1] == 700
    rooms.command(f"r relate {a.number} {b.number} nohear")
    b.say(300)
    rooms.wait(0.2)
    assert a.heard[-1] == 0


def test_alone_with_music_until_somebody_comes(rooms: Rooms) -> None:
    a = rooms.call("r@sounds", "origination_uuid=a")
    rooms.wait(0.48)
    assert pitch(a.heard[-1200:]) == 300  # the sound of being alone, after its lead-in
    rooms.wait(2)
    assert pitch(a.heard[-1600:]) == 1000
    b = rooms.call("r@sounds")
    a.forget()
    rooms.wait(0.5)
    assert pitch(a.heard[-1600:]) == 440
    rooms.wait(1)
    assert not loud(a.heard[-1600:])
    rooms.switch.api("uuid_kill", b.session.uuid)
    rooms.wait(0.2)
    assert pitch(a.heard[-1200:]) == 880
    rooms.wait(2)
    assert pitch(a.heard[-1600:]) == 1000


def test_music_is_switched(rooms: Rooms) -> None:
    a = rooms.call("r@sounds")
    rooms.wait(2)
    assert rooms.command("r moh off") == "+OK moh\n"
    rooms.wait(1)
    assert not loud(a.heard[-1600:])
    rooms.command("r moh tone_stream://%(100,0,600);loops=-1")
    rooms.command("r moh on")
    rooms.wait(1.5)
    assert pitch(a.heard[-1600:]) == 600


def test_a_muted_member_hears_that(rooms: Rooms) -> None:
    a, b = rooms.call("r@sounds"), rooms.call("r@sounds")
    rooms.wait(2)
    a.forget()
    b.forget()
    rooms.command(f"r mute {a.number}")
    rooms.wait(0.3)
    assert pitch(a.heard[:1600]) == 500
    assert not loud(b.heard)
    rooms.command(f"r unmute {a.number}")
    a.forget()
    rooms.command(f"r mute {a.number} quiet")
    rooms.wait(0.3)
    assert not loud(a.heard)


def test_files_are_played_in_a_row_and_told(rooms: Rooms) -> None:
    a = rooms.call("r@open")
    rooms.wait(0.2)
    a.forget()
    for frequency in (400, 700):
        assert rooms.command(f"r play tone_stream://%(500,0,{frequency})").startswith(
            "+OK (play) Playing file "
        )
    rooms.wait(1.2)
    assert pitch(a.heard[500:3500]) == 400
    assert pitch(a.heard[4500:7500]) == 700
    done = rooms.last("play-file-done")
    assert done.get_header("milliseconds") == "500"
    assert done.get_header("samples") == "4000"
    assert done.get_header("File") == "tone_stream://%(500,0,700)"
    assert rooms.actions().count("play-file-done") == 2


def test_a_file_for_one_member_in_place_of_the_others(rooms: Rooms) -> None:
    a, b = rooms.call("r@open"), rooms.call("r@open")
    rooms.wait(0.2)
    b.say(900, 5)
    reply = rooms.command(f"r play tone_stream://%(500,0,400) {a.number} nomux")
    assert reply.endswith(f"to member {a.number}\n")
    a.forget()
    b.forget()
    rooms.wait(0.3)
    assert pitch(a.heard[:1600]) == 400
    assert abs(float(np.mean(a.heard[:1600]))) < 50
    assert not loud(b.heard)
    rooms.wait(0.5)
    assert a.heard[-1] == 900
    assert rooms.last("play-file-member-done").get_header("Member-ID") == a.number


def test_seeking_pausing_and_volume(rooms: Rooms) -> None:
    a = rooms.call("r@open")
    rooms.wait(0.2)
    assert rooms.command("r file_seek +100") == ""
    assert rooms.command("r play_status") == "-ERR Nothing is playing\n"
    rooms.command("r play tone_stream://%(2000,0,400)")
    rooms.wait(0.1)
    assert rooms.command("r file_seek 1500") == "+OK seek to position 12000\n"
    assert rooms.command("r file_seek -100") == "+OK seek to position 11200\n"
    assert rooms.command("r pause_play") == "+OK Pause\n"
    a.forget()
    rooms.wait(1)
    assert not loud(a.heard)
    assert rooms.command("r pause_play") == "+OK Resume\n"
    assert rooms.command("r file-vol -50") == "+OK volume changed\n"
    rooms.wait(0.2)
    assert not loud(a.heard)
    rooms.wait(1)
    assert rooms.command("r file-vol 1").startswith("-ERR File not playing\n")


def test_speech_needs_an_engine(rooms: Rooms) -> None:
    a = rooms.call("r@open")
    assert rooms.command("r say hello").startswith("-ERR (say) Error!\n")
    assert rooms.command(f"r saymember {a.number} hello") == "+OK (saymember) OK\n"
    assert rooms.command("r saymember 77 hello").startswith("-ERR (saymember) Unknown Member 77!\n")
    assert rooms.command("r say").startswith("-ERR (say) Error! No text.\n")


def test_recording_everything(rooms: Rooms, tmp_path: Path) -> None:
    path = tmp_path / "new" / "room.wav"
    a = rooms.call("r@open")
    rooms.wait(0.1)
    assert rooms.command(f"r record {path}") == f"+OK Record file {path}\n"
    assert rooms.command(f"r record {path}") == f"-ERR file [{path}] is already being used for recording.\n"
    a.say(500, 10)
    rooms.wait(0.5)
    assert rooms.command(f"r recording pause {path}") == f"+OK Pause recording file {path}\n"
    assert 'status="paused"' in rooms.command("r xml_list")
    rooms.wait(5)
    rooms.command(f"r recording resume {path}")
    rooms.wait(0.5)
    assert rooms.command("r recording stop").startswith(f"Stopped recording file {path}\n")
    with wave.open(str(path)) as made:
        assert 7900 <= made.getnframes() <= 8100
        assert np.frombuffer(made.readframes(made.getnframes()), np.int16)[-100] == 500
    told = rooms.last("stop-recording")
    assert told.get_header("Milliseconds-Elapsed") == "1000"
    assert told.get_header("Other-Recordings") == "false"
    assert told.get_header("Record-File-Size") == str(path.stat().st_size)
    file = Sndfile(str(path))
    assert file.tags() == {
        "title": "Conference r",
        "artist": "FreeSWITCH mod_conference Software Conference Module",
    }
    file.close()


def test_a_recording_ends_with_the_room(rooms: Rooms, tmp_path: Path) -> None:
    path = tmp_path / "auto.wav"
    a = rooms.call("r@open", f"conference_auto_record={path}")
    rooms.wait(0.5)
    assert rooms.command("r chkrecord") == f"+OK Record file {path} (Auto)\n"
    assert a.variable("conference_recording") == str(path)
    rooms.switch.api("uuid_kill", a.session.uuid)
    rooms.wait(1)
    assert rooms.actions()[-1] == "conference-destroy"
    assert "stop-recording" in rooms.actions()
    with wave.open(str(path)) as made:
        assert made.getnframes() > 3000


def test_a_recording_that_cannot_be_written_is_told(rooms: Rooms) -> None:
    rooms.call("r@open")
    assert rooms.command("r record /proc/none/x.wav") == "+OK Record file /proc/none/x.wav\n"
    assert rooms.last("start-recording").get_header("Error") == "File could not be opened for recording"
    assert rooms.command("r chkrecord") == "-ERR Conference is not being recorded.\n"


def test_broadcasts_take_a_member_out_of_the_room_meanwhile(rooms: Rooms) -> None:
    a, b = rooms.call("r@open"), rooms.call("r@open")
    b.say(900, 5)
    a.say(400, 5)
    rooms.switch.api("uuid_broadcast", f"{a.session.uuid} tone_stream://%(500,0,400) aleg")
    a.forget()
    b.forget()
    rooms.wait(0.4)
    assert pitch(a.heard[:1600]) == 400
    assert b.heard[-1] == 0
    rooms.wait(0.5)
    assert (int(a.heard[-1]), int(b.heard[-1])) == (900, 400)


def test_nobody_is_heard_before_the_moderator_comes(rooms: Rooms) -> None:
    a, b = rooms.call("r@mod"), rooms.call("r@mod")
    a.say(700, 20)
    rooms.wait(0.5)
    assert not loud(b.heard)
    assert rooms.command("r get wait_mod") == "true"
    rooms.call("r@mod+flags{moderator}")
    rooms.wait(0.5)
    assert b.heard[-1] == 700
    assert rooms.command("r get wait_mod") == ""


def test_rooms_and_members_of_other_rates(rooms: Rooms) -> None:
    a = rooms.call("r@open", "conference_force_rate=16000")
    b = rooms.call("r@open", "null_audio_rate=48000")
    assert rooms.command("r get rate") == "16000"
    assert b.session.line.rate == 48000
    a.say(700, 2)
    rooms.wait(0.5)
    assert b.heard[-1] == 700
