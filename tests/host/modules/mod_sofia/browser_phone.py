"""A browser as a phone: SIP over a WebSocket, every message a test's own, and aiortc for ICE, DTLS and SRTP."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any, Final, TypeVar

import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from av import AudioFrame
from numpy.typing import NDArray
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.browser_voice import Voice
from tests.host.modules.mod_sofia.sip_phone import SipMessage, SipPhone

_T = TypeVar("_T")

VOICE: Final = 1000  # hertz
_PATIENCE: Final = 40.0
_RECENT: Final = 100  # frames that are kept of what is heard


class WebRtcPeer:
    """One connection of media, in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="peer")
        self._thread.start()
        self._lock = threading.Lock()
        self._heard: list[NDArray[np.int16]] = []
        self._rate = 8000
        self._listening: list[asyncio.Task[None]] = []
        self._connection = self._do(self._new())

    def offer(self, direction: str = "sendrecv") -> str:
        """Return an offer of what it has to say, in this direction."""
        return self._do(self._offer(direction))

    def take_answer(self, sdp: str) -> None:
        """Take the answer to that."""
        self._do(self._connection.setRemoteDescription(RTCSessionDescription(sdp, "answer")))

    def answer(self, sdp: str) -> str:
        """Take an offer and return the answer."""
        return self._do(self._answer(sdp))

    def forget(self) -> None:
        """Listen anew."""
        with self._lock:
            self._heard.clear()

    def hears(self, hertz: int) -> bool:
        """Whether the last 250 ms that were heard are a loud tone of a frequency."""
        with self._lock:
            piece = np.concatenate(self._heard or [np.zeros(0, np.int16)])[-self._rate // 4 :].astype(float)
        if len(piece) < self._rate // 4 or np.abs(piece).max() < 1000:
            return False
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece))))
        return abs(float(np.argmax(spectrum)) * self._rate / len(piece) - hertz) < 10

    def close(self) -> None:
        """Leave without a word, as a page does that is closed."""
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)

    async def _new(self) -> RTCPeerConnection:
        connection = RTCPeerConnection()
        connection.on(
            "track", lambda track: self._listening.append(asyncio.ensure_future(self._listen(track)))
        )
        return connection

    async def _offer(self, direction: str) -> str:
        if not self._connection.getTransceivers():
            self._connection.addTrack(Voice())
        self._connection.getTransceivers()[0].direction = direction
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return str(self._connection.localDescription.sdp)

    async def _answer(self, sdp: str) -> str:
        if not self._connection.getTransceivers():
            self._connection.addTrack(Voice())
        await self._connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await self._connection.setLocalDescription(await self._connection.createAnswer())
        return str(self._connection.localDescription.sdp)

    async def _listen(self, track: MediaStreamTrack) -> None:
        while True:
            frame = await track.recv()
            assert isinstance(frame, AudioFrame)
            samples = frame.to_ndarray().reshape(-1)[:: len(frame.layout.channels)]
            with self._lock:
                self._heard.append(samples.astype(np.int16))
                self._rate = frame.sample_rate
                del self._heard[:-_RECENT]

    async def _close(self) -> None:
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
        await self._connection.close()
        await self._loop.shutdown_default_executor()


class BrowserPhone(SipPhone):
    """A page with one connection: whatever is sent to `port` of its address reaches it."""

    def __init__(self, websocket_port: int) -> None:
        super().__init__(websocket_port)
        self._open = ExitStack()
        self._websocket = self._open.enter_context(
            connect(
                f"ws://127.0.0.1:{websocket_port}/",
                subprotocols=[Subprotocol("sip")],
                compression=None,
                proxy=None,
                close_timeout=1,
            )
        )
        self.port = int(self._websocket.local_address[1])
        self.contact = f"<sip:page@127.0.0.1:{self.port};transport=ws>"
        self.via = "SIP/2.0/WS page.invalid"
        self._peer: WebRtcPeer | None = None

    @property
    def peer(self) -> WebRtcPeer:
        """Its connection of media, made when it is first asked for."""
        if self._peer is None:
            self._peer = WebRtcPeer()
        return self._peer

    @property
    def dial_string(self) -> str:
        """What calls it from the profile `far`."""
        return f"sofia/far/sip:page@127.0.0.1:{self.port};transport=ws"

    def vanish(self) -> None:
        """Close the connection and leave the call, without a word of SIP."""
        self._open.close()
        self.fall_silent()

    def fall_silent(self) -> None:
        """Leave the call, and keep the connection."""
        if self._peer is not None:
            self._peer.close()
            self._peer = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.vanish()
        super().__exit__(kind, error, trace)

    def send(self, text: str) -> None:
        self._websocket.send(text)

    def _receive(self, seconds: float) -> None:
        end = time.monotonic() + max(seconds, 0.001)
        with suppress(TimeoutError):
            data = self._websocket.recv(timeout=end - time.monotonic())
            self.received.append(SipMessage(data if isinstance(data, str) else data.decode()))
