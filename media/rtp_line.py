"""The host's handle on a line whose far end is reached by RTP."""

from __future__ import annotations

from typing import Protocol

from media import command
from media.line import CommandTaker, Line
from media.rtp_transport import Address, RtpTransport, TransportReport


class RtpCommandTaker(CommandTaker, Protocol):
    """What a handle on such a line needs of an engine."""

    def transport_report(self, line: int) -> TransportReport | None:
        """Return what went over a line's transport so far."""


class RtpLine(Line):
    """A line with a transport; `local` is the address that the far end has to send to."""

    def __init__(
        self, engine: RtpCommandTaker, number: int, rate: int, local: Address, transport: RtpTransport
    ) -> None:
        super().__init__(engine, number, rate)
        self._reporting = engine
        self.local = local
        self.transport = transport

    def set_transport(self, transport: RtpTransport) -> None:
        """Take what the signalling agreed on: the far end's address, codec, payload types, hold."""
        self.transport = transport
        self._engine.execute(command.SetTransport(self.number, transport))

    def report(self) -> TransportReport | None:
        """Return what went over the transport so far; None once the line is gone."""
        return self._reporting.transport_report(self.number)
