"""The fixture for tests that call legs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from host.switch import Switch
from tests.host.ivr.legs import Legs


@pytest.fixture
def legs(virtual_switch: Switch) -> Iterator[Legs]:
    """A switch with a dialplan of legs to call; all are gone at the end."""
    legs = Legs(virtual_switch)
    yield legs
    legs.hang_up_all()
