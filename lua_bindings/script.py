"""Running a script: what `lua`, `luarun`, the application `lua` and `moonline call` all do."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from host.arguments import separate
from lua_bindings.core_session import CoreSession
from lua_bindings.event_object import Event
from lua_bindings.host_call import to_bytes, to_text
from lua_bindings.runtime import (
    DEFAULT_VERSION,
    VERSIONS,
    ChunkCache,
    LuaSyntaxError,
    Runtime,
    RuntimePool,
    compile_text,
    refusal,
)
from lua_bindings.script_run import Limits, ScriptRun

if TYPE_CHECKING:
    from host.event import Event as HostEvent
    from host.session import Session
    from host.switch import Switch
    from lua_bindings.stream import Stream

# FreeSWITCH splits a script's arguments into so many at most; the last holds the rest.
ARGUMENT_LIMIT: Final = 128

# A script of some MB is generated data; more than this is a mistake (a WAV file named as a script).
FILE_LIMIT: Final = 64 << 20

INLINE_NAME: Final = b'=[string "line"]'

_POOL: Final = RuntimePool()
_CHUNKS: Final = ChunkCache()
_RUNNING: Final[dict[int, ScriptRun]] = {}
_VERSION_LINE: Final = re.compile(rb"^--\s*moonline:\s*lua(jit|\d\.?\d)\b", re.IGNORECASE)
# What LuaJIT cannot do: `_ENV`, finalizers and lengths of tables, comparison of values of different types.
_OF_LUA_5_2: Final = re.compile(rb"\b(?:_ENV|__gc|__len|__lt|__le)\b")
_PLAIN_PATH: Final = re.compile(r"[\w./-]*")
_SHORTENED: Final = re.compile(r"\.\.\.([^\s:]{40,}?)(?=:\d+)")
_OUTERMOST: Final = re.compile(r"\n\t\[C\]: in \w+ 'xpcall'\s*$")
_HOST_LINE: Final = re.compile(r"^\t\[C\]:\d+: .*\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """How a script ended: without an error, or with Lua's message and its traceback of the script's lines."""

    ok: bool
    error: str = ""
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class ApiCommandLine:
    """The API command that runs a script, for the event `env`, where nobody made one yet."""

    name: str
    argument: str


class ScriptFileError(Exception):
    """A script file that cannot be read; the text is what Lua says."""


Prepare = Callable[[ScriptRun], None]


def run(
    switch: Switch,
    text: str,
    session: Session | None = None,
    stream: Stream | None = None,
    env: HostEvent | ApiCommandLine | None = None,
    limits: Limits | None = None,
    prepare: Prepare | None = None,
    finish: Prepare | None = None,
) -> ScriptResult:
    """Run a script: `PATH arguments`, or inline code after `~` or `#!/lua`.

    `session`, `stream` and `env` become its globals; `prepare` may set more, `finish` reads what it left. The script's
    error is logged; at the end its sessions are let go of and everything it held is released.
    """
    text = text.lstrip(" \n\r")
    limits = limits or Limits()
    code, name, is_file = _inline(text)
    path, words, literal = "", [""], b""
    if is_file:
        path, _, _ = text.partition(" ")
        words = _arguments(text)
        try:
            literal = _argument_code(words)
            name, code, limits = _read(switch, path, limits)
        except ScriptFileError as error:
            return _failed(switch, session, str(error))
        runtime, refused = _POOL.take(limits.version, limits.jit), ""
    else:
        if _needs_lua_5_2(code, limits):
            limits = replace(limits, version="5.2", jit=False)
        runtime, limits, code, refused = _take_for(code, limits)
    script = ScriptRun(switch, runtime, limits, text)
    _RUNNING[script.number] = script
    try:
        _begin(script, session, stream, env, words if is_file and not literal else None)
        if literal:
            runtime.call("run", compile_text(runtime, literal, INLINE_NAME))
        if limits.path or limits.c_path:
            runtime.call("paths", to_bytes(limits.path), to_bytes(limits.c_path))
        if prepare is not None:
            prepare(script)
        result = _execute(script, code, name, refused)
        if finish is not None:
            finish(script)
        script.end_lua()
        return result
    finally:
        del _RUNNING[script.number]
        script.close()
        _POOL.retire(runtime, at_once=switch.clock.virtual)


def running() -> list[ScriptRun]:
    """Return the scripts that run now, the oldest first."""
    return list(_RUNNING.values())


def _inline(text: str) -> tuple[bytes, bytes, bool]:
    if text.startswith("~"):
        return to_bytes(text[1:]), INLINE_NAME, False
    if text[:6].lower() == "#!/lua":
        return to_bytes(text[6:]), INLINE_NAME, False
    return b"", b"", True


def _arguments(text: str) -> list[str]:
    path, _, rest = text.partition(" ")
    return [path, *separate(rest, " ", ARGUMENT_LIMIT)] if rest else [path]


def _argument_code(words: list[str]) -> bytes:
    """Return the Lua code that sets `argv` where the words are not what comes into it; else nothing.

    FreeSWITCH writes the words as Lua texts and escapes their quotes alone, so that Lua reads their backslashes.
    Raises ScriptFileError for words that Lua does not read, such as one of several lines.
    """
    alone = len(words) == 1
    if alone and _PLAIN_PATH.fullmatch(words[0]):
        return b""
    if not any(mark in word for word in words for mark in ("\\", "\n", "\r", "'" if alone else "\\")):
        return b""
    texts = words if alone else [word.replace("'", "\\'") for word in words]
    listed = ", ".join(f"'{text}'" for text in texts)
    code = to_bytes(f"argv = {{[0]={listed}}};")
    reason = refusal(code, INLINE_NAME)
    if reason is not None:
        raise ScriptFileError(reason.decode("utf-8", "surrogateescape"))
    return code


def _begin(
    script: ScriptRun,
    session: Session | None,
    stream: Stream | None,
    env: HostEvent | ApiCommandLine | None,
    arguments: list[str] | None,
) -> None:
    """Set the script's globals: `session`, `stream`, `env` and `argv`."""
    uuid = None
    if session is not None:
        script.session = CoreSession.around(script, session)
        uuid = to_bytes(session.uuid)
    event = None
    if isinstance(env, ApiCommandLine):
        event = Event.of_type(script, "API", None)
        event.mine = 0
        for name, value in (("API-Command", env.name), ("API-Command-Argument", env.argument)):
            if not event.add_plain(name, value):
                event.addHeader(name, value)
    elif env is not None:
        event = Event.around(script, env, mine=False)
    if arguments is None:
        if stream is not None or event is not None or uuid is not None:
            script.runtime.call("begin", stream, event, uuid)
    else:
        script.runtime.call("begin", stream, event, uuid, len(arguments), *map(to_bytes, arguments))


def find_script(switch: Switch, path: str) -> Path:
    """Return the file that a script's name means: below the script directory unless it begins with `/`."""
    if path.startswith("/"):
        return Path(path)
    return Path(_below(switch.global_variables.get("script_dir") or ".", path))


@lru_cache(maxsize=1024)
def _below(folder: str, path: str) -> str:
    return str(Path(folder) / path)


def _read(switch: Switch, path: str, limits: Limits) -> tuple[bytes, bytes, Limits]:
    """Return the chunk's name, its text or byte code, and the limits with the file's own Lua version."""
    file, asked = path, limits.version
    if not path.startswith("/"):
        file = _below(switch.global_variables.get("script_dir") or ".", path)
    try:
        status = os.stat(file)
        key = (file, status.st_mtime_ns, status.st_size, limits.version)
        name = to_bytes(f"@{file}")
        kept = _CHUNKS.get(key)
        if kept is not None:
            return name, kept, limits
        kept = _CHUNKS.get((*key[:3], _turned(asked)))
        if kept is not None:
            return name, kept, replace(limits, version="5.2", jit=False)
        if status.st_size > FILE_LIMIT:
            raise ScriptFileError(f"cannot read {file}: larger than {FILE_LIMIT >> 20} MB")
        code = Path(file).read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ScriptFileError(f"cannot open {file}: {reason}") from error
    code = code.removeprefix(b"\xef\xbb\xbf")
    wanted = _VERSION_LINE.search(code.split(b"\n", 1)[0])
    if wanted is not None:
        limits = replace(limits, version=_version(wanted[1].decode().lower()))
    elif _needs_lua_5_2(code, limits):
        limits = replace(limits, version="5.2", jit=False)
    if code.startswith(b"#"):  # a line for the shell, not for Lua
        code = code[code.find(b"\n") :] if b"\n" in code else b""
    try:
        made, limits = _compiled(code, name, limits)
    except LuaSyntaxError as error:
        raise ScriptFileError(str(error)) from error
    if limits.version == asked:
        _CHUNKS.put(key, made)
    elif wanted is None:
        _CHUNKS.put((*key[:3], _turned(asked)), made)
    return name, made, limits


def _turned(version: str) -> str:
    """Return the version under which byte code is kept that is Lua 5.2's, though `version` was asked for."""
    return f"{version} as 5.2"


def _compiled(code: bytes, name: bytes, limits: Limits) -> tuple[bytes, Limits]:
    """Return the byte code of a script's text, in Lua 5.2 where LuaJIT refuses it. Raises LuaSyntaxError."""
    runtime = Runtime(limits.version)
    try:
        return compile_text(runtime, code, name), limits
    except LuaSyntaxError:
        if limits.version != DEFAULT_VERSION:
            raise
    finally:
        runtime.close()
    reason = refusal(code, name)
    if reason is not None:
        raise LuaSyntaxError(reason.decode("utf-8", "surrogateescape"))
    return _compiled(code, name, replace(limits, version="5.2", jit=False))


def _take_for(code: bytes, limits: Limits) -> tuple[Runtime, Limits, bytes, str]:
    """Return a runtime for inline code, the limits with its version, and the byte code or why there is none."""
    runtime = _POOL.take(limits.version, limits.jit)
    try:
        return runtime, limits, compile_text(runtime, code, INLINE_NAME), ""
    except LuaSyntaxError as error:
        reason = str(error)
    if limits.version == DEFAULT_VERSION:
        refused = refusal(code, INLINE_NAME)
        if refused is None:
            runtime.close()
            return _take_for(code, replace(limits, version="5.2", jit=False))
        reason = refused.decode("utf-8", "surrogateescape")
    return runtime, limits, b"", reason


def _needs_lua_5_2(code: bytes, limits: Limits) -> bool:
    """Return whether code is of Lua 5.2 in what LuaJIT does not know and nothing else can stand for."""
    if limits.version != DEFAULT_VERSION or limits.jit:
        return False
    return _OF_LUA_5_2.search(code) is not None


def _version(word: str) -> str:
    if word == "jit":
        return "luajit"
    version = word if "." in word else f"{word[0]}.{word[1]}"
    return version if version in VERSIONS else "luajit"


def _execute(script: ScriptRun, code: bytes, name: bytes, refused: str) -> ScriptResult:
    runtime = script.runtime
    if refused:
        script.report_error(refused, "")
        return ScriptResult(False, refused)
    outcome: Any = runtime.call("run", code)
    if outcome is True or outcome[0]:
        if script.killed is None:
            return ScriptResult(True)
        outcome = (False, to_bytes(script.killed))  # it ended where it could not be stopped
    given: tuple[Any, ...] = (*outcome, b"", b"")
    message, trace = given[1:3]
    text, lines = to_text(message or b""), _tidy(to_text(trace or b""))
    if name.startswith(b"@"):
        text, lines = (_with_full_path(part, to_text(name[1:])) for part in (text, lines))
    script.report_error(text, lines)
    return ScriptResult(False, text, lines.strip("\n"))


def _tidy(trace: str) -> str:
    """Return a traceback without the host's own frames."""
    return _OUTERMOST.sub("", _HOST_LINE.sub("", trace))


def _with_full_path(text: str, path: str) -> str:
    """Return `text` with the script's whole path where Lua shows its end behind three dots."""
    return _SHORTENED.sub(lambda match: path if path.endswith(match[1]) else match[0], text)


def _failed(switch: Switch, session: Session | None, error: str) -> ScriptResult:
    from host.log import LogLevel

    channel = session.channel if session is not None else None
    switch.log(LogLevel.ERR, error, uuid=channel.uuid if channel is not None else "")
    switch.observe("script-error", channel, error=error, traceback=error)
    return ScriptResult(False, error)
