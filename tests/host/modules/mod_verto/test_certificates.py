"""Secure listeners."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import pytest
from websockets.sync.client import connect

from host.modules.mod_verto.certificates import CertificateError, server_context
from host.modules.mod_verto.settings import Binding, ProfileSettings
from media.dtls_certificate import new_certificate
from tests.host.modules.mod_verto.verto_rig import configuration, verto_switch


def whole_file(folder: Path) -> Path:
    """Make a `wss.pem`: a key and a certificate in one file."""
    made = new_certificate("moonline", datetime.datetime.now(datetime.UTC))
    file = folder / "wss.pem"
    file.write_text(made.certificate + made.private_key)
    return file


def test_a_page_connects_by_tls(tmp_path: Path) -> None:
    file = whole_file(tmp_path)
    secure = (
        '<param name="bind-local" value="127.0.0.1:2" secure="true"/>'
        f'<param name="secure-combined" value="{file}"/><param name="secure-chain" value="{file}"/>'
    )
    with verto_switch(tmp_path, configuration(profile=secure)) as rig:
        assert rig.running.server is not None
        by_security = {binding.secure: port for binding, _, port in rig.running.server.addresses}
        context = ssl.create_default_context(cafile=str(file))
        context.check_hostname = False
        with connect(f"wss://127.0.0.1:{by_security[True]}", ssl=context) as connection:
            connection.send('{"jsonrpc":"2.0","method":"echo","params":{},"id":1}')
            assert "Authentication Required" in str(connection.recv())
            assert "CONN_NO_REG (WSS)" in rig.api("verto status")
        with connect(rig.url) as connection:
            connection.send("{")
            assert "Invalid Request" in str(connection.recv())


def test_another_certificate(tmp_path: Path) -> None:
    file = whole_file(tmp_path)
    secure = (
        '<param name="bind-local" value="127.0.0.1:2" secure="true"/>'
        f'<param name="secure-combined" value="{file}"/>'
    )
    with verto_switch(tmp_path, configuration(profile=secure)) as rig:
        assert rig.running.server is not None
        port = next(port for binding, _, port in rig.running.server.addresses if binding.secure)

        def shown() -> str:
            return ssl.get_server_certificate(("127.0.0.1", port)).strip()

        former = shown()
        assert former in file.read_text()
        file.write_text("nonsense")
        rig.api("reloadcert")
        assert shown() == former and any("SSL reload failed" in line for line in rig.lines)
        whole_file(tmp_path)
        rig.api("reloadcert")
        assert shown() != former and shown() in file.read_text()


def test_without_a_certificate_only_the_other_listeners_run(tmp_path: Path) -> None:
    secure = '<param name="bind-local" value="127.0.0.1:2" secure="true"/>'
    with verto_switch(tmp_path, configuration(profile=secure)) as rig:
        assert rig.running.server is not None
        assert [binding.secure for binding, _, _ in rig.running.server.addresses] == [False]
        assert "SSL ERR: SUPPLIED CERT FILE NOT FOUND" in rig.lines
        assert [line.rpartition("\t")[2] for line in rig.api("verto status").splitlines()[2:4]] == [
            "RUNNING",
            "DOWN",
        ]


@pytest.mark.parametrize("content", ("", "nonsense"))
def test_files_that_are_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "wss.pem"
    file.write_text(content)
    settings = ProfileSettings("p", (Binding("127.0.0.1", 1, True),), certificate=str(file), key=str(file))
    with pytest.raises(CertificateError, match="CERT FILE ERROR"):
        server_context(settings)
