"""The command `moonline` as a shell runs it: what it says, where, and with which exit status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "import sys; from host.cli import main; sys.exit(main())"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ivr.lua").write_text('session:answer() session:streamFile("ivr/ivr-welcome.wav")\n')
    (tmp_path / "bytes.lua").write_bytes(b'print("\xff\xfe") freeswitch.consoleLog("info", "caf\xe9\\n")\n')
    (tmp_path / "long.lua").write_text("session:answer() while session:ready() do session:sleep(100) end\n")
    (tmp_path / "broken.yaml").write_text("press: [1\n")
    return tmp_path


def moonline(
    folder: Path, *arguments: str | bytes, stdout: int | None = subprocess.PIPE, **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the command in `folder` with these environment variables beside the others."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["none.lua"], "none.lua: there is no such script"),
        (["ivr.lua", "--say", "none.wav@1s"], "Error Opening File [none.wav]"),
        (["ivr.lua", "--speak", "yes@1s", "--voice", "none"], "espeak-ng has no voice 'none'"),
        (["ivr.lua", "--base", "none"], "--base none: there is no such folder"),
        (["ivr.lua", "--record", "heard"], "heard: the name's ending says the format: write heard.wav"),
        (["ivr.lua", "--timeline", "none/call.html"], "none/call.html: No such file or directory"),
        (["ivr.lua", "--caller", "broken.yaml"], "broken.yaml:2: expected ',' or ']'"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line_before_the_call(
    folder: Path, arguments: list[str], line: str
) -> None:
    done = moonline(folder, "call", *arguments)
    assert done.returncode == 2 and done.stdout == b""
    told = done.stderr.decode()
    assert told.startswith(f"moonline call: {line}") and told.count("\n") == 1


def test_an_option_that_is_none_is_told_by_the_subcommand(folder: Path) -> None:
    done = moonline(folder, "call", "ivr.lua", "--nosuch")
    assert done.returncode == 2
    usage, error = done.stderr.decode().splitlines()
    assert usage.startswith("usage: moonline call ")
    assert error == "moonline call: error: unrecognized arguments: --nosuch"


def test_a_script_that_is_not_named_is_all_that_is_missing(folder: Path) -> None:
    assert moonline(folder, "call").stderr.endswith(b"error: the following arguments are required: SCRIPT\n")


@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii", "iso-8859-1"])
def test_bytes_that_the_terminal_cannot_show_end_no_call(folder: Path, encoding: str) -> None:
    done = moonline(folder, "call", "bytes.lua", PYTHONIOENCODING=encoding)
    assert done.returncode == 0 and done.stderr == b""
    assert rb"\udcff\udcfe" in done.stdout and rb"caf\udce9" in done.stdout


def test_a_script_with_a_name_of_any_bytes(folder: Path) -> None:
    os.rename(os.fsencode(folder / "ivr.lua"), os.fsencode(folder) + b"/caf\xe9.lua")
    done = moonline(folder, "call", b"caf\xe9.lua", PYTHONIOENCODING="utf-8:strict")
    assert done.returncode == 0 and done.stderr == b""


@pytest.mark.parametrize("arguments", [["call", "ivr.lua"], ["call", "ivr.lua", "--json"], ["definitions"]])
def test_a_full_disk_behind_the_output_is_told(folder: Path, arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = moonline(folder, *arguments, stdout=full.fileno())
    assert done.returncode == 2
    assert done.stderr.decode() == f"moonline {arguments[0]}: standard output: No space left on device\n"


def test_a_closed_output_ends_no_call(folder: Path) -> None:
    script = 'exec "$@" >&-; exit 99'
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-c", script, "sh", *COMMAND, "call", "ivr.lua", "--record", "heard.wav"],
        cwd=folder, env=environment, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and done.stderr == b""
    assert (folder / "heard.wav").stat().st_size > 44


def long_call(folder: Path) -> subprocess.Popen[bytes]:
    """Start a call in real time that goes on until it is ended."""
    # Whoever runs the suite in the background has it ignore interrupts, and so would what it starts.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [*COMMAND, "call", "long.lua", "--realtime", "--limit", "30s"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    finally:
        signal.signal(signal.SIGINT, former)


def test_a_reader_that_goes_ends_the_call(folder: Path) -> None:
    with long_call(folder) as process:
        assert process.stdout is not None and process.stderr is not None
        assert b"call" in process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_an_interrupt_hangs_up_and_is_told(folder: Path) -> None:
    with long_call(folder) as process:
        assert process.stdout is not None and process.stderr is not None
        while b"answers" not in process.stdout.readline():
            continue
        process.send_signal(signal.SIGINT)
        assert b"hung up by the caller" in process.stdout.read()
        assert process.stderr.read() == b"moonline: interrupted\n"
    assert process.returncode == 130


def test_a_server_that_does_not_answer(folder: Path) -> None:
    done = moonline(folder, "api", "--port", "1", "status")
    assert done.returncode == 1
    assert done.stderr == b"moonline: no server answers at 127.0.0.1:1: Connection refused\n"


def test_a_base_folder_that_is_a_file(folder: Path) -> None:
    done = moonline(folder, "serve", "--base", "ivr.lua")
    assert done.returncode == 1
    assert done.stderr.decode() == f"moonline: --base {folder}/ivr.lua: a file is in the way of that folder\n"
