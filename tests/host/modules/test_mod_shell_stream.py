"""shell_stream://: what a command writes is heard, it ends with its listener, and nobody has it unasked."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from host.clock import RealClock
from host.module_list import ASKED_FOR, load_modules
from host.modules.mod_shell_stream import open_stream
from host.session import Session
from host.switch import Switch
from media.stream_source import StreamSource
from tests.eventually import eventually
from tests.host.one_call import in_call, took

WRITER = "import sys, array; sys.stdout.buffer.write(array.array('h', range({count})).tobytes())"


def command(folder: Path, text: str) -> str:
    script = folder / "say.py"
    script.write_text(text)
    return f"{sys.executable} {script}"


def test_it_is_loaded_only_when_asked_for(virtual_switch: Switch) -> None:
    load_modules(virtual_switch)
    assert "mod_shell_stream" in ASKED_FOR and not virtual_switch.modules.exists("mod_shell_stream")
    outcome = in_call(virtual_switch, lambda session: session.execute("playback", "shell_stream://true"))
    assert any("Invalid file format [shell_stream]" in text for text in outcome.logs)


def test_in_virtual_time_all_of_it_is_heard(virtual_switch: Switch, tmp_path: Path) -> None:
    virtual_switch.modules.load("mod_shell_stream")
    path = f"shell_stream://{command(tmp_path, WRITER.format(count=4000))}"

    def do(session: Session) -> object:
        return took(session, lambda: session.execute("playback", path))

    assert in_call(virtual_switch, do).values == [500]


def test_the_command_is_told_the_rate(virtual_switch: Switch) -> None:
    source = open_stream(virtual_switch, "printf '%s' ", 16000, {})
    assert source.render(0, 1).tobytes() == b"-r"


@pytest.mark.parametrize("path", ["", "  ", "a\0b"])
def test_what_is_no_command(virtual_switch: Switch, path: str) -> None:
    with pytest.raises(OSError, match="no command"):
        open_stream(virtual_switch, path, 8000, {})


class Timed:
    """As much of a switch as the module asks for, by the real clock."""

    def __init__(self) -> None:
        self.clock = RealClock()


def test_in_real_time_it_is_heard_as_it_comes(tmp_path: Path) -> None:
    timed = Timed()
    source = open_stream(timed, command(tmp_path, WRITER.format(count=30000)), 8000, {})  # type: ignore[arg-type]
    assert isinstance(source, StreamSource)
    eventually(lambda: source.over(30000))
    assert np.array_equal(source.render(0, 30000), np.arange(30000).astype(np.int16))
    timed.clock.close()


def test_the_command_ends_with_its_listener(tmp_path: Path) -> None:
    timed = Timed()
    mark = tmp_path / "pid"
    text = (
        f"import os; open({str(mark)!r}, 'w').write(str(os.getpid()))\nwhile True: os.write(1, bytes(4096))"
    )
    source = open_stream(timed, command(tmp_path, text), 8000, {})  # type: ignore[arg-type]
    eventually(lambda: mark.exists() and mark.read_text())
    process = int(mark.read_text())
    ring_path = source.path  # type: ignore[attr-defined]
    del source
    eventually(lambda: not Path(f"/proc/{process}").exists())
    eventually(lambda: not Path(ring_path).exists())
    timed.clock.close()


def test_a_call_in_real_time_hears_it_to_its_end(tmp_path: Path) -> None:
    real = Switch(RealClock(), tmp_path)
    try:
        for module in ("mod_dptools", "mod_shell_stream"):
            real.modules.load(module)
        path = f"shell_stream://{command(tmp_path, WRITER.format(count=4000))}"

        def do(session: Session) -> object:
            return took(session, lambda: session.execute("playback", path)) > 400

        assert in_call(real, do).values == [True]
    finally:
        real.close()
        real.clock.close()
