"""The pass over configuration files before they are XML: X-PRE-PROCESS, `<!--#…-->` and `$${variable}`.

FreeSWITCH works line by line, one directive a line, and does not know comments while it does so: a directive
inside an XML comment is carried out. Files are read, found and commands run through what the caller passes in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from posixpath import dirname, join
from typing import Protocol

from host.log import LogLevel

# FreeSWITCH's own depth: a file that includes itself stops here instead of for ever.
MAX_INCLUDE_DEPTH = 100
# Two includes of itself in one file would open 2^100 files before the depth ends it. Large installations
# keep one file for each user, some tens of thousands.
MAX_FILES = 100_000
# Characters of the expanded tree; ten thousand users take about ten million.
MAX_EXPANDED = 256 << 20
# Characters in one variable: `set a=$${a}$${a}` in thirty lines would otherwise fill the memory.
MAX_VALUE = 1 << 20


class XmlConfigError(ValueError):
    """A configuration that cannot be used: where it went wrong and why.

    `line` counts from 1 in `file`; 0 when the whole file is meant.
    """

    def __init__(self, file: str, line: int, text: str) -> None:
        super().__init__(f"{file}:{line}: {text}" if line else f"{file}: {text}")
        self.file = file
        self.line = line
        self.text = text


class GlobalVariables(Protocol):
    """The switch's global variables."""

    def get(self, name: str, /) -> str | None:
        """Return the value, None when the variable is not set."""

    def set(self, name: str, value: str, /) -> None:
        """Set the variable; empty text may unset it."""


@dataclass(frozen=True, slots=True)
class ConfigFiles:
    """How the files of a configuration are reached.

    `read(path)` returns a file's text (UTF-8 with surrogateescape), `find(pattern)` the paths that a glob
    pattern names, in order; `run(command)` returns what a shell command printed and its exit status.
    Each raises OSError.
    """

    read: Callable[[str], str]
    find: Callable[[str], Sequence[str]]
    run: Callable[[str], tuple[str, int]]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConfigWarning:
    """Something in a configuration that did nothing, or not what it seems to."""

    level: LogLevel
    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class ExpandedXml:
    """The XML text of a whole configuration; `origins[n]` is the (file, line) that its line n+1 came from."""

    text: str
    origins: tuple[tuple[str, int], ...]
    warnings: tuple[ConfigWarning, ...]

    def origin(self, line: int) -> tuple[str, int]:
        """Return the (file, line) of line `line` of the text, counted from 1; the nearest for one outside."""
        if not self.origins:
            return "", 0
        return self.origins[min(max(line, 1), len(self.origins)) - 1]


def preprocess_file(path: str, files: ConfigFiles, variables: GlobalVariables) -> ExpandedXml:
    """Expand the configuration whose root file is `path`.

    `variables` holds the global variables: `$${name}` reads them and `set` writes them, at once.
    Raises XmlConfigError when the root file cannot be read or a limit of this module is passed.
    """
    run = _Expansion(files, variables)
    try:
        text = files.read(path)
    except OSError as error:
        raise XmlConfigError(path, 0, f"Couldn't open {path} ({_reason(error)})") from None
    run.file(path, text, 0)
    return run.result()


_DROPPED = re.compile(r"<include>|</include>|<\?")
# What such a line usually holds and nobody misses.
_HARMLESS = re.compile(r"<include>|</include>|<\?[^>]*>|<!--[^>]*(?:-->)?")
_DIRECTIVE = re.compile(r"X-pre-process", re.IGNORECASE)
_COMMENT = re.compile(r"<!--#")


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _name_and_value(data: str) -> tuple[str, str] | None:
    name, equals, value = data.partition("=")
    return (name.rstrip(" "), value.lstrip(" ")) if equals else None


class _Expansion:
    def __init__(self, files: ConfigFiles, variables: GlobalVariables) -> None:
        self._files = files
        self._variables = variables
        self._pieces: list[str] = []
        self._size = 0
        self._read = 0
        self._origins: list[tuple[str, int]] = []
        self._in_line = False
        self._opened = 0
        self._warnings: list[ConfigWarning] = []
        self._where = ("", 0)

    def result(self) -> ExpandedXml:
        return ExpandedXml("".join(self._pieces), tuple(self._origins), tuple(self._warnings))

    def file(self, path: str, text: str, depth: int) -> None:
        self._opened += 1
        self._read += len(text)
        if self._opened > MAX_FILES:
            raise XmlConfigError(path, 0, f"more than {MAX_FILES} files are included")
        if self._read > MAX_EXPANDED:
            raise XmlConfigError(path, 0, f"the files are together larger than {MAX_EXPANDED} characters")
        folder = dirname(path)
        open_comment = False
        for number, raw in enumerate(StringIO(text, newline="\n"), 1):
            self._where = (path, number)
            if _DROPPED.search(raw):
                if not open_comment and "<" in _HARMLESS.sub("", raw):
                    self._warn(
                        LogLevel.WARNING, "the whole line is dropped for its <include>, </include> or <?"
                    )
                continue
            line = self._expand(raw)
            if open_comment:
                _, end, line = line.partition("-->")
                if not end:
                    continue
                open_comment = False
            directive = _DIRECTIVE.search(line)
            if directive:
                if line[: directive.start()].endswith("<"):
                    self._element(line[directive.end() :], folder, depth)
                continue
            comment = _COMMENT.search(line)
            if comment:
                inside, end, after = line[comment.end() :].partition("-->")
                self._write(line[: comment.start()])
                open_comment = not end
                self._write(after)
                self._comment(inside, folder, depth)
                self._where = (path, number)
                continue
            self._write(line)

    def _element(self, rest: str, folder: str, depth: int) -> None:
        tag = rest.partition("/>")[0]
        command, end = _quoted_after(tag, "cmd", 0)
        data, _ = _quoted_after(tag, "data", end)
        if command is None or data is None:
            self._warn(LogLevel.WARNING, 'X-PRE-PROCESS needs cmd="…" and data="…" after it, on one line')
            return
        self._directive(command, data, folder, depth)

    def _comment(self, inside: str, folder: str, depth: int) -> None:
        command, blank, data = re.split(r"[\r\n]", inside, maxsplit=1)[0].partition(" ")
        if not blank:
            return
        quoted = re.search(r'"([^"]*)"', data)
        if command.lower() in ("set", "exec-set", "stun-set", "include", "exec"):
            self._directive(command, quoted[1] if quoted else data, folder, depth)

    def _directive(self, command: str, data: str, folder: str, depth: int) -> None:
        match command.lower():
            case "set":
                pair = _name_and_value(data)
                if pair:
                    self._set(*pair)
            case "include":
                self._include(data, folder, depth + 1)
            case "exec":
                self._write(self._run(data)[0])
            case "exec-set":
                pair = _name_and_value(data)
                if pair is None:
                    return
                output, status = self._run(pair[1])
                if status == 0 and output.rstrip(" \n"):
                    self._set(pair[0], output.rstrip(" \n"))
                elif status > 0:
                    self._warn(LogLevel.ERR, f"Error while executing command: {pair[1]}")
            case "env-set":
                name, _, value = data.partition("=")
                if value.startswith("$") and value[1:] in self._files.environment:
                    self._set(name, self._files.environment[value[1:]])
            case "stun-set":
                self._warn(
                    LogLevel.WARNING,
                    f"stun-set failed. No STUN server is asked, the variable stays unset: {data}",
                )
            case _:
                self._warn(LogLevel.WARNING, f"X-PRE-PROCESS does not know cmd={command}")

    def _include(self, pattern: str, folder: str, depth: int) -> None:
        full = pattern if pattern.startswith("/") or "://" in pattern else join(folder, pattern)
        try:
            paths = self._files.find(full)
        except OSError as error:
            self._warn(LogLevel.ERR, f"Error including {full} ({_reason(error)})")
            return
        if not paths:
            self._warn(LogLevel.INFO, f"No files to include at {full}")
            return
        if depth > MAX_INCLUDE_DEPTH:
            self._warn(LogLevel.ERR, f"Error including {full} (Maximum recursion limit reached)")
            return
        for path in paths:
            where = self._where
            try:
                text = self._files.read(path)
            except OSError as error:
                self._warn(LogLevel.ERR, f"Couldn't open {path} ({_reason(error)})")
                continue
            self.file(path, text, depth)
            self._where = where

    def _run(self, command: str) -> tuple[str, int]:
        try:
            return self._files.run(command)
        except OSError as error:
            self._warn(LogLevel.ERR, f"Error while executing command: {command} ({_reason(error)})")
            return "", -1

    def _set(self, name: str, value: str) -> None:
        if len(value) > MAX_VALUE:
            raise XmlConfigError(
                *self._where, f"the value of {name[:80]} is longer than {MAX_VALUE} characters"
            )
        if name:
            self._variables.set(name, value)

    def _expand(self, line: str) -> str:
        start = line.find("$${")
        if start < 0:
            return line
        closed = _brace_pairs(line, start)
        done: list[str] = []
        size = position = 0
        while start >= 0:
            if start + 2 not in closed:
                self._warn(LogLevel.ERR, "Error [unterminated ${var}]")
                start = line.find("$${", start + 3)
                continue
            end = closed[start + 2]
            value = self._variables.get(line[start + 3 : end]) or ""
            done += (line[position:start], value)
            size += start - position + len(value)
            if size > MAX_EXPANDED:
                raise XmlConfigError(*self._where, f"the line expands to more than {MAX_EXPANDED} characters")
            position = end + 1
            start = line.find("$${", position)
        return "".join(done) + line[position:]

    def _write(self, text: str) -> None:
        if not text:
            return
        self._size += len(text)
        if self._size > MAX_EXPANDED:
            raise XmlConfigError(*self._where, f"the configuration is larger than {MAX_EXPANDED} characters")
        self._pieces.append(text)
        begun = text.count("\n") + (not text.endswith("\n")) - self._in_line
        self._origins += [self._where] * begun
        self._in_line = not text.endswith("\n")

    def _warn(self, level: LogLevel, text: str) -> None:
        self._warnings.append(ConfigWarning(level, *self._where, text))


def _quoted_after(tag: str, name: str, start: int) -> tuple[str | None, int]:
    """Return the text in the first double quotes after `name` and `=`, and where it ends; None without."""
    at = tag.lower().find(name, start) if start >= 0 else -1
    at = tag.find("=", at) if at >= 0 else -1
    at = tag.find('"', at) if at >= 0 else -1
    if at < 0:
        return None, -1
    end = tag.find('"', at + 1)
    end = len(tag) if end < 0 else end
    return tag[at + 1 : end], end


def _brace_pairs(text: str, start: int) -> dict[int, int]:
    """Return where each `{` of `text` from `start` on is closed; one that is not is left out."""
    pairs: dict[int, int] = {}
    open_at: list[int] = []
    for brace in re.finditer("[{}]", text[start:]):
        if brace[0] == "{":
            open_at.append(start + brace.start())
        elif open_at:
            pairs[open_at.pop()] = start + brace.start()
    return pairs
