"""Log lines on their way to a terminal and to a file."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from host import log_writer
from host.clock import RealClock
from host.log import LogEntry, LogLevel
from host.log_line import coloured, file_line, json_line, log_line, printable
from host.log_writer import LogFile, LogWriter, into_file, on_terminal
from host.switch import Switch


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    made = Switch(RealClock(), tmp_path)
    yield made
    made.close()


def entry(text: str = "hello", level: LogLevel = LogLevel.NOTICE, uuid: str = "") -> LogEntry:
    return LogEntry(level, text, 1_795_000_000_000_123, uuid, "a.lua", 3, "f")


def test_a_line_as_freeswitch_writes_it() -> None:
    line = log_line(entry(), 26.27)
    assert line[4] == "-" and line.endswith(".000123 26.27% [NOTICE] a.lua:3 hello\n")
    assert file_line(entry(uuid="u-1"), 1.0).startswith("u-1 20")
    assert file_line(entry(), 1.0)[:2] == "20"
    assert log_line(LogEntry(LogLevel.INFO, "raw", 0, clean=True), 1.0) == "raw\n"
    assert json.loads(json_line(entry(uuid="u-1"))) == {
        "timestamp": 1_795_000_000_000_123,
        "level": 5,
        "uuid": "u-1",
        "file": "a.lua",
        "line": 3,
        "function": "f",
        "message": "hello",
    }


def test_nothing_in_a_line_steers_a_terminal() -> None:
    assert printable("a\033[2J\r\x9b\udcff\tb\n") == "a?[2J???\tb\n"
    assert coloured("x\n", LogLevel.ERR) == "\033[1;31mx\033[0m\n"


def test_the_terminal_does_as_the_console_settings_say(
    switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    writer = on_terminal(switch)
    switch.console_settings.level = LogLevel.NOTICE
    writer(entry("shown"))
    writer(entry("not shown", LogLevel.INFO))
    writer.close()
    assert stream.getvalue().endswith("a.lua:3 shown\n") and "not shown" not in stream.getvalue()


def test_a_log_file_is_opened_anew(switch: Switch, tmp_path: Path) -> None:
    file = LogFile(tmp_path / "log" / "a.log")
    writer = into_file(switch, file)
    writer(entry("one \udcff", uuid="u-1"))
    writer.close()
    file.path.rename(tmp_path / "old")
    file.reopen()
    file.write("two\n")
    file.close()
    assert (tmp_path / "old").read_bytes().endswith(b"one \xff\n")
    assert file.path.read_text() == "two\n"


def test_lines_that_cannot_be_written_are_counted(switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_writer, "MOST_WAITING", 2)
    written: list[str] = []
    free = switch.clock.waiter()
    began = switch.clock.waiter()

    def write(text: str) -> None:
        written.append(text)
        began.notify()
        if len(written) == 1:
            free.wait()

    writer = LogWriter(switch.clock, write, lambda item: item.text)
    writer(entry("a"))
    began.wait()
    for text in "bcdef":
        writer(entry(text))
    free.notify()
    writer.close()
    assert written == ["a", "bc3 log lines were lost\n"]
