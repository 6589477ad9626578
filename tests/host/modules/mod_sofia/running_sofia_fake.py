"""Profiles and gateways for tests of commands and reports: real settings and registrations, nothing that listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from host.clock import SECOND
from host.modules.mod_sofia.gateway.gateway import Gateway, GatewayCounters
from host.modules.mod_sofia.gateway.gateway_settings import GatewaySettings
from host.modules.mod_sofia.message import OutgoingRequest
from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
from host.modules.mod_sofia.profile.sofia_conf import GlobalSettings, SofiaConf
from host.modules.mod_sofia.registration.registrations import Binding, Registrations
from host.sql_store import MEMORY
from host.switch import Switch


class Timer:
    def cancel(self) -> None:
        return None


class Stack:
    def __init__(self, switch: Switch) -> None:
        self.switch = switch

    def now(self) -> float:
        return self.switch.clock.now() / SECOND

    def call(self, run: Callable[[], object]) -> None:
        run()

    def call_later(self, seconds: float, run: Callable[[], object]) -> Timer:
        return Timer()


@dataclass
class FakeRegistrar:
    registrations: Registrations
    asked: list[tuple[str, str, bool]] = field(default_factory=list)

    def flush(self, target: str = "", *, reboot: bool = False) -> None:
        self.asked.append(("flush", target, reboot))

    def check_sync(self, target: str = "") -> None:
        self.asked.append(("check_sync", target, False))


class FakeProfile:
    def __init__(self, sofia: FakeSofia, settings: ProfileSettings) -> None:
        self.sofia = sofia
        self.switch = sofia.switch
        self.settings = settings
        self.name = settings.name
        self.siptrace = False
        self.started = sofia.switch.clock.time()
        self.counters = GatewayCounters()
        self.gateways: dict[str, Gateway] = {}
        self.legs: set[object] = set()
        self.registrar = FakeRegistrar(Registrations(self.switch, self.name, MEMORY, lambda run: run()))
        self.requests: list[OutgoingRequest] = []

    def send_request(self, request: OutgoingRequest) -> None:
        self.requests.append(request)

    def add_gateway(self, settings: GatewaySettings) -> bool:
        if settings.name in self.sofia.gateways:
            return False
        gateway = Gateway(self, settings, self.sofia.stack)
        self.gateways[settings.name] = self.sofia.gateways[settings.name] = gateway
        gateway.start()
        return True

    def bind(self, user: str, contact: str = "", **more: Any) -> None:
        values: dict[str, Any] = {
            "call_id": f"call-{user}",
            "sip_user": user,
            "sip_host": "example.com",
            "presence_hosts": "example.com",
            "contact": contact or f'"{user}" <sip:{user}@192.0.2.7:5062>',
            "status": "Registered(UDP)",
            "expires": self.switch.clock.time() // SECOND + 100,
            "user_agent": "Phone/1 & <co>",
            "profile_name": self.name,
            "hostname": "moonline",
            "network_ip": "192.0.2.7",
            "network_port": "5062",
            "sip_username": user,
            "sip_realm": "example.com",
            "mwi_user": user,
            "mwi_host": "example.com",
            **more,
        }
        self.registrar.registrations.register([Binding(**values)], replacing="user")


class FakeResolver:
    cache = None


class FakeSofia:
    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.stack = Stack(switch)
        self.resolver: Any = FakeResolver()
        self.global_settings = GlobalSettings()
        self.profiles: dict[str, FakeProfile] = {}
        self.gateways: dict[str, Gateway] = {}
        self.conf = SofiaConf(self.global_settings, [])
        self.done: list[tuple[str, str]] = []
        self.problem: str | None = None

    def add(self, settings: ProfileSettings) -> FakeProfile:
        profile = self.profiles[settings.name] = FakeProfile(self, settings)
        return profile

    def find_profile(self, name: str) -> FakeProfile | None:
        named = [p for p in self.profiles.values() if name in (p.name, *p.settings.aliases)]
        return named[0] if named else None

    def read_configuration(self, only: str | None = None) -> SofiaConf | None:
        return self.conf

    def start_profile(self, name: str) -> str | None:
        self.done.append(("start", name))
        return self.problem

    def stop_profile(self, name: str) -> bool:
        self.done.append(("stop", name))
        return True

    def restart_profile(self, name: str) -> str | None:
        self.done.append(("restart", name))
        return self.problem

    def rescan(self, name: str) -> str | None:
        self.done.append(("rescan", name))
        return self.problem

    def siptrace_all(self, on: bool) -> None:
        for profile in self.profiles.values():
            profile.siptrace = on
