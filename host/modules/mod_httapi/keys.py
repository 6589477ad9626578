"""Keys that a prompt or a recording is bound to, while it lasts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.clock import MILLISECOND, Timer
from host.digit_action import DigitMachine, Matched, Unmatched
from host.inbox import Break, Digit
from host.ivr.input_args import InputArgs
from host.leading_number import leading_long
from host.log import LogLevel
from host.status import Status

if TYPE_CHECKING:
    from host.modules.mod_httapi.client import Client
    from host.modules.mod_httapi.document import Bind, Work
    from host.session import Session

# FreeSWITCH: how long is waited for a further key.
_DIGIT_TIMEOUT_MS: Final = 1500
_LONGEST_MS: Final = 2**31 - 1
_REALM: Final = "default"


@dataclass(frozen=True, slots=True)
class _TooLate:
    """No further key came in time after the key of this number."""

    number: int


class Keys(InputArgs):
    """Input that ends with the first keys that a binding fits (`match`), or that none does."""

    def __init__(self, client: Client, work: Work) -> None:
        super().__init__(asks=True)
        self.match: Matched[Bind] | None = None
        self.action = work.get("action")
        timeout = milliseconds(client, "digit", work.get("digit-timeout"), _DIGIT_TIMEOUT_MS)
        self._client = client
        self._machine: DigitMachine[Bind] = DigitMachine(timeout, work.get("terminators") or "")
        self._timer: Timer | None = None
        self._number = 0
        for bind in work.binds:
            self._machine.bind(_REALM, bind.digits, bind)

    @property
    def takes_digits(self) -> bool:
        """Whether keys are taken: always."""
        return True

    def kinds(self) -> tuple[type[object], ...]:
        """Return the kinds of inbox items that the operation has to take: events stay queued."""
        return (Digit, _TooLate, Break)

    def take(self, session: Session, item: object) -> Status:
        """Deal with one item; BREAK once something is decided."""
        if isinstance(item, Break):
            return Status.BREAK
        if isinstance(item, _TooLate):
            if item.number != self._number:
                return Status.SUCCESS
            return self._decided(self._machine.time_out())
        assert isinstance(item, Digit)
        session.tell_digit(item)
        self.close()
        status = self._decided(self._machine.feed(item.digit))
        if status and self._machine.digits:
            late = _TooLate(self._number)
            delay = self._machine.digit_timeout_ms * MILLISECOND
            self._timer = session.clock.call_later(delay, lambda: session.inbox.put(late))
        return status

    def close(self) -> None:
        """Wait for no further key."""
        self._number += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def matching_action(self) -> str | None:
        """The URL of the keys that were pressed, else of the prompt."""
        return (self.match.action.action if self.match is not None else None) or self.action

    def _decided(self, decided: Matched[Bind] | Unmatched | None) -> Status:
        if isinstance(decided, Matched):
            self.match = decided
            self._client.matched = self
        return Status.SUCCESS if decided is None else Status.BREAK


def bound_keys(client: Client, work: Work) -> Keys | None:
    """Return the keys that a prompt or a recording is bound to; None where there are none."""
    return Keys(client, work) if work.binds else None


def milliseconds(client: Client, name: str, text: str | None, default: int) -> int:
    """Return the time that an attribute gives."""
    if text is None:
        return default
    found = leading_long(text)
    if found > 0:
        return min(found, _LONGEST_MS)
    client.log(LogLevel.ERR, f"Invalid {name} timeout [{text}]")
    return default
