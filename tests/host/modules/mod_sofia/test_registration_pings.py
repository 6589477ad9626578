"""Pings of registered phones, and what is told of those who do not answer."""

from __future__ import annotations

import pytest

from host.modules.mod_sofia.message import Message, OutgoingRequest
from host.modules.mod_sofia.transport.message_guard import parse
from tests.host.modules.mod_sofia.registrar_fakes import (
    Make,
    Phone,
    contacts,
    listen,
    named,
)


def respond(request: OutgoingRequest, code: int) -> None:
    """Answer a request that a profile sent."""
    text = (
        f"SIP/2.0 {code} Whatever\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\n"
        f"To: <sip:c@d>;tag=2\r\nCall-ID: {request.call_id}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
    message: Message = parse(text.encode())
    assert request.on_response is not None
    request.on_response(message)


@pytest.mark.parametrize(
    ("settings", "user", "nat", "pinged"),
    [
        ({}, "1000", True, False),
        ({}, "pinged", False, True),
        ({"nat_options_ping": "true"}, "1000", True, True),
        ({"nat_options_ping": "true"}, "1000", False, False),
        ({"nat_options_ping": "udp-only"}, "1000", True, True),
        ({"all_reg_options_ping": True}, "1000", False, True),
    ],
)
def test_who_is_pinged(make: Make, settings: dict[str, object], user: str, nat: bool, pinged: bool) -> None:
    profile = make(aggressive_nat_detection=True, ping_mean_interval=10, **settings)
    profile.registrar.start()
    Phone(profile, user, source=("192.0.2.7", 9, "udp") if nat else ("10.0.0.1", 5062, "udp")).register()
    profile.sofia.stack.wait(35)
    assert len(profile.sent) == (3 if pinged else 0) or (pinged and len(profile.sent) == 4)
    if pinged:
        ping = profile.sent[0]
        assert (ping.method, ping.to_uri) == ("OPTIONS", f"sip:{user}@example.com")
        assert ping.call_id.endswith("_call-1")
    profile.registrar.stop()


def test_a_phone_that_answers_no_more(make: Make) -> None:
    profile = make(all_reg_options_ping=True, unregister_on_options_fail=True, ping_mean_interval=10)
    events = listen(profile.switch)
    profile.registrar.start()
    Phone(profile).register()
    stack = profile.sofia.stack

    def state() -> tuple[str, int]:
        (binding,) = profile.registrar.registrations.find("1000")
        return binding.ping_status, binding.ping_count

    for code in (200, 486, 408, 408):
        stack.wait(10)
        respond(profile.sent[-1], code)
        stack.turn()
    assert state() == ("Unreachable", 0)
    told = named(events, "sip_user_state")
    assert [(event.get_header("Ping-Status"), event.get_header("Status")) for event in told] == [
        ("UNREACHABLE", "408")
    ]
    stack.wait(31)
    assert not contacts(profile)
    assert named(events, "expire")
    profile.registrar.stop()


def test_a_phone_that_comes_back(make: Make) -> None:
    profile = make(all_reg_options_ping=True, ping_mean_interval=10)
    events = listen(profile.switch)
    profile.registrar.start()
    Phone(profile).register()
    for code in (408, 200, 200):
        profile.sofia.stack.wait(10)
        respond(profile.sent[-1], code)
        profile.sofia.stack.turn()
    states = [event.get_header("Ping-Status") for event in named(events, "sip_user_state")]
    assert states == ["UNREACHABLE", "REACHABLE"]
    profile.registrar.stop()
