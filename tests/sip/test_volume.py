"""Many calls: fifty a second, with datagrams lost, doubled and late on the way to the host."""

from __future__ import annotations

import pytest

from tests.sip.host_configuration import Extension
from tests.sip.lossy_relay import LossyRelay, Mischief
from tests.sip.served_host import ServedHost
from tests.sip.sipp import Sipp

RATE = 50
EXTENSIONS = [Extension("many", [("answer", ""), ("playback", "tone_stream://%(15000,0,440)")])]


@pytest.mark.parametrize(
    "calls", [200, pytest.param(2000, marks=[pytest.mark.slow, pytest.mark.timeout(150)])]
)
def test_none_of_many_calls_fails(host: ServedHost, calls: int) -> None:
    outward = Mischief(lose=0.02, double=0.03, hold_back=0.1, hold_seconds=0.25)
    homeward = Mischief(lose=0.01, double=0.03)
    with LossyRelay(("127.0.0.1", host.ports.open), outward, homeward) as relay:
        caller = Sipp(
            "caller_hangs_up_late", ("127.0.0.1", relay.port), "many", {"contact": relay.contact}, calls=calls,
            rate=RATE, linger=2000, trace=False, seconds=calls / RATE + 40, limit=calls,
        )  # fmt: skip
        result = caller.run()
    assert (result.calls, result.failed) == (calls, 0), result.summary
    assert result.retransmissions > 0 and min(relay.lost, relay.doubled, relay.reordered) > calls / 100
