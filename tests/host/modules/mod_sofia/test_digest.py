"""Digest: the computations of RFC 2617, RFC 7616 and RFC 3310's way of `-sess`, and headers of all kinds."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.byte_text import to_bytes
from host.modules.mod_sofia.registration.digest import (
    Challenge,
    Credentials,
    DigestError,
    a1_hash,
    digest_response,
    parse_challenges,
    parse_credentials,
    write_challenge,
    write_credentials,
)
from host.modules.mod_sofia.registration.digest_client import credentials, is_stale

# RFC 2617 section 3.5.
RFC_2617 = (
    'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",'
    ' opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)
# RFC 7616 section 3.9.1: two challenges.
RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256,'
    ' nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5,'
    ' nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
)
CNONCE_7616 = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

texts = st.text(st.characters(exclude_characters="\r\n\0"), min_size=1, max_size=30)
words = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=30)


def test_rfc_2617_example() -> None:
    value = credentials(
        RFC_2617,
        method="GET",
        uri="/dir/index.html",
        user="Mufasa",
        password="Circle Of Life",
        cnonce="0a4f113b",
    )
    answer = parse_credentials(value)
    assert answer.response == "6629fae49393a05397450978507c4ef1"
    assert (answer.qop, answer.nc, answer.opaque) == ("auth", "00000001", "5ccc069c403ebaf9f0171e9517f40e41")


@pytest.mark.parametrize(
    ("challenges", "response"),
    [
        (RFC_7616, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        (RFC_7616[::-1], "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        (RFC_7616[1:], "8ca523f5e9506fed4657c9700eebdbec"),
    ],
)
def test_rfc_7616_example_and_the_strongest_of_several(challenges: tuple[str, ...], response: str) -> None:
    value = credentials(
        challenges,
        method="GET",
        uri="/dir/index.html",
        user="Mufasa",
        password="Circle of Life",
        cnonce=CNONCE_7616,
    )
    assert parse_credentials(value).response == response


def test_several_challenges_in_one_value() -> None:
    found = parse_challenges(", ".join(RFC_7616) + ", Basic realm=x")
    assert [one.algorithm for one in found] == ["SHA-256", "MD5"]
    assert found[0].qop == ("auth", "auth-int")


@pytest.mark.parametrize(
    "algorithm", ["MD5", "SHA-256", "SHA-512-256", "MD5-sess", "SHA-256-sess", "sha-256"]
)
@pytest.mark.parametrize("qop", ["auth", "auth-int", ""])
def test_against_a_computation_of_its_own(algorithm: str, qop: str) -> None:
    """RFC 7616 section 3.4, written out with hashlib alone."""
    name = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}[
        algorithm.upper().removesuffix("-SESS")
    ]

    def h(text: str) -> str:
        return hashlib.new(name, text.encode()).hexdigest()

    user, realm, password, nonce, cnonce, body = "Jäsøn", "réalm", "pass:wörd", "n0", "c0", "v=0\r\n"
    a1 = h(f"{user}:{realm}:{password}")
    if algorithm.endswith("-sess"):
        a1 = h(f"{a1}:{nonce}:{cnonce}")
    a2 = h("INVITE:sip:x@y" + (f":{h(body)}" if qop == "auth-int" else ""))
    wanted = h(f"{a1}:{nonce}:00000005:{cnonce}:{qop}:{a2}") if qop else h(f"{a1}:{nonce}:{a2}")
    challenge = write_challenge(Challenge(realm, nonce, algorithm, (qop,) if qop else ()))
    value = credentials(
        challenge,
        method="INVITE",
        uri="sip:x@y",
        user=user,
        password=password,
        body=body,
        cnonce=cnonce,
        nc=5,
    )
    answer = parse_credentials(value)
    assert answer.response == wanted
    assert answer.algorithm == algorithm


def test_an_a1_hash_stands_for_the_password() -> None:
    a1 = hashlib.md5(b"1000:example.com:secret", usedforsecurity=False).hexdigest()
    challenges = [
        'Digest realm="example.com",nonce="n",algorithm=SHA-256',
        'Digest realm="example.com",nonce="n"',
    ]

    def answer(challenge: str | list[str], password: str) -> str:
        return credentials(
            challenge, method="REGISTER", uri="sip:example.com", user="1000", password=password
        )

    assert answer(challenges, f"a1-hash:{a1}") == answer(challenges[1], "secret")
    with pytest.raises(DigestError):
        answer(challenges[0], f"a1-hash:{a1}")


@pytest.mark.parametrize(
    "challenge",
    [
        "",
        "Basic realm=x",
        'Digest realm="x"',
        'Digest nonce="x"',
        'Digest realm="x",nonce="y',
        'Digest realm="x",nonce="y",algorithm=MD4',
        'Digest realm="x",nonce="y",qop="auth-conf"',
        'Digest realm="x",nonce="y" ' + "a" * 5000,
        "Digest " + ",".join(f"a{n}=1" for n in range(100)),
    ],
)
def test_what_cannot_be_answered(challenge: str) -> None:
    with pytest.raises(DigestError):
        credentials(challenge, method="GET", uri="/", user="u", password="p")


def test_stale() -> None:
    assert is_stale('Digest realm="a",nonce="b",stale=TRUE')
    assert not is_stale('Digest realm="a",nonce="b"')
    assert not is_stale("Digest nonsense")


def test_commas_and_quotes_within_quotes() -> None:
    text = r'DIGEST username="a,b\"c=\"", realm = "x, y" ,nonce=n, uri="sip:a;b=c,d", response=ff , qop=auth, nc=0a'
    found = parse_credentials(text)
    assert (found.username, found.realm, found.uri, found.nc) == ('a,b"c="', "x, y", "sip:a;b=c,d", "0a")


@given(texts, texts, texts, texts, words, st.sampled_from(["", "auth", "auth-int"]), st.none() | words)
def test_credentials_survive_the_wire(
    user: str, realm: str, nonce: str, uri: str, cnonce: str, qop: str, opaque: str | None
) -> None:
    nc = "00000001" if qop else ""
    whole = Credentials(user, realm, nonce, uri, "ab", "MD5", qop, cnonce if qop else "", nc, opaque)
    assert parse_credentials(write_credentials(whole)) == whole
    challenge = Challenge(realm, nonce, "SHA-256", (qop,) if qop else (), opaque, True)
    assert parse_challenges(write_challenge(challenge)) == [challenge]


@given(texts, texts, texts, words)
def test_the_right_password_and_no_other(user: str, realm: str, password: str, nonce: str) -> None:
    value = credentials(
        write_challenge(Challenge(realm, nonce, "MD5", ("auth",))),
        method="REGISTER",
        uri="sip:x",
        user=user,
        password=password,
    )
    answer = parse_credentials(value)
    a1 = a1_hash("MD5", user, realm, password)
    assert a1 == hashlib.md5(to_bytes(f"{user}:{realm}:{password}"), usedforsecurity=False).hexdigest()
    assert digest_response(answer, a1, "REGISTER") == answer.response
    assert digest_response(answer, a1, "INVITE") != answer.response
    assert digest_response(replace(answer, nc="00000002"), a1, "REGISTER") != answer.response
    assert digest_response(answer, a1_hash("MD5", user, realm, password + "x"), "REGISTER") != answer.response


@given(st.text(max_size=200))
def test_any_text_parses_or_raises_the_one_error(text: str) -> None:
    for parse in (parse_credentials, parse_challenges):
        for given_text in (text, "Digest " + text, 'Digest realm="x",' + text):
            try:
                parse(given_text)
            except DigestError:
                pass
