"""Which grammar a script means."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.modules.mod_pocketsphinx.grammar import NoGrammar, find_grammar
from host.variables import Variables

YES_NO = "#JSGF V1.0;\ngrammar yes_no;\npublic <yes_no> = yes | no;\n"


@pytest.fixture
def folders(tmp_path: Path) -> Variables:
    (tmp_path / "yes_no.gram").write_text(YES_NO)
    variables = Variables()
    variables.set("grammar_dir", str(tmp_path))
    return variables


def test_files(folders: Variables, tmp_path: Path) -> None:
    for name in ("yes_no", f"{tmp_path}/yes_no", f"{tmp_path}/yes_no.gram"):
        found = find_grammar(name, folders)
        assert (found.name, found.text) == (name, YES_NO)


def test_text_and_what_is_built_in(folders: Variables) -> None:
    assert find_grammar(f"  {YES_NO}", folders).name == "yes_no"
    assert find_grammar("#JSGF V1.0; grammar one; public <a> = b;", folders).name == "one"
    assert "public <boolean> = yes | no;" in find_grammar("builtin:boolean", folders).text
    assert "public <boolean> = yes | no;" in find_grammar("builtin:grammar/boolean", folders).text
    one = "(zero | oh | one | two | three | four | five | six | seven | eight | nine)"
    assert f"<digits> = {one}+;" in find_grammar("builtin:digits", folders).text
    assert f"<digits> = {one} {one};" in find_grammar("builtin:digits?length=2", folders).text
    bounded = find_grammar("builtin:grammar/digits?minlength=1;maxlength=3", folders).text
    assert f"<digits> = {one} [{one} [{one}]];" in bounded


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("nothing", r"Can't open grammar file .*/nothing\.gram\."),
        ("/no/such", r"Can't open grammar file /no/such\.gram\."),
        ("", "none is named"),
        ("a\0b", "none is named"),
        ("builtin:date", "only boolean and digits"),
        ("builtin:digits?length=x", "is no number"),
        ("builtin:digits?length=0", "1 to 40 digits"),
        ("builtin:digits?minlength=5;maxlength=4", "1 to 40 digits"),
        ("builtin:digits?length=41", "1 to 40 digits"),
    ],
)
def test_what_is_no_grammar(folders: Variables, wanted: str, why: str) -> None:
    with pytest.raises(NoGrammar, match=why):
        find_grammar(wanted, folders)


@given(st.text(max_size=40) | st.text(max_size=20).map("builtin:digits?".__add__))
def test_whatever_is_wanted(text: str) -> None:
    folders = Variables()
    folders.set("grammar_dir", "/no/such/folder")
    try:
        assert find_grammar(text, folders).text.startswith("#JSGF")
    except NoGrammar:
        pass
