"""Kamailio as documented in front of two hosts: calls are spread, one host dies, new calls go on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sip.baresip import seconds_of_tone
from tests.sip.host_configuration import DOMAIN, Extension
from tests.sip.kamailio import edge
from tests.sip.served_host import ServedHost
from tests.sip.sipp import Sipp
from tests.sip.two_hosts import phone_behind, two_hosts
from tests.sip.until import until

TONE = "tone_stream://%(60000,0,1200)"
ENOUGH = 0.8  # seconds of a tone that a phone hears before a call ends
EXTENSIONS = [
    Extension("short", [("answer", ""), ("playback", "tone_stream://%(300,0,1200)")]),
    Extension("long", [("answer", ""), ("playback", "tone_stream://%(60000,0,1200)")]),
    Extension("talk", [("answer", ""), ("playback", TONE)]),
    Extension("elsewhere", [("answer", ""), ("playback", TONE)]),
]


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ServedHost]]:
    with two_hosts(tmp_path_factory, EXTENSIONS) as hosts:
        yield hosts


def test_a_phone_behind_the_edge_registers_over_tls_calls_and_is_called(
    hosts: list[ServedHost], tmp_path: Path
) -> None:
    with (
        edge(tmp_path / "edge", [host.ports.internal for host in hosts]) as kamailio,
        phone_behind(kamailio, tmp_path) as phone,
    ):
        phone.registered()
        phone.command("dial", f"sip:talk@{DOMAIN}")
        until(lambda: seconds_of_tone(phone.heard(), 1200) > ENOUGH, "the host is heard")
        phone.command("hangup")
        phone.wait_for("CALL_CLOSED")
        phone.events.clear()
        at_home = [
            host for host in hosts if host.api(f"sofia_count_reg internal/1000@{DOMAIN}").strip() == "1"
        ]
        assert len(at_home) == 1
        reply = at_home[0].api(f"originate user/1000@{DOMAIN} &playback({TONE})")
        assert reply.startswith("+OK"), reply
        phone.wait_for("CALL_ESTABLISHED")
        at_home[0].api(f"uuid_kill {reply.split()[1]}")
        phone.wait_for("CALL_CLOSED")


def test_calls_are_spread_and_go_on_when_a_host_dies(hosts: list[ServedHost], tmp_path: Path) -> None:
    first, second = hosts
    with edge(tmp_path / "edge", [host.ports.open for host in hosts]) as kamailio:
        address = ("127.0.0.1", kamailio.port)
        for transport in ("u1", "t1"):
            result = Sipp("caller_waits", address, "short", calls=12, rate=40, transport=transport).run()
            assert result.passed, result.summary

        def shares() -> list[int]:
            return [host.count("short", "CHANNEL_HANGUP_COMPLETE") for host in hosts]

        # The last caller may have left before we are told.
        until(lambda: sum(shares()) == 24, lambda: f"24 calls have ended: {shares()}")
        assert min(shares()) >= 3, shares()

        with Sipp("caller_waits", address, "long", calls=12, rate=40, trace=False) as callers:
            until(
                lambda: "ongoing: 12" in kamailio.control("dlg.stats_active"),
                lambda: f"twelve calls are answered: {kamailio.control('dlg.stats_active')}",
            )
            lost, kept = first.channels(), second.channels()
            assert min(lost, kept) > 0
            for pid in reversed(first.processes()):
                os.kill(pid, signal.SIGKILL)
            # At once, before the edge has noticed: who reaches the dead host is sent to the other one.
            result = Sipp("caller_waits", address, "short", calls=12, rate=40).run()
            assert result.passed, result.summary
            until(lambda: kamailio.state_of(first.ports.open).startswith("I"), "the dead host is down")
            assert kamailio.state_of(second.ports.open).startswith("A")
            until(
                lambda: f"lost_calls: {lost}" in kamailio.control("stats.fetch", "lost_calls"),
                lambda: f"{lost} calls are lost: {kamailio.control('stats.fetch', 'lost_calls')}",
            )
            assert second.channels() == kept
            second.api("hupall NORMAL_CLEARING")
            # All twelve callers heard BYE: some from their host, those of the dead one from the edge.
            result = callers.wait()
            assert result.passed, result.summary
        until(
            lambda: "all: 0" in kamailio.control("dlg.stats_active"),
            lambda: kamailio.control("dlg.stats_active"),
        )
    assert not second.complaints()
