"""The rocks luasql.*: SQLite in memory as LuaSQL 2.6 does it; the others where a server or a library is there."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.clock import RealClock
from host.switch import Switch
from lua_bindings import script
from lua_bindings.script_run import Limits
from tests.eventually import eventually
from tests.host.private_server import postgres_server
from tests.lua_bindings.mariadb_server import mariadb_server
from tests.lua_bindings.scripted import MOST, SHOW, ran, text_of

ANONYMOUS = SHOW + 'shown = function(value) return (tostring(value):gsub("%(0x%x+%)", "(0x)")) end\n'


@pytest.mark.parametrize("version", MOST)
def test_sqlite(switch: Switch, version: str) -> None:
    code = """
      local env = require("luasql.sqlite3").sqlite3()
      show(env, env:connect("/nope/x"))
      local c = env:connect(":memory:")
      show(c, c:execute("create table t(a integer, b text, c real, d blob)"))
      show(c:execute("insert into t values(1, 'x', 1.5, null)"),
        c:execute("insert into t values(2, 'y', 2.5, x'00ff')"))
      show(c:execute("select * frm"))
      show(c:execute(""))
      local rows = c:execute("select * from t order by a")
      show(rows, table.concat(rows:getcolnames(), ","), table.concat(rows:getcoltypes(), ","))
      show(rows:fetch())
      local row = rows:fetch({}, "a")
      show(row.a, row.b, row[1], #row.d)
      show(rows:fetch({}))
      show(rows:close(), rows)
      rows = c:execute("select a, b from t")
      row = rows:fetch({}, "an")
      show(row.a, row[2])
      show(pcall(c.close, c))
      show(rows:close(), rows:close(), c:escape("it's"), c:getlastautoid(), c:execute("update t set a = 5"))
      show(c:close(), c:close(), c, env:close(), env:close(), env)
      show(getmetatable(c))
    """
    assert text_of(switch, ANONYMOUS + code, version) == (
        "SQLite3 environment (0x1)|nil|LuaSQL: unable to open database file;"
        "SQLite3 connection (0x)|0;1|1;"
        'nil|LuaSQL: near "frm": syntax error;nil|LuaSQL: not an error;'
        "SQLite3 cursor (0x)|a,b,c,d|INTEGER,TEXT,FLOAT,NULL;1|x|1.5|nil;2|y|nil|2;nil;"
        "false|SQLite3 cursor (closed);1|x;false|LuaSQL: there are open cursors;"
        "true|false|it''s|2|2;true|false|SQLite3 connection (closed)|true|false|SQLite3 environment (closed);"
        "LuaSQL: you're not allowed to get this metatable;"
    ).replace("(0x1)", "(0x)")


@pytest.mark.parametrize("version", MOST)
def test_transactions(switch: Switch, tmp_path: Path, version: str) -> None:
    code = f"""
      local env = require("luasql.sqlite3").sqlite3()
      local one, two = env:connect("{tmp_path}/data.db"), env:connect("{tmp_path}/data.db")
      one:execute("create table t(a)")
      show(one:commit())
      show(one:setautocommit(false), one:execute("insert into t values(1)"))
      show(two:execute("select count(*) from t"):fetch())
      show(one:rollback(), one:execute("insert into t values(2)"), one:commit())
      show(two:execute("select a from t"):fetch())
      show(one:execute("insert into t values(3)"), two:execute("insert into t values(4)"))
      show(one:setautocommit(true), two:execute("select count(*) from t"):fetch())
    """
    assert text_of(switch, ANONYMOUS + code, version) == (
        "nil|LuaSQL: cannot commit - no transaction is active;true|1;0;true|1|true;2;"
        "1|nil|LuaSQL: database is locked;true|1;"
    )


@pytest.mark.parametrize("version", MOST)
@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("rows:fetch()", "calling 'fetch' on bad self (LuaSQL: cursor is closed)"),
        ("c:execute('select 1')", "calling 'execute' on bad self (LuaSQL: connection is closed)"),
        ("env:connect('x')", "calling 'connect' on bad self (LuaSQL: environment is closed)"),
        ("c.execute(1)", "bad argument #1 to 'execute' (SQLite3 connection expected, got number)"),
    ],
)
def test_what_is_closed_refuses(switch: Switch, call: str, error: str, version: str) -> None:
    code = (
        "local env = require('luasql.sqlite3').sqlite3() local c = env:connect(':memory:') "
        f"local rows = c:execute('select 1') rows:close() c:close() env:close()\nlocal x = {call}"
    )
    assert ran(switch, code, Limits(version=version)).result.error == f'[string "line"]:2: {error}'


@pytest.mark.parametrize(
    ("driver", "library", "told"),
    [
        ("mysql", "pymysql", "install moonline[mysql]"),
        ("odbc", "pyodbc", "install moonline[odbc]"),
    ],
)
def test_a_missing_library_is_named(switch: Switch, driver: str, library: str, told: str) -> None:
    if importlib.util.find_spec(library) is not None:
        pytest.skip(f"{library} is installed")
    code = f"show(require('luasql.{driver}').{driver}():connect('x', 'user', 'password', 'host', 1))"
    assert told in text_of(switch, ANONYMOUS + code)


def test_postgres_that_is_not_there(switch: Switch) -> None:
    code = "show(require('luasql.postgres').postgres():connect('x', 'user', 'password', '127.0.0.1', 1))"
    assert text_of(switch, ANONYMOUS + code).startswith(
        "nil|LuaSQL: error connecting to database. PostgreSQL: "
    )


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres_server() as dsn:
        yield dsn.removeprefix("pgsql://")


@pytest.mark.parametrize("version", MOST)
def test_postgres(switch: Switch, database: str, version: str) -> None:
    code = f"""
      local c = assert(require("luasql.postgres").postgres():connect("{database}"))
      show(c:execute("create temporary table t(a integer, b text)"))
      show(c:execute("insert into t values(1, 'x'), (2, null)"))
      local rows = c:execute("select * from t order by a")
      show(rows:numrows(), rows, table.concat(rows:getcoltypes(), ","))
      show(rows:fetch())
      local row = rows:fetch({{}}, "a")
      show(row.a, row.b, rows:fetch())
      show(c:setautocommit(false), c:execute("delete from t"), c:rollback(),
        c:execute("select count(*) from t"):fetch())
      show(c:escape("it's"), c:execute("select * frm"))
    """
    shown = text_of(switch, ANONYMOUS + code, version).split(";")
    assert shown[:6] == ["0", "2", "2|PostgreSQL cursor (0x)|int4,text", "1|x", "2|nil|nil", "true|2|true|2"]
    assert shown[6].startswith(
        "it''s|nil|LuaSQL: error executing statement. PostgreSQL: syntax error at or near"
    )


def error_of_killed(folder: Path, code: str) -> str:
    """Return the error of a script that is killed while its statement runs, once it said `ready()`; it ends at once."""
    clock = RealClock()
    switch = Switch(clock, folder)
    results: list[script.ScriptResult] = []
    ready = "function ready() freeswitch.setGlobalVariable('ready', 'yes') end "
    thread = threading.Thread(target=lambda: results.append(script.run(switch, "~" + ready + code)))
    thread.start()
    eventually(
        lambda: (
            switch.global_variables.get("ready") == "yes"
            and any(running._waiting is not None for running in script.running())
        )
    )
    began = clock.now()
    for running in script.running():
        running.kill("killed by hand")
    thread.join()
    switch.close()
    assert clock.now() - began < 10_000_000
    return results[0].error


def test_a_kill_cancels_a_statement(tmp_path: Path, database: str) -> None:
    code = f"""
      local c = assert(require("luasql.postgres").postgres():connect("{database}"))
      ready()
      c:execute("select pg_sleep(50)")
    """
    assert "killed by hand" in error_of_killed(tmp_path, code)


@pytest.fixture(scope="module")
def mariadb() -> Iterator[int]:
    with mariadb_server() as port:
        yield port


@pytest.mark.parametrize("version", MOST)
def test_mysql(switch: Switch, mariadb: int, version: str) -> None:
    code = f"""
      local env = require("luasql.mysql").mysql()
      local c = assert(env:connect("test", "root", "", "127.0.0.1", {mariadb}))
      show(env, c, c:execute("create temporary table t(a integer primary key auto_increment, b text, c blob)"))
      show(c:execute("insert into t(b, c) values('gr\u00fc\u00df', x'00ff'), (null, null)"), c:getlastautoid())
      local rows = c:execute("select * from t order by a")
      show(rows:numrows(), rows, table.concat(rows:getcolnames(), ","))
      local a, b, octets = rows:fetch()
      show(type(a), a, b, octets:byte(1, -1))
      local row = rows:fetch({{}}, "a")
      show(row.a, row.b, row.c, rows:fetch())
      show(rows:close(), c:setautocommit(false), c:execute("delete from t"), c:rollback(),
        c:execute("select count(*) from t"):fetch())
      show(c:execute("delete from t where a = 1"), c:commit(), c:setautocommit(true))
      show(c:escape("it's \\\\"), c:execute("select * frm"))
      show(env:connect("nope", "root", "", "127.0.0.1", {mariadb}))
      show(env:connect("test", "nobody", "wrong", "127.0.0.1", {mariadb}))
    """
    shown = text_of(switch, ANONYMOUS + code, version).split(";")
    assert shown[:7] == [
        "MySQL environment (0x)|MySQL connection (0x)|0",
        "2|1",
        "2|MySQL cursor (0x)|a,b,c",
        "string|1|gr\u00fc\u00df|0|255",
        "2|nil|nil|nil",
        "false|true|2|true|2",
        "1|true|true",
    ]
    assert shown[7].startswith(
        "it\\'s \\\\|nil|LuaSQL: error executing query. MySQL: You have an error in your SQL"
    )
    assert shown[9] == "nil|LuaSQL: error connecting to database. MySQL: Unknown database 'nope'"
    assert shown[10].startswith(
        "nil|LuaSQL: error connecting to database. MySQL: Access denied for user 'nobody'@"
    )


def test_a_kill_stops_a_mysql_statement(tmp_path: Path, mariadb: int) -> None:
    connected = f'require("luasql.mysql").mysql():connect("test", "root", "", "127.0.0.1", {mariadb})'
    code = f'local c = assert({connected}) ready() c:execute("select sleep(50)")'
    assert "killed by hand" in error_of_killed(tmp_path, code)


def odbc_drivers() -> list[str]:
    pyodbc = pytest.importorskip("pyodbc", reason="needs the extra moonline[odbc]")
    drivers: list[str] = pyodbc.drivers()
    return drivers


@pytest.mark.parametrize("version", MOST)
def test_odbc_of_sqlite(switch: Switch, tmp_path: Path, version: str) -> None:
    if "SQLite3" not in odbc_drivers():
        pytest.skip("libsqliteodbc is not installed; `make peers` installs it on Debian")
    code = f"""
      local env = require("luasql.odbc").odbc()
      local c = assert(env:connect("DRIVER=SQLite3;Database={tmp_path}/odbc.db"))
      show(env, c, c:execute("create table t(a integer, b varchar(20), c double)"))
      show(c:execute("insert into t values(1, 'gr\u00fc\u00df', 1.5)"))
      show(c:execute("insert into t values(2, null, null)"))
      local rows = c:execute("select * from t order by a")
      show(rows, table.concat(rows:getcolnames(), ","), table.concat(rows:getcoltypes(), ","))
      show(rows:fetch())
      local row = rows:fetch({{}}, "an")
      show(row.a, row[1], row.b, rows:fetch())
      show(rows:close(), c:setautocommit(false), c:execute("delete from t"), c:rollback(), c:setautocommit(true))
      show(c:execute("select count(*) from t"):fetch())
      show(c:execute("select * frm"))
      show(env:connect("DSN=no_such_source"))
    """
    shown = text_of(switch, ANONYMOUS + code, version).split(";")
    assert shown[0] == "ODBC environment (0x)|ODBC connection (0x)|0"
    assert shown[3] == "ODBC cursor (0x)|a,b,c|number,string,number"
    assert shown[4:6] == ["1|gr\u00fc\u00df|1.5", "2|2|nil|nil"]
    assert shown[6] == "false|true|2|true|true"
    assert shown[8].startswith("nil|LuaSQL: error executing statement. ODBC: ")
    assert shown[9].startswith("nil|LuaSQL: error connecting to database. ODBC: ")


def test_odbc_of_postgres(switch: Switch, database: str) -> None:
    if "PostgreSQL Unicode" not in odbc_drivers():
        pytest.skip("odbc-postgresql is not installed; `make peers` installs it on Debian")
    words = dict(word.split("=", 1) for word in database.split())
    source = (
        f"DRIVER=PostgreSQL Unicode;Server={words['host']};Port={words['port']};Database={words['dbname']}"
    )
    code = f"""
      local c = assert(require("luasql.odbc").odbc():connect("{source}", "{words["user"]}", "none"))
      c:execute("create temporary table t(a integer, b text, c numeric, d boolean)")
      show(c:execute("insert into t values(1, 'x', 2.5, true), (2, null, null, null)"))
      local rows = c:execute("select * from t order by a")
      show(rows:fetch())
      show(rows:fetch())
      show(rows:fetch())
    """
    assert text_of(switch, ANONYMOUS + code) == "2;1|x|2.5|1;2|nil|nil|nil;nil;"
