"""The switch that scripts of these tests run on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from host.switch import Switch
from tests.lua_bindings.scripted import scripted_switch


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    with scripted_switch(tmp_path) as made:
        yield made
