from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from posixpath import normpath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.log import LogLevel
from host.xml_preprocess import MAX_FILES, ConfigFiles, ExpandedXml, XmlConfigError, preprocess_file


class Globals(dict[str, str]):
    def set(self, name: str, value: str, /) -> None:
        self[name] = value


def in_memory(tree: Mapping[str, str], environment: Mapping[str, str] | None = None) -> ConfigFiles:
    def read(path: str) -> str:
        if normpath(path) not in tree:
            raise FileNotFoundError(2, "No such file or directory", path)
        return tree[normpath(path)]

    def find(pattern: str) -> list[str]:
        return sorted(path for path in tree if fnmatchcase(path, normpath(pattern)))

    def run(command: str) -> tuple[str, int]:
        return (f"<{command}/>", 0) if command != "fail" else ("half", 1)

    return ConfigFiles(read, find, run, environment or {})


def expand(text: str, globals_: Globals | None = None, **files: str) -> ExpandedXml:
    tree = {
        "/conf/root.xml": text,
        **{f"/conf/{name.replace('__', '/')}.xml": body for name, body in files.items()},
    }
    environment = {"HOME": "/root"}
    return preprocess_file(
        "/conf/root.xml", in_memory(tree, environment), globals_ if globals_ is not None else Globals()
    )


def set_(data: str) -> str:
    return f'<X-PRE-PROCESS cmd="set" data="{data}"/>\n'


def test_set_and_variables_at_load_time() -> None:
    variables = Globals(given="1")
    out = expand("$${given}\n" + set_("a  =  $${given}2") + "x$${a}y$${no}z $${a} ${a} $$ {\n", variables)
    assert out.text == "1\nx12yz 12 ${a} $$ {\n"
    assert variables == {"given": "1", "a": "12"}


def test_a_value_is_not_expanded_again() -> None:
    assert expand("$${a}\n", Globals(a="$${b}", b="no")).text == "$${b}\n"


def test_an_unterminated_variable_stays() -> None:
    out = expand("a $${b $${c} d\n", Globals(c="C"))
    assert out.text == "a $${b C d\n"
    assert "unterminated" in out.warnings[0].text


def test_set_without_a_value_does_nothing() -> None:
    variables = Globals()
    expand(set_("lonely"), variables)
    assert variables == {}


def test_include_is_relative_to_the_file_it_stands_in() -> None:
    out = expand(
        '<a>\n  <X-PRE-PROCESS cmd="include" data="sub/*.xml"/>\n</a>\n',
        sub__one='<include>\n<one/>\n<x-pre-process CMD = "include" DATA = "../two.xml"/>\n</include>\n',
        sub__three='<?xml version="1.0"?>\n<three/>\n',
        two="<two/>\n",
    )
    assert out.text == "<a>\n<one/>\n<two/>\n<three/>\n</a>\n"
    assert out.origin(1) == ("/conf/root.xml", 1)
    assert out.origin(3)[1] == 1 and out.origin(3)[0].endswith("two.xml")
    assert out.origin(4) == ("/conf/sub/three.xml", 2)
    assert out.origin(5) == ("/conf/root.xml", 3)
    assert out.origin(99) == ("/conf/root.xml", 3)


def test_an_include_that_finds_nothing_is_told_and_no_error() -> None:
    out = expand('<X-PRE-PROCESS cmd="include" data="none/*.xml"/>\n<a/>\n')
    assert out.text == "<a/>\n"
    assert out.warnings[0].level is LogLevel.INFO
    assert out.warnings[0].text == "No files to include at /conf/none/*.xml"


def test_directives_in_comments_are_carried_out() -> None:
    variables = Globals()
    expand("<!-- " + set_("a=1").strip() + " -->\n", variables)
    assert variables == {"a": "1"}


def test_comment_directives() -> None:
    variables = Globals()
    out = expand(
        'a<!--#set "x=1"-->b\n<!--#include two.xml-->\n<!--#comment\n <b/>\n'
        + set_("y=1")
        + "-->rest\n<!-- kept -->\n",
        variables,
        two="<two/>\n",
    )
    assert out.text == "ab\n\n<two/>\nrest\n<!-- kept -->\n"
    assert variables == {"x": "1"}


def test_what_is_no_directive() -> None:
    out = expand('<X-NO-PRE-PROCESS cmd="include" data="two.xml"/>\n</X-PRE-PROCESS>\n', two="<two/>\n")
    assert out.text == '<X-NO-PRE-PROCESS cmd="include" data="two.xml"/>\n'


def test_exec_and_exec_set_and_env_set_and_stun_set() -> None:
    variables = Globals()
    out = expand(
        '<X-PRE-PROCESS cmd="exec" data="date"/>\n'
        '<X-PRE-PROCESS cmd="exec-set" data="now = date"/>\n'
        '<X-PRE-PROCESS cmd="exec-set" data="bad=fail"/>\n'
        '<X-PRE-PROCESS cmd="env-set" data="home=$HOME"/>\n'
        '<X-PRE-PROCESS cmd="env-set" data="none=$NONE"/>\n'
        '<X-PRE-PROCESS cmd="stun-set" data="ip=stun:stun.example"/>\n'
        '<X-PRE-PROCESS cmd="dance" data="x"/>\n'
        '<X-PRE-PROCESS cmd="set"/>\n',
        variables,
    )
    assert out.text == "<date/>"
    assert variables == {"now": "<date/>", "home": "/root"}
    assert [warning.line for warning in out.warnings] == [3, 6, 7, 8]


def test_the_text_after_included_text_keeps_its_lines() -> None:
    out = expand('<X-PRE-PROCESS cmd="exec" data="a"/>\n<b/>\n<c/>\n')
    assert out.text == "<a/><b/>\n<c/>\n"
    assert out.origin(1) == ("/conf/root.xml", 1)
    assert out.origin(2) == ("/conf/root.xml", 3)


def test_a_dropped_line_with_something_on_it_is_told() -> None:
    out = expand("<include><lost/></include>\n<include>\n<?xml version='1.0'?>\n<include><!-- fine -->\n")
    assert out.text == ""
    assert [warning.line for warning in out.warnings] == [1]


def test_the_root_file_must_be_there() -> None:
    with pytest.raises(XmlConfigError) as caught:
        preprocess_file("/none.xml", in_memory({}), Globals())
    assert (caught.value.file, caught.value.line) == ("/none.xml", 0)
    assert caught.value.text == "Couldn't open /none.xml (No such file or directory)"


def test_a_file_that_includes_itself_ends_at_the_depth() -> None:
    out = expand('<a/>\n<X-PRE-PROCESS cmd="include" data="root.xml"/>\n')
    assert out.text.count("<a/>") == 101
    assert "Maximum recursion limit" in out.warnings[-1].text


def test_a_file_that_includes_itself_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.xml_preprocess.MAX_FILES", 500)
    with pytest.raises(XmlConfigError, match="files are included"):
        expand('<X-PRE-PROCESS cmd="include" data="root.xml"/>\n' * 2)
    assert MAX_FILES > 500


def test_values_and_texts_that_double_are_refused() -> None:
    with pytest.raises(XmlConfigError, match="is longer than"):
        expand(set_("a=" + "x" * 1000) + set_("a=$${a}$${a}") * 40)
    with pytest.raises(XmlConfigError, match="expands to more"):
        expand("$${a}" * 300, Globals(a="x" * (1 << 20)))


_DIRECTIVES = (
    *(
        "<X-PRE-PROCESS ",
        'cmd="set" ',
        'cmd="include" ',
        'cmd="exec" ',
        'cmd="env-set" ',
        'data="a=',
        'data="',
        '"/>',
    ),
    *("<!--#set ", "<!--#include ", "-->", "<include>", "</include>", "<?"),
)
_REST = (
    *("root.xml", "*.xml", "two.xml", "$${a}", "$${", "}", "{", "/>", "a=b", '"', " ", "=", "$HOME", "x"),
    *("\n", "\r\n", "\x85", "\u2028"),
)
_PIECES = st.sampled_from(_DIRECTIVES) | st.sampled_from(_REST)


@settings(max_examples=150, deadline=None)
@given(st.lists(_PIECES, max_size=30).map("".join), st.lists(_PIECES, max_size=30).map("".join))
def test_any_text_expands_or_raises_the_declared_error(root: str, two: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("host.xml_preprocess.MAX_FILES", 300)
        try:
            out = expand(root, two=two)
        except XmlConfigError:
            return
    assert len(out.origins) == out.text.count("\n") + (bool(out.text) and not out.text.endswith("\n"))
