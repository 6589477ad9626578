"""What makes a running mod_verto of its parts."""

from __future__ import annotations

import ssl
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from host.dtls_identity import AVAILABLE
from host.interfaces import ChatInterface
from host.log import LogLevel
from host.modules.mod_verto import call_methods, commands, fs_events, plain_methods
from host.modules.mod_verto.certificates import CertificateError, reload_certificate, server_context
from host.modules.mod_verto.chat import send_message
from host.modules.mod_verto.dispatch import Method, receive
from host.modules.mod_verto.endpoint import VertoEndpoint
from host.modules.mod_verto.information import info
from host.modules.mod_verto.invitation import invite
from host.modules.mod_verto.login import answer_login
from host.modules.mod_verto.modification import modify
from host.modules.mod_verto.verto import MODULE, PROTOCOL, Verto

if TYPE_CHECKING:
    from host.event import Event
    from host.event_bus import Subscription
    from host.modules.mod_verto.client import Client
    from host.modules.mod_verto.server import VertoServer
    from host.modules.mod_verto.settings import ProfileSettings, VertoSettings
    from host.switch import Switch

METHODS: Final[dict[str, Method]] = {
    "echo": plain_methods.echo,
    "jsapi": plain_methods.jsapi,
    "fsapi": plain_methods.fsapi,
    "login": answer_login,
    "verto.invite": invite,
    "verto.ping": plain_methods.ping,
    "verto.info": info,
    "verto.attach": call_methods.attach,
    "verto.bye": call_methods.bye,
    "verto.answer": call_methods.answer,
    "verto.subscribe": plain_methods.subscribe,
    "verto.unsubscribe": plain_methods.unsubscribe,
    "verto.broadcast": plain_methods.broadcast,
    "verto.modify": modify,
}


class RunningVerto:
    """A switch's mod_verto with its sockets."""

    def __init__(self, switch: Switch, settings: VertoSettings) -> None:
        self.switch = switch
        self.verto = Verto(switch, settings)
        self.server: VertoServer | None = None
        self._subscriptions: list[Subscription] = []
        self._contexts: dict[str, ssl.SSLContext] = {}

    def receive(self, client: Client, text: str) -> None:
        """Take what a client sent; a fault of ours must not end the connection."""
        try:
            receive(self.verto, client, text, METHODS)
        except Exception as error:
            self.switch.report_bug("a verto message", error)

    def register(self) -> None:
        """Bring the endpoint, the chat protocol and the commands."""
        switch, verto = self.switch, self.verto
        switch.endpoints.add(VertoEndpoint(verto))
        switch.chats.add(ChatInterface(PROTOCOL, MODULE, lambda message: send_message(verto, message)))
        commands.table(verto).register(switch)

    def listen(self) -> None:
        """Open the listeners of all profiles, if there are any and they can be opened."""
        profiles = self.verto.settings.profiles
        if not profiles or self.switch.clock.virtual:
            return
        if not AVAILABLE:
            self.switch.log(LogLevel.ERR, "Browsers cannot call: WebRTC needs the extra moonline[webrtc]")
        if find_spec("websockets") is None:
            self.switch.log(
                LogLevel.ERR, "Browsers cannot connect: websockets needs the extra moonline[webrtc]"
            )
            return
        from host.modules.mod_verto.server import VertoServer

        self.server = VertoServer(self.verto, self.receive)
        self.switch.expect_browsers()
        self.server.start([(profile, self._context(profile)) for profile in profiles])
        self._subscriptions = fs_events.listen(self.verto)
        self._subscriptions.append(self.switch.bus.subscribe(self._reload, ("CERT_RELOAD",), owner=MODULE))

    def stop(self) -> None:
        """End everything."""
        for subscription in self._subscriptions:
            self.switch.bus.unsubscribe(subscription)
        if self.server is not None:
            self.server.stop()
        for leg in self.verto.legs:
            leg.abandon()

    def _reload(self, event: Event) -> None:
        """Read the certificates again (`reloadcert`)."""
        for profile in self.verto.settings.profiles:
            context = self._contexts.get(profile.name)
            if context is None:
                continue
            try:
                reload_certificate(context, profile)
            except CertificateError as error:
                self.switch.log(LogLevel.ERR, f"SSL reload failed for profile {profile.name}: {error}")
            else:
                self.switch.log(LogLevel.INFO, f"SSL certificates reloaded for profile {profile.name}")

    def _context(self, profile: ProfileSettings) -> ssl.SSLContext | None:
        if not any(binding.secure for binding in profile.bindings):
            return None
        try:
            context = self._contexts[profile.name] = server_context(profile)
            return context
        except CertificateError as error:
            self.switch.log(LogLevel.ERR, f"SSL ERR: {error}")
            for binding in profile.bindings:
                if binding.secure:
                    self.switch.log(
                        LogLevel.WARNING, f"SSL NOT READY FOR LISTENER {binding.ip}:{binding.port}."
                    )
            return None
