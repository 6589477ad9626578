"""Limits of FreeSWITCH's mod_hiredis, against a Redis of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host import limit
from host.clock import SECOND, VirtualClock
from host.session import Session
from host.switch import Switch
from tests.free_ports import free_port
from tests.host.private_server import redis_server
from tests.host.xml_document import configuration
from tests.host.xml_document import params as params_of

redis = pytest.importorskip("redis", reason="needs the extra moonline[redis]")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with redis_server() as url:
        yield redis.connection.parse_url(url)["port"]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[str, int], Switch]]:
    clock = VirtualClock()
    made: list[Switch] = []

    def build(params: str, *ports: int) -> Switch:
        connections = "".join(
            f"<connection>{params_of({'hostname': '127.0.0.1', 'port': str(one)})}</connection>"
            for one in ports
        )
        switch = Switch(clock, tmp_path)
        switch.xml.load_text(
            configuration(
                "hiredis.conf",
                f'<profiles><profile name="p"><connections>{connections}</connections><params>{params}</params>'
                "</profile></profiles>",
            )
        )
        for module in ("mod_commands", "mod_dptools", "mod_loopback", "mod_hiredis"):
            switch.modules.load(module)
        made.append(switch)
        return switch

    with clock.participating():
        yield build
        for switch in made:
            switch.close()


def leg(switch: Switch) -> Session:
    session = switch.find_session(switch.api("originate", "null/x &park()").split()[1])
    assert session is not None
    return session


def take(session: Session, resource: str, maximum: int, interval: int = 0) -> bool:
    backend = session.switch.limits.get("hiredis")
    assert backend is not None
    return limit.take(session, backend, "p", resource, maximum, interval)


def test_a_limit_is_a_number_in_redis(make: Callable[..., Switch], port: int) -> None:
    switch = make('<param name="delete-when-zero" value="true"/>', port)
    first, second = leg(switch), leg(switch)
    assert take(first, "x", 1)
    assert first.channel.get_variable("hiredis_raw_response") == "1"
    assert not take(second, "x", 1)
    assert second.channel.get_variable("hiredis_limit_exceeded") == "true"
    assert switch.api("limit_usage", "hiredis p x") == "1"
    assert switch.api("hiredis_raw", "p get x") == "1"
    first.channel.hangup()
    switch.clock.sleep(SECOND)
    assert switch.api("hiredis_raw", "p exists x") == "0"
    assert take(second, "x", 1)
    switch.api("uuid_limit_release", f"{second.uuid} hiredis p x")
    assert switch.api("limit_usage", "hiredis p x") == "0"


def test_an_interval_counts_by_itself(make: Callable[..., Switch], port: int) -> None:
    switch = make("", port)
    call = leg(switch)
    assert [take(call, "rate", 2, 60) for _ in range(3)] == [True, True, False]
    switch.clock.sleep(61 * SECOND)
    assert take(call, "rate", 2, 60)
    key = f"rate_{switch.clock.time() // SECOND // 60}"
    assert 0 < int(switch.api("hiredis_raw", f"p ttl {key}")) <= 60


def test_the_next_server_is_asked_where_one_is_down(make: Callable[..., Switch], port: int) -> None:
    switch = make("", free_port(), port)
    assert switch.api("hiredis_raw", "p set k v") == "OK"
    assert switch.api("hiredis_raw", "p get k") == "v"
    assert switch.api("hiredis_raw", "p rpush list a b") == "2"
    assert switch.api("hiredis_raw", "p lrange list 0 -1") == "a\nb"
    assert switch.api("hiredis_raw", "p nosuch") == switch.api("hiredis_raw", "nosuch get k") == ""


@pytest.mark.parametrize("ignored", [False, True])
def test_without_a_server_the_profile_decides(make: Callable[..., Switch], ignored: bool) -> None:
    switch = make(f'<param name="ignore-connect-fail" value="{str(ignored).lower()}"/>', free_port())
    assert take(leg(switch), "x", 1) == ignored
    assert switch.api("limit_usage", "hiredis p x") == "-1"


def test_without_a_configuration_there_is_no_module(tmp_path: Path) -> None:
    switch = Switch(VirtualClock(), tmp_path)
    switch.modules.load("mod_commands")
    assert switch.api("load", "mod_hiredis").endswith("-ERR [module load file routine returned an error]\n")
