"""`moonline console`: a prompt attached to a running server, as operators know it from `fs_cli`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from lxml import etree

from host.console.client import Client, ClientError, Message
from host.console.commands import add_server_arguments, run_command
from host.console.completion import parse_completions
from host.log import LogLevel
from host.log_line import coloured, printable
from host.standard_streams import write_out

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.key_binding import KeyBindings

DESCRIPTION: Final = "Attach to a running server: type API commands, see its log and its events."
HELP: Final = """\
  COMMAND                 any API command of the server; `help` lists them
  /log [LEVEL], /nolog    show log lines up to LEVEL (console, alert, crit, err, warning, notice, info, debug), or none
  /uuid [UUID]            show only the log lines of one call, or all again
  /event FORM NAME …      show events: /event plain ALL, /event plain CUSTOM conference::maintenance
  /noevents, /nixevent    show none, or all but some
  /filter HEADER VALUE    show only events that have this; /filter delete HEADER
  /help                   this text
  /quit, /exit, /bye, …   leave; the server goes on
"""
LEAVE: Final = frozenset({"/quit", "/exit", "/bye", "/q", "..."})
# FreeSWITCH's keys where switch.conf names none.
KEYS: Final = {
    "1": "help",
    "2": "status",
    "3": "show channels",
    "4": "show calls",
    "5": "sofia status",
    "6": "reloadxml",
    "7": "/log console",
    "8": "/log debug",
    "9": "sofia status profile internal",
    "10": "sofia profile internal siptrace on",
    "11": "sofia profile internal siptrace off",
    "12": "version",
}
HISTORY: Final = Path("~/.moonline_history")

Show = Callable[[str], None]


class Server(Protocol):
    """Whom the console speaks to: a client of a server far away, or the switch of its own process."""

    def send(self, command: str) -> Message:
        """Run a command of the event socket and return its answer. Raises ClientError."""

    def api(self, line: str) -> str:
        """Run a line of API commands and return what it prints. Raises ClientError."""


@dataclass(slots=True)
class Console:
    """What a line means and what a message looks like; `show(text)` prints text that ends with a line feed."""

    show: Show
    colours: bool = False
    uuid: str = ""
    over: bool = False
    on_over: Callable[[], None] = field(default=lambda: None)

    def hear(self, message: Message) -> None:
        """Show a log line or an event, and note that the server has gone."""
        if message.kind == "log/data":
            if self.uuid in ("", message.get("User-Data")):
                self.show(self._log_text(message))
        elif message.kind.startswith("text/event-"):
            self.show(printable(f"RECV EVENT\n{message.body.rstrip()}\n\n"))
        elif message.kind == "text/disconnect-notice":
            self.over = True
            self.on_over()

    def _log_text(self, message: Message) -> str:
        text = printable(message.body)
        level = message.get("Log-Level")
        if self.colours and level.isdigit() and int(level) <= LogLevel.DEBUG:
            return coloured(text, LogLevel(int(level)))
        return text if text.endswith("\n") else f"{text}\n"

    def run(self, client: Server, line: str) -> bool:
        """Do what a typed line says; False when it was to leave. Raises ClientError."""
        line = line.strip()
        command, _, rest = line.partition(" ")
        if not line:
            return True
        if command.lower() in LEAVE:
            return False
        if command.lower() == "/help":
            self.show(HELP)
        elif command.lower() == "/uuid":
            self.uuid = rest.strip()
            self.show(f"log lines of {self.uuid or 'all calls'}\n")
        elif line.startswith("/"):
            self.show(printable(f"{client.send(line[1:]).reply}\n"))
        else:
            text = printable(client.api(line))
            self.show(text if text.endswith("\n") else f"{text}\n")
        return True


def main(argv: Sequence[str]) -> int:
    """Run `moonline console`; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="moonline console",
        description=DESCRIPTION,
        epilog=f"at the prompt:\n{HELP}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_server_arguments(parser)
    parser.add_argument(
        "-x", "--execute", metavar="COMMAND", help="run one command, print its answer and leave"
    )
    parser.add_argument("--log-level", "-l", default="info", metavar="LEVEL", help="log lines to show (info)")
    options = parser.parse_args(argv)
    if options.execute is not None:
        return run_command(options, options.execute)
    try:
        return attach(options.host, options.port, options.password, options.log_level)
    except ClientError as error:
        print(f"moonline: {error}", file=sys.stderr)
        return 1


def attach(host: str, port: int, password: str, log_level: str) -> int:
    """Show a prompt until the operator leaves (0) or the server has gone (1). Raises ClientError before that."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _read_lines(host, port, password)
    try:
        from prompt_toolkit.patch_stdout import patch_stdout
    except ModuleNotFoundError:
        raise ClientError(
            "the prompt needs prompt_toolkit: pip install 'moonline[console]', or use -x"
        ) from None
    console = Console(write_out, colours=True)
    client = Client(host, port, password, console.hear)
    session = make_prompt(client)
    console.on_over = lambda: leave_prompt(session)
    with patch_stdout(raw=True):
        console.run(client, f"/log {log_level}")
        hostname = client.api("hostname").strip()
        while not console.over:
            try:
                if not console.run(client, session.prompt(f"moonline@{printable(hostname)}> ")):
                    break
            except KeyboardInterrupt:
                continue
            except (EOFError, ClientError):
                break
    client.close()
    if console.over:
        print(f"moonline: {client.goodbye.strip() or 'the server has gone'}", file=sys.stderr)
    return int(console.over)


def _read_lines(host: str, port: int, password: str) -> int:
    """Run the commands that come in by standard input, one a line."""
    console = Console(write_out)
    client = Client(host, port, password, console.hear)
    try:
        for line in sys.stdin:
            if not console.run(client, line):
                break
    finally:
        client.close()
    return 0


def leave_prompt(session: PromptSession[str]) -> None:
    """End a prompt that waits, from another thread, as if its end of file had come."""
    app, loop = session.app, session.app.loop
    if loop is not None and app.is_running:
        loop.call_soon_threadsafe(lambda: app.exit(exception=EOFError) if app.is_running else None)


def make_prompt(client: Server) -> PromptSession[str]:
    """Return the prompt: history, completion by the server, function keys. Raises ModuleNotFoundError."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
    from prompt_toolkit.history import FileHistory

    return PromptSession(
        history=FileHistory(str(HISTORY.expanduser())),
        auto_suggest=AutoSuggestFromHistory(),
        completer=_completer(client),
        complete_in_thread=True,
        complete_while_typing=False,
        key_bindings=_key_bindings(key_commands(client)),
    )


def _completer(client: Server) -> Completer:
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion
    from prompt_toolkit.document import Document

    class ServerCompleter(Completer):
        """Asks the server what may stand at the cursor."""

        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
            line = document.text_before_cursor
            if line.startswith("/"):
                words = sorted({text.split(" ")[0].rstrip(",") for text in HELP.split() if text[0] == "/"})
                return [Completion(word, -len(line)) for word in words if word.startswith(line)]
            try:
                answer = client.send(f"api console_complete_xml c={len(line)};{line}")
            except ClientError:
                return []
            typed = line.rpartition(" ")[2]
            found = parse_completions(answer.reply).matches
            return [Completion(word, -len(typed)) for word in found if word.startswith(typed)]

    return ServerCompleter()


def key_commands(client: Server) -> dict[str, str]:
    """Return what the function keys type, by number: the `cli-keybindings` of the server's switch.conf, else KEYS."""
    answer = client.send("api xml_locate configuration configuration name switch.conf").reply
    return parse_keys(answer) or KEYS


def parse_keys(text: str) -> dict[str, str]:
    """Return the keys of a configuration in XML, none where there is no such configuration."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:
        return {}
    keys = {key.get("name", ""): key.get("value", "") for key in root.iterfind(".//cli-keybindings/key")}
    return {name: value for name, value in keys.items() if name in KEYS and value}


def _key_bindings(commands: dict[str, str]) -> KeyBindings:
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    bindings = KeyBindings()

    def bind(number: str, command: str) -> None:
        @bindings.add(f"f{number}")
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.text = command
            event.current_buffer.validate_and_handle()

    for number, command in commands.items():
        bind(number, command)
    return bindings
