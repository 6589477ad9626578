"""What statements of SQLite give a script: numbers, bytes, values left open, and callbacks that end the rows."""

from __future__ import annotations

import pytest

from host.switch import Switch
from tests.lua_bindings.scripted import SHOW, text_of

OPEN = (
    SHOW
    + """
  local db = freeswitch.Dbh("sqlite://statements")
  local function row(sql, ...)
    local names, given = { ... }
    show(db:query(sql, function(found)
      local t = {}
      for i, name in ipairs(names) do t[i] = tostring(found[name]) end
      given = table.concat(t, ",")
    end), given, db:last_error())
  end
"""
)


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ("2.0", "2.0"),
        ("1e20", "1.0e+20"),
        ("1e100", "1.0e+100"),
        ("-2.5e-10", "-2.5e-10"),
        ("1.0 / 3", "0.333333333333333"),
        ("100000000000000000000", "1.0e+20"),
        ("9223372036854775807", "9223372036854775807"),
    ],
)
def test_numbers_are_written_as_sqlite_writes_them(switch: Switch, written: str, given: str) -> None:
    assert text_of(switch, OPEN + f'row("SELECT {written} AS n", "n")') == f"true|{given}|nil;"


def test_values_left_open_are_null(switch: Switch) -> None:
    code = """
      row("SELECT ? AS a, ?2 AS b, 1 AS c", "a", "b", "c")
      row("SELECT :x AS a, @y AS b, $z AS c", "a", "b", "c")
      row("SELECT '?' AS a, ':x' AS b", "a", "b")
      show(select("#", db:query_rows("SELECT ?5 AS a")), #select(2, db:query_rows("SELECT :x AS a")))
    """
    assert text_of(switch, OPEN + code) == "true|,,1|nil;true|,,|nil;true|?,:x|nil;3|1;"


def test_bytes_that_are_no_utf_8_are_kept(switch: Switch) -> None:
    code = """
      show(db:query("CREATE TABLE t (a, b)"))
      show(db:query("INSERT INTO t VALUES ('it''s \\255\\254', 'caf\\195\\169') -- \\255 it's"))
      row("SELECT hex(a) AS h, typeof(a) AS t, a = 'it''s \\255\\254' AS same, b FROM t", "h", "t", "same", "b")
      db:query("SELECT a FROM t", function(found) show(found.a == "it's \\255\\254") end)
    """
    assert text_of(switch, OPEN + code) == "true;true;true|6974277320FFFE,text,1,café|nil;true;"


@pytest.mark.parametrize(
    ("answer", "rows"), [("0 / 0", 1), ("-(0 / 0)", 1), ("1 / 0", 1), ("0.9", 3), ("-0.9", 3), ("'x'", 3)]
)
def test_a_number_that_is_none_ends_the_rows(switch: Switch, answer: str, rows: int) -> None:
    code = f"""
      local rows = 0
      local function take() rows = rows + 1 return {answer} end
      show(db:query("SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3", take), rows)
    """
    assert text_of(switch, OPEN + code) == f"true|{rows};"


def test_a_handle_released_by_its_callback_gives_all_rows(switch: Switch) -> None:
    code = """
      local rows, released = 0
      local function take()
        rows = rows + 1
        if rows == 1 then released = db:release() end
      end
      show(db:query("SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3", take), rows, released)
      show(db:connected(), db:release(), db:query("SELECT 1"))
    """
    assert text_of(switch, OPEN + code) == "true|3|true;false|false|false;"


def test_an_extension_that_is_not_loaded_is_a_failure(switch: Switch) -> None:
    code = 'show(db:load_extension("x"), db:load_extension("")) db:release() show(db:load_extension("x"))'
    assert text_of(switch, OPEN + code) == "1|0;0;"
