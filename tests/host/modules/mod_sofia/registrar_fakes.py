"""A profile, a stack and phones for tests of the registrar; nothing goes over a network."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from host.event import Event
from host.log import LogEntry
from host.modules.mod_sofia.message import Body, Message, OutgoingRequest
from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
from host.modules.mod_sofia.registration.digest_client import credentials
from host.modules.mod_sofia.registration.registrar import Registrar
from host.modules.mod_sofia.transport.damping import Damping
from host.modules.mod_sofia.transport.message_guard import parse
from host.switch import Switch

DIRECTORY = """
<document type="freeswitch/xml"><section name="directory">
<domain name="example.com">
  <params><param name="dial-string" value="${sofia_contact(*/${dialed_user}@${dialed_domain})}"/></params>
  <groups><group name="all"><users>
    <user id="1000" number-alias="1"><params><param name="password" value="secret"/>
      <param name="vm-password" value="9"/><param name="sip-test" value="yes"/></params>
      <variables><variable name="toll_allow" value="local"/><variable name="user_context" value="inside"/></variables>
    </user>
    <user id="hash"><params>
      <param name="a1-hash" value="%(hash)s"/></params></user>
    <user id="open"><params/></user>
    <user id="shut"><params><param name="allow-empty-password" value="false"/></params></user>
    <user id="near"><params><param name="password" value="secret"/>
      <param name="auth-acl" value="10.0.0.0/8"/></params></user>
    <user id="never"><params><param name="password" value="secret"/>
      <param name="sip-forbid-register" value="true"/></params></user>
    <user id="one"><params><param name="password" value="secret"/>
      <param name="max-registrations-per-extension" value="1"/></params></user>
    <user id="yealink"><params><param name="password" value="secret"/>
      <param name="user-agent-filter" value="^Yealink"/></params></user>
    <user id="forced"><params><param name="password" value="secret"/></params><variables>
      <variable name="sip-force-contact" value="%(force)s"/></variables></user>
    <user id="timed"><params><param name="password" value="secret"/></params><variables>
      <variable name="%(timed)s" value="120"/></variables></user>
    <user id="other"><params><param name="password" value="secret"/></params><variables>
      <variable name="sip-force-user" value="1234"/><variable name="registration_metadata" value="m"/>
      <variable name="mwi-account" value="box@vm.example.com"/></variables></user>
    <user id="single"><params><param name="password" value="secret"/></params><variables>
      <variable name="sip-allow-multiple-registrations" value="false"/></variables></user>
    <user id="pinged"><params><param name="password" value="secret"/></params><variables>
      <variable name="force_ping" value="true"/></variables></user>
  </users></group></groups>
</domain></section></document>
"""
# md5("hash:example.com:secret")
HASH = "3d4f2223c0b59b8ed7b5b4e86157e250"


class FakeTimer:
    def __init__(self, when: float, run: Callable[[], object]) -> None:
        self.when, self.run = when, run

    def cancel(self) -> None:
        self.run = lambda: None


class FakeStack:
    """Runs everything in the test's thread, in order, when the test says `turn`."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self.queue: deque[Callable[[], object]] = deque()
        self.timers: list[FakeTimer] = []
        self.busy = False

    def call(self, run: Callable[[], object]) -> None:
        self.queue.append(run)

    def work(self, run: Callable[[], object]) -> bool:
        if self.busy:
            return False
        self.queue.append(run)
        return True

    def now(self) -> float:
        return self._switch.clock.now() / 1_000_000

    def call_later(self, seconds: float, run: Callable[[], object]) -> FakeTimer:
        self.timers.append(FakeTimer(self.now() + seconds, run))
        return self.timers[-1]

    def turn(self) -> None:
        while self.queue:
            self.queue.popleft()()

    def wait(self, seconds: float) -> None:
        """Let time pass and do what becomes due."""
        end = self.now() + seconds
        while True:
            self.turn()
            due = min(
                (timer for timer in self.timers if timer.when <= end), key=lambda t: t.when, default=None
            )
            if due is None:
                break
            self.timers.remove(due)
            self._switch.clock.sleep(max(int((due.when - self.now()) * 1_000_000), 0))
            due.run()
        self._switch.clock.sleep(max(int((end - self.now()) * 1_000_000), 0))


class FakeSofia:
    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.stack = FakeStack(switch)
        self.damping = Damping()
        self.profiles: dict[str, FakeProfile] = {}

    def find_profile(self, name: str) -> FakeProfile | None:
        for profile in self.profiles.values():
            if name == profile.name or name in profile.settings.aliases:
                return profile
        return None


class Answer:
    """A response as a phone reads it."""

    def __init__(self, code: int, reason: str, headers: Sequence[tuple[str, str]]) -> None:
        self.code, self.reason, self.headers = code, reason, list(headers)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def one(self, name: str) -> str:
        return self.all(name)[0]


class FakeProfile:
    def __init__(self, sofia: FakeSofia, settings: ProfileSettings) -> None:
        self.sofia, self.settings, self.name = sofia, settings, settings.name
        self.answers: list[Answer] = []
        self.sent: list[OutgoingRequest] = []
        sofia.profiles[self.name] = self
        self.registrar = Registrar(self)

    @property
    def switch(self) -> Switch:
        return self.sofia.switch

    def respond(
        self,
        request: Message,
        code: int,
        reason: str = "",
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: Body | None = None,
    ) -> None:
        self.answers.append(Answer(code, reason, headers))

    def send_request(self, request: OutgoingRequest) -> None:
        self.sent.append(request)


class Phone:
    """Sends requests to a profile and returns the answers."""

    def __init__(
        self, profile: FakeProfile, user: str = "1000", password: str = "secret", **options: Any
    ) -> None:
        self.profile, self.user, self.password = profile, user, password
        self.domain = options.get("domain", "example.com")
        self.source = options.get("source", ("10.0.0.1", 5062, "udp"))
        self.via = options.get("via", "10.0.0.1:5062")
        self.agent = options.get("agent", "Phone 1.0")
        self.call_id = options.get("call_id", "call-1")
        self.contact = options.get("contact", f"<sip:{user}@10.0.0.1:5062>")
        self.to_user = options.get("to_user", user)
        self.cseq, self.nc = 0, 0
        self.challenge: list[str] = []

    def send(
        self,
        method: str = "REGISTER",
        *,
        contacts: Sequence[str] | None = None,
        expires: int | None = 3600,
        extra: Sequence[str] = (),
        authorization: str | None = None,
    ) -> Answer | None:
        """Send one request; `authorization` None answers the last challenge, when there was one."""
        self.cseq += 1
        uri = f"sip:{self.domain}"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/{self.source[2].upper()} {self.via};branch=z9hG4bK{self.cseq}{self.call_id}",
            f"From: <sip:{self.user}@{self.domain}>;tag=f",
            f'To: "{self.to_user}" <sip:{self.to_user}@{self.domain}>',
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.cseq} {method}",
            "Max-Forwards: 70",
            f"User-Agent: {self.agent}",
            *(f"Contact: {contact}" for contact in ([self.contact] if contacts is None else contacts)),
            *([f"Expires: {expires}"] if expires is not None else []),
            *extra,
        ]
        name = "Authorization" if method == "REGISTER" else "Proxy-Authorization"
        if authorization is None and self.challenge:
            self.nc += 1
            authorization = credentials(
                self.challenge, method=method, uri=uri, user=self.user, password=self.password, nc=self.nc
            )
        if authorization:
            lines.append(f"{name}: {authorization}")
        message = parse(("\r\n".join([*lines, "Content-Length: 0"]) + "\r\n\r\n").encode())
        message.source = ((self.source[0], self.source[1]), self.source[2])
        before = len(self.profile.answers)
        if method == "REGISTER":
            self.profile.registrar.handle_register(self.profile, message)
        else:
            self.accepted: list[Any] = []
            self.refused: list[int] = []
            self.profile.registrar.digest.authenticate(message, self.accepted.append, self.refused.append)
        self.profile.sofia.stack.turn()
        answers = self.profile.answers[before:]
        assert len(answers) <= 1
        if answers and answers[0].code in (401, 407):
            code = answers[0].code
            self.challenge = answers[0].all("WWW-Authenticate" if code == 401 else "Proxy-Authenticate")
            self.nc = 0
        return answers[0] if answers else None

    def register(self, **options: Any) -> Answer:
        """Register, answering a challenge; return the last answer."""
        answer = self.send(**options)
        assert answer is not None
        if answer.code == 401:
            answer = self.send(**options)
            assert answer is not None
        return answer


Make = Callable[..., FakeProfile]


def maker(switch: Switch) -> Make:
    """Return what makes a profile `internal` with some settings, on a stack of its own.

    The directory's users `forced` and `timed` have what is given as the value of `sip-force-contact`, and as the name
    of the variable that is 120.
    """

    def make(*, force: str = "x", timed: str = "x", **settings: object) -> FakeProfile:
        switch.xml.load_text(DIRECTORY % {"hash": HASH, "force": force, "timed": timed})
        given = {"name": "internal", "log_auth_failures": True, **settings}
        return FakeProfile(FakeSofia(switch), ProfileSettings(**given))  # type: ignore[arg-type]

    return make


def contacts(profile: FakeProfile, user: str = "1000") -> list[str]:
    """Return the contacts kept of a user."""
    return [one.contact for one in profile.registrar.registrations.find(user)]


def listen(switch: Switch) -> list[Event]:
    """Return the list that all events come to from now on."""
    events: list[Event] = []
    switch.bus.subscribe(events.append)
    return events


def named(events: Sequence[Event], subclass: str) -> list[Event]:
    """Return the CUSTOM events `sofia::SUBCLASS`."""
    return [event for event in events if event.subclass == f"sofia::{subclass}"]


def log_of(switch: Switch) -> list[LogEntry]:
    """Return the list that all log lines come to from now on."""
    lines: list[LogEntry] = []
    switch.logs.add_sink(lines.append)
    return lines
