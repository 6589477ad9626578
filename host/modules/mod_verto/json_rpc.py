"""JSON-RPC 2.0 as FreeSWITCH's verto speaks it: what comes from clients is taken apart, what goes to them put together.

Texts are read as `host.json_reader` reads them. FreeSWITCH: what is no JSON is an invalid request (-32600), names of
members are found in any case, a request without `id` is answered with the id null, and a batch with a list.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from host.json_members import JsonMembers
from host.json_reader import JsonError, read
from host.json_text import compact

INVALID: Final = -32600
NO_METHOD: Final = -32601
BAD_PARAMETERS: Final = -32602
# FreeSWITCH's own.
LOGIN_NEEDED: Final = -32000
LOGIN_FAILED: Final = -32001
CALL_FAILED: Final = -32002

VERSION: Final = "2.0"
# FreeSWITCH: payload_size_max. A description of a browser has some 5 kB.
MOST_BYTES: Final = 1_000_000
# A request has four levels; what is answered is written by recursion, which ends at some hundreds.
MOST_LEVELS: Final = 64
# Libraries send a handful at once; each is answered, however short it is.
MOST_IN_BATCH: Final = 500


class RpcError(Exception):
    """A request that is refused: the members of the answer's `error`."""

    def __init__(self, code: int, message: str, **more: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.more = more

    @property
    def error(self) -> dict[str, object]:
        """The object `error`."""
        return {**self.more, "message": self.message, "code": self.code}


@dataclass(frozen=True, slots=True)
class Request:
    """A method that is called. `params` are None where there are none; those that are no object have no members."""

    method: str
    params: JsonMembers | None
    id: object = None


class Invalid(NamedTuple):
    """What is no request: its id, and what is wrong."""

    id: object
    message: str


class Response(NamedTuple):
    """A client's answer to a request of ours."""

    id: object


Item = Request | Invalid | Response


@dataclass(frozen=True, slots=True)
class Message:
    """What came in one message; with `batch` the answers go back in one, too."""

    items: list[Item]
    batch: bool = False


@dataclass(slots=True)
class Answer:
    """What a method answers, and what is done once that is on its way: it may make us send more."""

    result: object = field(default_factory=dict)
    then: Callable[[], object] | None = None


def read_message(text: str) -> Message:
    """Take a message apart. Whatever it is, the result says what is to be answered."""
    if len(text) > MOST_BYTES:
        return _broken()
    try:
        value = read(text, JsonMembers)
    except JsonError:
        return _broken()
    if _is_too_deep(value):
        return _broken()
    if isinstance(value, list):
        if len(value) > MOST_IN_BATCH:
            return _broken()
        return Message([_item(each) for each in value], batch=True)
    return Message([_item(value)])


def text_of(value: object) -> str:
    """Write a message. Numbers that JSON does not have are null."""
    try:
        return compact(value)
    except ValueError:
        return compact(_finite(value))


def request(number: int, method: str, params: dict[str, object]) -> dict[str, object]:
    """A request of ours."""
    return {"jsonrpc": VERSION, "id": number, "method": method, "params": params}


def result(id: object, value: object) -> dict[str, object]:
    """The answer to a request that went well."""
    return {"jsonrpc": VERSION, "id": id, "result": value}


def refusal(id: object, error: dict[str, object]) -> dict[str, object]:
    """The answer to a request that did not."""
    return {"jsonrpc": VERSION, "id": id, "error": error}


def text_member(members: object, name: str) -> str | None:
    """Return a member that is a text; None for all else."""
    value = members.get(name) if isinstance(members, JsonMembers) else None
    return value if isinstance(value, str) else None


def object_member(members: object, name: str) -> JsonMembers | None:
    """Return a member that is an object; None for all else."""
    value = members.get(name) if isinstance(members, JsonMembers) else None
    return value if isinstance(value, JsonMembers) else None


def whole_member(members: object, name: str) -> int:
    """Return a member that is a number, or the text of one, as C reads it; 0 for all else."""
    value = members.get(name) if isinstance(members, JsonMembers) else None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0
    try:
        return int(float(value))
    except (ValueError, OverflowError):
        return 0


def plain_members(members: JsonMembers | None) -> list[tuple[str, str]]:
    """Return the members that are texts, true or false, as variables have them; those with no name or text go."""
    found = []
    for name, value in members.items() if members is not None else ():
        if isinstance(value, bool):
            found.append((name, "true" if value else "false"))
        elif isinstance(value, str) and value and name:
            found.append((name, value))
    return found


def _broken() -> Message:
    return Message([Invalid(None, "Invalid Request")])


def _item(value: object) -> Item:
    members = value if isinstance(value, JsonMembers) else JsonMembers()
    number = members.get("id")
    if members.get("jsonrpc") != VERSION:
        return Invalid(number, "Invalid message")
    if "result" in members:
        return Response(number)
    params = None
    if "params" in members:
        given = members.get("params")
        params = given if isinstance(given, JsonMembers) else JsonMembers()
    return Request(text_member(members, "method") or "", params, number)


def _is_too_deep(value: object) -> bool:
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return JsonMembers((name, _finite(member)) for name, member in value.items())
    if isinstance(value, list):
        return [_finite(member) for member in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
