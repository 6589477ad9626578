from __future__ import annotations

import pytest

from host.sdp.description import Attribute, Media
from host.sdp.media_security import (
    SUITE_ORDER,
    SecureMedia,
    is_dtls,
    is_secure,
    parse_secure_media,
    usable_crypto,
)
from media.srtp_keys import SUITES


def test_all_suites_of_the_engine_have_a_place() -> None:
    assert set(SUITE_ORDER) == set(SUITES)


@pytest.mark.parametrize(
    ("value", "inbound", "mode"),
    [
        (None, True, SecureMedia.OPTIONAL),
        ("", True, SecureMedia.OPTIONAL),
        (None, False, SecureMedia.FORBIDDEN),
        ("optional", False, SecureMedia.OPTIONAL),
        ("mandatory", True, SecureMedia.MANDATORY),
        ("true", True, SecureMedia.MANDATORY),
        ("false", True, SecureMedia.FORBIDDEN),
        ("forbidden", True, SecureMedia.FORBIDDEN),
        ("whatever", True, SecureMedia.FORBIDDEN),
    ],
)
def test_modes(value: str | None, inbound: bool, mode: SecureMedia) -> None:
    assert parse_secure_media(value, inbound=inbound).mode is mode


def test_suites() -> None:
    assert parse_secure_media("optional", inbound=True).suites == SUITE_ORDER
    named = "mandatory:AES_CM_128_HMAC_SHA1_80:aead_aes_256_gcm:nonsense:AES_CM_128_HMAC_SHA1_80"
    assert parse_secure_media(named, inbound=True).suites == ("AES_CM_128_HMAC_SHA1_80", "AEAD_AES_256_GCM")
    other = parse_secure_media("mandatory", "AES_CM_128_HMAC_SHA1_32", inbound=True)
    assert other.suites == ("AES_CM_128_HMAC_SHA1_32",)
    assert parse_secure_media("mandatory", inbound=True, supported=()).suites == ()


def test_kinds_of_protection() -> None:
    fingerprint = (Attribute("fingerprint", "sha-256 AA"),)
    assert not is_secure(Media("audio", 1, "RTP/AVP", ("0",), fingerprint))
    assert not is_dtls(Media("audio", 1, "RTP/AVP", ("0",), fingerprint))
    assert is_secure(Media("audio", 1, "rtp/savpf", ("0",)))
    assert is_dtls(Media("audio", 1, "UDP/TLS/RTP/SAVP", ("0",)))
    assert is_dtls(Media("audio", 1, "RTP/SAVPF", ("0",), fingerprint))
    assert not is_dtls(Media("audio", 1, "RTP/SAVPF", ("0",), (*fingerprint, Attribute("crypto", "1 x y"))))


def test_of_one_tag_the_first_is_taken() -> None:
    key = "inline:" + "A" * 40
    lines = (
        Attribute("crypto", f"1 AES_CM_128_HMAC_SHA1_80 {key}"),
        Attribute("crypto", f"1 AES_CM_128_HMAC_SHA1_32 {key}"),
    )
    found = usable_crypto(Media("audio", 1, "RTP/SAVP", ("0",), lines))
    assert [each.suite for each in found] == ["AES_CM_128_HMAC_SHA1_80"]
