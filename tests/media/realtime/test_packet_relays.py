"""Datagrams between two far ends through a relay in the engine's process."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest

from media.packet_relay import MAX_STREAMS, PacketRelay, StreamEnd
from media.realtime.remote_engine import RemoteEngine
from media.rtp_transport import TransportError
from tests.free_ports import free_ports

PORTS = free_ports(4)  # of one stream: two pairs
HERE = ("127.0.0.1", "127.0.0.1")


@pytest.fixture
def phone() -> Iterator[Callable[[], socket.socket]]:
    made: list[socket.socket] = []

    def new() -> socket.socket:
        made.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        made[-1].bind(("127.0.0.1", 0))
        made[-1].settimeout(30)
        return made[-1]

    yield new
    for one in made:
        one.close()


def here(port: int) -> tuple[str, int]:
    return ("127.0.0.1", port)


def nothing(one: socket.socket) -> bool:
    one.settimeout(0.15)
    try:
        one.recv(2048)
    except TimeoutError:
        return True
    finally:
        one.settimeout(30)
    return False


def relayed(engine: RemoteEngine, a: socket.socket, b: socket.socket) -> tuple[PacketRelay, int, int]:
    relay = engine.packet_relay(HERE, PORTS)
    ((mine, theirs),) = relay.widen(1)
    for side, far in enumerate((a, b)):
        relay.set_end(side, (StreamEnd(far.getsockname()),))
    return relay, mine, theirs


def test_datagrams_of_any_size_pass_both_ways(
    engine: RemoteEngine, phone: Callable[[], socket.socket]
) -> None:
    a, b = phone(), phone()
    relay, mine, theirs = relayed(engine, a, b)
    assert engine.status().relays == 1
    for data in (b"", b"x", bytes(range(256)) * 30):
        a.sendto(data, here(mine))
        got, source = b.recvfrom(70_000)
        assert got == data and source == here(theirs)
        b.sendto(data[::-1], here(theirs))
        got, source = a.recvfrom(70_000)
        assert got == data[::-1] and source == here(mine)
    for _ in range(200):
        a.sendto(b"many", here(mine))
    for _ in range(200):
        assert b.recv(100) == b"many"
    relay.close()
    relay.close()
    assert engine.status().relays == 0
    a.sendto(b"late", here(mine))
    assert nothing(b)


def test_reports_have_ports_of_their_own(engine: RemoteEngine, phone: Callable[[], socket.socket]) -> None:
    a, b, reports = phone(), phone(), phone()
    relay = engine.packet_relay(HERE, PORTS)
    ((mine, _),) = relay.widen(1)
    relay.set_end(1, (StreamEnd(b.getsockname(), reports.getsockname()),))
    relay.set_end(0, (StreamEnd(a.getsockname(), None),))
    a.sendto(b"report", here(mine + 1))
    assert reports.recv(100) == b"report"
    assert nothing(b)
    relay.close()


def test_who_sends_from_elsewhere_is_followed_until_it_sends_from_where_it_said(
    engine: RemoteEngine, phone: Callable[[], socket.socket]
) -> None:
    a, b, elsewhere, stranger = phone(), phone(), phone(), phone()
    relay, mine, theirs = relayed(engine, a, b)
    elsewhere.sendto(b"from behind NAT", here(mine))
    assert b.recv(100) == b"from behind NAT"
    b.sendto(b"back", here(theirs))
    assert elsewhere.recv(100) == b"back"
    stranger.sendto(b"me too", here(mine))
    assert nothing(b)
    a.sendto(b"here I am", here(mine))
    assert b.recv(100) == b"here I am"
    b.sendto(b"found", here(theirs))
    assert a.recv(100) == b"found"
    elsewhere.sendto(b"again", here(mine))
    assert nothing(b)
    relay.set_end(0, (StreamEnd(stranger.getsockname(), learning=False),))
    a.sendto(b"former", here(mine))
    assert nothing(b)
    stranger.sendto(b"new", here(mine))
    assert b.recv(100) == b"new"
    relay.close()


def test_ports_run_out_and_come_back(engine: RemoteEngine, phone: Callable[[], socket.socket]) -> None:
    relay, mine, theirs = relayed(engine, phone(), phone())
    assert relay.widen(1) == ((mine, theirs),)
    with pytest.raises(TransportError):
        relay.widen(2)
    other = engine.packet_relay(HERE, PORTS)
    with pytest.raises(TransportError):
        other.widen(1)
    assert engine.status().relays == 1
    with pytest.raises(ValueError, match="at most"):
        relay.widen(MAX_STREAMS + 1)
    relay.close()
    again = engine.packet_relay(HERE, PORTS)
    end = time.monotonic() + 30
    while True:
        try:
            assert len(again.widen(1)) == 1
            break
        except TransportError:
            assert time.monotonic() < end
    again.close()


def test_one_that_has_no_far_end_yet_loses_what_comes(
    engine: RemoteEngine, phone: Callable[[], socket.socket]
) -> None:
    a, b = phone(), phone()
    relay = engine.packet_relay(HERE, PORTS)
    ((mine, theirs),) = relay.widen(1)
    a.sendto(b"early", here(mine))
    relay.set_end(1, (StreamEnd(b.getsockname()),))
    assert nothing(b)
    b.sendto(b"to who spoke first", here(theirs))
    assert a.recv(100) == b"to who spoke first"
    relay.close()
