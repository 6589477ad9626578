"""The core's tables as others read them, in SQLite and in PostgreSQL."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from host.clock import RealClock
from host.registration import Registration
from host.sql_store import SqlStore, open_store
from host.switch import Switch
from tests.eventually import eventually
from tests.free_ports import free_port
from tests.host.private_server import postgres_server
from tests.host.xml_document import settings

EMPTY = ""


@pytest.fixture(scope="module")
def postgres_dsn() -> Iterator[str]:
    with postgres_server() as dsn:
        yield dsn


@pytest.fixture(params=["sqlite", "postgres"])
def dsn(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_dsn"))
    (tmp_path / "db").mkdir()
    return str(tmp_path / "db" / "core.db")


@contextmanager
def a_host(base: Path, name: str, dsn: str) -> Iterator[Switch]:
    switch = Switch(RealClock(), base)
    switch.hostname = name
    switch.xml.load_text(settings("switch.conf", {"core-db-dsn": dsn} if "://" in dsn else {}))
    try:
        for module in ("mod_commands", "mod_dptools", "mod_loopback"):
            switch.modules.load(module)
        yield switch
    finally:
        switch.close()


def rows(store: SqlStore, sql: str, *values: str) -> list[tuple[str | int | None, ...]]:
    return store.run((sql, values))


def test_calls_are_in_the_tables_while_they_last(tmp_path: Path, dsn: str) -> None:
    with a_host(tmp_path, "one", dsn) as switch:
        store = open_store(dsn, EMPTY)
        alone, near, far = (
            switch.api("originate", f"null/{n} &park()").split()[1] for n in ("a?%b", "b", "c")
        )
        switch.api("uuid_bridge", f"{near} {far}")
        count = "select uuid, b_uuid from basic_calls where hostname = ? order by created_epoch, uuid"
        wanted = sorted([(alone, None), (near, far)])
        eventually(lambda: sorted(rows(store, count, "one")) == wanted)
        name, state, epoch = rows(
            store, "select name, callstate, created_epoch from channels where uuid = ?", alone
        )[0]
        assert (name, state) == ("null/a?%b", "ACTIVE")
        assert isinstance(epoch, int) and abs(epoch - time.time()) < 60
        assert rows(store, "select callee_uuid from calls where caller_uuid = ?", near) == [(far,)]
        switch.api("uuid_kill", far)
        eventually(lambda: rows(store, count, "one") == [(alone, None)])
        found = rows(store, "select ikey from interfaces where type = 'api' and name = 'hupall'")
        assert found == [("mod_commands",)]
        switch.api("sched_api", "+1000 g status")
        eventually(
            lambda: (
                rows(store, "select task_group from tasks where task_desc = 'sched_api_function'") == [("g",)]
            )
        )
    assert rows(store, "select * from channels") == []
    store.close()


def test_sticky_words_outlive_the_host(tmp_path: Path, dsn: str) -> None:
    with a_host(tmp_path, "one", dsn) as switch:
        switch.api("alias", "stickyadd st status")
        switch.api("alias", "add no echo")
        switch.api("complete", "stickyadd one two")
    (tmp_path / "db" / "console_words.json").unlink(missing_ok=True)
    with a_host(tmp_path, "one", dsn) as switch:
        assert switch.api("show", "aliases").splitlines()[1:2] == ["1,st,status,one"]
        assert "no,echo" not in switch.api("show", "aliases")
        assert switch.api("show", "complete").splitlines()[1].startswith("1,one,two,,")
        switch.api("alias", "del *")
        switch.api("complete", "del *")
    with a_host(tmp_path, "one", dsn) as switch:
        assert switch.api("show", "aliases") == switch.api("show", "complete") == "\n0 total.\n"


def test_a_user_registered_at_another_host_is_found(tmp_path: Path, postgres_dsn: str) -> None:
    contact = "sofia/internal/sip:1000@192.0.2.7"
    later = str(int(time.time()) + 600)
    with a_host(tmp_path, "one", postgres_dsn) as one, a_host(tmp_path, "two", postgres_dsn) as two:
        one.registrations["t"] = Registration(
            "1000", "Example.org", "t", contact, later, "192.0.2.7", "5060", "udp", "one", ""
        )
        eventually(lambda: two.api("reg_url", "1000@example.org") == contact)
        assert two.api("show", "registrations") == "\n0 total.\n"
        del one.registrations["t"]
        eventually(lambda: two.api("reg_url", "1000@example.org") == "error/user_not_registered")


def test_a_database_that_is_not_there_is_told_once_and_holds_nothing_up(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    lines: list[str] = []
    switch = Switch(RealClock(), tmp_path)
    switch.logs.add_sink(lambda entry: lines.append(entry.text))
    switch.close()
    with a_host(tmp_path, "one", f"pgsql://host=127.0.0.1 port={free_port()}") as one:
        one.logs.add_sink(lambda entry: lines.append(entry.text))
        assert one.api("reg_url", "1000@example.org") == "error/user_not_registered"
        assert one.api("originate", "null/x &park()").startswith("+OK")
        assert one.api("show", "channels count") == "\n1 total.\n"


def test_without_a_configuration_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    switch = Switch(RealClock(), tmp_path)
    switch.modules.load("mod_commands")
    switch.close()
    assert not list((tmp_path / "db").iterdir())


def test_odd_bytes_and_numbers_are_written_as_far_as_they_go(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    path = tmp_path / "db" / "core.db"
    with a_host(tmp_path, "one", str(path)) as switch:
        switch.registrations["t"] = Registration("\udcff\0", "r", "t", "u", "never", "", "", "", "one", "")
        connection = sqlite3.connect(path)
        eventually(
            lambda: connection.execute("select reg_user, expires from registrations").fetchall() == [("?", 0)]
        )
        connection.close()
