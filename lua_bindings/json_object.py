"""freeswitch.JSON: Lua tables to JSON text and back, with the rules of FreeSWITCH's cJSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

from host.json_api import execute_json
from lua_bindings.host_call import ScriptFault, to_bytes, to_text
from lua_bindings.json_text import JsonValue, parse, write

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun

# FreeSWITCH's stack overflows somewhere beyond; its parser refuses text nested deeper than 1000. Python's own stack
# may end before.
_DEPTH_LIMIT: Final = 1000


class JSON:
    """A converter with its two settings."""

    def __init__(self, run: ScriptRun) -> None:
        self._run = run
        self._empty_as_object = True
        self._unformatted = False

    def encode_empty_table_as_object(self, flag: bool) -> None:
        """Choose `{}` (the default) or `[]` for an empty table."""
        self._empty_as_object = flag

    def return_unformatted_json(self, flag: bool) -> None:
        """Choose one line, or tabs and lines (the default)."""
        self._unformatted = flag

    def decode(self, text: str | None) -> Any:
        """Return a table for JSON text; None for what is no JSON."""
        try:
            return self._table(parse(text or ""))
        except (ValueError, RecursionError):
            return None

    def encode(self, table: Any) -> bytes:
        """Return JSON text for a table. Raises ScriptFault for one nested too deep (FreeSWITCH crashes)."""
        try:
            return to_bytes(write(self._value(table, 0), formatted=not self._unformatted))
        except RecursionError:
            raise _too_deep() from None

    def execute(self, command: Any) -> Any:
        """Run a JSON command given as text or table; return its answer's table, None when there is none."""
        answer = self._answer(command)
        return None if answer is None else self._table(answer)

    def execute2(self, command: Any) -> bytes:
        """Run a JSON command; return its answer as text. Raises ScriptFault when there is none (FreeSWITCH crashes)."""
        answer = self._answer(command)
        if answer is None:
            raise ScriptFault("Error in LUA::JSON::execute2: the command has no answer")
        return to_bytes(write(answer, formatted=not self._unformatted))

    def _answer(self, command: Any) -> JsonValue:
        asked: JsonValue
        if command is None or isinstance(command, str):
            try:
                asked = parse(command or "")
            except ValueError:
                return None
        else:
            try:
                asked = self._value(command, 0)
            except RecursionError:
                raise _too_deep() from None
        if not isinstance(asked, dict):
            return None
        request = cast("dict[str, object]", dict(asked))
        execute_json(self._run.switch, request)
        answer = request.get("response")
        return json.loads(json.dumps(answer)) if answer is not None else None

    def _table(self, value: JsonValue) -> Any:
        made: dict[Any, Any] = {}
        if isinstance(value, dict):
            for key, item in value.items():
                converted = self._item(item)
                if converted is not None:
                    made[to_bytes(key)] = converted
        elif isinstance(value, list):
            for item in value:
                converted = None if isinstance(item, list) else self._item(item)
                if converted is not None:
                    made[len(made) + 1] = converted
        return self._run.runtime.lua.table_from(made)

    def _item(self, item: JsonValue) -> Any:
        if isinstance(item, dict | list):
            return self._table(item)
        return to_bytes(item) if isinstance(item, str) else item

    def _value(self, table: Any, depth: int) -> JsonValue:
        if depth > _DEPTH_LIMIT:
            raise _too_deep()
        members: list[tuple[str | None, JsonValue]] = []
        is_list: bool | None = None
        for key, item in table.items():
            if is_list is None:
                is_list = _is_one(key)
            converted = self._member(item, depth)
            if converted is not _SKIPPED:
                members.append((_key(key), converted))
        if is_list is None:
            return {} if self._empty_as_object else []
        if is_list:
            return [item for _, item in members]
        return Members((key, item) for key, item in members if key is not None)

    def _member(self, item: Any, depth: int) -> Any:
        if isinstance(item, bytes):
            return to_text(item)
        if isinstance(item, bool | int | float):
            return item
        kind = self._run.runtime.kind_of(item)
        return self._value(item, depth + 1) if kind == "table" else _SKIPPED


class Members(dict[str, Any]):
    """An object's members in order, with names that may come twice (as `1` and `"1"` do)."""

    def __init__(self, pairs: Any) -> None:
        self.pairs = list(pairs)
        super().__init__(self.pairs)

    def items(self) -> Any:
        """Return all pairs."""
        return self.pairs


_SKIPPED: Final = object()


def _too_deep() -> ScriptFault:
    return ScriptFault(f"Error in LUA::JSON::encode: tables nested deeper than {_DEPTH_LIMIT}")


def _is_one(key: Any) -> bool:
    if isinstance(key, bool):
        return False
    if isinstance(key, bytes):
        try:
            return float(key) == 1
        except ValueError:
            return False
    return isinstance(key, int | float) and key == 1


def _key(key: Any) -> str | None:
    if isinstance(key, bytes):
        return to_text(key)
    if isinstance(key, bool) or not isinstance(key, int | float):
        return None
    return f"{key:.14g}"
