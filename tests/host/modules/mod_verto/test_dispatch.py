"""Any request of any client is answered, and no method raises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host.clock import VirtualClock
from host.modules.mod_verto.client import Client
from host.modules.mod_verto.dispatch import receive
from host.modules.mod_verto.service import METHODS
from host.modules.mod_verto.settings import Binding, ProfileSettings, VertoSettings
from host.modules.mod_verto.verto import Verto
from host.switch import Switch

PROFILE = ProfileSettings("p", (Binding("127.0.0.1", 8081),))
MEMBERS = (
    "dialogParams", "callID", "sdp", "action", "cause", "causeCode", "dtmf", "msg", "to", "body", "inDialog", "txt",
    "command", "data", "cmd", "arg", "eventChannel", "localBroadcast", "destination", "replaceCallID", "userVariables",
    "echoParams", "sessid", "login", "passwd", "audio", "type", "destination_number",
)  # fmt: skip


class Wire:
    """A link that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.dropped = False

    def send(self, text: str) -> bool:
        self.sent.append(json.loads(text))
        return not self.dropped

    def drop(self) -> None:
        self.dropped = True

    def take(self) -> Any:
        """Return the answer to what was asked last; what the switch asks is left out."""
        answers = [one for one in self.sent if "method" not in one]
        self.sent.clear()
        assert len(answers) == 1
        return answers[0]


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    made = Switch(VirtualClock(), tmp_path, seed=1, media_process=False)
    bugs: list[object] = []
    made.observers.append(lambda kind, channel, facts: bugs.append(facts) if kind == "bug" else None)
    with made.clock.participating():
        yield made
        made.close()
    assert not bugs


def connected(switch: Switch, profile: ProfileSettings = PROFILE) -> tuple[Verto, Client, Wire]:
    verto, wire = Verto(switch, VertoSettings((profile,))), Wire()
    client = Client(profile, "127.0.0.1:5", "127.0.0.1", False, wire)
    verto.connect(client)
    return verto, client, wire


leaves = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12)
params = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=6),
    max_leaves=16,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(METHODS)), params, leaves)
def test_any_params(switch: Switch, method: str, given_params: object, number: object) -> None:
    verto, client, wire = connected(switch)
    request = {"jsonrpc": "2.0", "method": method, "params": given_params, "id": number}
    receive(verto, client, json.dumps(request), METHODS)
    answers = [one for one in wire.sent if "method" not in one]
    assert len(answers) == 1 and answers[0]["jsonrpc"] == "2.0"
    assert ("result" in answers[0]) != ("error" in answers[0])
    if "error" in answers[0]:
        assert answers[0]["error"]["code"] in (-32000, -32001, -32002, -32601, -32602)
        assert answers[0]["error"]["message"]
    verto.disconnect(client)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
def test_any_text(switch: Switch, text: str) -> None:
    verto, client, wire = connected(switch)
    receive(verto, client, text, METHODS)
    assert wire.sent
    verto.disconnect(client)


def test_errors_by_their_codes(switch: Switch) -> None:
    verto, client, wire = connected(switch)

    def ask(text: str) -> Any:
        receive(verto, client, text, METHODS)
        return wire.take()

    assert ask("{") == {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": None}
    assert ask('{"id":4}') == {
        "jsonrpc": "2.0",
        "error": {"code": -32600, "message": "Invalid message"},
        "id": 4,
    }
    unknown = ask('{"jsonrpc":"2.0","method":"nothing","id":"a"}')
    assert unknown["id"] == "a" and unknown["error"]["code"] == -32601
    assert unknown["error"]["message"] == "Invalid Method, Missing Method or Permission Denied"
    denied = ask('{"jsonrpc":"2.0","method":"jsapi","params":{"command":"nothing"},"id":5}')
    assert denied["error"] == {"code": -32602, "message": "Permission Denied"}


def test_a_batch_is_answered_in_one(switch: Switch) -> None:
    verto, client, wire = connected(switch)
    batch = '[{"jsonrpc":"2.0","method":"echo","params":{"a":1},"id":1},{"jsonrpc":"2.0","result":1},7]'
    receive(verto, client, batch, METHODS)
    lists = [one for one in wire.sent if isinstance(one, list)]
    assert [sorted(one) for one in lists[0]] == [["id", "jsonrpc", "result"], ["error", "id", "jsonrpc"]]


def test_an_answer_of_the_client_is_not_answered(switch: Switch) -> None:
    verto, client, wire = connected(switch)
    receive(verto, client, '{"jsonrpc":"2.0","result":{"method":"verto.ping"},"id":9}', METHODS)
    assert not wire.sent


def test_params_are_given_back(switch: Switch) -> None:
    verto, client, wire = connected(switch)
    receive(
        verto, client, '{"jsonrpc":"2.0","method":"verto.ping","params":{"echoParams":true},"id":1}', METHODS
    )
    assert wire.take()["result"]["requestParams"] == {"echoParams": True}
    receive(
        verto, client, '{"jsonrpc":"2.0","method":"verto.ping","params":{"echoParams":[1]},"id":1}', METHODS
    )
    told = wire.take()["result"]
    assert told["requestParams"] == [1] and told["sessid"] == client.sessid and told["message"] == "PONG"


def test_a_silent_client_is_asked_whether_it_is_there(switch: Switch) -> None:
    verto, client, wire = connected(switch)
    switch.clock.sleep(29_000_000)
    assert not wire.sent
    receive(verto, client, '{"jsonrpc":"2.0","method":"verto.ping","id":1}', METHODS)
    wire.sent.clear()
    switch.clock.sleep(29_000_000)
    assert not wire.sent
    switch.clock.sleep(2_000_000)
    assert [one["method"] for one in wire.sent] == ["verto.ping"]
    verto.disconnect(client)
    switch.clock.sleep(60_000_000)
    assert len(wire.sent) == 1
