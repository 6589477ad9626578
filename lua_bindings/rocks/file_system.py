"""What the rock lfs needs of the host: attributes, folders, links, locks.

The host's working directory belongs to all calls, so `chdir` into another one is refused.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from host.clock import RealClock
from lua_bindings.rocks.crossing import Answer, Made, Plain, crossings

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun

_KINDS: Final = (
    (stat.S_ISREG, b"file"),
    (stat.S_ISDIR, b"directory"),
    (stat.S_ISLNK, b"link"),
    (stat.S_ISSOCK, b"socket"),
    (stat.S_ISFIFO, b"named pipe"),
    (stat.S_ISCHR, b"char device"),
    (stat.S_ISBLK, b"block device"),
)
# What the system writes on files is wall time, whatever the script's clock says.
_WALL: Final = RealClock()

_LOCK_NAME: Final = b"/lockfile.lfs"


class Folder:
    """An open folder whose names are handed out one by one; its entries `.` and `..` come first."""

    def __init__(self, run: ScriptRun, path: bytes) -> None:
        self._entries: os._ScandirIterator[bytes] | None = os.scandir(path)
        self._names = self._all_names(self._entries)
        run.resources.add(self)

    @staticmethod
    def _all_names(entries: Iterator[os.DirEntry[bytes]]) -> Iterator[bytes]:
        yield b"."
        yield b".."
        for entry in entries:
            yield entry.name

    def next(self) -> Answer:
        """Return whether the folder is open, and the next name; the last closes it."""
        if self._entries is None:
            return False, None
        name = next(self._names, None)
        if name is None:
            self.close()
        return True, name

    def close(self) -> None:
        """Close the folder."""
        if self._entries is not None:
            self._entries.close()
            self._entries = None

    def release(self) -> None:
        """Close the folder at the script's end."""
        self.close()


class FolderLock:
    """The lock on a folder: a link in it, taken away when it is freed or the script ends."""

    def __init__(self, run: ScriptRun, path: bytes) -> None:
        self._path: bytes | None = path
        run.resources.add(self)

    def release(self) -> None:
        """Take the link away."""
        path, self._path = self._path, None
        if path is not None:
            try:
                os.unlink(path)
            except OSError:
                pass  # somebody took it away


def _attributes(path: bytes, follow: bool) -> Answer:
    """Return the attributes in the order in which `lfs.lua` names them; nil, the system's text and its number."""
    try:
        found = os.stat(path, follow_symlinks=follow)
    except (OSError, ValueError) as error:
        return _failure(error)
    kind = next((name for is_it, name in _KINDS if is_it(found.st_mode)), b"other")
    target: Plain = None
    if kind == b"link":
        target = os.readlink(path)
    return (
        kind,
        found.st_dev,
        found.st_ino,
        found.st_nlink,
        found.st_uid,
        found.st_gid,
        found.st_rdev,
        int(found.st_atime),
        int(found.st_mtime),
        int(found.st_ctime),
        found.st_size,
        _permissions(found.st_mode),
        found.st_blocks,
        found.st_blksize,
        target,
    )


def _permissions(mode: int) -> bytes:
    letters = b"rwxrwxrwx"
    return bytes(letter if mode >> 8 - index & 1 else 45 for index, letter in enumerate(letters))


def _failure(error: Exception) -> Answer:
    if isinstance(error, OSError):
        return None, (error.strerror or str(error)).encode(), error.errno
    return None, b"Invalid argument", 22


def _done(work: Callable[[], object]) -> Answer:
    try:
        work()
    except (OSError, ValueError) as error:
        return _failure(error)
    return True, None, None


def _lock(address: bytes, mode: bytes, start: float, length: float) -> Answer:
    """Lock (r, w) or unlock (u) a part of an open file, by the address of its C FILE."""
    library = ctypes.CDLL(None)
    file = library.fileno(ctypes.c_void_p(int(address, 16)))
    command = {b"r": fcntl.LOCK_SH | fcntl.LOCK_NB, b"w": fcntl.LOCK_EX | fcntl.LOCK_NB, b"u": fcntl.LOCK_UN}[
        mode
    ]
    return _done(lambda: fcntl.lockf(file, command, int(length), int(start), os.SEEK_SET))


def functions(run: ScriptRun) -> Mapping[str, Callable[..., object]]:
    """Return the functions; paths are octets."""
    clock = run.switch.clock

    def folder(path: bytes) -> Answer | Made:
        try:
            return Made(b"directory metatable", Folder(run, path))
        except (OSError, ValueError) as error:
            return _failure(error)

    def change(path: bytes) -> Answer:
        try:
            same = os.path.samefile(path, b".")
        except (OSError, ValueError) as error:
            return _failure(error)
        return (True, None, None) if same else (None, b"the working directory belongs to all calls", 1)

    def touch(path: bytes, accessed: float | None, modified: float | None) -> Answer:
        now = clock.time() / 1_000_000
        access = now if accessed is None else accessed
        return _done(lambda: os.utime(path, (access, access if modified is None else modified)))

    def link(old: bytes, new: bytes, symbolic: bool) -> Answer:
        return _done(lambda: os.symlink(old, new) if symbolic else os.link(old, new))

    def lock_folder(path: bytes, stale: float | None) -> Answer | Made:
        name = path + _LOCK_NAME
        try:
            if stale is not None and _WALL.time() / 1_000_000 - os.lstat(name).st_mtime > stale:
                os.unlink(name)
        except OSError:
            pass  # there is no lock
        made = _done(lambda: os.symlink(b"lock", name))
        return Made(b"lock metatable", FolderLock(run, name)) if made[0] else made

    return crossings(
        run,
        "lfs",
        {
            "attributes": _attributes,
            "folder": folder,
            "next": Folder.next,
            "close": Folder.close,
            "mkdir": lambda path: _done(lambda: os.mkdir(path)),
            "rmdir": lambda path: _done(lambda: os.rmdir(path)),
            "current": os.getcwdb,
            "change": change,
            "touch": touch,
            "link": link,
            "lock": _lock,
            "lock_folder": lock_folder,
            "free": FolderLock.release,
        },
    )
