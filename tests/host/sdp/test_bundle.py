"""Browsers bundle (RFC 9143): an offer to them is a bundle, and an answer names what of theirs it takes."""

from __future__ import annotations

import dataclasses

import pytest

from host.sdp.agreement import Agreement
from host.sdp.description import Description, parse
from host.sdp.local_media import LocalMedia
from host.sdp.offer_answer import Answer, accept_answer, make_answer, make_offer
from host.sdp.transport import chosen
from host.sdp.webrtc import LocalWebRtc
from media.webrtc_parameters import Certificate, Fingerprint, IceCredentials

DIGEST = ":".join(["AB"] * 32)
WEBRTC = LocalWebRtc(
    Certificate("certificate", "key"), Fingerprint("sha-256", DIGEST), IceCredentials.new(), "stream"
)
LOCAL = LocalMedia("192.0.2.1", 4000, chosen("PCMU"), 1, webrtc=WEBRTC)
CALLS = dataclasses.replace(LOCAL, webrtc=dataclasses.replace(WEBRTC, offers=True))


def offer_of(group: str, *mids: str, dtls: bool = True) -> Description:
    """Return an offer of sound and pictures of these names, in a group."""
    session = ["v=0", "o=- 5 5 IN IP4 127.0.0.1", "s=-", "t=0 0", *([f"a=group:{group}"] if group else [])]
    protocol = "UDP/TLS/RTP/SAVPF" if dtls else "RTP/AVP"
    sections = []
    for kind, mid in zip(("audio", "video"), mids, strict=False):
        sections += [f"m={kind} 9 {protocol} 0", "c=IN IP4 0.0.0.0", "a=rtcp-mux"]
        sections += [f"a=mid:{mid}"] if mid else []
        sections += [f"a=fingerprint:sha-256 {DIGEST}", "a=setup:actpass"] if dtls else []
    return parse("\r\n".join((*session, *sections)) + "\r\n")


def answered(group: str, *mids: str, dtls: bool = True) -> tuple[str, ...]:
    """Return the groups of the answer to sound and pictures of these names."""
    answer = make_answer(offer_of(group, *mids, dtls=dtls), LOCAL)
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


def named(description: Description) -> tuple[tuple[str, ...], ...]:
    """Return the groups of a description and the names and streams of its first section."""
    sound = description.media[0]
    return description.values("group"), sound.values("mid"), sound.values("msid")


def test_an_offer_to_a_browser_is_a_bundle() -> None:
    assert named(make_offer(CALLS)) == (("BUNDLE 0",), ("0",), ("stream a0",))


def test_an_offer_to_a_phone_is_in_no_bundle() -> None:
    assert named(make_offer(dataclasses.replace(LOCAL, webrtc=None))) == ((), (), ())


def test_a_later_offer_has_the_names_of_the_first() -> None:
    first = make_offer(CALLS)
    answer = offer_of("BUNDLE 0", "0")
    agreed = accept_answer(first, answer, CALLS)
    assert isinstance(agreed, Agreement)
    assert named(make_offer(CALLS, previous=first, agreement=agreed)) == named(first)


@pytest.mark.parametrize(
    ("group", "mids", "groups", "name"),
    (
        ("BUNDLE sound pictures", ("sound", "pictures"), ("BUNDLE sound",), ("sound",)),
        ("", ("sound",), (), ("sound",)),
        ("", ("",), (), ()),
    ),
)
def test_an_offer_to_who_has_called_has_the_names_that_it_gave(
    group: str, mids: tuple[str, ...], groups: tuple[str, ...], name: tuple[str, ...]
) -> None:
    answer = make_answer(offer_of(group, *mids), LOCAL)
    assert isinstance(answer, Answer)
    again = make_offer(LOCAL, previous=answer.description, agreement=answer.agreement)
    assert named(again) == (groups, name, ("stream a0",))


def test_sound_that_comes_last_is_called_by_its_place() -> None:
    others = parse("v=0\r\no=- 5 5 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=image 9 udptl t38\r\na=mid:0\r\n")
    offer = make_offer(CALLS, previous=others)
    assert [media.values("mid") for media in offer.media] == [(), ("1",)]
