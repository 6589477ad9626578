"""The page of docs/verto.md in a browser: it calls a script, presses a key, is called, comes back after a reload."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from tests.host.modules.mod_verto.verto_rig import (
    ALLOWED,
    PASSWORD,
    configuration,
    extension,
    user,
    verto_switch,
)
from tests.sip.browser import SECONDS, Inside, chromium, inside
from tests.sip.until import until

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "verto.md"
SCRIPT: Final = """
session:answer()
local key = session:playAndGetDigits(1, 1, 1, 60000, "", "tone_stream://%(60000,0,700)", "", "\\\\d")
session:setVariable("pressed", key)
session:streamFile("tone_stream://%(600000,0,900)")
"""
# Has `loudest()` return the frequency of what the page hears, 0 for nothing loud.
EAR: Final = """
context = new AudioContext();
ear = context.createAnalyser();
ear.fftSize = 8192;
context.createMediaStreamSource(document.getElementById("sound").srcObject).connect(ear);
loudest = () => {
  const bins = new Float32Array(ear.frequencyBinCount);
  ear.getFloatFrequencyData(bins);
  const best = bins.reduce((found, level, bin) => level > bins[found] ? bin : found, 0);
  return bins[best] > -50 ? best * context.sampleRate / ear.fftSize : 0;
};
0
"""


class _Desk(BaseHTTPRequestHandler):
    """Gives the page."""

    def __init__(self, page: str, *arguments: Any) -> None:
        self._page = page
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self._page.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def documented_page(server: str) -> str:
    """Return the page that the document shows, for a server of the test's."""
    page = DOCUMENT.read_text().partition("```html\n")[2].partition("```")[0]
    for shown, here in (("ws://127.0.0.1:8081", server), ("a good one", PASSWORD)):
        assert shown in page
        page = page.replace(shown, here)
    return page


@contextmanager
def served(page: str) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Desk, page))
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


def hears(seen: Inside, hertz: int) -> None:
    """Wait until the page hears a tone."""
    stream = "Boolean(globalThis.document?.getElementById('sound')?.srcObject)"
    until(lambda: bool(seen.evaluate(stream)), "there is sound", SECONDS)
    seen.evaluate(EAR)
    until(lambda: abs(float(seen.evaluate("loudest()")) - hertz) < 10, f"{hertz} Hz is heard", SECONDS)


@pytest.mark.timeout(180)
def test_the_documented_page(tmp_path: Path) -> None:
    script = tmp_path / "ivr.lua"
    script.write_text(SCRIPT)
    plan = extension("5000", ("lua", str(script))) + extension(
        "6000", ("playback", "tone_stream://%(600000,0,600)")
    )
    profile = '<param name="force-register-domain" value="example.org"/>'
    text = configuration(plan, users=user("1000", ALLOWED), profile=profile)
    replies: list[str] = []
    with (
        verto_switch(tmp_path, text) as rig,
        served(documented_page(rig.url)) as address,
        chromium(tmp_path, address),
        inside(tmp_path) as seen,
    ):
        rig.wait(lambda: rig.api("verto_contact 1000@example.org").startswith("verto.rtc/"))
        seen.evaluate("document.getElementById('call').click()")
        hears(seen, 700)
        uuid = seen.evaluate("callID")
        seen.evaluate(
            "[...document.querySelectorAll('#keys button')].find(one => one.textContent === '5').click()"
        )
        hears(seen, 900)
        assert rig.api(f"uuid_getvar {uuid} pressed") == "5"
        seen.evaluate("document.getElementById('end').click()")
        rig.quiet()
        seen.evaluate("document.getElementById('sound').srcObject = null")
        call = threading.Thread(
            target=lambda: replies.append(rig.api("originate user/1000@example.org 6000"))
        )
        call.start()
        hears(seen, 600)
        call.join()
        (leg,) = rig.verto.legs
        seen.evaluate("globalThis.former = true")
        seen.evaluate("location.reload()")
        seen.loaded("globalThis.former === undefined")
        # How long the call was without a page says nothing; it is the same one that is heard again.
        rig.wait(lambda: list(rig.verto.legs) == [leg] and not leg.detached)
        hears(seen, 600)
        seen.evaluate("ask('verto.bye', about())")
        rig.quiet()
    assert replies[0].startswith("+OK ")
