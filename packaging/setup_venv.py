#!/usr/bin/env python3
"""Make `.venv` with `moonline` in it, from nothing but a Python, and install what the system lacks.

Run by `make setup`. Needs the standard library only, so that it works before anything is installed, and
keeps to syntax of Python 3.7, so that an old `python3` ends in a message and not in a SyntaxError. A stamp
in `.venv`, keyed on `pyproject.toml`, this file and the folder, makes every later run return at once.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing itself would be a third of the time of a run that has nothing to do
if TYPE_CHECKING:
    from typing import Any

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, ".moonline-setup")
EXTRAS = "dev,asr,av,console,curl,enum,metrics,mysql,odbc,pgsql,redis,sip,srtp,webrtc"
OLDEST = (3, 11)

PROBE = """
import json, os, sys, sysconfig
try:
    import ensurepip, venv
    has_venv = True
except ImportError:
    has_venv = False
headers = sysconfig.get_path("platinclude"), sysconfig.get_path("include")
print(json.dumps({
    "path": os.path.realpath(sys.executable),
    "version": sys.version_info[:2],
    "usable": sys.implementation.name == "cpython" and sys.version_info.releaselevel == "final"
              and not sysconfig.get_config_var("Py_GIL_DISABLED"),
    "has_venv": has_venv,
    "has_headers": any(os.path.exists(os.path.join(folder, "Python.h")) for folder in headers),
    "compilers": [(os.environ.get(name) or sysconfig.get_config_var(name) or default).split()[0]
                  for name, default in (("CC", "cc"), ("CXX", "c++"))],
    "multiarch": sysconfig.get_config_var("MULTIARCH") or "",
    "prefix": sysconfig.get_config_var("exec_prefix"),
}))
"""

BY_HAND = """\
apt-get is not here, so please install these by hand and run the command again:
  - Python 3.11 or newer, with its headers (Python.h) and with venv and ensurepip
  - a C and a C++ compiler
  - the libsndfile headers (sndfile.h): libsndfile1-dev, libsndfile-devel or libsndfile by other names"""


class SetupError(Exception):
    """What keeps the set-up from going on, in words for the person at the terminal."""


class Interpreter:
    """A Python found on this machine and what of it is installed.

    `about` is the object that PROBE prints, run by that Python.
    """

    def __init__(self, about: dict[str, Any]) -> None:
        """Take over what PROBE printed."""
        self.path: str = about["path"]
        self.version: tuple[int, ...] = tuple(about["version"])
        self.usable: bool = about["usable"] and self.version >= OLDEST
        self.has_venv: bool = about["has_venv"]
        self.has_headers: bool = about["has_headers"]
        self.compilers: list[str] = about["compilers"]
        self.multiarch: str = about["multiarch"]
        self.prefix: str = about["prefix"]

    @property
    def complete(self) -> bool:
        """Whether a virtual environment and compiled packages can be made with it as it is."""
        return self.has_venv and self.has_headers

    @property
    def from_apt(self) -> bool:
        """Whether it is the distribution's own, so that apt has its missing parts."""
        return os.path.dirname(self.path) == "/usr/bin"


def stamp_key() -> str:
    """Return what the stamp must hold for the environment to be up to date."""
    import hashlib

    digest = hashlib.sha256(ROOT.encode())
    for name in (os.path.join(ROOT, "pyproject.toml"), os.path.abspath(__file__)):
        with open(name, "rb") as source:
            digest.update(source.read())
    return digest.hexdigest()


def is_ready(command: str | None) -> bool:
    """Tell whether nothing needs doing: the stamp fits and what it vouches for is still there."""
    try:
        with open(STAMP, encoding="utf-8") as stamp:
            key, _, python = stamp.read().strip().partition("\n")
    except OSError:
        return False
    if command:
        import shutil

        if os.path.realpath(shutil.which(command) or command) != python:
            return False
    return key == stamp_key() and all(
        os.path.exists(os.path.join(VENV, "bin", name)) for name in ("python", "moonline")
    )


def say(text: str) -> None:
    """Print one progress line at once, also into a pipe."""
    print("setup: " + text, flush=True)


def run(arguments: list[str], what: str) -> None:
    """Run a command quietly; on failure show the end of what it printed and raise SetupError."""
    import subprocess

    done = subprocess.run(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        lines = done.stdout.decode("utf-8", "replace").rstrip().splitlines()[-40:]
        raise SetupError("\n".join([*lines, what + " failed (the lines above are the end of its output)"]))


def probe(command: str) -> Interpreter | None:
    """Look at the Python that `command` starts; None when it is none or does not start."""
    import json
    import subprocess

    try:
        done = subprocess.run([command, "-I", "-c", PROBE], check=False, capture_output=True)
        return Interpreter(json.loads(done.stdout)) if done.returncode == 0 else None
    except (OSError, ValueError):
        return None


def installed_interpreters() -> list[Interpreter]:
    """Every Python 3 on the PATH, each once."""
    import re

    found: dict[str, Interpreter] = {}
    for folder in [*os.environ.get("PATH", os.defpath).split(os.pathsep), "/usr/bin", "/usr/local/bin"]:
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            if re.fullmatch(r"python3(\.\d+)?", name):
                interpreter = probe(os.path.join(folder, name))
                if interpreter:
                    found.setdefault(interpreter.path, interpreter)
    return list(found.values())


def choose(interpreters: list[Interpreter]) -> Interpreter:
    """Choose the newest Python that is complete, else the newest that apt can complete.

    Raises SetupError when there is neither.
    """
    usable = sorted((one for one in interpreters if one.usable), key=lambda one: one.version, reverse=True)
    fitting = [one for one in usable if one.complete] + [one for one in usable if one.from_apt]
    if fitting:
        return fitting[0]
    if usable:
        raise SetupError(
            f"{usable[0].path} lacks venv, ensurepip or its headers (Python.h), and apt has no parts for it."
        )
    seen = ", ".join("{} ({}.{})".format(one.path, *one.version) for one in interpreters) or "none"
    raise SetupError(
        f"Moonline needs CPython {OLDEST[0]}.{OLDEST[1]} or newer. Found here: {seen}.\n"
        "Install one and run the command again, or name it: make setup PYTHON=/path/to/python3.12"
    )


def has_sndfile(python: Interpreter) -> bool:
    """Tell whether pysndfile's build will find the libsndfile headers: it looks in these places."""
    includes = [os.path.join(prefix, "include") for prefix in (python.prefix, "/usr/local", "/usr")]
    folders = [folder for base in includes for folder in (os.path.join(base, python.multiarch), base)]
    return any(os.path.exists(os.path.join(folder, "sndfile.h")) for folder in folders)


def has_postgres() -> bool:
    """Tell whether a PostgreSQL server is there: on the PATH, or where Debian puts it, by version."""
    import glob
    import shutil

    return bool(shutil.which("initdb") or glob.glob("/usr/lib/postgresql/*/bin/initdb"))


def has_kamailio() -> bool:
    """Tell whether Kamailio is there with its module for TLS, which Debian has in a package of its own."""
    import glob
    import shutil

    folders = os.environ.get("PATH", os.defpath) + os.pathsep + "/usr/sbin"
    return bool(shutil.which("kamailio", path=folders) and glob.glob("/usr/lib/*/kamailio/modules/tls.so"))


def has_library(pattern: str) -> bool:
    """Tell whether a shared library is there, by its file name."""
    import glob

    return any(
        glob.glob(folder + pattern) for folder in ("/usr/lib/*/", "/usr/lib*/", "/lib/*/", "/usr/local/lib/")
    )


def has_odbc_driver(library: str) -> bool:
    """Tell whether an ODBC driver is there, by the name of its library."""
    import glob

    return bool(glob.glob("/usr/lib/*/odbc/" + library) or glob.glob("/usr/lib*/" + library))


def missing_packages(python: Interpreter) -> list[str]:
    """Debian's names of the packages that the machine lacks for building and running Moonline."""
    import shutil

    name = "python{}.{}".format(*python.version)
    wanted = {
        name + "-venv": python.has_venv,
        name + "-dev": python.has_headers,
        "g++": all(shutil.which(compiler) for compiler in python.compilers),
        "libsndfile1-dev": has_sndfile(python),
    }
    return [package for package, there in wanted.items() if not there]


def missing_peers() -> list[str]:
    """Debian's names of the servers and SIP peers that the machine lacks for the tests.

    The tests start their own; Debian's start one each with the machine, too.
    """
    import shutil

    wanted = {
        "redis-server": shutil.which("redis-server"),
        "postgresql": has_postgres(),
        "mariadb-server": shutil.which("mariadbd", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin"),
        "libodbc2": has_library("libodbc.so.2"),
        "libsqliteodbc": has_odbc_driver("libsqlite3odbc.so"),
        "odbc-postgresql": has_odbc_driver("psqlodbcw.so"),
        "sip-tester": shutil.which("sipp"),
        "baresip-core": shutil.which("baresip"),
        "kamailio": has_kamailio(),
        "kamailio-tls-modules": has_kamailio(),
        "libspeexdsp1": has_library("libspeexdsp.so.1"),
        "openssl": shutil.which("openssl"),
        "chromium": shutil.which("chromium"),
    }
    return [package for package, there in wanted.items() if not there]


def install_packages(packages: list[str]) -> None:
    """Install Debian packages as root or through sudo; SetupError tells what to do where neither goes."""
    import shutil

    if not shutil.which("apt-get"):
        raise SetupError(BY_HAND)
    command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            raise SetupError("please run as root: apt-get install " + " ".join(packages))
        command.insert(0, "sudo")
    say("installing system packages: " + " ".join(packages))
    try:
        run([*command, "update"], "apt-get update")
    except SetupError:
        # One unreachable third-party source fails the update; the packages may be known all the same.
        say("apt-get update had errors; going on")
    run([*command, "install", "--no-install-recommends", *packages], "apt-get install " + " ".join(packages))


def venv_at_hand() -> Interpreter | None:
    """Return the Python of the `.venv` that is there; None unless it runs, will do and was made in this folder."""
    own = probe(os.path.join(VENV, "bin", "python"))
    if own is None or not (own.usable and own.complete):
        return None
    try:
        with open(os.path.join(VENV, "bin", "pip"), encoding="utf-8") as script:
            return own if VENV + os.sep in script.readline() else None
    except OSError:
        return None


def set_up(command: str | None) -> None:
    """Do everything that is missing and write the stamp; raises SetupError.

    A `.venv` that is sound is kept, unless `command` names another Python than its own.
    """
    own = venv_at_hand()
    if command:
        named = probe(command)
        if named is None:
            raise SetupError(command + " is no Python that starts")
        python = choose([named])
    else:
        python = own or choose(installed_interpreters())
    missing = missing_packages(python)
    if missing:
        install_packages(missing)
    if os.path.exists(STAMP):
        os.remove(STAMP)
    if own is None or own.path != python.path:
        say("making .venv with {} (Python {}.{})".format(python.path, *python.version))
        run([python.path, "-I", "-m", "venv", "--clear", VENV], "making .venv")
    say("installing Python packages into .venv (a minute or two the first time)")
    pip = [os.path.join(VENV, "bin", "python"), "-I", "-m", "pip", "--quiet", "--no-input"]
    run(
        [*pip, "install", "--disable-pip-version-check", "--editable", f"{ROOT}[{EXTRAS}]"],
        "installing the Python packages",
    )
    with open(STAMP, "w", encoding="utf-8") as stamp:
        stamp.write(f"{stamp_key()}\n{python.path}\n")
    say("ready: .venv/bin/moonline")


def install_peers() -> int:
    """Install what the tests talk to; return 0, or 1 after a message on standard error."""
    missing = missing_peers()
    try:
        if missing:
            install_packages(missing)
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    return 0


def main(arguments: list[str]) -> int:
    """Take `[--python COMMAND]`, or `--peers` for what the tests need beside; return 0, or 1 after a message on
    standard error.
    """
    if arguments == ["--peers"]:
        return install_peers()
    command = arguments[1] if len(arguments) == 2 and arguments[0] == "--python" else None
    if is_ready(command):
        return 0
    try:
        set_up(command)
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
