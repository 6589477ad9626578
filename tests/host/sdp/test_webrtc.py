"""Offers and answers with browsers: fingerprints, roles, ICE credentials."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.sdp.agreement import Agreement, Refusal
from host.sdp.description import Description, parse
from host.sdp.direction import Direction
from host.sdp.local_media import LocalMedia
from host.sdp.media_security import MediaSecurity, SecureMedia
from host.sdp.offer_answer import Answer, accept_answer, make_answer, make_offer
from host.sdp.transport import chosen, to_transport
from host.sdp.webrtc import LocalWebRtc
from media.rtp_transport import RtpTransport
from media.webrtc_parameters import Certificate, Fingerprint, IceCredentials

OURS = Fingerprint("sha-256", ":".join(["AB"] * 32))
THEIRS = ":".join(["CD"] * 32)
CERTIFICATE = Certificate("certificate", "key")
HERE = IceCredentials("here", "HereHereHereHereHereHere")
LOCAL = LocalMedia(
    "192.0.2.1",
    4000,
    chosen("PCMU"),
    1,
    webrtc=LocalWebRtc(CERTIFICATE, OURS, HERE, "stream"),
)
CALLS = dataclasses.replace(LOCAL, webrtc=LocalWebRtc(CERTIFICATE, OURS, HERE, "stream", offers=True))
ICE = ("a=ice-ufrag:there", "a=ice-pwd:ThereThereThereThereThere")


def described(
    *lines: str,
    protocol: str = "UDP/TLS/RTP/SAVPF",
    fingerprint: str | None = f"sha-256 {THEIRS}",
    setup: str | None = "actpass",
    address: str = "0.0.0.0",
    port: int = 9,
    session: tuple[str, ...] = (),
    mux: bool = True,
) -> Description:
    """Return what a browser says."""
    texts = ["v=0", "o=- 5 5 IN IP4 127.0.0.1", "s=-", "t=0 0", *session]
    texts += [f"m=audio {port} {protocol} 0 101", f"c=IN IP4 {address}", "a=rtpmap:0 PCMU/8000"]
    texts += ["a=rtpmap:101 telephone-event/8000", *lines]
    texts += ["a=rtcp-mux"] if mux else []
    texts += [f"a=fingerprint:{fingerprint}"] if fingerprint else []
    texts += [f"a=setup:{setup}"] if setup else []
    return parse("\r\n".join(texts) + "\r\n")


def answered(offer: Description, local: LocalMedia = LOCAL, agreement: Agreement | None = None) -> Answer:
    answer = make_answer(offer, local, agreement=agreement)
    assert isinstance(answer, Answer), answer
    return answer


def test_an_offer_of_a_browser_is_answered() -> None:
    answer = answered(described(*ICE, "a=mid:0"))
    media, agreed = answer.description.media[0], answer.agreement
    assert media.protocol == "UDP/TLS/RTP/SAVPF"
    assert media.values("fingerprint") == (f"sha-256 {OURS.value}",)
    assert media.values("setup") == ("active",)
    assert (media.values("ice-ufrag"), media.values("ice-pwd")) == (("here",), (HERE.password,))
    assert media.values("candidate") == ("1 1 udp 2130706431 192.0.2.1 4000 typ host generation 0",)
    assert media.has("end-of-candidates") and media.rtcp_mux
    assert media.values("mid") == ("0",) and media.values("msid") == ("stream a0",)
    assert not media.crypto
    assert "\r\na=ice-lite\r\n" in answer.description.serialize().partition("m=")[0]
    assert agreed.peering is not None and agreed.secure and not agreed.held
    assert agreed.peering.dtls.active and agreed.peering.dtls.remote == (Fingerprint("sha-256", THEIRS),)
    assert agreed.peering.ice is not None
    assert agreed.peering.ice.remote == IceCredentials("there", "ThereThereThereThereThere")


def test_the_line_learns_from_ice_where_to_send_to() -> None:
    transport = to_transport(answered(described(*ICE)).agreement, RtpTransport())
    assert transport.remote is None and not transport.learning and transport.sending and transport.rtcp_mux
    assert transport.ice is not None and transport.dtls is not None and transport.dtls.active
    held = to_transport(answered(described(*ICE, "a=inactive")).agreement, RtpTransport())
    assert not held.sending and not held.receiving


@pytest.mark.parametrize(
    ("setup", "ours"), (("actpass", "active"), ("passive", "active"), ("active", "passive"), (None, "active"))
)
def test_who_begins_the_handshake(setup: str | None, ours: str) -> None:
    answer = answered(described(*ICE, setup=setup))
    assert answer.description.media[0].values("setup") == (ours,)


def test_without_ice_the_address_of_the_description_counts() -> None:
    for lines in ((), ("a=ice-ufrag:there",), ("a=ice-ufrag:it", "a=ice-pwd:short")):
        answer = answered(described(*lines, address="192.0.2.7", port=5000, protocol="UDP/TLS/RTP/SAVP"))
        assert answer.agreement.peering is not None and answer.agreement.peering.ice is None
        media = answer.description.media[0]
        assert not media.has("ice-ufrag") and not media.has("candidate")
        assert "ice-lite" not in answer.description.serialize()
        transport = to_transport(answer.agreement, RtpTransport())
        assert transport.remote == ("192.0.2.7", 5000) and transport.learning
    assert answered(described(address="0.0.0.0")).agreement.held


def test_reports_want_the_port_of_sound() -> None:
    answer = answered(described(*ICE, address="192.0.2.7", mux=False))
    assert answer.agreement.peering is not None and answer.agreement.peering.ice is None
    assert not to_transport(answer.agreement, RtpTransport()).rtcp


def test_what_the_session_says_counts_where_the_sound_says_nothing() -> None:
    session = (f"a=fingerprint:sha-512 {':'.join(['EF'] * 64)}", "a=setup:active", *ICE)
    agreed = answered(described(fingerprint=None, setup=None, session=session)).agreement
    assert agreed.peering is not None and agreed.peering.ice is not None
    assert agreed.peering.dtls.remote[0].algorithm == "sha-512" and not agreed.peering.dtls.active


@pytest.mark.parametrize(
    ("offer", "reason"),
    (
        (described(fingerprint=None), "the far end tells no fingerprint of its certificate"),
        (described(fingerprint="sha-256 nonsense"), "the far end tells no fingerprint of its certificate"),
        (described(setup="holdconn"), "DTLS cannot be set up as holdconn"),
        (described(protocol="TCP/TLS/RTP/SAVP"), "audio over TCP/TLS/RTP/SAVP is not spoken here"),
    ),
)
def test_what_cannot_be_taken_is_refused(offer: Description, reason: str) -> None:
    refusal = make_answer(offer, LOCAL)
    assert isinstance(refusal, Refusal) and refusal.reason == reason


def test_without_the_extra_it_is_named() -> None:
    refusal = make_answer(described(*ICE), dataclasses.replace(LOCAL, webrtc=None))
    assert isinstance(refusal, Refusal) and "moonline[webrtc]" in refusal.reason


@pytest.mark.parametrize("mode", tuple(SecureMedia))
def test_dtls_is_as_secure_as_anybody_wants(mode: SecureMedia) -> None:
    assert answered(
        described(*ICE), dataclasses.replace(LOCAL, security=MediaSecurity(mode))
    ).agreement.secure


def test_a_renewed_offer_keeps_role_and_credentials() -> None:
    first = answered(described(*ICE, setup="active"))
    again = answered(described(*ICE), LOCAL, first.agreement)
    assert again.agreement.peering == first.agreement.peering
    assert again.description.media[0].values("setup") == ("passive",)


def test_other_credentials_have_others_answered() -> None:
    first = answered(described(*ICE)).agreement.peering
    assert first is not None
    again = answered(
        described("a=ice-ufrag:again", "a=ice-pwd:AgainAgainAgainAgainAgain"),
        LOCAL,
        answered(described(*ICE)).agreement,
    ).agreement.peering
    assert again is not None and again.ice is not None and first.ice is not None
    assert again.dtls == first.dtls
    assert again.ice.local != first.ice.local and again.ice.remote != first.ice.remote


def test_a_browser_is_offered_sound_as_it_wants_it() -> None:
    offer = make_offer(CALLS)
    (media,) = offer.media
    assert media.protocol == "UDP/TLS/RTP/SAVPF" and media.values("setup") == ("actpass",)
    assert media.rtcp_mux and media.values("ice-ufrag") == ("here",) and media.has("candidate")
    assert "a=ice-lite" in offer.serialize()


@pytest.mark.parametrize(
    ("setup", "active"), (("active", False), ("passive", True), ("actpass", True), (None, True))
)
def test_its_answer_chooses_the_role(setup: str | None, active: bool) -> None:
    agreed = accept_answer(make_offer(CALLS), described(*ICE, setup=setup), CALLS)
    assert isinstance(agreed, Agreement) and agreed.peering is not None
    assert agreed.peering.dtls.active is active
    assert agreed.peering.ice is not None and agreed.peering.ice.local == HERE
    assert agreed.direction is Direction.SENDRECV and not agreed.held


@pytest.mark.parametrize(
    "answer",
    (
        described(*ICE, setup="holdconn"),
        described(*ICE, fingerprint=None),
        described(*ICE, fingerprint=None, setup=None, protocol="RTP/AVP", address="192.0.2.7"),
    ),
)
def test_an_answer_without_a_key_is_refused(answer: Description) -> None:
    assert isinstance(accept_answer(make_offer(CALLS), answer, CALLS), Refusal)


def test_a_new_offer_in_a_session_keeps_what_holds() -> None:
    offer = make_offer(CALLS)
    agreed = accept_answer(offer, described(*ICE, setup="active"), CALLS)
    assert isinstance(agreed, Agreement)
    held = make_offer(
        dataclasses.replace(CALLS, direction=Direction.SENDONLY), previous=offer, agreement=agreed
    )
    (media,) = held.media
    assert media.values("ice-ufrag") == ("here",) and media.has("sendonly")
    assert media.protocol == "UDP/TLS/RTP/SAVPF" and media.rtcp_mux
    again = accept_answer(held, described(*ICE, "a=recvonly", setup="active"), CALLS, agreement=agreed)
    assert isinstance(again, Agreement) and again.peering == agreed.peering


@given(
    st.lists(
        st.sampled_from(("fingerprint", "setup", "ice-ufrag", "ice-pwd", "candidate", "mid")), max_size=6
    ),
    st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"), max_size=60),
)
def test_anything_may_be_said(names: list[str], value: str) -> None:
    offer = described(*(f"a={name}:{value}" for name in names), fingerprint=None, setup=None)
    answer = make_answer(offer, LOCAL)
    assert isinstance(answer, Answer | Refusal)
    if isinstance(answer, Answer):
        answer.description.serialize()
