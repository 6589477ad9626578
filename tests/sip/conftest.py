"""Hosts for SIP peers: one for each module, from its `EXTENSIONS`, and what must be so when it has done its work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sip.certificate import make_certificate
from tests.sip.host_configuration import HostPorts, write_configuration
from tests.sip.parallel_rows import ParallelRows, Row
from tests.sip.raw_phone import RawPhone, status
from tests.sip.served_host import ServedHost, served_host

# A test starts programs of its own, for each of which it waits as long as a busy machine may take.
_LONGEST_SECONDS = 180
# Workers and caches that a host makes for calls and keeps: not one for each call.
_KEPT_THREADS = 12
_KEPT_DESCRIPTORS = 24


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "slow: takes longer than a suite that runs often can bear; run with -m slow"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_LONGEST_SECONDS))
    if "slow" in config.option.markexpr:
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


@pytest.fixture(scope="module")
def host_ports() -> HostPorts:
    return HostPorts()


@pytest.fixture(scope="module")
def host(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, host_ports: HostPorts
) -> Iterator[ServedHost]:
    """A running host with the module's `EXTENSIONS`, `GATEWAYS` and `PROFILES`, which nothing may leave behind.

    It has TLS where the module says so with `TLS`.
    """
    folder = tmp_path_factory.mktemp("host")
    tls = getattr(request.module, "TLS", False)
    if tls:
        make_certificate(folder)
    conf = write_configuration(
        folder,
        host_ports,
        extensions=getattr(request.module, "EXTENSIONS", ()),
        gateways=getattr(request.module, "GATEWAYS", ()),
        profiles=getattr(request.module, "PROFILES", None),
        tls_folder=folder if tls else None,
    )
    with served_host(folder, conf, host_ports) as served:
        # What the first call loads stays: the media process, codecs, the workers of the module.
        with RawPhone(host_ports.open) as phone:
            assert status(phone.ask(phone.request("OPTIONS", ""))) == 200
        served.api("originate loopback/nowhere/nocontext &park()")
        before = served.footprint()
        yield served
        left = served.at_rest(before.threads + _KEPT_THREADS, before.descriptors + _KEPT_DESCRIPTORS)
        complaints = served.complaints()
    assert not left
    assert not complaints, served.log()[-6000:]


@pytest.fixture(scope="module")
def rows(request: pytest.FixtureRequest, host: ServedHost) -> Iterator[ParallelRows[Row]]:
    """The rows of the module's table, which run side by side."""
    running = ParallelRows[Row](request, host)
    yield running
    running.close()
