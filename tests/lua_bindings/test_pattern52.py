"""Patterns with zero octets: in LuaJIT and Lua 5.1 they mean what they mean in Lua 5.2."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.switch import Switch
from tests.lua_bindings.scripted import text_of

OLD = ("luajit", "5.1")

SHOW = r"""
  local function show(...)
    local t = {}
    for i = 1, select("#", ...) do
      t[i] = (tostring((select(i, ...))):gsub("%c", function(c) return ("<%d>"):format(c:byte()) end))
    end
    stream:write(table.concat(t, "|") .. ";")
  end
"""

GIVES = {
    r"""("a\0c"):find('[\0-\31"\\\127]')""": "2|2",
    r"""("abc"):find('[\0-\31"\\\127]')""": "nil",
    r"""("a\1c"):gsub('[\0-\31]', {["\1"] = "-"})""": "a-c|1",
    r"""("a\0c"):gsub("[^\0]", "x")""": "x<0>x|2",
    r"""("a\0c"):gsub("\0", "%%0")""": "a%0c|1",
    r"""("a\0\0b"):match("\0+b")""": "<0><0>b",
    r"""("key\0val"):match("^(.-)\0(.*)$")""": "key|val",
    r"""("a1\0b"):match("%d%\0")""": "1<0>",
    r"""("a]\0"):match("[]\0]+")""": "]<0>",
    r"""("a\0b"):find("\0", 1, true)""": "2|2",
    r"""("a\0b"):find("\0", 3)""": "nil",
    r"""("a\0b\0"):gmatch("%a\0")()""": "a<0>",
    r"""("\0"):match("[a-\0\0-\0]")""": "<0>",
    r"""(""):find(")\0")""": "nil",
    r"""("a)\0"):find(")\0")""": "2|3",
    r"""("a)\0"):find(")\0", 3)""": "nil",
    r"""select(2, pcall(string.find, "a", "[\0")):match("malformed.*")""": "malformed pattern (missing ']')",
}


@pytest.mark.parametrize("version", (*OLD, "5.2"))
@pytest.mark.parametrize("call", GIVES)
def test_calls(switch: Switch, call: str, version: str) -> None:
    assert text_of(switch, f"{SHOW} show({call})", version) == GIVES[call] + ";"


def test_a_json_encoder_of_the_field(switch: Switch, tmp_path: Path) -> None:
    """It asks for Lua's version and then takes a pattern with a range from zero on."""
    code = r"""
      local pattern = _VERSION == "Lua 5.1" and '[^ -!#-[%]^-\255]' or '[\0-\31"\\]'
      show((('say "hi"\n'):gsub(pattern, { ['"'] = '\\"', ["\n"] = "\\n" })))
    """
    assert text_of(switch, SHOW + code) == 'say \\"hi\\"\\n;'


def test_any_pattern_means_the_same(switch: Switch) -> None:
    pieces = st.sampled_from(
        ["\\0", "a", "b", "[", "]", "^", "-", "%a", "%z", "%%", ".", "*", "(", ")", "\\1", "+"]
    )

    @given(
        st.lists(pieces, max_size=8),
        st.lists(st.sampled_from(["\\0", "a", "b", "]", "\\1", "-"]), max_size=6),
    )
    @settings(max_examples=150, deadline=None)
    def check(pattern: list[str], subject: list[str]) -> None:
        code = f"""
          local p, s = "{"".join(pattern)}", "{"".join(subject)}"
          local found = {{ pcall(string.find, s, p) }}
          local replaced = {{ pcall(string.gsub, s, p, "<%0>") }}
          show(found[1], found[1] and found[2], found[1] and found[3], replaced[1], replaced[1] and replaced[2])
        """
        assert text_of(switch, SHOW + code) == text_of(switch, SHOW + code, "5.2"), (pattern, subject)

    check()
