"""The rocks cjson, cjson.safe, dkjson and json: texts and errors as the real ones write them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.switch import Switch
from lua_bindings.runtime import Runtime
from lua_bindings.script_run import Limits, ScriptRun
from tests.lua_bindings.scripted import MOST, SHOW, ran, text_of

ENCODED = {
    "{}": "{}",
    "{1,2,nil,4}": "[1,2,null,4]",
    "{a={1,{b=true}}}": '{"a":[1,{"b":true}]}',
    "{[0]=1}": '{"0":1}',
    "{[5]=1}": "[null,null,null,null,1]",
    "{[1.5]=1}": '{"1.5":1}',
    '"a/b\\"\\\\\\n\\t\\1\\127\\195\\169"': '"a\\/b\\"\\\\\\n\\t\\u0001\\u007fé"',
    "1.1": "1.1",
    "12345678901234567890.0": "1.2345678901235e+19",
    "cjson.null": "null",
    "nil": "null",
    "{a=cjson.empty_array}": '{"a":[]}',
    "setmetatable({}, cjson.array_mt)": "[]",
    "setmetatable({1,nil,2,x=1}, cjson.array_mt)": "[1,null,2]",
    "setmetatable({}, cjson.empty_array_mt)": "[]",
    "setmetatable({a=1}, cjson.empty_array_mt)": '{"a":1}',
}


@pytest.mark.parametrize("version", MOST)
@pytest.mark.parametrize("value", ENCODED)
def test_cjson_encodes(switch: Switch, value: str, version: str) -> None:
    assert (
        text_of(switch, f"cjson = require('cjson') stream:write(cjson.encode({value}))", version)
        == (ENCODED[value])
    )


REFUSED = {
    "encode(print)": "Cannot serialise function: type not supported",
    "encode({[1]=1,[100]=2})": "Cannot serialise table: excessively sparse array",
    "encode({[true]=1})": "Cannot serialise boolean: table key must be a number or string",
    "encode(0/0)": "Cannot serialise number: must not be NaN or Infinity",
    "encode(loop)": "Cannot serialise, excessive nesting (1001)",
    "encode()": "bad argument #1 to 'encode' (expected 1 argument)",
    "decode('')": "Expected value but found T_END at character 1",
    "decode('{')": "Expected object key string but found T_END at character 2",
    "decode('[1')": "Expected comma or array end but found T_END at character 3",
    "decode('[1,]')": "Expected value but found T_ARR_END at character 4",
    "decode('{\"a\"}')": "Expected colon but found T_OBJ_END at character 5",
    'decode(\'{"a":1 "b"}\')': "Expected comma or object end but found T_STRING at character 8",
    "decode('tru')": "Expected value but found invalid token at character 1",
    "decode('true x')": "Expected the end but found invalid token at character 6",
    "decode('-')": "Expected value but found invalid number at character 1",
    "decode('\"abc')": "Expected value but found unexpected end of string at character 5",
    "decode('\"\\\\u12\"')": "Expected value but found invalid unicode escape code at character 2",
    "decode('\"\\\\ud800\"')": "Expected value but found invalid unicode escape code at character 2",
    "decode('\"\\\\x\"')": "Expected value but found invalid escape code at character 2",
    "decode(('['):rep(1001))": "Found too many nested data structures (1001) at character 1001",
    "decode(nil)": "bad argument #1 to 'decode' (string expected, got nil)",
    "encode_max_depth(0)": "bad argument #1 to 'encode_max_depth' (expected integer between 1 and 2147483647)",
    "encode_keep_buffer('maybe')": "bad argument #1 to 'encode_keep_buffer' (invalid option 'maybe')",
    "encode_max_depth(1, 2)": "bad argument #2 to 'encode_max_depth' (found too many arguments)",
}


@pytest.mark.parametrize("version", MOST)
@pytest.mark.parametrize("call", REFUSED)
def test_cjson_refuses_where_the_script_stands(switch: Switch, call: str, version: str) -> None:
    code = f"cjson = require('cjson') loop = {{}} loop.a = loop\nlocal x = cjson.{call}"
    done = ran(switch, code, Limits(version=version))
    assert done.result.error == f'[string "line"]:2: {REFUSED[call]}'


@pytest.mark.parametrize("version", MOST)
def test_cjson_decodes(switch: Switch, version: str) -> None:
    code = """
      local cjson = require("cjson")
      local t = cjson.decode('{"a":[1,null,3.5],"b":{"c":"\\\\ud83d\\\\ude00\\\\n"},"d":false}')
      show(#t.a, t.a[2] == cjson.null, t.a[3], t.b.c, t.d, cjson.decode("0x1F"), cjson.decode("-inf"))
    """
    assert text_of(switch, SHOW + code, version) == "3|true|3.5|😀\n|false|31|-inf;"


def test_cjson_options_belong_to_an_instance(switch: Switch) -> None:
    code = """
      local cjson = require("cjson")
      local mine = cjson.new()
      show(mine.encode_sparse_array(true, 3, 5))
      show(#mine.encode({ [1] = 1, [100] = 2 }), (pcall(cjson.encode, { [1] = 1, [100] = 2 })))
      mine.encode_number_precision(3)
      mine.encode_invalid_numbers("null")
      mine.encode_escape_forward_slash(false)
      mine.encode_empty_table_as_object(false)
      mine.decode_array_with_array_mt(true)
      mine.decode_invalid_numbers(false)
      mine.encode_skip_unsupported_value_types(true)
      mine.decode_allow_comment(true)
      show(mine.encode({ math.pi, 0 / 0, "a/b", {}, print }), getmetatable(mine.decode("[]")) == cjson.array_mt)
      show(pcall(mine.decode, "0x10"))
      show(mine.decode("/* c */ [1] // d")[1], mine.null == cjson.null)
      mine.encode_indent("  ")
      show(mine.encode({ { a = 1 } }))
    """
    assert text_of(switch, SHOW + code) == (
        "true|3|5;"
        "15|false;"
        '[3.14,null,"a/b",[]]|true;'
        "false|Expected value but found invalid number at character 1;"
        "1|true;"
        '[\n  {\n    "a": 1\n  }\n];'
    )


def test_cjson_safe_answers_nil_and_the_text(switch: Switch) -> None:
    code = """
      local safe = require("cjson.safe")
      show(safe.decode("{"))
      show(safe.encode(print))
      show(safe.new().decode("]"))
      show(safe.encode({ 1 }), pcall(require("cjson").decode, "{"))
    """
    assert text_of(switch, SHOW + code) == (
        "nil|Expected object key string but found T_END at character 2;"
        "nil|Cannot serialise function: type not supported;"
        "nil|Expected value but found T_ARR_END at character 1;"
        "[1]|false|Expected object key string but found T_END at character 2;"
    )


JSON = st.recursive(
    st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4)
        | st.dictionaries(st.text(max_size=5).map(lambda key: f"k{key}"), inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)


class _Binder:
    """Gives a runtime the rocks and nothing else."""

    def bind(self, class_name: str | None, key: str | bool) -> None:
        return None

    def judge(self, touched: bool, kilobytes: float) -> None:
        return None

    def rock(self, name: str) -> dict[str, object] | None:
        return {} if name in ("cjson", "dkjson", "json") else None

    def report_bug(self, where: str, error: Exception) -> None:
        raise error


@pytest.mark.parametrize("rock", ["cjson", "dkjson", "json"])
@pytest.mark.parametrize("version", MOST)
def test_what_is_decoded_and_encoded_means_the_same(rock: str, version: str) -> None:
    runtime = Runtime(version)
    runtime.binder = _Binder()  # type: ignore[assignment]
    there_and_back = runtime.lua.execute(
        f"local j = require('{rock}') return function(text) return (j.encode((j.decode(text)))) end".encode()
    )

    @given(JSON, st.booleans())
    @settings(max_examples=60, deadline=None)
    def check(value: object, plain: bool) -> None:
        text = json.dumps([value], ensure_ascii=plain).encode("utf-8", "surrogatepass")
        assert json.loads(there_and_back(text).decode("utf-8", "surrogatepass")) == [value]

    check()
    runtime.close()


@given(st.binary(max_size=40))
@settings(max_examples=200, deadline=None)
def test_no_text_confuses_the_decoders(text: bytes) -> None:
    global _RUNTIME
    if _RUNTIME is None:
        _RUNTIME = Runtime()
        _RUNTIME.binder = _Binder()  # type: ignore[assignment]
    decode = _RUNTIME.lua.execute(
        b"local c, d = require('cjson'), require('dkjson') "
        b"return function(t) return pcall(c.decode, t), d.decode(t) end"
    )
    decode(text)


_RUNTIME: Runtime | None = None


@pytest.mark.parametrize("version", MOST)
def test_dkjson(switch: Switch, version: str) -> None:
    code = """
      local json = require("dkjson")
      show(json.encode({ 1, 2, { a = 1 } }), json.encode({}), json.encode(setmetatable({}, { __jsontype = "object" })))
      show(json.encode({ b = 1, a = 2 }, { keyorder = { "a", "b" }, indent = true }))
      show(json.encode({ json.null, n = 2 }), json.encode(0 / 0), json.encode("/\\226\\128\\168"))
      show(pcall(json.encode, { print }))
      show(json.encode(print, { exception = json.encodeexception }))
      show(json.encode(setmetatable({}, { __tojson = function() return "X" end })))
      show(json.decode("[1"))
      show(json.decode("{\\n x}"))
      show(json.decode("null", 1, "none"))
      local t, at = json.decode('// c\\n {"a":[],} tail')
      show(getmetatable(t).__jsontype, getmetatable(t.a).__jsontype, at,
        getmetatable(json.decode("[]", 1, nil, nil)))
      local buffer = {}
      show(json.encode({ 1 }, { buffer = buffer }), table.concat(buffer), json.use_lpeg() == json)
    """
    assert text_of(switch, SHOW + code, version) == (
        '[1,2,{"a":1}]|[]|{};'
        '{\n  "a":2,\n  "b":1\n};'
        '[null,null]|null|"/\\u2028";'
        "false|type 'function' is not supported by JSON.;"
        "\"<type 'function' is not supported by JSON.>\";"
        "X;"
        "nil|3|unterminated array at line 1, column 1;"
        "nil|4|no valid JSON value at line 2, column 2;"
        "none|5;"
        "object|array|16|nil;"
        "true|[1]|true;"
    )


def test_json_of_numbers_keeps_their_kind(switch: Switch) -> None:
    code = "local c = require('cjson') show(c.encode({ 2^53, 1, 1.0, math.maxinteger }), math.type(c.decode('3')))"
    assert text_of(switch, SHOW + code, "5.4") == "[9.007199254741e+15,1,1,9223372036854775807]|integer;"
    assert text_of(switch, SHOW + "show(require('cjson').decode('1e400') == math.huge)", "5.2") == "true;"


def test_the_binder_is_a_script_run() -> None:
    assert all(hasattr(ScriptRun, name) for name in ("bind", "judge", "rock", "report_bug"))


JSON_LUA: dict[str, str] = {
    'json.encode({1, 2, {a = "x\\n\\"\\\\/\\1"}, true, {}})': '[1,2,{"a":"x\\n\\"\\\\/\\u0001"},true,[]]',
    "json.encode(1.5), json.encode(10), json.encode(nil)": "1.5|10|null",
    "json.decode('  [1, 2,]')[2]": "2",
    "json.decode('-25e-1'), json.decode('null'), json.decode('false')": "-2.5|nil|false",
    "json.decode('\"\\\\u00e9\\\\ud83d\\\\ude00\\\\/\\\\b\"')": "é😀/\b",
    "next(json.decode('{\"a\": null}'))": "nil",
    'json.decode(\'{"a": {"b": [0]}}\').a.b[1]': "0",
}


@pytest.mark.parametrize("version", MOST)
@pytest.mark.parametrize("call", JSON_LUA)
def test_json_lua(switch: Switch, call: str, version: str) -> None:
    assert (
        text_of(switch, f"{SHOW} local json = require('json') show({call})", version) == JSON_LUA[call] + ";"
    )


JSON_LUA_REFUSES = {
    "decode('')": "unexpected character '' at line 1 col 1",
    "decode('[1,\\n2 3]')": "expected ']' or ',' at line 2 col 4",
    "decode('{a:1}')": "expected string for key at line 1 col 2",
    "decode('{\"a\" 1}')": "expected ':' after key at line 1 col 6",
    "decode('{\"a\": 1')": "expected '}' or ',' at line 1 col 9",
    "decode('\"x')": "expected closing quote for string at line 1 col 1",
    "decode('\"\\\\x\"')": "invalid escape char 'x' in string at line 1 col 2",
    "decode('\"\\\\u12\"')": "invalid unicode escape in string at line 1 col 2",
    "decode('\"\\n\"')": "control character in string at line 1 col 2",
    "decode('nope')": "invalid literal 'nope' at line 1 col 1",
    "decode('1.2.3')": "invalid number '1.2.3' at line 1 col 1",
    "decode('1 2')": "trailing garbage at line 1 col 3",
    "decode(nil)": "expected argument of type string, got nil",
    "encode(print)": "unexpected type 'function'",
    "encode({1, 2, x = 3})": "invalid table: mixed or invalid key types",
    "encode({1, [3] = 3})": "invalid table: sparse array",
    "encode(1 / 0)": "unexpected number value 'inf'",
    "encode(_G)": "",
}


@pytest.mark.parametrize("call", JSON_LUA_REFUSES)
def test_json_lua_refuses(switch: Switch, call: str) -> None:
    result = ran(switch, f"local json = require('json') json.{call}").result
    assert not result.ok and JSON_LUA_REFUSES[call] in result.error


@given(st.binary(max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_text_confuses_json_lua(text: bytes) -> None:
    global _RUNTIME
    if _RUNTIME is None:
        _RUNTIME = Runtime()
        _RUNTIME.binder = _Binder()  # type: ignore[assignment]
    decode = _RUNTIME.lua.execute(
        b"local json = require('json') return function(t) return pcall(json.decode, t) end"
    )
    decode(text)
