"""Accounts register and are called, subscribe, send messages; trunks register; who has no right is refused."""

from __future__ import annotations

import re

import pytest

from tests.sip.free_ports import free_port
from tests.sip.host_configuration import DOMAIN, PASSWORDS, Extension, Gateway
from tests.sip.raw_phone import RawPhone, digest_answer, field, status
from tests.sip.served_host import ServedHost
from tests.sip.sipp import Sipp, SippResult
from tests.sip.until import until

REGISTRAR_PORT = free_port()
GATEWAYS = [
    Gateway("registered", {"username": "trunk", "password": "secret", "realm": "far.test", "register": "true",
                           "proxy": f"127.0.0.1:{REGISTRAR_PORT}", "expire-seconds": "120", "retry-seconds": "1"}),
]  # fmt: skip
# SIPp knows MD5 alone, and so the profile that it registers with.
PROFILES = {"timed": {"rfc8760-auth-algorithms": "MD5,SHA-256"}}
EXTENSIONS = [Extension("reached", [("answer", ""), ("playback", "tone_stream://%(300,0,440)")])]


def peer(
    host: ServedHost, scenario: str, service: str, *, open_profile: bool = False, **more: object
) -> Sipp:
    """SIPp as an account of the profile `internal`, or of `open`."""
    keys = {"domain": DOMAIN, **more.pop("keys", {})}  # type: ignore[dict-item]
    port = host.ports.open if open_profile else host.ports.internal
    return Sipp(scenario, ("127.0.0.1", port), service, keys, **more)  # type: ignore[arg-type]


def test_an_account_registers_and_leaves(host: ServedHost) -> None:
    password = PASSWORDS["1000"]
    phone = peer(host, "register_only", "1000", user="1000", password=password)
    result = phone.run()
    assert result.passed, result.summary
    host.event(
        lambda event: event.get("Event-Subclass") == "sofia::register" and event.get("from-user") == "1000",
        what="sofia::register",
    )
    assert host.api(f"sofia_count_reg internal/1000@{DOMAIN}") == "1"
    contact = host.api(f"sofia_contact internal/1000@{DOMAIN}")
    assert re.match(rf"sofia/internal/sip:1000@{re.escape(phone.address)}", contact), contact
    assert host.api(f"sofia_username_of internal/1000@{DOMAIN}") == "1000"
    result = peer(host, "unregister", "1000", port=phone.port, user="1000", password=password).run()
    assert result.passed, result.summary
    host.event(lambda event: event.get("Event-Subclass") == "sofia::unregister", what="sofia::unregister")
    assert host.api(f"sofia_count_reg internal/1000@{DOMAIN}") == "0"


def test_a_registration_over_tcp_is_called_on_its_connection(host: ServedHost) -> None:
    result = peer(host, "register", "1001", user="1001", password=PASSWORDS["1001"], transport="t1").run()
    assert result.passed, result.summary


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_each_digest_algorithm_is_offered_and_taken(host: ServedHost, algorithm: str) -> None:
    uri = f"sip:{DOMAIN}"
    with RawPhone(host.ports.timed) as phone:

        def register(cseq: int, expires: int, **headers: str) -> str:
            text = phone.request(
                "REGISTER", "1002", caller="1002", domain=DOMAIN, call_id=f"{algorithm}@raw", cseq=cseq,
                headers={"Expires": str(expires), **headers},
            )  # fmt: skip
            return phone.ask(text.replace(f"REGISTER sip:1002@{DOMAIN}", f"REGISTER {uri}", 1))

        refusal = register(1, 60)
        assert status(refusal) == 401
        challenges = re.findall(r"^WWW-Authenticate: (.*?)\r$", refusal, re.MULTILINE)
        fitting = [one for one in challenges if (parameter(one, "algorithm") or "MD5") == algorithm]
        assert fitting, challenges
        wrong = digest_answer(fitting[0], "REGISTER", uri, "1002", "guessed", algorithm)
        assert status(register(2, 60, Authorization=wrong)) in (401, 403)
        challenge = field(register(3, 60), "WWW-Authenticate")
        challenges = re.findall(r"^WWW-Authenticate: (.*?)\r$", register(4, 60), re.MULTILINE)
        challenge = next(one for one in challenges if (parameter(one, "algorithm") or "MD5") == algorithm)
        right = digest_answer(challenge, "REGISTER", uri, "1002", PASSWORDS["1002"], algorithm)
        answer = register(5, 0, Authorization=right)
        assert status(answer) == 200, answer


def parameter(challenge: str, name: str) -> str:
    found = re.search(rf'\b{name}="?([^",\s]*)"?', challenge)
    return found.group(1) if found else ""


def test_a_wrong_password_is_refused_and_told(host: ServedHost) -> None:
    result = peer(host, "register_refused", "1001", user="1001", password="guessed").run()
    assert result.passed, result.summary
    host.event(
        lambda event: event.get("Event-Subclass") == "sofia::register_failure", what="sofia::register_failure"
    )
    assert host.api("sofia_count_reg internal/1001@" + DOMAIN) in ("0", "")


def test_nobody_calls_the_internal_profile_without_a_password(host: ServedHost) -> None:
    with RawPhone(host.ports.internal) as phone:
        request = phone.request("INVITE", "reached", caller="1000", domain=DOMAIN)
        answer = phone.ask(request)
        phone.acknowledge(request, answer)
        assert status(answer) == 407
        wrong = digest_answer(
            field(answer, "Proxy-Authenticate"), "INVITE", f"sip:reached@{DOMAIN}", "1000", "x", "MD5"
        )
        request = phone.request(
            "INVITE", "reached", caller="1000", domain=DOMAIN, cseq=2, headers={"Proxy-Authorization": wrong}
        )
        answer = phone.ask(request)
        phone.acknowledge(request, answer)
        assert status(answer) in (403, 407)
    assert host.find(host.of_row("reached", "CHANNEL_HANGUP_COMPLETE")) is None


def test_a_registered_account_is_called_by_its_user(host: ServedHost) -> None:
    with RawPhone(host.ports.internal) as phone, Sipp("callee_waits") as callee:

        def register(cseq: int, expires: int, contact: str, **headers: str) -> str:
            text = phone.request(
                "REGISTER", "1001", caller="1001", domain=DOMAIN, call_id="called@raw", cseq=cseq,
                headers={"Expires": str(expires), "Contact": contact, **headers},
            )  # fmt: skip
            return phone.ask(text.replace("REGISTER sip:1001@", "REGISTER sip:", 1))

        contact = f"<sip:1001@{callee.address}>"
        for cseq, expires in ((1, 60), (3, 0)):
            challenge = field(register(cseq, expires, contact), "WWW-Authenticate")
            answer = digest_answer(
                challenge, "REGISTER", f"sip:{DOMAIN}", "1001", PASSWORDS["1001"],
                parameter(challenge, "algorithm") or "MD5",
            )  # fmt: skip
            assert status(register(cseq + 1, expires, contact, Authorization=answer)) == 200
            if expires:
                reply = host.api(f"originate user/1001@{DOMAIN} &playback(tone_stream://%(200,0,440))")
                assert reply.startswith("+OK"), reply
                result = callee.wait()
                assert result.passed, result.summary


@pytest.mark.parametrize(
    ("event", "accept", "body"),
    [
        ("message-summary", "application/simple-message-summary", "Messages-Waiting: no"),
        ("presence", "application/pidf+xml", "<presence"),
        ("dialog", "application/dialog-info+xml", "<dialog-info"),
    ],
)
def test_subscriptions_are_told_what_is_the_case(
    host: ServedHost, event: str, accept: str, body: str
) -> None:
    keys = {"event": event, "accept": accept, "caller": "1000"}
    result = peer(host, "subscribe", "1001", open_profile=True, keys=keys).run()
    assert result.passed, result.summary
    assert body in result.said


def test_options_are_answered(host: ServedHost) -> None:
    for transport in ("u1", "t1"):
        result = peer(host, "options", "x", open_profile=True, transport=transport).run()
        assert result.passed, result.summary


def test_messages_come_in(host: ServedHost) -> None:
    result = peer(host, "message", "1001", open_profile=True).run()
    assert result.passed, result.summary
    told = host.event(lambda event: event.get("Event-Name") in ("MESSAGE", "RECV_MESSAGE"), what="MESSAGE")
    assert "good morning" in told.body


def test_messages_go_out(host: ServedHost) -> None:
    with Sipp("callee_message") as far:
        reply = host.api(f"chat sip|1000@{DOMAIN}|open/someone@{far.address}|good evening|text/plain")
        result: SippResult = far.wait()
    assert result.passed, f"{reply}\n{result.summary}"


def test_a_trunk_registers(host: ServedHost) -> None:
    with Sipp("registrar", port=REGISTRAR_PORT) as registrar:
        result = registrar.wait()
    assert result.passed, result.summary
    until(
        lambda: "REGED" in host.api("sofia status gateway registered"),
        lambda: host.api("sofia status gateway registered"),
    )
