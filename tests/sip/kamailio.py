"""Kamailio as the documentation sets it up, with the addresses of a test."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import pytest

from tests.sip.certificate import make_certificate
from tests.sip.free_ports import free_port
from tests.sip.peer_process import PeerProcess

CONFIGURATION = Path(__file__).resolve().parents[2] / "docs" / "kamailio" / "kamailio.cfg"
# Where Debian has them, which is not on everybody's PATH.
_FOLDERS = os.environ.get("PATH", os.defpath) + os.pathsep + "/usr/sbin"


class Kamailio:
    """A running edge in front of hosts, given by their ports. `folder` holds certificate.pem and key.pem."""

    def __init__(self, folder: Path, hosts: Sequence[int]) -> None:
        """Prepare the files."""
        program, control = (shutil.which(name, path=_FOLDERS) for name in ("kamailio", "kamcmd"))
        if program is None or control is None:
            pytest.skip(
                "kamailio is not installed; `make peers` installs it on Debian (kamailio, kamailio-tls-modules)"
            )
        self._control_program = control
        self.folder = folder
        self.port, self.tls_port, self.inside_port = free_port(), free_port(), free_port()
        self._control = f"unixs:{folder}/ctl"
        (folder / "dispatcher.list").write_text(
            "".join(f"1 sip:127.0.0.1:{port} 0 0 socket=udp:127.0.0.1:{self.inside_port}\n" for port in hosts)
        )
        example = CONFIGURATION.with_name("tls.cfg").read_text()
        (folder / "tls.cfg").write_text(example.replace("/etc/kamailio", str(folder)))
        defines = {
            "EDGE_UDP": f"udp:127.0.0.1:{self.port}",
            "EDGE_TCP": f"tcp:127.0.0.1:{self.port}",
            "EDGE_TLS": f"tls:127.0.0.1:{self.tls_port}",
            "INSIDE_UDP": f"udp:127.0.0.1:{self.inside_port}",
            "DISPATCHER_LIST": f'"{folder}/dispatcher.list"',
            "TLS_CONFIG": f'"{folder}/tls.cfg"',
            "CONTROL_SOCKET": f'"{self._control}"',
            "HOST_ANSWERS_MS": "2500",  # a host that is up answers within it, however busy the machine is
            "PING_SECONDS": "1",
        }
        self._command = [
            program, "-f", str(CONFIGURATION), "-DD", "-E", "-w", str(folder), "-Y", str(folder), "-m", "32", "-M", "4",
        ]  # fmt: skip
        for name, value in defines.items():
            self._command += ["-A", f"{name}={value}"]

    def __enter__(self) -> Kamailio:
        """Start it and wait until it answers and has every host up."""
        self._process = PeerProcess(self._command, self.folder / "kamailio.log")
        self._process.wait_until(lambda: "URI" in self.hosts())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._process.end()

    def control(self, *words: str) -> str:
        """Run a command of kamcmd and return what it prints."""
        command = [self._control_program, "-s", self._control, *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def hosts(self) -> str:
        """Return the list of hosts with their state: AP is up, IP down."""
        return self.control("dispatcher.list")

    def state_of(self, port: int) -> str:
        """Return the state of one host: AP is up, IP down, empty for none."""
        _, found, rest = self.hosts().partition(f"sip:127.0.0.1:{port}\n")
        return rest.partition("FLAGS:")[2].split()[0] if found else ""


def edge(folder: Path, ports: Sequence[int]) -> Kamailio:
    """Return an edge with a certificate of its own, in a new folder."""
    folder.mkdir()
    make_certificate(folder)
    return Kamailio(folder, ports)
