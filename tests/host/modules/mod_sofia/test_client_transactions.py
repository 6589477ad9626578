"""Requests of ours: how they are sent, given up, acknowledged and cancelled."""

from __future__ import annotations

from typing import Any

from host.modules.mod_sofia.message import (
    Body,
    Message,
    Source,
    headers_of,
    set_body,
    tag_of,
    to_of,
)
from host.modules.mod_sofia.transaction.client_transaction import make_ack, make_bye
from tests.host.modules.mod_sofia.far_end import HOST, FarEnd, first_line, header, raw_response
from tests.host.modules.mod_sofia.sip_rig import QUICK, Party, ok, request_to, running, wait_for


class OurInvite:
    """An INVITE of a profile and the far end that has received it."""

    def __init__(self, near: Party, headers: tuple[tuple[str, str], ...] = (), **options: Any) -> None:
        self.far = FarEnd(near.transactions.transports.listening[0])
        self.contact = f"Contact: <sip:lin@{HOST}:{self.far.address.port}>"
        self.transaction = near.send(request_to(self.far.address, "INVITE", headers=headers), **options)
        self.request = self.far.recv()

    def answer(self, code: int, *headers: str, to_tag: str = "there") -> bytes:
        """Answer it, and return the answer."""
        response = raw_response(self.request, code, *headers, to_tag=to_tag)
        self.far.send(response)
        return response

    def recv(self) -> bytes:
        """Return the next that comes and is not the INVITE again."""
        return self.far.recv_but("INVITE")


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
        near = rig.party(settings=QUICK)
        far = FarEnd(near.listen("udp"))
        begun = rig.stack.now()
        near.send(request_to(far.address))
        wait_for(lambda: near.responses)
        assert near.statuses == [408]
        assert rig.stack.now() - begun > 0.95
        assert 4 < len(near.sent) <= 14  # at 0, 20, 60, 140, 220, 300, … 940 ms, or later on a busy machine
        planned = (0.0, 0.02, 0.06, *(0.14 + 0.08 * number for number in range(11)))
        assert all(when - begun > least - 0.002 for when, least in zip(near.sent_at, planned, strict=False))
        assert near.transactions.counters.timed_out == 1
        assert not near.transactions.tclient


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
        near = rig.party()
        near.listen("udp")
        call = OurInvite(near, headers=(("Route", "<sip:proxy.example.com;lr>"),))
        for _ in range(2):
            call.answer(302, "Contact: <sip:elsewhere@192.0.2.55>")
            ack = call.recv()
            assert first_line(ack) == first_line(call.request).replace("INVITE", "ACK")
            assert header(ack, "via") == header(call.request, "via")
            assert header(ack, "to").endswith(";tag=there")
            assert header(ack, "cseq") == "1 ACK"
        assert near.statuses == [302]


def test_a_2xx_is_acknowledged_along_its_routes_and_whenever_it_comes_again() -> None:
    with running() as rig:
        near = rig.party()
        near.listen("udp")
        call = OurInvite(near)
        proxy = FarEnd()
        routes = f"<sip:{HOST}:{proxy.address.port};lr>"
        accepted = call.answer(
            200,
            "Contact: <sip:lin@192.0.2.55:5077>",
            "Record-Route: <sip:far;lr>",
            f"Record-Route: {routes}",
        )
        ack = proxy.recv()
        assert first_line(ack) == "ACK sip:lin@192.0.2.55:5077 SIP/2.0"
        assert header(ack, "route") == routes
        assert header(ack, "via") != header(call.request, "via")
        call.far.send(accepted.replace(b"200 Word", b"200 Otherwise"))
        assert proxy.recv() == ack
        assert near.statuses == [200]
        assert call.transaction.final == 200


def test_with_uack_the_acknowledgement_waits_and_may_carry_an_answer() -> None:
    with running() as rig:
        near = rig.party()
        near.listen("udp")
        call = OurInvite(near, uack=True)
        accepted = call.answer(200, call.contact)
        wait_for(lambda: near.responses)
        call.far.send(accepted)

        def acknowledge() -> None:
            set_body(call.transaction.ack, Body("application/sdp", "v=0\r\n"))
            near.transactions.sendACK(call.transaction)
            near.transactions.sendACK(call.transaction)

        rig.stack.run(acknowledge)
        ack = call.recv()
        assert ack.endswith(b"\r\n\r\nv=0\r\n")
        call.far.send(accepted)
        assert call.recv() == ack


def test_the_answer_of_another_fork_is_told_or_ended() -> None:
    with running() as rig:
        near = rig.party()
        near.listen("udp")
        call = OurInvite(near)
        call.answer(200, call.contact)
        call.answer(200, call.contact, to_tag="other")
        wait_for(lambda: any(line.startswith("BYE") for line in near.sent))
        got = {}
        while "BYE" not in got:
            data = call.recv()
            got[first_line(data).split()[0]] = data
        assert header(got["BYE"], "to").endswith(";tag=other") and header(got["BYE"], "cseq") == "2 BYE"
        assert near.statuses == [200]

        told: list[Message] = []
        call = OurInvite(near, on_fork=told.append)
        call.answer(200, call.contact)
        call.answer(200, call.contact, to_tag="other")
        wait_for(lambda: told)
        ack = make_ack(call.transaction.request, told[0])
        assert tag_of(to_of(make_bye(ack))) == "other"


def test_cancel_waits_for_a_first_answer_and_has_the_same_branch() -> None:
    with running() as rig:
        near = rig.party()
        near.listen("udp")
        call = OurInvite(near)
        rig.stack.run(lambda: near.transactions.cancel(call.transaction, [("Reason", "Q.850;cause=16")]))
        rig.stack.run(lambda: near.transactions.cancel(call.transaction))
        assert not [line for line in near.sent if line.startswith("CANCEL")]
        call.answer(180)
        cancel = call.recv()
        assert first_line(cancel) == first_line(call.request).replace("INVITE", "CANCEL")
        assert header(cancel, "via") == header(call.request, "via")
        assert header(cancel, "reason") == "Q.850;cause=16"
        call.far.send(raw_response(cancel, 200))
        call.answer(487)
        wait_for(lambda: near.statuses == [180, 487])


def test_a_cancelled_invite_that_gets_no_answer_is_given_up() -> None:
    with running() as rig:
        near = rig.party(settings=QUICK)
        near.listen("udp")
        call = OurInvite(near)
        call.answer(180)
        wait_for(lambda: near.statuses == [180])
        rig.stack.run(lambda: near.transactions.cancel(call.transaction))
        wait_for(lambda: near.statuses == [180, 408])


def test_an_invite_that_rings_is_not_given_up() -> None:
    with running() as rig:
        near = rig.party()
        near.listen("udp")
        call = OurInvite(near)
        call.answer(100)
        wait_for(lambda: near.statuses == [100])
        assert call.transaction.teA is None and call.transaction.teB is None


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
