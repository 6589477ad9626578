"""The calls that scripts make most, without the general conversion: they take and return bytes themselves."""

from __future__ import annotations

from collections.abc import Callable as Function
from typing import TYPE_CHECKING, Final

from lua_bindings.contract import Callable
from lua_bindings.host_call import CALL_COST_US, to_bytes, to_text

if TYPE_CHECKING:
    from lua_bindings.core_session import CoreSession
    from lua_bindings.event_object import Event
    from lua_bindings.script_run import ScriptRun

# Variables whose text is kept as bytes per session object; a script reads a few dozen.
_CACHE_LIMIT: Final = 1000


def find(run: ScriptRun, class_name: str | None, callable_: Callable) -> Function[..., object] | None:
    """Return the quick function of a method or function, None when it has none."""
    maker = _MAKERS.get(callable_.label)
    if maker is None:
        return None
    quick = maker(run)
    charge = run.charge
    if charge is None:
        return quick

    def charged(*given: object) -> object:
        try:
            charge(CALL_COST_US)
        except Exception as error:  # the virtual clock has nothing left to wait for
            return None, to_bytes(str(error)), 2
        return quick(*given)

    return charged


def _get_variable(run: ScriptRun) -> Function[..., object]:
    def get_variable(leg: CoreSession, name: bytes | None) -> object:
        session = leg.session
        if session is None:
            leg._no_call()
            return b""
        channel = session.channel
        generation = channel.variables.generation
        cache = leg.variable_cache
        if leg.variable_generation != generation or len(cache) > _CACHE_LIMIT:
            cache.clear()
            leg.variable_generation = generation
        elif name in cache:
            return cache[name]
        if not name:
            return None
        text = to_text(name)
        value = channel.variables.get(text)
        if value is not None:
            cache[name] = found = to_bytes(value)
            return found
        value = channel.get_variable(text)
        return None if value is None else to_bytes(value)

    return get_variable


def _set_variable(run: ScriptRun) -> Function[..., object]:
    def set_variable(leg: CoreSession, name: bytes | None, value: bytes | None) -> object:
        session = leg.session
        if session is None:
            leg._no_call()
        elif name:
            session.channel.set_variable(to_text(name), to_text(value) if value else None)
        return None

    return set_variable


def _ready(run: ScriptRun) -> Function[..., object]:
    from lua_bindings.core_session import CoreSession
    from lua_bindings.host_call import ScriptFault

    def ready(leg: CoreSession) -> object:
        if leg.hangup_func_str is None:
            session = leg.session
            return session is not None and session.channel.ready
        try:
            return CoreSession.ready(leg)
        except ScriptFault as fault:
            return None, to_bytes(fault.text), fault.level

    return ready


def _get_header(run: ScriptRun) -> Function[..., object]:
    def get_header(event: Event, name: bytes | None) -> object:
        if not name or event.event is None:
            return event.getHeader(to_text(name) if name else None)
        value = event.event.get_header(to_text(name))
        return None if value is None else to_bytes(value)

    return get_header


def _add_header(run: ScriptRun) -> Function[..., object]:
    def add_header(event: Event, name: bytes | None, value: bytes | None) -> object:
        return event.addHeader(
            None if name is None else to_text(name), None if value is None else to_text(value)
        )

    return add_header


def _get_global(run: ScriptRun) -> Function[..., object]:
    variables = run.switch.global_variables
    cache: dict[bytes | None, bytes | None] = {}
    known = variables.generation

    def get_global(name: bytes | None) -> object:
        nonlocal known
        if known != variables.generation or len(cache) > _CACHE_LIMIT:
            cache.clear()
            known = variables.generation
        elif name in cache:
            return cache[name]
        value = variables.get(to_text(name)) if name else None
        cache[name] = found = None if value is None else to_bytes(value)
        return found

    return get_global


_MAKERS: Final[dict[str, Function[[ScriptRun], Function[..., object]]]] = {
    "CoreSession::getVariable": _get_variable,
    "CoreSession::setVariable": _set_variable,
    "LUA::Session::ready": _ready,
    "Event::getHeader": _get_header,
    "Event::addHeader": _add_header,
    "getGlobalVariable": _get_global,
}
