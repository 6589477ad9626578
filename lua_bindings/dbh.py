"""freeswitch.Dbh: SQL for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from host.log import LogLevel
from lua_bindings.database import Database, DatabaseError, connect
from lua_bindings.host_call import to_text

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun


class Dbh:
    """A database handle; it is released when the script drops it, and at the script's end."""

    def __init__(
        self, run: ScriptRun, dsn: str | None, user: str | None = None, password: str | None = None
    ) -> None:
        self._run = run
        self._database: Database | None = None
        self._error: str | None = None
        self._running = 0
        self._let_go: list[Database] = []
        name = dsn or ""
        if user or password:
            name = ":".join(part for part in (name, user, password) if part)
        try:
            if name:
                folder = run.switch.global_variables.get("db_dir") or "."
                self._database = connect(name, Path(folder))
        except (DatabaseError, OSError, ValueError) as error:  # ValueError: a name of bytes that are no text
            self._log(str(error))
        if self._database is None:
            self._log("Connection failed.  DBH NOT Connected.")
        else:
            run.resources.add(self)

    def __del__(self) -> None:
        database = getattr(self, "_database", None)
        if database is not None:
            database.close()

    def _log(self, text: str) -> None:
        self._run.log(LogLevel.ERR, text)

    def release(self) -> bool:
        """Close the connection, one that hands over rows after its last."""
        if self._database is None:
            self._log("DBH NOT Connected.")
            return False
        self._let_go.append(self._database)
        self._database = None
        self._close_released()
        self._run.resources.discard(self)
        return True

    def _close_released(self) -> None:
        while self._let_go and not self._running:
            self._let_go.pop().close()

    def connected(self) -> bool:
        """Return whether the handle has a connection."""
        return self._database is not None

    def test_reactive(
        self, test_sql: str | None, drop_sql: str | None = None, reactive_sql: str | None = None
    ) -> bool:
        """Run `test_sql`; when it fails, `drop_sql` (which may fail) and `reactive_sql`."""
        if self._database is None:
            self._log("DBH NOT Connected.")
            return False
        if not test_sql or not reactive_sql:
            self._log("Missing parameters.")
            return False
        try:
            self._database.execute(test_sql)
            return True
        except DatabaseError as error:
            self._log(f"SQL ERR [{error}]\n[{test_sql}]\nAuto Generating Table!")
        if drop_sql:
            try:
                self._database.execute(drop_sql)
            except DatabaseError as error:
                self._log(f"SQL ERR [{error}]\n[{drop_sql}]")
        try:
            self._database.execute(reactive_sql)
        except DatabaseError as error:
            self._log(f"SQL ERR [{error}]\n[{reactive_sql}]")
            return False
        return True

    def query(self, sql: str | None, on_row: Any = None) -> bool:
        """Run SQL, calling `on_row` with each row until it answers a number of 1 or more, or -1 or less.

        FreeSWITCH: with a function a failure leaves no `last_error`; an error in the function ends the rows only.
        """
        self._error = None
        if not sql:
            self._log("Missing SQL query.")
            return False
        if self._database is None:
            self._log("DBH NOT Connected.")
            return False
        run = self._run

        def take(names: Sequence[bytes], values: Sequence[bytes | None]) -> bool:
            pairs: list[bytes] = []
            for name, value in zip(names, values, strict=True):
                pairs += (_cut(name), _cut(value or b""))
            ok, stop, *trace = run.runtime.call("row", on_row, len(names), *pairs)
            if not ok:
                run.report_callback_error("query", to_text(stop or b""), to_text(trace[0] or b""))
                return False
            return not stop and run.stopping is None

        self._running += 1
        try:
            self._database.execute(sql, take if on_row is not None else None)
        except DatabaseError as error:
            self._log(f"SQL ERR: [{sql}] {error}")
            if on_row is None:
                self._error = str(error)
            return False
        finally:
            self._running -= 1
            self._close_released()
        return True

    def query_rows(self, sql: str | None) -> tuple[bool, Any, str | None]:
        """Run SQL and return success, the rows as a list of tables, and the error; NULL is absent from a row."""
        self._error = None
        table = self._run.runtime.lua.table_from
        if not sql:
            self._log("Missing SQL query.")
            return False, table([]), "Missing SQL query."
        if self._database is None:
            self._log("DBH NOT Connected.")
            return False, table([]), "DBH NOT Connected."
        rows: list[Any] = []

        def take(names: Sequence[bytes], values: Sequence[bytes | None]) -> bool:
            found = zip(names, values, strict=True)
            rows.append(table({_cut(name): _cut(value) for name, value in found if value is not None}))
            return True

        try:
            self._database.execute(sql, take)
        except DatabaseError as error:
            self._log(f"SQL ERR: [{sql}] {error}")
            return False, table(rows), "Failed to execute sql query"
        return True, table(rows), None

    def affected_rows(self) -> int:
        """Return how many rows the last change touched."""
        if self._database is None:
            self._log("DBH NOT Connected.")
            return 0
        return self._database.changed

    def last_error(self) -> str | None:
        """Return why the last query failed."""
        return self._error

    def clear_error(self) -> None:
        """Forget the error."""
        self._error = None

    def load_extension(self, extension: str | None) -> int:
        """Refuse to load code into the database: 1, SQLite's word for a failure; 0 without a name or a connection."""
        if not extension:
            self._log("Missing extension name.")
        elif self._database is None:
            self._log("DBH NOT Connected.")
        else:
            self._log(f"extension {extension} is not loaded: SQLite extensions are not allowed")
            return 1
        return 0


def _cut(value: bytes) -> bytes:
    end = value.find(b"\0")
    return value if end < 0 else value[:end]
