from __future__ import annotations

import socket
from random import Random
from typing import Any

import pytest

from host.modules.mod_sofia.message import (
    Body,
    Message,
    Source,
    body_of,
    header_of,
    headers_of,
    set_body,
    source_of,
    tag_of,
    to_of,
)
from host.modules.mod_sofia.transaction.client_transaction import make_ack, make_bye
from host.modules.mod_sofia.transaction.transactions import TransactionSettings
from host.modules.mod_sofia.transport.listener import Impairment, Listener
from tests.host.modules.mod_sofia.sip_rig import (
    HOST,
    QUICK,
    Party,
    first_line,
    header,
    raw_request,
    raw_response,
    request_to,
    running,
    udp_socket,
    wait_for,
)
from tests.host.modules.mod_sofia.torture_messages import INVALID, VALID


def ok(party: Party, request: Message) -> None:
    party.respond(request, 200)


# -- requests of others ----------------------------------------------------------------------------------------------


def test_a_request_is_answered_to_where_it_came_from() -> None:
    with running() as rig:
        party = rig.party(ok)
        near = party.listen("udp")
        sock, far = udp_socket()
        sock.sendto(raw_request(), near[:2])
        answer = sock.recv(65535)
        assert first_line(answer) == "SIP/2.0 200 OK"
        assert f";rport={far.port}" in header(answer, "via") and f";received={HOST}" in header(answer, "via")
        assert ";tag=" in header(answer, "to")
        assert source_of(party.requests[0]) == far
        assert party.requests[0].received_text.startswith("OPTIONS ")
        way, data, seen_far, seen_near = party.trace[1]
        assert (way, data, seen_far, seen_near) == ("send", answer, far, near)
        assert party.transactions.counters.received["udp"] == party.transactions.counters.sent["udp"] == 1
        assert not party.transactions.tserver


def test_without_rport_the_answer_goes_to_the_port_of_via_unless_the_profile_forces_it() -> None:
    with running() as rig:
        sock, far = udp_socket()
        elsewhere, _ = udp_socket()
        plain = rig.party(ok)
        near = plain.listen("udp")
        elsewhere.sendto(raw_request(via=f"{HOST}:{far.port}", params=";received=192.0.2.66"), near[:2])
        assert "received" not in header(sock.recv(65535), "via")
        forced = rig.party(ok, settings=TransactionSettings(force_rport=True))
        near = forced.listen("udp")
        elsewhere.sendto(raw_request(via=f"{HOST}:{far.port}", params=""), near[:2])
        assert "rport=" in header(elsewhere.recv(65535), "via")


def test_a_request_that_comes_again_gets_the_same_answer_and_nobody_is_told() -> None:
    with running() as rig:
        party = rig.party()
        near = party.listen("udp")
        sock, _ = udp_socket()
        request = raw_request("INVITE")
        sock.sendto(request, near[:2])
        wait_for(lambda: party.requests)
        sock.sendto(request, near[:2])
        assert party.respond(party.requests[0], 180)
        first = sock.recv(65535)
        sock.sendto(request, near[:2])
        assert sock.recv(65535) == first
        assert len(party.requests) == 1
        assert party.transactions.counters.repeated == 2
        assert party.respond(party.requests[0], 486)
        assert not party.respond(party.requests[0], 200)


def invite(sock: socket.socket, near: Source, call: str, *headers: str) -> bytes:
    request = raw_request("INVITE", *headers, branch=f"z9hG4bK-{call}", call_id=call)
    sock.sendto(request, near[:2])
    return request


def test_a_2xx_is_sent_again_until_its_ack_which_is_told_with_its_body() -> None:
    with running() as rig:
        acks: list[Message] = []
        party = rig.party()
        near = party.listen("udp")
        sock, _ = udp_socket()
        begun = invite(sock, near, "late")
        wait_for(lambda: party.requests)
        party.respond(party.requests[0], 200, on_ack=acks.append)
        answers = [sock.recv(65535) for _ in range(4)]
        assert len(set(answers)) == 1
        tag = header(answers[0], "to").partition(";tag=")[2]
        ack = raw_request("ACK", "Content-Type: application/sdp", call_id="late", to_tag=tag, body="v=0\r\n")
        sock.sendto(ack, near[:2])
        sock.sendto(ack, near[:2])
        wait_for(lambda: acks)
        count = len(party.sent)
        sock.sendto(begun, near[:2])  # RFC 6026 section 7.1: it is absorbed
        wait_for(lambda: party.transactions.counters.repeated >= 2)
        body = body_of(acks[0])
        assert body is not None and body.text == "v=0\r\n"
        wait_for(lambda: not party.transactions.tserver)
        assert len(acks) == 1 and len(party.requests) == 1
        rig.stack.run(lambda: None)
        assert len(party.sent) == count


def test_a_refusal_is_acknowledged_on_the_same_branch_and_without_an_ack_it_is_told() -> None:
    with running() as rig:
        told: list[str] = []
        party = rig.party()
        near = party.listen("udp")
        sock, _ = udp_socket()
        for call in ("acked", "lost"):
            invite(sock, near, call)
        wait_for(lambda: len(party.requests) == 2)
        for request in party.requests:
            call = str(request.getHFBody("call-id"))
            party.respond(
                request,
                486,
                on_ack=lambda ack, call=call: told.append(f"{call} acked"),
                on_no_ack=lambda call=call: told.append(f"{call} lost"),
            )
        tag = tag_of(to_of(party.requests[0])) or header(sock.recv(65535), "to").partition(";tag=")[2]
        sock.sendto(raw_request("ACK", branch="z9hG4bK-acked", call_id="acked", to_tag=tag), near[:2])
        wait_for(lambda: len(told) == 2)
        assert told == ["acked acked", "lost lost"]
        again = [line for line in party.sent if line.startswith("SIP/2.0 486")]
        assert len(again) >= 2 + 5  # 20, 60, 140, 220, 300 ms …: doubled up to T2
        assert not party.transactions.tserver


def test_cancel_is_told_and_the_invite_ends_with_the_tag_it_had() -> None:
    with running() as rig:
        cancelled: list[tuple[float, Message]] = []
        party = rig.party()
        near = party.listen("udp")
        sock, _ = udp_socket()
        invite(sock, near, "c1")
        wait_for(lambda: party.requests)
        request = party.requests[0]
        party.respond(request, 180)
        tag = header(sock.recv(65535), "to")
        request.transaction.cancel_cb = lambda when, cancel: cancelled.append((when, cancel))
        sock.sendto(
            raw_request(
                "CANCEL",
                'Reason: SIP;cause=200;text="Call completed elsewhere"',
                branch="z9hG4bK-c1",
                call_id="c1",
            ),
            near[:2],
        )
        answers = [sock.recv(65535), sock.recv(65535)]
        assert [first_line(answer) for answer in answers] == [
            "SIP/2.0 200 OK",
            "SIP/2.0 487 Request Terminated",
        ]
        assert header(answers[0], "cseq") == "1 CANCEL"
        assert [header(answer, "to") for answer in answers] == [tag, tag]
        assert header_of(cancelled[0][1], "reason") == 'SIP;cause=200;text="Call completed elsewhere"'
        sock.sendto(raw_request("CANCEL", call_id="nobody"), near[:2])
        found = sock.recv(65535)
        while first_line(found).startswith("SIP/2.0 487"):
            found = sock.recv(65535)
        assert first_line(found) == "SIP/2.0 481 Call/Transaction Does Not Exist"


def test_an_invite_expires_only_when_it_says_so() -> None:
    with running() as rig:
        party = rig.party()
        near = party.listen("udp")
        sock, _ = udp_socket()
        invite(sock, near, "for ever".replace(" ", "-"))
        wait_for(lambda: party.requests)
        transaction = party.requests[0].transaction
        assert transaction.teE is None
        invite(sock, near, "short", "Expires: 1")
        wait_for(lambda: len(party.requests) == 2)
        assert party.requests[1].transaction.teE is not None
        rig.stack.run(lambda: party.transactions.timerE(party.requests[1].transaction))
        assert first_line(sock.recv(65535)) == "SIP/2.0 487 Request Terminated"


def test_a_reliable_provisional_is_sent_until_told_otherwise() -> None:
    with running() as rig:
        lost: list[str] = []
        party = rig.party()
        near = party.listen("udp")
        sock, _ = udp_socket()
        invite(sock, near, "prack")
        wait_for(lambda: party.requests)
        request = party.requests[0]
        kept: list[Any] = []

        def ring(code: int) -> None:
            response = request.genResponse(code, "Ringing")
            kept.append(
                party.transactions.respond_reliably(request, response, lambda: lost.append("no PRACK"))
            )

        rig.stack.run(lambda: ring(183))
        answers = [sock.recv(65535) for _ in range(3)]
        assert len(set(answers)) == 1
        rig.stack.run(kept[0].stop)
        rig.stack.run(lambda: ring(180))
        wait_for(lambda: lost)
        count = party.sent.count("SIP/2.0 180 Ringing")
        assert count == 5  # at 0, 20, 60, 140, 300 ms; the next would be at 620
        party.respond(request, 486)
        rig.stack.run(lambda: ring(180))
        assert kept[-1] is None


def test_requests_nobody_answers_are_forgotten_and_invites_ring_on() -> None:
    with running() as rig:
        party = rig.party(settings=TransactionSettings(t1x64=0.01))
        near = party.listen("udp")
        sock, _ = udp_socket()
        sock.sendto(raw_request("INFO"), near[:2])
        invite(sock, near, "rings")
        wait_for(lambda: len(party.requests) == 2)
        rig.stack.run(lambda: rig.stack.call_later(0.03, party.transactions.rCachePurge))
        wait_for(lambda: party.transactions.counters.unanswered == 1)
        assert [t.method for t in party.transactions.tserver.values()] == ["INVITE"]
        assert not party.respond(party.requests[0], 200)


def test_requests_merged_by_a_proxy_are_one() -> None:
    with running() as rig:
        party = rig.party()
        near = party.listen("udp")
        sock, _ = udp_socket()
        sock.sendto(raw_request("INVITE", branch="z9hG4bKone", call_id="m"), near[:2])
        sock.sendto(raw_request("INVITE", branch="z9hG4bKtwo", call_id="m"), near[:2])
        assert first_line(sock.recv(65535)) == "SIP/2.0 482 Loop Detected"
        assert len(party.requests) == 1


class Call:
    """A consumer of sippy's kind."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.seen: list[Message] = []

    def isYours(self, request: Message) -> Call | None:
        return self if tag_of(to_of(request)) == self.tag else None

    def recvRequest(self, request: Message, transaction: object) -> tuple[Message, None, None]:
        self.seen.append(request)
        return request.genResponse(200, "Mine"), None, None


def test_requests_of_a_call_come_to_it() -> None:
    with running() as rig:
        party = rig.party(ok)
        near = party.listen("udp")
        sock, _ = udp_socket()
        calls = Call("one"), Call("two")
        for call in calls:
            party.transactions.regConsumer(call, "shared")
        sock.sendto(raw_request("INFO", call_id="shared", to_tag="two"), near[:2])
        assert first_line(sock.recv(65535)) == "SIP/2.0 200 Mine"
        assert [len(call.seen) for call in calls] == [0, 1]
        party.transactions.unregConsumer(calls[1], "shared")
        sock.sendto(raw_request("INFO", call_id="shared", to_tag="two"), near[:2])
        assert first_line(sock.recv(65535)) == "SIP/2.0 200 OK"


def test_a_fault_in_a_handler_is_a_500() -> None:
    def fail(party: Party, request: Message) -> None:
        raise RuntimeError("a fault")

    with running() as rig:
        party = rig.party(fail)
        near = party.listen("udp")
        sock, _ = udp_socket()
        sock.sendto(raw_request(), near[:2])
        assert first_line(sock.recv(65535)) == "SIP/2.0 500 Server Internal Error"
        assert len(rig.errors) == 1 and "a fault" in rig.errors.pop()


def test_torture_harms_nobody() -> None:
    with running() as rig:
        party, other = rig.party(ok), rig.party(ok)
        near, elsewhere = party.listen("udp"), other.listen("udp")
        sock, _ = udp_socket()
        messages = [*VALID.values(), *(data for data, _ in INVALID.values())]
        for data in messages:
            sock.sendto(data, near[:2])
            sock.sendto(data[: len(data) // 2], near[:2])
        for address in (near, elsewhere):
            fresh, _ = udp_socket()
            fresh.sendto(raw_request(), address[:2])
            assert first_line(fresh.recv(65535)) == "SIP/2.0 200 OK"
        assert party.transactions.counters.malformed >= len(INVALID) - 5
        assert other.transactions.counters.malformed == 0


def test_keep_alives_and_stun_are_no_messages() -> None:
    with running() as rig:
        party = rig.party(ok)
        near = party.listen("udp")
        sock, _ = udp_socket()
        stun = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)
        for data in (b"\r\n\r\n", b"\0\0\0\0", stun, b""):
            sock.sendto(data, near[:2])
        sock.sendto(raw_request(), near[:2])
        sock.recv(65535)
        assert party.received == ["OPTIONS sip:lin@example.net SIP/2.0"]


# -- requests of ours ------------------------------------------------------------------------------------------------


def test_a_request_names_us_as_the_profile_is_to_be_seen() -> None:
    with running() as rig:
        far = rig.party(ok)
        near = rig.party()
        near.listen("udp", advertised=("198.51.100.7", 5080))
        near.send(request_to(far.listen("udp")))
        wait_for(lambda: near.responses)
        assert near.statuses == [200]
        assert headers_of(far.requests[0], "via")[0].startswith("SIP/2.0/UDP 198.51.100.7:5080;")
        assert not near.transactions.tclient
        assert far.requests[0].received_text.count("User-Agent: rig") == 1


def test_a_request_is_sent_again_ever_slower_and_given_up() -> None:
    with running() as rig:
        sock, far = udp_socket()
        near = rig.party()
        near.listen("udp")
        begun = rig.stack.now()
        near.send(request_to(far))
        wait_for(lambda: near.responses)
        assert near.statuses == [408]
        assert 0.45 < rig.stack.now() - begun < 1.0
        copies = near.sent
        assert len(copies) == 8  # at 0, 20, 60, 140, 220, 300, 380, 460 ms
        assert near.transactions.counters.timed_out == 1
        assert not near.transactions.tclient
        sock.close()


def test_no_way_there_is_a_503_after_the_request_was_made() -> None:
    with running() as rig:
        near = rig.party()
        near.listen("udp")
        near.send(request_to(Source(HOST, 5060, "tls")))
        near.send(request_to(Source("::1", 5060, "udp")))
        wait_for(lambda: len(near.responses) == 2)
        assert near.statuses == [503, 503]
        assert near.responses[0].transaction.request is not None
        assert near.transactions.counters.unsendable == 2


def test_a_refused_invite_is_acknowledged_as_it_was_sent() -> None:
    with running() as rig:
        sock, far = udp_socket()
        near = rig.party()
        near.listen("udp")
        message = request_to(far, "INVITE", headers=(("Route", "<sip:proxy.example.com;lr>"),))
        near.send(message)
        request = sock.recv(65535)
        refusal = raw_response(request, 302, "Contact: <sip:elsewhere@192.0.2.55>")
        for _ in range(2):
            sock.sendto(refusal, near.transactions.transports.listening[0][:2])
            ack = sock.recv(65535)
            while first_line(ack).startswith("INVITE"):
                ack = sock.recv(65535)
            assert first_line(ack) == first_line(request).replace("INVITE", "ACK")
            assert header(ack, "via") == header(request, "via")
            assert header(ack, "to").endswith(";tag=there")
            assert header(ack, "cseq") == "1 ACK"
        assert near.statuses == [302]


def answered_invite(near: Party, **options: Any) -> tuple[socket.socket, bytes, Any]:
    sock, far = udp_socket()
    transaction = near.send(request_to(far, "INVITE"), **options)
    return sock, sock.recv(65535), transaction


def test_a_2xx_is_acknowledged_along_its_routes_and_whenever_it_comes_again() -> None:
    with running() as rig:
        near = rig.party()
        home = near.listen("udp")
        sock, request, transaction = answered_invite(near)
        proxy, proxy_at = udp_socket()
        routes = f"<sip:{HOST}:{proxy_at.port};lr>"
        headers = (
            "Contact: <sip:lin@192.0.2.55:5077>",
            "Record-Route: <sip:far;lr>",
            f"Record-Route: {routes}",
        )
        accepted = raw_response(request, 200, *headers)
        sock.sendto(accepted, home[:2])
        ack = proxy.recv(65535)
        assert first_line(ack) == "ACK sip:lin@192.0.2.55:5077 SIP/2.0"
        assert header(ack, "route") == routes
        assert header(ack, "via") != header(request, "via")
        sock.sendto(accepted.replace(b"200 Word", b"200 Otherwise"), home[:2])
        assert proxy.recv(65535) == ack
        assert near.statuses == [200]
        assert transaction.final == 200


def test_with_uack_the_acknowledgement_waits_and_may_carry_an_answer() -> None:
    with running() as rig:
        near = rig.party()
        home = near.listen("udp")
        sock, request, transaction = answered_invite(near, uack=True)
        accepted = raw_response(request, 200, f"Contact: <sip:lin@{HOST}:{sock.getsockname()[1]}>")
        sock.sendto(accepted, home[:2])
        wait_for(lambda: near.responses)
        sock.sendto(accepted, home[:2])

        def acknowledge() -> None:
            set_body(transaction.ack, Body("application/sdp", "v=0\r\n"))
            near.transactions.sendACK(transaction)
            near.transactions.sendACK(transaction)

        rig.stack.run(acknowledge)
        ack = sock.recv(65535)
        while first_line(ack).startswith("INVITE"):
            ack = sock.recv(65535)
        assert ack.endswith(b"\r\n\r\nv=0\r\n")
        sock.sendto(accepted, home[:2])
        assert sock.recv(65535) == ack


def test_the_answer_of_another_fork_is_told_or_ended() -> None:
    with running() as rig:
        near = rig.party()
        home = near.listen("udp")
        sock, request, _ = answered_invite(near)
        contact = f"Contact: <sip:lin@{HOST}:{sock.getsockname()[1]}>"
        sock.sendto(raw_response(request, 200, contact), home[:2])
        sock.sendto(raw_response(request, 200, contact, to_tag="other"), home[:2])
        wait_for(lambda: any(line.startswith("BYE") for line in near.sent))
        got = {}
        while "BYE" not in got:
            data = sock.recv(65535)
            got[first_line(data).split()[0]] = data
        assert header(got["BYE"], "to").endswith(";tag=other") and header(got["BYE"], "cseq") == "2 BYE"
        assert near.statuses == [200]

        told: list[Message] = []
        sock, request, transaction = answered_invite(near, on_fork=told.append)
        sock.sendto(raw_response(request, 200, contact), home[:2])
        sock.sendto(raw_response(request, 200, contact, to_tag="other"), home[:2])
        wait_for(lambda: told)
        ack = make_ack(transaction.request, told[0])
        assert tag_of(to_of(make_bye(ack))) == "other"


def test_cancel_waits_for_a_first_answer_and_has_the_same_branch() -> None:
    with running() as rig:
        near = rig.party()
        home = near.listen("udp")
        sock, request, transaction = answered_invite(near)
        rig.stack.run(lambda: near.transactions.cancel(transaction, [("Reason", "Q.850;cause=16")]))
        rig.stack.run(lambda: near.transactions.cancel(transaction))
        assert not [line for line in near.sent if line.startswith("CANCEL")]
        sock.sendto(raw_response(request, 180), home[:2])
        cancel = sock.recv(65535)
        while first_line(cancel).startswith("INVITE"):
            cancel = sock.recv(65535)
        assert first_line(cancel) == first_line(request).replace("INVITE", "CANCEL")
        assert header(cancel, "via") == header(request, "via")
        assert header(cancel, "reason") == "Q.850;cause=16"
        sock.sendto(raw_response(cancel, 200), home[:2])
        sock.sendto(raw_response(request, 487), home[:2])
        wait_for(lambda: near.statuses == [180, 487])


def test_a_cancelled_invite_that_gets_no_answer_is_given_up() -> None:
    with running() as rig:
        near = rig.party()
        home = near.listen("udp")
        sock, request, transaction = answered_invite(near)
        sock.sendto(raw_response(request, 180), home[:2])
        wait_for(lambda: near.statuses == [180])
        rig.stack.run(lambda: near.transactions.cancel(transaction))
        wait_for(lambda: near.statuses == [180, 408])


def test_an_invite_that_rings_is_not_given_up() -> None:
    with running() as rig:
        near = rig.party()
        home = near.listen("udp")
        sock, request, transaction = answered_invite(near)
        sock.sendto(raw_response(request, 100), home[:2])
        wait_for(lambda: near.statuses == [100])
        assert transaction.teA is None and transaction.teB is None


def test_a_fault_in_who_is_told_of_a_response_is_reported() -> None:
    with running() as rig:
        far = rig.party(ok)
        near = rig.party()
        near.listen("udp")
        target = far.listen("udp")

        def fail(response: Message) -> None:
            raise RuntimeError("a fault")

        rig.stack.run(lambda: near.transactions.request(request_to(target), fail))
        wait_for(lambda: rig.errors)
        assert "a fault" in rig.errors.pop()
        assert not near.transactions.tclient


def test_responses_to_nothing_are_counted() -> None:
    with running() as rig:
        near = rig.party()
        home = near.listen("udp")
        sock, _ = udp_socket()
        sock.sendto(raw_response(raw_request(), 200), home[:2])
        wait_for(lambda: near.transactions.counters.dropped == 1)


@pytest.mark.parametrize("seed", [1, 2])
def test_calls_survive_loss_and_reordering(seed: int) -> None:
    """A fifth of one side's datagrams are lost and the rest delayed; all calls are answered and acknowledged."""
    calls = 60
    lossy = Impairment(0.2, 0.2, 0.005, 0.005, Random(seed))
    slow = TransactionSettings(t1=0.01, t2=0.08, t1x64=3.0)
    acked: list[Message] = []
    lost: list[str] = []

    def accept(party: Party, request: Message) -> None:
        party.respond(request, 180)
        party.respond(request, 200, on_ack=acked.append, on_no_ack=lambda: lost.append("no ACK"))

    with running() as rig:
        far = rig.party(accept, settings=slow, impairment=lossy)
        near = rig.party(settings=slow)
        near.listen("udp")
        target = far.listen("udp")
        for _ in range(calls):
            request = request_to(target, "INVITE")
            near.send(request, carrier=None).next_hop = target
        wait_for(lambda: len(acked) == calls, 8)
        assert near.statuses.count(200) == calls
        assert len(far.requests) == calls and not lost
        assert near.transactions.counters.retransmitted > 0


def test_a_profile_gives_its_port_back() -> None:
    with running() as rig:
        first = rig.party()
        address = first.listen("udp")
        assert first.transactions.port("udp") == address.port
        with pytest.raises(OSError):
            rig.party().transactions.listen(Listener("udp", HOST, address.port))
        first.transactions.shutdown()
        rig.party(settings=QUICK).transactions.listen(Listener("udp", HOST, address.port))


def test_ipv6() -> None:
    with running() as rig:
        far, near = rig.party(ok), rig.party()
        try:
            target = far.listen("udp", "::1")
        except OSError:
            pytest.skip("no IPv6 here")
        near.listen("udp")
        near.listen("udp", "::1")
        near.send(request_to(Source("[::1]", target.port, "udp")))
        wait_for(lambda: near.responses)
        assert near.statuses == [200]
        assert headers_of(far.requests[0], "via")[0].startswith("SIP/2.0/UDP [::1]:")
