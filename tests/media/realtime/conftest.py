from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.media.realtime.far_end import Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()
    assert made.faults == []
