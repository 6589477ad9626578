"""Lua runtimes: made with everything that mod_lua puts into them, kept ready in a pool, fed with cached byte code.

The only place that knows lupa. A runtime belongs to one thread at a time: whoever takes it runs one script with it
and retires it; it is never used again, so that nothing of a script is seen by the next.
"""

from __future__ import annotations

import importlib
import importlib.resources
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import cache, lru_cache, partial
from queue import SimpleQueue
from typing import Any, Final, Protocol

from host.after_answer import after_answer
from lua_bindings.contract import CLASSES, CONSTANTS, FUNCTIONS
from lua_bindings.empty_statement import without_empty_statements
from lua_bindings.rocks.shelf import BORDER, ROCKS, rock_text
from lua_bindings.tail_error import with_places

# Names in lua.conf and in a script's first line -> lupa's modules.
VERSIONS: Final = {
    "luajit": "lupa.luajit21",
    "5.1": "lupa.lua51",
    "5.2": "lupa.lua52",
    "5.3": "lupa.lua53",
    "5.4": "lupa.lua54",
    "5.5": "lupa.lua55",
}
DEFAULT_VERSION: Final = "luajit"

# Lua instructions between two looks at the budget: some 50 µs of LuaJIT's interpreter, of which a look takes one.
HOOK_INTERVAL: Final = 20_000

# A first script runs at once, and a burst of calls finds a few runtimes ready; each costs some 100 kB.
POOL_SIZE: Final = 4

# Byte code of scripts that is kept; a busy PBX has some hundreds of script files.
CHUNK_LIMIT: Final = 512

# The name of the host's own Lua chunks, so that tracebacks show them as the C functions they stand for.
HOST_CHUNK: Final = b"=[C]"

_PRECOMPILE: Final = b"return string.dump(assert((loadstring or load)(...)))"
_REFUSAL: Final = b"local code, name, mode = ... return select(2, load(code, name or code, mode or 'bt'))"


# More than a machine has.
_NO_LIMIT: Final = 1 << 46


class LuaSyntaxError(Exception):
    """Lua refused to compile a chunk; the text is Lua's, with the position."""


class LuaVersionError(ValueError):
    """A Lua version was asked for that is not there."""


class Binder(Protocol):
    """Gives a runtime the host's functions, one at a time, when a script first uses them."""

    def bind(self, class_name: str | None, key: str | bool) -> tuple[bytes, Callable[..., object]] | None:
        """Return the wrapper's Lua source and the host's function of a method, constructor, function or members."""

    def address_of(self, what: str, owner: object) -> int | None:
        """Return where a number lies that changes with `ready`, `variables` (of a session) or `global variables`."""

    def functions(self) -> tuple[Callable[..., object], ...]:
        """Return what `print` writes with, and what starts, opens, awaits and executes programs."""

    def rock(self, name: str) -> Mapping[str, Callable[..., object]] | None:
        """Return the host's functions that a rock of that name is made of, None when there is no such rock."""

    def judge(self, touched: bool, kilobytes: float) -> str | None:
        """Return why the script must stop, None when it may go on."""

    def report_bug(self, where: str, error: Exception) -> None:
        """Take note of a fault of the host's."""


class _Handle:
    """What a script's object is made of in Lua 5.2 and later, which have no `newproxy`."""

    __slots__ = ()


@cache
def _lupa(version: str) -> Any:
    name = VERSIONS.get(version)
    if name is None:
        raise LuaVersionError(f"no Lua version {version!r}: choose one of {', '.join(VERSIONS)}")
    return importlib.import_module(name)


def _lua_runtime(version: str) -> Any:
    # A limit of memory from the start: lupa's allocator can only be had so, and beside LuaJIT's own it is the quicker.
    return _lupa(version).LuaRuntime(
        encoding=None,
        register_eval=False,
        register_builtins=False,
        unpack_returned_tuples=True,
        max_memory=_NO_LIMIT,
    )


@cache
def lua_error(version: str) -> type[Exception]:
    """Return the exception that lupa raises for an error in Lua of this version."""
    error: type[Exception] = _lupa(version).LuaError
    return error


@lru_cache(maxsize=4096)
def precompiled(version: str, source: bytes, name: bytes = HOST_CHUNK) -> bytes:
    """Return the byte code of one of the host's own Lua texts."""
    code = _lua_runtime(version).execute(_PRECOMPILE, source, name)
    assert isinstance(code, bytes)
    return code


def refusal(code: bytes, name: bytes | None, mode: bytes | None = None) -> bytes | None:
    """Return why Lua 5.2 does not compile a chunk, None when it does."""
    reason = _lua_runtime("5.2").execute(_REFUSAL, code, name, mode)
    assert reason is None or isinstance(reason, bytes)
    return reason


def _lua_text(name: str) -> bytes:
    return importlib.resources.files("lua_bindings").joinpath(f"{name}.lua").read_bytes()


@cache
def _start_up(version: str) -> bytes:
    """Return the byte code that every runtime begins with.

    It returns what finds the functions that the host calls, and what makes Lua ready to be called.
    """
    parts = [_lua_text("prelude")]
    more: tuple[str, ...] = ()
    if version in ("luajit", "5.1"):
        more = ("compat52", "library52")
    elif version == "5.2":
        more = ("compat51",)
    for name in more:
        parts += [b"do", _lua_text(name), b"end"]
    # Found by a call: where a coroutine runs, lupa's look into a table answers what lies on Lua's stack, too.
    find = b"return function(name) return host[name] or late(name) end, steady"
    return precompiled(version, b"\n".join([*parts, find]))


@cache
def _late(version: str) -> bytes:
    return precompiled(version, _lua_text("late") + _lua_text("late_library"))


@cache
def _described(name: bytes) -> object:
    """Return what the prelude's `ask("describe")` answers."""
    text = name.decode("utf-8", "replace")
    cls = CLASSES.get(text)
    if cls is not None:
        base = cls.base.name.encode() if cls.base else None
        return (cls.shown or cls.ctype).encode(), base, cls.constructor is not None
    return False if text in FUNCTIONS else CONSTANTS.get(text)


def _reread(code: object, name: object, mode: object) -> object:
    """Return what stands for a chunk that LuaJIT refuses, or None and Lua 5.2's refusal, or None twice."""
    if not isinstance(code, bytes):
        return None
    reason = refusal(
        code, name if isinstance(name, bytes) else None, mode if isinstance(mode, bytes) else None
    )
    if reason is not None:
        return None, reason
    bare = without_empty_statements(code) if b";" in code else code
    return (bare if bare != code else None), None


class Runtime:
    """One Lua state with `freeswitch` in it. `binder` must be set before a script runs."""

    def __init__(
        self, version: str = DEFAULT_VERSION, interval: int = HOOK_INTERVAL, jit: bool = False
    ) -> None:
        """Make a runtime; `interval` 0 is without the budget, which with `jit` could not stop compiled loops."""
        self.version = version
        # Lua 5.1 and LuaJIT know `__gc` of userdata only, and scripts make none.
        self.without_finalizers = version in ("luajit", "5.1")
        self.binder: Binder | None = None
        self.lua = _lua_runtime(version)
        self.error = lua_error(version)
        self._find, self._steady = self.lua.compile(_start_up(version))(
            self._bind, self._judge, self._ask, 0 if jit else interval, jit
        )
        self._functions: dict[str, Any] = {}
        self._started = False  # whether a script's code has run in it
        self._lua_type: Any = None

    def call(self, name: str, *arguments: object) -> Any:
        """Call one of the prelude's own functions."""
        if self._started:
            str(self._steady)
        elif name == "run":
            self._started = True
        function = self._functions.get(name)
        if function is None:
            function = self._functions[name] = self._find(name.encode())
        return function(*arguments)

    def limit_memory(self, mb: int) -> None:
        """Have Lua refuse to take more than `mb` MB ("not enough memory"); 0 is without a limit."""
        self.lua.set_max_memory(mb << 20 if mb else _NO_LIMIT)

    def kind_of(self, value: object) -> str:
        """Return Lua's name for the type of a value of this runtime that is not plain."""
        if self._lua_type is None:
            self._lua_type = _lupa(self.version).lua_type
        kind = self._lua_type(value)
        return kind or "userdata"

    def close(self) -> None:
        """Let go of the Lua state, of which no thread makes use any more."""
        self.binder = None
        self._functions.clear()
        del self._find, self._steady
        del self.lua

    def compile(self, code: bytes, name: bytes) -> bytes:
        """Return the byte code of a chunk; LuaSyntaxError when it does not compile."""
        made, message = self.call("compile", code, name), None
        if isinstance(made, tuple):
            made, message = made
        if made is None:
            raise LuaSyntaxError((message or b"").decode("utf-8", "surrogateescape"))
        assert isinstance(made, bytes)
        return made

    def _bind(self, class_name: bytes | None, key: bytes | bool) -> object:
        if self.binder is None:
            return None
        name = None if class_name is None else class_name.decode()
        try:
            found = self.binder.bind(name, key if isinstance(key, bool) else key.decode("utf-8", "replace"))
            if found is None:
                return None
            source, function = found
            return function if key is False else (precompiled(self.version, source), function)
        except Exception as error:  # an exception must not become a value in the script
            self.binder.report_bug(f"binding {name}.{key!r}", error)
            return None

    def _ask(self, what: bytes, about: object = None, owner: object = None, more: object = None) -> object:
        match what:
            case b"describe":
                return _described(about) if isinstance(about, bytes) else None
            case b"names":
                cls = CLASSES.get(about.decode("utf-8", "replace")) if isinstance(about, bytes) else None
                known = (*CLASSES, *FUNCTIONS, *CONSTANTS) if cls is None else tuple(cls.methods)
                return tuple(name.encode() for name in known)
            case b"address":
                return b"0x%x" % id(about)
            case b"handle":
                return _Handle()
            case b"late":
                return _late(self.version)
            case b"rare":
                return precompiled(self.version, _lua_text("rare52"))
            case b"syntax":
                return _reread(about, owner, more)
            case b"rock":
                return self._rock(about)
        binder = self.binder
        if binder is None:
            return None
        if what == b"functions":
            return binder.functions()
        return binder.address_of(about.decode(), owner) if isinstance(about, bytes) else None

    def _rock(self, name: object) -> object:
        if self.binder is None or not isinstance(name, bytes):
            return None
        try:
            wanted = name.decode("utf-8", "replace")
            functions = self.binder.rock(wanted)
            if functions is None:
                return None
            table = self.lua.table_from({key.encode(): function for key, function in functions.items()})
            return (
                precompiled(self.version, rock_text(wanted), ROCKS[wanted].chunk),
                table,
                precompiled(self.version, rock_text(BORDER)),
                ROCKS[wanted].yields,
            )
        except Exception as error:  # an exception must not become a value in the script
            self.binder.report_bug(f"require {name!r}", error)
            return False, f"internal error: {type(error).__name__}: {error}".encode("utf-8", "replace")

    def _judge(self, touched: bool, kilobytes: float) -> bytes | None:
        if self.binder is None:
            return None
        reason = self.binder.judge(touched, kilobytes)
        return None if reason is None else reason.encode("utf-8", "surrogateescape")


class RuntimePool:
    """A few prepared runtimes of the default kind; others are made when asked for."""

    def __init__(self, size: int = POOL_SIZE) -> None:
        self._size = size
        self._ready: list[Runtime] = []
        self._lock = threading.Lock()
        self._retired: SimpleQueue[Runtime] = SimpleQueue()
        self._worker: threading.Thread | None = None

    def take(self, version: str = DEFAULT_VERSION, jit: bool = False) -> Runtime:
        """Return a runtime for one script."""
        if version == DEFAULT_VERSION and not jit:
            with self._lock:
                if self._ready:
                    return self._ready.pop()
        return Runtime(version, jit=jit)

    def retire(self, runtime: Runtime, *, at_once: bool) -> None:
        """Close the runtime of a script that has ended and make another one for later.

        Who waits for the script's answer does not wait for that, unless it is to be done `at_once` (in virtual time,
        where only one thread may run).
        """
        if at_once:
            self._renew(runtime)
            return
        if after_answer(partial(self._renew, runtime)):
            return
        self._retired.put(runtime)
        if self._worker is None:
            with self._lock:
                if self._worker is None:
                    self._worker = threading.Thread(target=self._work, name="lua-runtimes", daemon=True)
                    self._worker.start()

    def _work(self) -> None:
        while True:
            self._renew(self._retired.get())

    def _renew(self, runtime: Runtime) -> None:
        runtime.close()
        if runtime.version == DEFAULT_VERSION:
            self.refill()

    def refill(self) -> None:
        """Make one runtime for later, if there is room."""
        with self._lock:
            if len(self._ready) >= self._size:
                return
        made = Runtime()
        with self._lock:
            self._ready.append(made)

    def clear(self) -> None:
        """Drop the prepared runtimes."""
        with self._lock:
            dropped, self._ready = self._ready, []
        for runtime in dropped:
            runtime.close()


class ChunkCache:
    """Byte code of script files by identity: (path, mtime in ns, size, Lua version)."""

    def __init__(self, limit: int = CHUNK_LIMIT) -> None:
        self._limit = limit
        self._chunks: OrderedDict[tuple[str, int, int, str], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, int, int, str]) -> bytes | None:
        """Return the byte code, None when that file was not compiled yet."""
        with self._lock:
            code = self._chunks.get(key)
            if code is not None:
                self._chunks.move_to_end(key)
            return code

    def put(self, key: tuple[str, int, int, str], code: bytes) -> None:
        """Keep byte code; the one unused for longest makes room."""
        with self._lock:
            self._chunks[key] = code
            if len(self._chunks) > self._limit:
                self._chunks.popitem(last=False)


def compile_text(runtime: Runtime, code: bytes, name: bytes) -> bytes:
    """Compile a script's text, with Lua 5.2's empty statements and places of errors where the version has none."""
    if runtime.version in ("luajit", "5.1"):
        code = with_places(code)
    try:
        return runtime.compile(code, name)
    except LuaSyntaxError:
        if runtime.version not in ("luajit", "5.1") or b";" not in code:
            raise
        bare = without_empty_statements(code)
        if bare == code:
            raise
        return runtime.compile(bare, name)
