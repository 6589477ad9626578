"""The floors of the house: who may import whom, and that only the clocks know what time it is.

The rules are read off the sources, so an import inside a function or under TYPE_CHECKING counts too. The
second half of this file shows on made-up sources that every rule can fail.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"docs", "host", "lua_bindings", "media", "packaging", "scripts", "tests"}
MADE = {"build", "dist", "__pycache__"}  # what tools leave behind, besides names with a dot
SOURCES = ("host", "lua_bindings", "media")
NO_NAMES = {"common", "helper", "helpers", "manager", "util", "utils"}

DOORS = ("host.cli", "host.serve", "host.console", "host.testing", "host.__main__")
NETWORK = ("socket", "socketserver", "ssl", "selectors", "http.client", "http.server", "sippy", "aiortc")

# Floor -> what it may not import; "lupa" is added everywhere but in lua_bindings.
FORBIDDEN = {
    "media": ("host", "lua_bindings", "tests"),
    "switch": ("host.modules", *DOORS, "lua_bindings", "tests", *NETWORK),
    "scripting": ("host.modules", *DOORS, "tests"),
    "modules": (*DOORS, "lua_bindings", "tests"),
    "doors": ("tests",),
}

# The media engine's own process has no host and paces itself.
CLOCKS = ("host/clock.py", "media/realtime/pace.py")
READS_THE_TIME = {
    *(f"time.{name}{unit}" for name in ("time", "monotonic", "perf_counter") for unit in ("", "_ns")),
    "time.clock_gettime",
    "time.clock_gettime_ns",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
}
READS_WITHOUT_AN_ARGUMENT = {"time.localtime": 0, "time.gmtime": 0, "time.ctime": 0, "time.strftime": 1}
WAITS = {"time.sleep", "threading.Timer", "asyncio.sleep", "asyncio.wait_for", "asyncio.timeout"}
# What waits by the clock goes by these names: the clock, its waiters, the inbox that holds one. It takes a
# deadline, where everything else takes a duration.
WAIT_BY_THE_CLOCK = ("clock", "waiter", "inbox")
# Methods that wait, and at which place among their arguments the timeout stands (None: by name alone).
WAITING_METHODS = {
    "wait": 0,
    "wait_for": 1,
    "acquire": 1,
    "get": None,
    "put": None,
    "join": None,
    "result": None,
    "communicate": None,
    "select": 3,
}


def floor_of(path: str) -> str:
    """Return the floor that a source file, by its path in the tree, stands on."""
    parts = path.removesuffix(".py").split("/")
    if parts[0] == "media":
        return "media"
    if parts[0] == "lua_bindings":
        return "scripting"
    if ".".join(parts[:2]) in DOORS:
        return "doors"
    return "modules" if parts[1] == "modules" and parts[2:] != ["__init__"] else "switch"


def within(name: str, package: str) -> bool:
    """Tell whether a dotted name is a package or something in it."""
    return name == package or name.startswith(package + ".")


def imports(tree: ast.AST, path: str) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of everything that a file imports, relative names resolved.

    ``from a import b`` gives ``a`` and ``a.b``; ``importlib.import_module("a.b")`` with a literal counts too.
    """
    package = path.split("/")[:-1]
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                for alias in node.names:
                    yield node.lineno, alias.name
            case ast.ImportFrom():
                base = package[: len(package) - node.level + 1] if node.level else []
                origin = ".".join([*base, *filter(None, [node.module])])
                yield node.lineno, origin
                for alias in node.names:
                    yield node.lineno, f"{origin}.{alias.name}"
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__")
            ):
                if node.args and isinstance(node.args[0], ast.Constant):
                    yield node.lineno, str(node.args[0].value)


def import_trouble(path: str, tree: ast.AST) -> Iterator[str]:
    """Yield a line for every import that goes up or sideways."""
    floor = floor_of(path)
    own_module = (
        ".".join(["host", "modules", path.split("/")[2].removesuffix(".py")]) if floor == "modules" else ""
    )
    for line, name in imports(tree, path):
        bad = any(within(name, package) for package in FORBIDDEN[floor])
        bad |= floor != "scripting" and within(name, "lupa")
        if floor == "modules" and name.startswith("host.modules."):
            bad |= not within(name, own_module)
        if bad:
            yield f"{path}:{line}: {floor} may not import {name}"


def names_in(tree: ast.AST) -> dict[str, str]:
    """Map the names that a file's absolute imports bind to what they stand for."""
    bound = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                bound[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                bound[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return bound


def dotted(node: ast.expr, bound: dict[str, str]) -> str:
    """Return the dotted name of an expression as far as it is one, through the file's imports."""
    match node:
        case ast.Name(id=name):
            return bound.get(name, name)
        case ast.Attribute(value=value, attr=name):
            return f"{dotted(value, bound)}.{name}"
    return ""


def timeout_of(call: ast.Call, method: str) -> ast.expr | None:
    """Return the timeout that a call of a waiting method hands over, None without one."""
    place = WAITING_METHODS[method]
    if place is not None and len(call.args) > place:
        return call.args[place]
    return next((word.value for word in call.keywords if word.arg == "timeout"), None)


def reads_the_time(name: str, call: ast.Call | None) -> bool:
    """Tell whether a name, or the call of it with too few arguments to say which time, asks what time it is."""
    bare = call is not None and len(call.args) <= READS_WITHOUT_AN_ARGUMENT.get(name, -1)
    return bare or name in READS_THE_TIME


def time_trouble(path: str, tree: ast.AST) -> Iterator[str]:
    """Yield a line for everything that reads the time or waits with a timeout of its own.

    Doors may read the time: they tell a person how long something took. A wait by the clock
    (``inbox.wait(left)``, ``ended.wait(deadline)``), a timeout of 0 and one of None are no waits of one's own.
    """
    if path in CLOCKS:
        return
    bound = names_in(tree)
    may_read = floor_of(path) == "doors"
    called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        name, call = dotted(node, bound), called.get(id(node))
        holder, _, method = name.rpartition(".")
        if name in WAITS:
            yield f"{path}:{node.lineno}: waits by {name}; that is the clock's"
        elif reads_the_time(name, call):
            if not may_read:
                yield f"{path}:{node.lineno}: reads the time by {name}; that is the clock's"
        elif call and isinstance(node, ast.Attribute) and method in WAITING_METHODS:
            timeout = timeout_of(call, method)
            own = timeout is not None and not (
                isinstance(timeout, ast.Constant) and timeout.value in (0, None)
            )
            deadline = timeout is not None and dotted(timeout, bound).endswith("deadline")
            if own and not deadline and not holder.endswith(WAIT_BY_THE_CLOCK):
                yield f"{path}:{node.lineno}: {method} has a timeout of its own; waiting is the clock's"


def tree_trouble(root: Path) -> Iterator[str]:
    """Yield a line for every folder at the top and every file name that does not belong."""
    for folder in sorted(root.iterdir()):
        if folder.is_dir() and "." not in folder.name and folder.name not in FOLDERS | MADE:
            yield f"{folder.name}/: no folder of this house"
    for path in sources(root):
        if path.stem in NO_NAMES or path.parent.name in NO_NAMES:
            yield f"{path.relative_to(root)}: the name does not tell what the file is about"
    for path in sorted((root / "host" / "modules").glob("*")):
        if not path.name.startswith(("mod_", "__")):
            yield f"{path.relative_to(root)}: a module is named mod_…, as FreeSWITCH names it"


def sources(root: Path) -> list[Path]:
    """Every Python file on the floors."""
    return [path for top in SOURCES for path in sorted((root / top).rglob("*.py"))]


def trouble(root: Path) -> list[str]:
    """Return everything in a tree that breaks a rule of this page, a line each."""
    found = list(tree_trouble(root))
    for file in sources(root):
        path = file.relative_to(root).as_posix()
        tree = ast.parse(file.read_bytes(), path)
        found += import_trouble(path, tree)
        found += time_trouble(path, tree)
    return found


def test_the_floors_hold() -> None:
    assert sources(ROOT), "no sources were found to look at"
    assert not (found := trouble(ROOT)), "\n".join(found)


def trouble_with(root: Path, path: str, source: str) -> list[str]:
    """Return what is wrong with a tree that holds this one file."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(source)
    return trouble(root)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("media/tone.py", "import host"),
        ("media/tone.py", "from host.clock import Clock"),
        ("media/rtp/session.py", "def f():\n    import lua_bindings.runtime"),
        ("media/tone.py", "import lupa"),
        ("host/channel.py", "import lupa.luajit21"),
        ("host/channel.py", "import socket"),
        ("host/channel.py", "from lua_bindings import mod_lua"),
        ("host/channel.py", "from . import cli"),
        ("host/channel.py", "from .modules.mod_dptools import answer"),
        (
            "host/channel.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import host.console.app",
        ),
        ("host/ivr/menu.py", "from .. import testing"),
        ("host/ivr/menu.py", "import importlib\nimportlib.import_module('host.modules.mod_say_en')"),
        ("host/modules/__init__.py", "from . import mod_dptools"),
        ("host/modules/mod_sofia/profile.py", "from ..mod_dptools import answer"),
        ("host/modules/mod_sofia/profile.py", "from host.modules import mod_loopback"),
        ("host/modules/mod_hash.py", "from lua_bindings.runtime import Runtime"),
        ("host/modules/mod_hash.py", "import host.cli"),
        ("lua_bindings/mod_lua.py", "from host.modules import mod_commands"),
        ("lua_bindings/mod_lua.py", "from host.console import app"),
        ("host/cli.py", "from lupa import luajit21"),
        ("host/cli.py", "from tests import bench"),
    ],
)
def test_an_import_up_or_sideways_is_found(tmp_path: Path, path: str, source: str) -> None:
    found = trouble_with(tmp_path, path, source)
    assert found and all("may not import" in line for line in found)


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.sleep(1)",
        "import time as t\nt.monotonic()",
        "from time import perf_counter_ns as now\nnow()",
        "import time\nread = time.time",
        "import time\ntime.strftime('%H', time.localtime())",
        "import time\ntime.strftime('%H')",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\ndatetime.now(tz=None)",
        "import threading\nthreading.Timer(1, print)",
        "from threading import Timer\nTimer(1, print)",
        "def f(event):\n    event.wait(0.5)",
        "class A:\n    def f(self, left):\n        self.done.wait(timeout=left)",
        "def f(queue):\n    queue.get(timeout=1)",
        "def f(condition):\n    condition.wait_for(bool, 3)",
        "def f(lock):\n    lock.acquire(True, 3)",
        "def f(thread):\n    thread.join(timeout=3)",
        "import asyncio\nasync def f():\n    await asyncio.sleep(1)",
    ],
)
@pytest.mark.parametrize(
    "path", ["host/session.py", "host/modules/mod_db.py", "lua_bindings/hook.py", "media/engine.py"]
)
def test_a_clock_of_ones_own_is_found(tmp_path: Path, path: str, source: str) -> None:
    found = trouble_with(tmp_path, path, source)
    assert found and all("clock's" in line for line in found)


@pytest.mark.parametrize(
    ("path", "trouble_told"),
    [
        ("helpers/a.py", "helpers/: no folder"),
        ("host/utils.py", "does not tell"),
        ("media/common/gain.py", "does not tell"),
        ("host/modules/dptools.py", "is named mod_"),
    ],
)
def test_a_name_that_does_not_belong_is_found(tmp_path: Path, path: str, trouble_told: str) -> None:
    assert [trouble_told in line for line in trouble_with(tmp_path, path, "")] == [True]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("host/clock.py", "import time, threading\ntime.sleep(time.monotonic())\nthreading.Event().wait(1)"),
        ("media/realtime/pace.py", "import time\ntime.monotonic_ns()"),
        ("host/session.py", "import media.tone\nfrom . import channel\nfrom .events import bus"),
        (
            "host/session.py",
            "class A:\n    def f(self, t):\n        self.switch.clock.wait(t)\n        self._inbox.wait(t)",
        ),
        ("host/session.py", "def f(lock, e, d):\n    e.wait()\n    lock.acquire(False)\n    d.get('a', 1)"),
        ("host/session.py", "import time\ntime.strftime('%H', time.gmtime(0))\n', '.join(['a'])"),
        (
            "host/modules/mod_sofia/profile.py",
            "import socket\nfrom . import leg\nfrom host.channel import Channel",
        ),
        ("host/modules/mod_sofia/__init__.py", "from .profile import Profile"),
        ("lua_bindings/mod_lua.py", "import lupa\nimport media\nfrom host import switch"),
        (
            "host/console/app.py",
            "import time, socket, lua_bindings\nfrom host.modules import mod_db\ntime.monotonic()",
        ),
        ("media/lupa_tone.py", "import hostname"),
        ("build/lib/host/a.py", "import time\ntime.sleep(1)"),
    ],
)
def test_what_is_allowed_passes(tmp_path: Path, path: str, source: str) -> None:
    assert trouble_with(tmp_path, path, source) == []
