"""The file-format modules: what each name opens, at which length, and how it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from host.interfaces import SpeechInterface
from host.session import Session
from host.sound_file import SoundString, open_source
from host.switch import Switch
from media import codec_registry
from media.recording import Recording
from media.source import Samples, Source
from tests.host.one_call import in_call, took

FORMATS = ("mod_sndfile", "mod_native_file", "mod_shout", "mod_flite", "mod_espeak")


@pytest.fixture
def switch(virtual_switch: Switch, tmp_path: Path) -> Switch:
    for module in FORMATS:
        virtual_switch.modules.load(module)
    return virtual_switch


def record(path: Path, ms: int, level: int = 1000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with Recording(str(path), 8000) as recording:
        recording.write(np.full(8 * ms, level, np.int16))
    return path


def whole(source: Source) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    assert source.length is not None
    return source.render(0, source.length)


@pytest.mark.parametrize(
    ("path", "length"),
    [
        ("silence_stream://250", 2000),
        ("silence_stream://-1", None),
        ("silence_stream://100,1400", 800),
        ("tone_stream://%(100,50,440)", 1200),
        ("tone_stream://%(100,50,440);loops=3", 3600),
        ("tone_stream://%(100,50,440);loops=-1", None),
        ("file_string://silence_stream://100!tone_stream://%(100,0,440)", 2000 + 800 + 800),
    ],
)
def test_streams(switch: Switch, path: str, length: int | None) -> None:
    assert open_source(switch, path, 8000).length == length


@pytest.mark.parametrize(
    "path",
    [
        "silence_stream://0",
        "silence_stream://x",
        "tone_stream://r=1;%(1,1,1)" + "x" * 70_000,
        "tts://flite|kal",
        "tts://no_such_engine|v|text",
        "tts://flite|nobody|text",
        "tts://espeak|f3|text",
        "file://nothing",
        "nothing://x",
        "/tmp",
        "no_ending",
    ],
)
def test_what_cannot_be_opened_is_an_os_error(switch: Switch, path: str) -> None:
    with pytest.raises(OSError):
        open_source(switch, path, 8000)


@pytest.mark.parametrize("name", ["none.wav", "none.PCMU", "none.mp3", "none.gsm"])
def test_a_missing_file_is_told_as_missing(switch: Switch, tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        open_source(switch, f"{tmp_path}/{name}", 8000)


def test_noise_is_fainter_the_greater_its_divisor(switch: Switch) -> None:
    loud = np.abs(whole(open_source(switch, "silence_stream://200,100", 8000)).astype(int)).max()
    faint = np.abs(whole(open_source(switch, "silence_stream://200,4000", 8000)).astype(int)).max()
    assert 0 < faint < loud <= 328


def test_tones_from_a_file_and_a_parameter(switch: Switch, tmp_path: Path) -> None:
    (tmp_path / "tones").write_text("%(100,0,440)\n%(50,50,880)\n")
    path = f"tone_stream://path={tmp_path}/tones"
    assert open_source(switch, path, 8000).length == 1600
    assert open_source(switch, path, 8000, {"loops": "2"}).length == 3200
    with pytest.raises(FileNotFoundError):
        open_source(switch, "tone_stream://path=/no/such/file", 8000)


def test_a_file_is_taken_from_its_rate_folder(switch: Switch, tmp_path: Path) -> None:
    record(tmp_path / "digits" / "8000" / "7.wav", 100)
    record(tmp_path / "digits" / "7.wav", 300)
    assert open_source(switch, f"{tmp_path}/digits/7.wav", 8000).length == 800


def test_a_g722_file_sounds_as_what_was_coded(switch: Switch, tmp_path: Path) -> None:
    codec = codec_registry.create("G722")
    sound = (np.sin(np.arange(16000) / 20) * 8000).astype(np.int16)
    coded = b"".join(codec.encode(sound[start : start + 320]) for start in range(0, 16000, 320))
    (tmp_path / "a.G722").write_bytes(coded + coded[:70])  # the last packet is cut off
    source = open_source(switch, f"{tmp_path}/a.G722", 16000)
    assert source.length == 16000 + 140
    heard = whole(source)[:16000].astype(float)
    # The filters of G.722 delay the sound by some 22 samples (ITU-T G.722 clause 3.1).
    likeness = max(np.corrcoef(heard[lag:], sound[: 16000 - lag])[0, 1] for lag in range(40))
    assert likeness > 0.99
    assert open_source(switch, f"{tmp_path}/a.G722", 8000).length == 8070
    with pytest.raises(FileNotFoundError):
        open_source(switch, f"{tmp_path}/none.G722", 8000)
    (tmp_path / "empty.G722").write_bytes(b"")
    assert open_source(switch, f"{tmp_path}/empty.G722", 8000).length == 0


def test_headerless_files_by_codec_name(switch: Switch, tmp_path: Path) -> None:
    sound = (np.sin(np.arange(800) / 5) * 8000).astype(np.int16)
    (tmp_path / "a.L16").write_bytes(sound.tobytes())
    record(tmp_path / "b.ul", 100)
    (tmp_path / "b.PCMU").write_bytes((tmp_path / "b.ul").read_bytes())
    assert np.array_equal(whole(open_source(switch, f"{tmp_path}/a.L16", 8000)), sound)
    louder = whole(open_source(switch, f"{tmp_path}/b.PCMU", 8000))
    assert len(louder) == 800
    assert abs(int(louder[400]) - 1000) < 40
    assert open_source(switch, f"{tmp_path}/a.L16", 16000).length == 1600


def test_recording_is_offered_only_where_it_works(switch: Switch) -> None:
    formats = {format_.name: format_.record for format_ in switch.file_formats}
    assert formats["wav"] and formats["flac"] and formats["ul"]
    assert not formats["tone_stream"] and not formats["PCMU"] and not formats["voc"]


def test_a_file_string_passes_over_what_is_missing(switch: Switch, tmp_path: Path) -> None:
    record(tmp_path / "1.wav", 100)
    given = {"sound_prefix": str(tmp_path)}
    first_there = open_source(switch, "file_string://1.wav!none.wav!1.wav", 8000, given)
    assert first_there.length == 2000 + 1600
    # FreeSWITCH: without the first one there is no silence at the beginning.
    assert open_source(switch, "file_string://none.wav!1.wav", 8000, given).length == 800
    with pytest.raises(FileNotFoundError):
        open_source(switch, "file_string://none.wav!none.wav", 8000, given)


def test_a_file_string_speaks_missing_prompts(switch: Switch, tmp_path: Path) -> None:
    switch.speak_missing = lambda text, rate: Samples(np.zeros(10 * len(text), np.int16), rate)
    source = open_source(
        switch, "file_string://digits/7.wav!digits/40.wav", 8000, {"sound_prefix": str(tmp_path)}
    )
    assert isinstance(source, SoundString)
    assert source.spoken == "7 40"
    assert source.length == 2000 + 10 + 20


def test_urls_of_files(switch: Switch, tmp_path: Path) -> None:
    record(tmp_path / "with blank.wav", 100)
    assert open_source(switch, f"file://{tmp_path}/with%20blank.wav", 8000).length == 800
    assert open_source(switch, f"file://localhost{tmp_path}/with%20blank.wav", 8000).length == 800


def test_a_text_as_a_file(switch: Switch) -> None:
    told: list[tuple[str, str]] = []

    def speak(text: str, voice: str, rate: int) -> Source:
        told.append((text, voice))
        return Samples(np.zeros(5, np.int16), rate)

    switch.speeches.add(SpeechInterface("test", "mod_test", speak))
    assert open_source(switch, "tts://test:profile|calm|{speed=2}press 1 | 2", 8000).length == 5
    assert told == [("press 1 | 2", "calm")]


@pytest.mark.parametrize(
    ("engine", "voice"),
    [("flite", "kal"), ("flite", "SLT"), ("espeak", "de"), ("espeak", "en-us+f3"), ("espeak", "")],
)
def test_engines_speak_and_the_same_text_sounds_the_same(switch: Switch, engine: str, voice: str) -> None:
    found = switch.speeches.get(engine)
    assert found is not None
    first = whole(found.speak("one two", voice, 8000))
    assert len(first) > 2000
    assert np.array_equal(first, whole(found.speak("one two", voice, 8000)))


def stream_configuration(folder: Path, shuffle: bool = False) -> str:
    return f"""<document type="freeswitch/xml"><section name="configuration">
    <configuration name="local_stream.conf">
      <directory name="default" path="{folder}"><param name="shuffle" value="{str(shuffle).lower()}"/></directory>
      <directory name="fast/16000" path="{folder}"/>
      <directory name="gone" path="/no/such/folder"/>
      <directory name="empty" path="{folder}/empty"/>
      <directory path="nameless"/>
    </configuration></section></document>"""


@pytest.fixture
def music(virtual_switch: Switch, tmp_path: Path) -> Callable[[bool], Switch]:
    folder = tmp_path / "music"
    record(folder / "a.wav", 1000, 100)
    record(folder / "b.wav", 1000, 200)
    (folder / "empty").mkdir()
    (folder / "notes.txt").write_text("no music")
    virtual_switch.modules.load("mod_sndfile")

    def configured(shuffle: bool = False) -> Switch:
        virtual_switch.xml.load_text(stream_configuration(folder, shuffle))
        if virtual_switch.modules.exists("mod_local_stream"):
            virtual_switch.modules.unload("mod_local_stream")
        virtual_switch.modules.load("mod_local_stream")
        return virtual_switch

    return configured


def test_a_stream_is_endless_and_shared(music: Callable[..., Switch]) -> None:
    switch = music()
    first = open_source(switch, "local_stream://default", 8000)
    assert first.length is None
    assert [int(first.render(at, 1)[0]) for at in (0, 8000, 16000)] == [100, 200, 100]
    switch.clock.sleep(1_500_000)
    later = open_source(switch, "local_stream://default", 8000)
    assert int(later.render(0, 1)[0]) == 200
    assert int(later.render(4000, 1)[0]) == 100


def test_streams_by_rate_and_the_default_one(music: Callable[..., Switch]) -> None:
    switch = music()
    assert open_source(switch, "local_stream://fast", 16000).rate == 16000
    assert open_source(switch, "local_stream://moh", 8000).length is None
    for name in ("gone", "empty"):
        with pytest.raises(OSError):
            open_source(switch, f"local_stream://{name}", 8000)


def test_a_shuffled_stream_begins_anywhere_but_always_there(music: Callable[..., Switch]) -> None:
    firsts = {int(open_source(music(True), "local_stream://default", 8000).render(0, 1)[0]) for _ in range(3)}
    assert len(firsts) == 1
    assert firsts <= {100, 200}


def test_without_a_configuration_there_is_no_stream(virtual_switch: Switch) -> None:
    virtual_switch.modules.load("mod_local_stream")
    with pytest.raises(FileNotFoundError):
        open_source(virtual_switch, "local_stream://default", 8000)


def test_streams_are_shown(music: Callable[..., Switch], tmp_path: Path) -> None:
    switch = music(True)
    assert f"default,{tmp_path}/music\nfast/16000,{tmp_path}/music\n" in switch.api("local_stream", "show")
    shown = switch.api("local_stream", "show default").splitlines()
    assert shown[:4] == ["default", f"  location: {tmp_path}/music", "  channels: 1", "  rate:     8000"]
    assert shown[5:] == [
        "  samples:  160",
        "  prebuf:   65536",
        "  timer:    soft",
        "  total:    0",
        "  shuffle:  true",
        "  ready:    true",
        "  stopped:  false",
        "  reloading: false",
    ]
    xml = switch.api("local_stream", "show default as xml")
    assert xml.startswith('<?xml version="1.0"?>\n<local_stream name="default">\n  <location>')
    assert switch.api("local_stream", "show nosuch") == "-ERR Cannot locate local_stream nosuch!\n"
    assert switch.api("local_stream") == "-USAGE: <show|start|reload|stop|hup> <local_stream_name>\n"


def test_a_stream_goes_to_its_next_file(music: Callable[..., Switch]) -> None:
    switch = music()
    heard = open_source(switch, "local_stream://default", 8000)
    switch.clock.sleep(250_000)
    assert switch.api("local_stream", "hup default") == "+OK hup stream: default"
    assert heard.render(2000, 8001).tolist() == [200] * 8000 + [100]
    assert switch.api("local_stream", "hup nosuch") == ""


def test_a_stream_is_stopped_and_started(music: Callable[..., Switch]) -> None:
    switch = music()
    heard = open_source(switch, "local_stream://fast", 8000)
    switch.api("local_stream", "stop default")
    assert switch.api("local_stream", "stop default") == "-ERR Cannot locate local_stream default!\n"
    with pytest.raises(FileNotFoundError):
        open_source(switch, "local_stream://default", 8000)
    assert not heard.render(0, 100).any()
    assert switch.api("local_stream", "start default") == "+OK stream: default"
    assert switch.api("local_stream", "start nosuch") == ""
    assert open_source(switch, "local_stream://default", 8000).render(0, 1)[0] == 100


def test_who_plays_a_stream_goes_on_when_it_is_stopped(music: Callable[..., Switch]) -> None:
    switch = music()
    shown: list[str] = []

    def do(session: Session) -> object:
        clock = session.clock
        clock.call_later(1_000_000, lambda: shown.append(switch.api("local_stream", "show default")))
        clock.call_later(2_000_000, lambda: switch.api("local_stream", "stop default"))
        return took(session, lambda: session.execute("playback", "local_stream://default"))

    assert in_call(switch, do).values == [2000]
    assert "  total:    1\n" in shown[0]


def test_a_stream_is_read_again(music: Callable[..., Switch], tmp_path: Path) -> None:
    switch = music()
    heard = open_source(switch, "local_stream://default", 8000)
    switch.clock.sleep(333_333)
    (tmp_path / "music" / "a.wav").unlink()
    record(tmp_path / "music" / "c.wav", 1000, 300)
    assert switch.api("local_stream", "reload default") == "+OK"
    assert [int(heard.render(at, 1)[0]) for at in (2667, 2667 + 8000)] == [200, 300]


def test_a_stream_has_a_volume(music: Callable[..., Switch]) -> None:
    switch = music()
    heard = open_source(switch, "local_stream://default", 8000)
    assert switch.api("local_stream", "vol default") == "+OK vol stream: default is 0"
    assert switch.api("local_stream", "vol default 20") == "+OK vol stream: default is 20"
    assert int(heard.render(0, 1)[0]) == 1000
    assert switch.api("local_stream", "vol default -99") == "+OK vol stream: default is -50"
    assert int(heard.render(0, 1)[0]) == 0
    assert switch.api("local_stream", "vol default auto:500").startswith("-ERR ")


def test_opened_files_are_told_when_asked_for(switch: Switch, tmp_path: Path) -> None:
    path = record(tmp_path / "a.wav", 100)
    logs: list[str] = []
    switch.logs.add_sink(lambda entry: logs.append(entry.text))
    for word in ("off", "on"):
        assert switch.api("sndfile_debug", word) == f"Sndfile Debug: {word}\n"
        open_source(switch, str(path), 8000)
    assert [line for line in logs if line.startswith("Opening")] == [
        f"Opening File [{path}] rate [8000] samples [800]"
    ]
    assert switch.api("sndfile_debug", "nosuch") == switch.api("sndfile_debug") == "-USAGE: <on|off>\n"
