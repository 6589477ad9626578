"""A real browser without a screen: on a page that tells what happens in it, or on one that is looked into."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from urllib.request import urlopen

from websockets.sync.client import ClientConnection, connect

from tests.sip.until import until

Told = dict[str, Any]

# No screen, no sandbox (which root must not have), no talk with its maker; sound without a click, a beeping microphone.
_OPTIONS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-quic", "--mute-audio",
    "--autoplay-policy=no-user-gesture-required", "--disable-dev-shm-usage", "--remote-debugging-port=0",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
)  # fmt: skip
PAGE: Final = Path(__file__).with_name("browser_phone.html")
PHONE: Final = Path(__file__).parents[2] / "host" / "serve" / "browser_phone" / "phone.js"
# A browser takes its time to start where others have the processor.
SECONDS: Final = 50.0


class _Desk(BaseHTTPRequestHandler):
    """Gives the page and the phone in it, and takes what it tells."""

    def __init__(self, take: Callable[[Told], object], *arguments: Any) -> None:
        self._take = take
        super().__init__(*arguments)

    def do_GET(self) -> None:
        file = {"/": PAGE, "/phone.js": PHONE}.get(self.path)
        if file is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if file is PAGE else "text/javascript")
        self.end_headers()
        self.wfile.write(file.read_bytes())

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._take(told)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Browser:
    """What the page has told so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: list[Told] = []

    def take(self, told: Told) -> None:
        with self._lock:
            self._told.append(told)

    @property
    def told(self) -> list[Told]:
        with self._lock:
            return list(self._told)

    def tells(self, what: str, seconds: float = SECONDS, **more: Any) -> Told:
        """Return the first that it told of a kind and with these values, which may still come."""

        def found() -> list[Told]:
            wanted = {"what": what, **more}
            return [one for one in self.told if wanted.items() <= one.items()]

        until(lambda: bool(found()), lambda: f"{what} {more} is not among {self.told}", seconds)
        return found()[0]

    def hears(self, hertz: int, tolerance: int = 20) -> None:
        """Wait until the loudest of what it hears is this frequency."""

        def heard() -> bool:
            return any(abs(one["hertz"] - hertz) < tolerance for one in self.told if one["what"] == "hears")

        until(heard, lambda: f"{hertz} Hz is not heard: {self.told}", SECONDS)


@contextmanager
def chromium(folder: Path, address: str) -> Iterator[None]:
    """Run a browser of its own on a page, and close it."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program is not None, "chromium is not installed: make peers"
    with (folder / "browser.txt").open("w") as output:
        process = subprocess.Popen(
            [program, *_OPTIONS, f"--user-data-dir={folder / 'profile'}", address],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def browser(folder: Path, orders: dict[str, object]) -> Iterator[Browser]:
    """Open the test's page with these orders in a browser of its own, and close it."""
    page = Browser()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Desk, page.take))
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        with chromium(folder, f"http://127.0.0.1:{server.server_port}/#{quote(json.dumps(orders))}"):
            yield page
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
    assert not [one for one in page.told if one["what"] == "error"]


class Inside:
    """The one page of a browser, looked into by its debugging port."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0

    def evaluate(self, expression: str) -> Any:
        """Return what an expression gives in the page. AssertionError where it raises."""
        answer = self._ask(expression)
        assert "result" in answer and "exceptionDetails" not in answer["result"], answer
        return answer["result"]["result"].get("value")

    def loaded(self, moreover: str = "true") -> None:
        """Wait until the page has come, and something holds in it.

        Before, it has no body, and an empty one stands in its place.
        """

        def complete() -> bool:
            ready = "location.protocol === 'http:' && document.readyState === 'complete'"
            answer = self._ask(f"{ready} && {moreover}")
            return answer.get("result", {}).get("result", {}).get("value") is True

        until(complete, "the page is loaded", SECONDS)

    def _ask(self, expression: str) -> dict[str, Any]:
        self._number += 1
        params = {"expression": expression, "returnByValue": True}
        self._socket.send(json.dumps({"id": self._number, "method": "Runtime.evaluate", "params": params}))
        while True:
            answer: dict[str, Any] = json.loads(self._socket.recv(SECONDS))
            if answer.get("id") == self._number:
                return answer

    def shows(self, text: str) -> None:
        """Wait until a text is on the page."""
        until(
            lambda: text in str(self.evaluate("document.body.innerText")),
            lambda: f"{text!r} is not on the page: {self.evaluate('document.body.innerText')}",
            SECONDS,
        )


@contextmanager
def inside(folder: Path) -> Iterator[Inside]:
    """Look into the page of the browser that runs in this folder."""
    port_file = folder / "profile" / "DevToolsActivePort"
    until(lambda: port_file.is_file() and "\n" in port_file.read_text(), "the browser runs", SECONDS)
    port = port_file.read_text().split()[0]

    def pages() -> list[dict[str, Any]]:
        with urlopen(f"http://127.0.0.1:{port}/json") as answer:
            return [target for target in json.load(answer) if target["type"] == "page"]

    until(lambda: bool(pages()), "the page is open", SECONDS)
    with connect(pages()[0]["webSocketDebuggerUrl"], max_size=None) as socket:
        page = Inside(socket)
        page.loaded()
        yield page
