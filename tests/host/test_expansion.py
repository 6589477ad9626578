from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.expansion import MAX_LENGTH, expand, holds_variable
from host.variables import Variables

VARIABLES = Variables(
    [
        ("a", "42"),
        ("w", "abcdefgh"),
        ("name", "w"),
        ("l", "ARRAY::zero|:one|:two"),
        ("ref", "<${a}>"),
        ("self", "${self}"),
        ("two", "${two}${two}"),
        ("wide", "äöü"),
        ("raw", "a\udcffb"),
    ]
)


def api(name: str, arguments: str) -> str | None:
    if name == "echo":
        return arguments
    if name == "eval":
        return channel(arguments)
    return None


def channel(text: str) -> str:
    return expand(text, VARIABLES.get, api=api)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain", "plain"),
        ("${a}", "42"),
        ("$${a}", "42"),
        ("<${A}>${a}", "<42>42"),
        ("x${nosuch}y", "xy"),
        ("${w:2}", "cdefgh"),
        ("${w:2:3}", "cde"),
        ("${w:-3}", "fgh"),
        ("${w:-3:2}", "fg"),
        ("${w:-99}", "abcdefgh"),
        ("${w:0:-2}", "abcdefgh"),
        ("[${w:99}]", "[]"),
        ("${w:x}", "abcdefgh"),
        ("${${name}}", "abcdefgh"),
        ("${${name}:0:2}", "ab"),
        ("${l}", "ARRAY::zero|:one|:two"),
        ("${l[1]}", "one"),
        ("${l[1]:1}", "ne"),
        ("${l[9]}", ""),
        ("${a[0]}", ""),
        ("${ref}", "<42>"),
        ("${wide:2:2}", "ö"),
        ("${wide:1}", "\udca4öü"),
        ("${raw:1}", "\udcffb"),
        ("$a ${a} $$ $", "$a 42 $ $"),
        ("{a} a} ${a", "{a} a} 42"),
        ("\\${a}", "${a}"),
        ("\\$${a}", "${a}"),
        ("\\\\${a}", "\\42"),
        ("a\\$b", "a\\$b"),
        ("it\\'s ${a}", "its 42"),
        ("\\n${a}", "\\n42"),
        ("${a}\\${a}", "42\\42"),
        ("${a}${a}", "4242"),
        ("${echo(x)}", "x"),
        ("${echo x y}", "x y"),
        ("${echo(a(b)c)}!", "a(b)c!"),
        ("${echo a(b)c}", "a(b"),
        ("${echo(${a} ${w:0:1})}", "42 a"),
        ("[${nosuch(x)}]", "[]"),
        ("${eval(${ref})}", "<42>"),
        ("${echo(\\${a})}", "${a}"),
        ("${echo(x)} \\\\ ${echo()}.", "x \\ ."),
    ],
)
def test_channel(text: str, expanded: str) -> None:
    assert channel(text) == expanded


def test_headers_come_before_globals_and_are_taken_as_they_are() -> None:
    header = {"h": "${a}", "both": "header"}
    globals_ = {"g": "<${h}>", "both": "global"}

    def event(text: str) -> str:
        return expand(text, lambda name, index: header.get(name), global_lookup=globals_.get)

    assert event("${h} ${g} ${both} $${both} [${none}]") == "${a} <${a}> header global []"
    assert event("$${h}") == ""
    assert event("${echo(x)}") == ""


def test_holds_variable() -> None:
    assert holds_variable("a${b}")
    assert holds_variable("$\\{b}")
    assert not holds_variable("$b {c} \\$d")


def test_endless_variables_end() -> None:
    assert channel("${self}") == "${self}"
    begin = time.process_time()
    channel("${two}")
    big = Variables([("x", "y" * 100_000), ("many", "${x}" * 1000)])
    assert len(expand("${many}", big.get)) <= MAX_LENGTH + 10_000
    channel("${eval(" * 2000)
    channel("${" * 5000)
    channel("${echo " * 2000 + "}" * 2000)
    assert time.process_time() - begin < 20


def test_an_error_of_a_command_passes_and_leaves_no_trace() -> None:
    def broken(name: str, arguments: str) -> str | None:
        raise RuntimeError(name)

    with pytest.raises(RuntimeError):
        expand("${x(1)}", VARIABLES.get, api=broken)
    assert channel("${a}") == "42"


@settings(deadline=2000)
@given(st.text(st.sampled_from("${}()[]:\\' -19awlname.echov"), max_size=60))
def test_any_text(text: str) -> None:
    assert isinstance(channel(text), str)


@given(st.text(st.characters(exclude_characters="$\\"), max_size=40))
def test_text_without_signs_stays(text: str) -> None:
    assert channel(text) == text
    assert channel(f"{text}${{a}}") == f"{text}42"
