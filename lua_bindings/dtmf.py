"""freeswitch.DTMF: a digit with a duration, as SWIG shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.inbox import DEFAULT_DTMF_DURATION
from lua_bindings.host_call import ScriptFault
from lua_bindings.opaque import Opaque

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun


class DTMF:
    """One digit; its duration is a C value that Lua cannot read."""

    def __init__(self, run: ScriptRun, digit: str | None, duration: Opaque | None = None) -> None:
        if digit is None:
            raise ScriptFault("Error in DTMF::DTMF (arg 1), expected 'char' got 'nil'")
        self.digit = digit[:1]
        self.duration = duration or Opaque("uint32_t", DEFAULT_DTMF_DURATION)


class InputCallbackState:
    """freeswitch.input_callback_state_t: four values that nothing in mod_lua uses."""

    def __init__(self, run: ScriptRun) -> None:
        self.c_function: object = None
        self.threadState: object = None
        self.extra: object = None
        self.funcargs: str | None = None
