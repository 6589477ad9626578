from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from host.modules.mod_sofia.message import headers_of
from host.modules.mod_sofia.transport.listener import Listener
from host.modules.mod_sofia.transport.stream_server import StreamLimits
from host.modules.mod_sofia.transport.tls_server import TlsSettings, TlsSettingsError
from tests.host.modules.mod_sofia.far_end import HOST, PATIENCE, first_line, raw_request
from tests.host.modules.mod_sofia.sip_rig import ok, request_to, running, wait_for
from tests.host.modules.mod_sofia.tls_files import PASSPHRASE, make_folders


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_folders(tmp_path_factory.mktemp("tls"))


def settings(folder: Path, *policy: str, **more: object) -> TlsSettings:
    return TlsSettings(
        str(folder),
        passphrase=PASSPHRASE,
        verify_policy=frozenset(policy),
        **more,  # type: ignore[arg-type]
    )


def statuses(
    folders: dict[str, Path], far: TlsSettings, near: TlsSettings, host: str = "far.example.com"
) -> list[int]:
    """Return what a request from `near` to `far` is answered with."""
    with running() as rig:
        server, client = rig.party(ok, tls=far), rig.party(tls=near)
        target = server.listen("tls")
        client.listen("tls")
        request = request_to(target)
        request.getRURI().host = host
        client.send(request)
        wait_for(lambda: client.responses)
        if client.statuses == [200]:
            assert headers_of(server.requests[0], "via")[0].startswith("SIP/2.0/TLS ")
            client.send(request_to(target))
            wait_for(lambda: client.statuses == [200, 200])
            assert server.transactions.transports.count.total == 1
        return client.statuses[:1]


def test_without_a_policy_nobody_is_asked(folders: dict[str, Path]) -> None:
    assert statuses(folders, settings(folders["far"]), settings(folders["stranger"])) == [200]


@pytest.mark.parametrize(
    ("near", "policy", "status"),
    [("near", "in", 200), ("stranger", "in", 503), ("near", "subjects_in", 200), ("far", "subjects_in", 503)],
)
def test_those_who_connect_must_be_vouched_for(
    folders: dict[str, Path], near: str, policy: str, status: int
) -> None:
    server = settings(folders["far"], policy, verify_in_subjects=("near.example.com",))
    assert statuses(folders, server, settings(folders[near])) == [status]


@pytest.mark.parametrize(
    ("far", "policy", "host", "status"),
    [
        ("far", "out", "other.example.com", 200),
        ("stranger", "out", "stranger.example.com", 503),
        ("far", "subjects_out", "far.example.com", 200),
        ("far", "subjects_out", "far.example.net", 200),
        ("far", "subjects_out", "other.example.com", 503),
    ],
)
def test_those_we_connect_to_must_be_vouched_for(
    folders: dict[str, Path], far: str, policy: str, host: str, status: int
) -> None:
    assert statuses(folders, settings(folders[far]), settings(folders["near"], policy), host) == [status]


def test_versions_are_limited(folders: dict[str, Path]) -> None:
    new = settings(folders["far"], versions=("tlsv1.3",))
    old = settings(folders["near"], versions=("tlsv1.2",))
    assert statuses(folders, new, old) == [503]


def test_bad_settings_are_told(folders: dict[str, Path], tmp_path: Path) -> None:
    with running() as rig:
        for tls, told in (
            (TlsSettings(str(folders["far"]), passphrase="wrong"), "cannot use"),
            (settings(tmp_path), "has no agent.pem and cafile.pem, or tls.pem"),
            (settings(folders["near"], ciphers="NONE-SUCH"), "cannot use the ciphers"),
            (None, "without settings"),
        ):
            with pytest.raises(TlsSettingsError, match=told):
                rig.party(tls=tls).transactions.listen(Listener("tls", HOST, 0))


def test_a_handshake_has_a_deadline_and_noise_is_no_harm(folders: dict[str, Path]) -> None:
    with running() as rig:
        limits = StreamLimits(handshake=0.1, sweep=0.02)
        party = rig.party(ok, tls=settings(folders["far"]), limits=limits)
        near = party.listen("tls")
        with socket.create_connection(near[:2], timeout=PATIENCE) as silent:
            assert silent.recv(1) == b""
        with socket.create_connection(near[:2], timeout=PATIENCE) as noisy:
            noisy.sendall(raw_request(transport="TLS"))
            while noisy.recv(999):
                pass
        wait_for(lambda: len(party.lost) == 2)
        assert party.lost[0][1] == "no connection in time"


def test_a_session_that_is_closed_closes_the_connection(folders: dict[str, Path]) -> None:
    with running() as rig:
        party = rig.party(ok, tls=settings(folders["far"]))
        near = party.listen("tls")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with context.wrap_socket(socket.create_connection(near[:2], timeout=PATIENCE)) as sock:
            request = raw_request("MESSAGE", transport="TLS", body="x" * 40_000)
            sock.sendall(request[:20_000])
            sock.sendall(request[20_000:])
            assert first_line(sock.recv(65535)) == "SIP/2.0 200 OK"
            sock.unwrap()
        wait_for(lambda: party.lost)
        assert party.transactions.transports.count.total == 0
