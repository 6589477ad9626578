"""`moonline serve` as a process: readiness, signals, the log file, the background."""

from __future__ import annotations

import contextlib
import errno
import os
import pty
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from host.console.client import Client, ClientError
from host.serve.own_address import own_mask
from host.serve.readiness import advice
from tests.eventually import eventually
from tests.free_ports import free_port

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
    free = free_port()
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


def start(arguments: Sequence[str], environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*RUN, *arguments], cwd=ROOT, env=environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


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
    lines += served.stdout.readlines()  # the log is written beside: its lines may come behind the readiness
    assert [line for line in lines if "mod_nosuch" in line]
    assert not [line for line in lines if "Traceback" in line]
    assert not (tmp_path / "pid").exists()
    eventually(lambda: client.goodbye.startswith("Disconnected, goodbye."))


def test_the_api_ends_it_too(served: subprocess.Popen[str], port: int) -> None:
    lines_to_ready(served)
    client = Client(port=port)
    told = dict(line.split("=", 1) for line in client.api("global_getvar").splitlines() if "=" in line)
    assert told["sound_prefix"] == told["sounds_dir"]
    assert {"data_dir", "localstate_dir", "fonts_dir"} <= told.keys()
    assert client.api("fsctl shutdown") == "+OK\n"
    assert served.wait() == 0


def test_the_mask_of_an_own_address() -> None:
    assert own_mask("127.0.0.1") == "255.0.0.0"
    assert own_mask("192.0.2.1") is None


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


TREE = """<document type="freeswitch/xml"><section name="configuration">
<X-PRE-PROCESS cmd="include" data="conf/*.xml"/>
</section><section name="dialplan"><context name="default"><extension name="a"><condition>
<action application="answer"/><action application="teleport"/></condition></extension></context></section></document>"""
PARTS = {
    "modules": '<configuration name="modules.conf"><modules><load module="mod_commands"/><load module="mod_dptools"/>'
    '<load module="mod_console"/><load module="mod_logfile"/><load module="mod_nosuch"/></modules></configuration>',
    "console": '<configuration name="console.conf"><settings><param name="loglevel" value="$${console_loglevel}"/>'
    "</settings></configuration>",
    "logfile": '<configuration name="logfile.conf"><profiles><profile name="default"><mappings>'
    '<map name="all" value="all"/></mappings></profile></profiles></configuration>',
    "switch": '<configuration name="switch.conf"><settings><param name="switchname" value="west"/></settings>'
    "</configuration>",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A configuration in several files, as FreeSWITCH's own is."""
    folder = tmp_path / "conf"
    (folder / "conf").mkdir(parents=True)
    (folder / "freeswitch.xml").write_text(TREE)
    for name, text in PARTS.items():
        (folder / "conf" / f"{name}.xml").write_text(f"<include>\n{text}\n</include>\n")
    return folder


def test_a_tree_of_configuration_files_starts_and_what_is_missing_is_told_once(
    tmp_path: Path, tree: Path
) -> None:
    process = start(["--conf", str(tree), "--base", str(tmp_path), "--set", "console_loglevel=warning"])
    lines = lines_to_ready(process)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0
    assert process.stdout is not None
    lines += process.stdout.readlines()
    process.stdout.close()
    warnings = [line.partition("] moonline:0 ")[2] for line in lines if "[WARNING]" in line]
    assert warnings == [
        "modules.conf names modules that are not there: mod_nosuch\n",
        "In the configuration the dialplan runs applications that are not there: teleport\n",
    ]
    assert not [line for line in lines if "[NOTICE]" in line or "[ERR]" in line or "Traceback" in line]
    assert "[NOTICE] moonline:0 Shutting down" in (tmp_path / "log" / "freeswitch.log").read_text()


@pytest.mark.parametrize(
    ("log_format", "beginning"), [("syslog", "<4>[WARNING] "), ("json", '{"timestamp": '), ("plain", "20")]
)
def test_log_lines_are_written_as_asked_for(
    tmp_path: Path, tree: Path, log_format: str, beginning: str
) -> None:
    log = tmp_path / "m.log"
    process = start(
        ["--conf", str(tree), "--base", str(tmp_path), "--log-format", log_format, "--log-file", str(log)]
    )
    lines = lines_to_ready(process)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0
    assert process.stdout is not None
    lines += process.stdout.readlines()
    process.stdout.close()
    assert next(line for line in lines if "mod_nosuch" in line).startswith(beginning)
    assert next(line for line in log.read_text().splitlines() if "mod_nosuch" in line).startswith(beginning)


def test_its_supervisor_hears_when_it_is_ready_and_when_it_ends(tmp_path: Path, tree: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.settimeout(30)
        supervisor.bind(str(tmp_path / "notify"))
        environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        process = start(["--conf", str(tree), "--base", str(tmp_path)], environment)
        assert supervisor.recv(100) == b"READY=1"
        process.send_signal(signal.SIGTERM)
        assert supervisor.recv(100) == b"STOPPING=1"
        assert process.wait() == 0
    assert process.stdout is not None
    process.stdout.close()


class Terminal:
    """A server on a terminal of its own, and what it shows there."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._end, other = pty.openpty()
        environment = {**os.environ, "PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm", "HOME": str(folder)}
        self.process = subprocess.Popen(
            [*RUN, *arguments], cwd=ROOT, env=environment, start_new_session=True,
            stdin=other, stdout=other, stderr=other,
        )  # fmt: skip
        os.close(other)
        self._seen = b""

    def until(self, text: str) -> str:
        """Return what was shown up to and with `text`, and forget it."""
        while text.encode() not in self._seen:
            try:
                self._seen += os.read(self._end, 65536)
            except OSError:
                raise AssertionError(f"{text!r} never came, but {self._seen!r}") from None
        end = self._seen.index(text.encode()) + len(text.encode())
        seen, self._seen = self._seen[:end], self._seen[end:]
        return seen.decode(errors="replace")

    def type(self, keys: str) -> None:
        os.write(self._end, keys.encode())

    def rest(self) -> str:
        with contextlib.suppress(OSError):
            while data := os.read(self._end, 65536):
                self._seen += data
        os.close(self._end)
        return self._seen.decode()


@pytest.fixture
def terminal(tmp_path: Path, tree: Path) -> Iterator[Terminal]:
    pytest.importorskip("prompt_toolkit")
    terminal = Terminal(tmp_path, "--conf", str(tree), "--base", str(tmp_path))
    terminal.until("moonline@")
    yield terminal
    terminal.process.kill()
    terminal.process.wait()


def test_on_a_terminal_it_shows_a_prompt(terminal: Terminal) -> None:
    terminal.type("echo hel\u00e4lo\r")
    terminal.until("hel\u00e4lo\r\n")
    terminal.type("/log debug\r")
    terminal.until("+OK log level debug [7]")
    terminal.type("/event plain API\r")
    terminal.until("+OK event listener enabled plain")
    terminal.type("\x1bOQ")  # F2
    terminal.until("API-Command: status")
    terminal.until("UP 0 years")
    for keys in ("/quit\r", "\x04"):
        terminal.type(keys)
        terminal.until("`...` ends the server")
        terminal.until("moonline@")
    terminal.type("...\r")
    assert "Shutting down" in terminal.rest()
    assert terminal.process.wait() == 0


def test_a_signal_takes_the_prompt_away(terminal: Terminal) -> None:
    terminal.process.send_signal(signal.SIGTERM)
    shown = terminal.rest()
    assert terminal.process.wait() == 0
    assert shown.rindex("\x1b[?2004l") > shown.rfind("\x1b[?2004h")  # the terminal is as it was


def test_a_prompt_is_not_shown_where_none_is_wanted(tmp_path: Path, tree: Path) -> None:
    terminal = Terminal(tmp_path, "--conf", str(tree), "--base", str(tmp_path), "--no-console")
    terminal.until("moonline is ready")
    terminal.process.send_signal(signal.SIGTERM)
    assert "moonline@" not in terminal.rest()
    assert terminal.process.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--conf", "/no/such/folder"], "there is no configuration /no/such/folder"),
        (["--scripts", "/no/such/folder"], "there is no folder /no/such/folder"),
        (["--log-level", "loud"], "loud is no log level"),
        (["--set", "nothing"], "--set takes NAME=VALUE"),
        (["--background", "--conf", "/no/such/folder"], "there is no configuration"),
        (["--sip", "here"], "--sip here: here is no IP address"),
        (["--sip", "127.0.0.1:0"], "--sip 127.0.0.1:0: 0 is no port"),
        (["--sip", "127.0.0.1:99999"], "--sip 127.0.0.1:99999: 99999 is no port (1 to 65535)"),
        (["--sip", "127.0.0.1", "--conf", "/no/such"], "--sip goes without --conf"),
        (["--phone", "here:8060"], "--phone here:8060: here is no IP address"),
        (["--phone", "0"], "--phone 0: 0 is no port"),
        (["--phone", "--conf", "/no/such"], "--phone goes without --conf"),
        (["--port", "99999"], "--port: 99999 is no port (1 to 65535)"),
        (["--port", "8022", "--conf", "/no/such"], "--port goes without --conf"),
        (["--metrics", "port"], "--metrics takes [ADDRESS:]PORT, not port"),
        (["--metrics", "99999"], "--metrics takes [ADDRESS:]PORT, not 99999: 99999 is no port (1 to 65535)"),
        (["--pid-file", "/no/such/file"], "--pid-file /no/such/file: there is no folder /no/such"),
    ],
)
def test_wrong_options_are_told_before_anything_starts(arguments: list[str], reason: str) -> None:
    done = subprocess.run([*RUN, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"moonline: {reason}")
    assert done.stderr.count("\n") == 1 and not done.stdout


def test_a_taken_port_of_the_event_socket_is_told_and_listened_on_once_it_is_free(
    tmp_path: Path, port: int
) -> None:
    with socket.create_server(("127.0.0.1", port)):
        process = start(options(tmp_path, "--log-level", "warning"))
        lines = lines_to_ready(process)
    try:
        refused = f"127.0.0.1:{port}: {os.strerror(errno.EADDRINUSE)}"
        assert lines[-1].startswith(f"moonline is ready: no event socket ({refused}), ")
        advice = (
            f"{refused}. Another server has the port: stop that one, or choose another port with listen-port"
        )
        # The log is written beside: its line may come behind the one that says it is ready.
        assert process.stdout is not None
        while not any(advice in line for line in lines):
            lines.append(process.stdout.readline())
            assert lines[-1], lines
        while True:
            try:
                client = Client(port=port)
                break
            except ClientError:  # it looks again every tenth of a second
                continue
        assert client.api("status")
    finally:
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_a_taken_sip_port_is_told_in_the_last_line(tmp_path: Path, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        process = start(["--base", str(tmp_path), "--sip", where, "--port", str(port)])
        told = process.communicate()[0].splitlines()
    assert process.returncode == 1
    assert told[-1] == (
        f"moonline: --sip {where}: udp {where}: {os.strerror(errno.EADDRINUSE)}. Another server has the port: "
        "stop that one, or choose another port with --sip ADDRESS:PORT"
    )


def test_what_helps_where_an_address_is_refused() -> None:
    assert advice(f"::1:80: {os.strerror(errno.EADDRNOTAVAIL)}", "--port").endswith(
        "This machine has no such address: choose one of its own with --port"
    )
    assert advice("Permission denied", "--port") == "Permission denied"


def test_it_answers_with_metrics_where_it_is_told_to(tmp_path: Path, port: int) -> None:
    free = free_port()
    process = start(options(tmp_path, "--metrics", str(free), "--log-level", "warning"))
    try:
        lines_to_ready(process)
        with urllib.request.urlopen(f"http://127.0.0.1:{free}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        assert "moonline_sessions 0.0\n" in text and "moonline_media_ticks_total " in text
        again = start(options(tmp_path, "--metrics", str(free), "--set", "x=1"))
        assert again.communicate()[0].endswith(
            f"moonline: no metrics on 127.0.0.1:{free}: {os.strerror(errno.EADDRINUSE)}. Another server has the port: "
            "stop that one, or choose another port with --metrics\n"
        )
        assert again.returncode == 1
    finally:
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
