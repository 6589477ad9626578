from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from host.dialplan_hunt import MAX_ACTIONS, HuntResult, find_context, hunt
from host.log import LogLevel
from host.xml_registry import XmlRegistry
from host.xml_text import parse_xml

NOW = datetime(2024, 3, 13, 14, 5, 9, tzinfo=UTC)
CONFORMANCE = Path(__file__).parents[3] / "shared" / "conformance"


class Caller:
    """A channel that knows variables, `${name}`, `${toupper(…)}` and the application `set`."""

    name = "loopback/x-a"

    def __init__(self, destination: str, **variables: str) -> None:
        self.fields = {"destination_number": destination, "context": "default", "caller_id_number": "1000"}
        self.variables = dict(variables)

    def field(self, name: str) -> str | None:
        return self.fields.get(name)

    def expand(self, text: str) -> str:
        while (filled := re.sub(r"\$\{([^${}]*)\}", lambda found: self._value(found[1]), text)) != text:
            text = filled
        return text

    def _value(self, name: str) -> str:
        if name.startswith("toupper("):
            return name[8:-1].upper()
        return self.variables.get(name) or self.fields.get(name) or ""

    def set_variable(self, name: str, value: str | None) -> None:
        self.variables.pop(name, None)
        if value:
            self.variables[name] = value

    def unset_variables(self, prefix: str) -> None:
        for name in [name for name in self.variables if name.startswith(prefix)]:
            del self.variables[name]

    def execute_inline(self, application: str, data: str) -> None:
        self.execute(application, data)

    def execute(self, application: str, data: str) -> None:
        if application == "set":
            name, _, value = self.expand(data).partition("=")
            self.set_variable(name, value)


def run(extensions: str, caller: Caller, *, auto_hunt: bool = False) -> HuntResult:
    return hunt(
        parse_xml(f'<context name="default">{extensions}</context>'), caller, NOW, auto_hunt=auto_hunt
    )


def apps(extensions: str, destination: str = "1000", **variables: str) -> str:
    return " ".join(
        f"{app}:{data}" for app, data in run(extensions, Caller(destination, **variables)).applications
    )


ANSWER = '<action application="answer"/>'


def test_trace_is_worded_like_freeswitchs() -> None:
    result = run(
        '<extension name="no"><condition field="destination_number" expression="^2"/></extension>'
        '<extension name="ext" continue="true"><condition field="destination_number" expression="^1000$">'
        f'{ANSWER}<action application="set" data="a=b" inline="true"/></condition></extension>'
        '<extension><condition><anti-action application="x"/></condition></extension>',
        Caller("1000"),
    )
    assert [line.text for line in result.trace] == [
        "Dialplan: loopback/x-a parsing [default->no] continue=false",
        "Dialplan: loopback/x-a Regex (FAIL) [no] destination_number(1000) =~ /^2/ break=on-false",
        "Dialplan: loopback/x-a parsing [default->ext] continue=true",
        "Dialplan: loopback/x-a Regex (PASS) [ext] destination_number(1000) =~ /^1000$/ break=on-false",
        "Dialplan: loopback/x-a Action answer() ",
        "Dialplan: loopback/x-a Action set(a=b) INLINE",
        "Dialplan: loopback/x-a parsing [default->UNKNOWN] continue=false",
        "Dialplan: loopback/x-a Absolute Condition [UNKNOWN]",
    ]
    assert result.extension == "ext"
    assert result.applications == [("answer", "")]


def test_no_route_and_only_inline_actions() -> None:
    assert run("", Caller("1")).extension is None
    result = run(
        '<extension name="e"><condition><action application="set" data="a=1" inline="1"/></condition></extension>',
        Caller("1"),
    )
    assert result.extension == "e" and result.applications == []


def test_context_or_global() -> None:
    dialplan = parse_xml('<section><context name="Global"/><context name="a"/><context/></section>')
    found = [find_context(dialplan, name) for name in ("A", "b")]
    assert [context.get("name") for context in found if context is not None] == ["a", "Global"]
    assert find_context(parse_xml("<section/>"), "a") is None


def test_auto_hunt_starts_at_the_extension_of_that_name() -> None:
    extensions = "".join(
        f'<extension name="{name}" continue="true"><condition><action application="{name}"/></condition></extension>'
        for name in ("a", "b", "c")
    )
    assert run(extensions, Caller("B"), auto_hunt=True).applications == [("b", ""), ("c", "")]
    assert len(run(extensions, Caller("z"), auto_hunt=True).applications) == 3


def test_captures_and_dp_match() -> None:
    caller = Caller("dp_x_")
    result = run(
        r'<extension name="e"><condition field="destination_number" expression="^dp_(\w)(\w*)_(\d+)?$">'
        '<action application="log" data="0[$0] 1[$1] 2[$2] 3[$3] ${v} $9"/></condition>'
        '<condition field="destination_number" expression="^d"><action application="log" data="$1"/></condition>'
        "</extension>",
        caller,
    )
    assert result.applications == [("log", "0[dp_x_] 1[x] 2[] 3[] ${v} "), ("log", "$1")]
    # An empty group unsets what was captured before it.
    assert "DP_MATCH" not in caller.variables


def test_dp_match_is_an_array() -> None:
    caller = Caller("12")
    run(
        r'<extension name="e"><condition field="destination_number" expression="^(\d)(\d)$"/></extension>',
        caller,
    )
    assert caller.variables["DP_MATCH"] == "ARRAY::12|:1|:2"


def test_regex_all_leaves_the_captures_of_a_plain_field() -> None:
    condition = (
        '<extension name="e"><condition regex="{rule}"><regex field="${{v}}" expression="^y(e)"/>'
        r'<regex field="destination_number" expression="^(\d)"/>'
        '<action application="log" data="[$1]"/><anti-action application="log" data="not $1"/></condition></extension>'
    )
    caller = Caller("12", v="yes", DP_REGEX_MATCH_9="old")
    assert run(condition.format(rule="all"), caller).applications == [("log", "[1]")]
    assert caller.variables["DP_REGEX_MATCH_1"] == "ARRAY::ye|:e"
    assert caller.variables["DP_REGEX_MATCH_2"] == "ARRAY::1|:1"
    assert "DP_REGEX_MATCH_9" not in caller.variables
    assert apps(condition.format(rule="any"), "12", v="yes") == "log:[]"
    assert apps(condition.format(rule="any"), "12") == "log:[1]"
    assert apps(condition.format(rule="xor"), "12", v="yes") == "log:not $1"
    assert apps(condition.format(rule="all"), "12") == "log:not $1"


def test_times_inside_regex() -> None:
    condition = (
        '<extension name="e"><condition regex="all"><regex hour="{hours}"/>'
        '<regex field="destination_number" expression="1"/><action application="open"/>'
        '<anti-action application="closed"/></condition></extension>'
    )
    assert apps(condition.format(hours="9-17")) == "open:"
    assert apps(condition.format(hours="18-8")) == "closed:"


def test_zone_of_the_channel() -> None:
    condition = f'<extension name="e"><condition hour="16">{ANSWER}</condition></extension>'
    assert apps(condition) == ""
    assert apps(condition, tod_tz_offset="2") == "answer:"
    assert apps(condition, timezone="Europe/Helsinki") == "answer:"
    assert apps(condition, tod_tz_offset="x") == ""


def test_nested_conditions() -> None:
    def extension(attributes: str = "") -> str:
        return (
            f'<extension name="e"><condition {attributes}><condition field="${{v}}" expression="^y">'
            '<action application="in"/></condition><action application="out"/></condition>'
            '<condition><action application="last"/></condition></extension>'
        )

    assert apps(extension(), v="y") == "out: in: last:"
    assert apps(extension(), v="n") == "out:"
    assert apps(extension('require-nested="false"'), v="n") == "out: last:"
    assert apps(extension('break="never"'), v="n") == "out: last:"


def test_nested_conditions_trace() -> None:
    trace = run(
        f'<extension name="e"><condition><condition>{ANSWER}</condition></condition></extension>', Caller("1")
    ).trace
    assert [line.text for line in trace][2:] == [
        "|--- Dialplan: Processing recursive conditions level:1 [e_recur_1] require-nested=TRUE",
        "|--- Dialplan: loopback/x-a Absolute Condition [e_recur_1]",
        "|--- Dialplan: loopback/x-a Action answer() ",
    ]


def test_too_deep_nesting_ends() -> None:
    deep = "<condition>" * 150 + ANSWER + "</condition>" * 150
    result = run(f'<extension name="e">{deep}</extension>', Caller("1"))
    assert result.applications == []
    assert result.trace[-1].text == "Recursion LIMIT!"


def test_loop_is_bounded() -> None:
    action = '<extension name="e"><condition><action application="a" loop="{loop}"/></condition></extension>'
    assert apps(action.format(loop="2")) == "a: a:"
    assert apps(action.format(loop="-1")) == apps(action.format(loop="x")) == ""
    assert len(run(action.format(loop="2000000000"), Caller("1")).applications) == MAX_ACTIONS


def test_a_bad_pattern_is_no_match_and_told() -> None:
    result = run(
        '<extension name="e"><condition field="destination_number" expression="(">'
        '<action application="a"/><anti-action application="b"/></condition></extension>',
        Caller("1"),
    )
    assert result.applications == [("b", "")]
    assert [line.text for line in result.trace if line.level is LogLevel.ERR] == [
        "COMPILE ERROR: 1 [missing closing parenthesis][(]"
    ]


def test_trace_is_handed_out_before_inline_actions_run() -> None:
    seen: list[str] = []

    class Noting(Caller):
        def execute_inline(self, application: str, data: str) -> None:
            seen.append(application)

    context = parse_xml(
        '<context><extension name="e"><condition><action application="a" inline="true"/></condition></extension>'
        "</context>"
    )
    hunt(context, Noting("1"), NOW, on_trace=lambda line: seen.append(line.text.rsplit(" ", 2)[1]))
    assert seen[-2:] == ["a()", "a"]


def recorded(name: str) -> Iterator[tuple[str, list[str], str]]:
    for line in (CONFORMANCE / "calls" / f"calls-dialplan-{name}.expected").read_text().splitlines():
        head, _, value = line.partition(": string ")
        words = head.split(" ")
        if words[0].startswith("dp_"):
            yield words[0], words[1:], value


@pytest.mark.skipif(not CONFORMANCE.is_dir(), reason="the recorded cases are not here")
@pytest.mark.parametrize("name", ["break", "fields", "logic"])
def test_recorded_hunts(name: str) -> None:
    class Globals(dict[str, str]):
        def set(self, name: str, value: str, /) -> None:
            self[name] = value

    registry = XmlRegistry(Globals())
    registry.load(CONFORMANCE / "conf" / "freeswitch.xml")
    dialplan = registry.section("dialplan")
    context = find_context(dialplan, "conformance") if dialplan is not None else None
    assert context is not None
    cases = 0
    for destination, words, expected in recorded(name):
        caller = Caller(destination)
        caller.fields["context"] = "conformance"
        for variable, value in zip(("dp_in", "dp_pattern"), words, strict=False):
            caller.set_variable(variable, "" if value == "nil" else value)
        for application, data in hunt(context, caller, NOW).applications:
            caller.execute(application, data)
        assert f"{destination}: {caller.variables.get('dp')}" == f"{destination}: {expected}"
        cases += 1
    assert cases >= 6


_NAMES = ["condition", "regex", "action", "anti-action", "expression"]
_KEYS = ("field", "expression", "regex", "break", "hour", "inline", "loop", "require-nested", "data", "wday")
_VALUES = (
    *("destination_number", "${v}", "all", "any", "xor", "never", "on-true", "always", "^(1)(0*)$", "("),
    *("9-5", "true", "3", "$1 ${2} $", "", "/(/i", "_NX.", "false"),
)
_ATTRIBUTES = st.dictionaries(
    st.sampled_from(_KEYS), st.sampled_from(_VALUES) | st.text(alphabet="(a*)[1]?+$^|\\", max_size=8)
)


def _element(name: str, attributes: dict[str, str], children: list[etree._Element]) -> etree._Element:
    element = etree.Element(name, attributes)
    element.extend(children)
    return element


_TREES = st.recursive(
    st.builds(_element, st.sampled_from(_NAMES), _ATTRIBUTES, st.just([])),
    lambda inner: st.builds(_element, st.sampled_from(_NAMES), _ATTRIBUTES, st.lists(inner, max_size=4)),
    max_leaves=12,
)


@given(st.lists(_TREES, max_size=4), st.sampled_from(["1000", "", "aaaa"]))
def test_any_dialplan_is_hunted_without_an_exception(
    conditions: list[etree._Element], destination: str
) -> None:
    context = _element("context", {}, [_element("extension", {"name": "e"}, conditions)])
    result = hunt(context, Caller(destination, v="(yes"), NOW)
    assert all(isinstance(part, str) for pair in result.applications for part in pair)
