"""Two hosts behind Kamailio that share their registrations through PostgreSQL and their limits through Redis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.private_server import postgres_server, redis_server
from tests.sip.baresip import seconds_of_tone
from tests.sip.host_configuration import DOMAIN, Extension
from tests.sip.kamailio import edge
from tests.sip.served_host import ServedHost
from tests.sip.sipp import Sipp
from tests.sip.two_hosts import phone_behind, two_hosts
from tests.sip.until import until

MOST, CALLS = 10, 24
TONE = "tone_stream://%(60000,0,1200)"
EXTENSIONS = [
    Extension(
        "limited",
        [
            ("limit", f"hash sip trunk {MOST} !USER_BUSY"),
            ("answer", ""),
            ("park", ""),
        ],
    ),
]


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ServedHost]]:
    """Two hosts with one database and one Redis."""
    with postgres_server() as dsn, redis_server() as url:
        remote = f'<remote name="shared" host="{url}"/>'
        shared = f'<configuration name="hash.conf"><remotes>{remote}</remotes></configuration>'
        with two_hosts(tmp_path_factory, EXTENSIONS, internal={"odbc-dsn": dsn}, sections=shared) as hosts:
            yield hosts
            for host in hosts:
                assert not host.complaints()


def test_a_phone_that_registered_at_one_host_is_called_by_the_other(
    hosts: list[ServedHost], tmp_path: Path
) -> None:
    with edge(tmp_path / "edge", [host.ports.internal for host in hosts]) as kamailio:
        with phone_behind(kamailio, tmp_path) as phone:
            phone.registered()
            until(lambda: any(map(_registered_at, hosts)), "one of them has told of it")
            took = [host for host in hosts if _registered_at(host)]
            assert len(took) == 1
            other = next(host for host in hosts if host is not took[0])
            for host in hosts:
                assert host.api(f"sofia_count_reg internal/1000@{DOMAIN}").strip() == "1"
            reply = other.api(f"originate user/1000@{DOMAIN} &playback({TONE})")
            assert reply.startswith("+OK"), reply
            until(lambda: seconds_of_tone(phone.heard(), 1200) > 0.8, "the host is heard")
            other.api(f"uuid_kill {reply.split()[1]}")
            phone.wait_for("CALL_CLOSED")
        until(
            lambda: all(host.api(f"sofia_count_reg internal/1000@{DOMAIN}").strip() == "0" for host in hosts),
            "the phone has left, and both hosts know it",
        )


def _registered_at(host: ServedHost) -> bool:
    return host.find(lambda event: event.get("Event-Subclass") == "sofia::register") is not None


def test_a_limit_counts_the_calls_of_all_hosts(hosts: list[ServedHost], tmp_path: Path) -> None:
    with edge(tmp_path / "edge", [host.ports.open for host in hosts]) as kamailio:
        address = ("127.0.0.1", kamailio.port)
        with Sipp("caller_waits", address, "limited", calls=CALLS, rate=40, trace=False) as callers:
            # Who was let in stays until all have come.
            until(
                lambda: sum(_told(hosts, "CHANNEL_HANGUP_COMPLETE")) == CALLS - MOST, "the others are refused"
            )
            until(lambda: sum(_told(hosts, "CHANNEL_ANSWER")) == MOST, "as many as may are answered")
            _hang_up(hosts)
            result = callers.wait()
        assert (result.calls, result.failed) == (MOST, CALLS - MOST), result.summary
        arrived = _told(hosts, "CHANNEL_CREATE")
        assert sum(arrived) == CALLS and min(arrived) > 0
        assert sum(_told(hosts, "CHANNEL_ANSWER")) == MOST
        until(
            lambda: all(host.api("limit_usage hash sip trunk").strip() == "0" for host in hosts),
            "nobody is counted any more",
        )
        with Sipp("caller_waits", address, "limited", calls=3, rate=40) as callers:
            until(lambda: sum(_told(hosts, "CHANNEL_ANSWER")) == MOST + 3, "they are answered")
            _hang_up(hosts)
            again = callers.wait()
        assert again.passed, again.summary


def _told(hosts: list[ServedHost], event: str) -> list[int]:
    """Return how many calls had an event at each of the hosts."""
    return [host.count("limited", event) for host in hosts]


def _hang_up(hosts: list[ServedHost]) -> None:
    for host in hosts:
        host.api("hupall NORMAL_CLEARING")
