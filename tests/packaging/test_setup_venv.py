from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "packaging" / "setup_venv.py"


@pytest.fixture
def setup_venv(tmp_path: Path) -> Any:
    """The script, at home in a folder of its own with a `.venv` that is ready."""
    spec = importlib.util.spec_from_file_location("setup_venv", SOURCE)
    assert spec and spec.loader
    script: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.ROOT, script.VENV = str(tmp_path), str(tmp_path / ".venv")
    script.STAMP = str(tmp_path / ".venv" / "stamp")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("python", "moonline"):
        (tmp_path / ".venv" / "bin" / name).touch()
    (tmp_path / ".venv" / "stamp").write_text(f"{script.stamp_key()}\n{os.path.realpath(sys.executable)}\n")
    return script


def python(script: Any, path: str, version: str, **about: object) -> Any:
    """An interpreter with everything in place, but for what `about` says."""
    everything = {
        "path": path,
        "version": [int(part) for part in version.split(".")],
        "usable": True,
        "has_venv": True,
        "has_headers": True,
        "compilers": ["sh", "sh"],
        "multiarch": "",
        "prefix": "/nowhere",
    }
    return script.Interpreter({**everything, **about})


def test_ready_until_something_changes(setup_venv: Any, tmp_path: Path) -> None:
    assert setup_venv.main([]) == 0
    assert setup_venv.is_ready(sys.executable)
    assert not setup_venv.is_ready("/bin/sh")
    (tmp_path / ".venv" / "bin" / "moonline").unlink()
    assert not setup_venv.is_ready(None)
    (tmp_path / ".venv" / "bin" / "moonline").touch()
    (tmp_path / "pyproject.toml").write_text("[project]\nversion = '2'\n")
    assert not setup_venv.is_ready(None)


def test_a_moved_folder_is_not_ready(setup_venv: Any, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").rename(tmp_path / ".venv" / "pyproject.toml")
    setup_venv.ROOT = str(tmp_path / ".venv")
    assert not setup_venv.is_ready(None)


def test_probe_sees_this_python_and_nothing_in_a_shell(setup_venv: Any) -> None:
    found = setup_venv.probe(sys.executable)
    assert found.version == sys.version_info[:2] and found.usable
    assert found.path == os.path.realpath(sys.executable)
    assert setup_venv.probe("/bin/true") is None
    assert setup_venv.probe("/nowhere/python3") is None


def test_chooses_the_newest_that_is_complete(setup_venv: Any) -> None:
    found = [
        python(setup_venv, "/usr/bin/python3.11", "3.11"),
        python(setup_venv, "/opt/python3.13", "3.13", has_headers=False),
        python(setup_venv, "/opt/python3.12", "3.12"),
        python(setup_venv, "/opt/python3.14", "3.14", usable=False),
    ]
    assert setup_venv.choose(found).path == "/opt/python3.12"


def test_chooses_one_that_apt_completes_before_giving_up(setup_venv: Any) -> None:
    bare = python(setup_venv, "/opt/python3.13", "3.13", has_headers=False)
    from_apt = python(setup_venv, "/usr/bin/python3.11", "3.11", has_venv=False)
    assert setup_venv.choose([bare, from_apt]) is from_apt
    with pytest.raises(setup_venv.SetupError, match=r"/opt/python3\.13 lacks"):
        setup_venv.choose([bare])
    with pytest.raises(setup_venv.SetupError, match=r"Found here: /usr/bin/python3\.9 \(3\.9\)"):
        setup_venv.choose([python(setup_venv, "/usr/bin/python3.9", "3.9")])


def test_names_the_packages_that_are_missing(
    setup_venv: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "sndfile.h").touch()
    whole = {"prefix": str(tmp_path)}
    assert setup_venv.missing_packages(python(setup_venv, "/usr/bin/python3.12", "3.12", **whole)) == []
    bare = {**whole, "has_venv": False, "has_headers": False, "compilers": ["sh", "no-such-compiler"]}
    assert setup_venv.missing_packages(python(setup_venv, "/usr/bin/python3.12", "3.12", **bare)) == [
        "python3.12-venv",
        "python3.12-dev",
        "g++",
    ]


def test_names_the_peers_that_are_missing(
    setup_venv: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    there = False
    for probe in ("has_postgres", "has_kamailio"):
        monkeypatch.setattr(setup_venv, probe, lambda: there)
    for probe in ("has_odbc_driver", "has_library"):
        monkeypatch.setattr(setup_venv, probe, lambda library: there)
    asked: list[list[str]] = []
    monkeypatch.setattr(setup_venv, "install_packages", asked.append)
    assert setup_venv.main(["--peers"]) == 0
    (missing,) = asked
    assert {"redis-server", "postgresql", "sip-tester", "baresip-core", "kamailio"} <= set(missing)
    there = True
    for program in ("redis-server", "sipp", "baresip", "mariadbd", "openssl", "chromium"):
        (tmp_path / program).touch(mode=0o755)
    assert setup_venv.missing_peers() == []


def test_a_venv_of_this_folder_is_kept(
    setup_venv: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = python(setup_venv, "/usr/bin/python3.11", "3.11")
    newer = python(setup_venv, "/opt/python3.13", "3.13")
    started: list[list[str]] = []
    monkeypatch.setattr(setup_venv, "probe", lambda command: newer if command == "newer" else ours)
    monkeypatch.setattr(setup_venv, "installed_interpreters", lambda: [newer])
    monkeypatch.setattr(setup_venv, "missing_packages", lambda python: [])
    monkeypatch.setattr(setup_venv, "run", lambda arguments, what: started.append(arguments))
    pip = tmp_path / ".venv" / "bin" / "pip"
    pip.write_text(f"#!{tmp_path}/.venv/bin/python3.11\n")
    setup_venv.set_up(None)
    assert ["venv" in arguments for arguments in started] == [False]
    setup_venv.set_up("newer")
    assert ["venv" in arguments for arguments in started] == [False, True, False]
    pip.write_text("#!/elsewhere/.venv/bin/python3.11\n")
    setup_venv.set_up(None)
    assert started[-2][0] == "/opt/python3.13"
    assert setup_venv.is_ready("/opt/python3.13")


def test_without_apt_it_says_what_to_install(
    setup_venv: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / ".venv" / "stamp").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(
        setup_venv, "probe", lambda command: python(setup_venv, "/usr/bin/python3.11", "3.11")
    )
    monkeypatch.setattr(setup_venv, "has_sndfile", lambda python: False)
    assert setup_venv.main(["--python", "python3"]) == 1
    error = capsys.readouterr().err
    assert "sndfile.h" in error and "by hand" in error
