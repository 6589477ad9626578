"""Asking for credentials: who is let in, what is answered, logged and told."""

from __future__ import annotations

import pytest

from host.modules.mod_sofia.registration.digest import Challenge, parse_challenges, write_challenge
from host.modules.mod_sofia.registration.digest_client import credentials
from host.modules.mod_sofia.registration.nonces import Nonces
from tests.host.modules.mod_sofia.registrar_fakes import (
    Make,
    Phone,
    listen,
    log_of,
    named,
)


def test_a_challenge_and_the_right_password(make: Make) -> None:
    profile = make()
    events, lines = listen(profile.switch), log_of(profile.switch)
    phone = Phone(profile)
    first = phone.send()
    assert first is not None and (first.code, first.reason) == (401, "Unauthorized")
    challenge = parse_challenges(first.one("WWW-Authenticate"))[0]
    assert (challenge.realm, challenge.algorithm, challenge.qop) == ("example.com", "MD5", ("auth",))
    assert lines[-1].text == (
        "SIP auth challenge (REGISTER) on sofia profile 'internal' for [1000@example.com] from ip 10.0.0.1"
    )
    asked = named(events, "pre_register")
    assert asked[0].get_header("contact") == '"1000" <sip:1000@10.0.0.1:5062>'
    second = phone.send()
    assert second is not None and second.code == 200
    attempt = named(events, "register_attempt")[0]
    assert [
        attempt.get_header(name) for name in ("from-user", "username", "realm", "auth-result", "expires")
    ] == [
        "1000",
        "1000",
        "example.com",
        "RENEWED",
        "3600",
    ]
    assert not named(events, "register_failure")


def test_a_wrong_password_is_forbidden_and_told(make: Make) -> None:
    profile = make()
    events, lines = listen(profile.switch), log_of(profile.switch)
    assert Phone(profile, password="guess").register().code == 403
    assert lines[-1].text == (
        "SIP auth failure (REGISTER) on sofia profile 'internal' for [1000@example.com] from ip 10.0.0.1"
    )
    failure = named(events, "register_failure")[0]
    assert failure.get_header("to-user") == "1000"
    assert failure.get_header("network-ip") == "10.0.0.1"
    assert failure.get_header("registration-type") == "REGISTER"
    assert named(events, "register_attempt")[0].get_header("auth-result") == "FORBIDDEN"
    assert profile.sofia.damping.figures.failures == 1
    assert profile.registrar.registrations.count() == 0


def test_calls_are_answered_407(make: Make) -> None:
    profile = make()
    lines = log_of(profile.switch)
    phone = Phone(profile)
    first = phone.send("INVITE")
    assert first is not None and (first.code, first.reason) == (407, "Proxy Authentication Required")
    assert "SIP auth challenge (INVITE) on sofia profile 'internal'" in lines[-1].text
    assert phone.refused == [407]
    assert phone.send("INVITE") is None
    accepted = phone.accepted[0]
    assert (accepted.username, accepted.realm, accepted.domain, accepted.uses) == (
        "1000",
        "example.com",
        "example.com",
        1,
    )
    assert accepted.variables == [
        ("sip_number_alias", "1"),
        ("sip_auth_username", "1000"),
        ("sip_auth_realm", "example.com"),
        ("number_alias", "1"),
        ("user_name", "1000"),
        ("domain_name", "example.com"),
        ("sip-test", "yes"),
        ("toll_allow", "local"),
        ("user_context", "inside"),
    ]
    assert accepted.user.variable("toll_allow") == "local"
    assert accepted.variable("USER_CONTEXT") == "inside"


@pytest.mark.parametrize(
    ("user", "password", "options", "code"),
    [
        ("hash", "secret", {}, 200),
        ("hash", "other", {}, 403),
        ("open", "anything", {}, 200),
        ("shut", "", {}, 403),
        ("nobody", "secret", {}, 403),
        ("never", "secret", {}, 403),
        ("near", "secret", {}, 200),
        ("near", "secret", {"source": ("192.0.2.1", 5062, "udp")}, 403),
        ("yealink", "secret", {}, 403),
        ("yealink", "secret", {"agent": "Yealink SIP-T46S"}, 200),
        ("1000", "secret", {"to_user": "1001"}, 200),
    ],
)
def test_who_is_let_in(make: Make, user: str, password: str, options: dict[str, object], code: int) -> None:
    assert Phone(make(), user, password, **options).register().code == code


def test_the_login_must_be_the_user_where_the_profile_says_so(make: Make) -> None:
    profile = make(inbound_reg_force_matching_username=True)
    assert Phone(profile, to_user="1001").register().code == 403
    assert Phone(profile, to_user="1000").register().code == 200


def test_a_proxy_speaks_for_its_phones(make: Make) -> None:
    profile = make(apply_proxy_acl=("192.0.2.0/24",))
    phone = Phone(profile, "near", source=("192.0.2.1", 5060, "udp"))
    assert phone.register(extra=["X-AUTH-IP: 10.9.9.9"]).code == 200
    phone.call_id = "call-2"
    assert phone.register(extra=["X-AUTH-IP: 11.9.9.9"]).code == 403
    assert phone.register().code == 403


def test_realms(make: Make) -> None:
    def realm(**settings: object) -> str:
        answer = Phone(make(**settings), domain="example.com").send()
        assert answer is not None
        return parse_challenges(answer.one("WWW-Authenticate"))[0].realm

    assert realm(challenge_realm="auto_from") == "example.com"
    assert realm(challenge_realm="auto_to") == "example.com"
    assert realm(challenge_realm="pbx") == "pbx"


def test_the_directory_domain_may_be_another_than_the_realm(make: Make) -> None:
    profile = make(challenge_realm="pbx", force_register_domain="example.com")
    assert Phone(profile).register().code == 200


def test_nonces_count_and_are_not_heard_twice(make: Make) -> None:
    profile = make()
    phone = Phone(profile)
    assert phone.register().code == 200
    again = phone.send()
    assert again is not None and again.code == 200
    challenge = phone.challenge
    replayed = credentials(
        challenge, method="REGISTER", uri="sip:example.com", user="1000", password="secret", nc=2
    )
    stale = phone.send(authorization=replayed)
    assert stale is not None and stale.code == 401
    assert parse_challenges(stale.one("WWW-Authenticate"))[0].stale
    last = phone.send()
    assert last is not None and last.code == 200


def test_a_nonce_grows_old(make: Make) -> None:
    profile = make(nonce_ttl=10, timer_t1x64=1000)
    phone = Phone(profile)
    phone.send()
    profile.sofia.stack.wait(12)
    stale = phone.send()
    assert stale is not None and stale.code == 401
    assert parse_challenges(stale.one("WWW-Authenticate"))[0].stale
    assert phone.register().code == 200


def test_foreign_nonces_and_broken_headers_get_a_new_challenge(make: Make) -> None:
    profile = make()
    phone = Phone(profile)
    foreign = credentials(
        write_challenge(Challenge("example.com", "mine", "MD5", ("auth",))),
        method="REGISTER",
        uri="sip:example.com",
        user="1000",
        password="secret",
    )
    for text in (foreign, 'Digest username="1000"', "Basic abc="):
        answer = phone.send(authorization=text)
        assert answer is not None and answer.code == 401


def test_the_old_way_without_qop(make: Make) -> None:
    profile = make()
    phone = Phone(profile)
    phone.send()
    nonce = parse_challenges(phone.challenge[0])[0].nonce
    without = credentials(
        f'Digest realm="example.com",nonce="{nonce}"',
        method="REGISTER",
        uri="sip:example.com",
        user="1000",
        password="secret",
    )
    first = phone.send(authorization=without)
    assert first is not None and first.code == 200
    second = phone.send(authorization=without)
    assert second is not None and second.code == 401


def test_stronger_algorithms(make: Make) -> None:
    profile = make(rfc8760_auth_algorithms=("SHA-256", "MD5"))
    phone = Phone(profile)
    first = phone.send()
    assert first is not None
    offered = [parse_challenges(value)[0] for value in first.all("WWW-Authenticate")]
    assert [one.algorithm for one in offered] == ["SHA-256", "MD5"]
    assert offered[0].nonce != offered[1].nonce
    assert phone.send().code == 200  # type: ignore[union-attr]
    strict = make(rfc8760_auth_algorithms=("SHA-256",))
    phone = Phone(strict)
    phone.send()
    weak = credentials(
        phone.challenge[0].replace("SHA-256", "MD5"),
        method="REGISTER",
        uri="sip:example.com",
        user="1000",
        password="secret",
    )
    answer = phone.send(authorization=weak)
    assert answer is not None and answer.code == 403


def test_max_auth_validity(make: Make) -> None:
    phone = Phone(make(max_auth_validity=2))
    assert phone.register().code == 200
    assert [phone.send().code for _ in range(2)] == [200, 401]  # type: ignore[union-attr]


def test_the_directory_is_told_who_asks(make: Make) -> None:
    profile = make()
    asked: list[dict[str, str]] = []
    profile.switch.xml.bind(
        lambda section, tag, name, value, params: asked.append(dict(params or {})) or None  # type: ignore[func-returns-value]
    )
    Phone(profile).register(extra=["X-Tenant: blue"])
    params = asked[-1]
    for name, value in {
        "action": "sip_auth",
        "sip_profile": "internal",
        "sip_user_agent": "Phone 1.0",
        "sip_auth_username": "1000",
        "sip_auth_realm": "example.com",
        "sip_auth_uri": "sip:example.com",
        "sip_contact_user": "1000",
        "sip_contact_host": "10.0.0.1",
        "sip_to_user": "1000",
        "sip_to_host": "example.com",
        "sip_via_protocol": "udp",
        "sip_from_user": "1000",
        "sip_from_host": "example.com",
        "sip_call_id": "call-1",
        "sip_request_host": "example.com",
        "sip_auth_qop": "auth",
        "sip_auth_nc": "00000001",
        "sip_auth_method": "REGISTER",
        "client_port": "5062",
        "key": "id",
        "user": "1000",
        "domain": "example.com",
        "ip": "10.0.0.1",
        "X-Tenant": "blue",
    }.items():
        assert params.get(name) == value, name
    assert params["sip_auth_nonce"] and params["sip_auth_cnonce"] and params["sip_auth_response"]


def test_guessing_is_damped(make: Make) -> None:
    profile = make()
    lines = log_of(profile.switch)
    phone = Phone(profile, "nobody")
    limit = profile.sofia.damping.limits.unknown_users
    for _ in range(limit + 1):
        phone.challenge = []
        assert phone.register().code == 403
    assert lines[-1].text.startswith("SIP requests from ip 10.0.0.1 on sofia profile 'internal' are dropped")
    assert phone.send() is None
    assert Phone(profile, source=("10.0.0.2", 5062, "udp")).register().code == 200
    assert profile.sofia.damping.figures.requests_dropped == 1


def test_scanners_get_no_answer(make: Make) -> None:
    assert Phone(make(), agent="friendly-scanner").send() is None


def test_when_all_workers_are_busy(make: Make) -> None:
    profile = make()
    phone = Phone(profile)
    phone.send()
    profile.sofia.stack.busy = True
    answer = phone.send()
    assert answer is not None and answer.code == 503 and answer.one("Retry-After")


def test_nonces_are_bounded_and_used_by_the_quicker(make: Make) -> None:
    names = iter(f"n{i}" for i in range(100))
    nonces = Nonces(lambda: next(names), most=3)
    given = [nonces.issue(10.0) for _ in range(5)]
    assert len(nonces) == 3
    assert nonces.last_count(given[0], 1, 0.0) is None
    assert nonces.last_count(given[4], 1, 0.0) == 0
    assert nonces.use(given[4], 1, 0.0, 20.0)
    assert not nonces.use(given[4], 1, 0.0, 20.0)
    nonces.sweep(15.0)
    assert len(nonces) == 1
    assert nonces.last_count(given[4], 2, 25.0) is None


def test_a_directory_that_breaks_is_answered(make: Make) -> None:
    profile = make()
    phone = Phone(profile)
    phone.send()

    def broken(*arguments: object, **options: object) -> None:
        raise RuntimeError("broken")

    bugs: list[object] = []
    profile.switch.observers[:] = [lambda kind, channel, facts: bugs.append(kind)]
    profile.switch.xml.directory.user = broken  # type: ignore[method-assign]
    answer = phone.send()
    assert answer is not None and answer.code == 500
    assert bugs == ["bug"]
