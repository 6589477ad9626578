"""SIPp as a peer: scenario files made whole, the program run, its figures read."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import pytest
from lxml import etree

from tests.sip.free_ports import free_port, free_ports
from tests.sip.raw_phone import RawPhone
from tests.sip.raw_phone import field as header
from tests.sip.until import PATIENCE, until

SCENARIOS = Path(__file__).parent / "scenarios"
PARTS = SCENARIOS / "parts"
_MEDIA_PORTS = 6


def whole_scenario(path: Path, linger: int = 0) -> bytes:
    """Return a scenario as SIPp reads it.

    `<part name="x"/>` stands for `parts/x.sip` (text of a message) or `parts/x.xml` (the elements in it). The text of
    each `send` becomes the CDATA section that SIPp asks for, and every variable that is set counts as used. After its
    end a call goes on for `linger` ms to answer what is sent again.
    """
    tree = etree.parse(str(path), etree.XMLParser(remove_comments=True, strip_cdata=True))
    root = tree.getroot()
    while (part := root.find(".//part")) is not None:
        _insert(part)
    for message in root.iter("send"):
        text = "".join(str(piece) for piece in message.itertext())
        actions = message.find("action")
        message.text = etree.CDATA("\n" + text.strip("\n") + "\n\n")
        assert actions is None, "SIPp takes actions of a send only beside its text"
    if linger:
        etree.SubElement(root, "timewait", milliseconds=str(linger))
    names = {name for used in root.iter() for name in used.get("assign_to", "").split(",") if name}
    if names and root.find("Reference") is None:
        etree.SubElement(root, "Reference", variables=",".join(sorted(names)))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _insert(part: etree._Element) -> None:
    name = part.get("name", "")
    parent = part.getparent()
    assert parent is not None
    text_file = PARTS / f"{name}.sip"
    if text_file.exists():
        text = text_file.read_text().rstrip("\n") + (part.tail or "")
        before = part.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + text
        else:
            parent.text = (parent.text or "") + text
    else:
        for element in etree.parse(
            str(PARTS / f"{name}.xml"), etree.XMLParser(remove_comments=True)
        ).getroot():
            part.addprevious(deepcopy(element))
    parent.remove(part)


@dataclass(frozen=True, slots=True)
class SippResult:
    """How a run of SIPp went; `said` is its error log and, where asked for, the messages."""

    exit_status: int
    calls: int
    failed: int
    retransmissions: int
    response_times: Sequence[float]
    said: str

    @property
    def summary(self) -> str:
        """What went over the line, a line for each message, and why the run failed."""
        lines, way = [f"exit status {self.exit_status}, {self.calls} good calls, {self.failed} bad ones"], ""
        for line in self.said.splitlines():
            if re.match(r"\S+ message (sent|received)", line):
                way = "->" if " sent" in line else "<-"
            elif way and line.strip():
                lines.append(f"  {way} {line.strip()}")
                way = ""
            elif (
                " while " in line or "nexpected BYE" in line or "timed out" in line or "Failed regexp" in line
            ):
                lines.append(line.strip()[:300])
        return "\n".join(lines[:60])

    @property
    def passed(self) -> bool:
        """Whether every call went as the scenario says."""
        return self.exit_status == 0 and self.failed == 0 and self.calls > 0


@dataclass(slots=True)
class Sipp:
    """A run of SIPp. `remote` None is a callee that waits; `keys` fill `[name]` in the scenario's texts.

    `transport` is SIPp's: u1 one UDP socket, t1 one TCP connection. `seconds` bounds the whole run.
    """

    scenario: str
    remote: tuple[str, int] | None = None
    service: str = "service"
    keys: Mapping[str, str] = field(default_factory=dict)
    calls: int = 1
    rate: float = 10.0
    limit: int = 0
    linger: int = 0
    transport: str = "u1"
    seconds: float = PATIENCE
    port: int = field(default_factory=free_port)
    call_id: str = ""
    user: str = ""
    password: str = ""
    trace: bool = True
    response_times: bool = False
    options: Sequence[str] = ()
    _process: subprocess.Popen[str] | None = None
    _folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Sipp:
        """Start it."""
        program = sipp_program()
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        scenario = folder / "scenario.xml"
        scenario.write_bytes(whole_scenario(SCENARIOS / f"{self.scenario}.xml", self.linger))
        command = [program]
        if self.remote is not None:
            command += [f"{self.remote[0]}:{self.remote[1]}", "-r", str(self.rate)]
        command += [
            "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(self.port), "-m", str(self.calls),
            "-mp", str(free_ports(_MEDIA_PORTS)), "-s", self.service, "-nostdin",
            "-t", self.transport, "-timeout", f"{self.seconds:.0f}s", "-timeout_error",
            "-trace_err", "-error_file", str(folder / "errors"),
            "-trace_stat", "-stf", str(folder / "figures"), "-fd", "3600",
        ]  # fmt: skip
        keys = {"caller": "caller", "contact": self.address, **self.keys}
        if self.limit:
            command += ["-l", str(self.limit)]
        if self.trace:
            command += ["-trace_msg", "-message_file", str(folder / "messages")]
        if self.response_times:
            command += ["-trace_rtt", "-rtt_freq", "1"]
        if self.call_id:
            command += ["-cid_str", self.call_id]
        if self.user:
            command += ["-au", self.user, "-ap", self.password]
        for name, value in keys.items():
            command += ["-key", name, value]
        self._process = subprocess.Popen(
            [*command, *self.options], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="replace",
        )  # fmt: skip
        if self.remote is None:  # whoever calls it at once, as a connection, is refused before it listens
            until(lambda: self._listens() or self._ended(), f"SIPp listens at {self.address}")
        return self

    def _listens(self) -> bool:
        table = Path("/proc/net/tcp" if self.transport.startswith("t") else "/proc/net/udp").read_text()
        return re.search(rf"^\s*\d+: [0-9A-F]{{8}}:{self.port:04X} ", table, re.MULTILINE) is not None

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    @property
    def address(self) -> str:
        """Where it listens, as in a SIP URI."""
        return f"127.0.0.1:{self.port}"

    def wait_until_said(self, text: str, times: int = 1) -> None:
        """Wait until the messages so far hold a regular expression so often. AssertionError when they do not."""
        until(lambda: len(re.findall(text, self._said())) >= times, lambda: f"{text} in {self._said()}")

    def nudge(self) -> None:
        """Have a callee go on that waits for OPTIONS in its call: they come from no part of the call, but from here."""
        self.wait_until_said("INVITE sip:")
        with RawPhone(self.port) as phone:
            phone.send(phone.request("OPTIONS", call_id=header(self._said(), "Call-ID")).encode())

    def _said(self) -> str:
        assert self._folder is not None
        messages = Path(self._folder.name) / "messages"
        return messages.read_text(errors="replace") if messages.exists() else ""

    def wait(self) -> SippResult:
        """Wait until it ends, for a little longer than it gives itself, and return how it went."""
        assert self._process is not None and self._folder is not None
        try:
            _, printed = self._process.communicate(timeout=self.seconds + 10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            _, printed = self._process.communicate()
        folder = Path(self._folder.name)
        figures = _figures(folder / "figures")
        said = [printed.strip()]
        said += [
            path.read_text(errors="replace")
            for name in ("errors", "messages")
            if (path := folder / name).exists()
        ]
        return SippResult(
            self._process.returncode,
            int(figures.get("SuccessfulCall(C)", "0")),
            int(figures.get("FailedCall(C)", "0")),
            int(figures.get("Retransmissions(C)", "0")),
            _response_times(folder),
            "\n".join(said),
        )

    def run(self) -> SippResult:
        """Start it and wait until it ends."""
        with self:
            return self.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it if it runs, and remove its files."""
        assert self._process is not None and self._folder is not None
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
        self._folder.cleanup()


def sipp_program() -> str:
    """Return where SIPp is; the test is skipped where it is not."""
    program = shutil.which("sipp")
    if program is None:
        pytest.skip("sipp is not installed; `make peers` installs it on Debian (sip-tester)")
    return program


def _figures(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    rows = list(csv.DictReader(path.read_text(errors="replace").splitlines(), delimiter=";"))
    return rows[-1] if rows else {}


def _response_times(folder: Path) -> list[float]:
    """Return the times in ms that `-trace_rtt` wrote."""
    times = []
    for path in folder.glob("*_rtt.csv"):
        for line in path.read_text().splitlines()[1:]:
            times.append(float(line.split(";")[1]))
    return times
