"""The random octets of the rock uuid: those of the switch, so that a run with a seed is the same each time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from lua_bindings.rocks.crossing import crossings

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun


def functions(run: ScriptRun) -> Mapping[str, Callable[..., object]]:
    """Return `new`: a random UUID (RFC 9562, version 4) as text."""
    return crossings(run, "uuid", {"new": lambda: run.switch.new_uuid().encode()})
