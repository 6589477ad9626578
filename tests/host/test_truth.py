from __future__ import annotations

import pytest

from host.truth import is_true


@pytest.mark.parametrize("text", ["yes", "ON", "True", "t", "enabled", "active", "allow", "1", "-1", "27"])
def test_true(text: str) -> None:
    assert is_true(text)


@pytest.mark.parametrize("text", [None, "", "no", "false", "0", "00", "0.5", "1x", "truth", " true", "1_0"])
def test_not_true(text: str | None) -> None:
    assert not is_true(text)
