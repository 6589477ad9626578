"""A table of dialplan applications: each is one function, with its name, syntax and description beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from host.interfaces import Application

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

# Called with the session and the application's data.
Handler = Callable[["Session", str], object]


class ApplicationTable:
    """The applications of one module or of a part of it, in the order of their definition."""

    def __init__(self, module: str) -> None:
        self.module = module
        self._applications: list[Application] = []

    def application(
        self,
        name: str,
        syntax: str = "",
        description: str = "",
        *,
        media: bool = False,
        routing: bool = False,
        zombie: bool = False,
        raw: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Make the function below the application `name`; the flags are those of `host.interfaces.Application`."""

        def add(handler: Handler) -> Handler:
            self._applications.append(
                Application(
                    name,
                    self.module,
                    handler,
                    syntax,
                    description,
                    needs_media=media,
                    routing_exec=routing,
                    zombie_exec=zombie,
                    raw_data=raw,
                )
            )
            return handler

        return add

    def register(self, switch: Switch) -> None:
        """Give all applications to the switch."""
        for application in self._applications:
            switch.applications.add(application)

    def __iter__(self) -> Iterator[Application]:
        return iter(self._applications)
