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

    def release_transport(self, line: int) -> None:
        """Give a line's ports back."""

    def open_transport(self, line: int, rate: int, transport: RtpTransport) -> Address:
        """Take ports again for a line that gave them back; return its local address."""


class RtpLine(Line):
    """A line with a transport; `local` is the address that the far end has to send to."""

    def __init__(
        self, engine: RtpCommandTaker, number: int, rate: int, local: Address, transport: RtpTransport
    ) -> None:
        super().__init__(engine, number, rate)
        self._carrying = engine
        self.local = local
        self.transport = transport
        self.opened = True  # has ports

    def set_transport(self, transport: RtpTransport) -> None:
        """Take what the signalling agreed on: the far end's address, codec, payload types, keys, hold.

        Whoever changes a part of it begins with `transport`, which holds what others have changed.
        """
        self.transport = transport
        if self.opened:
            self._engine.execute(command.SetTransport(self.number, transport))

    def release(self) -> None:
        """Give the ports back: sound goes another way. What plays or listens on the line stays, and has silence."""
        if self.opened:
            self.opened = False
            self._carrying.release_transport(self.number)

    def open(self) -> None:
        """Take ports again, `local` is another address then. TransportError when there is none."""
        if not self.opened:
            self.local = self._carrying.open_transport(self.number, self.rate, self.transport)
            self.opened = True

    def set_rate(self, rate: int) -> bool:
        """Have another rate from now on, that of the codec that was agreed on.

        False, and nothing changed, while something on the line counts in samples of the old one: a playback, a tap, a
        detector, a displacement, a mixer. The codec is brought to the line's rate then.
        """
        done = rate == self.rate or self._carrying.set_rate(self.number, rate)
        if done:
            self.rate = rate
        return done

    def report(self) -> TransportReport | None:
        """Return what went over the transport so far; None once the line is gone."""
        return self._carrying.transport_report(self.number)
