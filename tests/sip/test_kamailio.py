"""Kamailio as documented in front of two hosts: calls are spread, one host dies, new calls go on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.sip.baresip import Baresip, share_of_tone, until
from tests.sip.host_configuration import DOMAIN, PASSWORDS, Extension, HostPorts, write_configuration
from tests.sip.kamailio import edge
from tests.sip.served_host import ServedHost, served_host
from tests.sip.sipp import Sipp

TONE = "tone_stream://%(1500,0,1200)"
EXTENSIONS = [
    Extension("short", [("answer", ""), ("playback", "tone_stream://%(300,0,1200)")]),
    Extension("long", [("answer", ""), ("playback", "tone_stream://%(60000,0,1200)")]),
    Extension("talk", [("answer", ""), ("playback", TONE)]),
    Extension("elsewhere", [("answer", ""), ("playback", TONE)]),
]


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ServedHost]]:
    """Two hosts that trust what the edge says about where a message came from."""
    with ExitStack() as stack:
        running = []
        for _ in range(2):
            folder, ports = tmp_path_factory.mktemp("host"), HostPorts()
            profiles = {
                "internal": {"apply-proxy-acl": "neighbours"},
                "open": {"apply-proxy-acl": "neighbours"},
            }
            conf = write_configuration(folder, ports, extensions=EXTENSIONS, profiles=profiles)
            running.append(stack.enter_context(served_host(folder, conf, ports)))
        yield running


def channels(host: ServedHost) -> int:
    return int(host.api("show channels count").split()[0])


def test_a_phone_behind_the_edge_registers_over_tls_calls_and_is_called(
    hosts: list[ServedHost], tmp_path: Path
) -> None:
    with edge(tmp_path / "edge", [host.ports.internal for host in hosts]) as kamailio:
        outbound = f'outbound="sip:127.0.0.1:{kamailio.tls_port};transport=tls"'
        with Baresip(
            tmp_path / "phone", f"1000@{DOMAIN}", tone=700, password=PASSWORDS["1000"],
            params=f"{outbound};regint=60;answermode=auto",
        ) as phone:  # fmt: skip
            phone.registered()
            phone.command("dial", f"sip:talk@{DOMAIN}")
            phone.wait_for("CALL_CLOSED")
            assert share_of_tone(phone.heard(), 1200) > 0.5
            phone.events.clear()
            at_home = [
                host for host in hosts if host.api(f"sofia_count_reg internal/1000@{DOMAIN}").strip() == "1"
            ]
            assert len(at_home) == 1
            reply = at_home[0].api(f"originate user/1000@{DOMAIN} &playback({TONE})")
            assert reply.startswith("+OK"), reply
            phone.wait_for("CALL_CLOSED")


def test_calls_are_spread_and_go_on_when_a_host_dies(hosts: list[ServedHost], tmp_path: Path) -> None:
    first, second = hosts
    with edge(tmp_path / "edge", [host.ports.open for host in hosts]) as kamailio:
        address = ("127.0.0.1", kamailio.port)
        for transport in ("u1", "t1"):
            result = Sipp("caller_waits", address, "short", calls=12, rate=40, transport=transport).run()
            assert result.passed, result.summary
        shares = [
            len([one for one in host.events if host.of_row("short", "CHANNEL_HANGUP_COMPLETE")(one)])
            for host in hosts
        ]
        assert sum(shares) == 24 and min(shares) >= 3, shares

        with Sipp("caller_waits", address, "long", calls=12, rate=40, trace=False) as callers:
            until(lambda: sum(channels(host) for host in hosts) == 12, "twelve calls")
            lost, kept = channels(first), channels(second)
            assert min(lost, kept) > 0
            for pid in reversed(first.processes()):
                os.kill(pid, signal.SIGKILL)
            # At once, before the edge has noticed: who reaches the dead host is sent to the other one.
            result = Sipp("caller_waits", address, "short", calls=12, rate=40).run()
            assert result.passed, result.summary
            until(lambda: kamailio.state_of(first.ports.open).startswith("I"), "the dead host is down", 8)
            assert kamailio.state_of(second.ports.open).startswith("A")
            until(
                lambda: f"lost_calls: {lost}" in kamailio.control("stats.fetch", "lost_calls"),
                "lost calls",
                8,
            )
            assert channels(second) == kept
            second.api("hupall NORMAL_CLEARING")
            # All twelve callers heard BYE: some from their host, those of the dead one from the edge.
            result = callers.wait()
            assert result.passed, result.summary
        until(
            lambda: "all: 0" in kamailio.control("dlg.stats_active"), kamailio.control("dlg.stats_active"), 8
        )
    assert not second.complaints()
