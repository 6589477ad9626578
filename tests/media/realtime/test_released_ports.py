"""Lines that give their ports back while sound goes another way, and take some again."""

from __future__ import annotations

import queue
import socket
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from media.notice import Notice, PlaybackEnded
from media.realtime.remote_engine import RemoteEngine
from media.rtp_line import RtpLine
from media.rtp_transport import RtpTransport, TransportError
from media.tone import ToneSource
from tests.eventually import eventually
from tests.free_ports import free_ports
from tests.media.realtime.far_end import port_pair

RATE = 8000
PORTS = free_ports(4)  # of two lines


@pytest.fixture
def far() -> Iterator[socket.socket]:
    rtp, rtcp = port_pair()
    with rtp, rtcp:
        rtp.settimeout(30)
        yield rtp


def open_line(
    engine: RemoteEngine, far: socket.socket, notify: Callable[[Notice], object] = lambda notice: None
) -> RtpLine:
    return engine.rtp_line(RATE, notify, RtpTransport("127.0.0.1", PORTS, far.getsockname()))


def silent(far: socket.socket) -> bool:
    """Return whether nothing comes any more."""
    far.settimeout(0.2)
    try:
        for _ in range(100):
            far.recv(2048)
    except TimeoutError:
        return True
    finally:
        far.settimeout(30)
    return False


def test_ports_are_free_for_others_and_taken_again(engine: RemoteEngine, far: socket.socket) -> None:
    lines = [open_line(engine, far) for _ in range(2)]
    with pytest.raises(TransportError):
        open_line(engine, far)
    lines[0].release()
    lines[0].release()
    assert lines[0].report() is None and engine.status().transports == 1
    other = open_line(engine, far)
    assert other.local == lines[0].local
    with pytest.raises(TransportError):
        lines[0].open()
    assert not lines[0].opened
    other.close()
    lines[0].open()
    lines[0].open()
    assert lines[0].report() is not None and engine.status().transports == 2
    for line in lines:
        line.close()
    assert engine.status().transports == 0


def test_what_plays_goes_on_behind_closed_ports(engine: RemoteEngine, far: socket.socket) -> None:
    notices: queue.Queue[Notice] = queue.Queue()
    line = open_line(engine, far, notices.put)
    line.play(ToneSource("v=0;%(60000,0,440)", RATE))
    assert len(far.recv(2048)) == 172
    line.release()
    assert silent(far)
    line.open()
    assert len(far.recv(2048)) == 172
    line.release()
    line.play(ToneSource("v=0;%(200,0,440)", RATE))
    while not isinstance(notices.get(timeout=30), PlaybackEnded):
        pass
    line.close()


def test_a_bridge_of_released_lines_carries_silence_until_they_have_ports(
    engine: RemoteEngine, far: socket.socket
) -> None:
    near, control = port_pair()
    with near, control:
        a, b = open_line(engine, near), open_line(engine, far)
        heard: list[np.ndarray[tuple[int], np.dtype[np.int16]]] = []
        a.bridge(b)
        for line in (a, b):
            line.release()
        b.tap(_Sink(heard), read=True, write=True)
        eventually(lambda: heard)
        assert not np.concatenate(heard).any()
        for line in (a, b):
            line.open()
        for number in range(200):
            packet = (
                bytes((0x80, 0, 0, number)) + (160 * number).to_bytes(4, "big") + b"\0\0\0\7" + b"\x2a" * 160
            )
            near.sendto(packet, a.local)
            far.settimeout(0.05)
            try:
                if far.recv(2048)[12:] == b"\x2a" * 160:
                    break
            except TimeoutError:
                continue
        else:
            pytest.fail("nothing has come through")
        for line in (a, b):
            line.close()


class _Sink:
    def __init__(self, parts: list[np.ndarray[tuple[int], np.dtype[np.int16]]]) -> None:
        self._parts = parts

    def write(self, samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> None:
        self._parts.append(samples.copy())
