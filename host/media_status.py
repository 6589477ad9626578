"""The media engine's figures by name, as `status media` and the event HEARTBEAT tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.switch import Switch


def media_figures(switch: Switch) -> list[tuple[str, str]]:
    """Return (name, value): lateness of ticks in ms, `overruns` those that took longer than a tick, load in percent.

    Empty while there is no engine that runs by itself: under a virtual clock, and before the first call.
    """
    status = switch.engine.status()
    if not status.process:
        return []
    return [
        ("Media-Process", str(status.process)),
        ("Media-Lines", str(status.lines)),
        ("Media-RTP-Lines", str(status.transports)),
        ("Media-Ticks", str(status.ticks)),
        ("Media-Overruns", str(status.overruns)),
        ("Media-Skipped", str(status.skipped)),
        ("Media-Lateness-P50", f"{status.lateness_p50 / 1000:.2f}"),
        ("Media-Lateness-P99", f"{status.lateness_p99 / 1000:.2f}"),
        ("Media-Lateness-Max", f"{status.lateness_max / 1000:.2f}"),
        ("Media-Load", f"{100 * status.busy:.2f}"),
        ("Media-Packets-Received", str(status.packets_received)),
        ("Media-Packets-Sent", str(status.packets_sent)),
    ]
