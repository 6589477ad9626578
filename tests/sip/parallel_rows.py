"""Rows of a table of tests that run side by side: each takes seconds, all together hardly longer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar, cast

import pytest

SIDE_BY_SIDE = 10


class Row(Protocol):
    """A row has a name that is unique in its table."""

    @property
    def name(self) -> str:
        """The name."""


RowType = TypeVar("RowType", bound=Row)


class ParallelRows(Generic[RowType]):
    """Runs the rows that the chosen tests of a module ask for, from the first question on.

    A row's `run` returns what is wrong, an empty list when all is well.
    """

    def __init__(self, request: pytest.FixtureRequest, run: Callable[[RowType], Sequence[str]]) -> None:
        """Prepare the rows: the arguments `row` of the module's chosen tests."""
        rows: list[RowType] = [
            cast(RowType, item.callspec.params["row"])
            for item in request.session.items
            if isinstance(item, pytest.Function)
            and item.module is request.module
            and hasattr(item, "callspec")
            and "row" in item.callspec.params
            and item.get_closest_marker("skip") is None
        ]
        self._pool = ThreadPoolExecutor(SIDE_BY_SIDE, "row")
        self._futures: dict[str, Future[Sequence[str]]] = {
            row.name: self._pool.submit(run, row) for row in rows
        }

    def outcome(self, row: RowType) -> Sequence[str]:
        """Wait for a row and return what is wrong with it."""
        return self._futures[row.name].result()

    def close(self) -> None:
        """Wait until all have ended."""
        self._pool.shutdown(cancel_futures=True)
