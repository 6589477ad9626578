"""The host's handle on a line whose far end is reached by RTP."""

from __future__ import annotations

from typing import Protocol

from media import command
from media.line import CommandTaker, Line
from media.rtp_transport import Address, RtpTransport, TransportReport


class RtpCommandTaker(CommandTaker, Protocol):
    """What a handle on such a line needs of an engine."""

    def set_rate(self, line: int, rate: int) -> bool:
        """Change a line's rate; False while something on it counts in samples of the old one."""

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
        """Take what the signalling agreed on: the far end's address, codec, payload types, keys, hold.

        Whoever changes a part of it begins with `transport`, which holds what others have changed.
        """
        self.transport = transport
        self._engine.execute(command.SetTransport(self.number, transport))

    def set_rate(self, rate: int) -> bool:
        """Have another rate from now on, that of the codec that was agreed on.

        False, and nothing changed, while something on the line counts in samples of the old one: a playback, a tap, a
        detector, a displacement, a mixer. The codec is brought to the line's rate then.
        """
        done = rate == self.rate or self._reporting.set_rate(self.number, rate)
        if done:
            self.rate = rate
        return done

    def report(self) -> TransportReport | None:
        """Return what went over the transport so far; None once the line is gone."""
        return self._reporting.transport_report(self.number)
