"""A line and aiortc, which does ICE, DTLS and SRTP on its own, hear each other."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable
from dataclasses import replace

import numpy as np
import pytest
from aiortc import RTCPeerConnection, RTCRtpTransceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from av import AudioFrame

from media.dtls_certificate import fingerprint_of, new_certificate
from media.notice import KeysAgreed
from media.webrtc_parameters import (
    Certificate,
    DtlsParameters,
    Fingerprint,
    IceCredentials,
    IceParameters,
)
from tests.browser_voice import Voice
from tests.media.realtime.far_end import Bench

TICK = 0.02
PATIENCE = 500  # ticks


class Browser:
    """The peer, and what it hears."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection()
        self.transceiver: RTCRtpTransceiver = self.connection.addTransceiver(Voice())
        self.loudest = 0
        self._listening: list[asyncio.Task[None]] = []
        self.connection.on("track", self._hear)

    def _hear(self, track: MediaStreamTrack) -> None:
        self._listening.append(asyncio.ensure_future(self._listen(track)))

    async def _listen(self, track: MediaStreamTrack) -> None:
        while True:
            frame = await track.recv()
            assert isinstance(frame, AudioFrame)
            self.loudest = max(self.loudest, int(np.abs(frame.to_ndarray().astype(np.int32)).max()))

    async def close(self) -> None:
        for task in self._listening:
            task.cancel()
        await self.connection.close()


def certificate() -> Certificate:
    return new_certificate("moonline", datetime.datetime.now(datetime.UTC))


def told(sdp: str) -> tuple[IceCredentials, tuple[Fingerprint, ...]]:
    """Return what a description says of ICE and DTLS."""
    lines = dict(line[2:].split(":", 1) for line in sdp.splitlines() if line.startswith("a=") and ":" in line)
    found = [line.split(":", 1)[1].split(" ") for line in sdp.splitlines() if "a=fingerprint:" in line]
    return IceCredentials(lines["ice-ufrag"], lines["ice-pwd"]), tuple(Fingerprint(*one) for one in found)


def description(port: int, mine: IceCredentials, shown: Certificate, setup: str) -> str:
    fingerprint = fingerprint_of(shown)
    lines = (
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "a=ice-lite",
        f"m=audio {port} UDP/TLS/RTP/SAVPF 0",
        "c=IN IP4 127.0.0.1",
        "a=mid:0",
        "a=sendrecv",
        "a=rtcp-mux",
        "a=rtpmap:0 PCMU/8000",
        f"a=ice-ufrag:{mine.ufrag}",
        f"a=ice-pwd:{mine.password}",
        f"a=candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host",
        "a=end-of-candidates",
        f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}",
        f"a=setup:{setup}",
    )
    return "\r\n".join(lines) + "\r\n"


async def talk(bench: Bench, browser: Browser, enough: Callable[[], bool]) -> int:
    """Move on in real time until there is enough; return how loud it was what the line heard."""
    loudest = 0
    for _ in range(PATIENCE):
        bench.lines.receive()
        heard = bench.lines.heard(1, 0, 160)
        loudest = max(loudest, int(np.abs(heard.astype(np.int32)).max()))
        bench.lines.say(1, 0, np.tile(np.repeat(np.array([6000, -6000], np.int16), 4), 20))
        bench.lines.send()
        await asyncio.sleep(TICK)
        if loudest > 4000 and browser.loudest > 3000 and enough():
            break
    return loudest


def run(test: Callable[[Browser], Awaitable[None]]) -> None:
    async def with_browser() -> None:
        browser = Browser()
        try:
            await test(browser)
        finally:
            await browser.close()

    asyncio.run(with_browser())


@pytest.mark.parametrize("active", (True, False))
def test_a_browser_calls(bench: Bench, active: bool) -> None:
    mine, shown = IceCredentials.new(), certificate()

    async def call(browser: Browser) -> None:
        await browser.connection.setLocalDescription(await browser.connection.createOffer())
        credentials, fingerprints = told(browser.connection.localDescription.sdp)
        _, local = bench.open(
            1,
            known=False,
            learning=False,
            rtcp_mux=True,
            ice=IceParameters(mine, credentials),
            dtls=DtlsParameters(shown, active, fingerprints),
        )
        answer = description(local[1], mine, shown, "active" if active else "passive")
        await browser.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        assert await talk(bench, browser, lambda: True) > 4000
        assert browser.loudest > 3000

    run(call)
    assert [notice for notice in bench.notices[1] if isinstance(notice, KeysAgreed)]
    report = bench.lines.report(1)
    assert report is not None and report.unauthentic == 0 and report.packets_received > 0


def test_a_browser_is_called(bench: Bench) -> None:
    """It begins its checks, and as the active side its handshake, before its answer has come here."""
    mine, shown = IceCredentials.new(), certificate()

    async def call(browser: Browser) -> None:
        _, local = bench.open(
            1,
            known=False,
            learning=False,
            rtcp_mux=True,
            ice=IceParameters(mine),
            dtls=DtlsParameters(shown, False),
        )
        offer = description(local[1], mine, shown, "actpass")
        await browser.connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await browser.connection.setLocalDescription(await browser.connection.createAnswer())
        sdp = browser.connection.localDescription.sdp
        assert "a=setup:active" in sdp
        for _ in range(25):
            bench.tick()
            await asyncio.sleep(TICK)
        credentials, fingerprints = told(sdp)
        dtls = bench.transports[1].dtls
        assert dtls is not None
        bench.change(1, ice=IceParameters(mine, credentials), dtls=replace(dtls, remote=fingerprints))
        assert await talk(bench, browser, lambda: True) > 4000
        assert browser.loudest > 3000

    run(call)
