"""How a rock's Lua text calls the host: plain values and bytes, no exception, no Python object in a script's hands.

A host function answers `(True, results…)`, `(False, error text)`, or `(kind, object, results…)` for a new object,
which the border (`border.lua`) hides behind a userdata of that kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lua_bindings.host_call import ScriptFault, to_bytes

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun

# What an implementation returns: one plain value, several, or a new object.
Plain = bytes | int | float | bool | None
Answer = tuple[Plain, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """A new object for the script: its kind, as `border.kind` knows it, and what follows it as results."""

    kind: bytes
    value: object
    rest: tuple[Plain, ...] = ()


def crossing(
    run: ScriptRun, name: str, implementation: Callable[..., object]
) -> Callable[..., tuple[object, ...]]:
    """Return what the border calls: `implementation` with its faults, and the script's end by a kill, as values."""

    def call(*given: object) -> tuple[object, ...]:
        try:
            result = implementation(*given)
            if run.killed is not None:
                raise ScriptFault(run.killed)
        except ScriptFault as fault:
            return False, to_bytes(fault.text)
        except Exception as error:  # a fault of ours: an ordinary error for the script
            run.switch.report_bug(name, error)
            return False, to_bytes(f"{name}: internal error: {type(error).__name__}: {error}")
        if isinstance(result, Made):
            return result.kind, result.value, *result.rest
        if isinstance(result, tuple):
            return True, *result
        return True, result

    return call


def crossings(
    run: ScriptRun, rock: str, implementations: dict[str, Callable[..., object]]
) -> dict[str, Callable[..., object]]:
    """Return `crossing` for several functions of a rock."""
    return {name: crossing(run, f"{rock}.{name}", function) for name, function in implementations.items()}
