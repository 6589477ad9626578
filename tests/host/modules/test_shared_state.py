"""Hosts that share their limits and values: through Redis, through PostgreSQL, and by asking one another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from host import limit
from host.clock import RealClock
from host.limit import LimitBackend
from host.modules.mod_hash.remote import parse_dump
from host.sql_store import SqlError, open_store
from host.switch import Switch
from tests.eventually import eventually
from tests.free_ports import free_port
from tests.host.placed_call import parked
from tests.host.private_server import postgres_server, redis_server
from tests.host.xml_document import section

MODULES = ("mod_commands", "mod_dptools", "mod_loopback")


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture(scope="module")
def postgres_dsn() -> Iterator[str]:
    with postgres_server() as dsn:
        yield dsn


@contextmanager
def a_host(base: Path, name: str, configuration: str, *modules: str) -> Iterator[Switch]:
    """A switch in real time that is called `name`."""
    folder = base / name
    folder.mkdir(exist_ok=True)
    switch = Switch(RealClock(), folder)
    switch.hostname = name
    switch.xml.load_text(section("configuration", configuration))
    try:
        for module in (*MODULES, *modules):
            switch.modules.load(module)
        yield switch
    finally:
        switch.close()


def backend(switch: Switch, name: str) -> LimitBackend:
    found = switch.limits.get(name)
    assert found is not None
    return found


def hash_conf(*remotes: str) -> str:
    return f'<configuration name="hash.conf"><remotes>{"".join(remotes)}</remotes></configuration>'


def test_hosts_share_values_and_limits_in_redis(tmp_path: Path, redis_url: str) -> None:
    conf = hash_conf(f'<remote name="shared" host="{redis_url}"/>')
    with a_host(tmp_path, "one", conf, "mod_hash") as one, a_host(tmp_path, "two", conf, "mod_hash") as two:
        assert one.api("hash_remote", "list") == "Remote connections:\nName\t\t\tState\nshared\t\t\tUp\n+OK\n"
        for value in ("plain", "\udcff\udcfe", "ü/x"):
            assert one.api("hash", f"insert/r/k/{value}") == "+OK\n"
            assert two.api("hash", "select/r/k") == value
        assert two.api("hash", "insert_ifempty/r/k/y") == "-ERR key already exists\n"
        assert two.api("hash", "delete_ifmatch/r/k/no") == "-ERR Doesn't match\n"
        assert two.api("hash", "delete_ifmatch/r/k/ü/x") == "+OK\n"
        assert two.api("hash", "delete_ifmatch/r/k/x") == "-ERR Not found\n"
        first, second = parked(one), parked(two)
        assert limit.take(first, backend(one, "hash"), "r", "x", 1, 0)
        assert limit.take(first, backend(one, "hash"), "r", "x", 1, 0)
        assert not limit.take(second, backend(two, "hash"), "r", "x", 1, 0)
        assert two.api("limit_usage", "hash r x") == "1"
        assert two.api("hash_dump", "limit") == "L/r_x/1/0/0/0\n"
        first.channel.hangup()
        eventually(lambda: two.api("limit_usage", "hash r x") == "0")
        assert limit.take(second, backend(two, "hash"), "r", "x", 1, 0)


def test_an_interval_holds_for_all_hosts(tmp_path: Path, redis_url: str) -> None:
    conf = hash_conf(f'<remote name="shared" host="{redis_url}"/>')
    with a_host(tmp_path, "one", conf, "mod_hash") as one, a_host(tmp_path, "two", conf, "mod_hash") as two:
        asked = [
            limit.take(parked(switch), backend(switch, "hash"), "r", "rate", 3, 600)
            for switch in (one, two) * 2
        ]
        assert asked == [True, True, True, False]
        assert one.api("limit_usage", "hash r rate rate") == "3/4"
        one.api("limit_interval_reset", "hash r rate")
        assert limit.take(parked(two), backend(two, "hash"), "r", "rate", 3, 600)


def test_a_host_that_starts_again_takes_its_sessions_away(tmp_path: Path, redis_url: str) -> None:
    conf = hash_conf(f'<remote name="shared" host="{redis_url}"/>')
    with a_host(tmp_path, "two", conf, "mod_hash") as two:
        limit.take(parked(two), backend(two, "hash"), "r", "z", 5, 0)
        with ExitStack() as stack:
            one = stack.enter_context(a_host(tmp_path, "one", conf, "mod_hash"))
            limit.take(parked(one), backend(one, "hash"), "r", "z", 5, 0)
            one.limits.remove_module("mod_hash")  # nothing is given back, as in a crash
        assert two.api("limit_usage", "hash r z") == "2"
        with a_host(tmp_path, "one", conf, "mod_hash"):
            assert two.api("limit_usage", "hash r z") == "1"


def test_without_redis_nothing_is_allowed_and_values_answer_an_error(tmp_path: Path) -> None:
    pytest.importorskip("redis")
    conf = hash_conf(f'<remote name="shared" host="redis://127.0.0.1:{free_port()}/0"/>')
    with a_host(tmp_path, "one", conf, "mod_hash") as one:
        assert "shared\t\t\tDown\n" in one.api("hash_remote", "list")
        assert one.api("hash", "insert/r/k/v").startswith("-ERR ")
        assert not limit.take(parked(one), backend(one, "hash"), "r", "x", 1, 0)
        assert one.api("limit_usage", "hash r x") == "0"
        assert one.api("hash_remote", "kill shared") == "+OK\n"
        assert one.api("hash", "insert/r/k/v") == "+OK\n"


def test_a_remote_is_asked_over_its_event_socket(tmp_path: Path) -> None:
    port = free_port()
    server_conf = (
        '<configuration name="event_socket.conf"><settings><param name="listen-ip" value="127.0.0.1"/>'
        f'<param name="listen-port" value="{port}"/></settings></configuration>'
    )

    def remote(name: str, password: str) -> str:
        address = f'host="127.0.0.1" port="{port}" password="{password}" interval="100"'
        return f'<remote name="{name}" {address}/>'

    conf = hash_conf(remote("far", "ClueCon"), remote("wrong", "no"))
    with ExitStack() as stack:
        two = stack.enter_context(a_host(tmp_path, "two", conf, "mod_hash"))
        assert "far\t\t\tDown\n" in two.api("hash_remote", "list")
        with a_host(tmp_path, "one", server_conf, "mod_hash", "mod_event_socket") as one:
            held = parked(one)
            limit.take(held, backend(one, "hash"), "r/e", "x", 1, 0)
            eventually(lambda: "far\t\t\tUp\n" in two.api("hash_remote", "list"))
            assert "wrong\t\t\tDown\n" in two.api("hash_remote", "list")
            eventually(lambda: two.api("limit_usage", "hash r/e x") == "1")
            assert not limit.take(parked(two), backend(two, "hash"), "r/e", "x", 1, 0)
            held.channel.hangup()
            eventually(lambda: two.api("limit_usage", "hash r/e x") == "0")
            limit.take(parked(one), backend(one, "hash"), "r/e", "x", 1, 0)
            eventually(lambda: two.api("limit_usage", "hash r/e x") == "1")
        eventually(lambda: "far\t\t\tDown\n" in two.api("hash_remote", "list"))
        assert two.api("limit_usage", "hash r/e x") == "0"
        assert two.api("hash_remote", "kill far") == "+OK\n"
        assert "far" not in two.api("hash_remote", "list")
        assert two.api("hash_remote", "rescan") == "+OK\n"
        assert "far\t\t\tDown\n" in two.api("hash_remote", "list")


def test_a_dump_is_read_from_the_right() -> None:
    text = "L/a_b/1/2/60/5\nD/x/y\nL/with/a/slash/7/0/0/0\nL/short/1\nnothing\n"
    assert parse_dump(text) == {"a_b": (1, 2), "with/a/slash": (7, 0)}


def db_conf(dsn: str) -> str:
    param = f'<param name="odbc-dsn" value="{dsn}"/>'
    return f'<configuration name="db.conf"><settings>{param}</settings></configuration>'


def test_hosts_share_values_groups_and_limits_in_postgresql(tmp_path: Path, postgres_dsn: str) -> None:
    conf = db_conf(postgres_dsn)
    with a_host(tmp_path, "one", conf, "mod_db") as one, a_host(tmp_path, "two", conf, "mod_db") as two:
        for key, value in (("b", "it's"), ("a", 'ü"%s?\\')):
            assert one.api("db", f"insert/realm/{key}/{value}") == "+OK"
            assert two.api("db", f"select/realm/{key}") == value
        assert (two.api("db", "list"), two.api("db", "list/realm")) == ("realm", "b,a")
        assert (two.api("db", "count"), two.api("db", "count/realm")) == ("1", "2")
        assert one.api("db", "insert/realm/a/\udcff") == "!err!"
        assert two.api("db", "exists/realm/a") == "true"
        for url in ("user/2", "user/1"):
            one.api("group", f"insert:g:{url}")
        assert two.api("group", "call:g:order") == "user/2|user/1"
        first, second = parked(one), parked(two)
        assert limit.take(first, backend(one, "db"), "r", "x", 1, 0)
        assert not limit.take(second, backend(two, "db"), "r", "x", 1, 0)
        assert two.api("limit_usage", "db r x") == "1"
        assert one.api("limit_status", "db") == "Tracking 1 resources for hostname one."
        first.channel.hangup()
        eventually(lambda: two.api("limit_usage", "db r x") == "0")
        assert limit.take(second, backend(two, "db"), "r", "x", 1, 0)
        assert not (tmp_path / "one" / "db" / "call_limit.db").exists()
    with a_host(tmp_path, "one", conf, "mod_db") as one:
        assert one.api("db", "select/realm/b") == "it's"
        assert one.api("group", "delete:g:*") == "+OK"


def test_a_broken_connection_is_made_anew(postgres_dsn: str) -> None:
    store = open_store(postgres_dsn, "create table if not exists t (a text)")
    other = open_store(postgres_dsn, "")
    store.run(("insert into t values (?)", ("1",)))
    other.run(("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()", ()))
    assert store.run(("select a from t", ())) == [("1",)]
    with pytest.raises(SqlError, match="nosuch"):
        store.run(("insert into t values (?)", ("2",)), ("select * from nosuch", ()))
    assert store.run(("select a from t", ())) == [("1",)]
    for text in ("\0", "\udcff"):
        with pytest.raises(SqlError, match="stores no"):
            store.run(("insert into t values (?)", (text,)))
    store.close()
    other.close()


def test_a_database_that_is_not_there_keeps_the_module_away(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with a_host(tmp_path, "one", db_conf(f"pgsql://host=127.0.0.1 port={free_port()}")) as one:
        assert one.api("load", "mod_db").endswith("-ERR [module load file routine returned an error]\n")
        assert one.api("db", "list") == "-ERR db Command not found!\n"
