"""Replaces: one call takes another's place, by an INVITE and by a REFER that names it."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.sip.host_configuration import Extension
from tests.sip.served_host import ServedHost
from tests.sip.sipp import Sipp
from tests.sip.until import until

LONG_TONE = ("playback", "tone_stream://%(20000,0,440)")
EXTENSIONS = [
    Extension("first", [("answer", ""), ("park", "")]),
    Extension("second", [("answer", ""), LONG_TONE]),
    Extension("consulted", [("answer", ""), ("park", "")]),
    Extension("bridged", [("answer", ""), ("bridge", "sofia/open/callee@${sip_h_X-Callee}")]),
    *(
        Extension(
            number,
            [("bridge", "sofia/open/callee@${sip_h_X-Callee}"), ("playback", "tone_stream://%(500,0,440)")],
        )
        for number in ("answers_slowly", "refuses_slowly")
    ),
]


def dialog_of(host: ServedHost, number: str, event: str) -> tuple[str, str, str]:
    """Return Call-ID, our tag and the far end's tag of the call to a number, once it had that event."""
    told = host.event(host.of_row(number, event, "inbound"), what=f"{event} of {number}")
    uuid = told.get("Unique-ID")
    assert uuid
    names = ("sip_call_id", "sip_to_tag", "sip_from_tag")
    call_id, ours, theirs = (host.api(f"uuid_getvar {uuid} {name}").strip() for name in names)
    return call_id, ours, theirs


def leave(host: ServedHost, number: str, event: str, far: Sipp) -> None:
    """Have a phone call `far` and give that call to its other one, the call to a number; then it leaves."""
    call_id, ours, theirs = dialog_of(host, number, event)
    replaces = quote(f"{call_id};to-tag={ours};from-tag={theirs}", safe="")
    keys = {"refer_to": f"{number}@127.0.0.1:{host.ports.open}?Replaces={replaces}", "callee": far.address}
    near = Sipp("caller_transfers_to_call", ("127.0.0.1", host.ports.open), "bridged", keys).run()
    assert near.passed, near.summary


def test_an_invite_takes_the_place_of_a_call(host: ServedHost) -> None:
    address = ("127.0.0.1", host.ports.open)
    with Sipp("caller_waits", address, "first") as first:
        call_id, ours, theirs = dialog_of(host, "first", "CHANNEL_ANSWER")
        keys = {"replaces": f"{call_id};to-tag={ours};from-tag={theirs}"}
        with Sipp("caller_replaces", address, "first", keys) as second:
            replaced = first.wait()
            assert replaced.passed, replaced.summary
            taken = second.wait()
            assert taken.passed, taken.summary


def test_an_invite_that_names_no_call_is_a_call_of_its_own(host: ServedHost) -> None:
    keys = {"replaces": "nothing@nowhere;to-tag=a;from-tag=b"}
    result = Sipp("caller_replaces", ("127.0.0.1", host.ports.open), "second", keys).run()
    assert result.passed, result.summary


def test_a_refer_joins_two_calls(host: ServedHost) -> None:
    """One phone has two calls and leaves: what its first call was bridged to goes on with its second one."""
    address = ("127.0.0.1", host.ports.open)
    with Sipp("callee_waits") as far, Sipp("caller_waits", address, "consulted") as consulted:
        leave(host, "consulted", "CHANNEL_ANSWER", far)
        left = consulted.wait()
        assert left.passed, left.summary
        until(
            lambda: host.channels() == 1 and ",park," in host.api("show channels"), "only the far leg is left"
        )
        host.api("hupall NORMAL_CLEARING")
        ended = far.wait()
        assert ended.passed, ended.summary


@pytest.mark.parametrize("number", ["answers_slowly", "refuses_slowly"])
def test_a_refer_gives_a_ringing_call_to_another(host: ServedHost, number: str) -> None:
    """One phone has two calls and leaves while the second rings: who was in the first waits for its answer.

    After a refusal that one goes on where the second call would have, here with a tone before the end.
    """
    address = ("127.0.0.1", host.ports.open)
    with Sipp("callee_waits") as far, Sipp(f"callee_{number}") as rung:
        keys = {"callee": rung.address}
        with Sipp("caller_leaves_ringing", address, number, keys) as second:
            leave(host, number, "CHANNEL_PROGRESS", far)
            left = second.wait()
            assert left.passed, left.summary
        rung.nudge()
        if number == "answers_slowly":
            until(lambda: "1 total." in host.api("show bridged_calls"), "both far legs are joined")
            host.api("hupall NORMAL_CLEARING")
        for ended in (rung.wait(), far.wait()):
            assert ended.passed, ended.summary
    until(lambda: host.channels() == 0, "nobody is left")
