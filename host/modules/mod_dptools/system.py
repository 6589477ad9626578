"""Applications that reach out of the call: commands of the operating system, folders and files, the date."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.arguments import separate
from host.byte_text import to_bytes
from host.local_zone import local_zone
from host.log import LogLevel
from host.time_format import format_time

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

_SHELL: Final = "/bin/sh"
_VALUE: Final = "MOONLINE_VALUE_{}"

# FreeSWITCH: a date has at most so many characters.
_DATE_LENGTH: Final = 80


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


@_application("system", "<command>", "Execute a system command", raw=True)
def system(session: Session, data: str) -> None:
    """Run a command of the shell and wait for its end; see `shell_command` for its variables."""
    command, values = shell_command(session, data)
    session.channel.log(LogLevel.NOTICE, f"Executing command: {command}")
    done = subprocess.run(
        [_SHELL, "-c", to_bytes(command)], stdin=subprocess.DEVNULL, env=_environment(values), check=False
    )
    if done.returncode:
        session.channel.log(LogLevel.NOTICE, f"Failed to execute command: {command}")


@_application("bgsystem", "<command>", "Execute a system command in the background", raw=True)
def bgsystem(session: Session, data: str) -> None:
    """Run a command of the shell and do not wait."""
    command, values = shell_command(session, data)
    session.channel.log(LogLevel.NOTICE, f"Executing command: {command}")
    subprocess.Popen(
        [_SHELL, "-c", to_bytes(command)],
        stdin=subprocess.DEVNULL,
        env=_environment(values),
        start_new_session=True,
    )


def shell_command(session: Session, data: str) -> tuple[str, list[str]]:
    r"""Return the command and the values of its `${…}`, which the shell reads from its environment.

    A value may come from a caller, so it never becomes part of the command's text: unquoted it is divided into
    words, in quotes of either kind it is one, and nothing in it is ever executed. (FreeSWITCH puts values into the
    text; a whole command with redirections in one variable works there and not here.)
    """
    values: list[str] = []
    command: list[str] = []
    quote = ""
    for text, is_value in _parts(data.replace("\0", "")):
        if is_value:
            reference = f"${{{_VALUE.format(len(values))}}}"
            values.append(session.expand(text))
            command.append(f"'\"{reference}\"'" if quote == "'" else reference)
        else:
            command.append(text)
            quote = _quote_after(text, quote)
    return "".join(command), values


def _parts(data: str) -> Iterator[tuple[str, bool]]:
    """Yield the text in pieces, each with whether it is a whole `${…}` or `$${…}`."""
    start = position = 0
    while (found := data.find("${", position)) >= 0:
        begin = found - 1 if found > start and data[found - 1] == "$" else found
        end, depth = found + 2, 1
        while end < len(data) and depth:
            depth += {"{": 1, "}": -1}.get(data[end], 0)
            end += 1
        if depth or (begin > 0 and data[begin - 1] == "\\"):
            position = found + 2
            continue
        if begin > start:
            yield data[start:begin], False
        yield data[begin:end], True
        start = position = end
    if start < len(data):
        yield data[start:], False


def _quote_after(text: str, quote: str) -> str:
    """Return which quote is open after a piece of shell text that began within `quote` ("" for none)."""
    escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif character == quote:
            quote = ""
        elif character in "'\"" and not quote:
            quote = character
    return quote


def _environment(values: list[str]) -> dict[bytes, bytes]:
    own = {
        _VALUE.format(number).encode(): to_bytes(value).replace(b"\0", b"")
        for number, value in enumerate(values)
    }
    return {**os.environb, **own}


@_application("mkdir", "<path>", "Create a directory")
def mkdir(session: Session, data: str) -> None:
    """Make a folder and those above it."""
    try:
        os.makedirs(data, exist_ok=True)
    except (OSError, ValueError) as error:
        session.channel.log(LogLevel.ERR, f"{data} Create Error: {error}")
    else:
        session.channel.log(LogLevel.DEBUG, f"{data} CREATE")


@_application("rename", "<from_path> <to_path>", "Rename file", zombie=True)
def rename(session: Session, data: str) -> None:
    """Give a file another name."""
    words = separate(data, " ", 2)
    if len(words) < 2:
        session.channel.log(LogLevel.ERR, "Usage: <from_path> <to_path>")
        return
    try:
        os.replace(*words)
    except (OSError, ValueError) as error:
        session.channel.log(LogLevel.ERR, f"Can't rename {words[0]} to {words[1]}: {error}")


@_application("strftime", "[<epoch>|]<format string>", "strftime")
def strftime(session: Session, data: str) -> None:
    """Set a variable to the date: `name=format`."""
    words = separate(data, "=", 2)
    if len(words) < 2:
        return
    now = session.clock.time()
    text = format_time(words[1], now, local_zone()) or ""
    session.channel.set_variable(words[0], text if len(text) < _DATE_LENGTH else None)
