"""A script that puts its caller into a queue, played against a caller in simulated time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from host.testing.scenario import Press, Scenario
from host.testing.simulation import CallOptions, run_call
from tests.host.modules.mod_callcenter.conftest import CONFIGURATION

SCRIPT = """
session:answer()
session:setVariable("cc_exit_keys", "0")
session:setAutoHangup(false)
local api = freeswitch.API()
freeswitch.consoleLog("INFO", "agents " .. api:executeString("callcenter_config queue count agents support"))
session:execute("callcenter", argv[1])
freeswitch.consoleLog("INFO", "cause " .. (session:getVariable("cc_cause") or "") .. "\\n")
freeswitch.consoleLog("INFO", "reason " .. (session:getVariable("cc_cancel_reason") or "none") .. "\\n")
"""


@pytest.mark.parametrize(
    ("queue", "said"),
    [
        ("support", ["agents 1", "cause answered", "reason none"]),
        ("again", ["agents 1", "cause cancel", "reason EXIT_WITH_KEY"]),
    ],
)
def test_a_script_waits_in_a_queue(tmp_path: Path, queue: str, said: list[str]) -> None:
    (tmp_path / "freeswitch.xml").write_text(CONFIGURATION)
    script = tmp_path / "queue.lua"
    script.write_text(SCRIPT)
    options = CallOptions(configuration=tmp_path, base=tmp_path)
    scenario = Scenario([Press("0", 20_000_000)], hangup_at=30_000_000)
    began = time.monotonic()
    result = run_call(str(script), [queue], scenario, options)
    assert time.monotonic() - began < 25  # of the 30 s that pass in the call
    assert result.ok, result.errors
    logged = [str(entry.facts["text"]).strip() for entry in result.transcript.of_kind("log")]
    assert [text for text in logged if text.startswith(("agents ", "cause ", "reason "))] == said
