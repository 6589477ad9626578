"""Descriptions with the address and ports of a relay: all else stays as it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.sdp.description import SdpError, parse
from host.sdp.passed_on import readdressed, stream_ends
from media.packet_relay import StreamEnd

OFFER = (
    "v=0\r\no=phone 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 96 101\r\na=rtcp:4009\r\na=rtpmap:96 odd/48000/2\r\na=x:m=audio 1\r\n"
    "m=video 5000/2 RTP/SAVP 97\r\nc=IN IP4 192.0.2.8/127\r\na=rtcp:5003 IN IP4 192.0.2.9\r\n"
    "m=image 0 udptl t38\r\na=rtcp:7\r\n"
)


def test_only_addresses_and_ports_are_others() -> None:
    said = readdressed(OFFER, "203.0.113.5", (6000, 6100, 6200))
    assert said == (
        "v=0\r\no=phone 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 203.0.113.5\r\nt=0 0\r\n"
        "m=audio 6000 RTP/AVP 96 101\r\na=rtcp:6001\r\na=rtpmap:96 odd/48000/2\r\na=x:m=audio 1\r\n"
        "m=video 6100/2 RTP/SAVP 97\r\nc=IN IP4 203.0.113.5/127\r\na=rtcp:6101 IN IP4 203.0.113.5\r\n"
        "m=image 0 udptl t38\r\na=rtcp:7\r\n"
    )


def test_an_address_that_says_not_now_stays_and_families_may_change() -> None:
    held = "v=0\nc=IN IP4 0.0.0.0\nm=audio 4000 RTP/AVP 0\nc=IN IP4 192.0.2.8\n"
    assert readdressed(held, "2001:db8::5", (6000,)) == (
        "v=0\nc=IN IP4 0.0.0.0\nm=audio 6000 RTP/AVP 0\nc=IN IP6 2001:db8::5\n"
    )


def test_where_the_far_end_receives() -> None:
    assert stream_ends(parse(OFFER), learning=False) == (
        StreamEnd(("192.0.2.7", 4000), ("192.0.2.7", 4009), False),
        StreamEnd(("192.0.2.8", 5000), ("192.0.2.9", 5003), False),
        StreamEnd(None, ("192.0.2.7", 7), False),
    )


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "phone.example.com"])
def test_an_address_that_nothing_can_be_sent_to_is_none(address: str) -> None:
    kind = "IP6" if ":" in address else "IP4"
    text = f"v=0\r\nc=IN {kind} {address}\r\nm=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n"
    assert stream_ends(parse(text)) == (StreamEnd(None, None),)


def test_reports_of_a_stream_that_mixes_them_go_where_it_goes() -> None:
    text = "v=0\r\nc=IN IP4 192.0.2.7\r\nm=audio 65535 RTP/AVP 0\r\na=rtcp-mux\r\n"
    both = ("192.0.2.7", 65_535)
    assert stream_ends(parse(text)) == (StreamEnd(both, both),)


LINES = st.lists(
    st.one_of(
        st.sampled_from(OFFER.split("\r\n")),
        st.sampled_from(
            ["c=IN IP4 0.0.0.0", "a=rtcp:", "m=audio", "c=", "a=rtcp:99999 IN", "m= audio 9 x y"]
        ),
        st.text(max_size=20),
    ),
    max_size=30,
)


@given(LINES, st.sampled_from(["\r\n", "\n", "\r"]))
def test_any_text_keeps_its_lines(lines: list[str], end: str) -> None:
    text = end.join(lines)
    said = readdressed(text, "203.0.113.5", (6000, 6100))
    assert len(re.findall(r"\r\n|\n|\r", said)) == len(re.findall(r"\r\n|\n|\r", text))
    try:
        parsed = parse(text)
    except SdpError:
        return
    again = parse(said)
    assert [media.kind for media in again.media] == [media.kind for media in parsed.media]
    for place, (before, after) in enumerate(zip(parsed.media, again.media, strict=True)):
        assert after.formats == before.formats and after.protocol == before.protocol
        wanted = (6000, 6100)[place] if before.port and place < 2 else before.port
        assert after.port == wanted
