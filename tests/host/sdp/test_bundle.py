"""Browsers bundle what they offer (RFC 9143): an answer names what of the bundle it takes."""

from __future__ import annotations

import pytest

from host.sdp.description import parse
from host.sdp.local_media import LocalMedia
from host.sdp.offer_answer import Answer, make_answer
from host.sdp.transport import chosen
from host.sdp.webrtc import LocalWebRtc
from media.webrtc_parameters import Certificate, Fingerprint, IceCredentials

DIGEST = ":".join(["AB"] * 32)
LOCAL = LocalMedia(
    "192.0.2.1",
    4000,
    chosen("PCMU"),
    1,
    webrtc=LocalWebRtc(
        Certificate("certificate", "key"), Fingerprint("sha-256", DIGEST), IceCredentials.new(), "stream"
    ),
)


def answered(group: str, *mids: str, dtls: bool = True) -> tuple[str, ...]:
    """Return the groups of the answer to sound and pictures of these names."""
    session = ["v=0", "o=- 5 5 IN IP4 127.0.0.1", "s=-", "t=0 0", *([f"a=group:{group}"] if group else [])]
    protocol = "UDP/TLS/RTP/SAVPF" if dtls else "RTP/AVP"
    sections = []
    for kind, mid in zip(("audio", "video"), mids, strict=False):
        sections += [f"m={kind} 9 {protocol} 0", "c=IN IP4 0.0.0.0", f"a=mid:{mid}", "a=rtcp-mux"]
        sections += [f"a=fingerprint:sha-256 {DIGEST}", "a=setup:actpass"] if dtls else []
    answer = make_answer(parse("\r\n".join((*session, *sections)) + "\r\n"), LOCAL)
    assert isinstance(answer, Answer), answer
    return answer.description.values("group")


@pytest.mark.parametrize(
    ("group", "mids", "taken"),
    (
        ("BUNDLE 0", ("0",), ("BUNDLE 0",)),
        ("BUNDLE 0 1", ("0", "1"), ("BUNDLE 0",)),
        ("BUNDLE video sound", ("sound", "video"), ("BUNDLE sound",)),
        ("BUNDLE 1", ("0", "1"), ()),
        ("BUNDLE", ("0",), ()),
        ("LS 0 1", ("0", "1"), ()),
        ("", ("0",), ()),
    ),
)
def test_what_of_a_bundle_is_taken(group: str, mids: tuple[str, ...], taken: tuple[str, ...]) -> None:
    assert answered(group, *mids) == taken


def test_plain_sound_is_in_no_bundle() -> None:
    assert answered("BUNDLE 0", "0", dtls=False) == ()
