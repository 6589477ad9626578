"""The speed test of verto pages: frames that begin with `#SP` and are no JSON (FreeSWITCH: sizes up to 10 MB)."""

from __future__ import annotations

from typing import Final

from host.leading_number import leading_int

MOST_BYTES: Final = 10 * 1024 * 1024
_FRAME: Final = 1024
# FreeSWITCH: how often what came is sent back.
ROUNDS: Final = 10


class SpeedTest:
    """One client's. `take` gets what comes, with the time in µs; the rounds that it asks for are sent by its owner."""

    def __init__(self) -> None:
        self._size = 0
        self._began = 0

    def take(self, frame: str, now: int) -> str | None:
        """Return how long it took to come, as the client is told, when all has come; None before.

        `download` then says what is to be sent.
        """
        kind = frame[3:4]
        if not frame.startswith("#SP"):
            return None
        if kind == "U":
            size = leading_int(frame[4:])
            self._size = size if 0 < size <= MOST_BYTES else 0
            self._began = now
            return None
        if kind == "B" or not self._size:
            return None
        return f"#SPU {(now - self._began) // 1000}"

    def download(self) -> list[str]:
        """Return the frames of one round."""
        whole, rest = divmod(self._size, _FRAME)
        frame = "#SPB " + "." * (_FRAME - 5)
        return [frame] * whole + ([frame[:rest]] if rest else [])

    def end(self, taken: int) -> str:
        """Return what the client is told after all rounds, which took so many µs."""
        self._size = 0
        return f"#SPD {taken // (1000 * ROUNDS)}"
