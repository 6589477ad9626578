"""A certificate of its own for a server that is called 127.0.0.1."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_certificate(folder: Path) -> None:
    """Write `certificate.pem` and `key.pem`; the same again as `agent.pem` and `cafile.pem`, as sofia names them."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "certificate.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    certificate = (folder / "certificate.pem").read_text()
    (folder / "cafile.pem").write_text(certificate)
    (folder / "agent.pem").write_text(certificate + (folder / "key.pem").read_text())
