"""Work that cannot be interrupted, done beside the script that waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from host.clock import Waiter

Result = TypeVar("Result")
Failure = TypeVar("Failure", bound=Exception)


class BesideScript(Waiter, Generic[Result, Failure]):
    """Waits for a thread's work, which a kill leaves to end by itself: then there is neither result nor error."""

    def __init__(self, name: str, work: Callable[[], Result], *failures: type[Failure]) -> None:
        """`name` is the thread's; `failures` are kept in `error`."""
        self._name = name
        self._done = threading.Event()
        self._work = work
        self._failures = failures
        self.results: list[Result] = []
        self.error: Failure | None = None

    def _run(self) -> None:
        try:
            self.results.append(self._work())
        except self._failures as error:
            self.error = error
        self._done.set()

    def wait(self, deadline: int | None = None) -> bool:
        threading.Thread(target=self._run, name=self._name, daemon=True).start()
        self._done.wait()
        return True

    def notify(self) -> None:
        self._done.set()
