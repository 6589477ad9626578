"""What belongs to one RTP line and is no number of an array: its sockets, and what few of its packets need."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from media.frame_resampler import FrameResampler
from media.realtime.stream_line import JitterCounts, StreamLine
from media.rtcp import RtcpSession
from media.rtp_latch import SourceLatch
from media.rtp_transport import Address, RtpTransport
from media.telephone_event import TelephoneEventReceiver, TelephoneEventSender

if TYPE_CHECKING:
    from media.notice import Notice
    from media.realtime.webrtc_path import WebRtcPath
    from media.srtp_guard import SrtpGuard

G711_CLOCK_RATE = 8000


class RtpWire:
    """One line; `row` is its place in all arrays."""

    def __init__(
        self,
        line: int,
        row: int,
        rate: int,
        transport: RtpTransport,
        notify: Callable[[Notice], object],
    ) -> None:
        self.line = line
        self.row = row
        self.rate = rate
        self.notify = notify
        self.transport = transport
        self.rtp: socket.socket
        self.rtcp: socket.socket | None = None
        self.guard: SrtpGuard | None = None
        self.path: WebRtcPath | None = None
        self.remote: Address | None = None
        self.connected = False
        self.heard = False
        self.latch = SourceLatch(learning=transport.learning)
        self.reports = RtcpSession(0, transport.cname, G711_CLOCK_RATE)
        # Keys that are received and sent.
        self.events = TelephoneEventReceiver(transport.event_rate)
        self.keys = TelephoneEventSender(transport.event_rate)
        self.opened = 0  # in ticks
        self.key_packets_in = self.noise_packets_in = 0
        self.key_packets_out = self.noise_packets_out = 0
        self.octets_aside_in = self.octets_aside_out = 0  # of keys and comfort noise
        # Of lines that are no rows of arrays.
        self.stream: StreamLine | None = None
        self.earlier = JitterCounts()  # of streams with other codecs
        self.payloads: list[bytes | None] = []  # to be sent in this tick, None for a frame's time of nothing
        self.heard_now = np.zeros(rate // 50, np.int16)
        self.saying = False
        self.relayed: RtpWire | None = None  # whose sound is sent on
        self.resampler = FrameResampler(rate, rate)  # of that sound
        self.resampled = (line, rate, rate)  # whose sound, from and to which rate
        self.passes_on: RtpWire | None = None  # who sends on the payloads as they come

    def replace_stream(self, stream: StreamLine | None) -> None:
        """Go on with another codec, or as a row of arrays."""
        if self.stream is not None:
            self.earlier = self.earlier.plus(self.stream.counts)
        self.stream = stream
        self.payloads.clear()
        self.heard_now = np.zeros(self.rate // 50, np.int16)
        self.saying = False

    @property
    def clock_rate(self) -> int:
        """The RTP clock of the line's codec in hertz."""
        return G711_CLOCK_RATE if self.stream is None else self.stream.clock_rate
