"""What a call sends while it waits (`send_silence_when_idle`): nothing, digital silence or comfort noise.

FreeSWITCH: `sleep`, `park`, the collection of keys and the wait for an answer send it; other waits send nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from host.leading_number import leading_int

if TYPE_CHECKING:
    from types import TracebackType

    from host.session import Session

# Digital silence, in the place of what noise is divided by.
_SILENCE: Final = -1
# FreeSWITCH: what stands for a divisor that is none.
_DIVISOR: Final = 400


def silence_divisor(text: str) -> int:
    """Return -1 for digital silence, else what full-scale noise is divided by; 400 where the text is no divisor."""
    divisor = leading_int(text)
    return divisor if divisor > 0 or divisor == _SILENCE else _DIVISOR


class LineIdle:
    """Has a line send something while there is nothing else to send, from `begin` to `end`."""

    def __init__(self, session: Session) -> None:
        self._line = session.line
        self._former: int | None = None

    @property
    def begun(self) -> bool:
        """Whether it is sent."""
        return self._former is not None

    def begin(self, divisor: int) -> None:
        """Send noise divided by `divisor`, or digital silence (-1)."""
        if self._former is None:
            self._former = self._line.idle
        self._line.set_idle(divisor)

    def end(self) -> None:
        """Send what was sent before."""
        if self._former is not None:
            self._line.set_idle(self._former)
            self._former = None


class IdleSilence:
    """Sends what `send_silence_when_idle` asks for, as a context; unset and 0 are nothing.

    Where the call has no media yet, `begin` makes up for it once that is `due`.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._idle = LineIdle(session)
        self._looked = False

    @property
    def due(self) -> bool:
        """Whether media has come since the last look."""
        return not self._looked and self._session.channel.media_ready

    def begin(self) -> None:
        """Look whether there is something to send, where that was not done yet and there is media."""
        if not self.due:
            return
        self._looked = True
        text = self._session.channel.get_variable("send_silence_when_idle") or ""
        if leading_int(text):
            self._idle.begin(silence_divisor(text))

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._idle.end()
