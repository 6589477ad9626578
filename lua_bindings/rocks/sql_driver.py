"""The databases behind the rocks luasql.*: connections that run a statement, and what a statement gave.

SQLite by Python's own module, PostgreSQL by psycopg, ODBC by pyodbc, MySQL by PyMySQL. Texts are octets; how a
driver tells of NULL and numbers is LuaSQL's: SQLite and ODBC give numbers, PostgreSQL and MySQL texts.
"""

from __future__ import annotations

import importlib
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Any, Final

from lua_bindings.database import statements
from lua_bindings.rocks.crossing import Plain

# What LuaSQL waits for another's lock on an SQLite file unless `connect` says otherwise: not at all.
_NO_WAIT_S: Final = 0.0


# How long stopping a statement may take to reach a MySQL server.
_INTERRUPT_S: Final = 5


class SqlError(Exception):
    """A statement or connection that failed; the text is LuaSQL's words and the database's."""


class Found:
    """The rows of a statement: their columns' names and types, the rows themselves, and how many where it is known."""

    def __init__(
        self,
        names: Sequence[bytes],
        types: Sequence[bytes],
        rows: Iterator[tuple[Plain, ...]],
        count: int | None = None,
    ) -> None:
        self.names = names
        self.types = types
        self.rows = rows
        self.count = count


class Driver(ABC):
    """One connection."""

    def __init__(self) -> None:
        self.autocommit = True

    @abstractmethod
    def execute(self, sql: bytes) -> Found | float:
        """Run a statement; its rows, or how many it changed. Raises SqlError."""

    @abstractmethod
    def interrupt(self) -> None:
        """Stop the statement that runs, from another thread."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""

    @abstractmethod
    def escape(self, text: bytes) -> bytes:
        """Return a text as it may stand between single quotes."""

    def last_id(self) -> float | None:
        """Return the last number that the database gave a row."""
        return None

    def end(self, word: bytes) -> None:
        """COMMIT or ROLLBACK, after which another transaction begins unless statements commit by themselves."""
        self.execute(word)
        if not self.autocommit:
            self.execute(b"BEGIN")

    def set_autocommit(self, on: bool) -> None:
        """Let each statement commit by itself, or begin a transaction."""
        if on != self.autocommit:
            self.execute(b"ROLLBACK" if on else b"BEGIN")
        self.autocommit = on


def _sql(text: bytes) -> str:
    return text.decode("utf-8", "replace")


# -- SQLite --------------------------------------------------------------------------------------------------------


class _Text(bytes):
    """A text, where plain bytes are a BLOB."""


class Sqlite(Driver):
    """An SQLite file, or `:memory:`."""

    def __init__(self, name: bytes, wait_s: float = _NO_WAIT_S) -> None:
        super().__init__()
        try:
            self._connection = sqlite3.connect(
                name.decode("utf-8", "surrogateescape"),
                timeout=wait_s,
                isolation_level=None,
                check_same_thread=False,
            )
            self._connection.text_factory = _Text
        except (sqlite3.Error, ValueError) as error:
            raise SqlError(f"LuaSQL: {error}") from None

    def execute(self, sql: bytes) -> Found | float:
        single = next(statements(_sql(sql)), "")
        if not single.strip():
            raise SqlError("LuaSQL: not an error")
        try:
            cursor = self._connection.execute(single)
            if cursor.description is None:
                return float(self._connection.execute("SELECT changes()").fetchone()[0])
            first = cursor.fetchone()
        except (sqlite3.Error, ValueError) as error:
            raise SqlError(f"LuaSQL: {error}") from None
        names = [column[0].encode() for column in cursor.description]
        types = [_sqlite_type(value) for value in first] if first is not None else [b"NULL"] * len(names)
        return Found(names, types, self._rows(cursor, first))

    def _rows(self, cursor: sqlite3.Cursor, row: Any) -> Iterator[tuple[Plain, ...]]:
        while row is not None:
            yield tuple(bytes(value) if isinstance(value, bytes) else value for value in row)
            try:
                row = cursor.fetchone()
            except sqlite3.Error as error:
                raise SqlError(f"LuaSQL: {error}") from None

    def interrupt(self) -> None:
        self._connection.interrupt()

    def close(self) -> None:
        self._connection.close()

    def escape(self, text: bytes) -> bytes:
        return text.replace(b"'", b"''")

    def last_id(self) -> float | None:
        return float(self._connection.execute("SELECT last_insert_rowid()").fetchone()[0])


def _sqlite_type(value: object) -> bytes:
    if value is None:
        return b"NULL"
    if isinstance(value, _Text):
        return b"TEXT"
    return b"INTEGER" if isinstance(value, int) else b"FLOAT" if isinstance(value, float) else b"BLOB"


# -- PostgreSQL ----------------------------------------------------------------------------------------------------


class Postgres(Driver):
    """A PostgreSQL connection."""

    def __init__(
        self, name: bytes, user: bytes | None, password: bytes | None, host: bytes | None, port: bytes | None
    ) -> None:
        super().__init__()
        try:
            import psycopg
            from psycopg.conninfo import make_conninfo
        except ImportError:
            raise SqlError("LuaSQL: install moonline[pgsql] for PostgreSQL") from None
        self._error = psycopg.Error
        given = {"user": user, "password": password, "host": host, "port": port}
        parameters = {key: _sql(value) for key, value in given.items() if value}
        text = _sql(name)
        if "=" not in text and "://" not in text:
            parameters["dbname"] = text
            text = ""
        try:
            self._connection = psycopg.connect(make_conninfo(text, **parameters), autocommit=True)
        except psycopg.Error as error:
            raise SqlError(f"LuaSQL: error connecting to database. PostgreSQL: {error}") from None

    def execute(self, sql: bytes) -> Found | float:
        cursor = self._connection.cursor()
        try:
            cursor.execute(_sql(sql).encode(), prepare=False)
        except self._error as error:
            raise SqlError(f"LuaSQL: error executing statement. PostgreSQL: {error}") from None
        result = cursor.pgresult
        if result is None or cursor.description is None:
            return float(max(0, cursor.rowcount))
        names = [column.name.encode() for column in cursor.description]
        types = [column.type_display.encode() for column in cursor.description]
        width = result.nfields
        rows = (
            tuple(result.get_value(row, column) for column in range(width)) for row in range(result.ntuples)
        )
        return Found(names, types, rows, result.ntuples)

    def interrupt(self) -> None:
        self._connection.cancel()

    def close(self) -> None:
        self._connection.close()

    def escape(self, text: bytes) -> bytes:
        from psycopg.pq import Escaping

        return bytes(Escaping(self._connection.pgconn).escape_string(text))


# -- MySQL ---------------------------------------------------------------------------------------------------------


class Mysql(Driver):
    """A MySQL or MariaDB connection, by PyMySQL."""

    def __init__(
        self, name: bytes, user: bytes | None, password: bytes | None, host: bytes | None, port: bytes | None
    ) -> None:
        super().__init__()
        try:
            library: Any = importlib.import_module("pymysql")
        except ImportError:
            raise SqlError("LuaSQL: install moonline[mysql] for MySQL") from None
        self._error: type[Exception] = library.Error
        try:
            # Octets as they are: what the server takes for UTF-8 is for the script to know.
            self._connect: Any = partial(
                library.connect,
                database=_sql(name),
                user=_sql(user) if user else None,
                password=_sql(password or b""),
                host=_sql(host) if host else "localhost",
                port=int(port) if port else 3306,
                charset="utf8mb4",
                use_unicode=False,
                conv=library.converters.encoders,  # without decoders
                autocommit=True,
            )
            self._connection: Any = self._connect()
        except (library.Error, ValueError) as error:
            raise SqlError(f"LuaSQL: error connecting to database. MySQL: {_mysql_text(error)}") from None

    def execute(self, sql: bytes) -> Found | float:
        cursor = self._connection.cursor()
        try:
            changed = cursor.execute(sql)
        except self._error as error:
            raise SqlError(f"LuaSQL: error executing query. MySQL: {_mysql_text(error)}") from None
        if cursor.description is None:
            return float(changed)
        names = [_octets(column[0]) for column in cursor.description]
        rows = (
            tuple(None if value is None else _octets(value) for value in row) for row in cursor.fetchall()
        )
        return Found(names, [b"string"] * len(names), rows, cursor.rowcount)

    def interrupt(self) -> None:
        """Stop the statement by another connection, as MySQL wants it."""
        with suppress(self._error, OSError):  # the statement ends by itself then
            other = self._connect(connect_timeout=_INTERRUPT_S)
            try:
                other.cursor().execute(f"KILL QUERY {self._connection.thread_id()}")
            finally:
                other.close()

    def close(self) -> None:
        self._connection.close()

    def escape(self, text: bytes) -> bytes:
        quoted: str = self._connection.escape(text.decode("utf-8", "surrogateescape"))
        return quoted[1:-1].encode("utf-8", "surrogateescape")

    def last_id(self) -> float | None:
        return float(self._connection.insert_id())

    def end(self, word: bytes) -> None:
        self.execute(word)

    def set_autocommit(self, on: bool) -> None:
        self._connection.autocommit(on)
        self.autocommit = on


def _mysql_text(error: Exception) -> str:
    return str(error.args[1]) if len(error.args) > 1 else str(error)


def _octets(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")


# -- ODBC ----------------------------------------------------------------------------------------------------------


class Odbc(Driver):
    """An ODBC source."""

    def __init__(self, name: bytes, user: bytes | None, password: bytes | None) -> None:
        super().__init__()
        try:
            import pyodbc
        except ImportError:
            raise SqlError("LuaSQL: install moonline[odbc] for ODBC") from None
        self._error: type[Exception] = pyodbc.Error
        self._running: Any = None
        text = _sql(name)
        if "=" not in text:
            text = f"DSN={text}"
        for key, value in (("UID", user), ("PWD", password)):
            if value:
                text += f";{key}={_sql(value)}"
        try:
            self._connection: Any = pyodbc.connect(text, autocommit=True)
        except pyodbc.Error as error:
            raise SqlError(f"LuaSQL: error connecting to database. ODBC: {error}") from None

    def execute(self, sql: bytes) -> Found | float:
        cursor = self._running = self._connection.cursor()
        try:
            cursor.execute(_sql(sql))
        except self._error as error:
            raise SqlError(f"LuaSQL: error executing statement. ODBC: {error}") from None
        finally:
            self._running = None
        if cursor.description is None:
            return float(max(0, cursor.rowcount))
        names = [_octets(column[0]) for column in cursor.description]
        types = [_odbc_type(column[1]) for column in cursor.description]
        return Found(names, types, (tuple(_odbc_value(value) for value in row) for row in cursor))

    def interrupt(self) -> None:
        running = self._running
        if running is not None:
            running.cancel()

    def close(self) -> None:
        self._connection.close()

    def escape(self, text: bytes) -> bytes:
        return text.replace(b"'", b"''")

    def end(self, word: bytes) -> None:
        if word == b"COMMIT":
            self._connection.commit()
        else:
            self._connection.rollback()

    def set_autocommit(self, on: bool) -> None:
        self._connection.autocommit = on
        self.autocommit = on


def _odbc_type(kind: type[object]) -> bytes:
    if kind is bool:
        return b"boolean"
    return b"number" if kind in (int, float, Decimal) else b"string"


def _odbc_value(value: object) -> Plain:
    if value is None or isinstance(value, bool | int | float):
        return value
    return float(value) if isinstance(value, Decimal) else _octets(value)
