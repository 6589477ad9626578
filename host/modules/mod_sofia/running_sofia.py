"""What commands, reports and gateways' upkeep ask of the running module and its profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from host.modules.mod_sofia.gateway.gateway import Gateway, GatewayStack
    from host.modules.mod_sofia.gateway.gateway_settings import GatewaySettings
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
    from host.modules.mod_sofia.profile.sofia_conf import GlobalSettings, SofiaConf
    from host.modules.mod_sofia.registration.registrations import Registrations
    from host.modules.mod_sofia.transport.resolver import Resolver
    from host.switch import Switch


class CallCounters(Protocol):
    """Calls of a profile or a gateway."""

    calls_in: int
    failed_calls_in: int
    calls_out: int
    failed_calls_out: int


class RunningRegistrar(Protocol):
    """The registrar of a profile. The methods may block, where registrations are shared by several hosts."""

    @property
    def registrations(self) -> Registrations: ...
    def flush(self, target: str = "", *, reboot: bool = False) -> object: ...
    def check_sync(self, target: str = "") -> object: ...


class RunningProfile(Protocol):
    """A profile that runs; `started` is when, in µs since the epoch."""

    name: str
    siptrace: bool
    started: int

    @property
    def settings(self) -> ProfileSettings: ...
    @property
    def counters(self) -> CallCounters: ...
    @property
    def gateways(self) -> Mapping[str, Gateway]: ...
    @property
    def legs(self) -> Sized: ...
    @property
    def registrar(self) -> RunningRegistrar: ...
    def add_gateway(self, settings: GatewaySettings) -> bool:
        """Add a gateway and begin its registration; False for a name that is taken."""


class RunningSofia(Protocol):
    """The module's state. All but the look-ups may block.

    `start_profile`, `restart_profile` and `rescan` return why they did not, None when they did.
    """

    @property
    def switch(self) -> Switch: ...
    @property
    def stack(self) -> GatewayStack: ...
    @property
    def resolver(self) -> Resolver: ...
    @property
    def global_settings(self) -> GlobalSettings: ...
    @property
    def profiles(self) -> Mapping[str, RunningProfile]: ...
    @property
    def gateways(self) -> Mapping[str, Gateway]: ...
    def find_profile(self, name: str) -> RunningProfile | None: ...
    def read_configuration(self, only: str | None = None) -> SofiaConf | None: ...
    def start_profile(self, name: str) -> str | None: ...
    def stop_profile(self, name: str) -> bool: ...
    def restart_profile(self, name: str) -> str | None: ...
    def rescan(self, name: str) -> str | None: ...
    def siptrace_all(self, on: bool) -> None: ...


def aliases_of(sofia: RunningSofia, profile: RunningProfile) -> list[str]:
    """Return the other names that a profile goes by."""
    names = dict.fromkeys((*profile.settings.aliases, *profile.settings.domain_aliases))
    return [name for name in names if name != profile.name and sofia.find_profile(name) is profile]


def find_gateway(sofia: RunningSofia, name: str) -> Gateway | None:
    """Return a gateway by its name or by `profile::name`, None without or when it is about to be removed."""
    profile_name, separator, own = name.partition("::")
    if separator:
        profile = sofia.profiles.get(profile_name)
        found = profile.gateways.get(own) if profile is not None else None
    else:
        found = sofia.gateways.get(name)
    return found if found is not None and not found.deleted else None
