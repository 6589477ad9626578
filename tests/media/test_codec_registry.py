"""Which codecs there are, and which of them can be spoken here."""

from __future__ import annotations

import dataclasses

import pytest

from media import codec_registry
from media.codec import Codec, CodecError


def test_what_numpy_alone_can_do_is_spoken() -> None:
    assert all(codec_registry.can_speak(name) for name in ("PCMU", "pcma", "L16"))
    assert not codec_registry.can_speak("no such codec")


def test_with_pyav_all_are_spoken() -> None:
    pytest.importorskip("av")
    assert [name for name in codec_registry.names() if not codec_registry.can_speak(name)] == []


def test_a_codec_without_its_library_is_not_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(rate: int, ptime_ms: int, fmtp: object) -> Codec:
        raise CodecError("the library is not installed")

    info = codec_registry.find("G722")
    assert info is not None
    monkeypatch.setitem(codec_registry._BY_NAME, "g722", dataclasses.replace(info, make=lacking))
    assert not codec_registry.can_speak.__wrapped__("G722")
