from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.sdp.agreement import Agreement, Refusal
from host.sdp.audio_match import Negotiation
from host.sdp.codec_choice import choose
from host.sdp.description import Description, Media, SdpError, parse
from host.sdp.direction import Direction
from host.sdp.local_media import LocalMedia
from host.sdp.media_security import MediaSecurity, SecureMedia, parse_secure_media
from host.sdp.offer_answer import Answer, accept_answer, make_answer, make_offer
from tests.host.sdp.every_codec import every_codec
from tests.host.sdp.test_description import DESCRIPTIONS, NEARLY

HEAD = "v=0\r\no=- 9 9 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"


def local(codecs: str = "PCMU,PCMA", address: str = "203.0.113.5", **fields: object) -> LocalMedia:
    media = LocalMedia(address, 20000, choose(codecs, every_codec()), 1_700_000_000)
    return replace(media, **fields)  # type: ignore[arg-type]


def answered(offer: Description, media: LocalMedia, **known: object) -> Answer:
    answer = make_answer(parse(offer.serialize()), media, **known)  # type: ignore[arg-type]
    assert isinstance(answer, Answer), answer
    return answer


def accepted(offer: Description, answer: Description | str, media: LocalMedia) -> Agreement:
    text = HEAD + answer if isinstance(answer, str) else answer.serialize()
    agreement = accept_answer(offer, parse(text), media)
    assert isinstance(agreement, Agreement), agreement
    return agreement


def lines(description: Description) -> list[str]:
    return description.serialize().split("\r\n")


def test_an_offer_is_written_as_freeswitch_writes_it() -> None:
    assert lines(make_offer(local("OPUS,G722,PCMU,PCMA"))) == [
        "v=0",
        "o=FreeSWITCH 1700000000 1700000001 IN IP4 203.0.113.5",
        "s=FreeSWITCH",
        "c=IN IP4 203.0.113.5",
        "t=0 0",
        "m=audio 20000 RTP/AVP 102 9 0 8 103 104 101 13",
        "a=rtpmap:102 opus/48000/2",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:103 telephone-event/48000",
        "a=fmtp:103 0-15",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=rtpmap:104 CN/48000",
        "a=rtpmap:13 CN/8000",
        "a=ptime:20",
        "a=sendrecv",
        "",
    ]


def test_the_only_clock_has_the_usual_numbers() -> None:
    offer = make_offer(local("opus"))
    assert offer.media[0].formats == ("102", "101", "13")
    assert "a=rtpmap:101 telephone-event/48000" in lines(offer)


def test_numbers_of_the_settings_are_not_given_to_codecs() -> None:
    offer = make_offer(local("opus,iLBC", telephone_event=102, comfort_noise=None))
    assert offer.media[0].formats == ("103", "104", "105", "102")
    assert "a=silenceSupp:off - - - -" in lines(offer)


def test_short_offers() -> None:
    offer = make_offer(local("PCMU,opus", verbose=False, telephone_event=None, comfort_noise=None))
    assert [line for line in lines(offer) if line.startswith("a=rtpmap")] == ["a=rtpmap:102 opus/48000/2"]


def test_reports_of_an_offer() -> None:
    assert "a=rtcp-mux" not in lines(make_offer(local()))
    assert {"a=rtcp-mux", "a=rtcp:20000 IN IP4 203.0.113.5"} <= set(lines(make_offer(local(rtcp=True))))
    assert "a=rtcp:20001 IN IP4 203.0.113.5" in lines(make_offer(local(rtcp=True, rtcp_mux=False)))


def test_nothing_to_offer() -> None:
    with pytest.raises(SdpError):
        make_offer(local("SPEEX"))
    with pytest.raises(SdpError):
        make_offer(local(security=MediaSecurity(SecureMedia.MANDATORY, ())))


def test_ipv6() -> None:
    assert "c=IN IP6 2001:db8::5" in lines(make_offer(local(address="2001:db8::5")))


def test_the_answer_chooses() -> None:
    media = local("OPUS,PCMU,PCMA")
    agreement = accepted(
        make_offer(media), "m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n", media
    )
    assert (agreement.codec, agreement.payload_type, agreement.telephone_event) == ("PCMA", 8, 101)
    assert (agreement.remote_address, agreement.remote_port) == ("192.0.2.9", 4000)
    assert agreement.comfort_noise is None


def test_an_answer_with_numbers_of_its_own() -> None:
    """RFC 3264 5.1: we send by the answer's numbers, and receive by our own."""
    media = local("opus")
    text = "m=audio 4000 RTP/AVP 111 97\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:97 telephone-event/48000\r\n"
    agreement = accepted(make_offer(media), text, media)
    assert (agreement.payload_type, agreement.payload_type_receive) == (111, 102)
    assert (agreement.telephone_event, agreement.telephone_event_receive) == (97, 101)
    assert agreement.telephone_event_rate == 48000


def test_an_answer_without_rtpmap_means_the_offered() -> None:
    media = local("opus")
    agreement = accepted(make_offer(media), "m=audio 4000 RTP/AVP 102 101\r\n", media)
    assert (agreement.codec, agreement.payload_type, agreement.telephone_event) == ("opus", 102, 101)


def test_keys_that_were_not_offered() -> None:
    media = local("opus,PCMU")
    text = "m=audio 4000 RTP/AVP 0 99\r\na=rtpmap:99 telephone-event/16000\r\n"
    assert accepted(make_offer(media), text, media).telephone_event is None


def test_an_answer_with_several_codecs() -> None:
    text = "m=audio 4000 RTP/AVP 8 0\r\n"
    generous, greedy = local(), local(negotiation=Negotiation.GREEDY)
    assert accepted(make_offer(generous), text, generous).codec == "PCMA"
    assert accepted(make_offer(greedy), text, greedy).codec == "PCMU"


def test_ptime_of_an_answer() -> None:
    media = local()
    offer = make_offer(media)
    assert accepted(offer, "m=audio 4000 RTP/AVP 0\r\na=ptime:30\r\n", media).ptime_ms == 30
    assert accepted(offer, "m=audio 4000 RTP/AVP 0\r\na=maxptime:10\r\n", media).ptime_ms == 10
    scrooge = replace(media, negotiation=Negotiation.SCROOGE)
    assert accepted(offer, "m=audio 4000 RTP/AVP 0\r\na=ptime:30\r\n", scrooge).ptime_ms == 20


def test_ilbc_of_30_ms_where_one_side_says_so() -> None:
    media = local("iLBC@30i")
    text = "m=audio 4000 RTP/AVP 102\r\na=rtpmap:102 iLBC/8000\r\na=fmtp:102 mode=20\r\n"
    agreement = accepted(make_offer(media), text, media)
    assert (agreement.ptime_ms, agreement.fmtp) == (30, "mode=30")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("m=audio 0 RTP/AVP 0\r\n", "refuses"),
        ("m=audio 4000 RTP/AVP 18\r\n", "codecs"),
        ("m=video 4000 RTP/AVP 96\r\n", "no audio"),
        ("", "no audio"),
        ("m=audio 4000 RTP/SAVP 0\r\n", "key"),
        ("m=audio 4000 UDP/TLS/RTP/SAVP 0\r\n", "UDP/TLS"),
        ("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 224.0.0.1\r\n", "224.0.0.1"),
    ],
)
def test_answers_that_are_none(text: str, reason: str) -> None:
    media = local()
    refusal = accept_answer(make_offer(media), parse(HEAD + text), media)
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


def test_early_media_and_then_another_answer() -> None:
    """A 183 of one branch and the 200 of another answer the same offer."""
    media = local("PCMU,PCMA")
    offer = make_offer(media)
    early = accepted(offer, "m=audio 4000 RTP/AVP 0\r\n", media)
    final = accepted(offer, "m=audio 6000 RTP/AVP 8\r\nc=IN IP4 192.0.2.77\r\n", media)
    assert (early.codec, early.remote_port) == ("PCMU", 4000)
    assert (final.codec, final.remote_port, final.remote_address) == ("PCMA", 6000, "192.0.2.77")


def test_late_offer() -> None:
    """An INVITE without a body: we offer in the 200, the answer is in the ACK."""
    callee, caller = local("PCMU,PCMA"), local("PCMA", "198.51.100.1")
    offer = make_offer(callee)
    answer = answered(offer, caller)
    agreement = accepted(offer, answer.description, callee)
    assert agreement.codec == answer.agreement.codec == "PCMA"


def test_hold_and_resume_by_us() -> None:
    media, peer = local(), local("PCMA,PCMU", "198.51.100.1")
    offer = make_offer(media)
    first = answered(offer, peer)
    agreement = accepted(offer, first.description, media)

    hold = make_offer(replace(media, direction=Direction.SENDONLY), previous=offer, agreement=agreement)
    assert hold.media[0].formats == ("0", "101", "13")
    assert lines(hold)[1] == "o=FreeSWITCH 1700000000 1700000002 IN IP4 203.0.113.5"
    held = answered(hold, peer, previous=first.description, agreement=first.agreement)
    assert held.agreement.held
    assert held.agreement.direction is Direction.RECVONLY
    ours = accepted(hold, held.description, media)
    assert (ours.direction, ours.held) == (Direction.SENDONLY, False)

    resume = make_offer(media, previous=hold, agreement=ours)
    assert lines(resume)[1].split()[2] == "1700000003"
    back = answered(resume, peer, previous=held.description, agreement=held.agreement)
    assert not back.agreement.held
    assert replace(accepted(resume, back.description, media)) == agreement


def test_the_version_stays_where_nothing_changes() -> None:
    media = local()
    offer = parse(HEAD + "m=audio 4000 RTP/AVP 0\r\n")
    first = answered(offer, media)
    again = answered(offer, media, previous=first.description, agreement=first.agreement)
    assert again == first
    repeated = make_offer(media, previous=make_offer(media))
    assert repeated == make_offer(media)
    moved = answered(offer, replace(media, port=20002), previous=first.description, agreement=first.agreement)
    assert lines(moved.description)[1].split()[1:3] == ["1700000000", "1700000002"]


def test_sections_keep_their_number_and_place() -> None:
    media = local()
    offer = parse(HEAD + "m=video 5000 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 0\r\n")
    first = answered(offer, media)
    ours = make_offer(media, previous=first.description, agreement=first.agreement)
    assert [(each.kind, each.port) for each in ours.media] == [("video", 0), ("audio", 20000)]


def test_numbers_stay_in_a_session() -> None:
    """RFC 3264 8.3.2: a number never means something else later."""
    media = local("PCMU,opus")
    offer = parse(
        HEAD
        + "m=audio 4000 RTP/AVP 102 96\r\na=rtpmap:102 opus/48000/2\r\na=rtpmap:96 telephone-event/48000\r\n"
    )
    first = answered(offer, media)
    ours = make_offer(media, previous=first.description, agreement=first.agreement)
    assert ours.media[0].formats == ("102", "96", "13")
    anew = make_offer(
        local("PCMU,iLBC,opus"), previous=first.description, agreement=first.agreement, renegotiate=True
    )
    assert [str(each.payload_type) for each in anew.media[0].rtp_maps if each.names("opus")] == ["102"]
    assert [str(each.payload_type) for each in anew.media[0].rtp_maps if each.names("iLBC")] == ["103"]
    assert len(set(anew.media[0].formats)) == len(anew.media[0].formats)


def test_numbers_that_the_far_end_uses_anew() -> None:
    """Each description is read for itself: 101 was telephone-event, and is opus now."""
    media = local("opus,PCMU")
    first = answered(
        parse(HEAD + "m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"), media
    )
    second = answered(
        parse(HEAD + "m=audio 4000 RTP/AVP 101 0\r\na=rtpmap:101 opus/48000/2\r\n"),
        media,
        previous=first.description,
        agreement=first.agreement,
    )
    assert (second.agreement.codec, second.agreement.payload_type) == ("opus", 101)
    assert second.agreement.telephone_event is None


def test_the_codec_changes_on_a_later_offer() -> None:
    media = local("PCMU,PCMA")
    first = answered(parse(HEAD + "m=audio 4000 RTP/AVP 0\r\n"), media)
    second = answered(
        parse(HEAD + "m=audio 4000 RTP/AVP 8\r\n"),
        media,
        previous=first.description,
        agreement=first.agreement,
    )
    assert (first.agreement.codec, second.agreement.codec) == ("PCMU", "PCMA")


def test_the_section_of_the_agreement_goes_first() -> None:
    media = local()
    first = answered(parse(HEAD + "m=audio 0 RTP/AVP 0\r\nm=audio 4000 RTP/AVP 0\r\n"), media)
    second = answered(
        parse(HEAD + "m=audio 4002 RTP/AVP 0\r\nm=audio 4000 RTP/AVP 0\r\n"),
        media,
        previous=first.description,
        agreement=first.agreement,
    )
    assert second.agreement.media_index == first.agreement.media_index == 1


def test_secure_or_not() -> None:
    """FreeSWITCH: optional security offers two sections, and takes either."""
    secure = local(security=parse_secure_media("optional", inbound=False))
    offer = make_offer(secure)
    assert [(each.protocol, each.port) for each in offer.media] == [("RTP/SAVP", 20000), ("RTP/AVP", 20000)]
    assert [value.split()[1] for value in offer.media[0].crypto] == list(secure.security.suites)

    plain = answered(offer, local(address="198.51.100.1"))
    assert [each.port for each in plain.description.media] == [0, 20000]
    agreement = accepted(offer, plain.description, secure)
    assert (agreement.srtp, agreement.media_index) == (None, 1)

    peer = local(address="198.51.100.1", security=parse_secure_media("true", inbound=True))
    answer = answered(offer, peer)
    agreement = accepted(offer, answer.description, secure)
    assert agreement.srtp is not None
    assert answer.agreement.srtp is not None
    assert agreement.srtp.local == answer.agreement.srtp.remote
    assert agreement.srtp.remote == answer.agreement.srtp.local
    assert agreement.srtp.suite == "AEAD_AES_256_GCM"

    hold = make_offer(replace(secure, direction=Direction.INACTIVE), previous=offer, agreement=agreement)
    assert [each.port for each in hold.media] == [20000, 0]
    assert hold.media[0].crypto == (offer.media[0].crypto[0],)
    held = answered(hold, peer, previous=answer.description, agreement=answer.agreement)
    assert held.agreement.srtp == answer.agreement.srtp
    assert held.agreement.held
    after = accept_answer(hold, held.description, secure, agreement=agreement)
    assert isinstance(after, Agreement)
    assert after.srtp == agreement.srtp


def test_a_far_end_with_another_key_has_another_of_ours() -> None:
    """What counts packets anew on their side counts anew on ours, which the same key forbids (RFC 3711 9.1)."""
    peer = local(security=parse_secure_media("mandatory", inbound=True))
    one = make_offer(local(security=parse_secure_media("mandatory:AES_CM_128_HMAC_SHA1_80", inbound=False)))
    other = make_offer(local(security=parse_secure_media("mandatory:AES_CM_128_HMAC_SHA1_80", inbound=False)))
    first = answered(one, peer)
    second = answered(other, peer, previous=first.description, agreement=first.agreement)
    assert first.agreement.srtp is not None
    assert second.agreement.srtp is not None
    assert first.agreement.srtp.local != second.agreement.srtp.local


def test_an_answer_cannot_strip_mandatory_keys() -> None:
    media = local(security=parse_secure_media("mandatory", inbound=False))
    offer = make_offer(media)
    assert [each.protocol for each in offer.media] == ["RTP/SAVP"]
    for text in ("m=audio 4000 RTP/AVP 0\r\n", "m=audio 4000 RTP/SAVP 0\r\n"):
        assert isinstance(accept_answer(offer, parse(HEAD + text), media), Refusal)


def test_an_answer_with_one_section_for_two() -> None:
    secure = local(security=parse_secure_media("optional", inbound=False))
    agreement = accepted(make_offer(secure), "m=audio 4000 RTP/AVP 0\r\n", secure)
    assert (agreement.srtp, agreement.media_index) == (None, 1)


def test_keys_with_tags_of_their_own() -> None:
    media = local(security=parse_secure_media("mandatory", inbound=False))
    offer = make_offer(media)
    key = offer.media[0].crypto[2].split()[2]
    text = f"m=audio 4000 RTP/SAVP 0\r\na=crypto:9 AES_CM_128_HMAC_SHA1_80 {key}\r\n"
    agreement = accepted(offer, text, media)
    assert agreement.crypto is not None
    assert (agreement.crypto.tag, agreement.crypto.suite) == (3, "AES_CM_128_HMAC_SHA1_80")


# --- rules that hold for whatever comes -------------------------------------------------------------------------

_CODECS = st.lists(
    st.sampled_from(
        (
            "PCMU",
            "PCMA",
            "G722",
            "opus",
            "iLBC@20i",
            "iLBC@30i",
            "GSM",
            "L16",
            "PCMU@30i",
            "PCMA@40i",
            "opus@16000h@60i",
        )
    ),
    min_size=1,
    max_size=6,
).map(",".join)
_LOCAL = st.builds(
    LocalMedia,
    st.sampled_from(("203.0.113.5", "203.0.113.6")),
    st.integers(1, 65000),
    _CODECS.map(lambda text: choose(text, every_codec())),
    st.integers(1, 2**32 - 2),
    st.sampled_from(("FreeSWITCH", "x")),
    st.sampled_from(Direction),
    st.sampled_from(Negotiation),
    st.sampled_from((101, 96, 102, None)),
    st.sampled_from((13, None)),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from(SecureMedia).map(MediaSecurity),
)
_OFFERS = st.builds(
    lambda description, sections: replace(description, media=tuple(sections)),
    DESCRIPTIONS,
    st.lists(
        st.builds(
            Media,
            st.sampled_from(("audio", "audio", "video", "image")),
            st.sampled_from((0, 4000)),
            st.sampled_from(("RTP/AVP", "RTP/SAVP", "UDP/TLS/RTP/SAVPF", "udptl")),
            st.lists(st.sampled_from(("0", "8", "9", "18", "96", "101", "13")), max_size=5).map(tuple),
        ),
        max_size=5,
    ),
)


@given(_OFFERS | NEARLY.map(lambda text: HEAD + text), _LOCAL)
def test_an_answer_has_a_section_for_each(offer: Description | str, media: LocalMedia) -> None:
    try:
        offer = parse(offer) if isinstance(offer, str) else offer
    except SdpError:
        return
    answer = make_answer(offer, media)
    if isinstance(answer, Refusal):
        assert answer.reason
        return
    assert [each.kind for each in answer.description.media] == [each.kind for each in offer.media]
    assert sum(each.port != 0 for each in answer.description.media) == 1
    assert parse(answer.description.serialize()) == answer.description


@given(_LOCAL, _LOCAL)
def test_two_of_us_come_to_the_same_terms(caller: LocalMedia, callee: LocalMedia) -> None:
    offer = make_offer(caller)
    assert parse(offer.serialize()) == offer
    assert len(set(offer.media[0].formats)) == len(offer.media[0].formats)
    answer = make_answer(parse(offer.serialize()), callee)
    if isinstance(answer, Refusal):
        return
    terms = accept_answer(offer, parse(answer.description.serialize()), caller)
    assert isinstance(terms, Agreement), terms
    theirs = answer.agreement
    assert terms.codec == theirs.codec
    assert terms.payload_type == theirs.payload_type_receive
    assert terms.payload_type_receive == theirs.payload_type
    assert terms.telephone_event == theirs.telephone_event_receive
    assert terms.comfort_noise == theirs.comfort_noise
    assert terms.direction is theirs.direction.reverse
    assert terms.rtcp_mux == theirs.rtcp_mux
    assert (terms.srtp is None) == (theirs.srtp is None)
    assert (terms.remote_port, theirs.remote_port) == (callee.port, caller.port)
    again = make_offer(caller, previous=offer, agreement=terms)
    assert len(again.media) == len(offer.media)
    second = make_answer(again, callee, previous=answer.description, agreement=theirs)
    assert isinstance(second, Answer), second
    assert second.agreement.codec == theirs.codec
    assert isinstance(accept_answer(again, second.description, caller, agreement=terms), Agreement)
