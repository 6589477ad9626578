"""The console of a server that owns a terminal: the prompt of `moonline console`, in the server's own process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.byte_text import to_bytes
from host.clock import SECOND
from host.console.app import LEAVE, Console, leave_prompt, make_prompt
from host.console.client import ClientError, Message, MessageReader
from host.console_line import run_line
from host.log import LogEntry, LogLevel, level_of
from host.log_line import printable
from host.log_writer import LogWriter
from host.modules.mod_event_socket.connection import Connection
from host.modules.mod_event_socket.protocol import CommandReader, ProtocolError
from host.session_control import Shutdown
from host.standard_streams import write_out

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

    from host.event import Event
    from host.event_bus import Subscription
    from host.switch import Switch

END: Final = "..."
STAYS: Final = "this is the server's own console: `shutdown` or `...` ends the server\n"
# How long a prompt may take to give the terminal back.
_PATIENCE: Final = 2 * SECOND


class OwnServer:
    """The switch of this process, spoken to as a client speaks to one far away.

    `log LEVEL` and `nolog` set what the terminal shows of the log; the rest is the event socket's.
    """

    def __init__(self, switch: Switch, console: Console) -> None:
        self.switch = switch
        self._console = console
        self._subscription: Subscription | None = None
        self._connection = Connection(switch, self, authorized=True)

    def send(self, command: str) -> Message:
        """Run a command of the event socket and return its answer. Raises ClientError."""
        name, _, rest = command.partition("\n")[0].strip().partition(" ")
        if name.lower() in ("log", "nolog"):
            return Message((("Content-Type", "command/reply"), ("Reply-Text", self._log(name.lower(), rest))))
        try:
            commands = CommandReader().feed(to_bytes(command) + b"\n\n")
        except ProtocolError as error:
            raise ClientError(str(error)) from error
        messages: list[Message] = []
        for found in commands:
            answer = self._connection.answer(found)
            messages += MessageReader().feed(answer.data)
            if answer.then is not None:
                answer.then()
        return messages[0] if messages else Message(())

    def api(self, line: str) -> str:
        """Run a line of API commands and return what it prints."""
        try:
            return run_line(self.switch, line)
        except Exception as error:  # a command's fault must not end the console
            self.switch.report_bug(f"console {line[:80]}", error)
            return f"-ERR failed: {type(error).__name__}\n"

    def refresh(self) -> None:
        """Hear what the console has subscribed to."""
        former, names = self._subscription, self._connection.subscription.heard
        self._subscription = self.switch.bus.subscribe(self._hear, names, owner="console") if names else None
        if former is not None:
            self.switch.bus.unsubscribe(former)

    def divert(self, connection: Connection, event: Event) -> None:
        """Show an event of a call that `divert_events` takes."""
        self._show(event)

    def close(self) -> None:
        """Hear nothing any more."""
        self._connection.subscription.clear()
        self.refresh()

    def _log(self, name: str, word: str) -> str:
        settings = self.switch.console_settings
        settings.silent = name == "nolog"
        if settings.silent:
            return "+OK no longer logging"
        level = level_of(word.strip() or "debug")
        if level is None:
            return "-ERR invalid log level"
        settings.level = level
        return f"+OK log level {level.name.lower()} [{int(level)}]"

    def _hear(self, event: Event) -> None:
        if self._connection.subscription.wants(event):
            self._show(event)

    def _show(self, event: Event) -> None:
        form = self._connection.subscription.form
        self._console.hear(Message((("Content-Type", f"text/event-{form}"),), event.serialize(form)))


class OwnConsole:
    """A prompt in a thread of its own."""

    def __init__(self, switch: Switch) -> None:
        """Prepare the prompt. Raises ModuleNotFoundError without prompt_toolkit."""
        self._switch = switch
        clock = switch.clock
        # Events are shown by a thread of their own: a terminal that was stopped must not hold up a call.
        self._events = LogWriter(clock, write_out, lambda entry: entry.text)
        self._console = Console(
            lambda text: self._events(LogEntry(LogLevel.CONSOLE, text, clock.time(), clean=True)),
            colours=True,
        )
        self._server = OwnServer(switch, self._console)
        self._prompt: PromptSession[str] = make_prompt(self._server)
        self._stopping = False
        self._ended = clock.waiter()

    def start(self) -> None:
        """Show the prompt; log lines appear above it."""
        self._switch.clock.spawn(self._run, "console")

    def stop(self) -> None:
        """Take the prompt away and give the terminal back."""
        self._stopping = True
        leave_prompt(self._prompt)
        deadline = self._switch.clock.now() + _PATIENCE
        self._ended.wait(deadline)
        self._server.close()
        self._events.close()

    def _run(self) -> None:
        from prompt_toolkit.patch_stdout import patch_stdout

        text = f"moonline@{printable(self._switch.hostname)}> "
        try:
            with patch_stdout(raw=True):
                while not self._stopping:
                    try:
                        self._do(self._prompt.prompt(text, handle_sigint=False, pre_run=self._leave_if_over))
                    except KeyboardInterrupt:
                        continue
                    except EOFError:
                        if not self._stopping:
                            write_out(STAYS)
        except Exception as error:  # the switch goes on without a console
            self._switch.report_bug("console", error)
        finally:
            self._ended.notify()

    def _leave_if_over(self) -> None:
        """End a prompt that begins just when it is to stop."""
        if self._stopping:
            leave_prompt(self._prompt)

    def _do(self, line: str) -> None:
        word = line.strip().lower()
        if word == END:
            self._switch.control.request_shutdown(Shutdown(), len(self._switch.sessions))
        elif word in LEAVE:
            write_out(STAYS)
        else:
            try:
                self._console.run(self._server, line)
            except ClientError as error:
                write_out(f"{error}\n")
            self._switch.console_settings.only_uuid = self._console.uuid
