"""The tables in a database that other programs see and change: an SQLite file, or PostgreSQL; in real time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.clock import SECOND, RealClock
from host.modules.mod_callcenter import dispatch
from host.modules.mod_callcenter.database import MEMBER_COLUMNS
from host.switch import Switch
from tests.eventually import eventually
from tests.host.placed_call import placed
from tests.host.private_server import postgres_server
from tests.host.xml_document import configuration, named, params

_LONGEST = 15.0  # seconds that anything here may take on a busy machine


@pytest.fixture(scope="module")
def postgres_dsn() -> Iterator[str]:
    with postgres_server() as dsn:
        yield dsn


@pytest.fixture(params=["sqlite", "postgres"])
def dsn(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("postgres_dsn")) if request.param == "postgres" else ""


SWITCHED_ON = ("reserve-agents", "truncate-agents-on-load", "truncate-tiers-on-load")
QUEUES = {"support": {"abandoned-resume-allowed": "true"}, "all": {"strategy": "ring-all"}}


@pytest.fixture
def switch(tmp_path: Path, dsn: str) -> Iterator[Switch]:
    made = Switch(RealClock(), tmp_path, media_process=False)
    made.xml.load_text(
        configuration(
            "callcenter.conf",
            f"<settings>{params({'odbc-dsn': dsn, **dict.fromkeys(SWITCHED_ON, 'true')})}</settings>"
            f"<queues>{named('queue', QUEUES)}</queues>"
            '<agents><agent name="ada" type="callback" contact="null/ada" status="Available"/></agents>'
            '<tiers><tier agent="ada" queue="support"/></tiers>',
        )
    )
    for module in ("mod_commands", "mod_dptools", "mod_loopback", "mod_callcenter"):
        made.modules.load(module)
    try:
        yield made
    finally:
        made.close()


def caller(switch: Switch, queue: str) -> str:
    return placed(switch, f"null/leg 'm:^:callcenter:{queue}^park' inline").uuid


def members(switch: Switch, queue: str = "support") -> list[dict[str, str]]:
    lines = switch.api("callcenter_config", f"queue list members {queue}").splitlines()[1:-1]
    return [dict(zip((*MEMBER_COLUMNS, "score"), line.split("|"), strict=True)) for line in lines]


def state(switch: Switch, agent: str = "ada") -> str:
    return switch.api("callcenter_config", f"agent get state {agent}")


def test_a_call_goes_its_whole_way(switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_SHARED_LOOK", 3600 * SECOND)  # nobody waits for a round of looking
    uuid = caller(switch, "support")
    eventually(lambda: state(switch) == "In a queue call")
    (member,) = members(switch)
    assert (member["state"], member["serving_agent"], member["session_uuid"]) == ("Answered", "ada", uuid)
    switch.api("uuid_kill", uuid)
    eventually(lambda: state(switch) == "Waiting" and not members(switch))
    switch.api("callcenter_config", "agent set status ada 'On Break'")
    left = caller(switch, "support")
    eventually(lambda: len(members(switch)) == 1)
    switch.api("uuid_kill", left)
    eventually(lambda: members(switch)[0]["state"] == "Abandoned")
    again = caller(switch, "support")
    eventually(lambda: members(switch)[0]["session_uuid"] == again)


def test_all_ring(switch: Switch) -> None:
    for name in ("bob", "eve"):
        for command in (
            f"agent add {name} callback",
            f"agent set contact {name} null/{name}",
            f"agent set status {name} Available",
            f"tier add all {name}",
        ):
            assert switch.api("callcenter_config", command) == "+OK\n"
    uuid = caller(switch, "all")
    eventually(lambda: sorted((state(switch, "bob"), state(switch, "eve"))) == ["In a queue call", "Waiting"])
    eventually(lambda: len(switch.sessions) == 2)
    switch.api("uuid_kill", uuid)
    eventually(lambda: not switch.sessions and not members(switch, "all"))


@pytest.mark.parametrize("dsn", [""])
def test_what_another_program_changes_is_seen(switch: Switch, tmp_path: Path) -> None:
    switch.api("callcenter_config", "agent set status ada 'On Break'")
    caller(switch, "support")
    eventually(lambda: len(members(switch)) == 1)
    with sqlite3.connect(f"{switch.global_variables.get('db_dir')}/callcenter.db") as other:
        other.execute("update agents set status = 'Available'")
    eventually(lambda: state(switch) == "In a queue call")


def test_tables_of_an_earlier_release_are_renewed(tmp_path: Path) -> None:
    switch = Switch(RealClock(), tmp_path)
    folder = Path(switch.global_variables.get("db_dir") or "")
    folder.mkdir()
    with sqlite3.connect(folder / "callcenter.db") as former:
        former.execute(
            "create table agents (name text, system text, type text, status text, state text, contact text)"
        )
        former.execute(
            "insert into agents values ('bob', 'single_box', 'callback', 'On Break', 'Receiving', 'null/b')"
        )
    switch.modules.load("mod_callcenter")
    head, row, _ = switch.api("callcenter_config", "agent list bob").splitlines()
    switch.close()
    shown = dict(zip(head.split("|"), row.split("|"), strict=True))
    assert (shown["instance_id"], shown["status"], shown["state"]) == ("single_box", "On Break", "Waiting")
    assert (shown["contact"], shown["wrap_up_time"]) == ("null/b", "0")
