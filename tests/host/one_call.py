"""One call in virtual time whose only application is a Python function, with a caller that presses keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from host.caller_profile import CallerExtension, CallerProfile
from host.channel_state import ChannelState
from host.clock import MILLISECOND
from host.hangup_cause import HangupCause
from host.interfaces import Application
from host.session import Session
from host.switch import Switch
from media.line import Line
from media.notice import DigitReceived, Notice
from media.source import Source
from tests.host.handset import Handset


class Far(Handset):
    """The far end of the call: it notes the digits it hears, and says what it is told."""

    def __init__(self, switch: Switch, rate: int) -> None:
        self.digits = ""
        self.sent: list[str] = []
        self.line: Line = switch.engine.line(rate, self._take)

    def _take(self, notice: Notice) -> None:
        if isinstance(notice, DigitReceived):
            self.digits += notice.digit

    def send_dtmf(self, session: Session, digit: str, duration: int, processed: bool = True) -> None:
        self.sent.append(digit)


@dataclass
class Outcome:
    """What the function returned, when it began and ended (µs), and what was observed meanwhile."""

    session: Session
    far: Far
    values: list[object] = field(default_factory=list)
    observed: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)

    def kinds(self, kind: str) -> list[dict[str, object]]:
        """Return the facts of what was observed as `kind`."""
        return [facts for name, facts in self.observed if name == kind]

    @property
    def played(self) -> list[object]:
        """The paths that were played."""
        return [facts["path"] for facts in self.kinds("play")]


def in_call(
    switch: Switch,
    do: Callable[[Session], object],
    *,
    press: tuple[tuple[int, str], ...] = (),
    say: Source | None = None,
    hangup_ms: int | None = None,
    rate: int = 8000,
) -> Outcome:
    """Run `do` in the thread of an answered call; `press` are (ms, keys), `say` is what the caller says meanwhile."""
    clock = switch.clock
    far = Far(switch, rate)
    profile = CallerProfile(destination_number="test", caller_id_number="1000")
    session = Session(switch, "test/1", profile, far, outbound=False, endpoint="test", rate=rate)
    session.line.connect(far.line)
    outcome = Outcome(session, far)

    def run(call: Session, data: str) -> None:
        call.answer()
        for at, keys in press:
            for number, key in enumerate(keys):
                clock.call_later(
                    at * MILLISECOND + number * 100 * MILLISECOND,
                    lambda key=key: far.line.send_digit(key, 800),  # type: ignore[misc]
                )
        if say is not None:
            far.line.play(say)
        if hangup_ms is not None:
            clock.call_later(
                hangup_ms * MILLISECOND, lambda: call.channel.hangup(HangupCause.NORMAL_CLEARING)
            )
        outcome.values.append(do(call))

    def observe(kind: str, channel: object, facts: dict[str, object]) -> None:
        outcome.observed.append((kind, facts))

    switch.observers.append(observe)
    switch.logs.add_sink(lambda entry: outcome.logs.append(entry.text))
    switch.applications.add(Application("test", "mod_test", run))
    profile.extension = CallerExtension("test", "test", [("test", "")])
    session.channel.set_state(ChannelState.CS_EXECUTE)
    session.start()
    session.ended.wait(None)
    far.line.close()
    switch.observers.remove(observe)
    assert not outcome.kinds("bug"), outcome.kinds("bug")
    return outcome


def took(session: Session, do: Callable[[], object]) -> int:
    """Return how many ms of call time `do` takes."""
    began = session.clock.now()
    do()
    return (session.clock.now() - began) // MILLISECOND
