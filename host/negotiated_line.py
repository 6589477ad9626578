"""A leg's line and what both sides of the leg have agreed on for it, whatever protocol carries the descriptions."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from host.log import LogLevel
from host.rtp_variables import rtp_variables
from host.sdp.agreement import Agreement, Refusal
from host.sdp.description import Description, SdpError
from host.sdp.local_media import LocalMedia
from media.jitter_spec import JitterSpec, parse_jitterbuffer
from media.webrtc_parameters import IceCredentials

if TYPE_CHECKING:
    from host.session import Session
    from host.variables import Variables
    from media.rtp_line import RtpLine

_T = TypeVar("_T")
_SECOND: Final = 1_000_000
# What a packet holds before anything is agreed on, in ms.
_PTIME_MS: Final = 20


class NegotiatedLine:
    """What endpoints that describe sound by SDP have in common. Any thread may ask; one lock keeps things in order."""

    def __init__(self, session: Session, line: RtpLine, advertised: str, *, inbound: bool) -> None:
        """`advertised` is the address that the far end is told."""
        self._session = session
        self._channel = session.channel
        self._line = line
        self._advertised = advertised
        self._inbound = inbound
        self._lock = threading.RLock()
        self._session_id = session.clock.time() // _SECOND - line.local[1]
        self._ice = IceCredentials.new()
        self._sent: Description | None = None
        self._offered: tuple[Description, LocalMedia] | None = None
        self._agreement: Agreement | None = None

    def set_jitter_buffer(self, argument: str) -> bool:
        """Set the jitter buffer as `uuid_jitterbuffer` takes it."""
        ptime = self._agreement.ptime_ms if self._agreement is not None else _PTIME_MS
        wanted = parse_jitterbuffer(argument, ptime)
        with self._lock:
            transport = self._line.transport
            if isinstance(wanted, JitterSpec):
                transport = dataclasses.replace(
                    transport,
                    jitter_ms=wanted.length_ms,
                    jitter_limit_ms=wanted.maximum_ms,
                    jitter_paused=False,
                )
            elif wanted.action == "debug":
                return False
            elif wanted.action == "stop":
                transport = dataclasses.replace(transport, jitter_ms=ptime, jitter_paused=False)
            else:
                transport = dataclasses.replace(transport, jitter_paused=wanted.action == "pause")
            self._line.set_transport(transport)
        return True

    def report(self, variables: Variables) -> None:
        """Leave what went over the line in the channel's variables."""
        report = self._line.report()
        if report is not None:
            for name, value in rtp_variables(report):
                variables.set(name, value)

    def _agree(self, make: Callable[[], _T | Refusal]) -> _T | None:
        """Return what `make` agrees on; None, told in the log, where a description is none or nothing in it fits."""
        try:
            made = make()
        except SdpError as error:
            self._channel.log(LogLevel.ERR, f"Error Parsing SDP: {error}")
            return None
        if isinstance(made, Refusal):
            self._channel.log(LogLevel.NOTICE, f"Audio cannot be agreed on: {made.reason}")
            return None
        return made
