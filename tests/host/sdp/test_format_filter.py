"""What `bypass_media_sdp_filter` takes out of a description, and what it leaves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.sdp.format_filter import filtered

OFFER = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 0 8 96 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:96 opus/48000/2\r\n"
    "a=fmtp:96 useinbandfec=1\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=sendrecv\r\n"
)


@pytest.mark.parametrize(
    ("rules", "formats", "told"),
    [
        ("remove(PCMU)", "8 96 101", [96, 96, 101, 101]),
        ("remove(pcma)", "0 96 101", [0, 96, 96, 101, 101]),
        ("remove(opus)|remove(PCMU)", "8 101", [101, 101]),
        ("only(PCMA)", "8 101", [101, 101]),
        ("only(opus)", "96 101", [96, 96, 101, 101]),
        ("remove(G729)", "0 8 96 101", [0, 96, 96, 101, 101]),
        ("remove(speex)", "0 8 96 101", [0, 96, 96, 101, 101]),
        ("keep(PCMU)|only()|remove", "0 8 96 101", [0, 96, 96, 101, 101]),
    ],
)
def test_what_is_left(rules: str, formats: str, told: list[int]) -> None:
    lines = filtered(OFFER, rules).split("\r\n")
    assert f"m=audio 4000 RTP/AVP {formats}" in lines
    numbers = [
        int(line.split(":")[1].split()[0]) for line in lines if line.startswith(("a=rtpmap", "a=fmtp"))
    ]
    assert numbers == told
    others = [line for line in OFFER.split("\r\n") if not line.startswith(("m=", "a=rtpmap", "a=fmtp"))]
    assert [line for line in lines if not line.startswith(("m=", "a=rtpmap", "a=fmtp"))] == others


@given(st.text(), st.text())
def test_any_text_is_taken(description: str, rules: str) -> None:
    filtered(description, rules)
    filtered(description, f"remove({rules})|only({rules})")


@given(st.text())
def test_no_rule_changes_nothing(description: str) -> None:
    assert filtered(description, "") == description
