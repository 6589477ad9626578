from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from host.event import Event
from host.log import LogLevel
from host.modules.mod_sofia.call.dialog import build, build_response
from host.modules.mod_sofia.gateway.gateway import Gateway, granted_expires
from host.modules.mod_sofia.gateway.gateway_registration import State
from host.modules.mod_sofia.gateway.gateway_settings import GatewaySettings, GatewaySubscription
from host.modules.mod_sofia.message import Message, OutgoingRequest
from host.modules.mod_sofia.profile.profile_settings import ProfileSettings


class Timer:
    def __init__(self, run: Callable[[], object]) -> None:
        self.run: Callable[[], object] | None = run

    def cancel(self) -> None:
        self.run = None


class Stack:
    """The SIP thread, in hand-set time."""

    def __init__(self) -> None:
        self.time = 100.0
        self.timers: list[tuple[float, int, Timer]] = []
        self._numbers = count()

    def now(self) -> float:
        return self.time

    def call(self, run: Callable[[], object]) -> None:
        run()

    def call_later(self, seconds: float, run: Callable[[], object]) -> Timer:
        timer = Timer(run)
        heapq.heappush(self.timers, (self.time + seconds, next(self._numbers), timer))
        return timer

    def advance(self, seconds: float) -> None:
        end = self.time + seconds
        while self.timers and self.timers[0][0] <= end:
            self.time, _, timer = heapq.heappop(self.timers)
            if timer.run is not None:
                timer.run()
        self.time = end


class Switch:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.lines: list[str] = []

    def new_event(self, name: str, subclass: str | None = None) -> Event:
        return Event(name, subclass)

    def fire(self, event: Event) -> None:
        self.events.append(event)

    def log(self, level: LogLevel, text: str) -> None:
        self.lines.append(text)


class Profile:
    def __init__(self) -> None:
        self.name = "external"
        self.settings = ProfileSettings(name="external", sip_ip="10.0.0.5", sip_port=5080)
        self.switch = Switch()
        self.requests: list[OutgoingRequest] = []

    def send_request(self, request: OutgoingRequest) -> None:
        self.requests.append(request)

    def answer(
        self, code: int, reason: str, contact: str = "", headers: tuple[tuple[str, str], ...] = ()
    ) -> OutgoingRequest:
        request = self.requests.pop(0)
        assert request.on_response is not None
        request.on_response(response(request, code, reason, contact, headers))
        return request


def response(
    request: OutgoingRequest,
    code: int,
    reason: str,
    contact: str = "",
    headers: tuple[tuple[str, str], ...] = (),
) -> Message:
    sent = build(replace(request, routes=()), contact=request.contact or "", user_agent="")
    made = build_response(sent, code, reason, contact=contact, headers=headers)
    made.source = (("198.51.100.1", 5060), "udp")
    return made


@pytest.fixture
def stack() -> Stack:
    return Stack()


@pytest.fixture
def profile() -> Profile:
    return Profile()


def gateway(profile: Profile, stack: Stack, **more: object) -> Gateway:
    whole: dict[str, object] = {
        "name": "gw",
        "profile": "external",
        "username": "bob",
        "auth_username": "bob",
        "from_user": "bob",
        "password": "secret",
        "proxy": "p.example",
        **more,
    }
    return Gateway(profile, GatewaySettings(**whole), stack)  # type: ignore[arg-type]


def test_it_registers_tells_and_renews(profile: Profile, stack: Stack) -> None:
    one = gateway(profile, stack, distinct_to=True)
    one.start()
    request = profile.answer(200, "OK", f"{one.contact};expires=120")
    assert request.method == "REGISTER"
    assert request.uri == "sip:p.example;transport=udp"
    assert request.from_uri == request.to_uri == "sip:bob@p.example"
    assert request.contact == "<sip:gw+gw@10.0.0.5:5080;transport=udp;gw=gw>"
    assert request.headers == (("Expires", "3600"),)
    assert request.credentials == ("bob", "secret")
    assert one.state is State.REGED
    stack.advance(104)
    assert profile.requests == []
    stack.advance(2)
    again = profile.requests[0]
    assert again.call_id == request.call_id
    assert again.cseq > request.cseq + 1
    told = [
        (e.subclass, e.get_header("State"), e.get_header("Status"), e.get_header("Phrase"))
        for e in profile.switch.events
    ]
    assert told == [
        ("sofia::gateway_add", None, None, None),
        ("sofia::gateway_state", "TRYING", None, None),
        ("sofia::gateway_state", "REGISTER", "200", "OK"),
        ("sofia::gateway_state", "REGED", None, None),
        ("sofia::gateway_state", "UNREGED", None, None),
        ("sofia::gateway_state", "TRYING", None, None),
    ]
    reged = profile.switch.events[3]
    assert [h for h in reged.headers if h[0].startswith(("Gat", "Ping", "Reg"))] == [
        ("Gateway", "gw"),
        ("Ping-Status", "UP"),
        ("Register-Network-IP", "198.51.100.1"),
        ("Register-Network-Port", "5060"),
    ]


def test_a_brief_interval_is_taken_from_min_expires(profile: Profile, stack: Stack) -> None:
    gateway(profile, stack, expire_seconds=60).start()
    profile.answer(423, "Interval Too Brief", headers=(("Min-Expires", "1800"),))
    assert profile.requests[0].headers == (("Expires", "1800"),)


def test_no_answer_leads_to_another_try(profile: Profile, stack: Stack) -> None:
    one = gateway(profile, stack)
    one.start()
    stack.advance(59)
    assert one.state.value == "TRYING"
    stack.advance(1)
    assert one.state.value == "FAIL_WAIT"
    stack.advance(30)
    assert len(profile.requests) == 2


def test_pings_go_to_the_registrar(profile: Profile, stack: Stack) -> None:
    one = gateway(
        profile, stack, register=False, ping=20, ping_user_agent="probe", register_proxy="sip:edge.example"
    )
    one.start()
    assert (one.state, one.up) == (State.NOREG, True)
    stack.advance(20)
    request = profile.answer(408, "Request Timeout")
    assert (request.method, request.from_uri, request.to_uri) == ("OPTIONS", "sip:p.example", "sip:p.example")
    assert request.routes == ("<sip:edge.example;lr>",)
    assert request.headers == (("User-Agent", "probe"),)
    assert not one.up
    stack.advance(20)
    profile.answer(200, "OK")
    assert one.up


def test_stop_ends_the_registration_and_everything_else(profile: Profile, stack: Stack) -> None:
    one = gateway(profile, stack)
    one.start()
    profile.answer(200, "OK")
    one.stop()
    assert [request.headers for request in profile.requests] == [(("Expires", "0"),)]
    stack.advance(9000)
    assert len(profile.requests) == 1


def test_delete_ends_the_registration_and_tells(profile: Profile, stack: Stack) -> None:
    gone: list[Gateway] = []
    one = gateway(profile, stack)
    one.on_removed = gone.append
    one.start()
    profile.answer(200, "OK")
    one.delete()
    assert gone == [one]
    assert profile.requests[0].headers == (("Expires", "0"),)
    assert profile.switch.events[-1].subclass == "sofia::gateway_delete"
    assert profile.switch.events[-1].get_header("profile-name") == "external"
    assert profile.switch.lines[-1] == "Deleted gateway gw"


def test_by_hand(profile: Profile, stack: Stack) -> None:
    one = gateway(profile, stack)
    one.start()
    profile.answer(200, "OK")
    assert one.unregister()
    assert one.state.value == "DOWN"
    assert one.register()
    assert [request.headers for request in profile.requests] == [(("Expires", "0"),), (("Expires", "3600"),)]
    assert not gateway(profile, stack, register=False).register()


@pytest.mark.parametrize(
    ("contact", "headers", "granted"),
    [
        ("<sip:gw+gw@10.0.0.5:5080;transport=udp;gw=gw>;expires=77", (), 77),
        (
            '"x, y" <sip:other@h>;expires=5, <sip:gw+gw@10.0.0.5:5080;transport=udp;gw=gw>;q=1;expires="88"',
            (),
            88,
        ),
        ("<sip:rewritten@h;expires=9>;expires=66", (), 66),
        ("<sip:gw+gw@10.0.0.5:5080>", (("Expires", "99"),), 99),
        ("", (("Expires", "soon"),), None),
    ],
)
def test_what_a_registrar_grants(
    profile: Profile, stack: Stack, contact: str, headers: tuple[tuple[str, str], ...], granted: int | None
) -> None:
    one = gateway(profile, stack)
    one.start()
    answered = response(profile.requests[0], 200, "OK", contact, headers)
    assert granted_expires(answered, one.contact) == granted


def test_a_subscription_is_kept_and_ended(profile: Profile, stack: Stack) -> None:
    wanted = GatewaySubscription(
        event="message-summary", expire_seconds=600, retry_seconds=30, content_type="a/b"
    )
    one = gateway(profile, stack, register=False, subscriptions=(wanted,))
    one.start()
    first = profile.answer(403, "Forbidden")
    assert (first.method, first.uri, first.to_uri) == (
        "SUBSCRIBE",
        "sip:p.example;transport=udp",
        "sip:bob@p.example",
    )
    assert list(first.headers) == [("Event", "message-summary"), ("Expires", "600"), ("Accept", "a/b")]
    assert first.credentials == ("bob", "secret")
    assert profile.switch.lines[-1] == "gw Failed Subscription to message-summary [403 Forbidden]"
    stack.advance(29)
    assert profile.requests == []
    stack.advance(1)
    second = profile.answer(200, "OK", headers=(("Expires", "100"),))
    assert second.call_id != first.call_id
    stack.advance(98)
    third = profile.answer(200, "OK")
    assert (third.call_id, third.from_tag) == (second.call_id, second.from_tag)
    assert third.cseq > second.cseq + 1
    one.stop()
    assert list(profile.requests[-1].headers)[:2] == [("Event", "message-summary"), ("Expires", "0")]
    stack.advance(9000)
    assert len(profile.requests) == 1
