"""Legs whose far end is a browser: given up, held, transferred, bridged, listened in to, recorded, and left alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from host.channel import Flag
from host.session import Session
from tests.free_ports import free_port
from tests.host.modules.mod_sofia.browser_phone import VOICE, BrowserPhone
from tests.host.modules.mod_sofia.live_rig import Caller, LiveRig, best_level, live, read_wav
from tests.host.modules.mod_sofia.sip_phone import Dialog
from tests.host.modules.mod_sofia.two_profiles import extension

pytestmark = pytest.mark.usefixtures("clean")

WORDS: Final = 700  # hertz of what the other side of a bridge says
WEBSOCKET: Final = free_port()
FAR: Final = f'<param name="ws-binding" value="127.0.0.1:{WEBSOCKET}"/>'


def tone(frequency: int) -> str:
    return f"tone_stream://v=-13;%(600000,0,{frequency})"


EXTENSIONS: Final = "".join(
    (
        extension("park", ("answer", ""), ("park", "")),
        extension("tone900", ("answer", ""), ("playback", tone(900))),
        extension("early", ("pre_answer", ""), ("playback", tone(440))),
        extension("never", ("ring_ready", ""), ("sleep", "600000")),
        extension("page", ("bridge", "$${page}")),
        extension("page_then_bypass", ("set", "bypass_media_after_bridge=true"), ("bridge", "$${page}")),
        extension("page_bypassed", ("set", "bypass_media=true"), ("bridge", "$${page}")),
        extension("spy", ("answer", ""), ("eavesdrop", "${sip_h_X-Spied}")),
    )
)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRig]:
    with live(Path(tmp_path_factory.mktemp("browsers")), EXTENSIONS, far=FAR) as rig:
        yield rig


@pytest.fixture
def page(rig: LiveRig) -> Iterator[BrowserPhone]:
    with BrowserPhone(WEBSOCKET) as page:
        rig.switch.global_variables.set("page", page.dial_string)
        yield page


def hears(rig: LiveRig, page: BrowserPhone, hertz: int) -> None:
    """Wait until the page hears a tone, and nothing else."""
    rig.wait(lambda: page.peer.hears(hertz), 40)


def calling(rig: LiveRig, page: BrowserPhone, number: str) -> tuple[Session, Dialog]:
    """Return a call from the page that is answered: our leg, and the page's view."""
    call = page.invite(number, body=page.peer.offer())
    answer = page.wait(200, method="INVITE")
    call.ack(answer)
    page.peer.take_answer(answer.body)
    leg = rig.leg("inbound")
    rig.wait(lambda: leg.channel.answered)
    return leg, call


def bridged_by_command(rig: LiveRig, page: BrowserPhone) -> tuple[Caller, Session, Dialog]:
    """Return a call from the page and one from a phone, both hearing each other, as `bridged`.

    The page may offer anew in it: aiortc does not listen to payload types that it has not known from the beginning,
    and offers others than it has been offered.
    """
    leg, call = calling(rig, page, "park")
    caller = Caller(rig, "park")
    assert rig.api(f"uuid_bridge {leg.uuid} {caller.far.uuid}").startswith("+OK")
    both_hear(rig, page, caller)
    return caller, leg, call


def both_hear(rig: LiveRig, page: BrowserPhone, caller: Caller) -> None:
    """Have the phone speak, and wait until both hear each other, from now on."""
    caller.say_tone(WORDS)
    page.peer.forget()
    caller.ear.forget()
    hears(rig, page, WORDS)
    caller.wait_for(VOICE)


def bridged(rig: LiveRig, page: BrowserPhone, number: str = "page") -> tuple[Caller, Session, Dialog]:
    """Return a phone's call to the page, both hearing each other: the phone, our leg of the page, the page's view."""
    caller = Caller(rig, number, answered=False)
    invite = page.wait("INVITE")
    page.respond(invite, 200, "OK", body=page.peer.answer(invite.body))
    page.wait("ACK")
    rig.wait(lambda: caller.session.channel.answered)
    caller.say_tone(WORDS)
    hears(rig, page, WORDS)
    caller.wait_for(VOICE)
    return (
        caller,
        rig.wait(lambda: rig.switch.find_session(caller.far.partner or "")),
        Dialog.of(page, invite),
    )


def renew(page: BrowserPhone, call: Dialog, direction: str) -> str:
    """Have the page offer its sound in another direction; return the answer."""
    call.request("INVITE", body=page.peer.offer(direction))
    answer = page.wait(200, method="INVITE")
    call.ack(answer)
    page.peer.take_answer(answer.body)
    return answer.body


def take_offer(page: BrowserPhone) -> str:
    """Have the page take an offer within its call; return it."""
    invite = page.wait("INVITE")
    page.respond(invite, 200, "OK", body=page.peer.answer(invite.body))
    page.wait("ACK")
    return invite.body


def test_the_certificate_is_there_before_a_browser_calls(rig: LiveRig) -> None:
    assert rig.switch.dtls_identity.loaded


# -- given up --------------------------------------------------------------------------------------------------------


def test_a_browser_that_rings_is_given_up(rig: LiveRig, page: BrowserPhone) -> None:
    rig.api("bgapi originate $${page} &park()".replace("$${page}", page.dial_string))
    leg = rig.leg("outbound")
    invite = page.wait("INVITE")
    for line in ("a=group:BUNDLE 0", "a=mid:0", f"a=msid:{leg.uuid} a0", "a=setup:actpass", "a=ice-lite"):
        assert line in invite.body.splitlines()
    page.respond(invite, 180, "Ringing")
    rig.wait(lambda: Flag.RING_READY in leg.channel.flags)
    rig.api(f"uuid_kill {leg.uuid}")
    cancel = page.wait("CANCEL")
    page.respond(cancel, 200, "OK")
    page.respond(invite, 487, "Request Terminated")
    page.wait("ACK")
    rig.quiet()


def test_a_browser_gives_up_before_there_is_sound(rig: LiveRig, page: BrowserPhone) -> None:
    call = page.invite("never", body=page.peer.offer())
    page.wait(180)
    call.cancel()
    page.wait(200, method="CANCEL")
    page.wait(487)
    rig.quiet()


def test_a_browser_gives_up_amid_early_sound(rig: LiveRig, page: BrowserPhone) -> None:
    call = page.invite("early", body=page.peer.offer())
    page.peer.take_answer(page.wait(183).body)
    hears(rig, page, 440)
    call.cancel()
    page.wait(200, method="CANCEL")
    page.wait(487)
    rig.quiet()


# -- held ------------------------------------------------------------------------------------------------------------


def test_a_browser_holds_and_resumes(rig: LiveRig, page: BrowserPhone) -> None:
    caller, leg, call = bridged_by_command(rig, page)
    assert "a=recvonly" in renew(page, call, "sendonly")
    rig.wait(lambda: Flag.LEG_HOLDING in leg.channel.flags)
    caller.wait_for(VOICE)
    assert "a=sendrecv" in renew(page, call, "sendrecv")
    rig.wait(lambda: Flag.LEG_HOLDING not in leg.channel.flags)
    both_hear(rig, page, caller)


def test_a_browser_is_held_and_taken_back(rig: LiveRig, page: BrowserPhone) -> None:
    caller, leg, _ = bridged(rig, page)
    assert rig.api(f"uuid_hold {leg.uuid}").startswith("+OK")
    offer = take_offer(page)
    assert "a=sendonly" in offer and "a=mid:0" in offer and "a=group:BUNDLE 0" in offer
    caller.wait_for_end_of(VOICE)
    assert rig.api(f"uuid_hold off {leg.uuid}").startswith("+OK")
    assert "a=sendrecv" in take_offer(page)
    both_hear(rig, page, caller)


# -- transferred -----------------------------------------------------------------------------------------------------


def test_a_browser_sends_its_partner_elsewhere(rig: LiveRig, page: BrowserPhone) -> None:
    caller, _, call = bridged(rig, page)
    call.request("REFER", f"Refer-To: <sip:tone900@{page.server}>")
    page.wait(202, method="REFER")
    page.respond(page.wait("NOTIFY"), 200, "OK")
    caller.wait_for(900)
    page.respond(page.wait("BYE"), 200, "OK")


def test_a_browser_is_sent_elsewhere(rig: LiveRig, page: BrowserPhone) -> None:
    leg, call = calling(rig, page, "tone900")
    hears(rig, page, 900)
    rig.api(f"bgapi uuid_deflect {leg.uuid} sip:other@127.0.0.1")
    refer = page.wait("REFER")
    assert refer.header("Refer-To") == "<sip:other@127.0.0.1>"
    page.respond(refer, 202, "Accepted")
    headers = ("Event: refer", "Subscription-State: terminated", "Content-Type: message/sipfrag;version=2.0")
    call.request("NOTIFY", *headers, body="SIP/2.0 200 OK\r\n")
    page.wait(200, method="NOTIFY")
    page.respond(page.wait("BYE"), 200, "OK")
    rig.quiet()


def test_a_browser_is_moved_within_the_switch(rig: LiveRig, page: BrowserPhone) -> None:
    _, leg, _ = bridged(rig, page)
    assert rig.api(f"uuid_transfer {leg.uuid} tone900 XML default").startswith("+OK")
    hears(rig, page, 900)


def test_a_browser_is_bridged_by_a_command(rig: LiveRig, page: BrowserPhone) -> None:
    bridged_by_command(rig, page)


# -- who cannot leave the switch out ---------------------------------------------------------------------------------


def test_sound_of_a_browser_cannot_bypass_the_switch(rig: LiveRig, page: BrowserPhone) -> None:
    caller, leg, _ = bridged(rig, page)
    for uuid in (leg.uuid, caller.far.uuid):
        assert rig.api(f"uuid_media off {uuid}") == "-ERR Operation failed\n"
    assert Flag.PROXY_MODE not in leg.channel.flags | caller.far.channel.flags
    both_hear(rig, page, caller)


def test_sound_of_a_browser_stays_where_it_was_to_leave_after_the_bridge(
    rig: LiveRig, page: BrowserPhone
) -> None:
    caller, leg, _ = bridged(rig, page, "page_then_bypass")
    both_hear(rig, page, caller)
    assert Flag.PROXY_MODE not in leg.channel.flags | caller.far.channel.flags


def test_sound_that_is_to_bypass_the_switch_is_the_phone_s_own_which_a_browser_refuses(
    rig: LiveRig, page: BrowserPhone
) -> None:
    caller = Caller(rig, "page_bypassed", answered=False)
    invite = page.wait("INVITE")
    assert "RTP/AVP" in invite.body and "fingerprint" not in invite.body
    page.respond(invite, 488, "Not Acceptable Here")
    page.wait("ACK")
    rig.variable(caller.session, "hangup_cause", "INCOMPATIBLE_DESTINATION")


# -- listened in to --------------------------------------------------------------------------------------------------


def test_who_listens_in_hears_the_browser_and_its_partner(rig: LiveRig, page: BrowserPhone) -> None:
    _, leg, _ = bridged(rig, page)
    spy = Caller(rig, "spy", f"sip_h_X-Spied={leg.uuid}")
    spy.wait_for(VOICE)
    spy.wait_for(WORDS)


def test_a_browser_is_recorded_in_stereo(rig: LiveRig, page: BrowserPhone, tmp_path: Path) -> None:
    _, leg, _ = bridged(rig, page)
    file = tmp_path / "both.wav"
    rig.api(f"uuid_setvar {leg.uuid} RECORD_STEREO true")
    assert rig.api(f"uuid_record {leg.uuid} start {file}").startswith("+OK")
    rig.wait(lambda: file.is_file() and len(read_wav(file)) > leg.line.rate // 2)
    assert rig.api(f"uuid_record {leg.uuid} stop {file}").startswith("+OK")
    samples = read_wav(file)
    assert samples.shape[1] == 2
    left, right = samples[:, 0], samples[:, 1]
    rate = leg.line.rate
    assert best_level(left, VOICE, rate) > 1000 > 10 * best_level(left, WORDS, rate)
    assert best_level(right, WORDS, rate) > 1000 > 10 * best_level(right, VOICE, rate)


# -- left alone ------------------------------------------------------------------------------------------------------


def test_a_browser_that_vanishes_has_its_call_ended(rig: LiveRig, page: BrowserPhone) -> None:
    caller, leg, call = bridged_by_command(rig, page)
    rig.api(f"uuid_setvar {leg.uuid} media_timeout 500")
    call.request("INVITE", body=page.peer.offer())  # from now on it counts
    page.wait(200, method="INVITE")
    page.vanish()
    rig.wait(lambda: caller.session.channel.down, 40)
    rig.variable(leg, "hangup_cause", "MEDIA_TIMEOUT")
    rig.quiet()


def test_a_browser_that_never_comes_has_its_call_ended(rig: LiveRig, page: BrowserPhone) -> None:
    rig.api(f"bgapi originate {{media_timeout=500}}{page.dial_string} &park()")
    leg = rig.leg("outbound")
    invite = page.wait("INVITE")
    answer = page.peer.answer(invite.body)
    page.fall_silent()  # before a check went anywhere, or soon after
    page.respond(invite, 200, "OK", body=answer)
    page.wait("ACK")
    rig.variable(leg, "hangup_cause", "MEDIA_TIMEOUT")
    rig.quiet()
