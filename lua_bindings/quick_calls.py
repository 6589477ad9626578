"""The calls that scripts make most, without the general conversion: they take and return bytes themselves."""

from __future__ import annotations

from collections.abc import Callable as Function
from typing import TYPE_CHECKING, Final

from host.array_value import PREFIX
from host.byte_text import folded
from host.event import CLONE, CUSTOM, event_type
from lua_bindings.contract import CLASSES, Callable
from lua_bindings.host_call import CALL_COST_US, host_function, to_bytes, to_text
from lua_bindings.opaque import Opaque

if TYPE_CHECKING:
    from lua_bindings.core_session import CoreSession
    from lua_bindings.event_object import Event
    from lua_bindings.script_run import ScriptRun

# Variables whose text is kept as bytes per session object; a script reads a few dozen.
_CACHE_LIMIT: Final = 1000

# A longer value is seldom set twice.
_SHORT: Final = 40

_ARRAY_LETTER: Final = ord(PREFIX[0])

# An event of the type `json` is read from text.
_JSON_LENGTH: Final = len(b"json")


def find(run: ScriptRun, class_name: str | None, callable_: Callable) -> Function[..., object] | None:
    """Return the quick function of a method or function, None when it has none."""
    maker = _MAKERS.get(callable_.label)
    if maker is None or (maker is _new_event and run.charge is not None):
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
    if run.reads_memory:
        return _own_variable

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


def _own_variable(leg: CoreSession, name: bytes | None) -> object:
    """Return a variable for `quick_reads`; true as the fourth value: it is the channel's own, and may be kept."""
    session = leg.session
    if session is None:
        leg._no_call()
        return b""
    if not name:
        return None
    channel = session.channel
    text = to_text(name)
    value = channel.variables.get(text)
    if value is not None:
        return to_bytes(value), None, None, True
    value = channel.get_variable(text)
    return None if value is None else to_bytes(value)


def _set_variable(run: ScriptRun) -> Function[..., object]:
    observers = run.switch.observers
    plain: dict[bytes | None, tuple[str, str]] = {}  # names without an index -> as folded, as spelled
    texts: dict[
        bytes | None, str
    ] = {}  # short values that are plain texts; scripts set the same few again and again

    def set_variable(leg: CoreSession, name: bytes | None, value: bytes | None) -> object:
        session = leg.session
        known = plain.get(name)
        if session is not None and known is not None and not observers:
            text = texts.get(value)
            if text is None and value:
                text = _plain_text(value)
                if text is not None and len(text) <= _SHORT and len(texts) < _CACHE_LIMIT:
                    texts[value] = text
            if text is not None:
                session.channel.variables.set_plain(known[0], known[1], text)
                return None
        if session is None:
            leg._no_call()
        elif name:
            spelled = to_text(name)
            if "[" not in spelled and len(plain) < _CACHE_LIMIT:
                plain[name] = (folded(spelled), spelled)
            session.channel.set_variable(spelled, to_text(value) if value else None)
        return None

    return set_variable


def _plain_text(value: bytes) -> str | None:
    """Return the text of a value that needs no second look: no array, and no NUL to end it early."""
    try:
        text = value.decode()  # naming the error handler costs more than the text
    except UnicodeDecodeError:
        text = value.decode("utf-8", "surrogateescape")
    if "\0" in text or (value[0] == _ARRAY_LETTER and text.startswith(PREFIX)):
        return None
    return text


def _ready(run: ScriptRun) -> Function[..., object]:
    from lua_bindings.core_session import CoreSession
    from lua_bindings.host_call import ScriptFault

    def ready(leg: CoreSession) -> object:
        if leg.hangup_func_str is None:
            session = leg.session
            return session is not None and session.channel.note_ready()
        try:
            return CoreSession.ready(leg)
        except ScriptFault as fault:
            return None, to_bytes(fault.text), fault.level

    return ready


def _new_event(run: ScriptRun) -> Function[..., object]:
    from lua_bindings.event_object import Event

    constructor = CLASSES["Event"].constructor
    assert constructor is not None
    general = host_function(run, constructor, lambda *given: Event(run, *given))

    switch = run.switch
    stamp, time = switch.general_headers.stamp, switch.clock.time
    made: dict[tuple[bytes, object], tuple[str, str | None]] = {}  # arguments -> type and subclass

    def new_event(kind: bytes | Opaque | None, detail: object = None) -> object:
        known = made.get((kind, detail)) if type(kind) is bytes else None
        if known is None:
            if type(kind) is not bytes or len(kind) == _JSON_LENGTH:
                return general(kind, detail)
            if type(detail) is bytes and detail:
                subclass = to_text(detail)
                known = CUSTOM if subclass else event_type(to_text(kind)), subclass
            elif detail is None:
                known = event_type(to_text(kind)), None
            else:
                return general(kind, detail)
            if known[0] == CLONE:
                return general(kind, detail)
            if len(made) < _CACHE_LIMIT:
                made[kind, detail] = known
        return Event.stamped(run, known, stamp(time()))

    return new_event


def _get_header(run: ScriptRun) -> Function[..., object]:
    names = run.header_names

    def get_header(event: Event, name: bytes | None) -> object:
        known = names.get(name)
        if known is not None:
            value = event.find_plain(*known)
            if value is not None:
                return to_bytes(value)
        value = event.getHeader(to_text(name) if name else None)
        return None if value is None else to_bytes(value)

    return get_header


def _add_header(run: ScriptRun) -> Function[..., object]:
    names = run.header_names

    def add_header(event: Event, name: bytes | None, value: bytes | None) -> object:
        known = names.get(name)
        if known is not None and value and value[0] != _ARRAY_LETTER and event.only_filled:
            text = value.decode("utf-8", "surrogateescape")
            if "\0" not in text:
                event.added += known[0], text
                return True
        if name is None or value is None:
            return event.addHeader(None if name is None else to_text(name), None)
        spelled = to_text(name)
        if event.add_plain(spelled, to_text(value)):
            if len(names) < _CACHE_LIMIT:
                names[name] = (spelled, folded(spelled))
            return True
        return event.addHeader(spelled, to_text(value))

    return add_header


def _get_global(run: ScriptRun) -> Function[..., object]:
    variables = run.switch.global_variables

    def get_global(name: bytes | None) -> object:
        value = variables.get(to_text(name)) if name else None
        return None if value is None else to_bytes(value)

    return get_global


_MAKERS: Final[dict[str, Function[[ScriptRun], Function[..., object]]]] = {
    "CoreSession::getVariable": _get_variable,
    "CoreSession::setVariable": _set_variable,
    "LUA::Session::ready": _ready,
    "Event::Event": _new_event,
    "Event::getHeader": _get_header,
    "Event::addHeader": _add_header,
    "getGlobalVariable": _get_global,
}
