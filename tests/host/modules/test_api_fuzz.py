"""Whatever is typed after a command's name: an answer, no traceback, no hang, no call left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.host.modules import api_fuzz


def test_any_argument_gets_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice of what `python -m tests.host.modules.api_fuzz` does at length."""
    for owner, name in api_fuzz.LOOK_UPS:
        monkeypatch.setattr(owner, name, api_fuzz.nobody)
    monkeypatch.chdir(tmp_path)
    wrong = [line for name in api_fuzz.names(tmp_path) for line in api_fuzz.fuzz(name, 25, tmp_path)]
    assert not wrong, "\n".join(wrong)
