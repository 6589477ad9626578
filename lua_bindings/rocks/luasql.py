"""What the rocks luasql.* need of the host: environments, connections and cursors as LuaSQL has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from host.clock import Waiter
from lua_bindings.rocks.beside_script import BesideScript
from lua_bindings.rocks.crossing import Answer, Made, Plain, crossings
from lua_bindings.rocks.sql_driver import Driver, Found, Mysql, Odbc, Postgres, SqlError, Sqlite

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun


class _Statement(Waiter):
    """Runs a statement in the script's thread; `notify`, a kill, interrupts it."""

    def __init__(self, work: Callable[[], object], interrupt: Callable[[], None]) -> None:
        self._work = work
        self._interrupt = interrupt
        self.error: SqlError | None = None
        self.result: object = None

    def wait(self, deadline: int | None = None) -> bool:
        try:
            self.result = self._work()
        except SqlError as error:
            self.error = error
        return True

    def notify(self) -> None:
        self._interrupt()


class Connection:
    """A connection of a script's."""

    def __init__(self, run: ScriptRun, driver: Driver) -> None:
        self._run = run
        self._driver: Driver | None = driver
        self.cursors = 0
        run.resources.add(self)

    def __del__(self) -> None:
        self.release()

    def release(self) -> None:
        """Close the connection at the script's end."""
        driver = getattr(self, "_driver", None)
        self._driver = None
        if driver is not None:
            driver.close()

    def do(self, work: Callable[[Driver], object]) -> object:
        """Work on the connection so that a kill interrupts it. Raises SqlError."""
        driver = self._driver
        if driver is None:
            raise SqlError("LuaSQL: connection is closed")
        statement = _Statement(lambda: work(driver), driver.interrupt)
        self._run.block_on(statement, None)
        if statement.error is not None:
            raise statement.error
        return statement.result

    def is_open(self) -> bool:
        """Return whether the connection is open."""
        return self._driver is not None

    def close(self) -> Answer:
        """Close the connection: True, False when it is closed, nil when it has open cursors."""
        if self._driver is None:
            return (False,)
        if self.cursors > 0:
            return (None,)
        self.release()
        return (True,)


class Cursor:
    """The rows of a statement, fetched one by one."""

    def __init__(self, connection: Connection, found: Found) -> None:
        self._connection = connection
        self._found: Found | None = found
        connection.cursors += 1

    def __del__(self) -> None:
        self.close()

    def close(self) -> bool:
        """Let the rows go; False when that was done."""
        if self._found is None:
            return False
        self._found = None
        self._connection.cursors -= 1
        return True

    def is_open(self) -> bool:
        """Return whether there may be rows left."""
        return self._found is not None

    def fetch(self) -> Answer:
        """Return True and a row's values, False at the end, which closes the cursor, or nil and the error."""
        found = self._found
        if found is None:
            return (False,)
        try:
            row = self._connection.do(lambda driver: next(found.rows, None))
        except SqlError as error:
            return None, _text(error)
        if row is None:
            self.close()
            return (False,)
        assert isinstance(row, tuple)
        values: tuple[Plain, ...] = row
        return True, *values

    def names(self) -> Answer:
        """Return the columns' names."""
        return tuple(self._found.names) if self._found is not None else ()

    def types(self) -> Answer:
        """Return the columns' types."""
        return tuple(self._found.types) if self._found is not None else ()

    def count(self) -> int | None:
        """Return how many rows there are, where the database tells."""
        return self._found.count if self._found is not None else None


def _text(error: SqlError) -> bytes:
    return str(error).encode("utf-8", "surrogateescape")


def functions(run: ScriptRun) -> Mapping[str, Callable[..., object]]:
    """Return the functions."""

    def connect(driver: bytes, kind: bytes, name: bytes, *given: bytes | float | None) -> Answer | Made:
        texts = [value if isinstance(value, bytes) else None for value in (*given, None, None, None, None)]
        user, password, host, port = texts[:4]
        wait = given[0] if given and isinstance(given[0], int | float) else 0
        makers: dict[bytes, Callable[[], Driver]] = {
            b"sqlite3": lambda: Sqlite(name, wait / 1000),
            b"postgres": lambda: Postgres(name, user, password, host, port),
            b"mysql": lambda: Mysql(name, user, password, host, port),
            b"odbc": lambda: Odbc(name, user, password),
        }
        connecting = BesideScript(
            "database-connect", makers[driver], SqlError
        )  # no library's can be interrupted
        run.block_on(connecting, None)
        if connecting.error is not None:
            return None, _text(connecting.error)
        if not connecting.results:
            return None, b"LuaSQL: no connection"
        return Made(kind, Connection(run, connecting.results[0]))

    def execute(connection: Connection, kind: bytes, sql: bytes) -> Answer | Made:
        try:
            found = connection.do(lambda driver: driver.execute(sql))
        except SqlError as error:
            return None, _text(error)
        if isinstance(found, Found):
            return Made(kind, Cursor(connection, found))
        assert isinstance(found, float)
        return (int(found),)

    def attempt(connection: Connection, work: Callable[[Driver], object]) -> Answer:
        try:
            connection.do(work)
        except SqlError as error:
            return None, _text(error)
        return (True,)

    def escape(connection: Connection, text: bytes) -> bytes:
        escaped = connection.do(lambda driver: driver.escape(text))
        assert isinstance(escaped, bytes)
        return escaped

    def last_id(connection: Connection) -> float | None:
        number = connection.do(lambda driver: driver.last_id())
        assert number is None or isinstance(number, float)
        return int(number) if number is not None else None

    return crossings(
        run,
        "luasql",
        {
            "connect": connect,
            "execute": execute,
            "commit": lambda connection: attempt(connection, lambda driver: driver.end(b"COMMIT")),
            "rollback": lambda connection: attempt(connection, lambda driver: driver.end(b"ROLLBACK")),
            "autocommit": lambda connection, on: attempt(
                connection, lambda driver: driver.set_autocommit(on)
            ),
            "escape": escape,
            "last_id": last_id,
            "close": Connection.close,
            "is_open": Connection.is_open,
            "cursor_open": Cursor.is_open,
            "cursor_close": Cursor.close,
            "fetch": Cursor.fetch,
            "names": Cursor.names,
            "types": Cursor.types,
            "count": Cursor.count,
            "sqlite_version": _sqlite_version,
        },
    )


def _sqlite_version() -> bytes:
    import sqlite3

    return sqlite3.sqlite_version.encode()
