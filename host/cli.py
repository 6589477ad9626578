"""The command `moonline`: subcommands, their options and their help."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

from host.error_line import error_line
from host.standard_streams import forget_output, prepare_standard_streams

DESCRIPTION = "Run FreeSWITCH Lua scripts without FreeSWITCH."

DEFINITIONS_EXAMPLES = """\
examples:
  moonline definitions ~/lua-definitions/freeswitch.lua
        and in .luarc.json beside your scripts: {"workspace.library": ["~/lua-definitions"]}

Editors that run the Lua language server (VS Code, Neovim, Emacs, …) then complete session: and freeswitch., show what
each call does and whether it waits, and mark wrong arguments.
"""

CALL_EXAMPLES = """\
examples:
  moonline call ivr.lua
        call the script; nobody presses anything
  moonline call ivr.lua --press "1@2s 4711#@5.5s" --hangup-at 20s
        press 1 after two seconds and 4711# from 5.5 s on, hang up after twenty
  moonline call ivr.lua --press-when "welcome=1" --press-when "3=4711#+500ms"
        press 1 when the file whose name holds "welcome" has ended, and 4711# half a second after the third prompt
  moonline call ivr.lua --caller busy-customer.yaml --record-stereo call.wav
        the same from a scenario file; call.wav has what was heard left and what was said right
  moonline call ivr.lua --press "1@2s" --timeline call.html
        a page to look at and to listen to: waveforms, prompts, keys, what the script did
  moonline call ivr.lua --json | jq 'select(.kind == "play") | .path'
        everything that was played

The call runs in virtual time: an hour of call takes a moment. A prompt that is missing but named like one of
FreeSWITCH's is spoken instead, and the transcript says so. Exit status: 0, or 1 when the script failed.
"""


# Commands whose module reads its own options: name -> (module, what its help line says).
OTHERS: Final = {
    "serve": ("host.serve", "answer calls: a switch with event socket and console"),
    "console": ("host.console.app", "attach to a running switch, as fs_cli does"),
    "api": ("host.console.commands", "run one API command on a running switch"),
    "lua": ("host.console.commands", "run a Lua script on a running switch and show what it writes"),
    "luarun": ("host.console.commands", "start a Lua script on a running switch"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    prepare_standard_streams()
    try:
        status = _run(list(sys.argv[1:] if argv is None else argv))
    except BrokenPipeError:
        forget_output()
        return 1
    except KeyboardInterrupt:
        print("moonline: interrupted", file=sys.stderr)
        return 130
    try:
        sys.stdout.flush()
    except OSError as error:
        forget_output()
        if not isinstance(error, BrokenPipeError):  # who reads no further wants no more
            print(f"moonline: standard output: {error_line(error)}", file=sys.stderr)
        return status or 1
    return status


def _run(arguments: list[str]) -> int:
    if arguments and arguments[0] in OTHERS:
        module = importlib.import_module(OTHERS[arguments[0]][0])
        return int(_main_of(module, arguments[0])(arguments[1:]))
    options, unknown = _parser().parse_known_args(arguments)
    if unknown:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return int(options.run(options))


def _main_of(module: ModuleType, command: str) -> Callable[[Sequence[str]], int]:
    found: Callable[[Sequence[str]], int] = getattr(module, f"{command}_main", None) or module.main
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="moonline", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"moonline {_version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND [ARG]", required=True)
    _add_call(commands)
    _add_definitions(commands)
    for name, (_, text) in OTHERS.items():
        commands.add_parser(name, help=text, add_help=False)
    return parser


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("moonline")
    except PackageNotFoundError:
        return "(not installed)"


def _add_definitions(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    definitions = commands.add_parser(
        "definitions",
        help="write what editors need to complete and check scripts",
        description="Write definitions of session, freeswitch and the rest for the Lua language server.",
        epilog=DEFINITIONS_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    definitions.add_argument("file", metavar="FILE", nargs="?", type=Path, help="where to (standard output)")
    definitions.set_defaults(run=_write_definitions, parser=definitions)


def _write_definitions(options: argparse.Namespace) -> int:
    from lua_bindings.definitions import lua_definitions

    text = lua_definitions()
    try:
        if options.file is None:
            sys.stdout.write(text)
            return 0
        options.file.write_text(text, encoding="utf-8")
    except BrokenPipeError:
        raise  # who reads no further wants no more
    except OSError as error:
        if options.file is None:
            forget_output()
        where = options.file or "standard output"
        print(f"moonline definitions: {where}: {error.strerror}", file=sys.stderr)
        return 2
    print(f"wrote {options.file}: name its folder in Lua.workspace.library of your editor")
    return 0


def _add_call(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    call = commands.add_parser(
        "call",
        usage="moonline call [OPTION ...] SCRIPT [ARG ...]",
        help="call a script as a simulated caller",
        description="Call a Lua script as a simulated caller and show what happens.",
        epilog=CALL_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    call.add_argument("script", metavar="SCRIPT", help="the .lua file to call")
    call.add_argument(
        "arguments", metavar="ARG", nargs="*", default=[], help="its arguments: argv[1], argv[2] …"
    )
    caller = call.add_argument_group("the caller")
    caller.add_argument(
        "--press",
        action="append",
        default=[],
        metavar="KEYS@TIME",
        help='keys at call times: "1@2s 4711#@5.5s"',
    )
    caller.add_argument(
        "--press-when", action="append", default=[], metavar="WHAT=KEYS",
        help="keys after prompt number WHAT, or after a file whose name matches WHAT, has ended; KEYS+500ms waits",
    )  # fmt: skip
    caller.add_argument(
        "--say", action="append", default=[], metavar="FILE@TIME", help="audio into the call: question.wav@3s"
    )
    caller.add_argument(
        "--speak",
        action="append",
        default=[],
        metavar="TEXT@TIME",
        help='words into the call: "yes please@3s"',
    )
    caller.add_argument(
        "--speak-when", action="append", default=[], metavar="WHAT=TEXT",
        help="words after prompt number WHAT, or after a file whose name matches WHAT, has ended; TEXT+500ms waits",
    )  # fmt: skip
    caller.add_argument("--voice", metavar="NAME", help="the espeak-ng voice of the caller's words (en-us)")
    caller.add_argument("--hangup-at", metavar="TIME", help="hang up at this call time")
    caller.add_argument("--from", dest="from_number", metavar="NUMBER", help="the caller's number (1000)")
    caller.add_argument("--name", metavar="NAME", help="the caller's name (Caller)")
    caller.add_argument("--to", metavar="NUMBER", help="the number that was dialled (lua-SCRIPT)")
    caller.add_argument(
        "--var", action="append", default=[], metavar="NAME=VALUE", help="a channel variable of the call"
    )
    caller.add_argument("--rate", metavar="HZ", help="samples a second on the caller's line (8000)")
    caller.add_argument(
        "--caller",
        type=Path,
        metavar="FILE",
        help="a scenario file, YAML or TOML, with these options as keys",
    )
    out = call.add_argument_group("what comes out")
    out.add_argument("--json", action="store_true", help="the transcript as one JSON object a line")
    out.add_argument("--record", type=Path, metavar="WAV", help="write what the caller heard")
    out.add_argument(
        "--record-stereo",
        type=Path,
        metavar="WAV",
        help="write what the caller heard (left) and sent (right)",
    )
    out.add_argument(
        "--timeline",
        type=Path,
        metavar="HTML",
        help="write a page with the waveforms, what happened beside them, and the sound",
    )
    out.add_argument(
        "--log-level", default="info", metavar="LEVEL", help="least severe log lines to show (info)"
    )
    out.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colours (auto)")
    run = call.add_argument_group("how it runs")
    run.add_argument("--realtime", action="store_true", help="by the wall clock instead of virtual time")
    run.add_argument("--limit", default="1h", metavar="TIME", help="end the call after this call time (1h)")
    run.add_argument(
        "--burst", default="10s", metavar="TIME", help="end a script that runs so long without waiting (10s)"
    )
    run.add_argument(
        "--start-time", metavar="TIME", help="calendar time at which the call begins (2026-01-05T10:00:00Z)"
    )
    run.add_argument(
        "--lua", default="", metavar="VERSION", help="luajit, 5.1, 5.2, 5.3, 5.4 or 5.5 (luajit)"
    )
    run.add_argument(
        "--conf", type=Path, metavar="PATH", help="a FreeSWITCH configuration: folder or root file"
    )
    run.add_argument(
        "--base", type=Path, metavar="DIR", help="the folder that sounds/, scripts/, db/ … lie below"
    )
    run.add_argument(
        "--speak-missing", action=argparse.BooleanOptionalAction, default=True,
        help="speak missing prompts that are named like FreeSWITCH's",
    )  # fmt: skip
    call.set_defaults(run=_call, parser=call)


def _call(options: argparse.Namespace) -> int:
    from host.testing.call_command import run_call_command

    return run_call_command(options)
