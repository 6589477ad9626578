"""Aliases and completion words of the console; the sticky ones outlive a restart."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

# FreeSWITCH keeps at most so many words a completion.
WORDS_LIMIT: Final = 10


class Alias(NamedTuple):
    """A word and the command that it stands for."""

    sticky: bool
    alias: str
    command: str


class Completion(NamedTuple):
    """Words that the console offers one after the other."""

    sticky: bool
    words: tuple[str, ...]


class ConsoleWords:
    """The aliases and completions of one switch. `path()` is the file of the sticky ones, None when there is none."""

    def __init__(self, path: Callable[[], Path | None]) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._aliases: dict[str, Alias] = {}
        self._completions: dict[tuple[str, ...], Completion] = {}

    def load(self) -> None:
        """Read the sticky ones; OSError or ValueError when the file cannot be read."""
        path = self._path()
        if path is None or not path.exists():
            return
        kept = json.loads(path.read_text("utf-8", "surrogateescape"))
        with self._lock:
            for alias, command in kept["aliases"]:
                self._aliases[str(alias)] = Alias(True, str(alias), str(command))
            for words in kept["completions"]:
                chosen = tuple(str(word) for word in words)
                self._completions[chosen] = Completion(True, chosen)

    def set_alias(self, alias: str, command: str, *, sticky: bool = False) -> None:
        """Set what an alias stands for."""
        with self._lock:
            self._aliases[alias] = Alias(sticky, alias, command)
            self._keep()

    def delete_alias(self, alias: str) -> None:
        """Remove an alias, all for `*`."""
        with self._lock:
            if alias == "*":
                self._aliases.clear()
            else:
                self._aliases.pop(alias, None)
            self._keep()

    def alias(self, alias: str) -> str | None:
        """Return what an alias stands for, None when there is none."""
        found = self._aliases.get(alias)
        return found.command if found is not None else None

    def add_completion(self, words: tuple[str, ...], *, sticky: bool = False) -> None:
        """Offer `words` one after the other; what is beyond `WORDS_LIMIT` is left out."""
        chosen = words[:WORDS_LIMIT]
        with self._lock:
            self._completions[chosen] = Completion(sticky, chosen)
            self._keep()

    def delete_completion(self, words: tuple[str, ...]) -> None:
        """Remove the completions that begin with `words`, all for `*`."""
        with self._lock:
            if words == ("*",):
                self._completions.clear()
            for known in [known for known in self._completions if known[: len(words)] == words]:
                del self._completions[known]
            self._keep()

    def aliases(self) -> list[Alias]:
        """Return the aliases, sorted by name."""
        with self._lock:
            return sorted(self._aliases.values(), key=lambda entry: entry.alias)

    def completions(self) -> list[Completion]:
        """Return the completions, sorted by their words."""
        with self._lock:
            return sorted(self._completions.values(), key=lambda entry: entry.words)

    def following(self, words: tuple[str, ...], beginning: str) -> list[str]:
        """Return the words that may follow `words` and begin with `beginning`, sorted."""
        place = len(words)
        with self._lock:
            known = list(self._completions)
        return sorted(
            {
                entry[place]
                for entry in known
                if len(entry) > place and entry[:place] == words and entry[place].startswith(beginning)
            }
        )

    def _keep(self) -> None:
        """Write the sticky ones where there are any or there is a file already."""
        path = self._path()
        kept = {
            "aliases": [[a.alias, a.command] for a in self._aliases.values() if a.sticky],
            "completions": [list(c.words) for c in self._completions.values() if c.sticky],
        }
        if path is None or not (any(kept.values()) or path.exists()):
            return
        try:
            path.parent.mkdir(exist_ok=True)
            written = path.with_suffix(".new")
            written.write_text(json.dumps(kept), "utf-8", "surrogateescape")
            written.replace(path)
        except OSError:
            return  # a folder that cannot be written to: they last as long as the process does
