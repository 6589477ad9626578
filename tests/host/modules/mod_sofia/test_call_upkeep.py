"""What keeps calls and trunks alive, or finds them dead: pings, session timers, acknowledgements that do not come."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.event import Event
from host.hangup_cause import HangupCause
from host.modules.mod_sofia.call import session_timer
from host.modules.mod_sofia.call.session_timer import Agreed
from tests.host.modules.mod_sofia.one_phone import talking
from tests.host.modules.mod_sofia.sip_phone import SipPhone
from tests.host.modules.mod_sofia.two_profiles import (
    QUICK_TIMERS,
    Rig,
    configuration,
    extension,
    two_profiles,
)

EXTENSIONS = extension("answer", ("answer", ""), ("park", ""))
pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture(scope="module")
def trunk() -> Iterator[SipPhone]:
    """A phone that plays the far end of a gateway."""
    with SipPhone(1) as phone:
        yield phone


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, trunk: SipPhone) -> Iterator[Rig]:
    gateway = f"""<gateway name="trunk"><param name="proxy" value="127.0.0.1:{trunk.port}"/>
        <param name="register" value="false"/><param name="ping" value="5"/><param name="ping-max" value="2"/>
        <param name="username" value="moonline"/><param name="password" value="x"/></gateway>"""
    text = configuration(EXTENSIONS, near=QUICK_TIMERS, far=QUICK_TIMERS, gateways=gateway)
    with two_profiles(Path(tmp_path_factory.mktemp("upkeep")), text) as rig:
        yield rig


def ping_now(rig: Rig) -> None:
    """Let the trunk's next ping be due."""
    gateway = rig.sofia.gateways["trunk"]
    former = gateway.registration.attempt_of_ping

    def due() -> None:
        gateway.registration.ping_at = rig.sofia.stack.now()
        gateway._check()

    rig.sofia.stack.call(due)
    rig.wait(lambda: gateway.registration.attempt_of_ping == former + 1)


def status_of_trunk(rig: Rig) -> str:
    """Return what `sofia status gateway` says of the trunk."""
    lines = rig.api("sofia status gateway trunk").splitlines()
    return next(line for line in lines if line.startswith("Status")).split()[1]


def test_pings_tell_whether_a_trunk_is_there(rig: Rig, trunk: SipPhone) -> None:
    registration = rig.sofia.gateways["trunk"].registration
    states: list[tuple[str | None, str | None]] = []

    def note(event: Event) -> None:
        if event.get_header("Ping-Status"):  # not what the gateway told when it began
            states.append((event.get_header("Gateway"), event.get_header("Ping-Status")))

    rig.switch.bus.subscribe(note, ("CUSTOM",))
    trunk.server = f"127.0.0.1:{rig.near.settings.sip_port}"
    trunk._address = ("127.0.0.1", rig.near.settings.sip_port)
    for answered in (1, 2):
        ping_now(rig)
        trunk.respond(trunk.wait("OPTIONS"), 200)
        rig.wait(lambda wanted=answered: registration.ping_count == wanted and not registration.pinging)  # type: ignore[misc]
    assert status_of_trunk(rig) == "UP"
    for _ in range(2):
        ping_now(rig)
        trunk.respond(trunk.wait("OPTIONS"), 503, "Down")
        rig.wait(lambda: not registration.pinging)
    assert status_of_trunk(rig) == "DOWN"
    assert rig.api("originate sofia/gateway/trunk/5 &park") == "-ERR GATEWAY_DOWN\n"
    ping_now(rig)
    trunk.wait("OPTIONS")  # and no answer: as dead as before
    rig.wait(lambda: not registration.pinging)
    assert status_of_trunk(rig) == "DOWN"
    ping_now(rig)

    def answered_until_up() -> bool:
        with contextlib.suppress(AssertionError):  # also what was sent again of the one that was not answered
            trunk.respond(trunk.wait("OPTIONS", 0.05), 200)
        return registration.up

    rig.wait(answered_until_up)
    assert status_of_trunk(rig) == "UP"
    assert states == [("trunk", "DOWN"), ("trunk", "UP")]


# -- session timers --------------------------------------------------------------------------------------------------


def test_a_session_that_nobody_refreshes_ends(rig: Rig, phone: SipPhone) -> None:
    theirs, _ = talking(rig, phone, "Supported: timer", "Session-Expires: 90;refresher=uac")
    leg = rig.wait(lambda: [one for one in rig.far.legs if one.timer.agreed == Agreed(90, False)])[0]
    rig.sofia.stack.call(lambda: leg.timer.begin(Agreed(1, False)))
    bye = phone.wait("BYE")
    assert bye.header("Reason").startswith("SIP;cause=408") or "cause=102" in bye.header("Reason")
    phone.respond(bye, 200)
    rig.wait(lambda: theirs.channel.down)
    assert theirs.channel.hangup_cause is HangupCause.RECOVERY_ON_TIMER_EXPIRE


def test_a_refresh_of_ours_that_nobody_answers_ends_the_session(rig: Rig, phone: SipPhone) -> None:
    theirs, _ = talking(rig, phone, "Supported: timer", "Session-Expires: 90;refresher=uas")
    leg = rig.wait(lambda: [one for one in rig.far.legs if one.timer.agreed == Agreed(90, True)])[0]
    rig.sofia.stack.call(lambda: leg.timer.begin(Agreed(1, True)))
    assert "m=audio" in phone.wait("INVITE").body
    rig.wait(lambda: theirs.channel.down)
    phone.received.clear()


def test_a_refresh_keeps_the_session(rig: Rig, phone: SipPhone) -> None:
    theirs, _ = talking(rig, phone, "Supported: timer", "Session-Expires: 90;refresher=uas")
    leg = rig.wait(lambda: [one for one in rig.far.legs if one.timer.agreed == Agreed(90, True)])[0]
    rig.sofia.stack.call(lambda: leg.timer.begin(Agreed(1, True)))
    refresh = phone.wait("INVITE")
    assert refresh.header("Session-Expires").startswith(str(session_timer.SHORTEST))
    phone.respond(refresh, 200, "OK", "Session-Expires: 90;refresher=uac", body=phone.sdp())
    phone.wait("ACK")
    assert phone.nothing("BYE", 1.2)
    assert theirs.channel.up


# -- acknowledgements ------------------------------------------------------------------------------------------------


def test_a_reinvite_whose_answer_is_never_acknowledged_ends_the_call(rig: Rig, phone: SipPhone) -> None:
    theirs, call = talking(rig, phone)
    call.request("INVITE", body=phone.sdp(version=2))
    copies = [phone.wait(200) for _ in range(4)]
    assert len({copy.text for copy in copies}) == 1
    phone.respond(phone.wait("BYE"), 200)
    rig.wait(lambda: theirs.channel.down)
    assert theirs.channel.hangup_cause is HangupCause.RECOVERY_ON_TIMER_EXPIRE
    phone.received.clear()
    assert phone.nothing(200, 0.3)
