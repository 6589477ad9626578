"""A gateway that runs: its registration carried out through its profile, its counters and its events."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from host.log import LogLevel
from host.modules.mod_sofia.call.dialog import new_call_id
from host.modules.mod_sofia.gateway.gateway_registration import (
    Action,
    Registration,
    Removed,
    SendOptions,
    SendRegister,
    State,
    TellLog,
    TellState,
)
from host.modules.mod_sofia.gateway.gateway_subscription import ProviderSubscription
from host.modules.mod_sofia.message import (
    Message,
    OutgoingRequest,
    Source,
    header_of,
    headers_of,
    source_of,
    status_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from host.event import Event
    from host.modules.mod_sofia.gateway.gateway_settings import GatewaySettings
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings

GATEWAY_STATE: Final = "sofia::gateway_state"
GATEWAY_ADD: Final = "sofia::gateway_add"
GATEWAY_DELETE: Final = "sofia::gateway_delete"
_EXPIRES: Final = re.compile(r";\s*expires\s*=\s*\"?([0-9]{1,10})", re.IGNORECASE)
_SECONDS: Final = re.compile(r"\s*([0-9]{1,10})")


class Timer(Protocol):
    """Delayed work that can be called off."""

    def cancel(self) -> None: ...


class GatewayStack(Protocol):
    """What a gateway needs of the SIP thread; see `SipStack`."""

    def now(self) -> float: ...
    def call(self, run: Callable[[], object]) -> None: ...
    def call_later(self, seconds: float, run: Callable[[], object]) -> Timer: ...


class GatewaySwitch(Protocol):
    """What a gateway needs of the switch."""

    def new_event(self, name: str, subclass: str | None = None) -> Event: ...
    def fire(self, event: Event) -> None: ...
    def log(self, level: LogLevel, text: str) -> None: ...


class GatewayProfile(Protocol):
    """What a gateway needs of its profile."""

    @property
    def name(self) -> str: ...
    @property
    def settings(self) -> ProfileSettings: ...
    @property
    def switch(self) -> GatewaySwitch: ...
    def send_request(self, request: OutgoingRequest) -> None: ...


@dataclass(slots=True)
class GatewayCounters:
    """Calls through a gateway since it was added."""

    calls_in: int = 0
    failed_calls_in: int = 0
    calls_out: int = 0
    failed_calls_out: int = 0


class Gateway:
    """One gateway of a running profile.

    `start`, `stop` and what they begin belong to the SIP thread; `register`, `unregister` and `delete` to any.
    `on_removed` is called in the SIP thread when a gateway that was deleted has ended its registration.
    """

    def __init__(
        self,
        profile: GatewayProfile,
        settings: GatewaySettings,
        stack: GatewayStack,
        on_removed: Callable[[Gateway], object] = lambda gateway: None,
    ) -> None:
        self.profile = profile
        self.settings = settings
        self.name = settings.name
        self.stack = stack
        self.on_removed = on_removed
        self.counters = GatewayCounters()
        self.registration = Registration(settings, stack.now())
        self.contact = settings.register_contact(profile.settings)
        self.registrar_source: Source | None = None  # where the registrar answered from
        self.call_id = new_call_id()  # that of all its registrations (RFC 3261 section 10.2)
        self.subscriptions = [ProviderSubscription(self, wanted) for wanted in settings.subscriptions]
        self._cseq = 0
        self._timer: Timer | None = None
        self._running = False

    @property
    def state(self) -> State:
        """The state of its registration."""
        return self.registration.state

    @property
    def up(self) -> bool:
        """Whether calls may go to it."""
        return self.registration.up

    @property
    def deleted(self) -> bool:
        """Whether it is about to go, so that no call may take it."""
        return self.registration.deleted

    @property
    def credentials(self) -> tuple[str, str] | None:
        """User and password for challenges, None without a password."""
        settings = self.settings
        return (settings.auth_username, settings.password) if settings.password else None

    @property
    def routes(self) -> tuple[str, ...]:
        """The Route of its requests but calls: `register-proxy` (RFC 3261 section 8.1.2: a loose one)."""
        proxy = self.settings.register_proxy
        if not proxy:
            return ()
        return (f"<{proxy}>" if ";lr" in proxy.lower() else f"<{proxy};lr>",)

    def variables(self, *, inbound: bool) -> tuple[tuple[str, str], ...]:
        """Return what its calls get as variables."""
        return self.settings.inbound_variables if inbound else self.settings.outbound_variables

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Tell of it, and begin to register and to ping."""
        self._running = True
        text = f"Added gateway '{self.name}' to profile '{self.profile.name}'"
        self.profile.switch.log(LogLevel.NOTICE, text)
        self._fire(GATEWAY_ADD, (("Gateway", self.name), ("profile-name", self.profile.name)))
        self._check()
        for subscription in self.subscriptions:
            subscription.start()

    def stop(self) -> None:
        """End the registration without waiting for an answer; nothing is sent any more."""
        if not self._running:
            return
        self._cancel()
        self._end_subscriptions()
        if self.registration.state in (State.REGED, State.REGISTER):
            self.registration.unregister()
            self._do(self.registration.check(self.stack.now()))
        self._running = False
        self._cancel()

    def register(self) -> bool:
        """Register now; False for a gateway that does not register."""
        return self._change(self.registration.register)

    def unregister(self) -> bool:
        """End the registration; False for a gateway that does not register."""
        return self._change(self.registration.unregister)

    def delete(self) -> None:
        """End the registration and then be removed."""
        self.stack.call(lambda: self._then_check(self.registration.delete))

    def _change(self, change: Callable[[], bool]) -> bool:
        if self.registration.state is State.NOREG:
            return False
        self.stack.call(lambda: self._then_check(change))
        return True

    def _then_check(self, change: Callable[[], object]) -> None:
        if self._running:
            change()
            self._check()

    # -- the SIP thread ------------------------------------------------------------------------------------------

    def _check(self) -> None:
        self._do(self.registration.check(self.stack.now()))

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case TellLog():
                    self.profile.switch.log(action.level, action.text)
                case TellState():
                    self._tell(action)
                case SendRegister():
                    self._send_register(action)
                case SendOptions():
                    self._send_options(action)
                case Removed():
                    self._remove()
        self._cancel()
        due = self.registration.deadline()
        if self._running and due is not None:
            wait = max(due - self.stack.now(), 0.0)
            self._timer = self.stack.call_later(wait, self._due)

    def _due(self) -> None:
        self._timer = None
        if self._running:
            self._check()

    def _send_register(self, action: SendRegister) -> None:
        settings = self.settings
        self._cseq += 2  # the answer to a challenge takes the number between
        own = settings.register_from
        self.profile.send_request(
            OutgoingRequest(
                "REGISTER",
                settings.register_url,
                own,
                settings.register_to if settings.distinct_to else own,
                lambda response: self._registered(action, response),
                call_id=self.call_id,
                cseq=self._cseq,
                headers=(("Expires", str(action.expires)),),
                contact=self.contact,
                routes=self.routes,
                credentials=self.credentials,
            )
        )

    def _registered(self, action: SendRegister, response: Message) -> None:
        status, phrase = status_of(response)
        if action.attempt != self.registration.attempt:
            return
        if status != 408:
            self.registrar_source = source_of(response)
        granted = granted_expires(response, self.contact)
        least = _SECONDS.match(header_of(response, "min-expires") or "")
        self._do(
            self.registration.answered(
                action.attempt,
                status,
                phrase,
                self.stack.now(),
                granted=granted,
                min_expires=int(least[1]) if least is not None else None,
            )
        )

    def _send_options(self, action: SendOptions) -> None:
        settings = self.settings
        headers = (("User-Agent", settings.ping_user_agent),) if settings.ping_user_agent else ()
        self.profile.send_request(
            OutgoingRequest(
                "OPTIONS",
                settings.register_url,
                settings.options_uri,
                settings.options_uri,
                lambda response: self._pinged(action, response),
                headers=headers,
                contact=self.contact if settings.contact_in_ping else None,
                routes=self.routes,
            )
        )

    def _pinged(self, action: SendOptions, response: Message) -> None:
        status, phrase = status_of(response)
        if self._running:
            self._do(self.registration.ping_answered(action.attempt, status, phrase, self.stack.now()))

    def _tell(self, action: TellState) -> None:
        headers = [
            ("Gateway", self.name),
            ("State", action.state.value),
            ("Ping-Status", "UP" if action.up else "DOWN"),
        ]
        source = self.registrar_source
        if source is not None:
            ip = f"[{source.ip}]" if ":" in source.ip else source.ip
            headers += [("Register-Network-IP", ip), ("Register-Network-Port", str(source.port))]
        headers += [("Phrase", action.phrase)] if action.phrase else []
        headers += [("Status", str(action.status))] if action.status else []
        self._fire(GATEWAY_STATE, headers)

    def _end_subscriptions(self) -> None:
        for subscription in self.subscriptions:
            subscription.stop()

    def _remove(self) -> None:
        self._end_subscriptions()
        self.profile.switch.log(LogLevel.NOTICE, f"Deleted gateway {self.name}")
        self._fire(GATEWAY_DELETE, (("profile-name", self.profile.name), ("Gateway", self.name)))
        self._running = False
        self.on_removed(self)

    def _fire(self, subclass: str, headers: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> None:
        event = self.profile.switch.new_event("CUSTOM", subclass)
        event.add_headers(headers)
        self.profile.switch.fire(event)


def granted_expires(response: Message, contact: str) -> int | None:
    """Return for how many seconds a registrar keeps our contact, None when it does not say.

    RFC 3261 section 10.2.4: that of our own Contact, where several are registered; else that of Expires.
    """
    uri = contact.partition("<")[2].partition(">")[0]
    values = [part for value in headers_of(response, "contact") for part in _split(value)]
    ours = [value for value in values if uri and uri in value] or values[:1]
    for value in ours:
        found = _EXPIRES.search(value.rpartition(">")[2] if ">" in value else value)
        if found is not None:
            return int(found[1])
    expires = _SECONDS.match(header_of(response, "expires") or "")
    return int(expires[1]) if expires is not None else None


def _split(value: str) -> list[str]:
    """Return the contacts of a header's value."""
    return re.findall(r'(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,"<])+', value)
