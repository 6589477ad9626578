"""SIPp, the relay and the scenario files among themselves, before a host has part in it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from lxml import etree

from tests.sip.lossy_relay import LossyRelay, Mischief
from tests.sip.sipp import SCENARIOS, Sipp, whole_scenario
from tests.sip.until import PATIENCE


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.xml")), ids=lambda path: path.stem)
def test_every_scenario_can_be_made_whole(path: Path) -> None:
    root = etree.fromstring(whole_scenario(path))
    assert root.tag == "scenario" and not list(root.iter("part"))
    assert all("\n\n" in (message.text or "") for message in root.iter("send"))


@pytest.mark.parametrize(
    ("callee", "caller"), [("callee_waits", "caller_hangs_up"), ("callee_hangs_up", "caller_waits")]
)
def test_two_of_them_call_each_other(callee: str, caller: str) -> None:
    with Sipp(callee) as far:
        near = Sipp(caller, ("127.0.0.1", far.port)).run()
        assert near.passed, near.said
        answered = far.wait()
        assert answered.passed, answered.said


def test_the_relay_loses_and_doubles_and_calls_go_on() -> None:
    # As a callee SIPp takes no BYE before the ACK, so that here the order stays, nor an INVITE that comes twice; as a
    # caller it takes a repeated 200 of the INVITE for that of the BYE, so that its calls outlast what is repeated.
    calls = 30
    with Sipp("callee_waits", calls=calls, linger=1500) as far:
        outward = Mischief(once=("INVITE",))
        homeward = Mischief(double=0.1, once=("SIP/2.0 200 OK",))
        with LossyRelay(("127.0.0.1", far.port), outward, homeward) as relay:
            near = Sipp(
                "caller_hangs_up_late", ("127.0.0.1", relay.port), calls=calls, rate=40, trace=False
            ).run()
        assert near.passed, near.said
        assert relay.lost == 2 and relay.doubled > 0 and not relay.never_seen
        assert near.retransmissions > 0


def test_the_relay_reorders() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near,
    ):
        far.bind(("127.0.0.1", 0))
        far.settimeout(PATIENCE)
        with LossyRelay(far.getsockname(), Mischief(hold_back=0.5, hold_seconds=0.1)) as relay:
            for number in range(50):
                near.sendto(bytes([number]), ("127.0.0.1", relay.port))
            got = [far.recv(10)[0] for _ in range(50)]
    assert sorted(got) == list(range(50)) != got
