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

commands: Final = ApiTable("mod_commands")
command = commands.command

# Registered apart from the others: they can be switched off.
programs: Final = ApiTable("mod_commands")

_MOST_OUTPUT: Final = 16 << 20  # bytes; more is a program that does not end
_MOST_ARGUMENTS: Final = 1024


@programs.command("system", "<command>", "Execute a system command")
def system(request: ApiRequest) -> str:
    """Run a shell command and return what it prints; what it says of errors goes to the log's own place."""
    return _run(request, shell=True)


@programs.command("bg_system", "<command>", "Execute a system command in the background")
def bg_system(request: ApiRequest) -> str:
    return _start(request, shell=True)


@programs.command("spawn_stream", "<command>", "Execute a spawn command and capture it's output")
def spawn_stream(request: ApiRequest) -> str:
    """Run a program without a shell and return what it prints."""
    return _run(request, shell=False)


@programs.command("bg_spawn", "<command>", "Execute a spawn command in the background")
@programs.command("spawn", "<command>", "Execute a spawn command without capturing it's output")
def spawn(request: ApiRequest) -> str:
    return _start(request, shell=False)


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


def _arguments(request: ApiRequest, shell: bool) -> list[bytes]:
    """Return the program of a command and its arguments; UsageError without one."""
    text = request.argument
    if not text:
        raise UsageError
    if shell:
        return [b"/bin/sh", b"-c", to_bytes(text)]
    return [to_bytes(part) for part in separate(text, " ", _MOST_ARGUMENTS)]


def _run(request: ApiRequest, *, shell: bool) -> str:
    """Run a program and return what it prints."""
    arguments = _arguments(request, shell)
    try:
        with subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            output = process.stdout.read(_MOST_OUTPUT)
            if len(output) == _MOST_OUTPUT:
                process.kill()
    except (OSError, ValueError) as error:
        _log_failure(request, error)
        return ""
    return to_text(output.partition(b"\0")[0])


def _start(request: ApiRequest, *, shell: bool) -> str:
    """Start a program, a success even where that fails; a thread waits for its end, so that it leaves no zombie."""
    arguments = _arguments(request, shell)
    try:
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    except (OSError, ValueError) as error:
        _log_failure(request, error)
    else:
        threading.Thread(target=process.wait, name=f"program-{process.pid}", daemon=True).start()
    return "+OK\n"


def _log_failure(request: ApiRequest, error: Exception) -> None:
    request.switch.log(LogLevel.ERR, f"Failed to execute command: {request.argument}: {error}")
