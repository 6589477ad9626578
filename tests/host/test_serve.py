"""`moonline serve` as a process: readiness, signals, the log file, the background."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from host.console.client import Client, ClientError

ROOT = Path(__file__).resolve().parents[2]
RUN = [sys.executable, "-c", "import sys; from host.serve import main; sys.exit(main(sys.argv[1:]))"]

CONFIGURATION = """<document type="freeswitch/xml"><section name="configuration">
<configuration name="modules.conf"><modules><load module="mod_commands"/><load module="mod_nosuch"/>
<load module="mod_event_socket"/></modules></configuration>
<configuration name="event_socket.conf"><settings><param name="listen-port" value="{port}"/></settings></configuration>
</section></document>"""


@pytest.fixture
def port(tmp_path: Path) -> int:
    """A free port that the configuration in `conf` listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = int(listener.getsockname()[1])
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "freeswitch.xml").write_text(CONFIGURATION.format(port=free))
    return free


def options(folder: Path, *more: str) -> list[str]:
    return [
        "--conf",
        str(folder / "conf"),
        "--base",
        str(folder),
        "--log-file",
        str(folder / "log" / "m.log"),
        *more,
    ]


@pytest.fixture
def served(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    process = start(options(tmp_path, "--pid-file", str(tmp_path / "pid"), "--log-level", "warning"))
    yield process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def start(arguments: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*RUN, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def lines_to_ready(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    while lines[-1] and not lines[-1].startswith("moonline is ready"):
        lines.append(process.stdout.readline())
    return lines


def test_it_says_when_it_is_ready_and_ends_cleanly(
    served: subprocess.Popen[str], tmp_path: Path, port: int
) -> None:
    lines = lines_to_ready(served)
    assert lines[-1] == (
        f"moonline is ready: event socket 127.0.0.1:{port}, 2 modules, scripts in {tmp_path}/scripts\n"
    )
    assert [line for line in lines if "mod_nosuch" in line]
    assert (tmp_path / "pid").read_text() == f"{served.pid}\n"
    log = tmp_path / "log" / "m.log"
    log.rename(tmp_path / "old.log")
    served.send_signal(signal.SIGHUP)
    client = Client(port=port)
    while not log.exists() or "SIGHUP" not in log.read_text():
        client.api("status")
    served.send_signal(signal.SIGTERM)
    assert served.wait() == 0
    assert served.stdout is not None
    assert "Traceback" not in served.stdout.read()
    assert not (tmp_path / "pid").exists()
    assert client.goodbye.startswith("Disconnected, goodbye.")


def test_the_api_ends_it_too(served: subprocess.Popen[str], port: int) -> None:
    lines_to_ready(served)
    assert Client(port=port).api("fsctl shutdown") == "+OK\n"
    assert served.wait() == 0


def test_in_the_background_it_says_the_same_and_goes_on(tmp_path: Path, port: int) -> None:
    pid_file = tmp_path / "pid"
    done = subprocess.run(
        [*RUN, *options(tmp_path, "--pid-file", str(pid_file), "--background")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout[:17]) == (0, "moonline is ready")
    pid = int(pid_file.read_text())
    client = Client(port=port)
    assert client.api("echo x") == "x"
    os.kill(pid, signal.SIGTERM)
    with pytest.raises(ClientError):
        while True:
            client.api("echo x")
    while pid_file.exists():
        os.sched_yield()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--conf", "/no/such/folder"], "there is no configuration /no/such/folder"),
        (["--scripts", "/no/such/folder"], "there is no folder /no/such/folder"),
        (["--log-level", "loud"], "loud is no log level"),
        (["--set", "nothing"], "--set takes NAME=VALUE"),
        (["--background", "--conf", "/no/such/folder"], "there is no configuration"),
    ],
)
def test_why_it_does_not_start(arguments: list[str], reason: str) -> None:
    done = subprocess.run([*RUN, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"moonline: {reason}")
