"""SIP calls of SIPp to `moonline serve`, whose Lua script answers and plays: ``python -m tests.bench sip_calls``.

Set-ups a second with the processor time of a call and the time from INVITE to 200; calls at once with the lateness of
their media; and, as ``python -m tests.bench.sip_calls soak MINUTES``, mixed calls with what the host holds meanwhile.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from tests.sip.host_configuration import Extension, HostPorts, write_configuration
from tests.sip.served_host import ServedHost, served_host
from tests.sip.sipp import Sipp

SET_UPS_A_SECOND: Final = 150
SET_UP_SECONDS: Final = 30
AT_ONCE: Final = 1000
AT_ONCE_RATE: Final = 50
PLAY_SECONDS: Final = 15
_SCRIPT: Final = """\
session:answer()
session:streamFile("%s")
"""
_RATE: Final = 8000
_RTP_PORTS: Final = 6000  # two for each call, and room


@contextmanager
def running_host(play_ms: int) -> Iterator[ServedHost]:
    """Run a host whose number `lua` answers and plays for so long; `rings` rings."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prompt = folder / "prompt.wav"
        write_prompt(prompt, play_ms)
        (folder / "play.lua").write_text(_SCRIPT % prompt)
        ports = dataclasses.replace(HostPorts(), rtp=32_768, rtp_count=_RTP_PORTS)
        extensions = [
            Extension("lua", [("lua", "play.lua")]),
            Extension("rings", [("ring_ready", ""), ("sleep", "9000")]),
        ]
        conf = write_configuration(folder, ports, extensions=extensions)
        with served_host(folder, conf, ports, ["--scripts", str(folder)], watched=False) as host:
            yield host


def write_prompt(path: Path, play_ms: int) -> None:
    """Write a tone of 440 Hz that lasts so long."""
    at = np.arange(_RATE * play_ms // 1000)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes((8000 * np.sin(2 * np.pi * 440 / _RATE * at)).astype("<i2").tobytes())


def run() -> None:
    """Print the figures of set-ups and of calls at once."""
    set_ups(SET_UPS_A_SECOND, SET_UP_SECONDS)
    at_once(AT_ONCE, AT_ONCE_RATE)


def set_ups(rate: int, seconds: int) -> None:
    """Offer so many calls a second, each with a script that answers and plays for 200 ms."""
    calls = rate * seconds
    with running_host(200) as host:
        warm(host)
        before, began = host.cpu_seconds(), time.monotonic()
        caller = Sipp(
            "caller_waits", ("127.0.0.1", host.ports.open), "lua", calls=calls, rate=rate, trace=False,
            response_times=True, seconds=seconds + 60, limit=calls,
        )  # fmt: skip
        result = caller.run()
        took = time.monotonic() - began
        cpu = host.cpu_seconds() - before
        print(
            f"set-ups: {calls} calls at {rate} a second in {took:.1f} s: {result.calls} good, {result.failed} failed, "
            f"{calls - result.calls - result.failed} unfinished, {result.retransmissions} retransmissions; "
            f"{1000 * cpu / calls:.2f} ms of processor a call; INVITE to 200: {percentiles(result.response_times)}"
        )
        report_rest(host)


def at_once(count: int, rate: int) -> None:
    """Let so many calls hear a prompt at the same time, and print how late their media was."""
    climb = count / rate
    with running_host(round(1000 * (climb + PLAY_SECONDS))) as host:
        warm(host)
        caller = Sipp(
            "caller_waits", ("127.0.0.1", host.ports.open), "lua", calls=count, rate=rate, trace=False, limit=count,
            response_times=True, seconds=2 * climb + PLAY_SECONDS + 60,
        )  # fmt: skip
        with caller:
            time.sleep(climb + 2)
            before, began = host.cpu_seconds(), time.monotonic()
            channels = host.api("show channels count").split()[0]
            time.sleep(PLAY_SECONDS - 5)
            busy = (host.cpu_seconds() - before) / (time.monotonic() - began)
            media = dict(
                line.split(": ", 1) for line in host.api("status media").splitlines() if ": " in line
            )
            result = caller.wait()
        late = [media.get(f"Media-Lateness-{which}") for which in ("P50", "P99", "Max")]
        print(
            f"at once: {channels} channels of {count} calls: {result.calls} good, {result.failed} failed; "
            f"media late by {late[0]} ms at the median, {late[1]} ms for 99 %, {late[2]} ms at most, "
            f"{media.get('Media-Overruns')} overruns; {busy:.0%} of a "
            f"processor; INVITE to 200: {percentiles(result.response_times)}"
        )
        report_rest(host)


def soak(minutes: float) -> None:
    """Run mixed calls for so long and print each half minute what the host holds."""
    ends = time.monotonic() + 60 * minutes
    good = failed = 0
    held = {"hold_address": "127.0.0.1", "hold_direction": "sendonly"}
    with running_host(3000) as host:
        warm(host)
        print("  minute   calls  failed  RSS MB  threads  descriptors  RTP ports")
        began = time.monotonic()

        def line() -> None:
            holds = host.footprint()
            print(
                f"  {(time.monotonic() - began) / 60:6.1f} {good:7} {failed:7} {holds.resident / 1024:7.1f} "
                f"{holds.threads:8} {holds.descriptors:12} {holds.rtp_ports:10}",
                flush=True,
            )

        line()
        while time.monotonic() < ends:
            seconds = min(30.0, max(5.0, ends - time.monotonic()))
            address = ("127.0.0.1", host.ports.open)
            runs = [
                Sipp(scenario, address, number, rate=rate, calls=round(rate * seconds), trace=False,
                     transport=transport, seconds=seconds + 40, keys=held)
                for scenario, number, rate, transport in (
                    ("caller_waits", "lua", 10, "u1"), ("caller_hangs_up", "lua", 5, "u1"),
                    ("caller_holds", "lua", 2, "u1"), ("caller_waits", "lua", 2, "t1"),
                    ("caller_cancels", "rings", 2, "u1"), ("caller_sends_info", "lua", 2, "u1"),
                    ("options", "lua", 2, "u1"),
                )
            ]  # fmt: skip
            with ExitStack() as stack:
                for one in [stack.enter_context(one) for one in runs]:
                    result = one.wait()
                    good, failed = good + result.calls, failed + result.failed
            line()
        report_rest(host)
        line()


def warm(host: ServedHost) -> None:
    """Make one call, so that what the first one loads is there."""
    result = Sipp("caller_cancels", ("127.0.0.1", host.ports.open), "rings").run()
    if not result.passed:
        print(f"the first call failed: {result.summary}")


def report_rest(host: ServedHost) -> None:
    """Print what is left of the calls when all have ended, and whether the log tells of failures."""
    for text in host.at_rest(10_000, 10_000) + host.complaints()[:3]:
        print(f"  left: {text}")


def percentiles(times: Sequence[float]) -> str:
    """Return median, 99 % and maximum of times in ms."""
    ordered = sorted(times)
    if not ordered:
        return "none"
    return (
        f"{ordered[len(ordered) // 2]:.0f} ms at the median, {ordered[len(ordered) * 99 // 100]:.0f} ms for 99 %, "
        f"{ordered[-1]:.0f} ms at most"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["soak"]:
        soak(float(sys.argv[2]) if len(sys.argv) > 2 else 30.0)
    else:
        run()
