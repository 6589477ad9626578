"""What registration and authentication ask of a profile that runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from host.modules.mod_sofia.message import Message, OutgoingRequest
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
    from host.modules.mod_sofia.registration.registrations import Registrations
    from host.modules.mod_sofia.transport.damping import Damping
    from host.switch import Switch


class StoppableTimer(Protocol):
    """A timer of the SIP thread."""

    def cancel(self) -> object: ...


class RegistrarStack(Protocol):
    """The SIP thread; see `SipStack`."""

    def call(self, run: Callable[[], object]) -> object: ...
    def call_later(self, seconds: float, run: Callable[[], object]) -> StoppableTimer: ...
    def work(self, run: Callable[[], object]) -> bool: ...
    def now(self) -> float: ...


class RegistrarSofia(Protocol):
    """The module's state."""

    @property
    def stack(self) -> RegistrarStack: ...
    @property
    def damping(self) -> Damping: ...


class RegistrationsOwner(Protocol):
    """A registrar, for those who only look registrations up."""

    @property
    def registrations(self) -> Registrations: ...


class RegistrarProfile(Protocol):
    """The profile."""

    name: str

    @property
    def sofia(self) -> RegistrarSofia: ...
    @property
    def switch(self) -> Switch: ...
    @property
    def settings(self) -> ProfileSettings: ...
    @property
    def registrar(self) -> RegistrationsOwner: ...
    def respond(
        self, request: Message, code: int, reason: str = "", *, headers: Sequence[tuple[str, str]] = ()
    ) -> object: ...
    def send_request(self, request: OutgoingRequest) -> object: ...
