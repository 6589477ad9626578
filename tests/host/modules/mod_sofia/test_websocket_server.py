from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from host.modules.mod_sofia.message import Source
from host.modules.mod_sofia.transport.stream_server import StreamLimits
from host.modules.mod_sofia.transport.tls_server import TlsSettings
from host.modules.mod_sofia.transport.websocket_server import WebSocketFraming
from tests.host.modules.mod_sofia.far_end import HOST, PATIENCE, first_line, raw_request
from tests.host.modules.mod_sofia.sip_rig import ok, request_to, running, wait_for
from tests.host.modules.mod_sofia.tls_files import PASSPHRASE, make_folders


def opened(
    near: Source, context: ssl.SSLContext | None = None, origin: str | None = None
) -> ClientConnection:
    scheme = "ws" if context is None else "wss"
    return connect(
        f"{scheme}://{HOST}:{near.port}/",
        subprotocols=[Subprotocol("sip")],
        ssl=context,
        compression=None,
        proxy=None,
        origin=None if origin is None else Origin(origin),
    )


def told(sock: ClientConnection) -> bytes:
    data = sock.recv(timeout=PATIENCE)
    return data.encode() if isinstance(data, str) else data


def test_a_browser_calls_and_is_called() -> None:
    with running() as rig:
        party = rig.party(ok)
        near = party.listen("ws", advertised=("198.51.100.7", 443))
        with opened(near) as sock:
            assert sock.subprotocol == "sip"
            request = raw_request(transport="WS", via="df7jal23ls0d.invalid")
            sock.send(request.decode())
            answer = told(sock)
            assert first_line(answer) == "SIP/2.0 200 OK"
            assert b";received=127.0.0.1" in answer
            (ip, port), transport = party.requests[0].source
            assert transport == "ws"
            party.send(request_to(Source(ip, port, transport)))
            request = told(sock)
            assert b"\r\nVia: SIP/2.0/WS 198.51.100.7:443;" in request
            sock.send("\r\n\r\n")
            assert told(sock) == b"\r\n"
            sock.send([raw_request(transport="WS").decode()[:40], ""])  # fragments of what is then malformed
            assert sock.ping().wait(PATIENCE)
        wait_for(lambda: party.lost)
        wait_for(lambda: party.statuses == [503])  # what the browser has not answered


def test_a_message_in_fragments_or_of_bytes_is_a_message() -> None:
    with running() as rig:
        party = rig.party(ok)
        near = party.listen("ws")
        with opened(near) as sock:
            request = raw_request("MESSAGE", transport="WS", body="caf\xe9")
            sock.send([request[:30], request[30:60], request[60:]])
            assert first_line(told(sock)) == "SIP/2.0 200 OK"


def test_nobody_is_connected_to() -> None:
    with running() as rig:
        party = rig.party()
        party.listen("ws")
        party.send(request_to(Source(HOST, 9, "ws")))
        wait_for(lambda: party.statuses == [503])


def test_what_is_no_handshake_for_sip_is_refused() -> None:
    with running() as rig:
        party = rig.party(ok, limits=StreamLimits(handshake=0.1, sweep=0.02))
        near = party.listen("ws")
        for head in (
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            raw_request(transport="WS"),
            b"",
        ):
            with socket.create_connection(near[:2], timeout=PATIENCE) as sock:
                sock.sendall(head)
                answer = b""
                while part := sock.recv(9999):
                    answer += part
                assert b" 101 " not in answer
        wait_for(lambda: len(party.lost) == 4)


def test_pages_that_may_not_connect_are_refused_and_programs_may() -> None:
    asked: list[tuple[str, str]] = []

    def admits(origin: str, host: str) -> bool:
        asked.append((origin, host))
        return origin == "http://127.0.0.1:8060"

    with running() as rig:
        party = rig.party(ok)
        near = party.listen("ws", admits=admits)
        with pytest.raises(InvalidStatus) as refused, opened(near, origin="http://evil.example"):
            pass
        assert refused.value.response.status_code == 403
        wait_for(lambda: party.lost)
        for origin in ("http://127.0.0.1:8060", None):
            with opened(near, origin=origin) as sock:
                sock.send(raw_request(transport="WS", via="x.invalid").decode())
                assert first_line(told(sock)) == "SIP/2.0 200 OK"
    here = f"{HOST}:{near.port}"
    assert asked == [("http://evil.example", here), ("http://127.0.0.1:8060", here)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=60), max_size=5), st.booleans())
def test_whatever_comes_breaks_nothing_but_the_connection(parts: list[bytes], shake: bool) -> None:
    framing = WebSocketFraming()
    if shake:
        framing.receive(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert framing.established
    for part in parts:
        framing.receive(part)
        framing.outgoing()
        framing.wrap(b"x")


def test_over_tls(tmp_path: Path) -> None:
    folder = make_folders(tmp_path)["far"]
    with running() as rig:
        party = rig.party(
            ok, tls=TlsSettings(str(folder), passphrase=PASSPHRASE, verify_policy=frozenset({"in"}))
        )
        near = party.listen("wss")
        context = ssl.create_default_context(cafile=str(folder / "cafile.pem"))
        context.check_hostname = False
        with opened(near, context) as sock:
            sock.send(raw_request(transport="WSS", via="x.invalid").decode())
            assert first_line(told(sock)) == "SIP/2.0 200 OK"
            assert party.requests[0].source[1] == "wss"
