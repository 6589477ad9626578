"""Hold the score of the conformance cases, group by group, against the floor it must not fall below.

Run as ``python -m tests.conformance_floor --cases DIR``. It starts ``moonline serve`` with the cases' own
configuration, sets the one global variable that they need, lets their runner (``DIR/run.py``) do its work and
compares the passed cases of each group with ``tests/conformance.floor``. ``--raise`` writes the floor anew:
it only ever rises. Without a floor file, without the cases or without ``moonline serve`` it says so and ends
with 0.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLOOR = ROOT / "tests" / "conformance.floor"
MOONLINE = ROOT / ".venv" / "bin" / "moonline"
GROUPS = ("api/expr", "api/cmd_*", "api/legs-*", "lua/*", "calls/*")
RESULT = re.compile(r"(ok|FAIL) +(\S+)")
PASSWORD = "ClueCon"  # FreeSWITCH's default, which the runner of the cases uses too
START_SECONDS = 30.0  # a server that loads every module on a busy machine
RUN_SECONDS = 2400.0  # the cases are recorded at real time; several times what all of them take


class ConformanceError(Exception):
    """The run cannot be made or read: a floor file with a bad line, a server that does not come up."""


@dataclass
class Score:
    """What the cases of one group came to."""

    passed: int = 0
    failed: int = 0


def group_of(case: str) -> str:
    """Return the group of a case (``api/cmd_acl.transcript``): one of GROUPS or ``FOLDER/other``."""
    folder, _, name = case.partition("/")
    stem = f"{folder}/{name.partition('.')[0]}"
    return next((group for group in GROUPS if fnmatchcase(stem, group)), f"{folder}/other")


def scores(lines: Iterable[str]) -> dict[str, Score]:
    """Count the runner's ``ok NAME`` and ``FAIL NAME`` lines by group; other lines are passed over."""
    result: dict[str, Score] = {}
    for line in lines:
        if found := RESULT.match(line):
            score = result.setdefault(group_of(found[2]), Score())
            if found[1] == "ok":
                score.passed += 1
            else:
                score.failed += 1
    return result


def parse_floor(text: str) -> dict[str, int]:
    """Parse a floor file: ``GROUP COUNT`` a line, ``#`` begins a comment. Raises ConformanceError."""
    floor: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or not re.fullmatch("[0-9]{1,9}", words[1]) or words[0] in floor:
            raise ConformanceError(f"conformance floor, line {number}: not a new group and a count: {line!r}")
        floor[words[0]] = int(words[1])
    return floor


def format_floor(floor: Mapping[str, int]) -> str:
    """Return the text of a floor file, the groups in the order of GROUPS."""
    lines = [
        "# Conformance cases that must pass, by group. python -m tests.conformance_floor --raise writes it."
    ]
    lines += [f"{group} {floor[group]}" for group in in_order(floor)]
    return "\n".join(lines) + "\n"


def in_order(groups: Iterable[str]) -> list[str]:
    """Sort groups: those of GROUPS first, in their order, the rest by name."""
    rank = {group: place for place, group in enumerate(GROUPS)}
    return sorted(groups, key=lambda group: (rank.get(group, len(rank)), group))


def below(found: Mapping[str, Score], floor: Mapping[str, int]) -> list[str]:
    """Return the groups that passed fewer cases than the floor asks for."""
    return [group for group in in_order(floor) if found.get(group, Score()).passed < floor[group]]


def raised(found: Mapping[str, Score], floor: Mapping[str, int]) -> dict[str, int]:
    """Return the floor lifted to what was found; no group sinks."""
    return {group: max(floor.get(group, 0), found.get(group, Score()).passed) for group in {*floor, *found}}


def table(found: Mapping[str, Score], floor: Mapping[str, int]) -> str:
    """Return the scores as lines of text, each group that is below its floor marked."""
    lines = [f"{'group':<14}{'passed':>8}{'of':>8}{'floor':>8}"]
    sunk = set(below(found, floor))
    for group in in_order({*found, *floor}):
        score = found.get(group, Score())
        mark = "  BELOW" if group in sunk else ""
        total = score.passed + score.failed
        lines.append(f"{group:<14}{score.passed:>8}{total:>8}{floor.get(group, 0):>8}{mark}")
    return "\n".join(lines)


def api(port: int, command: str) -> str:
    """Run one API command over the event socket on 127.0.0.1 and return its reply.

    Raises OSError when there is no connection and ConformanceError when it is not an event socket or refuses
    the password.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line, line.makefile("rwb") as stream:

        def message() -> tuple[dict[str, str], str]:
            headers = {}
            while text := stream.readline().decode().strip():
                name, _, value = text.partition(": ")
                headers[name] = value
            return headers, stream.read(int(headers.get("Content-Length", "0"))).decode()

        def ask(text: str) -> tuple[dict[str, str], str]:
            stream.write(f"{text}\n\n".encode())
            stream.flush()
            return message()

        if message()[0].get("Content-Type") != "auth/request":
            raise ConformanceError(f"what listens on port {port} is no event socket")
        if not ask(f"auth {PASSWORD}")[0].get("Reply-Text", "").startswith("+OK"):
            raise ConformanceError(f"the event socket on port {port} refuses the password {PASSWORD}")
        return ask(f"api {command}")[1]


@contextlib.contextmanager
def server(command: Sequence[str], port: int) -> Iterator[None]:
    """Run a server while the body runs, from when its event socket answers; raises ConformanceError."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        raise ConformanceError(f"something listens on 127.0.0.1:{port} already")
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )

        def trouble(what: str) -> ConformanceError:
            log.seek(0)
            tail = log.read().decode(errors="replace").splitlines()[-30:]
            return ConformanceError("\n".join([*tail, f"{what}: {' '.join(command)}"]))

        try:
            deadline = time.monotonic() + START_SECONDS
            while True:
                try:
                    api(port, "status")
                    break
                except OSError:
                    if process.poll() is not None:
                        raise trouble(f"the server ended with {process.returncode}") from None
                    if time.monotonic() > deadline:
                        raise trouble(f"no event socket after {START_SECONDS:.0f} s") from None
                    time.sleep(0.1)
            yield
            if process.poll() is not None:
                raise trouble(f"the server died with {process.returncode} during the cases")
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server that leads its own process group: asked first, then made to."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=15)


def run_cases(cases: Path, port: int, jobs: int) -> list[str]:
    """Set the cases' global variable, run them, return the runner's lines; raises ConformanceError."""
    sounds = (cases / "sounds").resolve()
    reply = api(port, f"global_setvar conformance_sounds={sounds}")
    if not reply.startswith("+OK"):
        raise ConformanceError(f"global_setvar was answered {reply.strip()!r}")
    try:
        done = subprocess.run(
            [sys.executable, "-B", str(cases / "run.py"), "--port", str(port), "--jobs", str(jobs)],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            timeout=RUN_SECONDS,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        raise ConformanceError(f"the cases took longer than {RUN_SECONDS:.0f} s") from None
    lines = done.stdout.splitlines()
    if not lines or not re.fullmatch(r"\d+ passed, \d+ failed", lines[-1]):
        raise ConformanceError(f"the runner of the cases broke off with {done.returncode}")
    return lines


def why_dormant(cases: Path, floor: Path, moonline: Path, raising: bool) -> str | None:
    """Return why there is nothing to compare yet, None when there is."""
    if not (cases / "run.py").is_file():
        return f"no conformance cases in {cases}"
    if not floor.is_file() and not raising:
        return f"no {floor.name} yet"
    asked = subprocess.run([moonline, "serve", "--help"], capture_output=True, check=False)
    return "no `moonline serve` yet" if asked.returncode else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line above; 0 when no group is below its floor, 1 when one is or the run failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance_floor", description=__doc__)
    parser.add_argument("--cases", type=Path, default=ROOT.parent / "shared" / "conformance", metavar="DIR")
    parser.add_argument("--floor", type=Path, default=FLOOR, metavar="FILE")
    parser.add_argument("--moonline", type=Path, default=MOONLINE, metavar="COMMAND")
    parser.add_argument("--port", type=int, default=8021, help="where the server's event socket listens")
    parser.add_argument("--jobs", type=int, default=8, help="cases at a time")
    parser.add_argument("--raise", dest="raising", action="store_true", help="write the floor; it only rises")
    options = parser.parse_args(arguments)

    if dormant := why_dormant(options.cases, options.floor, options.moonline, options.raising):
        print(f"conformance: not run, {dormant}")
        return 0
    try:
        floor = parse_floor(options.floor.read_text()) if options.floor.is_file() else {}
        with server([str(options.moonline), "serve", "--conf", str(options.cases / "conf")], options.port):
            lines = run_cases(options.cases, options.port, options.jobs)
    except (ConformanceError, OSError) as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 1
    found = scores(lines)
    sunk = below(found, floor)
    print(table(found, floor))
    for line in lines:
        failed = RESULT.match(line)
        if failed and failed[1] == "FAIL" and group_of(failed[2]) in sunk:
            print(line)
    if options.raising:
        options.floor.write_text(format_floor(raised(found, floor)))
    print(lines[-1])
    return 1 if sunk else 0


if __name__ == "__main__":
    sys.exit(main())
