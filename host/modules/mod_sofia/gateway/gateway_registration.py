"""A gateway's registration at its provider and its pings: states, deadlines and what is to be done, without I/O.

FreeSWITCH's states and their order are kept, so that `sofia::gateway_state` tells the same story; what there waits
for the next second of a thread happens at once here. Times are seconds of any clock that never goes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from host.log import LogLevel

if TYPE_CHECKING:
    from host.modules.mod_sofia.gateway.gateway_settings import GatewaySettings

NO_ANSWER: Final = 908  # FreeSWITCH's status for a registrar that said nothing within timeout-seconds
# A registrar may ask for longer registrations (423), but not for ever.
MAX_EXPIRES: Final = 24 * 3600 * 7
_EARLY: Final = 15  # seconds before the end that a registration is renewed
_SHORT: Final = 30  # registrations up to this are renewed at half of their time
# FreeSWITCH: answers to OPTIONS that say the provider is not there; all others say that it is.
_DEAD: Final = frozenset({408, 503})


class State(Enum):
    """The states of a registration, named as FreeSWITCH shows them."""

    UNREGED = "UNREGED"
    TRYING = "TRYING"
    REGISTER = "REGISTER"
    REGED = "REGED"
    UNREGISTER = "UNREGISTER"
    FAILED = "FAILED"
    FAIL_WAIT = "FAIL_WAIT"
    EXPIRED = "EXPIRED"
    NOREG = "NOREG"
    DOWN = "DOWN"
    TIMEOUT = "TIMEOUT"


@dataclass(frozen=True, slots=True)
class SendRegister:
    """Send a REGISTER for so many seconds, 0 to end the registration; `attempt` comes back with the answer."""

    expires: int
    attempt: int


@dataclass(frozen=True, slots=True)
class SendOptions:
    """Send a ping; `attempt` comes back with the answer."""

    attempt: int


@dataclass(frozen=True, slots=True)
class TellState:
    """Fire `sofia::gateway_state`, with what the provider answered where it did (status 0: it did not)."""

    state: State
    up: bool
    status: int = 0
    phrase: str = ""


@dataclass(frozen=True, slots=True)
class TellLog:
    """Write a log line."""

    level: LogLevel
    text: str


@dataclass(frozen=True, slots=True)
class Removed:
    """The gateway was to be deleted and its registration has ended."""


Action = SendRegister | SendOptions | TellState | TellLog | Removed


class Registration:
    """One gateway's. Each method returns what is to be done, in order; `check` when `deadline()` has come."""

    def __init__(self, settings: GatewaySettings, now: float) -> None:
        self.settings = settings
        self.state = State.UNREGED if settings.register else State.NOREG
        self.up = not settings.register
        self.up_since = now
        self.expires = 0.0  # when it is renewed
        self.retry = 0.0  # when it is tried again; 0: no such time
        self.timeout = 0.0  # until when an answer to REGISTER may come
        self.failures = 0
        self.failure_status = 0
        self.deleted = False
        self.removed = False
        self.pinging = False
        self.ping_at = now + settings.ping if settings.ping else 0.0
        self.ping_sent = 0.0
        self.ping_time = 0.0  # ms that the last answer to a ping took
        self.ping_count = 0
        self.attempt = 0  # of registering
        self.attempt_of_ping = 0
        self._was_registered = False
        self._asked = settings.expire_seconds  # what the registrar is asked for
        self._granted = 0

    def deadline(self) -> float | None:
        """Return when `check` is due if nothing happens before, None when it is not."""
        if self.removed:
            return None
        times = []
        if self.state is State.TRYING:
            times.append(self.timeout)
        elif self.state is State.FAIL_WAIT:
            times.append(self.retry)
        elif self.state is State.REGED:
            times.append(self.expires)
        elif self.state not in (State.NOREG, State.DOWN):
            times.append(0.0)
        if self.ping_at and not self.pinging and self.state in (State.NOREG, State.REGED):
            times.append(self.ping_at)
        return min(times, default=None)

    def check(self, now: float) -> list[Action]:
        """Do what is due, until nothing is."""
        actions: list[Action] = []
        while not self.removed:
            former = self.state
            self._ping_if_due(now, actions)
            self._step(now, actions)
            if self.state is not former:
                actions.append(TellState(self.state, self.up))
            if self.deleted and self.state in (State.NOREG, State.DOWN):
                self.removed = True
                actions.append(Removed())
            elif self.state is former:
                break
        return actions

    def register(self) -> bool:
        """Have it register at the next `check`; False for one that never does, or is about to be gone."""
        if self.state is State.NOREG or self.deleted:
            return False
        self.retry = 0.0
        self.state = State.UNREGED
        return True

    def unregister(self) -> bool:
        """Have it end its registration at the next `check`; False for one that never has one, or ends it already."""
        if self.state is State.NOREG or self.deleted:
            return False
        self.retry = 0.0
        self._was_registered = self.state in (State.REGED, State.REGISTER, State.UNREGISTER)
        self.state = State.UNREGISTER
        return True

    def delete(self) -> None:
        """Have it end its registration and be gone at the next `check`."""
        if not self.deleted:
            self.unregister()
            self.deleted = True

    def answered(
        self,
        attempt: int,
        status: int,
        phrase: str,
        now: float,
        *,
        granted: int | None = None,
        min_expires: int | None = None,
    ) -> list[Action]:
        """Take an answer to REGISTER; `granted` is the time the registrar keeps it, `min_expires` that of a 423.

        Answers to attempts that are over mean nothing any more.
        """
        if attempt != self.attempt or self.state is not State.TRYING or status < 200:
            return []
        actions: list[Action] = []
        if 200 <= status < 300:
            self._granted = granted or 0
            if granted and granted != self.settings.expire_seconds:
                registrar = self.settings.registrar
                text = f"Changing expire time to {granted} by request of proxy {registrar}"
                actions.append(TellLog(LogLevel.DEBUG, text))
            self.state = State.REGISTER
        elif status == 423 and min_expires is not None and self._asked < min_expires <= MAX_EXPIRES:
            self._asked = min_expires  # RFC 3261 section 10.3: once more, for as long as it says
            return [self._send_register()]
        else:
            self.failures += 1
            self.failure_status = status
            self.state = State.FAILED
            text = (
                f"{self.settings.name} Failed Registration with status {phrase} [{status}]. "
                f"failure #{self.failures}"
            )
            actions.append(TellLog(LogLevel.ERR, text))
        actions.append(TellState(self.state, self.up, status, phrase))
        return actions + self.check(now)

    def ping_answered(self, attempt: int, status: int, phrase: str, now: float) -> list[Action]:
        """Take the answer to a ping: ping-min of them in a row make it up, ping-max are counted."""
        if not self.pinging or attempt != self.attempt_of_ping or status < 200:
            return []
        settings = self.settings
        actions: list[Action] = []
        was_up = self.up
        alive = status < 600 and status not in _DEAD
        if alive:
            if self.state is State.FAILED:
                self.state = State.UNREGED
            self.ping_time = (now - self.ping_sent) * 1000
            if self.ping_count < settings.ping_max:
                self.ping_count += 1
                if self.ping_count >= settings.ping_min and not self.up:
                    self._set_up(now)
                actions.append(self._ping_log("succeeded", status))
        else:
            if self.state is State.REGED:
                actions.append(TellLog(LogLevel.WARNING, f"Unregister {settings.name}"))
                self.state = State.FAILED
                self.ping_time = 0.0
            self.ping_count = max(self.ping_count - 1, 0)
            if self.ping_count < settings.ping_min and self.up:
                self.up = False
                self.ping_time = 0.0
            actions.append(self._ping_log("failed", status))
        if settings.ping_monitoring or was_up != self.up:
            actions.append(TellState(self.state, self.up, status, phrase))
        self.ping_at = now + settings.ping
        self.pinging = False
        return actions + self.check(now)

    # -- steps ---------------------------------------------------------------------------------------------------

    def _set_up(self, now: float) -> None:
        if not self.up:
            self.up = True
            self.up_since = now

    def _ping_if_due(self, now: float, actions: list[Action]) -> None:
        due = self.ping_at and not self.pinging and now >= self.ping_at
        if due and not self.deleted and self.state in (State.NOREG, State.REGED):
            self.pinging = True
            self.ping_sent = now
            self.attempt_of_ping += 1
            actions.append(SendOptions(self.attempt_of_ping))

    def _step(self, now: float, actions: list[Action]) -> None:
        settings = self.settings
        if self.state in (State.NOREG, State.DOWN):
            # FreeSWITCH: what is not pinged counts as up, even when its registration was ended by hand.
            if not self.ping_at and not self.pinging:
                self._set_up(now)
        elif self.state is State.REGISTER:
            self.failures = 0
            self.expires = now + self._renewal()
            self.state = State.REGED
            self._set_up(now)
        elif self.state is State.UNREGISTER:
            if self._was_registered:
                actions.append(TellLog(LogLevel.NOTICE, f"UN-Registering {settings.name}"))
                self.attempt += 1
                actions.append(SendRegister(0, self.attempt))
            else:
                self.attempt += 1  # what still comes for the former one is of no interest
            self._was_registered = False
            self.state = State.DOWN
            self.up = False
        elif self.state is State.UNREGED:
            actions.append(TellLog(LogLevel.NOTICE, f"Registering {settings.name}"))
            actions.append(self._send_register())
            self.retry = now + settings.retry_seconds
            self.timeout = now + settings.timeout_seconds
            self.state = State.TRYING
        elif self.state is State.TIMEOUT:
            actions.append(TellLog(LogLevel.WARNING, f"Timeout Registering {settings.name}"))
            self.attempt += 1
            self.failures += 1
            self.failure_status = NO_ANSWER
            self.state = State.FAILED
        elif self.state is State.FAILED:
            self._fail(now, actions)
        elif self.state is State.FAIL_WAIT:
            if not self.retry or now >= self.retry:
                self.state = State.UNREGED
        elif self.state is State.TRYING:
            if now >= self.timeout:
                self.state = State.TIMEOUT
        elif now >= self.expires:
            self.state = State.UNREGED

    def _fail(self, now: float, actions: list[Action]) -> None:
        """Wait as FreeSWITCH does: longer with each failure, but not where the provider is just not there."""
        settings = self.settings
        seconds = settings.retry_seconds
        if self.failure_status == NO_ANSWER and settings.fail_908_retry_seconds:
            seconds = settings.fail_908_retry_seconds
        elif self.failure_status not in (503, NO_ANSWER) and self.failures > 1:
            seconds *= self.failures
        text = (
            f"{settings.name} Failed Registration [{self.failure_status}], "
            f"setting retry to {seconds} seconds."
        )
        actions.append(TellLog(LogLevel.WARNING, text))
        self.retry = now + seconds
        self.up = False
        self.state = State.FAIL_WAIT
        self.failure_status = 0

    def _send_register(self) -> SendRegister:
        self.attempt += 1
        return SendRegister(self._asked, self.attempt)

    def _renewal(self) -> float:
        """Return in how many seconds the registration is renewed: before what was asked and what was granted."""
        seconds = self._granted or self._asked
        return max(seconds - _EARLY if seconds > _SHORT else seconds // 2, 1)

    def _ping_log(self, what: str, status: int) -> TellLog:
        settings = self.settings
        counts = f"{settings.ping_min}/{self.ping_count}/{settings.ping_max}"
        state = "UP" if self.up else "DOWN"
        text = f"Ping {what} {settings.name} with code {status} - count {counts}, state {state}"
        return TellLog(LogLevel.WARNING, text)
