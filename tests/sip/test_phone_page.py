"""`moonline serve --phone`: a browser opens the page, calls a script, hears it, presses keys, hangs up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from tests.sip.browser import chromium, inside
from tests.sip.free_ports import free_port
from tests.sip.host_configuration import HostPorts
from tests.sip.served_host import ServedHost, served_host
from tests.sip.until import until

SCRIPT = """
session:answer()
session:streamFile("ivr/ivr-please_enter_pin_followed_by_pound.wav")
session:setVariable("digits_of_the_page", session:getDigits(3, "", 60000))
session:streamFile("silence_stream://60000")
"""

# A browser asks its user whether a page may have the microphone, which takes as long as it takes.
GIVEN_UP = """(async () => {
  const { Phone } = await import("/phone.js"), { websocket } = await (await fetch("/settings.json")).json();
  let give = null, stopped = 0;
  const microphone = () => new Promise((done) => { give = done; });
  const phone = new Phone({ url: `ws://127.0.0.1:${websocket}`, user: "phone", domain: "127.0.0.1", microphone });
  const called = phone.call("lua-ask");
  while (give === null) await new Promise((done) => setTimeout(done));
  phone.hangup();
  give({ getTracks: () => [{ stop: () => { stopped += 1; } }], getAudioTracks: () => [] });
  await called;
  document.querySelector("#state").textContent =
    `given up: ${phone.state}, ${stopped} stopped, ${phone.sequence === 0 ? "nobody called" : "called"}`;
})()"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServedHost, int]]:
    folder = tmp_path_factory.mktemp("phone")
    scripts = folder / "ivr"
    (scripts / "shop").mkdir(parents=True)
    (scripts / "ask.lua").write_text(SCRIPT)
    (scripts / "shop" / "open.lua").write_text("session:answer()")
    ports, port = HostPorts(), free_port()
    options = ("--scripts", str(scripts), "--phone", str(port), "--port", str(ports.event_socket))
    with served_host(folder, None, ports, options) as host:
        yield host, port


def test_a_script_is_called_from_the_page(page: tuple[ServedHost, int], tmp_path: Path) -> None:
    host, port = page
    with chromium(tmp_path, f"http://127.0.0.1:{port}/#lua-ask"), inside(tmp_path) as seen:
        seen.shows("answered")
        seen.shows("sound both ways")
        uuid = host.event(lambda event: event.get("Event-Name") == "CHANNEL_ANSWER").get("Unique-ID")
        for key in "47":
            seen.evaluate(f"dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}' }}))")
        seen.evaluate(
            "[...document.querySelectorAll('#keys button')].find((one) => one.textContent === '#').click()"
        )
        until(
            lambda: host.api(f"uuid_getvar {uuid} digits_of_the_page") == "47#",
            lambda: f"the digits are {host.api(f'uuid_getvar {uuid} digits_of_the_page')}",
        )
        assert host.api(f"uuid_getvar {uuid} rtp_secure_media_confirmed") == "true"
        seen.evaluate("document.querySelector('#call').click()")
        seen.shows("Not in a call.")
        host.event(lambda event: event.get("Event-Name") == "CHANNEL_HANGUP_COMPLETE")
    assert not host.complaints()


def test_what_cannot_be_called_is_told(page: tuple[ServedHost, int], tmp_path: Path) -> None:
    _, port = page
    with chromium(tmp_path, f"http://127.0.0.1:{port}/#nobody"), inside(tmp_path) as seen:
        seen.shows("ended: 404")


def test_a_call_given_up_before_the_microphone_is_there(page: tuple[ServedHost, int], tmp_path: Path) -> None:
    _, port = page
    with chromium(tmp_path, f"http://127.0.0.1:{port}/"), inside(tmp_path) as seen:
        seen.shows("Not in a call.")
        seen.evaluate(GIVEN_UP)
        seen.shows("given up: idle, 1 stopped, nobody called")


def test_pages_of_others_cannot_call(page: tuple[ServedHost, int]) -> None:
    host, port = page
    with urlopen(f"http://127.0.0.1:{port}/settings.json") as answer:
        websocket = json.load(answer)["websocket"]
    stranger, sip = Origin("http://evil.example"), Subprotocol("sip")
    with (
        pytest.raises(InvalidStatus, match="403"),
        connect(f"ws://127.0.0.1:{websocket}", origin=stranger, subprotocols=[sip]),
    ):
        pass
    until(
        lambda: "a page of 'http://evil.example' may not connect" in host.log(),
        "the log tells it",
    )


def test_the_page_knows_the_scripts(page: tuple[ServedHost, int]) -> None:
    with urlopen(f"http://127.0.0.1:{page[1]}/settings.json") as answer:
        assert json.load(answer)["scripts"] == ["ask", "shop/open"]
