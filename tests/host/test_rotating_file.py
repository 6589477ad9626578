from __future__ import annotations

from pathlib import Path

from host.rotating_file import RotatingFile


def rotating(folder: Path, rollover: int, keep: int) -> RotatingFile:
    return RotatingFile(folder / "a.log", rollover, keep, lambda: "2026-01-05")


def test_a_file_that_has_grown_is_moved_away(tmp_path: Path) -> None:
    file = rotating(tmp_path, 4, 2)
    for text in ("one\n", "two\n", "three\n", "4\n"):
        file.write(text)
    file.close()
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == {"a.log": "4\n", "a.log.1": "three\n", "a.log.2": "two\n"}


def test_without_a_number_to_keep_all_stay_with_their_date(tmp_path: Path) -> None:
    file = rotating(tmp_path, 1, 0)
    file.write("one\n")
    file.write("two\n")
    file.close()
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == {"a.log": "", "a.log.2026-01-05.1": "one\n", "a.log.2026-01-05.2": "two\n"}


def test_a_file_that_is_there_counts(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("before\n")
    file = rotating(tmp_path, 8, 1)
    file.write("x\n")
    file.close()
    assert (tmp_path / "a.log.1").read_text() == "before\nx\n"


def test_without_a_limit_it_grows(tmp_path: Path) -> None:
    file = rotating(tmp_path, 0, 1)
    file.write("x\n" * 100)
    (tmp_path / "a.log").rename(tmp_path / "b.log")
    file.reopen()
    file.write("y\n")
    file.close()
    assert (tmp_path / "a.log").read_text() == "y\n"
