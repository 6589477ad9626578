from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from media.av_codec import AvEncoder
from media.codec import Codec, CodecError, ManyCodec, parse_fmtp
from media.codec_registry import create, find, names, static
from media.g711 import G711
from media.gsm import Gsm
from media.ilbc import Ilbc
from media.l16 import L16
from media.line_codec import LineCodec

av = pytest.importorskip("av")

TWO_WAYS = [
    ("PCMU", None, (10, 20, 30, 40, 50, 60), "", 0.999),
    ("PCMA", None, (10, 20, 30, 40, 50, 60), "", 0.999),
    ("L16", 8000, (10, 20, 30, 60), "", 1.0),
    ("L16", 44100, (10, 20), "", 1.0),
    ("G722", None, (10, 20, 30, 40, 50, 60), "", 0.999),
    ("opus", None, (10, 20, 40, 60), "", 0.99),
    ("opus", 8000, (10, 20, 60), "", 0.99),
    ("opus", 16000, (20, 40), "useinbandfec=1; usedtx=1; maxaveragebitrate=24000", 0.99),
    ("GSM", None, (20, 40, 60), "", 0.99),
    ("iLBC", None, (30, 60), "", 0.97),
    ("iLBC", None, (20, 40, 60), "mode=20", 0.97),
]
CASES = [
    (name, rate, ptime, fmtp, likeness) for name, rate, ptimes, fmtp, likeness in TWO_WAYS for ptime in ptimes
]


def tone(rate: int, count: int, frequency: float = 440.0) -> NDArray[np.int16]:
    sound: NDArray[np.int16] = (9000 * np.sin(2 * np.pi * frequency / rate * np.arange(count))).astype(
        np.int16
    )
    return sound


def likeness(sent: NDArray[np.int16], heard: NDArray[np.int16], rate: int) -> float:
    """The greatest correlation within a delay of 50 ms, of the last half."""
    start, length = len(sent) // 2, len(sent) // 4
    piece = sent[start : start + length]
    return max(
        float(np.corrcoef(piece, heard[start + late : start + late + length])[0, 1])
        for late in range(rate // 20)
    )


@pytest.mark.parametrize(("name", "rate", "ptime", "fmtp", "wanted"), CASES)
def test_what_is_encoded_is_heard(name: str, rate: int | None, ptime: int, fmtp: str, wanted: float) -> None:
    codec = create(name, rate=rate, ptime_ms=ptime, fmtp=fmtp)
    size = codec.rate * ptime // 1000
    sound = tone(codec.rate, size * (1000 // ptime))
    heard = []
    for at in range(0, len(sound), size):
        decoded = codec.decode(codec.encode(sound[at : at + size]))
        assert decoded.dtype == np.int16
        assert decoded.shape == (size,)
        heard.append(decoded)
    assert likeness(sound, np.concatenate(heard), codec.rate) >= wanted - 1e-9


@pytest.mark.parametrize(
    ("name", "rate", "ptime", "size"),
    [("PCMU", None, 20, 160), ("G722", None, 20, 160), ("GSM", None, 60, 99), ("L16", 16000, 10, 320)],
)
def test_payload_sizes(name: str, rate: int | None, ptime: int, size: int) -> None:
    codec = create(name, rate=rate, ptime_ms=ptime)
    assert len(codec.encode(np.zeros(codec.rate * ptime // 1000, np.int16))) == size


def test_the_registry_knows_names_and_static_payload_types() -> None:
    assert names() == ("PCMU", "PCMA", "L16", "G722", "opus", "GSM", "iLBC")
    found = {number: info.name for number in range(128) if (info := static(number)) is not None}
    assert found == {0: "PCMU", 3: "GSM", 8: "PCMA", 9: "G722", 11: "L16"}
    g722 = find("g722")
    assert g722 is not None
    assert (g722.rates, g722.clock_rate, g722.payload_type(16000)) == ((16000,), 8000, 9)
    opus = create("OPUS", rate=8000)
    assert (opus.rate, opus.clock_rate, opus.payload_type) == (8000, 48000, None)
    assert find("EVS") is None
    for name in names():
        info = find(name)
        codec = create(name)
        assert info is not None
        assert (codec.name, codec.stateless) == (info.name, info.stateless)
        assert codec.clock_rate == (info.clock_rate or codec.rate)
        assert codec.payload_type == info.payload_type(codec.rate)


@pytest.mark.parametrize(
    ("name", "rate", "ptime", "fmtp"),
    [
        ("EVS", None, 20, ""),
        ("PCMU", 16000, 20, ""),
        ("PCMU", None, 25, ""),
        ("opus", None, 30, ""),
        ("opus", 44100, 20, ""),
        ("opus", None, 20, "maxaveragebitrate=many"),
        ("GSM", None, 30, ""),
        ("iLBC", None, 20, "mode=25"),
    ],
)
def test_what_there_is_not(name: str, rate: int | None, ptime: int, fmtp: str) -> None:
    with pytest.raises(CodecError):
        create(name, rate=rate, ptime_ms=ptime, fmtp=fmtp)


def test_fmtp() -> None:
    assert parse_fmtp("Mode=20; useinbandfec=1;broken; =x") == {"mode": "20", "useinbandfec": "1", "": "x"}
    assert parse_fmtp("") == {}


# G.711


@pytest.mark.parametrize(("law", "ffmpeg"), [("PCMU", "pcm_mulaw"), ("PCMA", "pcm_alaw")])
def test_g711_is_decoded_as_elsewhere_and_encoded_to_the_nearest(law: str, ffmpeg: str) -> None:
    codec = G711(law)
    decoder = av.CodecContext.create(ffmpeg, "r")
    decoder.sample_rate, decoder.layout = 8000, "mono"
    codes = bytes(range(256))
    values = codec.decode(codes)
    assert np.array_equal(decoder.decode(av.Packet(codes))[0].to_ndarray()[0], values)
    # Each value is encoded to itself; mu-law has two zeros.
    again = codec.decode(codec.encode(values))
    assert np.array_equal(again, values)
    assert sum(one != other for one, other in zip(codes, codec.encode(values), strict=True)) <= 1
    samples = np.arange(-32768, 32768)
    steps = np.unique(values.astype(int))
    heard = codec.decode(codec.encode(samples.astype(np.int16))).astype(int)
    # What is heard rises with what was said, and is no farther than half a step, of the wider side at the border
    # of two segments (the values between which G.711 decides are not in the middle there).
    assert np.all(np.diff(heard) >= 0)
    gaps = np.diff(steps, prepend=steps[0] - 1400, append=steps[-1] + 1400)
    at = np.searchsorted(steps, heard)
    assert np.all(np.abs(heard - samples) <= np.maximum(gaps[at], gaps[at + 1]) / 2)


def test_g711_at_its_corners() -> None:
    corners = np.array([0, 32767, -32768], np.int16)
    assert G711("PCMU").encode(corners).hex() == "ff8000"
    assert G711("PCMA").encode(corners).hex() == "d5aa2a"
    with pytest.raises(ValueError, match="PCMX"):
        G711("PCMX")


@pytest.mark.parametrize("codec", [G711("PCMU"), G711("PCMA")])
def test_lines_at_once_are_as_one_by_one(codec: G711) -> None:
    lines = np.random.default_rng(1).integers(-32768, 32768, (7, 160)).astype(np.int16)
    payloads = codec.encode_lines(lines)
    assert payloads.dtype == np.uint8
    assert [row.tobytes() for row in payloads] == [codec.encode(line) for line in lines]
    decoded = codec.decode_lines(payloads)
    assert np.array_equal(decoded, np.stack([codec.decode(row.tobytes()) for row in payloads]))
    # Rows of a larger array, as an engine cuts them out.
    wide = np.zeros((7, 200), np.uint8)
    wide[:, : payloads.shape[1]][:, :160] = payloads[:, :160]
    assert np.array_equal(codec.decode_lines(wide[:, :160]), codec.decode_lines(payloads[:, :160].copy()))


def test_l16_is_in_network_order() -> None:
    assert L16(8000).encode(np.array([1, -2], np.int16)).hex() == "0001fffe"
    with pytest.raises(CodecError):
        L16(8000).decode(b"abc")


# The others


def test_ilbc_is_heard_in_both_modes() -> None:
    by_fmtp = create("iLBC", ptime_ms=30)
    assert isinstance(by_fmtp, Ilbc)
    assert by_fmtp.mode == 30
    codec = create("iLBC", ptime_ms=20, fmtp="mode=20")
    assert isinstance(codec, Ilbc)
    assert codec.mode == 20
    frame = np.random.default_rng(3).integers(0, 256, 38, dtype=np.uint8)
    frame[-1] &= 0xFE
    assert codec.decode(frame.tobytes()).shape == (160,)
    assert codec.decode(frame.tobytes() * 3).shape == (480,)
    # The other side may change the mode (RFC 3952 3).
    assert codec.decode(bytes(50)).shape == (240,)
    # A peer that asks for a ptime which is no frames gets the mode's.
    assert create("iLBC", ptime_ms=40, fmtp="mode=30").ptime_ms == 30
    for payload in (b"", bytes(37)):
        with pytest.raises(CodecError):
            codec.decode(payload)


def test_ilbc_is_quiet_from_its_first_frame_on() -> None:
    sound = tone(8000, 2400)
    for mode in (20, 30):
        codec = Ilbc(mode)
        heard = codec.decode(codec.encode(sound[: 8 * mode]))
        assert np.abs(heard.astype(np.int32)).max() < 12000


def test_ilbc_encoders_go_together_and_alone() -> None:
    sounds = [tone(8000, 960, 300.0 + 170 * place) for place in range(5)]
    alone = [Ilbc(30, 60) for _ in sounds]
    expected = [
        [codec.encode(sound[at : at + 480]) for at in (0, 480)]
        for codec, sound in zip(alone, sounds, strict=True)
    ]
    codecs = [Ilbc(30, 60) for _ in sounds]
    assert isinstance(codecs[0], ManyCodec)
    assert not isinstance(Gsm(), ManyCodec)
    first = codecs[0].encode_many(codecs, np.stack([sound[:480] for sound in sounds]))
    later = codecs[3].encode_many(codecs[::-1], np.stack([sound[480:] for sound in sounds[::-1]]))[::-1]
    assert [len(payload) for payload in first] == [100] * 5
    assert [list(pair) for pair in zip(first, later, strict=True)] == expected
    with pytest.raises(CodecError):
        codecs[0].encode_many(codecs, np.zeros((4, 480), np.int16))
    assert Ilbc(30, 60).kind == codecs[0].kind != Ilbc(30).kind


def test_gsm_encoders_do_not_disturb_one_another() -> None:
    sound = tone(8000, 1600)
    alone = Gsm()
    expected = [alone.encode(sound[at : at + 160]) for at in range(0, 1600, 160)]
    pair = Gsm(), Gsm()
    for at, payload in zip(range(0, 1600, 160), expected, strict=True):
        assert pair[0].encode(sound[at : at + 160]) == payload
        pair[1].encode(tone(8000, 160, 900))
    # Frames begin with GSM's signature, RFC 3551 4.5.8.1.
    assert {payload[0] >> 4 for payload in expected} == {0xD}


def test_many_gsm_encoders_leave_no_file_open() -> None:
    # A limit of 1024 open files is usual; each encoder holds two.
    for _ in range(1500):
        assert len(Gsm().encode(np.zeros(160, np.int16))) == 33


def test_frames_of_another_size_are_refused() -> None:
    for name in ("G722", "opus", "GSM", "iLBC"):
        with pytest.raises(CodecError):
            create(name).encode(np.zeros(77, np.int16))
    with pytest.raises(CodecError):
        AvEncoder(("g722",), 16000, 320).encode(np.zeros(160, np.int16))
    with pytest.raises(CodecError, match="packs 960 samples"):
        AvEncoder(("libopus",), 48000, 480)


def test_without_pyav_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(CodecError, match=r"moonline\[av\]"):
        create("G722")
    assert create("PCMU").encode(np.zeros(160, np.int16)) == b"\xff" * 160


SHARED: dict[str, Codec] = {}


@settings(max_examples=60)
@given(st.sampled_from(["PCMU", "PCMA", "L16", "G722", "opus", "GSM", "iLBC"]), st.binary(max_size=200))
def test_any_payload_is_sound_or_the_declared_error(name: str, payload: bytes) -> None:
    codec = SHARED.setdefault(name, create(name, ptime_ms=30 if name == "iLBC" else 20))
    try:
        decoded = codec.decode(payload)
    except CodecError:
        return
    assert decoded.dtype == np.int16
    assert decoded.ndim == 1
    assert len(decoded) <= 5760 * max(1, len(payload))


def test_a_codec_goes_on_after_a_damaged_payload() -> None:
    codec = create("opus")
    sound = tone(48000, 960)
    payload = codec.encode(sound)
    for damaged in (b"", b"\xff" * 10, b"\x03"):
        with pytest.raises(CodecError):
            codec.decode(damaged)
    assert codec.decode(payload).shape == (960,)


@pytest.mark.parametrize(
    ("name", "rate", "line_rate"),
    [
        ("PCMU", None, 16000),
        ("G722", None, 8000),
        ("opus", None, 8000),
        ("L16", 44100, 8000),
        ("PCMA", None, 48000),
    ],
)
def test_a_codec_on_a_line_of_another_rate(name: str, rate: int | None, line_rate: int) -> None:
    line = LineCodec(create(name, rate=rate), line_rate)
    sound = tone(line_rate, line.frame_size * 50)
    heard = []
    for at in range(0, len(sound), line.frame_size):
        heard.append(line.decode(line.encode(sound[at : at + line.frame_size])))
        assert heard[-1].shape == (line.frame_size,)
    assert likeness(sound, np.concatenate(heard), line_rate) > 0.999
