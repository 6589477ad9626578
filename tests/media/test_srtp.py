from __future__ import annotations

import random
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import rtcp
from media.rtp import RtpPacket
from media.srtp import SrtpError, SrtpReceiver, SrtpReplayError, SrtpSender, window_of
from media.srtp_keys import SUITES, CryptoAttribute, CryptoError, InlineKey, new_key

# RFC 4568 9.1's example.
LINE = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:4 FEC_ORDER=FEC_SRTP"
PLAIN = "crypto:2 AES_CM_128_HMAC_SHA1_32 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"


def packet(sequence: int, ssrc: int = 1) -> bytes:
    return RtpPacket(0, sequence & 0xFFFF, sequence * 160, ssrc, bytes([sequence & 0xFF]) * 160).serialize()


# Keys in SDP


def test_a_crypto_line_of_the_rfc() -> None:
    attribute = CryptoAttribute.parse(LINE)
    assert (attribute.tag, attribute.suite) == (1, "AES_CM_128_HMAC_SHA1_80")
    (key,) = attribute.keys
    assert key == InlineKey(b"=-n@%^x!Bjufr9)?,#5h\\`=&]{qiPQ", 2**20, (1, 4))
    assert attribute.parameters == ("FEC_ORDER=FEC_SRTP",)
    assert "a=" + attribute.serialize() == LINE


@given(
    st.integers(0, 999_999_999),
    st.sampled_from(sorted(SUITES)),
    st.none() | st.integers(1, 2**48),
    st.none() | st.tuples(st.integers(0, 255), st.integers(1, 128)),
    st.lists(st.sampled_from(["WSH=64", "KDR=0", "UNENCRYPTED_SRTP", "-X=1"]), max_size=3).map(tuple),
)
def test_what_is_serialized_is_parsed_again(
    tag: int, suite: str, lifetime: int | None, mki: tuple[int, int] | None, parameters: tuple[str, ...]
) -> None:
    key = InlineKey(new_key(suite).key_and_salt, lifetime, mki)
    attribute = CryptoAttribute(tag, suite, (key,), parameters)
    assert CryptoAttribute.parse(attribute.serialize()) == attribute


def test_key_without_padding_and_several_keys() -> None:
    key = new_key("AEAD_AES_128_GCM")
    line = CryptoAttribute(1, "AEAD_AES_128_GCM", (key,)).serialize()
    assert CryptoAttribute.parse(line.rstrip("=")).keys == (key,)
    two = CryptoAttribute(
        1,
        "AEAD_AES_128_GCM",
        (InlineKey(key.key_and_salt, mki=(1, 1)), InlineKey(key.key_and_salt, mki=(2, 1))),
    )
    assert CryptoAttribute.parse(two.serialize()) == two


@pytest.mark.parametrize(
    "line",
    [
        "",
        "crypto:1",
        "crypto:x AES_CM_128_HMAC_SHA1_80 inline:AAAA",
        PLAIN.replace("AES_CM_128_HMAC_SHA1_32", "F8_128_HMAC_SHA1_80"),
        PLAIN.replace("inline:", "uri:"),
        PLAIN[:-4],
        PLAIN.replace("AES_CM_128_HMAC_SHA1_32", "AEAD_AES_256_GCM"),
        PLAIN + "|1:0",
        PLAIN + "|256:1",
        PLAIN + ";" + PLAIN.split()[2],
        PLAIN + " x" * 600,
    ],
)
def test_what_is_no_crypto_line(line: str) -> None:
    with pytest.raises(CryptoError):
        CryptoAttribute.parse(line)


@given(st.one_of(st.text(max_size=100), st.text(max_size=40).map(lambda text: PLAIN + text)))
def test_any_line_is_an_attribute_or_the_declared_error(line: str) -> None:
    try:
        attribute = CryptoAttribute.parse(line)
    except CryptoError:
        return
    assert CryptoAttribute.parse(attribute.serialize()) == attribute


def test_keys_that_do_not_fit() -> None:
    for attribute in (
        CryptoAttribute(1, "AES_CM_128_HMAC_SHA1_80", (InlineKey(b"short"),)),
        CryptoAttribute(1, "AES_CM_128_HMAC_SHA1_80", ()),
        CryptoAttribute(1, "NO_SUITE", (InlineKey(bytes(30)),)),
    ):
        with pytest.raises(CryptoError):
            attribute.serialize()
    with pytest.raises(CryptoError):
        new_key("NO_SUITE")
    assert new_key("AEAD_AES_256_GCM") != new_key("AEAD_AES_256_GCM")


def test_session_parameters() -> None:
    assert window_of(CryptoAttribute.parse(PLAIN + " WSH=256 KDR=0 -NEW")) == 256
    assert window_of(CryptoAttribute.parse(PLAIN + " WSH=1")) == 64
    for refused in ("UNENCRYPTED_SRTP", "KDR=3", "FEC_ORDER=FEC_SRTP", "WSH=x"):
        with pytest.raises(SrtpError):
            window_of(CryptoAttribute.parse(f"{PLAIN} {refused}"))


# Packets

pytest.importorskip("pylibsrtp")


def pair(suite: str = "AES_CM_128_HMAC_SHA1_80") -> tuple[SrtpSender, SrtpReceiver]:
    key = new_key(suite)
    return SrtpSender(suite, key), SrtpReceiver(suite, key)


@pytest.mark.parametrize("suite", sorted(SUITES))
def test_what_is_protected_is_read_again(suite: str) -> None:
    sender, receiver = pair(suite)
    # Over the wrap of the sequence number, which counts a round in the key stream.
    for sequence in range(65500, 65600):
        plain = packet(sequence)
        secret = sender.protect(plain)
        assert plain[12:] not in secret
        assert secret[:12] == plain[:12]
        assert receiver.unprotect(secret) == plain
    report = rtcp.serialize(rtcp.ReceiverReport(1))
    assert receiver.unprotect_rtcp(sender.protect_rtcp(report)) == report


def test_a_replayed_packet_is_refused() -> None:
    sender, receiver = pair()
    secrets = [sender.protect(packet(sequence)) for sequence in range(400)]
    order = list(range(300))
    random.Random(2).shuffle(order[100:150])
    for at in order:
        receiver.unprotect(secrets[at])
    for at in (299, 250, 180, 0):
        with pytest.raises(SrtpReplayError):
            receiver.unprotect(secrets[at])
    # One that is late, but not a replay, is read.
    receiver.unprotect(secrets[399])
    assert receiver.unprotect(secrets[350]) == packet(350)
    with pytest.raises(SrtpReplayError):
        receiver.unprotect(secrets[350])
    report = sender.protect_rtcp(rtcp.serialize(rtcp.ReceiverReport(1)))
    receiver.unprotect_rtcp(report)
    with pytest.raises(SrtpReplayError):
        receiver.unprotect_rtcp(report)


def test_a_number_is_not_used_twice() -> None:
    sender, _ = pair()
    sender.protect(packet(5))
    with pytest.raises(SrtpError):
        sender.protect(packet(5))


def test_forged_packets_change_nothing() -> None:
    sender, receiver = pair()
    stranger, _ = pair()
    receiver.unprotect(sender.protect(packet(1)))
    secret = bytearray(sender.protect(packet(2)))
    for at in range(0, len(secret), 7):
        secret[at] ^= 1
        with pytest.raises(SrtpError):
            receiver.unprotect(bytes(secret))
        secret[at] ^= 1
    with pytest.raises(SrtpError):
        receiver.unprotect(stranger.protect(packet(2)))
    # A forged sequence number far ahead must not lock the true ones out.
    with pytest.raises(SrtpError):
        receiver.unprotect(stranger.protect(packet(30_000)))
    assert receiver.unprotect(bytes(secret)) == packet(2)


def test_several_sources_under_one_key() -> None:
    sender, receiver = pair()
    for ssrc in (1, 2, 3):
        assert receiver.unprotect(sender.protect(packet(9, ssrc))) == packet(9, ssrc)


SENDER, RECEIVER = pair()


@given(
    st.one_of(st.binary(max_size=200), st.binary(max_size=200).map(lambda rest: b"\x80\x00" + rest)),
    st.booleans(),
)
def test_any_bytes_are_refused_with_the_declared_error(data: bytes, control: bool) -> None:
    with pytest.raises(SrtpError):
        (RECEIVER.unprotect_rtcp if control else RECEIVER.unprotect)(data)
    try:
        (SENDER.protect_rtcp if control else SENDER.protect)(data)
    except SrtpError:
        pass


def test_too_long_packets() -> None:
    with pytest.raises(SrtpError):
        SENDER.protect(b"\x80\x00" + bytes(3000))
    with pytest.raises(SrtpError):
        RECEIVER.unprotect(b"\x80\x00" + bytes(3000))


def test_keys_that_libsrtp_cannot_take() -> None:
    with pytest.raises(SrtpError):
        SrtpSender("AES_CM_128_HMAC_SHA1_80", InlineKey(b"short"))
    with pytest.raises(SrtpError, match="MKI"):
        SrtpSender("AES_CM_128_HMAC_SHA1_80", InlineKey(bytes(30), mki=(1, 1)))
    with pytest.raises(SrtpError, match="not known"):
        SrtpReceiver("F8_128_HMAC_SHA1_80", InlineKey(bytes(30)))


def test_without_pylibsrtp_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pylibsrtp", None)
    with pytest.raises(SrtpError, match=r"moonline\[srtp\]"):
        SrtpSender("AES_CM_128_HMAC_SHA1_80", InlineKey(bytes(30)))
