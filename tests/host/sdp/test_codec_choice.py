from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.sdp.codec_choice import CodecPreference, choose, parse_preference, parse_preferences
from host.sdp.codec_string import remote_codec_string
from host.sdp.description import parse
from media import codec_registry
from tests.host.sdp.every_codec import every_codec

CODECS = every_codec()
MODULES = {"pcmu": "CORE_PCM_MODULE", "pcma": "CORE_PCM_MODULE", "opus": "mod_opus", "ilbc": "mod_ilbc"}


def chosen(text: str) -> list[tuple[str, int, int, str]]:
    return [(each.name, each.rate, each.ptime_ms, each.fmtp) for each in choose(text, CODECS)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("PCMU", CodecPreference("PCMU")),
        ("PCMA@8000h@20i", CodecPreference("PCMA", rate=8000, ptime_ms=20)),
        ("PCMA@20i@8000k", CodecPreference("PCMA", rate=8000, ptime_ms=20)),
        ("opus@48000h@20i@2c", CodecPreference("opus", rate=48000, ptime_ms=20, channels=2)),
        ("G7221@32000h@48000b", CodecPreference("G7221", rate=32000, bit_rate=48000)),
        ("CORE_PCM_MODULE.PCMU@30i", CodecPreference("PCMU", "CORE_PCM_MODULE", ptime_ms=30)),
        (
            "mod_opus.opus~useinbandfec=1;stereo=0@48000h",
            CodecPreference("opus", "mod_opus", 48000, fmtp="useinbandfec=1;stereo=0"),
        ),
        ("PCMU@20", CodecPreference("PCMU")),
        ("PCMU@@xi", CodecPreference("PCMU")),
        ("", CodecPreference("")),
    ],
)
def test_entries(text: str, wanted: CodecPreference) -> None:
    assert parse_preference(text) == wanted


def test_a_list() -> None:
    assert [each.name for each in parse_preferences(" OPUS, G722,,PCMU ,")] == ["OPUS", "G722", "PCMU"]


@given(st.text(max_size=60))
def test_any_text_is_a_list(text: str) -> None:
    for preference in parse_preferences(text):
        assert preference.ptime_ms >= 0
    choose(text, CODECS)


@given(
    st.builds(
        CodecPreference,
        st.sampled_from(("PCMU", "opus", "telephone-event")),
        st.sampled_from(("", "mod_x")),
        st.integers(0, 96000),
        st.integers(0, 120),
        st.integers(0, 64000),
        st.integers(1, 2),
        st.sampled_from(("", "mode=20", "a=1;b=2")),
    )
)
def test_an_entry_is_read_as_written(preference: CodecPreference) -> None:
    assert parse_preference(str(preference)) == preference


def test_what_is_left_open_is_usual() -> None:
    assert chosen("opus,PCMU,G722,iLBC,GSM") == [
        ("opus", 48000, 20, ""),
        ("PCMU", 8000, 20, ""),
        ("G722", 16000, 20, ""),
        ("iLBC", 8000, 30, "mode=30"),
        ("GSM", 8000, 20, ""),
    ]


def test_what_nothing_fits_is_left_out() -> None:
    assert chosen("SPEEX,PCMU@16000h,PCMU@35i,GSM@30i,PCMU@2c,PCMU@8000b,telephone-event,VP8,H264") == []
    assert chosen("PCMU@8000h@20i@64000b,PCMA@1c") == [("PCMU", 8000, 20, ""), ("PCMA", 8000, 20, "")]


def test_what_is_said_twice_counts_once() -> None:
    assert chosen("PCMU,pcmu@8000h,PCMU@20i,PCMU@30i") == [("PCMU", 8000, 20, ""), ("PCMU", 8000, 30, "")]


def test_g722_by_either_rate() -> None:
    assert chosen("G722@8000h") == chosen("G722@16000h") == [("G722", 16000, 20, "")]


def test_ilbc_frames_follow_the_ptime() -> None:
    assert chosen("iLBC@20i@15200b") == [("iLBC", 8000, 20, "mode=20")]
    assert chosen("iLBC@60i") == [("iLBC", 8000, 60, "mode=30")]


def test_only_what_exists() -> None:
    pcmu = codec_registry.find("PCMU")
    assert pcmu is not None
    assert [each.name for each in choose("OPUS,PCMA,PCMU", (pcmu,))] == ["PCMU"]


def test_the_engine_makes_whatever_is_chosen() -> None:
    for choice in choose("PCMU@10i,PCMA@60i,G722,L16", CODECS):
        assert codec_registry.create(choice.name, ptime_ms=choice.ptime_ms, fmtp="").name == choice.name


OFFER = parse(
    "v=0\nm=audio 1 RTP/AVP 96 8 0 98 101\na=rtpmap:96 opus/48000/2\na=rtpmap:98 iLBC/8000\na=fmtp:98 mode=20\n"
    "a=rtpmap:101 telephone-event/8000\nm=image 5 udptl t38\nm=audio 0 RTP/AVP 3\n"
)


def test_what_a_caller_speaks() -> None:
    text = remote_codec_string(OFFER, choose("PCMU,PCMA,opus,iLBC,GSM", CODECS), MODULES, inbound=True)
    assert text == (
        "mod_opus.opus@48000h@20i@2c,CORE_PCM_MODULE.PCMA@8000h@20i@64000b,"
        "CORE_PCM_MODULE.PCMU@8000h@20i@64000b,mod_ilbc.iLBC@8000h@20i@15200b,t38"
    )


def test_what_a_called_one_speaks_is_in_our_order() -> None:
    text = remote_codec_string(OFFER, choose("PCMU,PCMA", CODECS), MODULES, inbound=False)
    assert text == "CORE_PCM_MODULE.PCMU@8000h@20i@64000b,CORE_PCM_MODULE.PCMA@8000h@20i@64000b,t38"
    assert remote_codec_string(parse("v=0\n"), choose("PCMU", CODECS), MODULES, inbound=False) == ""
