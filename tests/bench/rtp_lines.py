"""What a call costs: ``python -m tests.bench rtp_lines`` runs lines of PCMU with sound flowing both ways.

Every line plays a prompt to a generator in another process, which sends as much to it. The generator checks that no
packet is missing and no timestamp skips, and that what it heard is the prompt, byte for byte.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from typing import Final

import numpy as np

from media.g711 import G711
from media.realtime.remote_engine import RemoteEngine
from media.rtp_batch import build_many, parse_many
from media.rtp_transport import RtpTransport
from media.source import Repeat, Samples

LINES: Final = (100, 500, 1000, 1500)
SECONDS: Final = 10
_FRAME: Final = 160
_SETTLING: Final = 2
_TICKS_PER_SECOND: Final = 50


def run(lines: tuple[int, ...] = LINES) -> None:
    """Print the figures for each number of lines."""
    for count in lines:
        measure(count)


def prompt() -> Samples:
    """Return ten seconds that are nowhere the same."""
    noise = np.random.default_rng(1).integers(-8000, 8000, 80_000)
    return Samples(noise.astype(np.int16), 8000)


def measure(count: int) -> None:
    """Run so many lines for some seconds and print a line of figures."""
    engine = RemoteEngine(print, lambda text, lines: print(text))
    generator = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.rtp_lines", str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert generator.stdin is not None and generator.stdout is not None
    try:
        remotes = json.loads(generator.stdout.readline())
        sound = Repeat(prompt())
        locals_ = []
        for remote in remotes:
            transport = RtpTransport("127.0.0.1", (20_000, 40_000), ("127.0.0.1", remote), timeout_ms=5000)
            line = engine.rtp_line(8000, lambda notice: None, transport)
            line.play(sound)
            locals_.append(line.local[1])
        print(json.dumps(locals_), file=generator.stdin, flush=True)
        time.sleep(_SETTLING)
        process = engine.status().process
        before, began = cpu(process), time.perf_counter()
        packets = engine.status(renew=True)
        time.sleep(SECONDS)
        used, took = cpu(process) - before, time.perf_counter() - began
        status = engine.status()
        told = json.loads(generator.stdout.readline())
        print(
            f"{count:5} lines: {100 * used / took / count:.4f} % of a core a line ({100 * used / took:5.1f} % in all), "
            f"lateness p50 {status.lateness_p50 / 1000:.2f} ms, p99 {status.lateness_p99 / 1000:.2f} ms, "
            f"max {status.lateness_max / 1000:.2f} ms, {status.overruns} overruns, "
            f"{(status.packets_received - packets.packets_received) / took / count:.1f} packets/s in and "
            f"{(status.packets_sent - packets.packets_sent) / took / count:.1f} out a line; "
            f"received: {told['gaps']} gaps, {told['jumps']} jumps of timestamps, prompt heard: {told['same']}",
            flush=True,
        )
    finally:
        generator.stdin.close()
        generator.wait()
        engine.close()


def cpu(process: int) -> float:
    """Return the seconds of processor time that a process has used."""
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def generate(count: int) -> None:
    """Be the far ends: tell the ports, send and receive every 20 ms, tell what was wrong with what came."""
    ends = []
    poll = select.epoll()
    row_of = {}
    for row in range(count):
        end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        end.bind(("127.0.0.1", 0))
        end.setblocking(False)
        poll.register(end.fileno(), select.EPOLLIN)
        row_of[end.fileno()] = row
        ends.append(end)
    print(json.dumps([end.getsockname()[1] for end in ends]), flush=True)
    for end, port in zip(ends, json.loads(sys.stdin.readline()), strict=True):
        end.connect(("127.0.0.1", port))
    packets = np.full((count, 12 + _FRAME), 0xFF, np.uint8)
    packets[:, 12:] = np.random.default_rng(2).integers(0, 256, (count, _FRAME))
    views = [memoryview(row) for row in packets]  # type: ignore[arg-type]
    buffer = np.zeros((count, 1500), np.uint8)
    slots = [memoryview(row) for row in buffer]  # type: ignore[arg-type]
    sends = [end.send for end in ends]
    reads = {end.fileno(): end.recv_into for end in ends}
    ssrc = np.arange(count) + 1
    last = np.full((count, 2), -1, np.int64)
    gaps = jumps = 0
    heard: list[bytes] = []
    due = time.monotonic()
    for tick in range((SECONDS + _SETTLING) * _TICKS_PER_SECOND):
        build_many(
            packets, 0, np.zeros(count, bool), np.full(count, tick), np.full(count, tick * _FRAME), ssrc
        )
        for send, view in zip(sends, views, strict=True):
            try:
                send(view)
            except OSError:
                continue
        while events := poll.poll(0, count):
            rows: list[int] = []
            sizes: list[int] = []
            for descriptor, _ in events:
                sizes.append(reads[descriptor](slots[len(rows)]))
                rows.append(row_of[descriptor])
            which = np.array(rows)
            headers = parse_many(buffer[: len(rows)], np.array(sizes))
            known = last[which, 0] >= 0
            gaps += int(np.count_nonzero(known & (headers.sequence != (last[which, 0] + 1) % 65536)))
            jumps += int(np.count_nonzero(known & (headers.timestamp != (last[which, 1] + _FRAME) % 2**32)))
            last[which, 0], last[which, 1] = headers.sequence, headers.timestamp
            if 0 in rows:
                heard.append(buffer[rows.index(0), 12 : 12 + _FRAME].tobytes())
        due += 1 / _TICKS_PER_SECOND
        time.sleep(max(0.0, due - time.monotonic()))
    sound = prompt()
    code = G711("PCMU").encode(sound.render(0, 80_000)) * 3
    told = b"".join(heard)
    same = len(told) > _FRAME * _TICKS_PER_SECOND * SECONDS * 0.9 and told in code
    print(json.dumps({"gaps": gaps, "jumps": jumps, "same": same}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    generate(int(sys.argv[1]))
