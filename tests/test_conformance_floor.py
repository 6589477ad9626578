from __future__ import annotations

import socket
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance_floor import (
    ConformanceError,
    Score,
    below,
    format_floor,
    group_of,
    main,
    parse_floor,
    raised,
    scores,
)

# A server that offers just enough of the event socket, and a runner that asks it for its verdicts.
SERVER = """#!{python}
import socketserver, sys
if "--help" in sys.argv:
    sys.exit(0)
assert sys.argv[1:3] == ["serve", "--conf"], sys.argv
sounds = []
class Door(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"Content-Type: auth/request\\n\\n")
        while text := self.rfile.readline().decode().strip():
            self.rfile.readline()
            if text == "auth ClueCon":
                self.wfile.write(b"Content-Type: command/reply\\nReply-Text: +OK accepted\\n\\n")
                continue
            if text.startswith("api global_setvar conformance_sounds="):
                sounds.append(text.partition("=")[2])
            reply = b"+OK\\n" if "global_setvar" in text else str(sounds).encode()
            self.wfile.write(b"Content-Type: api/response\\nContent-Length: %d\\n\\n" % len(reply) + reply)
socketserver.ThreadingTCPServer.allow_reuse_address = True
with socketserver.ThreadingTCPServer(("127.0.0.1", {port}), Door) as server:
    server.serve_forever()
"""
RUNNER = """
import pathlib, sys
sys.path.insert(0, {root!r})
from tests.conformance_floor import api
sounds = api(int(sys.argv[sys.argv.index("--port") + 1]), "status")
told = str(pathlib.Path(__file__).parent / "sounds") in sounds
print("ok  " if told else "FAIL", "lua/sounds.lua")
print("ok   api/cmd_acl.transcript:4 acl 1.2.3.4 lan")
print("FAIL api/cmd_acl.transcript:6 acl\\n     line 1: expected 'x', got 'y'")
print("2 passed, 1 failed")
"""


def test_groups_by_folder_and_name() -> None:
    assert group_of("api/cmd_acl_cidr.transcript:12") == "api/cmd_*"
    assert group_of("api/legs-hold.transcript") == "api/legs-*"
    assert group_of("api/expr.transcript:3") == "api/expr"
    assert group_of("lua/legs-uuid-dump.lua") == "lua/*"
    assert group_of("calls/calls-answer.call") == "calls/*"
    assert group_of("api/new.transcript") == "api/other"


def test_counts_only_result_lines() -> None:
    lines = [
        "ok   lua/a.lua",
        "FAIL lua/b.lua",
        "     line 1: expected 'ok lua/c.lua', got ''",
        "1 passed, 1 failed",
    ]
    assert scores(lines) == {"lua/*": Score(1, 1)}


def test_a_group_that_is_gone_is_below_its_floor() -> None:
    assert below({"lua/*": Score(5, 0)}, {"lua/*": 5, "calls/*": 1}) == ["calls/*"]
    assert below({"lua/*": Score(4, 1)}, {"lua/*": 5}) == ["lua/*"]


def test_the_floor_only_rises() -> None:
    floor = {"lua/*": 5, "calls/*": 3}
    assert raised({"lua/*": Score(9, 0), "calls/*": Score(2, 9)}, floor) == {"lua/*": 9, "calls/*": 3}


@pytest.mark.parametrize("text", ["lua/*", "lua/* x", "lua/* -1", "lua/* 1 2", "lua/* 1\nlua/* 2"])
def test_a_bad_floor_file_is_told(text: str) -> None:
    with pytest.raises(ConformanceError):
        parse_floor(text)


@given(st.dictionaries(st.from_regex(r"[a-z]+/[a-z*_-]+", fullmatch=True), st.integers(0, 10**8)))
def test_a_floor_file_reads_back(floor: dict[str, int]) -> None:
    assert parse_floor(format_floor(floor)) == floor


@given(st.text())
def test_any_text_is_a_floor_or_an_error(text: str) -> None:
    try:
        assert all(count >= 0 for count in parse_floor(text).values())
    except ConformanceError:
        pass


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """The command line for a made-up server, on a free port, and made-up cases."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    moonline = tmp_path / "moonline"
    moonline.write_text(SERVER.format(python=sys.executable, port=port))
    moonline.chmod(moonline.stat().st_mode | stat.S_IXUSR)
    root = str(Path(__file__).resolve().parent.parent)
    (tmp_path / "run.py").write_text(RUNNER.format(root=root))
    return [
        *("--cases", str(tmp_path), "--floor", str(tmp_path / "floor")),
        *("--moonline", str(moonline), "--port", str(port)),
    ]


def test_dormant_without_a_floor(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    assert capsys.readouterr().out == "conformance: not run, no floor yet\n"
    assert main(["--cases", str(tmp_path / "nowhere")]) == 0
    assert "no conformance cases" in capsys.readouterr().out


def test_runs_the_server_raises_the_floor_and_keeps_it(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--raise"]) == 0
    assert parse_floor((tmp_path / "floor").read_text()) == {"lua/*": 1, "api/cmd_*": 1}
    assert main(arguments) == 0
    capsys.readouterr()
    (tmp_path / "floor").write_text("api/cmd_* 2\n")
    assert main(arguments) == 1
    out = capsys.readouterr().out
    assert "BELOW" in out and "FAIL api/cmd_acl.transcript:6" in out and out.endswith("2 passed, 1 failed\n")


def test_a_server_that_does_not_start_fails_the_run(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "floor").write_text("lua/* 1\n")
    (tmp_path / "moonline").write_text('#!/bin/sh\n[ "$2" = --help ] || { echo no such profile; exit 3; }\n')
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert "no such profile" in error and "ended with 3" in error
