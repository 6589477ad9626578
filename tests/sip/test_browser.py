"""A real browser calls a script and is called by one: SIP over WebSocket, ICE, DTLS-SRTP, sound both ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sip.browser import Browser, browser
from tests.sip.free_ports import free_port
from tests.sip.host_configuration import DOMAIN, Extension
from tests.sip.served_host import ServedHost
from tests.sip.until import until

WS_PORT = free_port()
PROFILES = {
    "open": {
        "ws-binding": f"127.0.0.1:{WS_PORT}",
        "accept-blind-reg": "true",
        "inbound-codec-prefs": "OPUS,PCMU",
        "outbound-codec-prefs": "OPUS,PCMU",
    }
}
HEARD = "heard-by-the-script"
# Says 440 Hz until it has heard the browser's 700 Hz.
ACTIONS = (
    ("answer", ""),
    ("tone_detect", f"page 700 r +60000 set {HEARD}=true"),
    ("playback", "tone_stream://%(60000,0,440)"),
)
EXTENSIONS = (Extension("7100", ACTIONS),)


@pytest.fixture
def orders() -> dict[str, object]:
    return {"port": WS_PORT, "domain": DOMAIN, "user": "1000", "tone": 700}


def test_a_browser_calls(host: ServedHost, tmp_path: Path, orders: dict[str, object]) -> None:
    with browser(tmp_path, {**orders, "call": "7100"}) as page:
        page.tells("response", status=200, cseq="1 INVITE")
        page.tells("connection", state="connected")
        page.hears(440)
        ends_well(host, page, "7100")


def test_a_browser_is_called(host: ServedHost, tmp_path: Path, orders: dict[str, object]) -> None:
    with browser(tmp_path, orders) as page:
        page.tells("response", status=200, cseq="1 REGISTER")
        answer = host.api(f"originate {{row=called}}user/1000@{DOMAIN} 7100 XML sip")
        assert answer.startswith("+OK")
        offer = page.tells("called")["sdp"]
        assert "UDP/TLS/RTP/SAVPF" in offer and "a=setup:actpass" in offer and "a=ice-lite" in offer
        assert "a=group:BUNDLE 0" in offer and "a=mid:0" in offer and "a=msid:" in offer
        page.tells("connection", state="connected")
        page.hears(440)
        uuid = host.event(host.of_row("called", "CHANNEL_ANSWER")).get("Unique-ID")
        for order, direction in (("uuid_hold", "a=recvonly"), ("uuid_hold off", "a=sendrecv")):
            assert host.api(f"{order} {uuid}").startswith("+OK")
            has_answered(host, uuid, direction)
        ends_well(host, page, "called")


def has_answered(host: ServedHost, uuid: str | None, direction: str) -> None:
    """Wait until the browser has taken a later offer, too."""
    until(lambda: direction in host.api(f"uuid_getvar {uuid} switch_r_sdp"), f"the browser says {direction}")


def ends_well(host: ServedHost, page: Browser, row: str) -> None:
    """The script has heard the browser, too; then it hangs up."""
    uuid = host.event(host.of_row(row, "CHANNEL_ANSWER")).get("Unique-ID")
    until(lambda: host.api(f"uuid_getvar {uuid} {HEARD}") == "true", "the script hears the browser")
    assert host.api(f"uuid_getvar {uuid} rtp_secure_media_confirmed") == "true"
    assert host.api(f"uuid_getvar {uuid} rtp_use_codec_name").lower() == "opus"
    assert host.api(f"uuid_kill {uuid}").startswith("+OK")
    page.tells("ended")
    host.event(
        lambda event: event.get("Event-Name") == "CHANNEL_HANGUP_COMPLETE" and event.get("Unique-ID") == uuid
    )
