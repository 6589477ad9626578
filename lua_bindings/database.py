"""The databases behind `freeswitch.Dbh`: SQLite, PostgreSQL (psycopg), MariaDB (PyMySQL), ODBC (pyodbc)."""

from __future__ import annotations

import importlib
import re
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

# Takes one row, column names and texts (None: NULL); False ends the rows.
OnRow = Callable[[Sequence[bytes], Sequence[bytes | None]], bool]

# How long a statement waits for another's lock on the same SQLite file.
_BUSY_TIMEOUT_S: Final = 10.0

_LOOSE_BYTE: Final = re.compile("[\udc80-\udcff]")
# Comments, quoted names and quoted texts.
_SQL_TOKEN: Final = re.compile(r"""--[^\n]*|/\*.*?\*/|"(?:[^"]|"")*"|'(?:[^']|'')*'""", re.DOTALL)
# How Python's driver refuses a statement that leaves values open.
_LEFT_OPEN: Final = re.compile(r"statement uses (\d+)")


class DatabaseError(Exception):
    """A database that does not connect, or a statement that failed; the text is the database's own."""


class Database(ABC):
    """One connection. Statements commit by themselves unless the script begins a transaction."""

    changed: int = 0

    @abstractmethod
    def execute(self, sql: str, on_row: OnRow | None = None) -> None:
        """Run one or several statements and hand over each row. Raises DatabaseError."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""


def connect(dsn: str, folder: Path) -> Database:
    """Open the database that a DSN names; plain names are SQLite files in `folder`. Raises DatabaseError.

    FreeSWITCH: `sqlite://NAME-OR-PATH`, `pgsql://PARAMETERS`, `mariadb://PARAMETERS`, `odbc://DSN:USER:PASSWORD`, and
    without a scheme anything with a colon is ODBC, anything else SQLite.
    """
    scheme, separator, rest = dsn.partition("://")
    if separator and scheme.lower() == "sqlite":
        return SqliteDatabase(_file(rest, folder))
    if separator and scheme.lower() in ("pgsql", "postgresql", "postgres"):
        return PostgresDatabase(rest if scheme.lower() == "pgsql" else dsn)
    if separator and scheme.lower() in ("mariadb", "maria", "mysql"):
        return MariadbDatabase(rest)
    if separator and scheme.lower() == "odbc":
        return OdbcDatabase(rest)
    if ":" in dsn[2:]:
        return OdbcDatabase(dsn)
    return SqliteDatabase(_file(dsn, folder))


def _file(name: str, folder: Path) -> Path:
    if name.startswith("/"):
        return Path(name)
    if not name:
        raise DatabaseError("no database name")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.db"


def statements(sql: str) -> Iterator[str]:
    """Yield the single statements of an SQL text; a trigger's inner semicolons do not end it."""
    start = search = 0
    while True:
        end = sql.find(";", search)
        if end < 0:
            break
        search = end + 1
        candidate = sql[start:search]
        if sqlite3.complete_statement(candidate):
            yield candidate
            start = search
    if sql[start:].strip():
        yield sql[start:]


def _clean(sql: str) -> str:
    return sql.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _without_loose_bytes(sql: str) -> str:
    """Return SQL whose quoted texts of bytes that are no UTF-8 are written as what SQLite makes the same text of."""
    if sql.isascii() or not _LOOSE_BYTE.search(sql):
        return sql

    def written(token: re.Match[str]) -> str:
        text = token[0]
        if text[0] != "'" or not _LOOSE_BYTE.search(text):
            return text
        raw = text[1:-1].replace("''", "'").encode("utf-8", "surrogateescape")
        return f"CAST(x'{raw.hex()}' AS TEXT)"

    return _clean(_SQL_TOKEN.sub(written, sql))


class _Nulls(dict[str, None]):
    """NULL for every name."""

    def __missing__(self, name: str) -> None:
        return None


class SqliteDatabase(Database):
    """A SQLite file."""

    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
        except sqlite3.Error as error:
            raise DatabaseError(str(error)) from error
        self._connection.text_factory = bytes

    def execute(self, sql: str, on_row: OnRow | None = None) -> None:
        try:
            for statement in statements(_without_loose_bytes(sql)):
                cursor = self._run(statement)
                if cursor.description is not None:
                    names = [column[0].encode() for column in cursor.description]
                    for row in cursor:
                        if on_row is not None and not on_row(names, [_sqlite_text(value) for value in row]):
                            cursor.close()
                            return
                cursor.close()
        except (sqlite3.Error, ValueError) as error:
            raise DatabaseError(str(error)) from error
        finally:
            self.changed = self._changes()

    def _run(self, statement: str) -> sqlite3.Cursor:
        """Execute one statement; what it leaves open (`?`, `:name`) is NULL, as in SQLite itself."""
        try:
            return self._connection.execute(statement)
        except sqlite3.ProgrammingError as error:
            wanted = _LEFT_OPEN.search(str(error))
            if wanted is None:
                raise
        try:
            return self._connection.execute(statement, _Nulls())
        except sqlite3.ProgrammingError:  # some of them have no name
            return self._connection.execute(statement, (None,) * int(wanted[1]))

    def _changes(self) -> int:
        row = self._connection.execute("SELECT changes()").fetchone()
        return int(row[0])

    def close(self) -> None:
        self._connection.close()


def _sqlite_text(value: Any) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, float):
        digits, exponent, power = f"{value:.15g}".partition("e")
        if digits.lstrip("-").isdigit():
            digits += ".0"
        return f"{digits}{exponent}{power}".encode()
    return str(value).encode()


class PostgresDatabase(Database):
    """A PostgreSQL connection; the name is what libpq takes."""

    def __init__(self, parameters: str) -> None:
        try:
            import psycopg
        except ImportError as error:
            raise DatabaseError("install moonline[pgsql] for PostgreSQL") from error
        self._error = psycopg.Error
        try:
            self._connection = psycopg.connect(parameters, autocommit=True)
        except psycopg.Error as error:
            raise DatabaseError(str(error)) from error

    def execute(self, sql: str, on_row: OnRow | None = None) -> None:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(_clean(sql).encode(), prepare=False)
                more: bool | None = True
                while more:
                    self.changed = max(0, cursor.rowcount)
                    if on_row is not None and cursor.pgresult is not None and cursor.description is not None:
                        result = cursor.pgresult
                        names = [result.fname(column) or b"" for column in range(result.nfields)]
                        for row in range(result.ntuples):
                            values = [result.get_value(row, column) for column in range(result.nfields)]
                            if not on_row(names, values):
                                return
                    more = cursor.nextset()
        except self._error as error:
            raise DatabaseError(str(error)) from error

    def close(self) -> None:
        self._connection.close()


class MariadbDatabase(Database):
    """A MariaDB or MySQL connection: `Server=…; Port=…; Database=…; Uid=…; Pwd=…; Charset=…`."""

    def __init__(self, parameters: str) -> None:
        try:
            pymysql: Any = importlib.import_module("pymysql")
        except ImportError as error:
            raise DatabaseError("install moonline[mysql] for MariaDB") from error
        self._error: type[Exception] = pymysql.Error
        given = _mariadb_parameters(parameters)
        try:
            self._connection: Any = pymysql.connect(
                host=given.get("host", "localhost"),
                port=int(given.get("port", "3306")),
                user=given.get("user"),
                password=given.get("password", ""),
                database=given.get("database"),
                charset=given.get("charset", "utf8mb4"),
                use_unicode=False,
                conv=pymysql.converters.encoders,  # texts as the server writes them
                client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS,
                autocommit=True,
            )
        except (pymysql.Error, ValueError, LookupError) as error:
            raise DatabaseError(_mariadb_text(error)) from error

    def execute(self, sql: str, on_row: OnRow | None = None) -> None:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(_clean(sql))
                more: bool | None = True
                while more:
                    self.changed = max(0, cursor.rowcount)
                    if on_row is not None and cursor.description is not None:
                        names = [str(column[0]).encode() for column in cursor.description]
                        for row in cursor:
                            values = [None if value is None else _odbc_text(value) for value in row]
                            if not on_row(names, values):
                                return
                    more = cursor.nextset()
        except self._error as error:
            raise DatabaseError(_mariadb_text(error)) from error

    def close(self) -> None:
        self._connection.close()


# FreeSWITCH: the names of mod_mariadb's parameters, in any case.
_MARIADB_NAMES: Final = {
    "server": "host",
    "host": "host",
    "uid": "user",
    "user": "user",
    "username": "user",
    "pwd": "password",
    "passwd": "password",
    "password": "password",
    "database": "database",
    "db": "database",
    "port": "port",
    "charset": "charset",
}


def _mariadb_parameters(text: str) -> dict[str, str]:
    """Return the known ones of `Name=value` texts between semicolons; an `=` ends a value."""
    found = {}
    for part in text.split(";"):
        name, *values = part.split("=")
        known = _MARIADB_NAMES.get(name.strip().lower())
        if known is not None and values:
            found[known] = values[0].strip() if known in ("charset", "port") else values[0]
    return found


def _mariadb_text(error: Exception) -> str:
    return str(error.args[-1]) if error.args else str(error)


class OdbcDatabase(Database):
    """An ODBC source: `NAME:USER:PASSWORD` or a connection string."""

    def __init__(self, name: str) -> None:
        try:
            import pyodbc
        except ImportError as error:
            raise DatabaseError("install moonline[odbc] for ODBC") from error
        self._error: type[Exception] = pyodbc.Error
        if "=" in name:
            text = name
        else:
            parts = name.split(":", 2)
            text = ";".join(
                f"{key}={value}" for key, value in zip(("DSN", "UID", "PWD"), parts, strict=False) if value
            )
        try:
            self._connection: Any = pyodbc.connect(text, autocommit=True)
        except pyodbc.Error as error:
            raise DatabaseError(str(error)) from error

    def execute(self, sql: str, on_row: OnRow | None = None) -> None:
        try:
            cursor = self._connection.cursor()
            cursor.execute(_clean(sql))
            while True:
                self.changed = max(0, cursor.rowcount)
                if cursor.description is not None:
                    names = [str(column[0]).encode() for column in cursor.description]
                    for row in cursor:
                        values = [None if value is None else _odbc_text(value) for value in row]
                        if on_row is not None and not on_row(names, values):
                            return
                if not cursor.nextset():
                    return
        except self._error as error:
            raise DatabaseError(str(error)) from error

    def close(self) -> None:
        self._connection.close()


def _odbc_text(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return b"1" if value else b"0"
    return str(value).encode()
