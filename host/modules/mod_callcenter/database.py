"""The tables agents, tiers and members: what is known is kept there, where other programs may read and change it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_long
from host.log import LogLevel
from host.sql_store import MEMORY, SqlError, SqlStore, is_postgres, open_store

if TYPE_CHECKING:
    from host.sql_store import Row, Statement
    from host.switch import Switch

_TEXT: Final = "varchar(255)"
_UUID: Final = "varchar(255) not null default ''"
_NUMBER: Final = "integer not null default 0"
_PLACE: Final = "integer not null default 1"

# FreeSWITCH's tables, so that what reads and changes them goes on to work.
_AGENTS: Final = {
    "name": _TEXT,
    "instance_id": _TEXT,
    "uuid": _TEXT,
    "type": _TEXT,
    "contact": "varchar(1024)",
    "status": _TEXT,
    "state": _TEXT,
    "max_no_answer": _NUMBER,
    "wrap_up_time": _NUMBER,
    "reject_delay_time": _NUMBER,
    "busy_delay_time": _NUMBER,
    "no_answer_delay_time": _NUMBER,
    "last_bridge_start": _NUMBER,
    "last_bridge_end": _NUMBER,
    "last_offered_call": _NUMBER,
    "last_status_change": _NUMBER,
    "no_answer_count": _NUMBER,
    "calls_answered": _NUMBER,
    "talk_time": _NUMBER,
    "ready_time": _NUMBER,
    "external_calls_count": _NUMBER,
}
_TIERS: Final = {"queue": _TEXT, "agent": _TEXT, "state": _TEXT, "level": _PLACE, "position": _PLACE}
_MEMBERS: Final = {
    "queue": _TEXT,
    "instance_id": _TEXT,
    "uuid": _UUID,
    "session_uuid": _UUID,
    "cid_number": _TEXT,
    "cid_name": _TEXT,
    "system_epoch": _NUMBER,
    "joined_epoch": _NUMBER,
    "rejoined_epoch": _NUMBER,
    "bridge_epoch": _NUMBER,
    "abandoned_epoch": _NUMBER,
    "base_score": _NUMBER,
    "skill_score": _NUMBER,
    "serving_agent": _TEXT,
    "serving_system": _TEXT,
    "state": _TEXT,
}
AGENT_COLUMNS: Final = tuple(_AGENTS)
TIER_COLUMNS: Final = tuple(_TIERS)
MEMBER_COLUMNS: Final = tuple(_MEMBERS)

_NAME: Final = "callcenter"

# Earlier releases of FreeSWITCH: what `instance_id` was called.
_FORMER_INSTANCE: Final = "system"


_TABLES: Final = {"members": _MEMBERS, "agents": _AGENTS, "tiers": _TIERS}
_SCHEMA: Final = "".join(
    f"create table if not exists {table} ({', '.join(' '.join(column) for column in columns.items())});\n"
    for table, columns in _TABLES.items()
)


class Database:
    """A connection to the tables. A statement that fails is logged, and finds nothing then.

    `shared` is true where others may change the tables as well. `place` orders rows as they came in.
    """

    def __init__(self, switch: Switch, settings: dict[str, str]) -> None:
        self._switch = switch
        where = _where(switch, settings)
        self._store: SqlStore = open_store(where, _SCHEMA)
        for table, columns in _TABLES.items():
            if not self._has(table, ", ".join(columns)):
                self._renew(table, columns)
        self.shared = where != MEMORY
        self.place = self._store.place
        self._closed = False

    def run(self, sql: str, *values: str) -> list[Row]:
        """Run a statement and return its rows."""
        return self.together((sql, values))

    def together(self, *statements: Statement) -> list[Row]:
        """Run statements as one transaction and return the rows of all."""
        if self._closed or not statements:
            return []
        try:
            return self._store.run(*statements)
        except SqlError as error:
            self._switch.log(LogLevel.ERR, f"SQL ERR: [{statements[0][0]}] {error}")
            return []

    def text(self, sql: str, *values: str) -> str:
        """Return the first value of the first row as text, empty when there is none."""
        rows = self.run(sql, *values)
        return str(rows[0][0]) if rows and rows[0][0] is not None else ""

    def number(self, sql: str, *values: str) -> int:
        """Return the first value of the first row as a number, 0 when there is none."""
        return leading_long(self.text(sql, *values))

    def close(self) -> None:
        """Close the connection; nothing is found and nothing changed afterwards."""
        self._closed = True
        self._store.close()

    def _has(self, table: str, columns: str) -> bool:
        try:
            self._store.run((f"select {columns} from {table} limit 1", ()))
        except SqlError:
            return False
        return True

    def _renew(self, table: str, columns: dict[str, str]) -> None:
        """Give a table of an earlier FreeSWITCH the columns that it lacks. Raises SqlError."""
        for column, kind in columns.items():
            if self._has(table, column):
                continue
            if column == "instance_id" and self._has(table, _FORMER_INSTANCE):
                change = f"rename column {_FORMER_INSTANCE} to {column}"
            else:
                change = f"add column {column} {kind}"
            self._store.run((f"alter table {table} {change}", ()))


def _where(switch: Switch, settings: dict[str, str]) -> str:
    """Return the DSN or path: `odbc-dsn`, else the SQLite file `dbname` (callcenter) in the switch's `db_dir`.

    In memory under a virtual clock and where there is no base folder. Raises SqlError.
    """
    if switch.clock.virtual or not Path(switch.global_variables.get("base_dir") or "").is_dir():
        return MEMORY
    dsn = settings.get("odbc-dsn") or ""
    if dsn:
        if not is_postgres(dsn):
            scheme = dsn.partition("://")[0]
            raise SqlError(f"odbc-dsn in callcenter.conf is none of PostgreSQL (pgsql://…): {scheme}")
        return dsn
    name = settings.get("dbname") or _NAME
    if "/" in name:
        return name
    folder = Path(switch.global_variables.get("db_dir") or "")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        switch.log(LogLevel.WARNING, f"mod_callcenter keeps its tables in memory: {error}")
        return MEMORY
    return str(folder / f"{name}.db")
