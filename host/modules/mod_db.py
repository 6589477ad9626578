"""mod_db: values, groups of dial strings and limits kept in a database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from host import limit
from host.api_table import ApiTable, Handler
from host.arguments import separate
from host.interfaces import ApiRequest, Application
from host.log import LogLevel
from host.sql_store import MEMORY, SqlError, SqlStore, is_postgres, open_store

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_ERROR: Final = "!err!"
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
# More sessions than there can be.
_ANY_NUMBER: Final = 2**31 - 1
_DELIMITERS: Final = {"order": "|", "multi": ":_:"}


def database_path(switch: Switch) -> str:
    """Return the database's path: in `db_dir`, else in memory.

    In memory under a virtual clock, where each run has to be like the one before; and where there is no base folder,
    since a call to a script must not make folders on its own.
    """
    folder = Path(switch.global_variables.get("db_dir") or "")
    base = Path(switch.global_variables.get("base_dir") or "")
    if switch.clock.virtual or not base.is_dir():
        return MEMORY
    try:
        folder.mkdir(exist_ok=True)
        with (folder / _FILE).open("ab"):
            return str(folder / _FILE)
    except OSError as error:
        switch.log(LogLevel.WARNING, f"mod_db keeps its data in memory: {error}")
        return MEMORY


def _open(switch: Switch) -> SqlStore:
    """Open the PostgreSQL database that `odbc-dsn` in db.conf names, else the SQLite file. Raises SqlError.

    Simulated calls use none but their own memory.
    """
    configuration = switch.xml.configuration("db.conf")
    params = configuration.findall("settings/param") if configuration is not None else []
    dsn = next((param.get("value", "") for param in params if param.get("name") == "odbc-dsn"), "")
    if dsn and not switch.clock.virtual:
        if not is_postgres(dsn):
            raise SqlError(
                f"odbc-dsn in db.conf is none of PostgreSQL (pgsql://…): {dsn.partition('://')[0]}"
            )
        return open_store(dsn, _TABLES)
    return open_store(database_path(switch), _TABLES)


class DbLimit:
    """The limit back end `db`; FreeSWITCH: it knows no intervals."""

    name = "db"
    module = "mod_db"

    def __init__(self, switch: Switch, database: SqlStore) -> None:
        self._switch = switch
        self._database = database

    def take(self, session: Session, realm: str, resource: str, maximum: int, interval: int) -> bool:
        """Count the session in one transaction, so that hosts that share a database never count too many.

        FreeSWITCH: a session counts as often as it asks.
        """
        for name, value in (("realm", realm), ("id", resource), ("max", str(maximum))):
            session.channel.set_variable(f"limit_{name}", value)
        most = str(maximum if maximum >= 0 else _ANY_NUMBER)
        count = "select count(*) from limit_data where realm = ? and id = ?"
        try:
            (found, *_), *counted = self._database.run(
                (count, (realm, resource)),
                (
                    "insert into limit_data (hostname, realm, id, uuid) select ?, ?, ?, ?"
                    f" where ({count}) < cast(? as integer) returning hostname",
                    (self._switch.hostname, realm, resource, session.uuid, realm, resource, most),
                ),
                locked="limit_data",
            )
        except SqlError as error:
            session.channel.log(LogLevel.ERR, f"mod_db cannot count {realm}_{resource}: {error}")
            return False
        if not counted:
            session.channel.log(
                LogLevel.INFO, f"Usage for {realm}_{resource} is already at max value ({maximum})"
            )
            return False
        usage = int(found or 0) + 1
        limit.set_usage(session.channel, realm, resource, usage)
        limit.fire_usage(self._switch, "db", realm, resource, usage, 0, maximum, 0)
        return True

    def release(self, session: Session, realm: str | None = None, resource: str | None = None) -> None:
        statement = (
            ("delete from limit_data where uuid = ?", (session.uuid,))
            if realm is None
            else (
                "delete from limit_data where uuid = ? and realm = ? and id = ?",
                (session.uuid, realm, resource or ""),
            )
        )
        try:
            self._database.run(statement)
        except SqlError as error:
            session.channel.log(LogLevel.ERR, f"mod_db cannot give back what the call holds: {error}")

    def usage(self, realm: str, resource: str) -> tuple[int, int]:
        return self._count("where realm = ? and id = ?", realm, resource), 0

    def reset(self) -> bool:
        try:
            self._database.run(("delete from limit_data where hostname = ?", (self._switch.hostname,)))
        except SqlError as error:
            self._switch.log(LogLevel.ERR, f"mod_db cannot reset its counts: {error}")
            return False
        return True

    def reset_interval(self, realm: str, resource: str) -> None:
        """There are no intervals."""

    def status(self) -> str:
        count = self._count("where hostname = ?", self._switch.hostname)
        return f"Tracking {count} resources for hostname {self._switch.hostname}."

    def _count(self, where: str, *values: str) -> int:
        try:
            return int(self._database.run((f"select count(*) from limit_data {where}", values))[0][0] or 0)
        except SqlError as error:
            self._switch.log(LogLevel.ERR, f"mod_db cannot count: {error}")
            return 0


def _change_value(switch: Switch, database: SqlStore, parts: list[str]) -> bool:
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
        case ["delete", 2 | 3 | 4]:  # FreeSWITCH: without a key it is the empty one's value
            place = (parts[1], parts[2] if len(parts) > 2 else "")
            database.run(("delete from db_data where realm = ? and data_key = ?", place))
            return True
    return False


def _change_group(switch: Switch, database: SqlStore, parts: list[str]) -> bool:
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


def _commands(switch: Switch, database: SqlStore) -> ApiTable:
    table = ApiTable("mod_db")
    place = database.place

    def guarded(handler: Handler) -> Handler:
        """Answer FreeSWITCH's error where the database fails."""

        def run(request: ApiRequest) -> str | None:
            try:
                return handler(request)
            except SqlError as error:
                switch.log(LogLevel.ERR, f"mod_db: {error}")
                return _ERROR

        return run

    def value_of(realm: str, key: str) -> str:
        rows = database.run(("select data from db_data where realm = ? and data_key = ?", (realm, key)))
        return str(rows[0][0]) if rows else ""

    @table.command("db", "[insert|delete|select|exists|count|list]/<realm>/<key>/<value>", "db get/set")
    @guarded
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
                rows = database.run(("select distinct realm from db_data order by realm", ()))
                return ",".join(str(row[0]) for row in rows)
            case ["list", realm]:
                rows = database.run(
                    (
                        f"select data_key from db_data where realm = ? group by data_key order by min({place})",
                        (realm,),
                    )
                )
                return ",".join(str(row[0]) for row in rows)
        return _ERROR

    @table.command("group", "[insert|delete|call]:<group name>:<url>", "group [insert|delete|call]")
    @guarded
    def group(request: ApiRequest) -> str:
        parts = separate(request.argument, ":", 3)
        if _change_group(switch, database, parts):
            return "+OK"
        if len(parts) > 1 and parts[0].lower() == "call":
            delimiter = _DELIMITERS.get(parts[2].lower() if len(parts) > 2 else "", ",")
            rows = database.run(
                (f"select url from group_data where groupname = ? order by {place}", (parts[1],))
            )
            return delimiter.join(str(row[0]) for row in rows)
        return _ERROR

    return table


def load(switch: Switch) -> None:
    """Bring the commands and applications `db` and `group` and the limit back end `db`."""
    database = _open(switch)
    _databases[switch.core_uuid] = database
    counts = DbLimit(switch, database)
    counts.reset()

    def guarded(session: Session, usage: str, change: Callable[[], bool]) -> None:
        try:
            if not change():
                session.channel.log(LogLevel.WARNING, f"USAGE: {usage}")
        except SqlError as error:
            session.channel.log(LogLevel.ERR, f"mod_db: {error}")

    def db(session: Session, data: str) -> None:
        guarded(
            session,
            "db [insert|delete]/<realm>/<key>/<val>",
            lambda: _change_value(switch, database, separate(data, "/", 4)),
        )

    def group(session: Session, data: str) -> None:
        guarded(
            session,
            "group [insert|delete]:<group name>:<val>",
            lambda: _change_group(switch, database, separate(data, ":", 3)),
        )

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
_databases: Final[dict[str, SqlStore]] = {}
