"""Rows of a table of tests that run side by side: each takes seconds, all together hardly longer."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar, cast

import pytest

from tests.sip.served_host import ServedHost

SIDE_BY_SIDE = 10


class Row(Protocol):
    """A row has a name that is unique in its table, and can be run."""

    @property
    def name(self) -> str:
        """The name."""

    def run(self, host: ServedHost) -> Sequence[str]:
        """Do what the row says and return what is wrong, an empty list when all is well."""


RowType = TypeVar("RowType", bound=Row)


class ParallelRows(Generic[RowType]):
    """Runs the rows that the chosen tests of a module ask for, from the first question on."""

    def __init__(self, request: pytest.FixtureRequest, host: ServedHost) -> None:
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
            row.name: self._pool.submit(row.run, host) for row in rows
        }

    def check(self, row: RowType) -> None:
        """Wait for a row. AssertionError with what is wrong with it."""
        wrong = self._futures[row.name].result()
        assert not wrong, "\n".join(wrong)

    def close(self) -> None:
        """Wait until all have ended."""
        self._pool.shutdown(cancel_futures=True)
