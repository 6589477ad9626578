"""The figures of a media engine that `status`, events and metrics show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What an engine has done since it began; lateness in µs, of the ticks of the last minute but for the maximum.

    `overruns` are ticks whose work took longer than a tick, `skipped` those that never were after a stall, `busy` the
    part of the time that ticks took. `process` is 0 for an engine within the host's process.
    """

    process: int = 0
    lines: int = 0
    ticks: int = 0
    overruns: int = 0
    skipped: int = 0
    lateness_p50: int = 0
    lateness_p99: int = 0
    lateness_max: int = 0
    busy: float = 0.0
    packets_received: int = 0
    packets_sent: int = 0
    transports: int = 0
    relays: int = 0
