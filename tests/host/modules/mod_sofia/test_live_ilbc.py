"""Calls between two profiles, and with a phone, that speak iLBC in frames of 20 and of 30 ms (RFC 3952)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from media.espeak import synthesize
from media.ilbc import Ilbc
from media.ilbc_encoder import FRAME_BYTES
from tests.host.modules.mod_sofia.live_rig import Caller, Ear, LiveRig, best_level, live
from tests.host.modules.mod_sofia.rtp_stream import RtpStream
from tests.host.modules.mod_sofia.sip_phone import SipPhone
from tests.host.modules.mod_sofia.two_profiles import extension

pytest.importorskip("av")

MODES = (20, 30)
TONE = "tone_stream://v=-13;%(60000,0,900)"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRig]:
    extensions = (
        extension("park", ("answer", ""), ("park", ""))
        + extension("tone", ("answer", ""), ("playback", TONE))
        + extension("echo", ("answer", ""), ("echo", ""))
    )
    taken = '<param name="inbound-codec-prefs" value="iLBC@30i,PCMU"/>'
    with live(Path(tmp_path_factory.mktemp("ilbc")), extensions, far=taken) as rig:
        yield rig


@pytest.mark.parametrize("mode", MODES)
def test_both_sides_use_the_mode_that_the_caller_offers(rig: LiveRig, mode: int) -> None:
    caller = Caller(rig, "tone", f"absolute_codec_string=iLBC@{mode}i")
    for leg in (caller.session, caller.far):
        assert leg.channel.variables.get("rtp_use_codec_name") == "iLBC"
        assert leg.channel.variables.get("rtp_use_codec_ptime") == str(mode)
        assert f"mode={mode}" in str(leg.channel.variables.get("rtp_use_codec_fmtp"))
    caller.wait_for(900)
    caller.far.line.tap(caller.ear, read=True, write=False)
    caller.ear.forget()
    caller.say_tone(400)
    caller.wait_for(400)
    caller.hang_up()


@pytest.mark.parametrize("mode", MODES)
def test_what_is_spoken_is_understood_at_the_far_end(rig: LiveRig, mode: int) -> None:
    said = synthesize("Please enter your number, and press the pound key.")
    caller = Caller(rig, "park", f"absolute_codec_string=iLBC@{mode}i")
    ear = Ear()
    caller.far.line.tap(ear, read=True, write=False)
    caller.say(said)
    rig.wait(lambda: len(ear.heard) > len(said) + 8000)
    # Another sentence of the same voice is alike by half.
    assert _likeness(said, ear.heard) > 0.85
    caller.hang_up()


def _likeness(said: NDArray[np.int16], heard: NDArray[np.int16]) -> float:
    """Return how well loudness over time and frequency agree, 1 for the same, at the best delay."""
    shapes = [_spectrogram(sound) for sound in (said, heard)]
    length = len(shapes[0])
    return max(
        float(np.corrcoef(shapes[0].ravel(), shapes[1][late : late + length].ravel())[0, 1])
        for late in range(max(1, len(shapes[1]) - length))
    )


def _spectrogram(sound: NDArray[np.int16]) -> NDArray[np.float64]:
    frames = np.lib.stride_tricks.sliding_window_view(sound.astype(float), 256)[::80]
    power = np.abs(np.fft.rfft(frames * np.hanning(256))) ** 2
    bands: NDArray[np.float64] = np.log10(power[:, 2:114].reshape(len(frames), 16, 7).sum(2) + 1e4)
    return bands


@pytest.mark.parametrize("mode", MODES)
def test_a_phone_that_asks_for_a_mode_has_it_both_ways(rig: LiveRig, mode: int) -> None:
    with SipPhone(rig.far.settings.sip_port) as phone:
        offer = (
            "v=0\r\no=phone 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {phone.media.getsockname()[1]} RTP/AVP 111\r\na=rtpmap:111 iLBC/8000\r\n"
            f"a=fmtp:111 mode={mode}\r\n"
        )
        dialog = phone.invite("echo", body=offer)
        answer = phone.wait(200)
        dialog.ack(answer)
        assert f"a=fmtp:111 mode={mode}" in answer.body
        assert f"a=ptime:{mode}" in answer.body
        codec, size = Ilbc(mode), 8 * mode
        tone = (6000 * np.sin(2 * np.pi * 700 / 8000 * np.arange(2400 * 6))).astype(np.int16)
        frames = tone.reshape(-1, size)
        with RtpStream(phone, answer, size) as stream:
            while len(stream.of(111)) < len(frames):
                for frame in frames[: 200 // mode]:
                    stream.send(111, codec.encode(frame))
                    time.sleep(mode / 1000)
        heard = stream.of(111)
        assert {len(packet.payload) for packet in heard} == {FRAME_BYTES[mode]}
        assert np.median(np.diff([packet.stamp for packet in heard])) == size
        back = np.concatenate([codec.decode(packet.payload) for packet in heard])
        assert best_level(back, 700) > 3000
        dialog.request("BYE")
        phone.wait(200, method="BYE")
