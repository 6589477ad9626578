from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from host import dtls_identity
from host.clock import VirtualClock
from host.dtls_identity import FILE, DtlsIdentity
from host.log import LogLevel
from media.dtls_certificate import fingerprint_of, new_certificate


class Log(list[str]):
    def __call__(self, level: LogLevel, text: str) -> None:
        self.append(text)


def test_the_certificate_of_the_folder_is_taken(tmp_path: Path) -> None:
    made = new_certificate("theirs", datetime.datetime.now(datetime.UTC))
    (tmp_path / FILE).write_text(made.certificate + made.private_key)
    log = Log()
    identity = DtlsIdentity(lambda: str(tmp_path), VirtualClock(), log).get()
    assert identity is not None and identity.fingerprint == fingerprint_of(made)
    assert not log


@pytest.mark.parametrize("content", (None, b"no certificate", b"\xff"))
def test_else_one_is_made_that_stays(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / FILE).write_bytes(content)
    log = Log()
    identity = DtlsIdentity(lambda: str(tmp_path), VirtualClock(), log)
    before = identity.loaded
    first = identity.get()
    assert (before, identity.loaded) == (False, True)
    assert first is not None and identity.get() is first
    assert len(log) == (content is not None)
    other = DtlsIdentity(lambda: None, VirtualClock(), log).get()
    assert other is not None and other.fingerprint != first.fingerprint


def test_a_key_of_another_certificate_is_told(tmp_path: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    one, other = new_certificate("one", now), new_certificate("other", now)
    (tmp_path / FILE).write_text(one.certificate + other.private_key)
    log = Log()
    identity = DtlsIdentity(lambda: str(tmp_path), VirtualClock(), log).get()
    assert identity is not None and identity.fingerprint != fingerprint_of(one)
    assert "the key is not that of the certificate" in log[0]


def test_without_the_libraries_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dtls_identity, "AVAILABLE", False)
    assert DtlsIdentity(lambda: None, VirtualClock(), Log()).get() is None
