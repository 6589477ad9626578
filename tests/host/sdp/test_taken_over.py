"""Offers in a session that two others have begun with each other: sound that is to pass here from now on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from host.sdp.codec_choice import choose
from host.sdp.description import Description, parse
from host.sdp.local_media import LocalMedia
from host.sdp.media_security import MediaSecurity, SecureMedia, parse_secure_media
from host.sdp.offer_answer import make_offer
from tests.host.sdp.every_codec import every_codec

HEAD = "v=0\r\no=phone 77 8 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
VIDEO = "m=video 5000 RTP/AVP 97\r\n"
CLEAR = "m=audio 4000 RTP/AVP 0\r\n"
SECURED = "m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40 + "\r\n"


def secure(word: str) -> MediaSecurity:
    made = parse_secure_media(word, inbound=True, supported=("AES_CM_128_HMAC_SHA1_80",))
    assert made is not None
    return made


def offered(previous: str, security: str = "forbidden") -> Description:
    media = LocalMedia("203.0.113.5", 20000, choose("PCMU,PCMA", every_codec()), 1_700_000_000)
    media = replace(media, security=secure(security))
    return make_offer(media, previous=parse(previous), renegotiate=True)


def test_it_is_the_next_version_of_their_session_with_our_address() -> None:
    made = offered(HEAD + CLEAR)
    assert made.origin is not None
    assert made.origin.serialize() == "phone 77 9 IN IP4 192.0.2.9"
    assert made.connection is not None and made.connection.address == "203.0.113.5"
    assert [(media.kind, media.port) for media in made.media] == [("audio", 20000)]


@pytest.mark.parametrize("version", ["1.5", "", "٣", "9" * 21])
def test_a_version_that_is_none_begins_a_session_of_ours(version: str) -> None:
    previous = parse(HEAD + CLEAR)
    assert previous.origin is not None
    odd = replace(previous, origin=replace(previous.origin, version=version))
    media = LocalMedia("203.0.113.5", 20000, choose("PCMU", every_codec()), 1_700_000_000)
    made = make_offer(media, previous=odd, renegotiate=True)
    assert made.origin is not None and made.origin.session_id == "1700000000"


def test_sound_keeps_its_place_and_other_streams_end() -> None:
    made = offered(HEAD + VIDEO + CLEAR)
    assert [(media.kind, media.port) for media in made.media] == [("video", 0), ("audio", 20000)]


@pytest.mark.parametrize(
    ("before", "security", "wanted"),
    [
        (CLEAR, "optional", ["RTP/AVP"]),
        (SECURED, "optional", ["RTP/SAVP"]),
        (CLEAR, "mandatory", ["RTP/SAVP"]),
        (SECURED, "forbidden", ["RTP/AVP"]),
        (VIDEO, "optional", ["RTP/SAVP", "RTP/AVP"]),
    ],
)
def test_sound_stays_as_secure_as_it_was_unless_that_is_decided(
    before: str, security: str, wanted: list[str]
) -> None:
    assert SecureMedia(security) is secure(security).mode
    made = offered(HEAD + before, security)
    assert [media.protocol for media in made.media if media.kind == "audio"] == wanted
    assert made.media[0].kind == before[2:7]
