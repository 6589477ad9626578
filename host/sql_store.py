"""A database of the switch's own: an SQLite file, or PostgreSQL where several hosts share what they know."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

from host.byte_text import to_bytes, to_text

Statement = tuple[str, Sequence[str]]
Row = tuple[str | int | None, ...]

MEMORY: Final = ":memory:"
_SCHEMES: Final = ("pgsql", "postgresql", "postgres")
_BUSY_SECONDS: Final = 10.0  # how long another process may hold an SQLite file
# A server that has gone is noticed after this time instead of TCP's quarter of an hour.
_POSTGRES_OPTIONS: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "tcp_user_timeout": 10_000,
}

_T = TypeVar("_T")

# Called with each statement, without its values, by any thread (FreeSWITCH: `fsctl debug_sql`).
statement_watchers: Final[list[Callable[[str], None]]] = []


class SqlError(Exception):
    """A database that cannot be reached, or a statement that failed; the text is the database's own."""


class SqlStore(Protocol):
    """A connection that several threads use, one transaction at a time.

    `?` stands for a value in either dialect, and is used for nothing else. `place` is the name of the column that
    tells in which order rows came in.
    """

    place: str

    def run(self, *statements: Statement, locked: str = "") -> list[Row]:
        """Run statements as one transaction, the table `locked` to itself; return the rows of all. SqlError."""

    def close(self) -> None:
        """Close the connection."""


def is_postgres(dsn: str) -> bool:
    """Tell whether a DSN is one of PostgreSQL (`pgsql://PARAMETERS`, `postgresql://USER@HOST/NAME`)."""
    return dsn.partition("://")[0].lower() in _SCHEMES


def open_store(dsn: str, schema: str) -> SqlStore:
    """Open the database of a DSN, or of the path of an SQLite file, and run the statements of `schema`. SqlError."""
    return PostgresStore(dsn, schema) if is_postgres(dsn) else SqliteStore(dsn, schema)


def _tell(sql: str) -> None:
    for watch in statement_watchers:
        watch(sql)


class SqliteStore:
    """An SQLite database. Texts are stored as their bytes, so that those that are no UTF-8 pass unharmed."""

    place = "rowid"

    def __init__(self, path: str, schema: str) -> None:
        try:
            self._connection = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS
            )
            self._connection.text_factory = to_text
            self._lock = threading.Lock()
            if path != MEMORY:
                # Readers and a writer do not hold each other up, and a crash loses nothing that was committed.
                self._connection.execute("pragma journal_mode=wal")
            self._connection.executescript(schema)
        except sqlite3.Error as error:
            raise SqlError(str(error)) from error

    def run(self, *statements: Statement, locked: str = "") -> list[Row]:
        """Run statements as one transaction. The whole file is locked, `locked` or not."""
        try:
            with self._lock, self._connection:
                self._connection.execute("begin immediate")
                rows: list[Row] = []
                for sql, values in statements:
                    _tell(sql)
                    # As blobs cast to text: any bytes compare equal to themselves.
                    prepared = sql.replace("?", "cast(? as text)")
                    rows += self._connection.execute(prepared, [to_bytes(value) for value in values])
                return rows
        except sqlite3.Error as error:
            raise SqlError(str(error)) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


class PostgresStore:
    """A PostgreSQL database. A connection that broke is made anew once a transaction."""

    place = "ctid"

    def __init__(self, dsn: str, schema: str) -> None:
        try:
            import psycopg
        except ImportError as error:
            raise SqlError("PostgreSQL needs the extra moonline[pgsql]") from error
        scheme, _, rest = dsn.partition("://")
        self._parameters = rest if scheme.lower() == "pgsql" else dsn
        self._psycopg = psycopg
        self._connection: Any = None
        self._lock = threading.Lock()
        # One advisory lock: hosts that start at the same time must not both make the same table.
        self._transaction(
            lambda cursor: (cursor.execute("select pg_advisory_xact_lock(8021)"), cursor.execute(schema))
        )

    def run(self, *statements: Statement, locked: str = "") -> list[Row]:
        """Run statements as one transaction, during which no one else changes the table `locked`."""

        def work(cursor: Any) -> list[Row]:
            if locked:
                cursor.execute(f"lock table {locked} in share row exclusive mode")
            rows: list[Row] = []
            for sql, values in statements:
                _tell(sql)
                cursor.execute(sql.replace("?", "%s"), [_storable(value) for value in values])
                rows += cursor.fetchall() if cursor.description is not None else ()
            return rows

        return self._transaction(work)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _transaction(self, work: Callable[[Any], _T]) -> _T:
        with self._lock:
            try:
                return self._attempt(work)
            except self._psycopg.OperationalError as error:
                # Also a lock that was not got; once more does no harm, the transaction was rolled back.
                if self._connection is not None:
                    self._connection.close()
                self._connection = None
                try:
                    return self._attempt(work)
                except self._psycopg.Error as again:
                    raise SqlError(str(again)) from error
            except self._psycopg.Error as error:
                raise SqlError(str(error)) from error

    def _attempt(self, work: Callable[[Any], _T]) -> _T:
        if self._connection is None or self._connection.closed:
            self._connection = self._psycopg.connect(self._parameters, **_POSTGRES_OPTIONS)
        with self._connection.transaction(), self._connection.cursor() as cursor:
            return work(cursor)


def _storable(text: str) -> str:
    """Return a text that PostgreSQL takes; SqlError for bytes that are no UTF-8, and for a zero byte."""
    if "\0" in text:
        raise SqlError("PostgreSQL stores no zero bytes")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SqlError("PostgreSQL stores no bytes that are not UTF-8") from error
    return text
