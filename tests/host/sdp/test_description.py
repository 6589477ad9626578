from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.sdp.description import (
    MAX_LENGTH,
    MAX_MEDIA,
    Attribute,
    Bandwidth,
    Connection,
    Description,
    Media,
    Origin,
    SdpError,
    Timing,
    parse,
)
from host.sdp.direction import Direction
from host.sdp.media_section import Rtcp
from host.sdp.rtp_map import RtpMap

FULL = "\r\n".join(
    (
        "v=0",
        "o=alice 2890844526 2890842807 IN IP4 10.47.16.5",
        "s=SDP Seminar",
        "i=A Seminar on the session description protocol",
        "u=http://www.example.com/seminars/sdp.pdf",
        "e=alice@example.com (Alice Smith)",
        "p=+1 617 555-6011",
        "c=IN IP4 233.252.0.1/127/3",
        "b=CT:128",
        "t=2873397496 2873404696",
        "r=7d 1h 0 25h",
        "z=2882844526 -1h 2898848070 0",
        "k=prompt",
        "a=recvonly",
        "a=tool:some thing 1.0",
        "m=audio 49170/2 RTP/AVP 0 111",
        "i=the sound",
        "c=IN IP6 2001:db8::2",
        "b=AS:64",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 minptime=10; useinbandfec=1",
        "a=ptime:20",
        "a=maxptime:60",
        "a=rtcp:53020 IN IP6 2001:db8::3",
        "a=rtcp-mux",
        "a=candidate:1 1 UDP 2130706431 10.0.1.1 8998 typ host",
        "a=X-unknown",
        "m=video 0 UDP/TLS/RTP/SAVPF 99",
        "a=inactive",
        "",
    )
)


def test_every_line_is_read_and_written_back() -> None:
    read = parse(FULL)
    assert read.serialize() == FULL
    assert read.origin == Origin("alice", "2890844526", "2890842807", "10.47.16.5")
    assert read.connection == Connection("233.252.0.1", suffix="/127/3")
    assert read.times == (Timing("2873397496", "2873404696", ("7d 1h 0 25h",)),)
    assert read.bandwidths == (Bandwidth("CT", "128"),)
    sound, sight = read.media
    assert (sound.port, sound.port_count, sound.title) == (49170, 2, "the sound")
    assert read.connection_of(sound) == Connection("2001:db8::2", "IP6")
    assert read.connection_of(sight) == read.connection
    assert sound.payload_types == (0, 111)
    assert sound.rtp_maps == (RtpMap(0, "PCMU", 8000), RtpMap(111, "opus", 48000, 2))
    assert sound.format_parameters(111) == "minptime=10; useinbandfec=1"
    assert (sound.ptime, sound.maxptime, sound.rtcp_mux) == (20, 60, True)
    assert sound.rtcp == Rtcp(53020, "2001:db8::3")
    assert sound.has("x-unknown")
    assert sound.values("candidate") == ("1 1 UDP 2130706431 10.0.1.1 8998 typ host",)
    assert read.direction_of(sound) is Direction.RECVONLY
    assert read.direction_of(sight) is Direction.INACTIVE


def test_line_ends_and_order_are_free() -> None:
    assert parse(FULL.replace("\r\n", "\n")) == parse(FULL)
    assert parse(FULL.replace("\r\n", "\r")) == parse(FULL)
    assert parse(FULL.replace("\r\n", "\r\n\r\n") + "\0") == parse(FULL)
    swapped = parse("a=x\nt=0 0\nc=IN IP4 10.0.0.1\nv=0\ns=-\nm=audio 1 RTP/AVP 0\n")
    assert swapped == Description(
        None,
        (Media("audio", 1, "RTP/AVP", ("0",)),),
        Connection("10.0.0.1"),
        times=(Timing(),),
        attributes=(Attribute("x"),),
    )


def test_separators_of_unicode_are_no_line_ends() -> None:
    read = parse("v=0\ns=a\u2028b\x85c\x0bd\n")
    assert read.name == "a\u2028b\x85c\x0bd"


def test_bytes_survive() -> None:
    data = b"v=0\r\ns=Gespr\xe4ch\r\na=note:\xff\xfe\r\n"
    text = data.decode("utf-8", "surrogateescape")
    assert parse(text).serialize().encode("utf-8", "surrogateescape") == data


def test_a_name_with_blanks_in_the_origin() -> None:
    read = parse("v=0\no=Cisco  Phone 1 2 IN IP4 10.0.0.1\n")
    assert read.origin == Origin("Cisco Phone", "1", "2", "10.0.0.1")
    assert parse("v=0\no= 1 2 IN IP4 10.0.0.1\n").origin == Origin("-", "1", "2", "10.0.0.1")


def test_parameters_on_several_lines_are_one() -> None:
    media = parse("v=0\nm=audio 1 RTP/AVP 96\na=fmtp:96 a=1;\na=fmtp:96 b=2\na=fmtp:97 c=3\n").media[0]
    assert media.format_parameters(96) == "a=1;b=2"


def test_broken_attributes_take_only_themselves_away() -> None:
    text = (
        "m=audio 1 RTP/AVP 0 96 97 200\n"
        "a=rtpmap:96\na=rtpmap:97 L16/16000/1\na=rtpmap:200 X/1\na=ptime:0\na=rtcp:x\n"
    )
    media = parse(text).media[0]
    assert media.rtp_maps == (RtpMap(0, "PCMU", 8000), RtpMap(97, "L16", 16000))
    assert (media.ptime, media.rtcp) == (None, None)


def test_a_fraction_of_a_ptime_is_dropped() -> None:
    assert parse("m=audio 1 RTP/AVP 0\na=ptime:20.0\n").media[0].ptime == 20
    assert parse("m=audio 1 RTP/AVP 0\na=ptime: 30 \n").media[0].ptime == 30


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n\r\n",
        "hello",
        "v=1\n",
        "v=\n",
        "v=0\nnonsense\n",
        "v=0\nab=c\n",
        "v=0\no=- 1 1 IN IP4\n",
        "v=0\nc=IN IP4\n",
        "v=0\nm=audio\n",
        "v=0\nm=audio 70000 RTP/AVP 0\n",
        "v=0\nm=audio -1 RTP/AVP 0\n",
        "v=0\nm=audio ٣ RTP/AVP 0\n",
        "v=0\nm=audio 1/0 RTP/AVP 0\n",
        "v=0\nm=audio 1/ RTP/AVP 0\n",
        "v=0\nr=7d 1h\n",
        "v=0\ns=a\0b\n",
        "v=0\ns=" + "x" * MAX_LENGTH,
        "m=audio 1 RTP/AVP 0\n" * (MAX_MEDIA + 1),
        "m=audio 1 RTP/AVP" + " 0" * 300,
    ],
)
def test_no_description(text: str) -> None:
    with pytest.raises(SdpError):
        parse(text)


def test_no_line_can_be_smuggled_in() -> None:
    for name in ("x\r\na=evil", "x\na=evil", "x\0"):
        with pytest.raises(SdpError):
            Description(Origin(name, "1", "1", "10.0.0.1")).serialize()
        with pytest.raises(SdpError):
            Description(None, attributes=(Attribute("note", name),)).serialize()


# --- anything goes in, and what goes in comes out -------------------------------------------------------------------

_LETTERS = st.characters(exclude_characters="\r\n\0", codec="utf-8")
_TEXT = st.text(_LETTERS, max_size=20)
_WORD = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/"), min_size=1, max_size=10
)
_NAME = st.text(st.characters(exclude_characters="\r\n\0:", codec="utf-8"), max_size=12)
_ATTRIBUTES = st.lists(st.builds(Attribute, _NAME, st.none() | _TEXT), max_size=6).map(tuple)
_BANDWIDTHS = st.lists(st.builds(Bandwidth, _NAME, _TEXT), max_size=2).map(tuple)
_CONNECTION = st.builds(Connection, _WORD, _WORD, _WORD, st.sampled_from(("", "/127", "/127/3")))
_TIMES = st.lists(st.builds(Timing, _WORD, _WORD, st.lists(_TEXT, max_size=2).map(tuple)), max_size=2).map(
    tuple
)
_ORIGIN = st.builds(Origin, _WORD, _WORD, _WORD, _WORD, _WORD, _WORD)
_TEXTS = st.lists(_TEXT, max_size=2).map(tuple)
_MEDIA = st.builds(
    Media,
    _WORD,
    st.integers(0, 65535),
    st.sampled_from(("RTP/AVP", "RTP/SAVP", "UDP/TLS/RTP/SAVPF", "udptl", "TCP/MSRP")),
    st.lists(_WORD, max_size=5).map(tuple),
    _ATTRIBUTES,
    st.lists(_CONNECTION, max_size=2).map(tuple),
    _BANDWIDTHS,
    st.none() | _TEXT,
    st.none() | _TEXT,
    st.integers(1, 99999),
)
DESCRIPTIONS = st.builds(
    Description,
    st.none() | _ORIGIN,
    st.lists(_MEDIA, max_size=4).map(tuple),
    st.none() | _CONNECTION,
    _TEXT,
    _TIMES,
    _ATTRIBUTES,
    _BANDWIDTHS,
    st.none() | _TEXT,
    st.none() | _TEXT,
    _TEXTS,
    _TEXTS,
    st.none() | _TEXT,
    st.none() | _TEXT,
)

# Text that comes near to a description, so that more than the first line is read.
NEARLY = st.lists(
    st.builds(
        "{}={}".format,
        st.sampled_from("vosiuepcbtrzkam"),
        _TEXT
        | st.sampled_from(
            (
                "0",
                "audio 4000 RTP/AVP 0 8 96 101",
                "audio 0/2 RTP/SAVP 9",
                "rtpmap:96 opus/48000/2",
                "rtpmap:101 telephone-event/8000",
                "fmtp:96 x=1",
                "ptime:30",
                "IN IP4 192.0.2.1",
                "IN IP6 2001:db8::1",
                "- 1 1 IN IP4 x",
                "crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA",
                "sendonly",
                "rtcp:5001",
            )
        ),
    ),
    max_size=14,
).map("\n".join)


@given(DESCRIPTIONS)
def test_what_is_written_is_read_again(description: Description) -> None:
    assert parse(description.serialize()) == description


@given(
    st.text(st.characters(), max_size=200)
    | NEARLY
    | st.binary(max_size=200).map(lambda data: data.decode("utf-8", "surrogateescape"))
)
def test_parsing_raises_nothing_else(text: str) -> None:
    try:
        read = parse(text)
    except SdpError:
        return
    assert parse(read.serialize()) == read
    for media in read.media:
        assert len(media.rtp_maps) <= len(media.payload_types)
        read.direction_of(media)
        read.ptime_of(media)
        assert media.rtcp is None or 0 < media.rtcp.port <= 65535


@given(st.integers(0, len(FULL)))
def test_a_description_cut_anywhere(end: int) -> None:
    try:
        parse(FULL[:end])
    except SdpError:
        pass


def test_a_long_line_is_read_at_once() -> None:
    """Time must not grow with the square of what a stranger sends; pytest's timeout would tell."""
    blanks = " " * 60_000
    for line in (f"fmtp:96 x{blanks}y", f"rtpmap:96 {blanks}", f"fmtp:{blanks}96", f"rtcp:1{blanks}x"):
        media = parse(f"m=audio 1 RTP/AVP 96\na={line}\n").media[0]
        assert media.payload_types == (96,)
        assert len(media.rtp_maps) == 0
        assert len(media.parameters) == line.startswith("fmtp:96")


def test_many_lines_are_read_at_once() -> None:
    numbers = " ".join(str(number) for number in range(128))
    lines = "a=fmtp:1 x\n" * 5000
    media = parse(f"m=audio 1 RTP/AVP {numbers}\n{lines}").media[0]
    assert len(media.parameters[1]) == 9999
