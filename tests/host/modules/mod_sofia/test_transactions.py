"""What the transactions of a profile withstand: torture, loss, and what is no message."""

from __future__ import annotations

from random import Random

import pytest

from host.modules.mod_sofia.message import (
    Message,
    Source,
    headers_of,
)
from host.modules.mod_sofia.transaction.transactions import TransactionSettings
from host.modules.mod_sofia.transport.listener import Impairment
from tests.host.modules.mod_sofia.far_end import FarEnd, first_line, raw_request, raw_response
from tests.host.modules.mod_sofia.sip_rig import Party, ok, request_to, running, wait_for
from tests.host.modules.mod_sofia.torture_messages import INVALID, VALID
from tests.sip.free_ports import free_port


def test_torture_harms_nobody() -> None:
    with running() as rig:
        party, other = rig.party(ok), rig.party(ok)
        near, elsewhere = party.listen("udp"), other.listen("udp")
        far = FarEnd(near)
        for data in [*VALID.values(), *(data for data, _ in INVALID.values())]:
            far.send(data)
            far.send(data[: len(data) // 2])
            fresh = FarEnd(near)  # whose answer says that what came before was taken
            fresh.send(raw_request())
            assert first_line(fresh.recv()) == "SIP/2.0 200 OK"
        fresh = FarEnd(elsewhere)
        fresh.send(raw_request())
        assert first_line(fresh.recv()) == "SIP/2.0 200 OK"
        assert party.transactions.counters.malformed >= len(INVALID) - 5
        assert other.transactions.counters.malformed == 0


def test_keep_alives_and_stun_are_no_messages() -> None:
    with running() as rig:
        party = rig.party(ok)
        far = FarEnd(party.listen("udp"))
        stun = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)
        for data in (b"\r\n\r\n", b"\0\0\0\0", stun, b""):
            far.send(data)
        far.send(raw_request())
        far.recv()
        assert party.received == ["OPTIONS sip:lin@example.net SIP/2.0"]


def test_responses_to_nothing_are_counted() -> None:
    with running() as rig:
        near = rig.party()
        far = FarEnd(near.listen("udp"))
        far.send(raw_response(raw_request(), 200))
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
        wait_for(lambda: len(acked) == calls)
        assert near.statuses.count(200) == calls
        assert len(far.requests) == calls and not lost
        assert near.transactions.counters.retransmitted > 0


def test_a_profile_gives_its_port_back() -> None:
    with running() as rig:
        first = rig.party()
        address = first.listen("udp", port=free_port())
        assert first.transactions.port("udp") == address.port
        with pytest.raises(OSError):
            rig.party().listen("udp", port=address.port)
        first.transactions.shutdown()
        rig.party().listen("udp", port=address.port)


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
