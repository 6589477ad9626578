from __future__ import annotations

import datetime
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media import dtls_handshake
from media.dtls_certificate import fingerprint_of, new_certificate, read_certificate
from media.dtls_error import DtlsError
from media.dtls_handshake import MTU, DtlsHandshake, datagrams_of, is_dtls
from media.webrtc_parameters import Certificate, DtlsParameters, Fingerprint

NOW = datetime.datetime.now(datetime.UTC)
OURS, THEIRS = new_certificate("ours", NOW), new_certificate("theirs", NOW)


def pair(
    *, algorithm: str = "sha-256", told: tuple[Fingerprint, ...] | None = None
) -> tuple[DtlsHandshake, DtlsHandshake]:
    """Return the two ends of an association, the active one first."""
    expected = (fingerprint_of(THEIRS, algorithm),) if told is None else told
    return (
        DtlsHandshake(DtlsParameters(OURS, True, expected)),
        DtlsHandshake(DtlsParameters(THEIRS, False, (fingerprint_of(OURS),))),
    )


def exchange(active: DtlsHandshake, passive: DtlsHandshake) -> None:
    """Carry datagrams to and fro until there are none."""
    sent, receiver = active.start(), passive
    for _ in range(10):
        if not sent:
            return
        sent = [reply for one in sent for reply in receiver.receive(one)]
        receiver = active if receiver is passive else passive


@pytest.mark.parametrize("algorithm", ("sha-1", "sha-256", "SHA-512"))
def test_both_sides_come_to_the_same_keys(algorithm: str) -> None:
    active, passive = pair(algorithm=algorithm)
    exchange(active, passive)
    assert active.keys is not None and passive.keys is not None
    assert active.keys.suite == passive.keys.suite == "AEAD_AES_256_GCM"
    assert (active.keys.local, active.keys.remote) == (passive.keys.remote, passive.keys.local)
    assert active.keys.local != active.keys.remote
    assert active.finished and passive.finished


@pytest.mark.parametrize(
    "told",
    (
        (),
        (fingerprint_of(OURS),),
        (Fingerprint("sha-256", "AB:CD"),),
        (Fingerprint("md5", "00"),),
        # The best digest counts, whatever a weaker one says (RFC 8122 section 5).
        (fingerprint_of(THEIRS, "sha-1"), fingerprint_of(OURS, "sha-512")),
    ),
)
def test_a_certificate_that_was_not_told_is_refused(told: tuple[Fingerprint, ...]) -> None:
    active, passive = pair(told=told)
    with pytest.raises(DtlsError, match="not the one that was told"):
        exchange(active, passive)
    assert active.keys is None


def test_one_of_several_fingerprints_is_enough() -> None:
    active, passive = pair(told=(fingerprint_of(OURS), fingerprint_of(THEIRS), Fingerprint("md5", "00")))
    exchange(active, passive)
    assert active.finished


def test_what_is_lost_is_sent_again() -> None:
    active, passive = pair()
    assert active.start()  # lost
    assert active.tick() == []
    repeated: list[bytes] = []
    while not repeated:  # a second by OpenSSL's own clock
        time.sleep(0.02)
        repeated = active.tick()
    sent, receiver = repeated, passive
    while sent:
        sent = [reply for one in sent for reply in receiver.receive(one)]
        receiver = active if receiver is passive else passive
    assert active.finished and passive.finished


def test_a_far_end_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dtls_handshake, "MAX_TIMEOUTS", 0)
    active, _ = pair()
    active.start()
    with pytest.raises(DtlsError, match="does not answer"):
        while True:
            time.sleep(0.02)
            active.tick()


def test_certificates_are_read_from_a_file() -> None:
    both = OURS.certificate + OURS.private_key
    assert fingerprint_of(read_certificate(both)) == fingerprint_of(OURS)
    assert OURS.private_key[30:60] not in repr(OURS)
    for broken in ("", OURS.certificate, "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"):
        with pytest.raises(DtlsError):
            read_certificate(broken)
    with pytest.raises(DtlsError):
        DtlsHandshake(DtlsParameters(Certificate(OURS.certificate, THEIRS.private_key), True))
    with pytest.raises(DtlsError):
        fingerprint_of(OURS, "md5")


def record(size: int) -> bytes:
    return b"\x16\xfe\xfd" + bytes(8) + size.to_bytes(2, "big") + bytes(size)


@given(st.lists(st.integers(0, MTU), max_size=12))
def test_records_are_put_whole_into_datagrams(sizes: list[int]) -> None:
    records = [record(min(size, MTU - 13)) for size in sizes]
    datagrams = datagrams_of(b"".join(records))
    assert b"".join(datagrams) == b"".join(records)
    assert all(len(datagram) <= MTU and is_dtls(datagram) for datagram in datagrams)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_anything_may_come(data: bytes, shaped: bool) -> None:
    _, passive = pair()
    try:
        passive.receive(record(len(data))[:13] + data if shaped else data)
    except DtlsError:
        pass
    assert not passive.finished
