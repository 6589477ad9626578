"""Servers that a test has to itself: Redis and PostgreSQL on free loopback ports, in folders of their own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.free_ports import free_port

__all__ = ["free_port", "postgres_server", "redis_server"]

_START_SECONDS = 30.0  # a busy machine


@contextmanager
def redis_server() -> Iterator[str]:
    """Run a Redis without disk and yield its URL; the test is skipped where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed; `make peers` installs it on Debian")
    redis = pytest.importorskip("redis", reason="needs the extra moonline[redis]")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            try:
                url = f"redis://127.0.0.1:{port}/0"
                client = redis.Redis.from_url(url)
                _until(lambda: bool(client.ping()), server, redis.RedisError)
                client.close()
                yield url
            finally:
                server.terminate()


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a PostgreSQL and yield the DSN of an empty database; the test is skipped where there is none."""
    initdb, postgres = _postgres_program("initdb"), _postgres_program("postgres")
    if initdb is None or postgres is None:
        pytest.skip("postgresql is not installed; `make peers` installs it on Debian")
    psycopg = pytest.importorskip("psycopg", reason="needs the extra moonline[pgsql]")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        user, group = _unprivileged(Path(folder))
        environment = {"PATH": os.defpath, "LC_ALL": "C", "PGTZ": "UTC"}
        data = f"{folder}/data"
        done = subprocess.run(
            [initdb, "-D", data, "-U", "moonline", "--auth=trust", "-N", "-E", "UTF8"],
            cwd=folder, env=environment, capture_output=True, text=True, check=False, user=user, group=group,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        settings = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": folder}
        settings |= {"fsync": "off", "shared_buffers": "16MB"}
        command = [postgres, "-D", data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=user,
            group=group,
        ) as server:
            try:
                parameters = f"host=127.0.0.1 port={port} user=moonline dbname=postgres"
                _until(lambda: psycopg.connect(parameters).close() is None, server, psycopg.Error)
                yield f"pgsql://{parameters}"
            finally:
                server.send_signal(2)  # SIGINT: at once, whoever is connected


def _postgres_program(name: str) -> str | None:
    """Return a program of the server: Debian puts them beside the PATH, by version."""
    found = shutil.which(name)
    if found is not None:
        return found
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    return str(versions[-1]) if versions else None


def _unprivileged(folder: Path) -> tuple[int | None, int | None]:
    """Return as which user and group to run where the tests run as root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None, None
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return user.pw_uid, user.pw_gid


def _until(ready: Callable[[], bool], server: subprocess.Popen[bytes], error: type[Exception]) -> None:
    """Wait until a server answers."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            if ready():
                return
        except error:
            assert server.poll() is None, f"it ended with {server.returncode}"
            assert time.monotonic() < deadline, "it does not answer"
            time.sleep(0.05)
