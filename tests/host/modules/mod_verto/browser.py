"""A browser: a WebSocket client that speaks verto, and aiortc, which does ICE, DTLS and SRTP on its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from av import AudioFrame
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect

from tests.browser_voice import Voice
from tests.host.modules.mod_verto.verto_rig import PASSWORD, PATIENCE


class Browser:
    """One page. What the switch asks of it is kept until a test takes it."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._number = 0
        self._answers: dict[object, asyncio.Future[dict[str, Any]]] = {}
        self._requests: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._kept: list[dict[str, Any]] = []
        self._tasks = [asyncio.ensure_future(self._read())]
        self.peer: RTCPeerConnection | None = None
        self.heard: list[NDArray[np.int16]] = []
        self.rate = 0

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request and return its result."""
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        message = {"jsonrpc": "2.0", "method": method, "params": params, "id": self._number}
        await self._connection.send(json.dumps(message))
        told = await answer
        assert "result" in told, told
        found: dict[str, Any] = told["result"]
        return found

    async def log_in(self, login: str, **more: Any) -> str:
        """Log in and return the session."""
        told = await self.call("login", login=login, passwd=PASSWORD, **more)
        return str(told["sessid"])

    async def expect(self, method: str) -> dict[str, Any]:
        """Return the params of the next request of a method."""
        while True:
            for request in self._kept:
                if request["method"] == method:
                    self._kept.remove(request)
                    found: dict[str, Any] = request["params"]
                    return found
            self._kept.append(await self._requests.get())

    async def offer(self) -> str:
        """Make a connection with a voice and return its description."""
        peer = self._new_peer()
        await peer.setLocalDescription(await peer.createOffer())
        return str(peer.localDescription.sdp)

    async def take_answer(self, sdp: str) -> None:
        """Take the switch's answer to that."""
        assert self.peer is not None
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def answer(self, sdp: str) -> str:
        """Make a connection of the switch's offer, and return the answer."""
        peer = self._new_peer()
        await peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        return str(peer.localDescription.sdp)

    async def hears(self, frequency: float) -> None:
        """Wait until a tone of a frequency is heard that is louder than all else."""
        self.heard.clear()
        while not self.heard or not _is_tone(np.concatenate(self.heard), frequency, self.rate):
            await asyncio.sleep(0.05)

    async def reload(self) -> None:
        """Lose the connection of media, as a page does that is loaded again."""
        if self.peer is not None:
            await self.peer.close()
            self.peer = None

    async def close(self) -> None:
        """Leave."""
        for task in self._tasks:
            task.cancel()
        await self.reload()
        await self._connection.close()

    def _new_peer(self) -> RTCPeerConnection:
        self.peer = RTCPeerConnection()
        self.peer.addTrack(Voice())
        self.peer.on("track", lambda track: self._tasks.append(asyncio.ensure_future(self._listen(track))))
        return self.peer

    async def _listen(self, track: MediaStreamTrack) -> None:
        while True:
            frame = await track.recv()
            assert isinstance(frame, AudioFrame)
            samples = frame.to_ndarray().reshape(-1)
            channels = len(frame.layout.channels)
            self.heard.append(samples[::channels].astype(np.int16))
            self.rate = frame.sample_rate
            del self.heard[:-100]

    async def _read(self) -> None:
        async for text in self._connection:
            message = json.loads(text)
            if "method" in message:
                await self._connection.send(
                    json.dumps(
                        {"jsonrpc": "2.0", "id": message["id"], "result": {"method": message["method"]}}
                    )
                )
                await self._requests.put(message)
            else:
                self._answers.pop(message["id"]).set_result(message)


def _is_tone(samples: NDArray[np.int16], frequency: float, rate: int) -> bool:
    if len(samples) < rate // 4:
        return False
    piece = samples[-rate // 4 :].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece))))
    loudest = np.argmax(spectrum) * rate / len(piece)
    return bool(np.abs(piece).max() > 1000 and abs(loudest - frequency) < 10)


def in_browser(url: str, story: Callable[[Browser], Awaitable[None]]) -> None:
    """Run a story in a browser; it has to end within reason."""

    async def run() -> None:
        async with asyncio.timeout(PATIENCE):
            async with connect(url, compression=None) as connection:
                browser = Browser(connection)
                try:
                    await story(browser)
                finally:
                    await browser.close()

    asyncio.run(run())
