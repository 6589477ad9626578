"""Fixtures for tests that need a whole switch in virtual time, and which examples hypothesis tries."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from host.clock import VirtualClock
from host.switch import Switch

# The suite tries the same examples each time. `pytest --hypothesis-profile=search` tries others, and more of them.
# How long one takes says nothing where eight runs share two processors; a test may still ask for a deadline.
settings.register_profile(
    "suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", max_examples=2000, deadline=None)
settings.load_profile("suite")

# What a call needs that goes through the dialplan and plays something.
MODULES = ("mod_tone_stream", "mod_dptools", "mod_dialplan_xml", "mod_loopback")


@pytest.fixture
def virtual_switch(tmp_path: Path) -> Iterator[Switch]:
    """A switch with a virtual clock; the test's thread holds the baton. No call may be left at the end."""
    clock = VirtualClock()
    with clock.participating():
        switch = Switch(clock, tmp_path, seed=1)
        for module in MODULES:
            switch.modules.load(module)
        bugs: list[dict[str, object]] = []
        switch.observers.append(lambda kind, channel, facts: bugs.append(facts) if kind == "bug" else None)
        yield switch
        switch.close()
        assert switch.sessions == {}
        assert switch.engine.line_count == 0
        assert not [bug["error"] for bug in bugs]
    left = [thread for thread in threading.enumerate() if thread.name.startswith(("session-", "originate"))]
    for thread in left:
        thread.join(40)
    assert not [thread.name for thread in left if thread.is_alive()]
