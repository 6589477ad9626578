"""Names of the link, asked for over real sockets."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.flags
import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.clock import RealClock, VirtualClock
from host.modules.mod_commands import network
from host.modules.mod_commands.multicast_dns import GROUP, NoSuchName, answered, look_up, on_the_link
from host.switch import Switch

NAME = "printer.local"


def answer(question: bytes, *records: str, name: str = NAME) -> bytes:
    asked = dns.message.from_wire(question)
    told = dns.message.Message(asked.id)
    told.flags = dns.flags.QR | dns.flags.AA
    told.answer = [dns.rrset.from_text(f"{name}.", 120, "IN", *record.split()) for record in records]
    return told.to_wire()


@contextmanager
def responder(
    sock: socket.socket, reply: Callable[[bytes], list[bytes]]
) -> Iterator[tuple[tuple[str, int], list[bytes]]]:
    """Answer what comes to a socket; yield its address and what was asked."""
    asked: list[bytes] = []
    sock.settimeout(0.05)
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            try:
                question, source = sock.recvfrom(9000)
            except TimeoutError:
                continue
            asked.append(question)
            for message in reply(question):
                sock.sendto(message, source)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield sock.getsockname(), asked
    finally:
        over.set()
        thread.join()
        sock.close()


@pytest.fixture
def sock() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    return made


def test_both_families_are_asked_for(sock: socket.socket) -> None:
    with responder(sock, lambda question: [answer(question, "AAAA fe80::1", "A 192.0.2.7")]) as (
        where,
        asked,
    ):
        assert look_up(RealClock(), NAME, where) == ["192.0.2.7", "fe80::1"]
    question = dns.message.from_wire(asked[0])
    assert [(str(each.name), each.rdtype.name) for each in question.question] == [
        ("printer.local.", "A"),
        ("printer.local.", "AAAA"),
    ]
    assert not question.flags & dns.flags.RD


def test_what_answers_something_else_is_passed_over(sock: socket.socket) -> None:
    def reply(question: bytes) -> list[bytes]:
        other = bytes([question[0] ^ 1]) + question[1:]
        return [
            b"no message",
            question,
            answer(other, "A 192.0.2.1"),
            answer(question, "A 192.0.2.2", name="other.local"),
            answer(question, "A 192.0.2.3"),
        ]

    with responder(sock, reply) as (where, _):
        assert look_up(RealClock(), NAME, where) == ["192.0.2.3"]


def test_it_is_asked_again_and_given_up(sock: socket.socket) -> None:
    with (
        responder(sock, lambda question: []) as (where, asked),
        pytest.raises(NoSuchName, match="nobody answers"),
    ):
        look_up(RealClock(), NAME, where)
    assert 2 <= len(asked) <= 5


def test_a_name_that_is_none() -> None:
    with pytest.raises(NoSuchName):
        look_up(RealClock(), "a" * 70 + ".local", ("127.0.0.1", 9))
    with pytest.raises(NoSuchName, match="simulated"):
        look_up(VirtualClock(), NAME)


@given(st.binary(max_size=300))
def test_any_bytes(message: bytes) -> None:
    assert answered(message, dns.message.make_query(NAME, "A", id=7).to_wire()) == []


@pytest.mark.parametrize(
    ("name", "there"),
    [("a.local", True), ("A.LOCAL.", True), ("local", False), ("a.local.example.org", False)],
)
def test_which_names_are_of_the_link(name: str, there: bool) -> None:
    assert on_the_link(name) is there


def test_by_multicast() -> None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(GROUP)
        member = struct.pack("4s4s", socket.inet_aton(GROUP[0]), socket.inet_aton("0.0.0.0"))
        listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    except OSError as error:
        listener.close()
        pytest.skip(f"this machine has no multicast: {error}")
    with responder(listener, lambda question: [answer(question, "A 192.0.2.8", name="moonline-test.local")]):
        assert look_up(RealClock(), "moonline-test.local") == ["192.0.2.8"]


def test_fsctl_has_names_of_the_link_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def found(clock: object, name: str) -> list[str]:
        asked.append(name)
        if name != NAME:
            raise NoSuchName("nobody answers")
        return ["fe80::1", "192.0.2.9"]

    def nobody(*arguments: object, **options: object) -> object:
        raise OSError("no names are looked up")

    monkeypatch.setattr(network, "look_up", found)
    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    monkeypatch.setattr(socket, "gethostbyname", nobody)
    switch = Switch(RealClock(), tmp_path, media_process=False)
    switch.modules.load("mod_commands")
    try:
        assert switch.api("host_lookup", NAME) == "!err!" and not asked
        assert switch.api("fsctl", "mdns_resolve enable") == "+OK\n"
        assert switch.api("host_lookup", NAME) == "fe80::1"
        assert switch.api("gethost", NAME) == "192.0.2.9"
        assert switch.api("host_lookup", "nosuch.local") == "!err!"
        assert switch.api("host_lookup", "example.org") == "!err!"
        assert asked == [NAME, NAME, "nosuch.local"]
        assert switch.api("fsctl", "mdns_resolve disable") == "+OK\n"
        assert switch.api("host_lookup", NAME) == "!err!" and len(asked) == 3
    finally:
        switch.close()
