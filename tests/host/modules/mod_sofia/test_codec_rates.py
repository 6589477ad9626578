"""Codecs at other rates than their usual one, and answers with other payload types than their offers."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from host.session import Session
from tests.host.modules.mod_sofia.live_rig import Caller, LiveRig, best_level, live
from tests.host.modules.mod_sofia.rtp_stream import RtpStream
from tests.host.modules.mod_sofia.sip_phone import SipMessage, SipPhone
from tests.host.modules.mod_sofia.two_profiles import extension

RATES = {"L16": 8000, "L16@16000h": 16000, "opus@16000h": 16000, "opus@8000h": 8000}
TONE = "tone_stream://v=-13;%(60000,0,900)"


def dialled(preference: str) -> str:
    """Return the number that takes a call with one codec."""
    return "with_" + preference.replace("@", "_")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRig]:
    extensions = extension("park", ("answer", ""), ("park", "")) + "".join(
        extension(dialled(one), ("set", f"absolute_codec_string={one}"), ("answer", ""), ("playback", TONE))
        for one in RATES
    )
    taken = f'<param name="inbound-codec-prefs" value="PCMU,{",".join(RATES)}"/>'
    with live(Path(tmp_path_factory.mktemp("rates")), extensions, far=taken) as rig:
        yield rig


@pytest.mark.parametrize(("preference", "rate"), RATES.items())
def test_sound_goes_at_the_rate_that_was_agreed_on(rig: LiveRig, preference: str, rate: int) -> None:
    caller = Caller(rig, dialled(preference), f"absolute_codec_string={preference}")
    for leg in (caller.session, caller.far):
        assert leg.channel.variables.get("rtp_use_codec_rate") == str(rate)
        assert leg.line.rate == rate
    caller.wait_for(900)
    caller.far.line.tap(caller.ear, read=True, write=False)
    caller.ear.forget()
    caller.say_tone(400)
    caller.wait_for(400)
    caller.hang_up()


def numbers_of(invite: SipMessage) -> dict[str, int]:
    """Return the payload types of an offer by the encoding and clock they stand for."""
    lines = [line[9:].split() for line in invite.body.split("\r\n") if line.startswith("a=rtpmap:")]
    return {name: int(number) for number, name in lines}


@dataclass
class Answered:
    """A call to the phone that is answered with the payload types 119 for sound and 120 for keys."""

    session: Session
    stream: RtpStream
    sound: int
    event: int


def answered(rig: LiveRig, phone: SipPhone, application: str) -> Answered:
    """Call the phone, answer with numbers of its own, and run an application."""
    place = f"sofia/far/phone@127.0.0.1:{phone.port}"
    rig.api(f"bgapi originate {{absolute_codec_string=L16@16000h}}{place} &{application}")
    invite = phone.wait("INVITE")
    offered = numbers_of(invite)
    kind = next(name for name in offered if name.startswith("telephone-event"))
    answer = (
        "v=0\r\no=phone 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=audio {phone.media.getsockname()[1]} RTP/AVP 119 120\r\na=rtpmap:119 L16/16000\r\n"
        f"a=rtpmap:120 {kind}\r\na=sendrecv\r\n"
    )
    phone.respond(invite, 200, "OK", body=answer)
    phone.wait("ACK")
    ours = rig.leg("outbound")
    rig.wait(lambda: ours.channel.answered)
    assert {offered["L16/16000"], offered[kind]}.isdisjoint({119, 120})
    stream = RtpStream(phone, invite, 320)  # 20 ms a packet
    return Answered(ours, stream, offered["L16/16000"], offered[kind])


def test_each_side_receives_sound_with_its_own_numbers(rig: LiveRig) -> None:
    with SipPhone(rig.far.settings.sip_port) as phone:
        call = answered(rig, phone, "echo()")
        rig.variable(call.session, "current_application", "echo")
        said = (6000 * np.sin(2 * np.pi * 700 / 16000 * np.arange(16000))).astype(">i2")
        with call.stream as stream:
            for frame in said.reshape(-1, 320):
                stream.send(call.sound, frame.tobytes())
                time.sleep(0.02)
            rig.api(f"uuid_send_dtmf {call.session.uuid} 7@100")
            rig.wait(lambda: [packet for packet in stream.of(120) if packet.payload[0] == 7])
        assert {packet.payload_type for packet in stream.heard} == {119, 120}
        back = np.frombuffer(b"".join(packet.payload for packet in stream.of(119)), ">i2")
        assert best_level(back.astype(np.int16), 700, 16000) > 5000
        call.session.channel.hangup()
        phone.respond(phone.wait("BYE"), 200)


def test_each_side_receives_keys_with_its_own_numbers(rig: LiveRig) -> None:
    with SipPhone(rig.far.settings.sip_port) as phone:
        call = answered(rig, phone, "read('1 1 silence_stream://-1 pressed 8000 #')")
        rig.variable(call.session, "current_application", "read")
        for step in range(20):
            call.stream.send(call.sound, bytes(640))
            if step >= 14:
                ended = 0x80 * (step > 16)
                payload = struct.pack("!BBH", 5, 10 | ended, 320 * min(step - 13, 4))
                call.stream.send(call.event, payload, step == 14, 14 * 320)
            time.sleep(0.02)
        assert rig.variable(call.session, "pressed") == "5"
        phone.respond(phone.wait("BYE"), 200)
