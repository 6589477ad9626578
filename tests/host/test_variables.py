from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.variables import Variables


def test_names_ignore_case_and_keep_their_spelling() -> None:
    variables = Variables([("Colour", "green"), ("Shape", "round")])
    assert variables.get("COLOUR") == "green"
    assert "colour" in variables
    variables.set("COLOUR", "red")
    assert variables.items() == (("Shape", "round"), ("COLOUR", "red"))
    assert list(variables) == ["Shape", "COLOUR"]
    assert len(variables) == 2


def test_only_ascii_letters_have_case() -> None:
    variables = Variables([("Größe", "1"), ("GRÖSSE", "2")])
    assert variables.get("größe") == "1"
    assert variables.get("GRöSSE") is None


@pytest.mark.parametrize("nothing", [None, ""])
def test_setting_nothing_removes(nothing: str | None) -> None:
    variables = Variables([("a", "1")])
    variables.set("A", nothing)
    assert variables.get("a") is None
    assert not variables.unset("a")


def test_values_stay_as_they_are() -> None:
    variables = Variables()
    for value in ("  a b  ", "a\nb", "äö€\udcff", "${x}", "_undef_", "x" * 5000):
        variables.set("v", value)
        assert variables.get("v") == value
    variables.set("", "x")
    assert len(variables) == 1


def test_push_and_unshift() -> None:
    variables = Variables()
    variables.push("list", "one")
    assert variables.get("list") == "one"
    variables.push("LIST", "two")
    assert variables.get("list") == "ARRAY::one|:two"
    variables.unshift("list", "zero")
    assert variables.get("list") == "ARRAY::zero|:one|:two"
    assert [variables.get("list", n) for n in range(-1, 4)] == [
        "ARRAY::zero|:one|:two",
        "zero",
        "one",
        "two",
        None,
    ]
    assert variables.elements("list") == ["zero", "one", "two"]
    assert variables.items() == (("list", "ARRAY::zero|:one|:two"),)
    assert [variables.pop("list") for _ in range(4)] == ["two", "one", "zero", None]
    assert "list" not in variables


def test_push_onto_a_plain_text() -> None:
    variables = Variables([("a", "x"), ("b", "y")])
    assert variables.get("a", 0) is None
    variables.push("a", "z")
    assert variables.get("a", 0) == "x"
    assert [name for name, _ in variables.items()] == ["a", "b"]
    variables.push("a", "")
    assert "a" not in variables


def test_array_texts() -> None:
    variables = Variables([("a", "ARRAY::x|:|:z"), ("b", "ARRAY::x"), ("c", "ARRAY::|:|:x")])
    assert variables.get("a") == "ARRAY::x|:|:z"
    assert variables.elements("a") == ["x", "", "z"]
    assert (variables.get("b"), variables.get("b", 0)) == ("x", "x")
    assert variables.elements("c") == ["x"]
    variables.set("b", "ARRAY::")
    assert variables.get("b") is None


def test_indexed_names() -> None:
    variables = Variables()
    variables.set("l[2]", "two")
    assert variables.get("l") == "ARRAY::|:|:two"
    variables.set("l[0]", "zero")
    assert variables.get("l", 0) == "zero"
    assert variables.get("l") == "ARRAY::|:|:two", "the text follows at the next growth only"
    variables.set("L[3]", "three")
    assert variables.get("l") == "ARRAY::zero|:|:two|:three"
    assert variables.get("l[1]") is None
    for name in ("l[-1]", "l[4001]", "m[99999]", "[0]"):
        variables.set(name, "x")
    assert len(variables) == 1
    variables.set("p", "plain")
    variables.set("p[1]", "b")
    assert variables.get("p") == "ARRAY::|:b"


def test_generation_tells_of_every_change() -> None:
    variables = Variables()
    seen = [variables.generation]
    for change in (
        lambda: variables.set("a", "1"),
        lambda: variables.set("a", "2"),
        lambda: variables.push("a", "3"),
        lambda: variables.unshift("a", "3"),
        lambda: variables.set("a[1]", "x"),
        lambda: variables.pop("a"),
        lambda: variables.unset("a"),
        variables.clear,
    ):
        change()
        seen.append(variables.generation)
    assert len(set(seen)) == len(seen)
    before = variables.generation
    variables.get("a")
    variables.unset("a")
    variables.pop("a")
    assert variables.generation == before


def test_copy_stands_alone() -> None:
    variables = Variables([("a", "ARRAY::1|:2"), ("b", "x")])
    twin = variables.copy()
    twin.push("a", "3")
    twin.unset("b")
    assert variables.items() == (("a", "ARRAY::1|:2"), ("b", "x"))
    assert twin.items() == (("a", "ARRAY::1|:2|:3"),)


def test_readers_never_miss_a_variable_that_is_set_again() -> None:
    variables = Variables([("a", "0")])
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            variables.set("a", str(number))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert all(variables.get("a") is not None and len(variables.items()) == 1 for _ in range(20_000))
    finally:
        stop.set()
        thread.join()


NAMES = st.sampled_from(["a", "A", "b", "a[0]", "b[2]", "a[x", "[", ""])
VALUES = st.one_of(st.none(), st.text(st.sampled_from("x|:AR "), max_size=6), st.just("ARRAY::x|:y"))


@given(
    st.lists(
        st.tuples(st.sampled_from(["set", "push", "unshift", "pop", "unset"]), NAMES, VALUES), max_size=20
    )
)
def test_any_sequence_keeps_items_and_get_together(calls: list[tuple[str, str, str | None]]) -> None:
    variables = Variables()
    for method, name, value in calls:
        if method in ("pop", "unset"):
            getattr(variables, method)(name)
        else:
            getattr(variables, method)(name, value)
        for stored, text in variables.items():
            assert variables.get(stored) == text
            assert variables.elements(stored)
    assert variables.copy().items() == variables.items()


def test_variables_are_found_by_the_beginning_of_their_names() -> None:
    variables = Variables(
        [("Execute_On_Answer_2", "b"), ("x_execute_on_answer", "no"), ("execute_on_answer", "a")]
    )
    assert variables.beginning("execute_on_answer") == [
        ("Execute_On_Answer_2", "b"),
        ("execute_on_answer", "a"),
    ]
    assert variables.beginning("api_on_answer") == []
    variables.set("Execute_On_Answer_2", "c")
    assert [value for _, value in variables.beginning("execute_on_")] == ["a", "c"]
