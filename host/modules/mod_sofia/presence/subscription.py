"""One subscription, the notifier's side (RFC 6665): how long it lives, and the one NOTIFY that is on its way.

It takes what happened and returns what to do; nothing here waits or sends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from host.modules.mod_sofia.call.dialog import Dialog
from host.modules.mod_sofia.message import Body, OutgoingRequest, Source

# FreeSWITCH: who does not say how long is subscribed for an hour, and for a year at most.
DEFAULT_EXPIRES: Final = 3600
MAX_EXPIRES: Final = 31_536_000
# FreeSWITCH: `sip-subscription-max-deviation` leaves at least this much, in seconds.
_LEAST_DEVIATED: Final = 45
# RFC 6665 section 4.2.2: a NOTIFY that comes back so many times with Retry-After is given up.
MAX_RETRIES: Final = 3
MAX_RETRY_AFTER: Final = 300


@dataclass(frozen=True, slots=True)
class EventPackage:
    """The header Event: the package in lower case, `id`, and its other parameters as they were written."""

    name: str
    id: str = ""
    params: str = ""

    @property
    def text(self) -> str:
        """The header as a NOTIFY repeats it."""
        return self.name + (f";id={self.id}" if self.id else "")


def parse_event(value: str) -> EventPackage:
    """Return what an Event header says; one that is empty has an empty name."""
    name, *params = value.split(";")
    event_id, rest = "", []
    for param in params:
        key, _, given = param.strip().partition("=")
        if key.strip().lower() == "id":
            event_id = given.strip().strip('"')
        elif param.strip():
            rest.append(param.strip())
    return EventPackage(name.strip().lower(), event_id, ";".join(rest))


def granted(
    wanted: str | None, *, force: int = 0, deviation: int = 0, pick: Callable[[int], int] = lambda n: 0
) -> int:
    """Return how many seconds a subscription gets of those that Expires asks for; ValueError where it is no number.

    FreeSWITCH: `force-subscription-expires` is the most, `sip-subscription-max-deviation` takes a random part off;
    `pick(n)` returns a random integer from 0 to n-1.
    """
    if wanted is None:
        seconds = DEFAULT_EXPIRES
    else:
        text = wanted.partition(";")[0].strip()
        if not (text.isascii() and text.isdigit() and len(text) <= 10):
            raise ValueError(f"not a number: {wanted}")
        seconds = min(int(text), MAX_EXPIRES)
    if seconds and 0 < force < seconds:
        seconds = force
    if deviation > 0:
        deviated = seconds + pick(deviation) - deviation
        if deviated > _LEAST_DEVIATED:
            seconds = deviated
    return seconds


@dataclass(frozen=True, slots=True)
class Document:
    """What a NOTIFY carries; `build(version)` writes it for the version that it goes out with."""

    content_type: str
    build: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Send:
    """Do: send this NOTIFY, and bring its final response to `answered`."""

    request: OutgoingRequest


@dataclass(frozen=True, slots=True)
class Remove:
    """Do: forget the subscription."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Do: call `retry` after so many seconds."""

    seconds: float


Action = Send | Remove | Retry


@dataclass(slots=True)
class Subscription:
    """Who wants to know what of whom. `user@host` are told of, `proto` is `sip` or another (`park`, `conf`, …).

    `orig_proto` is set where `presence_map.conf` chose the protocol. Times are monotonic seconds.
    """

    event: EventPackage
    dialog: Dialog
    user: str
    host: str
    subscriber_user: str
    subscriber_host: str
    source: Source
    expires_at: float
    proto: str = "sip"
    orig_proto: str = ""
    presence_hosts: str = ""
    contact: str = ""
    contact_user: str = ""
    user_agent: str = ""
    accept: tuple[str, ...] = ()
    next_hop: Source | None = None
    version: int = -1  # of the last NOTIFY; below 0 before the first
    ended: bool = False
    _waiting: bool = False
    _dirty: bool = False
    _closing: str = ""
    _said_end: bool = False
    _last: Document | None = None
    _retries: int = 0

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from others: the dialog's local tag and Call-ID, the package and its id."""
        return self.dialog.call_id, self.dialog.local_tag, self.event.name, self.event.id

    @property
    def entity(self) -> str:
        """The URI of whom it is about, as it was asked for."""
        if self.proto == "sip" or self.orig_proto == "sip":
            return f"sip:{self.user}@{self.host}"
        return f"sip:{self.proto}+{self.user}@{self.host}"

    def left(self, now: float) -> int:
        """Return the whole seconds it has left."""
        return max(0, round(self.expires_at - now))

    def tell(self, document: Document | None, now: float) -> list[Action]:
        """Tell a new state; while a NOTIFY is on its way only the last one waits, for each carries everything."""
        if self.ended or self._said_end:
            return []
        self._last = document
        if self._waiting:
            self._dirty = True
            return []
        return [self._notify(now)]

    def again(self, now: float) -> list[Action]:
        """Tell the last state again, with how long it is subscribed now."""
        return self.tell(self._last, now)

    def end(self, reason: str, now: float) -> list[Action]:
        """End it with a last NOTIFY: `terminated;reason=` timeout, noresource, deactivated, …"""
        if self.ended or self._said_end:
            return []
        self._closing = reason
        if self._waiting:
            self._dirty = True
            return []
        return [self._notify(now)]

    def once(self, reason: str) -> None:
        """Let the first NOTIFY be the last one (RFC 6665 section 4.4.3: fetching a state)."""
        self._closing = reason

    def retry(self, now: float) -> list[Action]:
        """Send again what was put off."""
        if self.ended or not self._waiting:
            return []
        return [self._notify(now)]

    def answered(self, code: int, retry_after: int | None, now: float) -> list[Action]:
        """Take the final response to the NOTIFY on its way (408: none came).

        RFC 6665 section 4.2.2: one that fails ends the subscription, unless it says when to try again.
        """
        if code < 200 or not self._waiting:
            return []
        if code >= 300 and retry_after is not None and self._retries < MAX_RETRIES and not self._closing:
            self._retries += 1
            return [Retry(float(min(max(retry_after, 1), MAX_RETRY_AFTER)))]
        self._waiting = False
        if code >= 300 or self._said_end:
            self.ended = True
            return [Remove()]
        self._retries = 0
        if self._dirty:
            return [self._notify(now)]
        return []

    def _notify(self, now: float) -> Action:
        self._waiting, self._dirty = True, False
        self.version += 1
        if self._closing:
            self._said_end = True
            state = f"terminated;reason={self._closing}"
        else:
            state = f"active;expires={self.left(now)}"
        headers = (("Event", self.event.text), ("Subscription-State", state))
        request = self.dialog.request("NOTIFY", headers=headers)
        body = None
        if self._last is not None:
            body = Body(self._last.content_type, self._last.build(self.version))
        return Send(replace(request, body=body, next_hop=self.next_hop))
