"""What the switch brings of itself, and what codecs its reports name."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from host.core_interfaces import PCM_MODULE
from host.module_loader import ModuleUnavailable
from host.modules import mod_opus
from host.switch import Switch
from media import codec_registry


def rows(switch: Switch) -> list[tuple[str, str]]:
    return [(codec.name, codec.module) for codec in switch.codecs]


def test_g711_and_linear_samples_are_the_cores(virtual_switch: Switch) -> None:
    assert rows(virtual_switch) == [
        ("G.711 alaw", PCM_MODULE),
        ("G.711 ulaw", PCM_MODULE),
        ("PROXY PASS-THROUGH", PCM_MODULE),
        ("RAW Signed Linear (16 bit)", PCM_MODULE),
    ]
    for name in ("PCMA", "PCMU", "L16"):
        assert codec_registry.create(name).ptime_ms == 20


@pytest.mark.skipif(find_spec("av") is None, reason="needs PyAV")
def test_opus_comes_and_goes_with_its_module(virtual_switch: Switch) -> None:
    virtual_switch.modules.load("mod_commands")
    virtual_switch.modules.load("mod_opus")
    assert ("OPUS (STANDARD)", "mod_opus") in rows(virtual_switch)
    assert "\ncodec,OPUS (STANDARD),mod_opus\n" in virtual_switch.api("show", "codec")
    assert codec_registry.create("opus").rate == 48000
    virtual_switch.modules.unload("mod_opus")
    assert len(rows(virtual_switch)) == 4


def test_opus_needs_its_library(virtual_switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mod_opus, "find_spec", lambda name: None)
    with pytest.raises(ModuleUnavailable, match=r"moonline\[av\]"):
        virtual_switch.modules.load("mod_opus")
    assert len(rows(virtual_switch)) == 4
