"""The application sleep: what ends it."""

from __future__ import annotations

import pytest

from host.ivr.sleep import sleep_until_key
from host.session import Session
from tests.host.ivr.legs import Legs


@pytest.mark.parametrize(("dial_string", "slept_ms"), [("rings", 2000), ("early", 500)])
def test_a_key_ends_it_only_where_sound_comes(legs: Legs, dial_string: str, slept_ms: int) -> None:
    near = legs.call(f"{{return_ring_ready=true}}loopback/{dial_string}/legs")
    far = legs.switch.find_session(near.channel.variables.get("other_loopback_leg_uuid") or "")
    assert far is not None
    took: list[int] = []

    def wait(session: Session) -> None:
        began = session.clock.now()
        sleep_until_key(session, 2000)
        took.append((session.clock.now() - began) // 1000)

    far.run_in_session(wait)
    legs.wait(0.5)
    near.io.send_dtmf(near, "1", 2000)
    legs.wait(3)
    [ms] = took
    assert slept_ms <= ms < slept_ms + 60
