"""`moonline serve` as a process that SIP peers talk to, watched over the event socket and /proc."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from host.console.client import Client, Message, parse_event
from tests.sip.host_configuration import HostPorts
from tests.sip.until import PATIENCE, until

ROOT = Path(__file__).resolve().parents[2]
RUN = [sys.executable, "-c", "import sys; from host.serve import main; sys.exit(main(sys.argv[1:]))"]
EVENTS = (
    "CHANNEL_CREATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER CHANNEL_BRIDGE CHANNEL_HOLD "
    "CHANNEL_UNHOLD CHANNEL_HANGUP_COMPLETE DTMF MESSAGE RECV_INFO RECV_MESSAGE CUSTOM sofia::register "
    "sofia::unregister sofia::expire sofia::register_failure sofia::gateway_state"
)
_STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a host holds of the system: of all its processes threads, descriptors and resident kB; its RTP ports."""

    threads: int
    descriptors: int
    resident: int
    rtp_ports: int


class ServedHost:
    """A running host. Its events are kept in `events`."""

    def __init__(
        self, process: subprocess.Popen[str], ports: HostPorts, folder: Path, *, watched: bool = True
    ) -> None:
        """Connect to a host that said it is ready; one that is not `watched` is asked for no events."""
        self.process = process
        self.ports = ports
        self.folder = folder
        self.events: list[Message] = []
        self._heard = threading.Condition()
        self._listener = Client(port=ports.event_socket, hear=self._hear)
        if watched:
            answer = self._listener.send(f"event plain {EVENTS}")
            assert not answer.refused, answer.reply

    def _hear(self, message: Message) -> None:
        if message.kind == "text/event-plain":
            with self._heard:
                self.events.append(parse_event(message.body))
                self._heard.notify_all()

    def api(self, line: str) -> str:
        """Run an API command on a connection of its own, so that others go on, and return what it prints."""
        with closing(Client(port=self.ports.event_socket)) as client:
            return client.send(f"api {line}").reply

    def event(
        self, wanted: Callable[[Message], bool], seconds: float = PATIENCE, what: str = "the event"
    ) -> Message:
        """Return the first event that is wanted, which may still come. AssertionError when it does not."""
        found = self.find(wanted, seconds)
        assert found is not None, f"{what} did not come within {seconds} s"
        return found

    def find(self, wanted: Callable[[Message], bool], seconds: float = 0.0) -> Message | None:
        """Return the first event that is wanted and comes within so many seconds."""
        deadline = time.monotonic() + seconds
        seen = 0
        with self._heard:
            while True:
                for event in self.events[seen:]:
                    if wanted(event):
                        return event
                seen = len(self.events)
                left = deadline - time.monotonic()
                if left <= 0 or not self._heard.wait(left):
                    return None

    def of_row(self, row: str, name: str = "", direction: str = "") -> Callable[[Message], bool]:
        """Return what tells the events of a row's calls: by the variable `row`, else by the number dialled."""

        def wanted(event: Message) -> bool:
            of_it = row in (event.get("variable_row"), event.get("Caller-Destination-Number"))
            return (
                of_it
                and name in ("", event.get("Event-Name"))
                and direction in ("", event.get("Call-Direction"))
            )

        return wanted

    def count(self, row: str, name: str) -> int:
        """Return how many events of that name a row's calls had so far."""
        return len(list(filter(self.of_row(row, name), list(self.events))))

    def channels(self) -> int:
        """Return how many channels there are."""
        return int(self.api("show channels count").split()[0])

    def processes(self) -> list[int]:
        """Return the numbers of the host's process and of those it started."""
        found = [self.process.pid]
        for pid in found:
            with suppress(OSError):  # one of them has ended
                for task in Path(f"/proc/{pid}/task").iterdir():
                    with suppress(OSError):  # the thread has ended
                        found += [int(child) for child in (task / "children").read_text().split()]
        return found

    def footprint(self) -> Footprint:
        """Count what the host holds."""
        threads = descriptors = resident = 0
        for pid in self.processes():
            try:
                text = Path(f"/proc/{pid}/status").read_text()
                opened = len(os.listdir(f"/proc/{pid}/fd"))
            except OSError:
                continue  # it has ended, and holds nothing
            status = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
            threads += int(status["Threads"])
            resident += int(status.get("VmRSS", "0 kB").split()[0])  # one that is just ending has no memory
            descriptors += opened
        return Footprint(threads, descriptors, resident, len(self.rtp_ports()))

    def cpu_seconds(self) -> float:
        """Return the processor time that the host's processes have used."""
        ticks = 0
        for pid in self.processes():
            with suppress(OSError):  # it has ended
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def rtp_ports(self) -> list[int]:
        """Return the ports of the host's RTP range that are open."""
        first, count = self.ports.rtp, self.ports.rtp_count
        numbers = [
            int(line.split()[1].rpartition(":")[2], 16)
            for line in Path("/proc/net/udp").read_text().splitlines()[1:]
        ]
        return sorted({number for number in numbers if first <= number < first + count})

    def at_rest(self, threads: int, descriptors: int) -> list[str]:
        """Return what is left of calls once they had time to end; of threads and descriptors what is beyond these."""
        with suppress(AssertionError):
            until(lambda: not self._left(threads, descriptors), "at rest")
        return self._left(threads, descriptors)

    def _left(self, threads: int, descriptors: int) -> list[str]:
        left = []
        channels = self.api("show channels").strip()
        if not channels.startswith("0 total"):
            left.append(f"channels: {channels}")
        held = self.footprint()
        if held.rtp_ports:
            left.append(f"RTP ports: {self.rtp_ports()}")
        if held.threads > threads:
            left.append(f"{held.threads} threads, not {threads}")
        if held.descriptors > descriptors:
            left.append(f"{held.descriptors} descriptors, not {descriptors}")
        return left

    def log(self) -> str:
        """Return the log so far."""
        file = self.folder / "moonline.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def complaints(self) -> list[str]:
        """Return lines of the log, and of what was printed, that tell of a failure inside the host."""
        text = self.log() + "\n" + (self.folder / "printed.txt").read_text(errors="replace")
        return [
            line
            for line in text.splitlines()
            if "Traceback (most recent call last)" in line or "[CRIT]" in line
        ]

    def stop(self) -> int:
        """End the host as an operator does, and return its exit status."""
        self._listener.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return -signal.SIGKILL


@contextmanager
def served_host(
    folder: Path, conf: Path | None, ports: HostPorts, options: Sequence[str] = (), *, watched: bool = True
) -> Iterator[ServedHost]:
    """Run `moonline serve` with the configuration in `conf`, or with its own, and end it.

    One that is `watched` writes its whole log to a file and tells its events, which costs it time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    printed = folder / "printed.txt"
    command = [
        *RUN, *(("--conf", str(conf)) if conf is not None else ()),
        "--base", str(folder), "--no-console", "--log-level", "warning",
        *(("--log-file", str(folder / "moonline.log")) if watched else ()), *options,
    ]  # fmt: skip
    with printed.open("w") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, text=True
        )
    try:
        until(
            lambda: process.poll() is not None or "moonline is ready" in printed.read_text(),
            lambda: f"the host is ready: {printed.read_text()[-2000:]}",
        )
        assert process.poll() is None, f"the host ended: {printed.read_text()[-2000:]}"
        host = ServedHost(process, ports, folder, watched=watched)
        yield host
        if process.poll() is None:
            assert host.stop() == 0, "the host did not end by itself"
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
