"""One run of a script: its Lua state, its objects, the host's functions it calls, its limits and its end."""

from __future__ import annotations

import itertools
import re
import sys
import threading
import weakref
from collections.abc import Callable as Function
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from host.clock import Clock, RealClock, Timer, Waiter
from host.inbox import Break
from host.log import LogLevel
from lua_bindings import quick_calls
from lua_bindings.api_object import API
from lua_bindings.contract import CLASSES, FUNCTIONS, Callable, ScriptClass
from lua_bindings.core_session import CoreSession
from lua_bindings.dbh import Dbh
from lua_bindings.dtmf import DTMF, InputCallbackState
from lua_bindings.event_consumer import EventConsumer
from lua_bindings.event_object import Event
from lua_bindings.functions import Functions
from lua_bindings.host_call import CALL_COST_US, ScriptFault, host_function, to_bytes, to_text
from lua_bindings.ivr_menu import IVRMenu
from lua_bindings.json_object import JSON
from lua_bindings.members import member_access
from lua_bindings.programs import Programs
from lua_bindings.quick_reads import with_quick_read
from lua_bindings.rocks.shelf import rock_functions
from lua_bindings.runtime import Runtime
from lua_bindings.stream import Stream
from lua_bindings.text_object import Text
from lua_bindings.traceback_text import without_host_frames
from lua_bindings.wrappers import wrapper_source

if TYPE_CHECKING:
    from host.channel import Channel
    from host.switch import Switch
    from lua_bindings.leg import Leg

IMPLEMENTATIONS: Final[dict[str, type[Any]]] = {
    "API": API,
    "CoreSession": CoreSession,
    "DTMF": DTMF,
    "Dbh": Dbh,
    "Event": Event,
    "EventConsumer": EventConsumer,
    "IVRMenu": IVRMenu,
    "JSON": JSON,
    "Session": CoreSession,
    "Stream": Stream,
    "string": Text,
    "input_callback_state_t": InputCallbackState,
}

# The time of uninterrupted Lua is wall time: a busy loop makes no virtual time pass.
_WALL: Final = RealClock()

_numbers: Final = itertools.count(1)

# Where an error happened, as Lua says it.
_PLACE: Final = re.compile(r"([^\n]+?):(\d{1,9}): ")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may use. `burst_s` is Lua time without a call of the host, 0 for no limit; `memory_mb` 0: no limit.

    `version` is a key of `runtime.VERSIONS`; `jit` lets LuaJIT compile, after which the burst is not looked at.
    `path` and `c_path` are what LUA_PATH and LUA_CPATH would hold, "" for Lua's own.
    """

    burst_s: float = 10.0
    # An IVR script holds some MB; one that allocates without end must not take the calls of others with it.
    memory_mb: int = 512
    version: str = "luajit"
    jit: bool = False
    path: str = ""
    c_path: str = ""
    # How long a script may run at all, waiting included; 0: no limit.
    wall_s: float = 0.0
    # In a hangup hook `session:hangupCause()` is the call's; FreeSWITCH says NONE.
    real_hangup_cause: bool = False


class Resource(Protocol):
    """An object that holds something of the host's until it is released."""

    def release(self) -> object:
        """Let it go."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a callback answered: whether it ran without an error, and its first result as text."""

    ok: bool
    text: str | None


class ScriptRun:
    """The host's side of one script. Everything here happens in the script's thread, but for `kill`."""

    def __init__(self, switch: Switch, runtime: Runtime, limits: Limits, name: str = "") -> None:
        self.number = next(_numbers)
        self.name = name
        self.switch = switch
        self.limits = limits
        self.runtime = runtime
        self.started = switch.clock.time()
        self.thread = threading.current_thread()
        self.resources: weakref.WeakSet[Resource] = weakref.WeakSet()
        self.legs: list[Leg] = []
        # Names of event headers that the script used -> as spelled, as folded.
        self.header_names: dict[bytes | None, tuple[str, str]] = {}
        self.session: CoreSession | None = None
        self.charge: Function[[int], None] | None = switch.clock.charge if switch.clock.virtual else None
        # In virtual time every call has its cost, so that none can be left out.
        self.reads_memory = runtime.version == "luajit" and self.charge is None
        self.stopping: str | None = None
        self.killed: str | None = None
        self._waiting: Waiter | None = None
        self._wall: Timer | None = None
        if limits.wall_s:
            late = f"script ran for more than {limits.wall_s:g} s: stopped"
            delay = int(limits.wall_s * 1_000_000)
            self._wall = switch.clock.call_later(delay, lambda: self.kill(late))
        self._functions = Functions(self)
        self._lua_since = _WALL.now()
        runtime.binder = self
        runtime.limit_memory(
            limits.memory_mb + limits.memory_mb // 4
        )  # `judge` comes first but for a single string
        self.programs: Programs | None = None
        if switch.clock.virtual:
            runtime.call("virtual_time", self._epoch_seconds, self._clock_seconds)

    # -- what Lua asks for ---------------------------------------------------------------------------------------

    def bind(self, class_name: str | None, key: str | bool) -> tuple[bytes, Function[..., object]] | None:
        """Return the wrapper source and the host's function for a method, constructor, function, or member access."""
        if class_name is None:
            function = FUNCTIONS[str(key)]
            implementation = quick_calls.find(self, None, function) or host_function(
                self, function, getattr(self._functions, function.name)
            )
            return _source(function, None, self.reads_memory), implementation
        cls = CLASSES.get(class_name)
        if cls is None:
            return None
        implementation_class = IMPLEMENTATIONS[class_name]
        if key is False:
            return (b"", member_access(self, cls)) if _has_members(cls) else None
        if key is True:
            assert cls.constructor is not None
            made = quick_calls.find(self, class_name, cls.constructor) or host_function(
                self, cls.constructor, lambda *given: implementation_class(self, *given)
            )
            return _source(cls.constructor, class_name, False), made
        method = cls.method(str(key))
        if method is None:
            return None
        quick = quick_calls.find(self, class_name, method)
        if quick is not None:
            return _source(method, class_name, self.reads_memory), quick
        unbound = getattr(implementation_class, method.name)
        return _source(method, class_name, False), host_function(self, method, unbound)

    def address_of(self, what: str, owner: object) -> int | None:
        """Return where a number lies that tells of changes to a session or the global variables, None without one."""
        if what == "global variables":
            return self.switch.global_variables.changes.address
        channel = owner.channel if isinstance(owner, CoreSession) else None
        if channel is None:
            return None
        return (channel.known_ready if what == "ready" else channel.variables.changes).address

    def functions(self) -> tuple[Function[..., object], ...]:
        """Return what `print` writes with, and what starts, opens, awaits and executes programs."""
        programs = self.programs
        if programs is None:
            programs = self.programs = Programs()
            if self.killed is not None:
                programs.end()
        return self._print, *programs.functions

    def rock(self, name: str) -> Mapping[str, Function[..., object]] | None:
        """Return the host's functions that a rock of that name is made of, None when there is no such rock."""
        return rock_functions(self, name)

    def judge(self, touched: bool, kilobytes: float) -> str | None:
        """Return why the script must stop: it was killed, runs too long without calling the host, or needs too much."""
        now = _WALL.now()
        if touched:
            self._lua_since = now
        reason = self.killed
        limits = self.limits
        if reason is None and limits.burst_s and now - self._lua_since > limits.burst_s * 1_000_000:
            reason = f"script ran for {limits.burst_s:g} s without calling the host: stopped"
        if reason is None and limits.memory_mb and kilobytes > limits.memory_mb * 1024:
            reason = f"script uses more than {limits.memory_mb} MB: stopped"
        if reason is not None:
            self.stopping = reason
        return reason

    def report_bug(self, where: str, error: Exception) -> None:
        """Log a fault of ours with its Python traceback."""
        self.switch.report_bug(where, error)

    def _print(self, text: bytes) -> None:
        channel = self.session.channel if self.session is not None else None
        self.switch.observe("print", channel, text=to_text(text))
        if not self.switch.observers:  # FreeSWITCH: print goes to the server's standard output
            sys.stdout.write(to_text(text).encode("utf-8", "replace").decode() + "\n")
            sys.stdout.flush()

    def _epoch_seconds(self) -> int:
        if self.charge is not None:
            self.charge(CALL_COST_US)
        return self.switch.clock.time() // 1_000_000

    def _clock_seconds(self) -> float:
        if self.charge is not None:
            self.charge(CALL_COST_US)
        return self.switch.clock.now() / 1_000_000

    # -- stopping and waiting ------------------------------------------------------------------------------------

    def kill(self, reason: str = "script killed") -> None:
        """Stop the script, from any thread: at its next look at the budget, or where it waits."""
        self.killed = reason
        waiting = self._waiting
        if waiting is not None:
            waiting.notify()
        for leg in list(self.legs):
            if leg.session is not None:
                leg.session.inbox.put(Break(all=True, stops=True))
        if self.programs is not None:
            self.programs.end()

    def block_on(self, waiter: Waiter, deadline: int | None) -> bool:
        """Wait for `waiter` (True) or the deadline (False); ScriptFault when the script is killed meanwhile."""
        self._waiting = waiter
        try:
            woken = self.killed is None and waiter.wait(deadline)  # a kill before this line notified nobody
        finally:
            self._waiting = None
        if self.killed is not None:
            self.stopping = self.killed
            raise ScriptFault(self.killed)
        return woken

    def pause(self, duration: int, clock: Clock) -> bool:
        """Wait for `duration` µs."""
        waiter = clock.waiter()
        self.block_on(waiter, clock.now() + duration)
        return True

    # -- objects in Lua ------------------------------------------------------------------------------------------

    def put(self, name: str, value: object, class_name: str | None = None) -> None:
        """Set a global of the script: a plain value, or an object of a class."""
        if class_name is None:
            self.runtime.call("global", to_bytes(name), value)
        else:
            self.runtime.call("global", to_bytes(name), value, class_name.encode())

    def put_table(self, name: str, values: dict[Any, Any]) -> None:
        """Set a global to a table of texts."""
        converted = {
            to_bytes(key) if isinstance(key, str) else key: to_bytes(value)
            if isinstance(value, str)
            else value
            for key, value in values.items()
        }
        self.runtime.call("global", to_bytes(name), self.runtime.lua.table_from(converted))

    def forget_reads(self) -> None:
        """Have Lua ask anew where a session's numbers lie: an object stands for another call."""
        if self.reads_memory:
            self.runtime.call("forget_reads")

    def share_session(self, leg: Leg) -> None:
        """Make a session the script's global of its UUID, which keeps it alive and is what callbacks are given."""
        self.runtime.call("session", leg.name_in_lua(), leg)

    def callback(
        self, channel: Channel, function: str, argument: str | None, leg: Leg, what: bytes, *things: object
    ) -> Answer:
        """Call a global function of the script with the session, a word, a key or event, and a global's value."""
        self._lua_since = _WALL.now()
        result = self.runtime.call(
            "callback",
            to_bytes(function),
            to_bytes(argument) if argument is not None else None,
            leg.name_in_lua(),
            leg,
            what,
            *things,
        )
        given: tuple[Any, ...] = (*result, None, None)
        ok, value, detail = given[:3]
        if ok:
            text = None if value is None else to_text(value)
            told: object = text
            if text is None and detail not in (None, b"nil"):
                told = (detail or b"").decode()
            self.switch.observe("callback", channel, function=function, result=told)
            return Answer(True, text)
        self.report_callback_error(function, to_text(value or b""), to_text(detail or b""), channel)
        return Answer(False, None)

    # -- reporting -----------------------------------------------------------------------------------------------

    def log(self, level: LogLevel, text: str) -> None:
        """Write a log line for the script's call, if it has one."""
        self.switch.log(level, text, uuid=self.session.uuid or "" if self.session is not None else "")

    def report_error(self, message: str, trace: str) -> None:
        """Log the error that ended the script, with its Lua traceback, and tell the observers."""
        channel = self.session.channel if self.session is not None else None
        self._tell_error("script-error", message, trace, channel)

    def report_callback_error(
        self, function: str, message: str, trace: str, channel: Channel | None = None
    ) -> None:
        """Log an error in a function that the host called, after which the script goes on."""
        if channel is None and self.session is not None:
            channel = self.session.channel
        self._tell_error("callback-error", message, without_host_frames(trace), channel, function=function)

    def _tell_error(
        self, kind: str, message: str, trace: str, channel: Channel | None, **facts: object
    ) -> None:
        text = f"{message}{trace}".rstrip("\n")
        uuid = channel.uuid if channel is not None else ""
        place = _PLACE.match(message)
        file, line = (place[1], int(place[2])) if place else ("", 0)
        self.switch.log(LogLevel.ERR, text, uuid=uuid, file=file, line=line, observed=True)
        self.switch.observe(kind, channel, error=message, traceback=text, **facts)

    # -- the end -------------------------------------------------------------------------------------------------

    def end_lua(self) -> None:
        """Run what a Lua state runs at its end, within the limits, and wait for the programs that it started."""
        programs = self.programs
        if programs is not None and (self.killed is not None or self.stopping is not None):
            programs.end()
        if programs is not None or not self.runtime.without_finalizers:
            try:
                self.runtime.call("finish")
            except self.runtime.error as error:  # no memory left, or the finalizers were stopped
                self.log(LogLevel.ERR, f"end of the script: {error}")
        if programs is not None:
            programs.close()

    def close(self) -> None:
        """Release everything the script left behind but its Lua state."""
        if self._wall is not None:
            self._wall.cancel()
        for resource in list(self.resources):
            resource.release()
        for leg in reversed(self.legs):
            leg.destroy()
        self.legs.clear()
        self.session = None


@cache
def _has_members(cls: ScriptClass) -> bool:
    return bool(cls.attributes) or (cls.base is not None and _has_members(cls.base))


def _source(callable_: Callable, class_name: str | None, quick: bool) -> bytes:
    source = _sources(callable_.symbol, callable_.label, class_name)
    return _quick_source(callable_.label, source) if quick else source


_quick_source: Final = cache(with_quick_read)


@cache
def _sources(symbol: str, label: str, class_name: str | None) -> bytes:
    if class_name is None:
        return wrapper_source(next(f for f in FUNCTIONS.values() if f.symbol == symbol), None)
    cls: ScriptClass | None = CLASSES[class_name]
    while cls is not None:
        if cls.constructor is not None and cls.constructor.symbol == symbol:
            return wrapper_source(cls.constructor, class_name)
        for method in cls.methods.values():
            if method.symbol == symbol and method.label == label:
                return wrapper_source(method, class_name)
        cls = cls.base
    raise LookupError(symbol)
