"""The event socket: round trips of `api status`, and 10,000 events a second to twenty clients beside a 20 ms tick."""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from host.clock import MILLISECOND, SECOND, RealClock
from host.modules.mod_event_socket.server import EventSocketServer
from host.modules.mod_event_socket.settings import Settings
from host.switch import Switch
from tests.tick import Tick

ROUND_TRIPS = 3000
CLIENTS = 20
EVENTS_A_SECOND = 10_000
SECONDS = 5
HEADERS = 30  # of an event without a channel's variables

# Counts what twenty clients hear, in a process of its own: the clients' work is not the switch's.
READERS = f"""
import selectors, socket, sys
chosen = selectors.DefaultSelector()
for _ in range({CLIENTS}):
    client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    client.sendall(b"auth ClueCon\\n\\nevent plain HEARTBEAT\\n\\n")
    chosen.register(client, selectors.EVENT_READ)
heard, left = 0, {CLIENTS}
print("ready", flush=True)
while left:
    for key, _ in chosen.select():
        data = key.fileobj.recv(1 << 20)
        heard += data.count(b"Event-Name: HEARTBEAT")
        if not data:
            chosen.unregister(key.fileobj)
            left -= 1
print(heard)
"""


def run() -> None:
    with tempfile.TemporaryDirectory() as folder:
        switch = Switch(RealClock(), Path(folder))
        switch.modules.load("mod_commands")
        server = EventSocketServer(switch, Settings(port=0))
        server.start()
        try:
            round_trips(server)
            many_events(switch, server)
        finally:
            server.stop()
            switch.close()


def round_trips(server: EventSocketServer) -> None:
    assert server.address is not None
    with socket.create_connection(server.address) as client:
        client.sendall(b"auth ClueCon\n\n")
        while b"accepted" not in client.recv(65536):
            continue
        times = []
        for _ in range(ROUND_TRIPS):
            began = time.perf_counter_ns()
            client.sendall(b"api status\n\n")
            client.recv(65536)
            times.append((time.perf_counter_ns() - began) / 1000)
    times.sort()
    print(
        f"api status: median {statistics.median(times):.0f} µs, 99 % within {times[len(times) * 99 // 100]:.0f} µs"
    )


def many_events(switch: Switch, server: EventSocketServer) -> None:
    assert server.address is not None
    readers = subprocess.Popen(
        [sys.executable, "-c", READERS, str(server.address[1])], stdout=subprocess.PIPE, text=True
    )
    assert readers.stdout is not None
    readers.stdout.readline()
    clock = switch.clock
    while not switch.bus.wants("HEARTBEAT"):
        clock.sleep(10 * MILLISECOND)
    clock.sleep(200 * MILLISECOND)
    tick = Tick()
    clock.add_pacer(tick)
    began, fired, cpu = clock.now(), 0, time.process_time()
    while clock.now() - began < SECONDS * SECOND:
        while fired < (clock.now() - began) * EVENTS_A_SECOND // SECOND:
            event = switch.new_event("HEARTBEAT")
            event.add_headers((f"Header-{number}", f"value {number}") for number in range(HEADERS))
            switch.fire(event)
            fired += 1
        clock.sleep(MILLISECOND)
    took, cpu = (clock.now() - began) / SECOND, time.process_time() - cpu
    late = sorted(tick.late)
    clock.sleep(2 * SECOND)
    server.stop()
    heard = int(readers.stdout.read())
    print(
        f"{fired / took:.0f} events a second to {CLIENTS} clients: {heard} of {fired * CLIENTS} heard, "
        f"{cpu / took:.0%} of a processor; ticks late by {statistics.median(late) / 1000:.1f} ms at the median, "
        f"{late[-1] / 1000:.1f} ms at most"
    )
    readers.wait()
