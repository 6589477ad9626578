"""Reads transcripts of API commands as a real FreeSWITCH answered them, where a checkout of them lies near by."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

CONFORMANCE: Final = Path(__file__).resolve().parents[3] / "shared" / "conformance"

# What the event socket writes for an empty reply.
NO_REPLY: Final = "-ERR no reply"


def transcripts(*names: str) -> list[Path]:
    """Return the transcripts of these names that are there."""
    paths = [CONFORMANCE / "api" / f"{name}.transcript" for name in names]
    return [path for path in paths if path.exists()]


def steps(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each command of a transcript with the reply expected, lines beginning with `~ ` being patterns."""
    command: str | None = None
    reply: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("> ") or line == ">":
            if command is not None:
                yield command, "\n".join(reply)
            command, reply = line[2:], []
        elif line.startswith("< ") or line == "<":
            reply.append(line[2:])
        elif line.startswith("~ "):
            reply.append(line)
        elif line == "<empty>":
            reply = [""]
    if command is not None:
        yield command, "\n".join(reply)


def is_as_expected(expected: str, actual: str) -> bool:
    """Tell whether a reply is the one expected, line by line; an empty reply is that of the event socket."""
    want = expected.rstrip("\n").split("\n")
    have = (actual or NO_REPLY).rstrip("\n").split("\n")
    return len(want) == len(have) and all(
        re.fullmatch(w[2:], h) is not None if w.startswith("~ ") else w == h
        for w, h in zip(want, have, strict=True)
    )
