"""A phone on a web page: who has no SIP phone calls scripts with the browser (`moonline serve --phone`)."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from socketserver import TCPServer
from typing import Any, Final

from host.own_name import is_own_name

PORT: Final = 8060
_PAGES: Final = {
    "/": ("phone.html", "text/html; charset=utf-8"),
    "/phone.js": ("phone.js", "text/javascript; charset=utf-8"),
}
_SETTINGS: Final = "/settings.json"
# Buttons for more scripts than these nobody looks through; all can be dialled.
_MOST_SCRIPTS: Final = 60
# A browser that opens a connection and asks nothing is not waited for longer.
_SECONDS: Final = 10.0
# A page takes some few at a time; each is a thread.
_MOST_CONNECTIONS: Final = 32


class PhonePage:
    """Serves the page until it is closed. OSError where the port is taken or the address is not this machine's."""

    def __init__(self, address: str, port: int, websocket: int, scripts: Callable[[], list[str]]) -> None:
        """`websocket` is the port of the SIP profile's WebSocket at the same address; `scripts` names what to call."""
        self._server = _Server(address, port, partial(_Page, websocket, scripts))
        self._thread = threading.Thread(target=self._server.serve_forever, name="phone-page", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: str, port: int, page: Callable[..., BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._room = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        super().__init__((address, port), page)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's would ask name servers who this machine is

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of browsers that go away amid an answer."""


class _Page(BaseHTTPRequestHandler):
    timeout = _SECONDS

    def __init__(self, websocket: int, scripts: Callable[[], list[str]], *arguments: Any) -> None:
        self._websocket = websocket
        self._scripts = scripts
        super().__init__(*arguments)

    def do_GET(self) -> None:
        if not is_own_name(self.headers.get("Host", ""), socket.gethostname()):
            self.send_error(421)
            return
        path = self.path.partition("?")[0]
        if path == _SETTINGS:
            settings = {"websocket": self._websocket, "scripts": self._scripts()[:_MOST_SCRIPTS]}
            self._give(json.dumps(settings).encode(), "application/json")
        elif path in _PAGES:
            name, kind = _PAGES[path]
            self._give(files("host.serve.browser_phone").joinpath(name).read_bytes(), kind)
        else:
            self.send_error(404)

    def _give(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing: the log is for calls."""


def scripts_in(folder: Path) -> list[str]:
    """Return the names by which the scripts of a folder, and of those right below it, are dialled."""
    found = [*folder.glob("*.lua"), *folder.glob("*/*.lua")]
    names = (file.relative_to(folder).with_suffix("").as_posix() for file in found)
    return sorted(name for name in names if not name.startswith(".") and "/." not in name)
