"""Two phones that call each other through the host: `alice` calls, `far` takes it, `near` calls `bob`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from host.channel import Flag
from host.channel_state import ChannelState
from host.modules.mod_sofia.call.leg import SofiaLeg
from host.session import Session
from tests.host.modules.mod_sofia.sip_phone import Dialog, SipMessage, SipPhone
from tests.host.modules.mod_sofia.two_profiles import Rig, configuration, extension

BOB = "sofia/near/bob@127.0.0.1:${bob_port}"
BYPASS = ("set", "bypass_media=true")
PLAY = ("playback", "tone_stream://%(60000,0,600)")


def late_configuration(*extensions: str) -> str:
    """Return a configuration with bob's numbers `bypass` and `plain`; both profiles leave codecs to the far end."""
    late = '<param name="inbound-late-negotiation" value="true"/><param name="enable-timer" value="false"/>'
    numbers = (extension("bypass", BYPASS, ("bridge", BOB)), extension("plain", ("bridge", BOB)))
    return configuration("".join((*numbers, *extensions)), near=late, far=late)


def sdp(phone: SipPhone, codec: str = "18", more: str = "", version: int = 1) -> str:
    """Return a description that no host would make of itself."""
    return phone.sdp(codec=codec, version=version) + f"a=of:{phone.port}\r\n{more}"


def without_origin(text: str) -> str:
    return re.sub(r"^o=.*$", "", text, count=1, flags=re.MULTILINE)


@dataclass
class Call:
    """A call from alice to bob that is answered: both dialogs, both legs, the INVITE and the answer."""

    near: Dialog
    far: Dialog
    a: Session
    b: Session
    invite: SipMessage
    answer: SipMessage


def connect(rig: Rig, alice: SipPhone, bob: SipPhone, number: str, codec: str = "18") -> Call:
    near = alice.invite(number, body=sdp(alice, codec))
    invite = bob.wait("INVITE")
    bob.respond(invite, 200, "OK", body=sdp(bob, codec))
    bob.wait("ACK")
    answer = alice.wait(200)
    near.ack(answer)
    a, b = rig.leg("inbound"), rig.leg("outbound")
    rig.wait(lambda: a.partner == b.uuid)
    return Call(near, Dialog.of(bob, invite), a, b, invite, answer)


def bypassed(call: Call) -> bool:
    return (
        call.a.channel.running_state is call.b.channel.running_state is ChannelState.CS_HIBERNATE
        and Flag.PROXY_MODE in call.a.channel.flags & call.b.channel.flags
    )


def through_host(rig: Rig, call: Call) -> bool:
    return (
        Flag.BRIDGED in call.a.channel.flags & call.b.channel.flags
        and Flag.PROXY_MODE not in call.a.channel.flags | call.b.channel.flags
        and rig.ports == 2
    )


def connect_bypassed(rig: Rig, alice: SipPhone, bob: SipPhone, codec: str = "0") -> Call:
    """Return a call to the number `bypass` once its sound passes from phone to phone."""
    call = connect(rig, alice, bob, "bypass", codec)
    rig.wait(lambda: bypassed(call))
    return call


def connect_through_host(rig: Rig, alice: SipPhone, bob: SipPhone) -> Call:
    """Return a call to the number `plain` once its sound passes through the host."""
    call = connect(rig, alice, bob, "plain", "0")
    rig.wait(lambda: through_host(rig, call))
    return call


def leg(session: Session) -> SofiaLeg:
    assert isinstance(session.io, SofiaLeg)
    return session.io


def take(phone: SipPhone, dialog: Dialog, body: str = "", code: int = 200) -> SipMessage:
    """Answer the next re-INVITE, and return it."""
    request = phone.wait("INVITE")
    phone.respond(request, code, body=body or (sdp(phone, "0", version=5) if code < 300 else ""))
    phone.wait("ACK")
    dialog.cseq = max(dialog.cseq, 0)
    return request


def gets_sound(phone: SipPhone) -> bool:
    """Return whether the next packet that comes to a phone is 20 ms of PCMU."""
    phone.media.settimeout(20)
    return len(phone.media.recv(2048)) == 12 + 160


def api_later(rig: Rig, line: str) -> Callable[[], str]:
    """Run a command beside; what is returned waits for its reply."""
    replies: list[str] = []
    rig.switch.clock.spawn(lambda: replies.append(rig.api(line)), "test-api")
    return lambda: rig.wait(lambda: replies)[0]


def sound_passes(alice: SipPhone, bob: SipPhone, described: str) -> bool:
    """Return whether what bob sends to the host comes to alice."""
    port = int(re.search(r"m=audio (\d+)", described)[1])  # type: ignore[index]
    alice.media.settimeout(0.05)
    for number in range(100):
        packet = bytes((0x80, 0, 0, number)) + (160 * number).to_bytes(4, "big") + b"\0\0\0\7" + b"\x2a" * 160
        bob.media.sendto(packet, ("127.0.0.1", port))
        try:
            if alice.media.recv(2048)[12:] == b"\x2a" * 160:
                return True
        except TimeoutError:
            continue
    return False
