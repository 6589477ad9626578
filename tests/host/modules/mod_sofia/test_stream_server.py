from __future__ import annotations

import socket
import time
from contextlib import suppress

from host.modules.mod_sofia.message import Body, Source, headers_of
from host.modules.mod_sofia.transaction.transactions import TransactionSettings
from host.modules.mod_sofia.transport.stream_server import StreamLimits
from tests.host.modules.mod_sofia.far_end import HOST, PATIENCE, first_line, header, raw_request, raw_response
from tests.host.modules.mod_sofia.sip_rig import PATIENT, ok, request_to, running, wait_for
from tests.sip.free_ports import free_port

QUICK_LIMITS = StreamLimits(
    connections=4,
    per_address=3,
    first_message=1.0,
    message=0.5,
    idle=1.5,
    sweep=0.02,
)


def connected(near: Source) -> socket.socket:
    return socket.create_connection(near[:2], timeout=PATIENCE)


def ends(sock: socket.socket) -> bool:
    """Wait until the far end closes."""
    with suppress(ConnectionResetError):
        while sock.recv(65535):
            pass
    return True


def test_requests_of_a_connection_are_answered_over_it() -> None:
    with running() as rig:
        party = rig.party(ok)
        near = party.listen("tcp")
        with connected(near) as sock:
            one, two = raw_request(transport="TCP"), raw_request("INFO", transport="TCP")
            sock.sendall(b"\r\n\r\n" + one[:50])
            assert sock.recv(9) == b"\r\n"
            sock.sendall(one[50:] + two)
            wait_for(lambda: len(party.requests) == 2)
            wait_for(lambda: len(party.sent) == 2)
            answers = sock.recv(65535)
            assert answers.count(b"SIP/2.0 200 OK") == 2
            assert party.requests[0].source == (sock.getsockname(), "tcp")
            assert party.transactions.counters.received["tcp"] == 2
        wait_for(lambda: party.lost)
        assert party.lost[0][1] == "closed by the far end"
        assert party.transactions.transports.count.total == 0


def test_both_transports_of_a_profile_share_a_port() -> None:
    with running() as rig:
        party = rig.party(ok)
        port = free_port()
        party.listen("udp", port=port)
        party.listen("tcp", port=port)
        assert party.transactions.port("tcp") == party.transactions.port("udp") == port
        assert party.transactions.port("tls") == 0


def test_a_connection_is_opened_once_and_used_in_both_directions() -> None:
    with running() as rig:
        far, near = rig.party(ok), rig.party(ok)
        target = far.listen("tcp")
        near.listen("tcp")
        for number in (1, 2):
            near.send(request_to(target, headers=(("Subject", f"{number}"),)))
        wait_for(lambda: near.statuses == [200, 200])
        assert far.transactions.transports.count.total == 1
        assert headers_of(far.requests[0], "via")[0].startswith(
            f"SIP/2.0/TCP {HOST}:{near.transactions.port('tcp')};"
        )
        (ip, port), transport = far.requests[0].source
        far.send(request_to(Source(ip, port, transport)))
        wait_for(lambda: far.statuses == [200])
        assert near.transactions.transports.count.total == 1
        assert near.sent.count(near.sent[0]) == 2  # nothing is sent again over a stream


def test_a_connection_with_an_alias_takes_requests_to_the_port_it_names() -> None:
    with running() as rig:
        party = rig.party(ok)
        near = party.listen("tcp")
        with connected(near) as sock:
            sock.sendall(raw_request(transport="TCP", via=f"{HOST}:5999", params=";alias"))
            sock.recv(65535)
            party.send(request_to(Source(HOST, 5999, "tcp")))
            assert first_line(sock.recv(65535)).startswith("OPTIONS sip:lin@127.0.0.1:5999 ")


def test_nobody_listening_is_a_503_at_once() -> None:
    with running() as rig:
        near = rig.party()
        near.listen("tcp")
        begun = time.monotonic()
        near.send(request_to(Source(HOST, free_port(), "tcp")))
        near.send(request_to(Source("name.invalid", 5060, "tcp")))
        wait_for(lambda: near.statuses == [503, 503])
        assert time.monotonic() - begun < PATIENT.t1x64 / 2  # nobody waited for an answer
        assert near.lost[0][1] == "ECONNREFUSED"


def test_a_connection_that_is_lost_before_an_answer_is_a_503() -> None:
    with running() as rig, socket.socket() as listening:
        listening.bind((HOST, 0))
        listening.listen()
        near = rig.party()
        near.listen("tcp")
        near.send(request_to(Source(HOST, listening.getsockname()[1], "tcp")))
        sock, _ = listening.accept()
        sock.recv(65535)
        sock.close()
        wait_for(lambda: near.statuses == [503])


def test_a_2xx_over_a_stream_is_acknowledged_over_it_wherever_its_contact_is() -> None:
    with running() as rig, socket.socket() as listening:
        listening.bind((HOST, 0))
        listening.listen()
        near = rig.party()
        near.listen("tcp")
        near.send(request_to(Source(HOST, listening.getsockname()[1], "tcp"), "INVITE"))
        sock, _ = listening.accept()
        with sock:
            request = sock.recv(65535)
            sock.sendall(raw_response(request, 200, "Contact: <sip:lin@10.255.255.1:4000;transport=tcp>"))
            ack = sock.recv(65535)
            assert first_line(ack) == "ACK sip:lin@10.255.255.1:4000;transport=tcp SIP/2.0"
            assert header(ack, "via").startswith("SIP/2.0/TCP ")


def test_long_requests_go_over_tcp_only_where_the_profile_says_so_and_back_when_nobody_listens() -> None:
    with running() as rig:
        far = rig.party(ok)
        target = far.listen("udp", port=free_port())
        far.listen("tcp", port=target.port)
        body = Body("text/plain", "x" * 1400)
        plain = rig.party()
        switching = rig.party(settings=TransactionSettings(tcp_for_long_requests=True))
        for party in (plain, switching):
            party.listen("udp")
            party.listen("tcp")
            party.send(request_to(target, "MESSAGE", body=body))
            wait_for(lambda party=party: party.statuses == [200])  # type: ignore[misc]
        assert [request.source[1] for request in far.requests] == ["udp", "tcp"]
        deaf = rig.party(ok)
        switching.send(request_to(deaf.listen("udp"), "MESSAGE", body=body))
        wait_for(lambda: switching.statuses == [200, 200])
        assert deaf.requests[0].source[1] == "udp"


def test_a_stream_that_is_no_sip_is_refused_and_closed() -> None:
    with running() as rig:
        party = rig.party(ok)
        near = party.listen("tcp")
        with connected(near) as sock:
            sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
            assert ends(sock)
        with connected(near) as sock:
            sock.sendall(raw_request(transport="TCP").replace(b"Content-Length: 0", b"Content-Length: -5"))
            assert first_line(sock.recv(65535)).startswith("SIP/2.0 400 Bad Request")
            assert ends(sock)
        assert party.transactions.transports.stream_servers[0].broken == 2


def test_nobody_holds_a_connection_by_saying_nothing_or_little() -> None:
    with running() as rig:
        party = rig.party(ok, limits=QUICK_LIMITS)
        near = party.listen("tcp")
        with connected(near) as silent, connected(near) as slow, connected(near) as idle:
            idle.sendall(raw_request(transport="TCP"))
            slow.sendall(raw_request(transport="TCP") + b"OPTIONS ")
            begun = time.monotonic()
            assert ends(slow) and time.monotonic() - begun > 0.05
            assert ends(silent)
            assert ends(idle)
        wait_for(lambda: len(party.lost) == 3)
        assert {reason for _, reason in party.lost} == {
            "no message in time",
            "a message does not end",
            "idle",
        }


def test_connections_are_limited_for_each_address_and_for_the_profile() -> None:
    with running() as rig:
        party = rig.party(ok, limits=StreamLimits(connections=4, per_address=3))
        near = party.listen("tcp")
        count = party.transactions.transports.count
        socks = [connected(near) for _ in range(3)]
        wait_for(lambda: count.total == 3)
        with connected(near) as fourth:
            assert ends(fourth)
        assert count.refused == 1
        for sock in socks:
            sock.close()
        wait_for(lambda: count.total == 0)
        assert not count.by_address


def test_the_answer_finds_another_way_when_its_connection_is_gone() -> None:
    with running() as rig, socket.socket() as listening:
        listening.bind((HOST, 0))
        listening.listen()
        listening.settimeout(PATIENCE)
        party = rig.party()
        near = party.listen("tcp")
        with connected(near) as sock:
            sock.sendall(raw_request(transport="TCP", via=f"{HOST}:{listening.getsockname()[1]}"))
            wait_for(lambda: party.requests)
        wait_for(lambda: party.lost)
        party.respond(party.requests[0], 200)
        other, _ = listening.accept()
        with other:
            assert first_line(other.recv(65535)) == "SIP/2.0 200 OK"


def test_a_far_end_that_does_not_read_is_given_up() -> None:
    with running() as rig:
        party = rig.party()
        near = party.listen("tcp")
        with connected(near) as sock:
            sock.sendall(raw_request(transport="TCP"))
            wait_for(lambda: party.requests)
            ip, port = sock.getsockname()
            source = Source(ip, port, "tcp")
            body = Body("text/plain", "x" * 50_000)
            for _ in range(200):
                party.send(request_to(source, "MESSAGE", body=body))
                if party.lost:
                    break
            wait_for(lambda: party.lost)
            assert party.lost[0][1] == "the far end does not read"
        wait_for(lambda: not party.transactions.tclient)


def test_a_profile_gives_its_port_back_at_once() -> None:
    with running() as rig:
        party = rig.party(ok)
        near = party.listen("tcp", port=free_port())
        with connected(near) as sock:
            sock.sendall(raw_request(transport="TCP"))
            sock.recv(65535)
            party.transactions.shutdown()
            rig.party(ok).listen("tcp", port=near.port)
            assert ends(sock)
