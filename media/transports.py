"""What the engine needs of lines whose far end is not in its process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from media.line_state import TapState
    from media.rtp_transport import RtpTransport
    from media.source import Source


class Transports(Protocol):
    """Lines whose far end is not in this process: RTP. All of them send and receive in frames of 20 ms."""

    def heard(self, line: int, first: int, count: int) -> NDArray[np.int16]:
        """Return `count` samples of what a line hears in this tick, from place `first` on."""

    def say(self, line: int, first: int, samples: NDArray[np.int16]) -> None:
        """Send samples in this tick, from place `first` of it on."""

    def play(self, line: int, source: Source, position: int) -> bool:
        """Play a source from `position` on without being told what; False where that cannot be done now.

        It is done up to a whole frame, or to the end of the source. A source may be asked for a second of its samples
        before they are heard, but for streams.
        """

    def moved(self, line: int) -> int:
        """Return how many samples a line has played since `play`."""

    def stop(self, line: int) -> int:
        """Have a line play its source no longer; return the samples that were played of it."""

    def tap(self, line: int, taps: Sequence[TapState]) -> bool:
        """Give taps what a line hears and says from now on, none for no more; False where that cannot be done."""

    def given_back(self) -> list[int]:
        """Return the lines that can neither play nor tap by themselves any more, since this was asked last."""

    def relay(self, line: int, other: int | None, *, encoded: bool = False) -> bool:
        """Send on what `other` hears without being told what, from now on; None for no more.

        False where that cannot be done. With `encoded` nobody asks what `other` hears meanwhile.
        """

    def set_rate(self, line: int, rate: int) -> None:
        """Hear and say samples of another rate; CodecError where that cannot be done."""

    def press(self, line: int, digit: str, duration: int) -> bool:
        """Send a key; False where that cannot be done."""

    def change(self, line: int, transport: RtpTransport) -> None:
        """Take what the signalling agreed on."""

    def close(self, line: int) -> None:
        """Give a line's transport back."""

    def send(self) -> list[int]:
        """End a tick: send what all lines say; return the lines that have played what `play` took."""
