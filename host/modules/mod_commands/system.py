"""Commands that run other programs or ask the system. `disable_system_api_commands=true` keeps the former away."""

from __future__ import annotations

import os
import subprocess
import threading
from typing import Final

from host.api_table import ApiTable, UsageError
from host.arguments import separate
from host.byte_text import to_bytes, to_text
from host.interfaces import ApiRequest
from host.log import LogLevel
from host.switch import Switch

commands: Final = ApiTable("mod_commands")
command = commands.command

# Registered apart from the others: they can be switched off.
programs: Final = ApiTable("mod_commands")

_MOST_OUTPUT: Final = 16 << 20  # bytes; more is a program that does not end
_MOST_ARGUMENTS: Final = 1024


@programs.command("system", "<command>", "Execute a system command")
def system(request: ApiRequest) -> str:
    """Run a shell command and return what it prints; what it says of errors goes to the log's own place."""
    if not request.argument:
        raise UsageError
    return _run(request.switch, request.argument, shell=True)


@programs.command("bg_system", "<command>", "Execute a system command in the background")
def bg_system(request: ApiRequest) -> str:
    if not request.argument:
        raise UsageError
    _start(request.switch, request.argument, shell=True)
    return "+OK\n"


@programs.command("spawn_stream", "<command>", "Execute a spawn command and capture it's output")
def spawn_stream(request: ApiRequest) -> str:
    """Run a program without a shell and return what it prints."""
    if not request.argument:
        raise UsageError
    return _run(request.switch, request.argument, shell=False)


@programs.command("spawn", "<command>", "Execute a spawn command without capturing it's output")
def spawn(request: ApiRequest) -> str:
    if not request.argument:
        raise UsageError
    _start(request.switch, request.argument, shell=False)
    return "+OK\n"


@programs.command("bg_spawn", "<command>", "Execute a spawn command in the background")
def bg_spawn(request: ApiRequest) -> str:
    if not request.argument:
        raise UsageError
    _start(request.switch, request.argument, shell=False)
    return "+OK\n"


@command("getenv", "<name>", "getenv")
def getenv(request: ApiRequest) -> str:
    name = request.argument
    try:
        value = os.environb.get(to_bytes(name)) if name else None
    except ValueError:  # a name with a zero byte
        value = None
    return "_undef_" if value is None else to_text(value)


@command("file_exists", "<file>", "Check if a file exists on server")
def file_exists(request: ApiRequest) -> str:
    try:
        return "true" if request.argument and os.path.exists(to_bytes(request.argument)) else "false"
    except ValueError:  # a name with a zero byte
        return "false"


@command("getcputime", "[reset]", "Gets CPU time in milliseconds (user kernel)")
def getcputime(request: ApiRequest) -> str:
    """Tell this process's time in user and in kernel mode, in ms since its start or the last `reset`."""
    times = os.times()
    now = (int(times.user * 1000), int(times.system * 1000))
    before = _reset_at.get(request.switch.core_uuid, (0, 0))
    if request.argument.startswith("reset"):
        _reset_at[request.switch.core_uuid] = now
    return f"{now[0] - before[0]}, {now[1] - before[1]}"


# By the switch's core UUID.
_reset_at: Final[dict[str, tuple[int, int]]] = {}


def _arguments(text: str, shell: bool) -> list[bytes]:
    if shell:
        return [b"/bin/sh", b"-c", to_bytes(text)]
    return [to_bytes(part) for part in separate(text, " ", _MOST_ARGUMENTS)]


def _run(switch: Switch, text: str, *, shell: bool) -> str:
    try:
        with subprocess.Popen(
            _arguments(text, shell), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            output = process.stdout.read(_MOST_OUTPUT)
            if len(output) == _MOST_OUTPUT:
                process.kill()
    except (OSError, ValueError) as error:
        switch.log(LogLevel.ERR, f"Failed to execute command: {text}: {error}")
        return ""
    return to_text(output.partition(b"\0")[0])


def _start(switch: Switch, text: str, *, shell: bool) -> None:
    """Start a program; a thread of its own waits for its end, so that it leaves no zombie."""
    try:
        process = subprocess.Popen(
            _arguments(text, shell), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
    except (OSError, ValueError) as error:
        switch.log(LogLevel.ERR, f"Failed to execute command: {text}: {error}")
        return
    _reap(process)


def _reap(process: subprocess.Popen[bytes]) -> None:
    threading.Thread(target=process.wait, name=f"program-{process.pid}", daemon=True).start()
