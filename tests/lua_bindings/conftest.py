"""The switches that scripts of these tests run on, in virtual and in real time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from host.clock import SECOND, RealClock
from host.switch import Switch
from lua_bindings import mod_lua
from tests.lua_bindings.scripted import scripted_switch


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    with scripted_switch(tmp_path) as made:
        yield made


@pytest.fixture
def real_switch(tmp_path: Path) -> Iterator[Switch]:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "db").mkdir()
    switch = Switch(RealClock(), tmp_path)
    mod_lua.load(switch)
    yield switch
    mod_lua.unload(switch)
    switch.close(grace=SECOND)
