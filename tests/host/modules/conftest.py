"""A switch with all modules that are there, in virtual time but for SIP."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import host.modules
from host.clock import Clock, VirtualClock
from host.modules.mod_event_socket import event_sink
from host.session import Session
from host.switch import Switch
from tests.host.placed_call import parked

# What listens on ports or asks servers of others; a switch under test is asked directly.
SERVERS = frozenset({"mod_event_socket", "mod_hiredis"})
# What knows no virtual time.
REAL = frozenset({"mod_sofia"})


def make_switch(base: Path, clock: Clock | None = None, configuration: str = "") -> Switch:
    """Return a switch with every module of host/modules that its clock allows, its folders below `base`."""
    switch = Switch(clock or VirtualClock(), base, seed=1, media_process=False)
    if configuration:
        switch.xml.load_text(configuration)
    left_out = SERVERS | REAL if switch.clock.virtual else SERVERS
    for found in pkgutil.iter_modules(host.modules.__path__):
        if found.name not in left_out:
            switch.modules.load(found.name)
    event_sink.commands.register(switch)  # what of the event socket needs no socket
    if find_spec("lua_bindings.mod_lua") is not None:
        switch.modules.load("mod_lua")
    return switch


@pytest.fixture
def switch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Switch]:
    monkeypatch.setenv("TZ", "UTC")
    made = make_switch(tmp_path)
    bugs: list[object] = []
    made.observers.append(lambda kind, channel, facts: bugs.append(facts) if kind == "bug" else None)
    with made.clock.participating():
        yield made
        made.close()
    assert not bugs


@pytest.fixture
def leg(switch: Switch) -> Session:
    """A leg that is parked."""
    return parked(switch)
