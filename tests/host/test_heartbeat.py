"""HEARTBEAT in virtual time."""

from __future__ import annotations

from pathlib import Path

from host.clock import SECOND, VirtualClock
from host.event import Event
from host.heartbeat import start_heartbeat, up_time
from host.switch import Switch


def test_the_switch_tells_every_twenty_seconds_that_it_is_there(tmp_path: Path) -> None:
    clock = VirtualClock()
    with clock.participating():
        switch = Switch(clock, tmp_path, seed=1)
        heard: list[Event] = []
        switch.bus.subscribe(heard.append, ("HEARTBEAT",))
        start_heartbeat(switch)
        clock.sleep(61 * SECOND)
        switch.close()
    assert len(heard) == 3
    assert [name for name, _ in heard[0].headers][-14:] == [
        "Event-Info",
        "Up-Time",
        "FreeSWITCH-Version",
        "Uptime-msec",
        "Session-Count",
        "Max-Sessions",
        "Session-Per-Sec",
        "Session-Per-Sec-Last",
        "Session-Per-Sec-Max",
        "Session-Per-Sec-FiveMin",
        "Session-Since-Startup",
        "Session-Peak-Max",
        "Session-Peak-FiveMin",
        "Idle-CPU",
    ]
    assert heard[2].get_header("Uptime-msec") == "60000"


def test_a_span_in_words() -> None:
    assert up_time(90_061, 5, 1) == (
        "0 years, 1 day, 1 hour, 1 minute, 1 second, 5 milliseconds, 1 microsecond"
    )
