"""A MariaDB that a test has to itself: on a free loopback port, in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.free_ports import free_port

_START_SECONDS = 30.0  # a busy machine


@contextmanager
def mariadb_server() -> Iterator[int]:
    """Run a MariaDB whose user `root` has no password, with the database `test`; yield its port.

    The test is skipped where there is none.
    """
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    install, server = shutil.which("mariadb-install-db", path=path), shutil.which("mariadbd", path=path)
    if install is None or server is None:
        pytest.skip("mariadb-server is not installed; `make peers` installs it on Debian")
    pymysql = pytest.importorskip("pymysql", reason="needs the extra moonline[mysql]")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        data, user = f"{folder}/data", []
        os.mkdir(data)
        if os.geteuid() == 0:  # whom MariaDB refuses
            try:
                account = pwd.getpwnam("mysql")
            except KeyError:
                pytest.skip("MariaDB does not run as root, and there is no user mysql")
            for place in (folder, data):
                os.chown(place, account.pw_uid, account.pw_gid)
            user = ["--user=mysql"]
        common = ["--no-defaults", f"--datadir={data}", *user]
        done = subprocess.run(
            [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        settings = ["--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder}/socket"]
        settings += [f"--pid-file={folder}/pid", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"]
        with subprocess.Popen(
            [server, *common, *settings], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as running:
            try:
                deadline = time.monotonic() + _START_SECONDS
                while True:
                    try:
                        connection = pymysql.connect(host="127.0.0.1", port=port, user="root")
                        break
                    except pymysql.Error:
                        assert running.poll() is None, f"it ended with {running.returncode}"
                        assert time.monotonic() < deadline, "it does not answer"
                        time.sleep(0.05)
                connection.cursor().execute("create database test character set utf8mb4")
                connection.close()
                yield port
            finally:
                running.terminate()
