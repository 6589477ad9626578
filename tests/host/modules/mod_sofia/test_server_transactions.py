"""Requests of others: their answers, repetitions, acknowledgements and ends."""

from __future__ import annotations

from host.modules.mod_sofia.message import (
    Message,
    body_of,
    header_of,
    source_of,
    tag_of,
    to_of,
)
from host.modules.mod_sofia.transaction.transactions import TransactionSettings
from tests.host.modules.mod_sofia.far_end import HOST, FarEnd, first_line, header, raw_request
from tests.host.modules.mod_sofia.sip_rig import QUICK, Party, ok, running, wait_for


def test_a_request_is_answered_to_where_it_came_from() -> None:
    with running() as rig:
        party = rig.party(ok)
        near = party.listen("udp")
        far = FarEnd(near)
        far.send(raw_request())
        answer = far.recv()
        assert first_line(answer) == "SIP/2.0 200 OK"
        assert f";rport={far.address.port}" in header(answer, "via") and f";received={HOST}" in header(
            answer, "via"
        )
        assert ";tag=" in header(answer, "to")
        assert source_of(party.requests[0]) == far.address
        assert party.requests[0].received_text.startswith("OPTIONS ")
        way, data, seen_far, seen_near = party.trace[1]
        assert (way, data, seen_far, seen_near) == ("send", answer, far.address, near)
        assert party.transactions.counters.received["udp"] == party.transactions.counters.sent["udp"] == 1
        assert not party.transactions.tserver


def test_without_rport_the_answer_goes_to_the_port_of_via_unless_the_profile_forces_it() -> None:
    with running() as rig:
        plain = rig.party(ok).listen("udp")
        forced = rig.party(ok, settings=TransactionSettings(force_rport=True)).listen("udp")
        named, asking = FarEnd(), FarEnd(plain)
        asking.send(raw_request(via=f"{HOST}:{named.address.port}", params=";received=192.0.2.66"))
        assert "received" not in header(named.recv(), "via")
        asking.home = forced
        asking.send(raw_request(via=f"{HOST}:{named.address.port}", params=""))
        assert "rport=" in header(asking.recv(), "via")


def test_a_request_that_comes_again_gets_the_same_answer_and_nobody_is_told() -> None:
    with running() as rig:
        party = rig.party()
        far = FarEnd(party.listen("udp"))
        request = raw_request("INVITE")
        far.send(request)
        wait_for(lambda: party.requests)
        far.send(request)
        assert party.respond(party.requests[0], 180)
        first = far.recv()
        far.send(request)
        assert far.recv() == first
        assert len(party.requests) == 1
        assert party.transactions.counters.repeated == 2
        assert party.respond(party.requests[0], 486)
        assert not party.respond(party.requests[0], 200)


def invite(far: FarEnd, call: str, *headers: str) -> bytes:
    request = raw_request("INVITE", *headers, branch=f"z9hG4bK-{call}", call_id=call)
    far.send(request)
    return request


def test_a_2xx_is_sent_again_until_its_ack_which_is_told_with_its_body() -> None:
    with running() as rig:
        acks: list[Message] = []
        party = rig.party()
        far = FarEnd(party.listen("udp"))
        begun = invite(far, "late")
        wait_for(lambda: party.requests)
        party.respond(party.requests[0], 200, on_ack=acks.append)
        answers = [far.recv() for _ in range(4)]
        assert len(set(answers)) == 1
        tag = header(answers[0], "to").partition(";tag=")[2]
        ack = raw_request("ACK", "Content-Type: application/sdp", call_id="late", to_tag=tag, body="v=0\r\n")
        far.send(ack)
        far.send(ack)
        wait_for(lambda: acks)
        count = len(party.sent)
        far.send(begun)  # RFC 6026 section 7.1: it is absorbed
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
        party = rig.party(settings=QUICK)
        far = FarEnd(party.listen("udp"))
        for call in ("acked", "lost"):
            invite(far, call)
        wait_for(lambda: len(party.requests) == 2)
        for request in party.requests:
            call = str(request.getHFBody("call-id"))
            party.respond(
                request,
                486,
                on_ack=lambda ack, call=call: told.append(f"{call} acked"),
                on_no_ack=lambda call=call: told.append(f"{call} lost"),
            )
        tag = tag_of(to_of(party.requests[0])) or header(far.recv(), "to").partition(";tag=")[2]
        far.send(raw_request("ACK", branch="z9hG4bK-acked", call_id="acked", to_tag=tag))
        wait_for(lambda: len(told) == 2)
        assert told == ["acked acked", "lost lost"]
        again = [line for line in party.sent if line.startswith("SIP/2.0 486")]
        assert len(again) >= 2 + 5  # 20, 60, 140, 220, 300 ms …: doubled up to T2
        assert not party.transactions.tserver


def test_cancel_is_told_and_the_invite_ends_with_the_tag_it_had() -> None:
    with running() as rig:
        cancelled: list[tuple[float, Message]] = []
        party = rig.party()
        far = FarEnd(party.listen("udp"))
        invite(far, "c1")
        wait_for(lambda: party.requests)
        request = party.requests[0]
        party.respond(request, 180)
        tag = header(far.recv(), "to")
        request.transaction.cancel_cb = lambda when, cancel: cancelled.append((when, cancel))
        far.send(
            raw_request(
                "CANCEL",
                'Reason: SIP;cause=200;text="Call completed elsewhere"',
                branch="z9hG4bK-c1",
                call_id="c1",
            ),
        )
        answers = [far.recv(), far.recv()]
        assert [first_line(answer) for answer in answers] == [
            "SIP/2.0 200 OK",
            "SIP/2.0 487 Request Terminated",
        ]
        assert header(answers[0], "cseq") == "1 CANCEL"
        assert [header(answer, "to") for answer in answers] == [tag, tag]
        assert header_of(cancelled[0][1], "reason") == 'SIP;cause=200;text="Call completed elsewhere"'
        far.send(raw_request("CANCEL", call_id="nobody"))
        found = far.recv_but("SIP/2.0 487")
        assert first_line(found) == "SIP/2.0 481 Call/Transaction Does Not Exist"


def test_an_invite_expires_only_when_it_says_so() -> None:
    with running() as rig:
        party = rig.party()
        far = FarEnd(party.listen("udp"))
        invite(far, "for-ever")
        wait_for(lambda: party.requests)
        transaction = party.requests[0].transaction
        assert transaction.teE is None
        invite(far, "short", "Expires: 1")
        wait_for(lambda: len(party.requests) == 2)
        assert party.requests[1].transaction.teE is not None
        rig.stack.run(lambda: party.transactions.timerE(party.requests[1].transaction))
        assert first_line(far.recv()) == "SIP/2.0 487 Request Terminated"


def test_requests_nobody_answers_are_forgotten_and_invites_ring_on() -> None:
    with running() as rig:
        party = rig.party(settings=TransactionSettings(t1x64=0.01))
        far = FarEnd(party.listen("udp"))
        far.send(raw_request("INFO"))
        invite(far, "rings")
        wait_for(lambda: len(party.requests) == 2)
        rig.stack.run(lambda: rig.stack.call_later(0.03, party.transactions.rCachePurge))
        wait_for(lambda: party.transactions.counters.unanswered == 1)
        assert [t.method for t in party.transactions.tserver.values()] == ["INVITE"]
        assert not party.respond(party.requests[0], 200)


def test_requests_merged_by_a_proxy_are_one() -> None:
    with running() as rig:
        party = rig.party()
        far = FarEnd(party.listen("udp"))
        far.send(raw_request("INVITE", branch="z9hG4bKone", call_id="m"))
        far.send(raw_request("INVITE", branch="z9hG4bKtwo", call_id="m"))
        assert first_line(far.recv()) == "SIP/2.0 482 Loop Detected"
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
        far = FarEnd(party.listen("udp"))
        calls = Call("one"), Call("two")
        for call in calls:
            party.transactions.regConsumer(call, "shared")
        far.send(raw_request("INFO", call_id="shared", to_tag="two"))
        assert first_line(far.recv()) == "SIP/2.0 200 Mine"
        assert [len(call.seen) for call in calls] == [0, 1]
        party.transactions.unregConsumer(calls[1], "shared")
        far.send(raw_request("INFO", call_id="shared", to_tag="two"))
        assert first_line(far.recv()) == "SIP/2.0 200 OK"


def test_a_fault_in_a_handler_is_a_500() -> None:
    def fail(party: Party, request: Message) -> None:
        raise RuntimeError("a fault")

    with running() as rig:
        party = rig.party(fail)
        far = FarEnd(party.listen("udp"))
        far.send(raw_request())
        assert first_line(far.recv()) == "SIP/2.0 500 Server Internal Error"
        assert len(rig.errors) == 1 and "a fault" in rig.errors.pop()
