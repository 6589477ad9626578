from __future__ import annotations

from pathlib import Path

from host.console_words import Alias, ConsoleWords


def test_sticky_words_outlive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "db" / "words.json"
    words = ConsoleWords(lambda: file)
    words.set_alias("hi", "echo hi")
    assert not file.exists()
    words.set_alias("ho", "echo ho", sticky=True)
    words.add_completion(("show", "me"), sticky=True)
    again = ConsoleWords(lambda: file)
    again.load()
    assert again.aliases() == [Alias(True, "ho", "echo ho")]
    assert again.following(("show",), "m") == ["me"]
    again.delete_alias("*")
    again.delete_completion(("show",))
    last = ConsoleWords(lambda: file)
    last.load()
    assert last.aliases() == [] and last.completions() == []


def test_completions_follow_one_another() -> None:
    words = ConsoleWords(lambda: None)
    words.add_completion(("a", "b", "c"))
    words.add_completion(("a", "bb"))
    assert words.following((), "") == ["a"]
    assert words.following(("a",), "b") == ["b", "bb"]
    assert words.following(("a", "b"), "x") == []
    words.delete_completion(("a", "b"))
    assert words.following(("a",), "") == ["bb"]
