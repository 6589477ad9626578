"""The parsers of this floor: JSON as cJSON has it, SQL statements, Lua's empty statements."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lua_bindings.database import DatabaseError, connect, statements
from lua_bindings.empty_statement import without_empty_statements
from lua_bindings.json_text import parse, write
from lua_bindings.runtime import LuaSyntaxError, Runtime, compile_text

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_json_is_read_back(value: object, formatted: bool) -> None:
    text = write(value, formatted=formatted)
    assert parse(text) == value == json.loads(text)


@given(st.text(max_size=60))
def test_any_text_is_json_or_refused(text: str) -> None:
    try:
        parse(text)
    except ValueError:
        pass


@pytest.mark.parametrize("text", ["[" * 5000, '{"a":' * 5000, "NaN", "[Infinity]", "", "{"])
def test_bad_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


@given(st.text(alphabet="ab';\"-/*\n ", max_size=60))
def test_statements_lose_nothing(sql: str) -> None:
    assert "".join(statements(sql)).strip() == sql.strip() or not sql.strip("; \n")


def test_a_trigger_is_one_statement() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; DELETE FROM c; END;"
    assert list(statements(f"SELECT ';';{trigger} SELECT 2")) == ["SELECT ';';", trigger, " SELECT 2"]


@given(st.binary(max_size=80))
def test_blanking_empty_statements_keeps_length_and_lines(code: bytes) -> None:
    bare = without_empty_statements(code)
    assert len(bare) == len(code)
    assert bare.count(b"\n") == code.count(b"\n")


@pytest.mark.parametrize(
    "code",
    [
        b"local x = 1;; return x",
        b"; return 1",
        b"if true then ; end return ';;' .. [[;;]] -- ;;",
        b"return (function(a) ; return a;; end)({ 1; 2 })",
        b"do ; end ::label:: ; return 1",
    ],
)
def test_empty_statements_compile(code: bytes) -> None:
    runtime = Runtime()
    assert compile_text(runtime, code, b"@x")
    with pytest.raises(LuaSyntaxError, match="expected near"):
        compile_text(runtime, b"local = ;; 1", b"@x")


def test_what_does_not_connect(tmp_path: Path) -> None:
    folder = tmp_path
    for name in ("", "core:x", "odbc://nosuch", "sqlite:///nonexistent/folder/x.db", "sqlite://"):
        with pytest.raises(DatabaseError):
            connect(name, folder)
    database = connect("named", folder)
    database.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1.5)")
    assert database.changed == 1
    rows: list[object] = []

    def take(names: Sequence[bytes], values: Sequence[bytes | None]) -> bool:
        rows.append((names, values))
        return True

    database.execute("SELECT a, NULL AS b FROM t", take)
    assert rows == [([b"a", b"b"], [b"1.5", None])]
    database.close()
    assert (folder / "named.db").exists()
