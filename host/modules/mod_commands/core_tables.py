"""The core's tables in a database, for others to read: channels, calls, registrations and what else `show` lists.

FreeSWITCH: `core-db-dsn` of switch.conf names PostgreSQL, which hosts may share (each row tells its host); without it
the tables lie in the SQLite file `core-db-name` of `db_dir`. As there, they lag a little behind. Nothing is written
where there is no switch.conf, nor in simulated calls.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

from host.clock import MILLISECOND
from host.console_words import WORDS_LIMIT
from host.log import LogLevel
from host.modules.mod_commands.channel_report import (
    BASIC_COLUMNS,
    CHANNEL_COLUMNS,
    DETAILED_COLUMNS,
    bridged_pairs,
    channel_report,
)
from host.registration import Registration
from host.sql_store import SqlError, SqlStore, Statement, is_postgres, open_store
from host.switch import Switch

_EVERY: Final = 500 * MILLISECOND  # how far the tables may lag behind
_RETRY: Final = 5000 * MILLISECOND  # between attempts at a database that fails
_MOST_STATEMENTS: Final = 1000  # in one transaction

_WORDS: Final = tuple(f"a{number}" for number in range(1, WORDS_LIMIT + 1))
# FreeSWITCH's tables and their columns, each of a row's host last but for `channels` and `registrations`.
_TABLES: Final[dict[str, tuple[str, ...]]] = {
    "channels": CHANNEL_COLUMNS,
    "calls": ("call_uuid", "call_created", "call_created_epoch", "caller_uuid", "callee_uuid", "hostname"),
    "registrations": Registration._fields,
    "aliases": ("sticky", "alias", "command", "hostname"),
    "complete": ("sticky", *_WORDS, "hostname"),
    "tasks": ("task_id", "task_desc", "task_group", "task_runtime", "task_sql_manager", "hostname"),
    "interfaces": ("type", "name", "description", "ikey", "filename", "syntax", "hostname"),
}
_NUMBERS: Final = frozenset(
    {
        "created_epoch",
        "call_created_epoch",
        "sticky",
        "expires",
        "task_id",
        "task_runtime",
        "task_sql_manager",
    }
)
# What is asked for by these has an index.
_INDEXED: Final = {"channels": "uuid", "calls": "caller_uuid", "registrations": "reg_user"}

Rows = Mapping[str, frozenset[tuple[str, ...]]]


class CoreTables:
    """The writer of one switch, in a thread of its own: it brings the tables up to what the switch holds."""

    def __init__(self, switch: Switch, dsn: str) -> None:
        self._switch = switch
        self._dsn = dsn
        self._store: SqlStore | None = None
        self._written: Rows | None = None
        self._failed = False
        self._ended = False
        self._waiter = switch.clock.waiter()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write; the aliases and completions that were sticky when the host ended come back first."""
        try:
            self._read_words(self._open())
        except SqlError as error:
            self._tell_failure(error)
        self._thread = self._switch.clock.spawn(self._run, "core-tables")

    def stop(self) -> None:
        """Write no more, and take this host's rows away but for the sticky words."""
        self._ended = True
        self._waiter.notify()
        if self._thread is not None:
            self._thread.join()

    def registered_url(self, user: str, realm: str) -> str | None:
        """Return where a user is reached that any host has registered; None when there is none, or no database."""
        now = str(self._switch.clock.time() // 1_000_000)
        try:
            rows = self._open().run(
                (
                    "select url from registrations where reg_user = ? and lower(realm) = ?"
                    " and expires > cast(? as bigint) order by expires desc",
                    (user, realm.lower(), now),
                )
            )
        except SqlError as error:
            self._tell_failure(error)
            return None
        return str(rows[0][0]) if rows else None

    def _run(self) -> None:
        clock = self._switch.clock
        while not self._ended:
            try:
                self._write(rows_of(self._switch))
                self._failed = False
            except SqlError as error:
                self._tell_failure(error)
                self._written = None
            self._waiter.wait(clock.now() + (_RETRY if self._failed else _EVERY))
        try:
            if not self._failed:
                self._write({**rows_of(self._switch), "channels": frozenset(), "calls": frozenset()})
        except SqlError as error:
            self._tell_failure(error)
        if self._store is not None:
            self._store.close()

    def _open(self) -> SqlStore:
        if self._store is None:
            self._store = open_store(self._dsn, _schema())
        return self._store

    def _write(self, rows: Rows) -> None:
        store = self._open()
        statements: list[Statement] = []
        if self._written is None:
            hostname = (self._switch.hostname,)
            statements = [(f"delete from {table} where hostname = ?", hostname) for table in _TABLES]
        statements += _changes(self._written or {}, rows)
        for start in range(0, len(statements), _MOST_STATEMENTS):
            store.run(*statements[start : start + _MOST_STATEMENTS])
        self._written = rows

    def _read_words(self, store: SqlStore) -> None:
        words = self._switch.words
        mine = (self._switch.hostname,)
        for alias, command in store.run(
            ("select alias, command from aliases where sticky = 1 and hostname = ?", mine)
        ):
            words.set_alias(str(alias), str(command), sticky=True)
        columns = ", ".join(_WORDS)
        for row in store.run((f"select {columns} from complete where sticky = 1 and hostname = ?", mine)):
            words.add_completion(tuple(str(word) for word in row if word), sticky=True)

    def _tell_failure(self, error: SqlError) -> None:
        if not self._failed:
            self._switch.log(LogLevel.ERR, f"The core's tables are not written: {error}")
        self._failed = True


# The writers that run; `unload` gets no more than the switch.
core_writers: Final[WeakKeyDictionary[Switch, CoreTables]] = WeakKeyDictionary()


def core_tables(switch: Switch) -> CoreTables | None:
    """Return the writer that switch.conf asks for, not yet started; None when there is nothing to be written."""
    configuration = switch.xml.configuration("switch.conf")
    if configuration is None or switch.clock.virtual:
        return None
    params = {
        param.get("name", ""): param.get("value", "") for param in configuration.findall("settings/param")
    }
    dsn = params.get("core-db-dsn", "")
    if dsn and not is_postgres(dsn):
        switch.log(LogLevel.ERR, f"core-db-dsn is none of PostgreSQL (pgsql://…): {dsn.partition('://')[0]}")
        return None
    if not dsn:
        path = Path(switch.global_variables.get("db_dir") or "", f"{params.get('core-db-name') or 'core'}.db")
        if not path.parent.is_dir():
            return None
        dsn = str(path)
    return CoreTables(switch, dsn)


def rows_of(switch: Switch) -> Rows:
    """Return what the tables should hold of this host."""
    here = switch.hostname
    return {
        "channels": frozenset(tuple(row) for row in channel_report(switch).rows),
        "calls": frozenset((*pair, here) for pair in bridged_pairs(switch)),
        "registrations": frozenset(
            registration for registration in switch.registrations.values() if registration.hostname == here
        ),
        "aliases": frozenset((str(int(a.sticky)), a.alias, a.command, here) for a in switch.words.aliases()),
        "complete": frozenset(
            (str(int(c.sticky)), *c.words, *[""] * (WORDS_LIMIT - len(c.words)), here)
            for c in switch.words.completions()
        ),
        "tasks": frozenset(
            (str(task.id), task.description, task.group, str(task.runtime), "1", here)
            for task in switch.scheduler.tasks()
        ),
        "interfaces": frozenset(_interfaces(switch, here)),
    }


def _interfaces(switch: Switch, here: str) -> Iterator[tuple[str, ...]]:
    for registry in switch.registries:
        for found in registry:
            description, syntax = getattr(found, "description", ""), getattr(found, "syntax", "")
            file = switch.modules.file(found.module)
            yield (registry.kind, found.name, description, found.module, file, syntax, here)


def _changes(before: Rows, after: Rows) -> Iterator[Statement]:
    """Yield the statements that turn one state of the tables into another."""
    for table, columns in _TABLES.items():
        old, new = before.get(table, frozenset()), after[table]
        if old == new:
            continue
        match = " and ".join(f"{name} = {_value(name)}" for name in columns)
        values = ", ".join(_value(name) for name in columns)
        yield from ((f"delete from {table} where {match}", _texts(columns, row)) for row in old - new)
        insert = f"insert into {table} ({', '.join(columns)}) values ({values})"
        yield from ((insert, _texts(columns, row)) for row in new - old)


def _value(column: str) -> str:
    return "cast(? as bigint)" if column in _NUMBERS else "?"


def _texts(columns: tuple[str, ...], row: tuple[str, ...]) -> list[str]:
    """Return a row's values as a database takes them: numbers that are none are 0, odd bytes question marks."""
    texts = []
    for name, value in zip(columns, row, strict=True):
        if name in _NUMBERS:
            texts.append(value if value.lstrip("-").isdecimal() else "0")
        else:
            texts.append(value.replace("\0", "").encode("utf-8", "replace").decode())
    return texts


def _schema() -> str:
    """Return the statements that make the tables and FreeSWITCH's two views of the calls, where they are not there."""
    statements = []
    for table, columns in _TABLES.items():
        typed = ", ".join(f"{name} {'bigint' if name in _NUMBERS else 'text'}" for name in columns)
        statements.append(f"create table if not exists {table} ({typed})")
        if table in _INDEXED:
            column = _INDEXED[table]
            statements.append(f"create index if not exists {table}_{column} on {table} ({column})")
    for view, (near, far) in (("basic_calls", BASIC_COLUMNS), ("detailed_calls", DETAILED_COLUMNS)):
        chosen = [f"a.{name} as {name}" for name in near] + [f"b.{name} as b_{name}" for name in far]
        statements += [
            f"drop view if exists {view}",
            f"create view {view} as select {', '.join(chosen)}, c.call_created_epoch as call_created_epoch"
            " from channels a"
            " left join calls c on c.caller_uuid = a.uuid and c.hostname = a.hostname"
            " left join channels b on b.uuid = c.callee_uuid and b.hostname = c.hostname"
            " where not exists (select 1 from calls d where d.callee_uuid = a.uuid and d.hostname = a.hostname)",
        ]
    return ";\n".join(statements)
