"""Work on a leg that is not the script's own: done in that leg's thread, while the script waits.

A leg's inbox has one reader, its session thread. A script that plays to a leg it placed therefore has the work done
there; input callbacks come back to the script's thread, the only one that may touch its Lua state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from host.session import Session

T = TypeVar("T")

# Between two looks whether the leg is still there: a leg that ends before it got to the work never answers.
_LOOK_US: Final = 1_000_000


class LegCall(Generic[T]):
    """One piece of work in another leg's thread, and the requests it makes meanwhile to the waiting thread."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._clock = session.clock
        self._waiter = self._clock.waiter()
        self._requests: deque[Callable[[], None]] = deque()
        self._result: T | None = None
        self._error: BaseException | None = None
        self._done = False

    def run(self, work: Callable[[Session], T], otherwise: T) -> T:
        """Return what `work(session)` returns, `otherwise` when the leg ended before it; re-raise its exception."""
        self._session.run_in_session(lambda session: self._perform(work, session))
        while not self._done:
            while self._requests:
                self._requests.popleft()()
            woken = self._waiter.wait(self._clock.now() + _LOOK_US)
            if not woken and self._session.switch.find_session(self._session.uuid) is not self._session:
                return otherwise
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]

    def ask(self, question: Callable[[], T]) -> T:
        """From the leg's thread: have `question()` answered by the waiting thread."""
        answered = self._clock.waiter()
        answers: list[T] = []

        def answer() -> None:
            answers.append(question())
            answered.notify()

        self._requests.append(answer)
        self._waiter.notify()
        answered.wait(None)
        return answers[0]

    def _perform(self, work: Callable[[Session], T], session: Session) -> None:
        try:
            self._result = work(session)
        except Exception as error:  # raised again in the script's thread
            self._error = error
        self._done = True
        self._waiter.notify()
