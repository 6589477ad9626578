"""A table of API commands: each is one function, with its name, syntax and description beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from host.interfaces import ApiCommand, ApiRequest

if TYPE_CHECKING:
    from host.switch import Switch

# Returns the reply, or writes it to the request and returns None.
Handler = Callable[[ApiRequest], "str | None"]


class UsageError(Exception):
    """Arguments that a command cannot use: its reply is `-USAGE: <syntax>` and, on lines of their own, `after`."""

    def __init__(self, after: str = "") -> None:
        super().__init__(after)
        self.after = after


class Refused(Exception):
    """A command cannot do what is asked, and `reply` says why: it is the command's reply as it is."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


class ApiTable:
    """The commands of one module or of a part of it, in the order of their definition."""

    def __init__(self, module: str) -> None:
        self.module = module
        self._commands: list[ApiCommand] = []

    def command(self, name: str, syntax: str = "", description: str = "") -> Callable[[Handler], Handler]:
        """Make the function below the API command `name`; it may raise UsageError and Refused."""

        def add(handler: Handler) -> Handler:
            def run(request: ApiRequest) -> str | None:
                try:
                    return handler(request)
                except UsageError as error:
                    return f"-USAGE: {syntax}\n{error.after}"
                except Refused as error:
                    return error.reply

            self._commands.append(ApiCommand(name, self.module, run, syntax, description))
            return handler

        return add

    def register(self, switch: Switch) -> None:
        """Give all commands to the switch."""
        for command in self._commands:
            switch.api_commands.add(command)

    def __iter__(self) -> Iterator[ApiCommand]:
        return iter(self._commands)
