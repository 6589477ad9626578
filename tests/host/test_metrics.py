"""Figures for Prometheus: their names and values, the address, and the server."""

from __future__ import annotations

import urllib.request
from urllib.error import URLError

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry

from host.metrics import MetricsError, MetricsServer, SwitchCollector, parse_address
from host.session import Session
from host.switch import Switch
from media.engine_status import EngineStatus
from tests.host.one_call import in_call


def figures(text: str) -> dict[str, float]:
    return {
        sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def asked(switch: Switch) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(SwitchCollector(switch))
    return figures(generate_latest(registry).decode())


def test_the_figures_of_a_switch(virtual_switch: Switch) -> None:
    virtual_switch.gauges["scripts_running"] = ("Scripts.", lambda: 3)
    found: list[dict[str, float]] = []

    def do(session: Session) -> object:
        session.execute("sleep", "1000")
        found.append(asked(virtual_switch))
        return None

    assert asked(virtual_switch)["moonline_sessions"] == 0
    in_call(virtual_switch, do)
    [during] = found
    assert during["moonline_sessions"] == 1
    assert during["moonline_sessions_begun_total"] == virtual_switch.sessions_since_start
    assert during["moonline_sessions_limit"] == 1000
    assert during["moonline_sessions_per_second_limit"] == 30
    assert during["moonline_scripts_running"] == 3
    assert during["moonline_registrations"] == 0
    assert during["moonline_uptime_seconds"] == 1
    assert not any(name.startswith("moonline_media") for name in during)


def test_the_figures_of_the_media_engine(virtual_switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    status = EngineStatus(
        process=7, lines=4, ticks=100, overruns=2, skipped=1, lateness_p50=100, lateness_p99=250,
        lateness_max=3000, busy=0.25, packets_received=10, packets_sent=11, transports=3,
    )  # fmt: skip
    monkeypatch.setattr(virtual_switch.engine, "status", lambda: status)
    media = {name: value for name, value in asked(virtual_switch).items() if "_media_" in name}
    assert media == {
        "moonline_media_lines": 4,
        "moonline_media_rtp_lines": 3,
        "moonline_media_ticks_total": 100,
        "moonline_media_overruns_total": 2,
        "moonline_media_skipped_total": 1,
        "moonline_media_load": 0.25,
        "moonline_media_packets_received_total": 10,
        "moonline_media_packets_sent_total": 11,
        "moonline_media_lateness_seconds[0.5]": 0.0001,
        "moonline_media_lateness_seconds[0.99]": 0.00025,
        "moonline_media_lateness_seconds[1]": 0.003,
    }


def test_lua_scripts_are_counted(virtual_switch: Switch) -> None:
    virtual_switch.modules.load("mod_lua")
    assert asked(virtual_switch)["moonline_scripts_running"] == 0
    virtual_switch.modules.unload("mod_lua", force=True)
    assert "moonline_scripts_running" not in asked(virtual_switch)


def test_the_server_answers_until_it_is_closed(virtual_switch: Switch) -> None:
    server = MetricsServer(virtual_switch, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.port}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert figures(answer.read().decode())["moonline_sessions"] == 0
    with pytest.raises(OSError):
        MetricsServer(virtual_switch, "127.0.0.1", server.port)
    server.close()
    with pytest.raises(URLError):
        urllib.request.urlopen(url, timeout=10)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("9090", ("127.0.0.1", 9090)),
        ("0.0.0.0:1", ("0.0.0.0", 1)),
        ("[::1]:65535", ("::1", 65535)),
        ("host.example:80", ("host.example", 80)),
    ],
)
def test_an_address(text: str, where: tuple[str, int]) -> None:
    assert parse_address(text) == where


@pytest.mark.parametrize("text", ["", "x", "0", "65536", "99999999999", ":80", "a:", "a:b", "-1", "²"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(MetricsError):
        parse_address(text)
