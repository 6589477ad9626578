"""What a running mod_verto knows: its clients by their session ids, their calls, and who listens to which events."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.clock import SECOND
from host.hangup_cause import HangupCause
from host.log import LogLevel
from host.modules.mod_verto.event_channels import EventChannels
from host.modules.mod_verto.json_rpc import request, text_of
from host.modules.mod_verto.login_damping import LoginDamping

if TYPE_CHECKING:
    from host.modules.mod_verto.client import Client
    from host.modules.mod_verto.leg import VertoLeg
    from host.modules.mod_verto.settings import VertoSettings
    from host.switch import Switch

ENDPOINT: Final = "verto.rtc"
PROTOCOL: Final = "verto"
MODULE: Final = "mod_verto"
CONNECT: Final = "verto::client_connect"
DISCONNECT: Final = "verto::client_disconnect"
# FreeSWITCH: a client that says nothing for so long is asked whether it is there.
_PING_AFTER: Final = 30 * SECOND


class Verto:
    """The state of one switch's mod_verto. Any thread may call it; what may block is not called with the lock held."""

    def __init__(self, switch: Switch, settings: VertoSettings) -> None:
        self.switch = switch
        self.settings = settings
        self.debug = settings.debug
        self.debug_level = LogLevel.INFO
        self.lock = threading.RLock()
        self.clients: list[Client] = []  # the newest first, as FreeSWITCH has them
        self.running: set[str] = set()  # URLs of the listeners that there are
        self.channels = EventChannels(self.send_request, self.may_listen)
        self._by_sessid: dict[str, Client] = {}
        self._legs: set[VertoLeg] = set()
        self._numbers = itertools.count(1)
        self._damping = LoginDamping()
        self._next_rtp_ip: dict[str, int] = {}

    def log(self, level: LogLevel, text: str) -> None:
        """Log a line that is no call's."""
        self.switch.log(level, text)

    def log_message(self, client: Client, verb: str, text: str) -> None:
        """Log what a client sends or is sent, where `debug` asks for it."""
        if self.debug or client.profile.debug:
            self.log(self.debug_level, f"{verb} {client.name} [{text}]")

    def tell(self, subclass: str, client: Client, *headers: tuple[str, str]) -> None:
        """Fire an event of the module."""
        if not self.switch.bus.wants("CUSTOM"):
            return
        event = self.switch.new_event("CUSTOM", subclass)
        event.add_header("verto_profile_name", client.profile.name)
        event.add_header("verto_client_address", client.name)
        for name, value in headers:
            if value:
                event.add_header(name, value)
        self.switch.fire(event)

    # -- clients -------------------------------------------------------------------------------------------------

    def admits(self, host: str, lists: tuple[str, ...]) -> bool:
        """Return whether an address may connect: every access list lets it in, and it has not guessed passwords."""
        check = self.switch.access_lists.check
        for name in lists:
            if not check(host, name):
                self.log(LogLevel.DEBUG, f"Client Connect from {host} refused by ACL {name}")
                return False
        with self.lock:
            return not self._damping.blocks(host, self.switch.clock.now())

    def connect(self, client: Client) -> None:
        """Take in a client that has come."""
        self.log(LogLevel.DEBUG, f"{client.name} Client Connect accepted")
        with self.lock:
            self.clients.insert(0, client)
        self.tell(CONNECT, client)
        self.ping_later(client)

    def disconnect(self, client: Client) -> None:
        """Forget a client that is gone; its answered calls wait for it to come back."""
        for timer in (client.ping, client.expiry):
            if timer is not None:
                timer.cancel()
        client.ready = False
        client.dropped = True
        with self.lock:
            if self._by_sessid.get(client.sessid) is client:
                del self._by_sessid[client.sessid]
        if client.sessid and not client.replaced:
            self.detach_calls(client)
        self.channels.unsubscribe(client)
        with self.lock:
            if client in self.clients:
                self.clients.remove(client)
        self.tell(DISCONNECT, client, ("verto_login", client.uid))

    def note_login(self, client: Client) -> None:
        """Note that a client has shown who it is."""
        with self.lock:
            self._damping.note_success(client.host)

    def note_failed_login(self, client: Client) -> None:
        """Count a failure against the address, and end the connection of one that guesses."""
        with self.lock:
            blocked = self._damping.note_failure(client.host, self.switch.clock.now())
        if blocked:
            self.log(
                LogLevel.WARNING, f"{client.host} fails to log in too often and is not let in for a while"
            )
            client.doomed = True

    def limit(self, client: Client) -> None:
        """End the connection when the login expires."""
        if client.expiry is not None:
            client.expiry.cancel()
        clock = self.switch.clock
        left = client.expires * SECOND - clock.time()

        def expire() -> None:
            self.log(LogLevel.WARNING, f"{client.uid} Authentication Expired")
            client.drop()

        client.expiry = clock.call_later(max(left, 0), expire)

    def ping_later(self, client: Client) -> None:
        """Ask a client whether it is there once it has been silent for long; what it says begins the time anew."""
        if client.ping is not None:
            client.ping.cancel()

        def ask() -> None:
            if not client.dropped:
                params: dict[str, object] = {"auth-expires": client.expires} if client.expires else {}
                params["serno"] = self.switch.clock.time() // SECOND
                self.send_request(client, "verto.ping", params)
                self.ping_later(client)

        client.ping = self.switch.clock.call_later(_PING_AFTER, ask)

    def send_request(self, client: Client, method: str, params: dict[str, object]) -> bool:
        """Send a request to a client; False when it cannot be reached."""
        text = text_of(request(next(self._numbers), method, params))
        self.log_message(client, "WRITE", text)
        return client.link.send(text)

    def client_of(self, sessid: str) -> Client | None:
        """Return the client of a session id, None while there is none."""
        with self.lock:
            return self._by_sessid.get(sessid)

    def clients_of(self, uid: str) -> list[Client]:
        """Return those who can be called as `user@domain`, by profiles and the newest first."""
        with self.lock:
            ready = [client for client in self.clients if client.ready and client.uid == uid]
        order = [profile.name for profile in self.settings.profiles]
        return sorted(ready, key=lambda client: order.index(client.profile.name))

    def begin_session(self, client: Client, sessid: str) -> bool:
        """Give a client its session: one of its own, or that of a former connection, which is ended.

        False for a session that is somebody else's.
        """
        with self.lock:
            client.sessid = sessid or self.switch.new_uuid()
            known = self._by_sessid.get(client.sessid)
            if known is not None and known.uid and client.uid and known.uid != client.uid:
                self.log(
                    LogLevel.WARNING,
                    f"User {client.uid} blocked from taking over session {client.sessid} owned by {known.uid}",
                )
                client.sessid = ""
                return False
            self._by_sessid[client.sessid] = client
        if known is not None and known is not client:
            self.log(
                LogLevel.WARNING,
                f"New connection for session {client.sessid} dropping previous connection.",
            )
            known.replaced = True
            self.send_request(known, "verto.punt", {})
            self.detach_calls(known)
            known.drop()
        return True

    # -- calls ---------------------------------------------------------------------------------------------------

    def track(self, leg: VertoLeg) -> None:
        """Note a call: it is detached when its client goes."""
        with self.lock:
            self._legs.add(leg)

    def untrack(self, leg: VertoLeg) -> None:
        """Forget a call that is over."""
        with self.lock:
            self._legs.discard(leg)
        leg.forget_detachment()

    @property
    def legs(self) -> list[VertoLeg]:
        """The calls that there are."""
        with self.lock:
            return list(self._legs)

    def detach_calls(self, client: Client) -> None:
        """Have answered calls wait for their client, and end the others.

        FreeSWITCH: DESTINATION_OUT_OF_ORDER for one that is not answered, NORMAL_CLEARING where the page does not
        want its call back (`recoverCall` false).
        """
        for leg in self.legs:
            session = leg.session
            if leg.sessid != client.sessid or session is None or session.channel.down:
                continue
            if not session.channel.answered:
                session.channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
            elif Flag.NO_RECOVER in session.channel.flags:
                session.channel.hangup(HangupCause.NORMAL_CLEARING)
            else:
                leg.detach(self.settings.detach_timeout * SECOND)

    def attach_calls(self, client: Client) -> None:
        """Offer a client that is there again its calls (`verto.attach`), and tell it that it may go on."""
        attached: list[object] = []
        for leg in self.legs:
            session = leg.session
            # FreeSWITCH: whoever knows the session gets its calls
            own = leg.sessid == client.sessid and leg.uid == client.uid and leg.detached
            if own and session is not None and session.channel.up and leg.attach(client):
                attached.append(session.uuid)
        self.send_request(client, "verto.clientReady", {"reattached_sessions": attached})

    def rtp_ip(self, client: Client) -> str:
        """Return the address that the next call of a profile receives at, one after the other; "" without any.

        FreeSWITCH: IPv4 where a profile has both.
        """
        profile = client.profile
        addresses = [one for one in profile.rtp_ips if ":" not in one] or list(profile.rtp_ips)
        if not addresses:
            return ""
        with self.lock:
            turn = self._next_rtp_ip.get(profile.name, 0)
            self._next_rtp_ip[profile.name] = (turn + 1) % len(addresses)
        return addresses[turn % len(addresses)]

    def advertised_ip(self, client: Client, rtp_ip: str) -> str:
        """Return the address that a client is told to send to: `ext-rtp-ip` where it is not in `local-network`."""
        profile = client.profile
        if not profile.ext_rtp_ip or ":" in rtp_ip:
            return rtp_ip
        near = self.switch.access_lists.check(client.host, profile.local_network)
        return rtp_ip if near else profile.ext_rtp_ip

    # -- events --------------------------------------------------------------------------------------------------

    def may_listen(self, client: Client, channel: str) -> bool:
        """Return whether a client may listen to an event channel: that of a call of its own, or one it is allowed."""
        session = self.switch.find_session(channel)
        if session is not None and session.channel.variables.get("jsock_uuid_str") == client.sessid:
            return True
        return client.permissions.allows_event_channel(channel, fs_events=self.settings.enable_fs_events)

    def broadcast(self, event: dict[str, object]) -> None:
        """Send an event to the clients that listen to its `eventChannel`.

        FreeSWITCH: one with a `sessid`, or whose channel is a call's or a session's, goes to that client alone.
        """
        channel = event.get("eventChannel")
        if not isinstance(channel, str):
            self.log(LogLevel.ERR, "NO EVENT CHANNEL SPECIFIED")
            return
        direct = event.get("eventChannelSessid")
        only = self._only_receiver(direct if isinstance(direct, str) else channel)
        if only is not None:
            self.send_request(only, "verto.event", event)
        else:
            self.channels.broadcast(channel, event)

    def _only_receiver(self, name: str) -> Client | None:
        session = self.switch.find_session(name)
        sessid = session.channel.variables.get("jsock_uuid_str") if session is not None else None
        return (self.client_of(sessid) if sessid else None) or self.client_of(name)
