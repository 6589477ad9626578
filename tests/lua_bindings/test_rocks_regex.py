"""The rock rex_pcre: what lrexlib's functions give for PCRE patterns."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.switch import Switch
from lua_bindings.script_run import Limits
from tests.lua_bindings.scripted import MOST, SHOW, ran, text_of

REX = 'local rex = require("rex_pcre")' + SHOW

GIVES = {
    r'rex.match("tel 0049 30", "\\d+ (\\d+)")': "30",
    r'rex.match("0049", "\\d{2}")': "00",
    r'rex.match("0049", "(0)|(4)")': "0|false",
    r'rex.match("abc", "(?<=b)c")': "c",
    r'rex.match("abc", "x")': "nil",
    r'rex.match("ABC", "b", 1, "i")': "B",
    r'rex.match("ABC", "b", 1, rex.flags().CASELESS)': "B",
    r'rex.match("abc", "b", 1, rex.flags().ANCHORED)': "nil",
    r'rex.match("abcb", "b", -1)': "b",
    r'rex.match("abc", "$", 9)': "nil",
    r'rex.find("hello", "l(l)(x)?")': "3|4|l|false",
    r'rex.find("\195\164b", ".b", 1, rex.flags().UTF8)': "1|3",
    r'rex.count("banana", "an")': "2",
    r'rex.count("abc", "x*")': "4",
    r'rex.gsub("+49 (30) 12", "[^\\d]", "")': "493012|5|5",
    r'rex.gsub("ab", "(a)(b)", "%2%1%0%%")': "baab%|1|1",
    r'rex.gsub("a b c", "\\w", {a = 1, c = false})': "1 b c|3|1",
    r'rex.gsub("aaa", "a", function(x) return x .. "." end, 2)': "a.a.a|2|2",
    r'rex.gsub("abc", "", "-")': "-a-b-c-|4|4",
    r'rex.new("(a)(x)?"):match("ba")': "a|false",
    r'rex.new("a"):find("ba", 2)': "2|2",
    r'rex.new("(a)|(b)"):tfind("b")': "1|1|",
    r'rex.new("[a-z]+"):match("12ab")': "ab",
}


@pytest.mark.parametrize("version", MOST)
@pytest.mark.parametrize("call", GIVES)
def test_calls(switch: Switch, call: str, version: str) -> None:
    shown = text_of(switch, f"{REX} show({call})", version)
    assert shown.startswith(GIVES[call]) and shown.endswith(";")
    assert not GIVES[call] or GIVES[call].endswith("|") or shown == GIVES[call] + ";"


@pytest.mark.parametrize("version", MOST)
def test_loops(switch: Switch, version: str) -> None:
    code = r"""
      for key, value in rex.gmatch("a=1,b=2", "(\\w)=(\\w)") do show(key, value) end
      for word in rex.gmatch("x yy", "\\w+") do show(word) end
      for section, mark in rex.split("a, b;c", "([,;])\\s*") do show(section, mark) end
      local _, _, places = rex.new("(a)(x)?"):exec("ba")
      show(places[1], places[2], places[3], places[4])
    """
    assert text_of(switch, REX + code, version) == "a|1;b|2;x;yy;a|,;b|;;c|nil;2|2|false|false;"


REFUSED = {
    'rex.new("(")': "missing closing parenthesis (pattern offset: 2)",
    'rex.new("a", "q")': "bad argument #3 to 'new' (invalid flag)",
    "rex.match(nil, 'a')": "bad argument #1 to 'match' (string expected, got nil)",
    "rex.gsub('a', 'a', true)": "bad argument #3 to 'gsub' (string, table or function expected, got boolean)",
    "rex.gsub('a', 'a', '%2')": "invalid capture index",
    "rex.gsub('a', 'a', function() return {} end)": "invalid replacement value (a table)",
    "rex.match(('a'):rep(40), '^(a+)+$' .. ('x'):rep(2))": None,
    "rex.match(('a'):rep(40) .. 'b', '^(a+)+$')": "error PCRE_ERROR_MATCHLIMIT",
}


@pytest.mark.parametrize("call", REFUSED)
def test_refusals(switch: Switch, call: str) -> None:
    result = ran(switch, f"{REX} {call}", Limits()).result
    wanted = REFUSED[call]
    assert result.ok if wanted is None else wanted in result.error


def test_gsub_replaces_what_python_would(switch: Switch) -> None:
    @given(st.binary(max_size=40), st.sampled_from([b"[a-f]+", b"(.)\\1", b"^.", b"\\x00|\\xff"]))
    @settings(max_examples=60, deadline=None)
    def check(subject: bytes, pattern: bytes) -> None:
        quoted = "".join(f"\\{octet:03d}" for octet in subject)
        code = f"""
          local made = rex.gsub("{quoted}", [[{pattern.decode()}]], "<%0>")
          stream:write((made:gsub(".", function(octet) return ("%02x"):format(octet:byte()) end)))
        """
        wanted = re.sub(pattern, lambda found: b"<" + found[0] + b">", subject)
        assert bytes.fromhex(text_of(switch, REX + code)) == wanted

    check()
