"""mod_db: values, groups of dial strings and limits kept in a database."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from host import limit
from host.api_table import ApiTable
from host.arguments import separate
from host.byte_text import to_bytes, to_text
from host.interfaces import ApiRequest, Application
from host.log import LogLevel

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_ERROR: Final = "!err!"
_MEMORY: Final = ":memory:"
_FILE: Final = "call_limit.db"  # FreeSWITCH's name for it
_TABLES: Final = """
create table if not exists limit_data (hostname text, realm text, id text, uuid text);
create index if not exists limit_data_resource on limit_data (realm, id);
create index if not exists limit_data_session on limit_data (uuid);
create table if not exists db_data (hostname text, realm text, data_key text, data text);
create unique index if not exists db_data_key on db_data (realm, data_key);
create table if not exists group_data (hostname text, groupname text, url text);
create index if not exists group_data_name on group_data (groupname, url);
"""
_DELIMITERS: Final = {"order": "|", "multi": ":_:"}


class Database:
    """An SQLite database that several threads use, one statement at a time. Texts are stored as their bytes."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.text_factory = to_text
        self._lock = threading.Lock()
        if path != _MEMORY:
            # Readers and a writer do not hold each other up, and a crash loses nothing that was committed.
            self._connection.execute("pragma journal_mode=wal")
        self._connection.executescript(_TABLES)

    def run(self, *statements: tuple[str, Sequence[str]]) -> list[tuple[str | int, ...]]:
        """Run statements as one transaction; return the rows of the last."""
        with self._lock, self._connection:
            self._connection.execute("begin immediate")
            for sql, values in statements:
                # As blobs cast to text: bytes that are no UTF-8 pass unharmed, and compare equal to themselves.
                prepared = sql.replace("?", "cast(? as text)")
                cursor = self._connection.execute(prepared, [to_bytes(value) for value in values])
            return cursor.fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def database_path(switch: Switch) -> str:
    """Return the database's path: in `db_dir`, else in memory.

    In memory under a virtual clock, where each run has to be like the one before; and where there is no base folder,
    since a call to a script must not make folders on its own.
    """
    folder = Path(switch.global_variables.get("db_dir") or "")
    base = Path(switch.global_variables.get("base_dir") or "")
    if switch.clock.virtual or not base.is_dir():
        return _MEMORY
    try:
        folder.mkdir(exist_ok=True)
        with (folder / _FILE).open("ab"):
            return str(folder / _FILE)
    except OSError as error:
        switch.log(LogLevel.WARNING, f"mod_db keeps its data in memory: {error}")
        return _MEMORY


class DbLimit:
    """The limit back end `db`; FreeSWITCH: it knows no intervals."""

    name = "db"
    module = "mod_db"

    def __init__(self, switch: Switch, database: Database) -> None:
        self._switch = switch
        self._database = database
        self._lock = threading.Lock()

    def take(self, session: Session, realm: str, resource: str, maximum: int, interval: int) -> bool:
        with self._lock:
            others = self._count("where realm = ? and id = ? and uuid <> ?", realm, resource, session.uuid)
            if 0 <= maximum <= others:
                session.channel.log(
                    LogLevel.INFO, f"Usage for {realm}_{resource} is already at max value ({maximum})"
                )
                return False
            self._database.run(
                (
                    "delete from limit_data where uuid = ? and realm = ? and id = ?",
                    (session.uuid, realm, resource),
                ),
                (
                    "insert into limit_data (hostname, realm, id, uuid) values (?, ?, ?, ?)",
                    (self._switch.hostname, realm, resource, session.uuid),
                ),
            )
        limit.set_usage(session.channel, realm, resource, others + 1)
        limit.fire_usage(self._switch, "db", realm, resource, others + 1, 0, maximum, max(maximum, 0))
        return True

    def release(self, session: Session, realm: str | None = None, resource: str | None = None) -> None:
        if realm is None:
            self._database.run(("delete from limit_data where uuid = ?", (session.uuid,)))
        else:
            self._database.run(
                (
                    "delete from limit_data where uuid = ? and realm = ? and id = ?",
                    (session.uuid, realm, resource or ""),
                )
            )

    def usage(self, realm: str, resource: str) -> tuple[int, int]:
        return self._count("where realm = ? and id = ?", realm, resource), 0

    def reset(self) -> bool:
        self._database.run(("delete from limit_data where hostname = ?", (self._switch.hostname,)))
        return True

    def reset_interval(self, realm: str, resource: str) -> None:
        """There are no intervals."""

    def status(self) -> str:
        count = self._count("where hostname = ?", self._switch.hostname)
        return f"Tracking {count} resources for hostname {self._switch.hostname}."

    def _count(self, where: str, *values: str) -> int:
        return int(self._database.run((f"select count(*) from limit_data {where}", values))[0][0])


def _change_value(switch: Switch, database: Database, parts: list[str]) -> bool:
    """Insert or delete a value; False for wrong syntax."""
    match [parts[0].lower() if parts else "", len(parts)]:
        case ["insert", 4]:
            database.run(
                ("delete from db_data where realm = ? and data_key = ?", parts[1:3]),
                (
                    "insert into db_data (hostname, realm, data_key, data) values (?, ?, ?, ?)",
                    (switch.hostname, *parts[1:]),
                ),
            )
            return True
        case ["delete", 3 | 4]:
            database.run(("delete from db_data where realm = ? and data_key = ?", parts[1:3]))
            return True
    return False


def _change_group(switch: Switch, database: Database, parts: list[str]) -> bool:
    """Insert into a group or delete from it; False for wrong syntax."""
    if len(parts) < 3:
        return False
    _, group, url = parts
    match parts[0].lower():
        case "insert":
            database.run(
                ("delete from group_data where groupname = ? and url = ?", (group, url)),
                (
                    "insert into group_data (hostname, groupname, url) values (?, ?, ?)",
                    (switch.hostname, group, url),
                ),
            )
            return True
        case "delete" if url == "*":
            database.run(("delete from group_data where groupname = ?", (group,)))
            return True
        case "delete":
            database.run(("delete from group_data where groupname = ? and url = ?", (group, url)))
            return True
    return False


def _commands(switch: Switch, database: Database) -> ApiTable:
    table = ApiTable("mod_db")

    def value_of(realm: str, key: str) -> str:
        rows = database.run(("select data from db_data where realm = ? and data_key = ?", (realm, key)))
        return str(rows[0][0]) if rows else ""

    @table.command("db", "[insert|delete|select|exists|count|list]/<realm>/<key>/<value>", "db get/set")
    def db(request: ApiRequest) -> str:
        parts = separate(request.argument, "/", 4)
        if _change_value(switch, database, parts):
            return "+OK"
        match [parts[0].lower() if parts else "", *parts[1:]]:
            case ["select", realm, key, *_]:
                return value_of(realm, key)
            case ["exists", realm, key, *_]:
                return "true" if value_of(realm, key) else "false"
            case ["count"]:
                return str(database.run(("select count(distinct realm) from db_data", ()))[0][0])
            case ["count", realm]:
                return str(database.run(("select count(*) from db_data where realm = ?", (realm,)))[0][0])
            case ["list"]:
                rows = database.run(("select distinct realm from db_data order by rowid", ()))
                return ",".join(str(row[0]) for row in rows)
            case ["list", realm]:
                rows = database.run(
                    ("select distinct data_key from db_data where realm = ? order by rowid", (realm,))
                )
                return ",".join(str(row[0]) for row in rows)
        return _ERROR

    @table.command("group", "[insert|delete|call]:<group name>:<url>", "group [insert|delete|call]")
    def group(request: ApiRequest) -> str:
        parts = separate(request.argument, ":", 3)
        if _change_group(switch, database, parts):
            return "+OK"
        if len(parts) > 1 and parts[0].lower() == "call":
            delimiter = _DELIMITERS.get(parts[2].lower() if len(parts) > 2 else "", ",")
            rows = database.run(
                ("select url from group_data where groupname = ? order by rowid", (parts[1],))
            )
            return delimiter.join(str(row[0]) for row in rows)
        return _ERROR

    return table


def load(switch: Switch) -> None:
    """Bring the commands and applications `db` and `group` and the limit back end `db`."""
    database = Database(database_path(switch))
    _databases[switch.core_uuid] = database
    counts = DbLimit(switch, database)
    counts.reset()

    def db(session: Session, data: str) -> None:
        if not _change_value(switch, database, separate(data, "/", 4)):
            session.channel.log(LogLevel.WARNING, "USAGE: db [insert|delete]/<realm>/<key>/<val>")

    def group(session: Session, data: str) -> None:
        if not _change_group(switch, database, separate(data, ":", 3)):
            session.channel.log(LogLevel.WARNING, "USAGE: group [insert|delete]:<group name>:<val>")

    _commands(switch, database).register(switch)
    switch.limits.add(counts)
    for name, run, syntax, description in (
        ("db", db, "[insert|delete]/<realm>/<key>/<val>", "Insert to the db"),
        ("group", group, "[insert|delete]:<group name>:<val>", "Manage a group"),
    ):
        switch.applications.add(
            Application(name, "mod_db", run, syntax, description, routing_exec=True, zombie_exec=True)
        )


def unload(switch: Switch) -> None:
    """Close the database."""
    database = _databases.pop(switch.core_uuid, None)
    if database is not None:
        database.close()


# By the switch's core UUID: `unload` gets no more than the switch.
_databases: Final[dict[str, Database]] = {}
