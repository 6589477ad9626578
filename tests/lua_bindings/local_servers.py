"""Servers on this machine that tests of the network rocks talk to, each in a thread of its own."""

from __future__ import annotations

import http.server
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(server: socketserver.TCPServer) -> Iterator[int]:
    """Run a server and yield its port."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        port = server.socket.getsockname()[1]
        assert isinstance(port, int)
        yield port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class ThreadingServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def conversation(talk: Callable[[socket.socket], None]) -> ThreadingServer:
    """Return a server that has one conversation with each client."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            talk(self.request)

    return ThreadingServer(("127.0.0.1", 0), Handler)


def echo(connection: socket.socket) -> None:
    """Send back what comes."""
    while data := connection.recv(4096):
        connection.sendall(data)


class Recorded:
    """What an HTTP server was asked: request line, headers in their spelling, body."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []


def web(recorded: Recorded) -> http.server.ThreadingHTTPServer:
    """Return an HTTP server with a path for each behaviour."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") == "chunked":
                data = b""
                while size := int(self.rfile.readline(), 16):
                    data += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return data
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _answer(self, code: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            if code != 204 and "Transfer_Encoding" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_GET(self) -> None:
            recorded.requests.append((self.requestline, dict(self.headers.items()), self._body()))
            path = self.path
            if path.startswith("/moved"):
                self._answer(302, Location="/there")
            elif path.startswith("/loop"):
                self._answer(302, Location="/loop")
            elif path.startswith("/chunked"):
                self._answer(
                    200, b"3\r\nabc\r\n2;x=1\r\nde\r\n0\r\nX-Late: v\r\n\r\n", Transfer_Encoding="chunked"
                )
            elif path.startswith("/none"):
                self._answer(204)
            elif path.startswith("/missing"):
                self._answer(404, b"no such page")
            elif path.startswith("/closing"):
                self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\nuntil the end")
                self.close_connection = True
            elif path.startswith("/continue"):
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                self._answer(200, b"went on")
            else:
                self._answer(200, b"hello", X_A="1")

        do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def certificate(folder: Path) -> Path:
    """Return a file with a key and a certificate of 127.0.0.1 that signs itself."""
    file = folder / "self-signed.pem"
    key = folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    subprocess.run(
        [*command.split(), "-keyout", str(key), "-out", str(file)], check=True, capture_output=True
    )
    file.write_bytes(key.read_bytes() + file.read_bytes())
    return file


def encrypted(server: socketserver.TCPServer, pem: Path) -> socketserver.TCPServer:
    """Let a server speak TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


class Mailbox:
    """What an SMTP server was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.message = b""


def smtp(mailbox: Mailbox, offered: str = "AUTH LOGIN PLAIN", refuse: str = "") -> ThreadingServer:
    """Return a server that takes mail and knows the login `user`, `secret`; `refuse` is a command it answers by 550."""

    def talk(connection: socket.socket) -> None:
        file = connection.makefile("rb")

        def say(text: str) -> None:
            connection.sendall(text.encode() + b"\r\n")

        say("220 ready")
        while line := file.readline():
            text = line.decode().rstrip("\r\n")
            mailbox.lines.append(text)
            word = text.split(" ")[0].upper()
            if refuse and word == refuse:
                say("550 refused")
            elif word == "EHLO":
                say(f"250-here\r\n250 {offered}")
            elif text == "AUTH LOGIN":
                say("334 VXNlcm5hbWU6")
                mailbox.lines.append(file.readline().decode().strip())
                say("334 UGFzc3dvcmQ6")
                mailbox.lines.append(file.readline().decode().strip())
                say("235 ok")
            elif word == "AUTH":
                say("235 ok")
            elif word == "DATA":
                say("354 go on")
                data = b""
                while not data.endswith(b"\r\n.\r\n"):
                    data += file.readline()
                mailbox.message = data[:-5]
                say("250 taken")
            elif word == "QUIT":
                say("221 bye")
                return
            else:
                say("250 ok")

    return conversation(talk)
