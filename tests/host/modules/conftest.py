"""A switch in virtual time with all modules that are there."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import host.modules
from host.clock import VirtualClock
from host.modules.mod_event_socket import event_sink
from host.switch import Switch

# What listens on ports or asks servers of others; a switch under test is asked directly.
SERVERS = frozenset({"mod_event_socket", "mod_hiredis"})


def make_switch(base: Path) -> Switch:
    """Return a switch with every module of host/modules, its folders below `base`."""
    switch = Switch(VirtualClock(), base, seed=1)
    for found in pkgutil.iter_modules(host.modules.__path__):
        if found.name not in SERVERS:
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
