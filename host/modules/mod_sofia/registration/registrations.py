"""The registrations of a profile: FreeSWITCH's table `sip_registrations`, and where it lies.

By itself a profile keeps its registrations in memory, where look-ups find them, and writes them behind to the
SQLite file `sofia_reg_PROFILE.db` of `db_dir`, from which they come back after a restart. With PostgreSQL (`odbc-dsn`
of the profile, else `core-db-dsn` of switch.conf) several hosts share the table: then the table is what counts, every
look-up asks it and every change is in it before the phone gets its answer, so all methods may block.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_long
from host.log import LogLevel
from host.sql_store import MEMORY, Row, SqlError, SqlStore, Statement, is_postgres, open_store

if TYPE_CHECKING:
    from host.switch import Switch

REACHABLE: Final = "Reachable"
UNREACHABLE: Final = "Unreachable"

# What a host that is gone left behind in a shared table is taken away this long after it ran out, in seconds.
_LEFT_BEHIND: Final = 3600
_MOST_STATEMENTS: Final = 500  # in one transaction of what is written behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A row: where one user is reached. Times are seconds since the epoch, `ping_time` is µs.

    `flow` is kept in memory alone: the instance and flow of RFC 5626.
    """

    call_id: str
    sip_user: str
    sip_host: str
    presence_hosts: str = ""
    contact: str
    status: str
    ping_status: str = REACHABLE
    ping_count: int = 0
    ping_time: int = 0
    force_ping: int = 0
    rpid: str = "unknown"
    expires: int
    ping_expires: int = 0
    user_agent: str = "unknown"
    server_user: str = ""
    server_host: str = ""
    profile_name: str
    hostname: str
    network_ip: str = ""
    network_port: str = ""
    sip_username: str = "unknown"
    sip_realm: str = ""
    mwi_user: str = ""
    mwi_host: str = ""
    orig_server_host: str = ""
    orig_hostname: str = ""
    sub_host: str = ""
    flow: tuple[str, str] | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from others: user, host, Call-ID and contact."""
        return self.sip_user, self.sip_host, self.call_id, self.contact

    def serves(self, host: str) -> bool:
        """Return whether it is one of a domain's, by its own or by a presence host (FreeSWITCH: any part of one)."""
        return not host or self.sip_host == host or host in self.presence_hosts


_COLUMNS: Final = tuple(field.name for field in fields(Binding) if field.name != "flow")
_NUMBERS: Final = frozenset({"ping_count", "ping_time", "force_ping", "expires", "ping_expires"})
_KEY: Final = "sip_user = ? and sip_host = ? and call_id = ? and contact = ?"
_SELECT: Final = f"select {', '.join(_COLUMNS)} from sip_registrations"
_SCHEMA: Final = ";\n".join(
    (
        "create table if not exists sip_registrations ("
        + ", ".join(f"{name} {'bigint' if name in _NUMBERS else 'text'}" for name in _COLUMNS)
        + ")",
        *(
            f"create index if not exists sr_{name} on sip_registrations ({name})"
            for name in ("call_id", "sip_user", "sip_host", "profile_name", "expires")
        ),
        "create index if not exists sr_any_case on sip_registrations (lower(sip_user))",
    )
)


class Registrations:
    """The registrations of one profile. Thread-safe; where `shared`, every method may block and raise SqlError.

    `write_behind(run)` runs what writes in a thread that may block.
    """

    def __init__(
        self,
        switch: Switch,
        profile_name: str,
        dsn: str,
        write_behind: Callable[[Callable[[], object]], object],
    ) -> None:
        self._switch = switch
        self._profile_name = profile_name
        self._write_behind = write_behind
        self._store: SqlStore = open_store(dsn, _SCHEMA)
        self.shared = is_postgres(dsn)
        self._lock = threading.RLock()
        self._by_user: dict[str, dict[tuple[str, str, str, str], Binding]] = {}
        self._pending: list[Statement] = []
        self._writing = False
        self._write_lock = threading.Lock()
        if not self.shared:
            for binding in self._rows(" where profile_name = ?", (profile_name,)):
                self._by_user.setdefault(binding.sip_user.lower(), {})[binding.key] = binding

    # -- look-ups ------------------------------------------------------------------------------------------------

    def find(self, user: str, host: str = "", *, any_case: bool = False) -> list[Binding]:
        """Return where a user is reached, the oldest first; of any domain without `host`.

        FreeSWITCH: `sofia_contact` takes a user in any case, everything else as written.
        """
        if self.shared:
            now = str(self._now())
            found = self._rows(
                " where lower(sip_user) = lower(?) and (expires = 0 or expires > cast(? as bigint))",
                (user, now),
            )
        else:
            with self._lock:
                found = list(self._by_user.get(user.lower(), {}).values())
        return [one for one in found if (any_case or one.sip_user == user) and one.serves(host)]

    def all(self) -> list[Binding]:
        """Return all registrations of the profile, on whichever host."""
        if self.shared:
            return self._rows(" where profile_name = ?", (self._profile_name,))
        with self._lock:
            return [binding for users in self._by_user.values() for binding in users.values()]

    def own(self) -> list[Binding]:
        """Return those that this host took."""
        here = self._switch.hostname
        if self.shared:
            return self._rows(" where profile_name = ? and hostname = ?", (self._profile_name, here))
        return self.all()

    def count(self) -> int:
        """Return how many registrations the profile has."""
        if self.shared:
            sql = "select count(*) from sip_registrations where profile_name = ?"
            return int(self._store.run((sql, (self._profile_name,)))[0][0] or 0)
        with self._lock:
            return sum(map(len, self._by_user.values()))

    def named(self, target: str) -> list[Binding]:
        """Return those that `sofia profile X flush_inbound_reg` names: a Call-ID, `user@host` or a host."""
        user, at, host = target.partition("@")
        if not at:
            user, host = "", target
        found = self.all()
        return [
            one
            for one in found
            if one.call_id == target or (one.sip_host == host and (not user or one.sip_user == user))
        ]

    # -- changes -------------------------------------------------------------------------------------------------

    def register(
        self, new: Sequence[Binding], *, replacing: str, renewed: bool = False
    ) -> tuple[bool, list[Binding]]:
        """Put bindings of one user in place of earlier ones; return whether they only renew, and what went.

        `replacing` is `user` (all there were), `call-id` or `contact` (the same one), the two ways of
        `multiple-registrations`. FreeSWITCH: with `renewed` the same contact of the same login stays a row.
        """
        with self._lock:
            before = self.find(new[0].sip_user, new[0].sip_host) if new else []
            before = [one for one in before if one.sip_host == new[0].sip_host]
            gone = [one for one in before if _replaces(new, one, replacing, renewed)]
            known = {(one.contact, one.sip_username) for one in before}
            updated = renewed and all((one.contact, one.sip_username) in known for one in new)
            if updated:
                earlier = {one.contact: one for one in before}
                new = [
                    replace(
                        one,
                        ping_status=earlier[one.contact].ping_status,
                        ping_count=earlier[one.contact].ping_count,
                        ping_time=earlier[one.contact].ping_time,
                    )
                    for one in new
                ]
            deletions = [_deletion(one) for one in gone]
            if self.shared and replacing == "user" and new:
                # Whatever another host wrote meanwhile.
                owner = (new[0].sip_user, new[0].sip_host)
                deletions = [("delete from sip_registrations where sip_user = ? and sip_host = ?", owner)]
            self._apply(deletions + [_insertion(one) for one in new], gone, new)
            kept = {one.contact for one in new}
            return updated, [one for one in gone if one.contact not in kept]

    def remove(self, bindings: Iterable[Binding]) -> None:
        """Take registrations away."""
        gone = list(bindings)
        with self._lock:
            self._apply([_deletion(one) for one in gone], gone, [])

    def change(self, binding: Binding, changed: Binding) -> None:
        """Put `changed` in the place of a binding with the same key; nothing happens when that is gone."""
        sets = ", ".join(
            f"{name} = {_value(name)}"
            for name in _COLUMNS
            if getattr(binding, name) != getattr(changed, name)
        )
        if not sets:
            return
        texts = [
            str(getattr(changed, name))
            for name in _COLUMNS
            if getattr(binding, name) != getattr(changed, name)
        ]
        with self._lock:
            if not self.shared and binding.key not in self._by_user.get(binding.sip_user.lower(), {}):
                return
            self._apply(
                [(f"update sip_registrations set {sets} where {_KEY}", (*texts, *binding.key))], [], [changed]
            )

    def expire(self, now: int) -> list[Binding]:
        """Take away what ran out before `now` and return it; of a shared table only what this host took.

        What other hosts left behind long ago goes as well, without being returned.
        """
        gone = [one for one in self.own() if 0 < one.expires <= now]
        if gone:
            self.remove(gone)
        if self.shared:
            left = (
                "delete from sip_registrations where expires > 0 and expires <= cast(? as bigint)",
                (str(now - _LEFT_BEHIND),),
            )
            self._store.run(left)
        return gone

    def close(self) -> None:
        """Write what is left and close the database."""
        with self._lock:
            self._writing = True  # nothing more is handed to a worker
        self._drain()
        self._store.close()

    # -- the database --------------------------------------------------------------------------------------------

    def _now(self) -> int:
        return self._switch.clock.time() // 1_000_000

    def _rows(self, where: str, values: Sequence[str]) -> list[Binding]:
        return [_binding(row) for row in self._store.run((_SELECT + where, values))]

    def _apply(self, statements: list[Statement], gone: Sequence[Binding], new: Sequence[Binding]) -> None:
        if not statements:
            return
        if self.shared:
            self._store.run(*statements)
            return
        for one in gone:
            users = self._by_user.get(one.sip_user.lower(), {})
            users.pop(one.key, None)
            if not users:
                self._by_user.pop(one.sip_user.lower(), None)
        for one in new:
            self._by_user.setdefault(one.sip_user.lower(), {})[one.key] = one
        self._pending += statements
        if not self._writing:
            self._writing = True
            self._write_behind(self._write)

    def _write(self) -> None:
        self._drain()
        with self._lock:
            if self._pending:
                self._write_behind(self._write)
            else:
                self._writing = False

    def _drain(self) -> None:
        """Write what is pending; a failure is logged, for the registrations themselves are in memory."""
        with self._write_lock:
            while True:
                with self._lock:
                    batch, self._pending = self._pending[:_MOST_STATEMENTS], self._pending[_MOST_STATEMENTS:]
                if not batch:
                    return
                try:
                    self._store.run(*batch)
                except SqlError as error:
                    self._switch.log(
                        LogLevel.ERR, f"Registrations of {self._profile_name} are not written: {error}"
                    )


def registrations_dsn(switch: Switch, profile_name: str, odbc_dsn: str, dbname: str) -> str:
    """Return where the registrations of a profile lie: a DSN of PostgreSQL, or an SQLite path. SqlError.

    In memory under a virtual clock and where there is no folder for databases.
    """
    folder = Path(switch.global_variables.get("db_dir") or "")
    if switch.clock.virtual or not folder.parent.is_dir():
        return MEMORY
    if odbc_dsn and not is_postgres(odbc_dsn):
        raise SqlError(
            f"odbc-dsn of {profile_name} is none of PostgreSQL (pgsql://…): {odbc_dsn.partition('://')[0]}"
        )
    configuration = switch.xml.configuration("switch.conf")
    params = configuration.findall("settings/param") if configuration is not None else []
    core = next((param.get("value", "") for param in params if param.get("name") == "core-db-dsn"), "")
    if odbc_dsn or is_postgres(core):
        return odbc_dsn or core
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        switch.log(LogLevel.WARNING, f"{profile_name} keeps its registrations in memory: {error}")
        return MEMORY
    name = (dbname or f"sofia_reg_{profile_name}").replace("\0", "")
    return name if "/" in name else str(folder / f"{name}.db")


def _replaces(new: Sequence[Binding], old: Binding, replacing: str, renewed: bool) -> bool:
    """Return whether an earlier binding of the same user gives way to the new ones."""
    if replacing == "user":
        return True
    for one in new:
        same_contact = one.contact == old.contact
        if one.flow is not None and one.flow == old.flow:
            return True
        if same_contact and (replacing == "contact" or (renewed and one.sip_username == old.sip_username)):
            return True
        if replacing == "call-id" and one.call_id == old.call_id:
            return True
    return False


def _value(column: str) -> str:
    return "cast(? as bigint)" if column in _NUMBERS else "?"


def _deletion(binding: Binding) -> Statement:
    return f"delete from sip_registrations where {_KEY}", binding.key


def _insertion(binding: Binding) -> Statement:
    values = ", ".join(_value(name) for name in _COLUMNS)
    sql = f"insert into sip_registrations ({', '.join(_COLUMNS)}) values ({values})"
    return sql, [str(getattr(binding, name)) for name in _COLUMNS]


def _binding(row: Row) -> Binding:
    texts = dict(zip(_COLUMNS, ("" if value is None else str(value) for value in row), strict=True))

    def number(name: str) -> int:
        return leading_long(texts[name])

    return Binding(
        call_id=texts["call_id"],
        sip_user=texts["sip_user"],
        sip_host=texts["sip_host"],
        presence_hosts=texts["presence_hosts"],
        contact=texts["contact"],
        status=texts["status"],
        ping_status=texts["ping_status"],
        ping_count=number("ping_count"),
        ping_time=number("ping_time"),
        force_ping=number("force_ping"),
        rpid=texts["rpid"],
        expires=number("expires"),
        ping_expires=number("ping_expires"),
        user_agent=texts["user_agent"],
        server_user=texts["server_user"],
        server_host=texts["server_host"],
        profile_name=texts["profile_name"],
        hostname=texts["hostname"],
        network_ip=texts["network_ip"],
        network_port=texts["network_port"],
        sip_username=texts["sip_username"],
        sip_realm=texts["sip_realm"],
        mwi_user=texts["mwi_user"],
        mwi_host=texts["mwi_host"],
        orig_server_host=texts["orig_server_host"],
        orig_hostname=texts["orig_hostname"],
        sub_host=texts["sub_host"],
    )
