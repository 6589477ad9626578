from __future__ import annotations

from dataclasses import replace

import pytest

from host.sdp.agreement import Agreement
from host.sdp.codec_choice import choose
from host.sdp.description import parse
from host.sdp.direction import Direction
from host.sdp.local_media import LocalMedia
from host.sdp.offer_answer import Answer, accept_answer, make_answer, make_offer
from host.sdp.transport import engine_codecs, to_transport
from media import codec_registry
from media.rtp_transport import RtpTransport
from tests.host.sdp.every_codec import every_codec

BASE = RtpTransport(address="203.0.113.5", ports=(20000, 20010), jitter_ms=60, timeout_ms=5000, cname="x")


def agreement(lines: str, codecs: str = "opus,PCMU") -> Agreement:
    media = LocalMedia("203.0.113.5", 20000, choose(codecs, every_codec()), 1)
    answer = make_answer(parse("v=0\nc=IN IP4 192.0.2.9\n" + lines), media)
    assert isinstance(answer, Answer), answer
    return answer.agreement


def test_an_agreement_is_all_that_a_line_needs() -> None:
    offered = (
        "m=audio 4000 RTP/AVP 96 97\na=rtpmap:96 opus/48000/2\na=fmtp:96 useinbandfec=1\n"
        "a=rtpmap:97 telephone-event/48000\na=ptime:40\na=rtcp:4711\n"
    )
    assert to_transport(agreement(offered), BASE) == replace(
        BASE,
        remote=("192.0.2.9", 4000),
        remote_rtcp=("192.0.2.9", 4711),
        codec="opus",
        payload_type=96,
        ptime_ms=40,
        fmtp="useinbandfec=1",
        event_type=97,
        event_rate=48000,
        comfort_noise_type=None,
    )


def test_holds() -> None:
    listening = to_transport(agreement("m=audio 4000 RTP/AVP 0\na=sendonly\n"), BASE)
    assert (listening.sending, listening.receiving) == (False, True)
    nobody = to_transport(agreement("m=audio 4000 RTP/AVP 0\na=inactive\n"), BASE)
    assert (nobody.sending, nobody.receiving) == (False, False)
    nowhere = to_transport(agreement("m=audio 4000 RTP/AVP 0\nc=IN IP4 0.0.0.0\n"), BASE)
    assert (nowhere.sending, nowhere.receiving, nowhere.remote, nowhere.remote_rtcp) == (
        False,
        True,
        None,
        None,
    )
    ours = replace(agreement("m=audio 4000 RTP/AVP 0\n"), direction=Direction.SENDONLY)
    assert (to_transport(ours, BASE).sending, to_transport(ours, BASE).receiving) == (True, False)


def test_a_name_is_learnt() -> None:
    transport = to_transport(agreement("m=audio 4000 RTP/AVP 0\nc=IN IP4 media.example.com\n"), BASE)
    assert (transport.remote, transport.learning, transport.sending) == (None, True, True)


def test_the_engine_has_what_can_be_spoken() -> None:
    spoken = [name for name in codec_registry.names() if codec_registry.can_speak(name)]
    assert [info.name for info in engine_codecs()] == spoken
    assert {"PCMU", "PCMA", "L16"} <= set(spoken)


@pytest.mark.parametrize(
    ("preference", "rtpmap", "rate", "named"),
    [
        ("L16", "L16/8000", 8000, 8000),
        ("L16@16000h", "L16/16000", 16000, 16000),
        ("L16@44100h", "L16/44100", 44100, None),
        ("opus@16000h", "opus/48000/2", 16000, 16000),
        ("opus", "opus/48000/2", 48000, None),
        ("G722", "G722/8000", 16000, None),
        ("PCMU", "PCMU/8000", 8000, None),
    ],
)
def test_a_rate_is_named_where_it_is_not_the_usual_one(
    preference: str, rtpmap: str, rate: int, named: int | None
) -> None:
    agreed = agreement(f"m=audio 4000 RTP/AVP 100\na=rtpmap:100 {rtpmap}\n", preference)
    assert (agreed.rate, to_transport(agreed, BASE).codec_rate) == (rate, named)


def test_an_answer_may_have_numbers_of_its_own() -> None:
    local = LocalMedia("203.0.113.5", 20000, choose("opus,L16@16000h", every_codec()), 1, telephone_event=101)
    offer = make_offer(local)
    answer = parse(
        "v=0\nc=IN IP4 192.0.2.9\nm=audio 4000 RTP/AVP 120 121\na=rtpmap:120 L16/16000\n"
        "a=rtpmap:121 telephone-event/8000\n"
    )
    agreed = accept_answer(offer, answer, local)
    assert isinstance(agreed, Agreement), agreed
    ours = {each.encoding + str(each.clock_rate): each.payload_type for each in offer.media[0].rtp_maps}
    transport = to_transport(agreed, BASE)
    assert (transport.payload_type, transport.expected_type) == (120, ours["L1616000"])
    assert transport.expected_type != 120
    back = to_transport(agreement("m=audio 4000 RTP/AVP 0\n"), transport)
    assert (back.payload_type_receive, back.event_type_receive) == (None, None)
