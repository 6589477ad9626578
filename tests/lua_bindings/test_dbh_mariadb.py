"""`freeswitch.Dbh` with MariaDB, as with FreeSWITCH's mod_mariadb."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from host.switch import Switch
from tests.lua_bindings.mariadb_server import mariadb_server
from tests.lua_bindings.scripted import ran, text_of


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with mariadb_server() as port:
        yield port


@pytest.mark.parametrize("scheme", ["mariadb", "mysql"])
def test_queries(switch: Switch, port: int, scheme: str) -> None:
    code = f"""
      local dbh = freeswitch.Dbh("{scheme}://Server=127.0.0.1; Port={port}; Database=test; uid=root; Pwd=")
      assert(dbh:connected())
      local function show(...)
        local t = {{}}
        for i = 1, select("#", ...) do t[i] = tostring((select(i, ...))) end
        stream:write(table.concat(t, "|") .. ";")
      end
      show(dbh:query("create table if not exists t (id int, name varchar(20), day datetime, n decimal(6,2))"))
      show(dbh:query("delete from t"))
      show(dbh:query([[insert into t values (1, 'é', '2026-01-05 10:00:00', 1.50), (2, NULL, NULL, NULL)]]))
      show(dbh:affected_rows())
      dbh:query("select * from t order by id", function(row) show(row.id, row.name, row.day, row.n) end)
      dbh:query("select id from t; select 5 as five", function(row) show(row.id or row.five) end)
      dbh:query("select id from t order by id", function(row) show(row.id) return 1 end)
      show(dbh:query("select * from nowhere"), dbh:last_error())
      show(dbh:test_reactive("select * from t", "drop table t", "create table t (id int)"))
      show(dbh:release(), dbh:connected())
    """
    assert text_of(switch, code) == (
        "true;true;true;2;1|é|2026-01-05 10:00:00|1.50;2|||;1;2;5;1;"
        "false|Table 'test.nowhere' doesn't exist;true;true|false;"
    )


def test_what_does_not_connect(switch: Switch, port: int) -> None:
    for parameters in (f"Server=127.0.0.1;Port={port};Uid=nobody;Pwd=x", "Server=127.0.0.1;Port=1", "Port=x"):
        code = f'stream:write(tostring(freeswitch.Dbh("mariadb://{parameters}"):connected()))'
        assert ran(switch, code).text == "false"
