"""JSON-RPC taken apart and put together: whatever comes is answered by the rules, and nothing raises."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.json_members import JsonMembers
from host.modules.mod_verto.json_rpc import (
    INVALID,
    MOST_BYTES,
    MOST_IN_BATCH,
    MOST_LEVELS,
    Invalid,
    Message,
    Request,
    Response,
    RpcError,
    plain_members,
    read_message,
    refusal,
    result,
    text_member,
    text_of,
    whole_member,
)

BROKEN = Message([Invalid(None, "Invalid Request")])


def trees(leaves: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=20,
    )


plain: st.SearchStrategy[object] = st.none() | st.booleans() | st.integers() | st.text()
values = trees(plain | st.floats())
finite = trees(plain | st.floats(allow_nan=False, allow_infinity=False))


def one(text: str) -> object:
    """Return the only item of a message."""
    message = read_message(text)
    assert len(message.items) == 1 and not message.batch
    return message.items[0]


def test_a_request() -> None:
    found = one('{"jsonrpc":"2.0","method":"echo","params":{"a":1},"id":7}')
    assert isinstance(found, Request)
    assert (found.method, found.id) == ("echo", 7)
    assert found.params is not None and found.params.get("A") == 1


def test_a_request_without_params_or_id() -> None:
    assert one('{"jsonrpc":"2.0","method":"echo"}') == Request("echo", None, None)


@pytest.mark.parametrize("params", ("[1]", "5", '"x"', "null"))
def test_params_that_are_no_object_have_no_members(params: str) -> None:
    found = one('{"jsonrpc":"2.0","method":"echo","params":' + params + "}")
    assert isinstance(found, Request) and found.params == JsonMembers()


def test_an_answer_of_the_client() -> None:
    assert one('{"jsonrpc":"2.0","result":{},"id":3}') == Response(3)


@pytest.mark.parametrize(
    "text",
    (
        '{"method":"echo","id":4}',
        '{"jsonrpc":"1.0","method":"echo","id":4}',
        '{"jsonrpc":2.0,"method":"echo","id":4}',
    ),
)
def test_another_version(text: str) -> None:
    assert one(text) == Invalid(4, "Invalid message")


@pytest.mark.parametrize("text", ("5", '"x"', "null", "true"))
def test_what_is_no_object(text: str) -> None:
    assert one(text) == Invalid(None, "Invalid message")


@pytest.mark.parametrize("text", ("", "{", "hello", '{"a"', "\udcff", "[1,"))
def test_what_is_no_json(text: str) -> None:
    assert read_message(text) == BROKEN


def test_limits() -> None:
    def nested(levels: int) -> str:
        return '{"jsonrpc":"2.0","method":"x","params":' + '{"a":' * levels + "1" + "}" * levels + "}"

    assert read_message(nested(MOST_LEVELS)) == BROKEN
    assert isinstance(one(nested(MOST_LEVELS - 3)), Request)
    assert read_message("[" * 100_000) == BROKEN
    assert read_message(json.dumps({"jsonrpc": "2.0", "method": "x" * MOST_BYTES})) == BROKEN
    assert read_message("[" + ",".join(["{}"] * (MOST_IN_BATCH + 1)) + "]") == BROKEN


def test_a_batch() -> None:
    message = read_message('[{"jsonrpc":"2.0","method":"a"},5,{"jsonrpc":"2.0","result":1}]')
    assert message.batch
    assert [type(item) for item in message.items] == [Request, Invalid, Response]


@given(st.text())
def test_any_text(text: str) -> None:
    read_message(text)


@given(values)
def test_any_value(value: object) -> None:
    for item in read_message(json.dumps(value)).items:
        assert isinstance(item, Request | Invalid | Response)


@given(values)
def test_what_is_written_is_json(value: object) -> None:
    told = json.loads(text_of(result(1, value)))
    assert set(told) == {"jsonrpc", "id", "result"}


@given(finite, st.text())
def test_members_of_any_request(value: object, name: str) -> None:
    found = read_message(json.dumps({"jsonrpc": "2.0", "method": "x", "params": {name: value}})).items[0]
    assert isinstance(found, Request)
    text_member(found.params, name)
    whole_member(found.params, name)
    for _, text in plain_members(found.params):
        assert text


def test_variables_of_a_request() -> None:
    members = JsonMembers({"a": "x", "b": True, "c": False, "d": 5, "e": "", "": "y"}.items())
    assert plain_members(members) == [("a", "x"), ("b", "true"), ("c", "false")]


@pytest.mark.parametrize(
    ("value", "number"), ((17, 17), (17.0, 17), ("17", 17), ("x", 0), (None, 0), (True, 0), (1e999, 0))
)
def test_numbers(value: object, number: int) -> None:
    assert whole_member(JsonMembers({"causeCode": value}.items()), "causeCode") == number


def test_a_refusal() -> None:
    error = RpcError(INVALID, "no", callID="x").error
    assert json.loads(text_of(refusal("a", error))) == {
        "jsonrpc": "2.0",
        "id": "a",
        "error": {"callID": "x", "message": "no", "code": INVALID},
    }
