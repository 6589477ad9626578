"""The members that commands have added, kept over restarts: the table fifo_outbound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_fifo.member import Member
from host.sql_store import MEMORY, SqlError, SqlStore, is_postgres, open_store

if TYPE_CHECKING:
    from host.switch import Switch

_TABLE: Final = """
create table if not exists fifo_outbound (hostname text, uuid text, fifo_name text, originate_string text,
  simo_count text, timeout text, lag text, expires text, taking_calls text, active_time text);
create index if not exists fifo_outbound_member on fifo_outbound (hostname, fifo_name, uuid);
"""
_COLUMNS: Final = (
    "uuid, fifo_name, originate_string, simo_count, timeout, lag, expires, taking_calls, active_time"
)


class MemberStore:
    """The database, by the host's name: each host has members of its own."""

    def __init__(self, switch: Switch, settings: dict[str, str]) -> None:
        self._switch = switch
        self._store: SqlStore = _open(switch, settings)

    def load(self) -> list[Member]:
        """Return the members that were saved."""
        sql = f"select {_COLUMNS} from fifo_outbound where hostname = ?"
        rows = self._run(sql, self._switch.hostname)
        members = []
        for row in rows:
            uuid, queue, dial, *numbers = (str(value or "") for value in row)
            simo, timeout, lag, expires, taking, active = map(leading_int, numbers)
            members.append(Member(uuid, queue, dial, simo, timeout, lag, expires, taking, active_time=active))
        return members

    def save(self, member: Member) -> None:
        """Save a member in the place of the one of its id."""
        self.delete(member.queue, member.uuid)
        numbers = (
            member.simo,
            member.timeout,
            member.lag,
            member.expires,
            member.taking_calls,
            member.active_time,
        )
        self._run(
            f"insert into fifo_outbound (hostname, {_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self._switch.hostname,
            member.uuid,
            member.queue,
            member.originate_string,
            *map(str, numbers),
        )

    def delete(self, queue: str, uuid: str) -> None:
        """Forget a member."""
        sql = "delete from fifo_outbound where hostname = ? and fifo_name = ? and uuid = ?"
        self._run(sql, self._switch.hostname, queue, uuid)

    def clear(self) -> None:
        """Forget all members of this host."""
        self._run("delete from fifo_outbound where hostname = ?", self._switch.hostname)

    def close(self) -> None:
        """Close the database."""
        self._store.close()

    def _run(self, sql: str, *values: str) -> list[tuple[str | int | None, ...]]:
        """Run a statement; one that fails is logged, and members are then not kept."""
        try:
            return self._store.run((sql, values))
        except SqlError as error:
            self._switch.log(LogLevel.ERR, f"SQL ERR: {error}")
            return []


def _open(switch: Switch, settings: dict[str, str]) -> SqlStore:
    """Open the PostgreSQL database of `odbc-dsn`, else the SQLite file `dbname` (fifo) in the switch's `db_dir`.

    In memory under a virtual clock and where there is no base folder. Raises SqlError.
    """
    if switch.clock.virtual or not Path(switch.global_variables.get("base_dir") or "").is_dir():
        return open_store(MEMORY, _TABLE)
    dsn = settings.get("odbc-dsn") or ""
    if dsn:
        if not is_postgres(dsn):
            raise SqlError(
                f"odbc-dsn in fifo.conf is none of PostgreSQL (pgsql://…): {dsn.partition('://')[0]}"
            )
        return open_store(dsn, _TABLE)
    folder = Path(switch.global_variables.get("db_dir") or "")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        switch.log(LogLevel.WARNING, f"mod_fifo keeps its members in memory: {error}")
        return open_store(MEMORY, _TABLE)
    name = settings.get("dbname") or "fifo"
    return open_store(name if "/" in name else str(folder / f"{name}.db"), _TABLE)
