"""mod_ilbc: its codec is told of while it is loaded."""

from __future__ import annotations

import pytest

from host.module_loader import ModuleUnavailable
from host.modules import mod_ilbc
from host.switch import Switch


def test_the_codec_comes_and_goes_with_the_module(virtual_switch: Switch) -> None:
    pytest.importorskip("av")
    virtual_switch.modules.load("mod_commands")
    virtual_switch.modules.load("mod_ilbc")
    assert "\ncodec,iLBC,mod_ilbc\n" in virtual_switch.api("show", "codec")
    assert "true" in virtual_switch.api("module_exists", "mod_ilbc")
    virtual_switch.modules.unload("mod_ilbc")
    assert "iLBC" not in virtual_switch.api("show", "codec")


def test_it_needs_its_library(virtual_switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mod_ilbc, "find_spec", lambda name: None)
    with pytest.raises(ModuleUnavailable, match=r"moonline\[av\]"):
        virtual_switch.modules.load("mod_ilbc")
