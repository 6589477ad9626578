"""Certificates for tests, made by the `openssl` command: an authority, and two agents it vouches for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

PASSPHRASE = "secret"


def make_folders(root: Path) -> dict[str, Path]:
    """Return folders as `tls-cert-dir` names them: `near`, `far` (key with a passphrase) and `stranger`."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl command")
    folders = {}
    for authority, agents in (("ours", ("near", "far")), ("theirs", ("stranger",))):
        run(root, "req", "-x509", *_KEY, "-nodes", "-keyout", f"{authority}.key", "-out", f"{authority}.crt",
            "-days", "2", "-subj", f"/CN=authority {authority}")  # fmt: skip
        for agent in agents:
            locked = ["-passout", f"pass:{PASSPHRASE}"] if agent == "far" else ["-nodes"]
            run(root, "req", *_KEY, *locked, "-keyout", f"{agent}.key", "-out", f"{agent}.csr",
                "-subj", f"/CN={agent}.example.com")  # fmt: skip
            (root / "names").write_text(f"subjectAltName=DNS:{agent}.example.com,URI:sip:{agent}.example.net")
            run(root, "x509", "-req", "-in", f"{agent}.csr", "-CA", f"{authority}.crt", "-CAkey",
                f"{authority}.key", "-out", f"{agent}.crt", "-days", "2", "-extfile", "names")  # fmt: skip
            folder = folders[agent] = root / agent
            folder.mkdir()
            whole = (root / f"{agent}.crt").read_text() + (root / f"{agent}.key").read_text()
            (folder / "agent.pem").write_text(whole)
            (folder / "wss.pem").write_text(whole)
            (folder / "cafile.pem").write_text((root / f"{authority}.crt").read_text())
    return folders


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


def run(root: Path, *arguments: str) -> None:
    """Run openssl."""
    subprocess.run(["openssl", *arguments], cwd=root, check=True, capture_output=True)
