"""The module's state: its profiles and gateways, and what all of them share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from host.log import LogLevel
from host.modules.mod_sofia.gateway.gateway import Gateway
from host.modules.mod_sofia.message import Message, Source, Uri, unwire
from host.modules.mod_sofia.profile.profile import Profile, ProfileError
from host.modules.mod_sofia.profile.profile_parameters import switch_defaults
from host.modules.mod_sofia.profile.sofia_conf import GlobalSettings, SofiaConf, parse_sofia_conf
from host.modules.mod_sofia.transport.damping import Damping
from host.modules.mod_sofia.transport.dns_records import RecordCache, dns_query
from host.modules.mod_sofia.transport.resolver import Resolver, Ways
from host.modules.mod_sofia.transport.stack import SipStack

if TYPE_CHECKING:
    from host.modules.mod_sofia.call.leg import SofiaLeg
    from host.modules.mod_sofia.gateway.gateway_settings import GatewaySettings
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
    from host.switch import Switch

CONFIGURATION = "sofia.conf"
# How often what the damping no longer needs is forgotten, in s.
_SWEEP = 60.0


class Sofia:
    """All of mod_sofia of one switch. Profiles are started and stopped under one lock, in any thread."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.stack = SipStack(switch.report_bug)
        self.profiles: dict[str, Profile] = {}
        self.gateways: dict[str, Gateway] = {}
        self.handlers: dict[str, Callable[[Profile, Message], None]] = {}
        self.global_settings = GlobalSettings()
        self.damping = Damping()
        self.at_profile_start: list[Callable[[Profile], object]] = []
        self.at_profile_stop: list[Callable[[Profile], object]] = []
        self.resolver = Resolver(
            RecordCache(dns_query(), self.stack.now),
            work=self.stack.work,
            call=self.stack.call,
            log=lambda text: switch.log(LogLevel.WARNING, text),
        )
        self.refusals: dict[str, str] = {}  # why a profile does not run, by its name
        self._aliases: dict[str, str] = {}
        self._lock = threading.RLock()

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the SIP thread and all profiles; one that cannot listen is logged and left out."""
        self.stack.start()
        self.stack.call(self._sweep)
        conf = self.read_configuration()
        if conf is None:
            self.switch.log(LogLevel.ERR, f"Open of {CONFIGURATION} failed")
            return
        self.global_settings = conf.settings
        for settings in conf.profiles:
            self._start(settings)

    def stop(self) -> None:
        """Stop all profiles and leave the SIP thread."""
        for name in list(self.profiles):
            self.stop_profile(name)
        self.stack.stop()

    def read_configuration(self, only: str | None = None) -> SofiaConf | None:
        """Return what the configuration says now, None without one. May block."""
        element = self.switch.xml.configuration(CONFIGURATION)
        if element is None:
            return None
        return parse_sofia_conf(
            element, self.switch.log, switch_defaults(self.switch), self.switch.xml, only=only
        )

    def start_profile(self, name: str) -> str | None:
        """Start a profile of the configuration; return why not, None when it runs."""
        with self._lock:
            if name in self.profiles:
                return f"[{name}] already running"
            conf = self.read_configuration(only=name)
            settings = conf.profile(name) if conf is not None else None
            if settings is None:
                return f"[{name}] is not configured"
            return self._start(settings)

    def _start(self, settings: ProfileSettings) -> str | None:
        with self._lock:
            profile = Profile(self, settings)
            try:
                profile.start()
            except ProfileError as error:
                self.switch.log(LogLevel.ERR, f"Error Creating SIP UA for profile: {settings.name} ({error})")
                self.refusals[settings.name] = str(error)
                return str(error)
            self.refusals.pop(profile.name, None)
            self.profiles[profile.name] = profile
            self._name(profile)
            for told in self.at_profile_start:
                told(profile)
            for gateway in settings.gateways:
                profile.add_gateway(gateway)
            self.switch.log(LogLevel.INFO, f"Started Profile {profile.name} [{profile.settings.url}]")
            return None

    def stop_profile(self, name: str) -> bool:
        """Stop a profile: its calls are hung up, its gateways unregistered. False when it does not run."""
        with self._lock:
            profile = self.find_profile(name)
            if profile is None:
                return False
            for gateway in list(profile.gateways.values()):
                self._forget_gateway(gateway)
                self.stack.call(gateway.stop)
            for told in self.at_profile_stop:
                told(profile)
            profile.stop()
            self.profiles.pop(profile.name, None)
            self._aliases = {k: v for k, v in self._aliases.items() if v != profile.name}
            return True

    def restart_profile(self, name: str) -> str | None:
        """Stop and start a profile with what the configuration says now; return why it does not run."""
        with self._lock:
            profile = self.find_profile(name)
            if profile is None:
                return f"Invalid Profile [{name}]"
            self.stop_profile(profile.name)
            return self.start_profile(profile.name)

    def rescan(self, name: str) -> str | None:
        """Take over what changed in the configuration without ending calls: settings, and new gateways.

        FreeSWITCH: what is bound (addresses, ports, transports) stays as it is.
        """
        with self._lock:
            profile = self.find_profile(name)
            conf = self.read_configuration(only=profile.name if profile is not None else name)
            settings = conf.profile(profile.name) if conf is not None and profile is not None else None
            if profile is None or settings is None:
                return f"Invalid Profile [{name}]"
            profile.adopt(settings)
            self._name(profile)
            for gateway in settings.gateways:
                if gateway.name not in profile.gateways:
                    profile.add_gateway(gateway)
            return None

    # -- look-ups ------------------------------------------------------------------------------------------------

    def find_profile(self, name: str) -> Profile | None:
        """Return a running profile by its name, an alias or a domain of its."""
        return self.profiles.get(name) or self.profiles.get(self._aliases.get(name.lower(), ""))

    def find_dialog(self, call_id: str, to_tag: str = "", from_tag: str = "") -> SofiaLeg | None:
        """Return the leg whose dialog Replaces names, seen from the far end; None without. Any thread.

        FreeSWITCH: where the tags fit no call, the Call-ID alone counts, for those that write them the wrong way round.
        """
        found = None
        for profile in list(self.profiles.values()):
            for leg in list(profile.legs):
                dialog = leg.dialog
                if dialog.call_id != call_id or leg.session is None:
                    continue
                if (dialog.local_tag, dialog.remote_tag) == (to_tag, from_tag):
                    return leg
                found = leg
        return found

    def aliases(self) -> list[tuple[str, str]]:
        """Return all (alias, profile)."""
        return sorted(self._aliases.items())

    def siptrace_all(self, on: bool) -> None:
        """Log all messages of all profiles, or none."""
        for profile in self.profiles.values():
            profile.siptrace = on

    def resolve(self, profile: Profile, uri: Uri, done: Callable[[list[Source]], object]) -> None:
        """Call `done` in the SIP thread with where a URI leads; none when it leads nowhere."""
        settings = profile.settings
        ways = Ways(
            transports=profile.transports,
            families=profile.families,
            naptr=not settings.disable_naptr,
            srv=not settings.disable_srv,
        )
        self.resolver.resolve(unwire(str(uri)), lambda hops: done(list(hops)), ways)

    # -- gateways ------------------------------------------------------------------------------------------------

    def add_gateway(self, profile: Profile, settings: GatewaySettings) -> bool:
        """Add a gateway and begin its registration; False for a name that is taken."""
        gateway = Gateway(profile, settings, self.stack, self._forget_gateway)
        with self._lock:
            if gateway.name in self.gateways:
                self.switch.log(LogLevel.WARNING, f"Ignoring duplicate gateway '{gateway.name}'")
                return False
            self.gateways[gateway.name] = profile.gateways[gateway.name] = gateway
        self.stack.call(gateway.start)
        return True

    def _forget_gateway(self, gateway: Gateway) -> None:
        with self._lock:
            if self.gateways.get(gateway.name) is gateway:
                del self.gateways[gateway.name]
            profile = self.profiles.get(gateway.profile.name)
            if profile is not None and profile.gateways.get(gateway.name) is gateway:
                del profile.gateways[gateway.name]

    def _name(self, profile: Profile) -> None:
        settings = profile.settings
        for alias in (*settings.aliases, *settings.domain_aliases):
            self._aliases.setdefault(alias.lower(), profile.name)

    def _sweep(self) -> None:
        self.damping.sweep(self.stack.now())
        self.stack.call_later(_SWEEP, self._sweep)
