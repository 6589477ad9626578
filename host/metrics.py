"""The switch's figures for Prometheus: `moonline serve --metrics [ADDRESS:]PORT`, by the library prometheus_client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from prometheus_client import start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from host import version
from host.clock import SECOND
from host.port_number import port_number

if TYPE_CHECKING:
    from host.switch import Switch

DEFAULT_ADDRESS: Final = "127.0.0.1"
_MICROSECONDS: Final = 1e6


class MetricsError(ValueError):
    """A text that is no `[ADDRESS:]PORT`."""


def parse_address(text: str) -> tuple[str, int]:
    """Return the address and port of `PORT`, `ADDRESS:PORT` or `[ADDRESS]:PORT`. Raises MetricsError."""
    address, colon, port = text.rpartition(":")
    if colon and not address:
        raise MetricsError(f"--metrics takes [ADDRESS:]PORT, not {text}")
    try:
        number = port_number(port)
    except ValueError as error:
        raise MetricsError(f"--metrics takes [ADDRESS:]PORT, not {text}: {error}") from None
    return address.removeprefix("[").removesuffix("]") or DEFAULT_ADDRESS, number


class SwitchCollector(Collector):
    """Reads a switch's figures when it is asked for them."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    def collect(self) -> Iterator[Metric]:
        """Yield all figures as they are now; those of the media engine only while its process runs."""
        switch, control = self._switch, self._switch.control
        build = GaugeMetricFamily("moonline_build", "The version that runs.", labels=["version"])
        build.add_metric([version.full()], 1)
        yield build
        up = (switch.clock.time() - switch.started) / SECOND
        yield _gauge("uptime_seconds", "Time since the switch started.", up)
        yield _gauge("sessions", "Sessions that there are.", len(switch.sessions))
        yield _gauge("sessions_limit", "Sessions that there may be.", control.max_sessions)
        yield _counter("sessions_begun", "Sessions that began since the start.", switch.sessions_since_start)
        yield _gauge("sessions_peak", "The most sessions that there were at once.", control.sessions_peak)
        yield _gauge(
            "sessions_per_second", "Sessions begun in the last second.", control.last_sessions_per_second
        )
        yield _gauge(
            "sessions_per_second_limit",
            "Sessions that may begin in a second.",
            control.max_sessions_per_second,
        )
        yield _gauge("registrations", "Contacts that are registered.", len(switch.registrations))
        yield _gauge("modules", "Modules that are loaded.", len(switch.modules.names()))
        yield _gauge(
            "idle_cpu_percent", "The part of the machine's time that is idle.", switch.idle_cpu.percent()
        )
        for name, (text, value) in list(switch.gauges.items()):
            yield _gauge(name, text, value())
        yield from self._media()

    def _media(self) -> Iterator[Metric]:
        status = self._switch.engine.status()
        if not status.process:
            return
        yield _gauge("media_lines", "Lines of the media engine.", status.lines)
        yield _gauge("media_rtp_lines", "Lines whose far end is reached by RTP.", status.transports)
        yield _counter("media_ticks", "Ticks of 20 ms.", status.ticks)
        yield _counter("media_overruns", "Ticks whose work took longer than a tick.", status.overruns)
        yield _counter("media_skipped", "Ticks that never were, after a stall.", status.skipped)
        yield _gauge("media_load", "The part of the time that ticks took, 0 to 1.", status.busy)
        yield _counter("media_packets_received", "RTP packets that came.", status.packets_received)
        yield _counter("media_packets_sent", "RTP packets that were sent.", status.packets_sent)
        late = GaugeMetricFamily(
            "moonline_media_lateness_seconds",
            "How late ticks came: quantiles of the last minute, 1 the most since the start.",
            labels=["quantile"],
        )
        for quantile, value in (
            ("0.5", status.lateness_p50),
            ("0.99", status.lateness_p99),
            ("1", status.lateness_max),
        ):
            late.add_metric([quantile], value / _MICROSECONDS)
        yield late


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"moonline_{name}", text, value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"moonline_{name}", text, value)


class MetricsServer:
    """Answers `GET /metrics` on an address until it is closed. OSError when it cannot listen there."""

    def __init__(self, switch: Switch, address: str, port: int) -> None:
        registry = CollectorRegistry()
        registry.register(SwitchCollector(switch))
        self._server, self._thread = start_http_server(port, address, registry)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_port

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
