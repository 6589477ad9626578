"""Documents of the web kept on disk: fresh ones are played without a request, stale ones asked for again.

A file is whole before it has its name and never changes under it: a new version of a document is a new file.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Final

from host.clock import SECOND
from host.inbox import Wake
from host.modules.mod_http_cache.transfer import TransferError, ending_of, ending_of_type

if TYPE_CHECKING:
    from host.clock import Clock
    from host.modules.mod_http_cache.settings import Settings
    from host.modules.mod_http_cache.transfer import Answer, Transfer
    from host.session import Session

_FACTS: Final = ".json"
_PART: Final = ".part"
# The facts of a document are some hundred bytes; URLs and ETags are at most as long as a header line.
_FACTS_LIMIT: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A document on disk: the name and size of its file, when it was fetched (µs) and how long it is fresh (s)."""

    url: str
    name: str
    size: int
    fetched: int
    max_age: int
    content_type: str = ""
    etag: str = ""
    modified: str = ""


@dataclass(slots=True)
class _Download:
    """A download under way, for which any number of calls wait."""

    ended: threading.Event = field(default_factory=threading.Event)
    waiting: list[Session] = field(default_factory=list)  # to be woken when it has ended
    path: str = ""
    error: str = "the download was broken off"
    status: int = 0


class HttpCache:
    """The documents below `settings.location`, the least recently used forgotten first. Safe between threads."""

    def __init__(
        self, clock: Clock, settings: Settings, transfer: Transfer, plays: Callable[[str], bool]
    ) -> None:
        """Take up what an earlier run left on disk; `plays(ending)` says whether files of that ending can be played."""
        self._clock = clock
        self._settings = settings
        self._transfer = transfer
        self._plays = plays
        self._lock = threading.Lock()
        self._under_way: dict[str, _Download] = {}
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._bytes = 0
        for entry in sorted(_left(settings.location), key=lambda entry: entry.fetched):
            self._keep(entry)
        self._evict()

    def held(self, url: str) -> str | None:
        """Return the path of a document that is there and fresh, else None."""
        with self._lock:
            entry = self._entries.get(url)
            if entry is None or not self._fresh(entry):
                return None
            self._entries.move_to_end(url)
            return self._path(entry.name)

    def get(
        self, url: str, *, refresh: bool = False, caller: Callable[[], Session | None] = lambda: None
    ) -> str:
        """Return the path of a document, fetched when it is not there and fresh (always with `refresh`).

        The thread waits meanwhile; all who ask for one URL share its download. With `caller` a call that hangs up
        waits no longer (one that has waits not at all), and the download goes on for the next one. TransferError when
        it fails.
        """
        with self._lock:
            former = self._entries.get(url)
            if former is not None and not refresh and self._fresh(former):
                self._entries.move_to_end(url)
                return self._path(former.name)
            download = self._under_way.get(url)
            mine = download is None
            if download is None:
                download = self._under_way[url] = _Download()
        session = None if self._clock.virtual else caller()
        if session is not None:
            if mine:
                self._clock.spawn(lambda: self._run(url, download, former), "http-download")
            self._wait(session, download)
        elif mine:
            self._run(url, download, former)
        else:
            download.ended.wait()
        if not download.path:
            raise TransferError(download.error, download.status)
        return download.path

    def _wait(self, session: Session, download: _Download) -> None:
        """Wait in a session's thread; TransferError when its call hangs up before."""
        with self._lock:
            download.waiting.append(session)
        session.receive(None, (), download.ended.is_set)
        with self._lock:
            download.waiting.remove(session)
        if not download.ended.is_set():
            raise TransferError("the call ended before the download did")

    def remove(self, url: str) -> None:
        """Forget a document."""
        with self._lock:
            self._drop(url)

    def clear(self) -> None:
        """Forget all documents."""
        with self._lock:
            for url in list(self._entries):
                self._drop(url)

    def _run(self, url: str, download: _Download, former: Entry | None) -> None:
        try:
            entry = self._fetch(url, former)
            download.path = self._path(entry.name)
        except TransferError as error:
            download.error, download.status = str(error), error.status
        except OSError as error:
            download.error = f"{self._settings.location}: {error.strerror or error}"
        finally:
            with self._lock:
                del self._under_way[url]
                download.ended.set()
                waiting = list(download.waiting)
            for session in waiting:
                session.inbox.put(Wake())

    def _fetch(self, url: str, former: Entry | None) -> Entry:
        known = former if former is not None and self._whole(former) else None
        os.makedirs(self._settings.location, exist_ok=True)
        number, part = self._part()
        try:
            with os.fdopen(number, "wb") as file:
                if known is None:
                    answer = self._transfer.download(url, file)
                else:
                    answer = self._transfer.download(url, file, known.etag, known.modified)
                size = file.tell()
            entry = self._entry(url, answer, size, known)
            if answer.changed:
                os.replace(part, self._path(entry.name))
        finally:
            with suppress(FileNotFoundError):
                os.unlink(part)
        with self._lock:
            try:
                self._write_facts(entry)
            except OSError:
                if answer.changed:
                    self._unlink(entry.name)
                raise
            replaced = self._entries.get(url)
            self._keep(entry)
            if replaced is not None and replaced.name != entry.name:
                self._unlink(replaced.name)
            self._evict()
        return entry

    def _entry(self, url: str, answer: Answer, size: int, known: Entry | None) -> Entry:
        age = self._settings.default_max_age if answer.max_age is None else answer.max_age
        if known is not None and not answer.changed:
            etag, modified = answer.etag or known.etag, answer.modified or known.modified
            return replace(known, fetched=self._clock.time(), max_age=age, etag=etag, modified=modified)
        choices = (ending_of(url), ending_of_type(answer.content_type))
        ending = next(filter(self._plays, choices), None) or choices[0] or choices[1]
        name = f"{_digest(url)}-{secrets.token_hex(4)}" + (f".{ending}" if ending else "")
        kind, now = answer.content_type, self._clock.time()
        return Entry(url, name, size, now, age, kind, answer.etag, answer.modified)

    def _fresh(self, entry: Entry) -> bool:
        return 0 <= self._clock.time() - entry.fetched < entry.max_age * SECOND and self._whole(entry)

    def _whole(self, entry: Entry) -> bool:
        return _size(self._path(entry.name)) == entry.size

    def _keep(self, entry: Entry) -> None:
        former = self._entries.pop(entry.url, None)
        self._bytes += entry.size - (former.size if former is not None else 0)
        self._entries[entry.url] = entry

    def _evict(self) -> None:
        # The newest stays: somebody is about to play it.
        while len(self._entries) > 1 and (
            len(self._entries) > self._settings.max_urls or self._bytes > self._settings.max_size
        ):
            self._drop(next(iter(self._entries)))

    def _drop(self, url: str) -> None:
        entry = self._entries.pop(url, None)
        if entry is not None:
            self._bytes -= entry.size
            self._unlink(_digest(url) + _FACTS)
            self._unlink(entry.name)

    def _write_facts(self, entry: Entry) -> None:
        number, part = self._part()
        try:
            with os.fdopen(number, "w", encoding="ascii") as file:
                json.dump(asdict(entry), file)
            os.replace(part, self._path(_digest(entry.url) + _FACTS))
        finally:
            with suppress(FileNotFoundError):
                os.unlink(part)

    def _part(self) -> tuple[int, str]:
        return tempfile.mkstemp(prefix=f"{os.getpid()}-", suffix=_PART, dir=self._settings.location)

    def _path(self, name: str) -> str:
        return os.path.join(self._settings.location, name)

    def _unlink(self, name: str) -> None:
        with suppress(OSError):  # another process that shares the cache was quicker
            os.unlink(self._path(name))


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode("utf-8", "surrogateescape")).hexdigest()


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def _left(location: str) -> list[Entry]:
    """Return the documents that are whole in a folder; what a killed process did not finish is deleted."""
    found = []
    try:
        names = os.listdir(location)
    except OSError:
        return []
    for name in names:
        path = os.path.join(location, name)
        if name.endswith(_PART) and not _runs(name.partition("-")[0]):
            with suppress(OSError):  # another process that shares the cache was quicker
                os.unlink(path)
        elif name.endswith(_FACTS):
            entry = _read_facts(path)
            if entry is not None and _size(os.path.join(location, entry.name)) == entry.size:
                found.append(entry)
    return found


def _runs(process: str) -> bool:
    try:
        return os.path.exists(f"/proc/{int(process)}")
    except ValueError:
        return True  # it is none of ours


def _read_facts(path: str) -> Entry | None:
    """Read what `_write_facts` wrote, None for anything else."""
    try:
        with open(path, "rb") as file:
            facts = json.loads(file.read(_FACTS_LIMIT))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(facts, dict) or facts.keys() != {one.name for one in fields(Entry)}:
        return None
    numbers = ("size", "fetched", "max_age")
    if any(type(value) is not (int if name in numbers else str) for name, value in facts.items()):
        return None
    entry = Entry(**facts)
    try:
        own = os.path.basename(path) == _digest(entry.url) + _FACTS
    except UnicodeError:
        return None
    return (
        entry if own and entry.name.startswith(f"{_digest(entry.url)}-") and "/" not in entry.name else None
    )
