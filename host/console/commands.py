"""`moonline api`, `moonline luarun` and `moonline lua`: one command for a running server, for scripts and cron."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from host.byte_text import to_bytes
from host.console.client import DEFAULT_HOST, DEFAULT_PASSWORD, DEFAULT_PORT, Client, ClientError
from host.error_line import error_line
from host.port_number import port_number
from host.standard_streams import forget_output

PASSWORD_VARIABLE: Final = "MOONLINE_PASSWORD"


def _port(text: str) -> int:
    """Return the port that an option names; argparse tells why it is none."""
    try:
        return port_number(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which server is meant."""
    parser.add_argument("--host", "-H", default=DEFAULT_HOST, help=f"the server's address ({DEFAULT_HOST})")
    parser.add_argument(
        "--port", "-P", type=_port, default=DEFAULT_PORT, help=f"its event socket's port ({DEFAULT_PORT})"
    )
    parser.add_argument(
        "--password",
        "-p",
        default=os.environ.get(PASSWORD_VARIABLE, DEFAULT_PASSWORD),
        help=f"its password (${PASSWORD_VARIABLE}, else {DEFAULT_PASSWORD})",
    )


def api_main(argv: Sequence[str]) -> int:
    """Run `moonline api COMMAND…`; the exit status is 1 when the answer is an error."""
    parser = argparse.ArgumentParser(
        prog="moonline api",
        description="Run one API command on a running server and print its answer.",
        epilog="examples: moonline api status; moonline api show channels as json",
    )
    add_server_arguments(parser)
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="the command")
    options = parser.parse_args(argv)
    if not options.command:
        parser.error("which command?")
    return run_command(options, " ".join(options.command))


def luarun_main(argv: Sequence[str]) -> int:
    """Run `moonline luarun SCRIPT [ARG…]`: the script runs by itself on the server."""
    return _script_main("luarun", "Start a Lua script on a running server; it runs by itself.", argv)


def lua_main(argv: Sequence[str]) -> int:
    """Run `moonline lua SCRIPT [ARG…]`: print what the script writes to its stream."""
    return _script_main("lua", "Run a Lua script on a running server and print what it writes.", argv)


def _script_main(command: str, description: str, argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog=f"moonline {command}", description=description)
    add_server_arguments(parser)
    parser.add_argument(
        "script", metavar="SCRIPT", help="a file here, or a name in the server's scripts folder"
    )
    more = parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARG", help="its arguments")
    more.required = False  # argparse names it among what is missing otherwise
    options = parser.parse_args(argv)
    path = Path(options.script)
    script = str(path.absolute()) if path.is_file() else options.script
    return run_command(options, " ".join([command, script, *map(quoted, options.arguments)]))


def quoted(argument: str) -> str:
    """Return an argument as the Lua module takes it: in single quotes where blanks would divide it."""
    return f"'{argument}'" if not argument or " " in argument else argument


def run_command(options: argparse.Namespace, line: str) -> int:
    """Run one line on the server that the options name, print the answer and return the exit status."""
    if "\n" in line or "\r" in line:
        print("moonline: a command is one line", file=sys.stderr)
        return 2
    try:
        client = Client(options.host, options.port, options.password)
        try:
            answer = client.send(f"api {line}\nconsole_execute: true")
        finally:
            client.close()
    except ClientError as error:
        print(f"moonline: {error}", file=sys.stderr)
        return 1
    text = to_bytes(answer.reply)
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text if text.endswith(b"\n") else text + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise  # who reads no further wants no more
    except OSError as error:
        forget_output()
        print(f"moonline: standard output: {error_line(error)}", file=sys.stderr)
        return 1
    return int(answer.refused)
