"""A profile without sockets: what it was asked to send is kept, time moves when a test says so."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from host.clock import VirtualClock
from host.modules.mod_sofia.call.dialog import build, build_response, new_tag
from host.modules.mod_sofia.message import Body, Message, OutgoingRequest, Source
from host.modules.mod_sofia.presence.notifier import Notifier, attach, detach
from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
from host.modules.mod_sofia.registration.registrations import Binding
from host.modules.mod_sofia.sofia import Sofia
from host.modules.mod_sofia.transport import message_guard
from host.switch import Switch

DOMAIN = "pbx.test"
PHONE = Source("192.0.2.7", 5062, "udp")

_numbers = itertools.count(1)


@dataclass
class FakeTimer:
    """A timer of FakeStack."""

    due: float
    run: Callable[[], object]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeStack:
    """The SIP thread and its workers as one: everything runs at once, timers when `advance` passes them."""

    def __init__(self) -> None:
        self.time = 100.0
        self.timers: list[FakeTimer] = []

    def now(self) -> float:
        return self.time

    def call(self, run: Callable[[], object]) -> None:
        run()

    def work(self, run: Callable[[], object]) -> bool:
        run()
        return True

    def call_later(self, seconds: float, run: Callable[[], object]) -> FakeTimer:
        timer = FakeTimer(self.time + seconds, run)
        self.timers.append(timer)
        return timer

    def advance(self, seconds: float) -> None:
        self.time += seconds
        for timer in sorted(self.timers, key=lambda timer: timer.due):
            if timer.due <= self.time and not timer.cancelled:
                timer.cancelled = True
                timer.run()


class FakeRegistrations:
    """Registrations that a test puts there."""

    def __init__(self) -> None:
        self.bindings: list[Binding] = []

    def find(self, user: str, host: str = "", *, any_case: bool = False) -> list[Binding]:
        return [one for one in self.bindings if one.sip_user == user and one.serves(host)]

    def all(self) -> list[Binding]:
        return list(self.bindings)


class FakeDigest:
    """Lets in who has any credentials."""

    def __init__(self, profile: FakeProfile) -> None:
        self._profile = profile

    def authenticate(self, message: Message, accepted: Callable[[object], object]) -> None:
        if message.countHFs("proxy-authorization"):
            accepted(object())
        else:
            self._profile.respond(message, 407, "Proxy Authentication Required")


class FakeRegistrar:
    """The parts of a registrar that are asked for."""

    def __init__(self, profile: FakeProfile) -> None:
        self.registrations = FakeRegistrations()
        self.digest = FakeDigest(profile)


@dataclass
class Sent:
    """A request that went out."""

    request: OutgoingRequest
    on_response: Callable[[Message], object] | None
    contact: str | None

    @property
    def text(self) -> str:
        return self.request.body.text if self.request.body is not None else ""

    def header(self, name: str) -> str:
        return dict(self.request.headers).get(name, "")

    def answer(self, code: int, *headers: tuple[str, str]) -> None:
        """Bring a response."""
        assert self.on_response is not None
        request = replace(self.request, to_uri=self.request.to_uri or "sip:x@y")
        message = build(request, contact="", user_agent="")
        self.on_response(build_response(message, code, "Reason", local_tag="far", headers=headers))


@dataclass
class Answer:
    """A response that went out."""

    request: Message
    code: int
    reason: str
    headers: dict[str, str]
    contact: str
    tag: str


class FakeProfile:
    """What presence needs of a profile."""

    def __init__(self, sofia: FakeSofia, settings: ProfileSettings) -> None:
        self.sofia = sofia
        self.settings = settings
        self.name = settings.name
        self.registrar = FakeRegistrar(self)
        self.sent: list[Sent] = []
        self.answers: list[Answer] = []

    @property
    def switch(self) -> Switch:
        return self.sofia.switch

    def contact_uri(self, transport: str = "udp", user: str = "", remote_ip: str = "") -> str:
        return f"sip:{user or 'mod_sofia'}@192.0.2.1:5060"

    def respond(
        self,
        request: Message,
        code: int,
        reason: str = "",
        *,
        headers: tuple[tuple[str, str], ...] = (),
        contact: str = "",
        tag: str = "",
    ) -> None:
        self.answers.append(Answer(request, code, reason, dict(headers), contact, tag or new_tag()))

    def transact(
        self,
        request: OutgoingRequest,
        *,
        on_response: Callable[[Message], object] | None = None,
        contact: str | None = None,
        body: Body | None = None,
        next_hop: Source | None = None,
    ) -> None:
        self.sent.append(Sent(replace(request, body=body, next_hop=next_hop), on_response, contact))

    def send_request(self, request: OutgoingRequest) -> None:
        self.sent.append(Sent(request, request.on_response, request.contact))

    # -- for tests -----------------------------------------------------------------------------------------------

    def last(self) -> Sent:
        """Return the last request that went out."""
        return self.sent[-1]

    def bind(self, user: str, contact: str = "", **columns: Any) -> Binding:
        """Register a user."""
        binding = Binding(
            call_id=f"reg-{user}",
            sip_user=user,
            sip_host=DOMAIN,
            contact=contact or f'"" <sip:{user}@192.0.2.7:5062>',
            status="Registered(UDP)",
            expires=0,
            profile_name=self.name,
            hostname=self.switch.hostname,
            mwi_user=user,
            mwi_host=DOMAIN,
            **columns,
        )
        self.registrar.registrations.bindings.append(binding)
        return binding


class FakeSofia:
    """What presence needs of the module's state."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.stack = FakeStack()
        self.profiles: dict[str, FakeProfile] = {}
        self.handlers: dict[str, Callable[[Any, Message], None]] = {}
        self.at_profile_start: list[Callable[[Any], object]] = []
        self.at_profile_stop: list[Callable[[Any], object]] = []

    def find_profile(self, name: str) -> FakeProfile | None:
        return self.profiles.get("internal") if name in ("internal", DOMAIN) else None

    def find_dialog(self, call_id: str) -> None:
        return None


@dataclass
class PresenceRig:
    """A switch, one profile and what is attached to them."""

    switch: Switch
    sofia: FakeSofia
    profile: FakeProfile
    notifier: Notifier

    def receive(self, request: Message) -> Answer:
        """Hand a request to its handler; return the answer."""
        self.sofia.handlers[request.method](self.profile, request)
        return self.profile.answers[-1]

    def fire(self, name: str, body: str | None = None, subclass: str | None = None, **headers: str) -> None:
        """Fire an event; `_` in names of headers stands for `-` unless the event's own have it."""
        event = self.switch.new_event(name, subclass)
        for header, value in headers.items():
            event.add_header(_UNDERSCORED.get(header, header.replace("_", "-")), value)
        event.body = body
        self.switch.fire(event)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.sofia.stack.advance(seconds)


_UNDERSCORED = {name: name for name in ("event_type", "alt_event_type", "sip_profile")}


@contextmanager
def presence_rig(tmp_path: Path, **settings: Any) -> Iterator[PresenceRig]:
    """Run one; without words about it, the profile manages presence and asks nobody for credentials."""
    switch = Switch(VirtualClock(), tmp_path, seed=1)
    chosen = {"auth_subscriptions": False, "auth_messages": False, "manage_presence": "full", **settings}
    sofia = FakeSofia(switch)
    profile = FakeProfile(sofia, ProfileSettings(name="internal", **chosen))
    sofia.profiles["internal"] = profile
    with switch.clock.participating():
        rig = PresenceRig(switch, sofia, profile, attach(cast(Sofia, sofia)))
        try:
            yield rig
        finally:
            detach(cast(Sofia, sofia))
            switch.sessions.clear()
            switch.close()


def request(
    method: str,
    to: str,
    *headers: str,
    body: str = "",
    content_type: str = "",
    call_id: str = "",
    from_tag: str = "phone",
    to_tag: str = "",
    cseq: int = 1,
    sender: str = "1001",
    contact: str = "<sip:1001@192.0.2.7:5062>",
    source: Source = PHONE,
) -> Message:
    """Return a request as it comes from a phone."""
    lines = [
        f"{method} sip:{to} SIP/2.0",
        f"Via: SIP/2.0/UDP {source.ip}:{source.port};branch=z9hG4bK{next(_numbers)}",
        "Max-Forwards: 70",
        f"From: <sip:{sender}@{DOMAIN}>;tag={from_tag}",
        f"To: <sip:{to}>" + (f";tag={to_tag}" if to_tag else ""),
        f"Call-ID: {call_id or f'call{next(_numbers)}'}",
        f"CSeq: {cseq} {method}",
        *([f"Contact: {contact}"] if contact else []),
        *headers,
        *([f"Content-Type: {content_type}"] if content_type else []),
        f"Content-Length: {len(body.encode())}",
    ]
    message = message_guard.parse(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
    message.source = ((source.ip, source.port), source.transport)
    return message
