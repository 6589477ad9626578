"""What tests of lines in real time move by hand, and the engine in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from media.realtime.remote_engine import RemoteEngine
from tests.media.realtime.far_end import Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()
    assert made.faults == []


@pytest.fixture
def engine() -> Iterator[RemoteEngine]:
    """An engine whose process and lines tell of no fault."""
    faults: list[str] = []
    made = RemoteEngine(faults.append, lambda text, lines: faults.append(text))
    yield made
    made.close()
    assert faults == []
