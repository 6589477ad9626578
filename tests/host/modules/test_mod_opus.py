"""mod_opus: what `opus_debug` answers, and what it has calls log."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.caller_profile import CallerProfile
from host.clock import SECOND, RealClock
from host.log import LogLevel
from host.session import Session
from host.switch import Switch
from media.rtp_transport import RtpTransport
from media.tone import ToneSource
from tests.eventually import eventually
from tests.host.one_call import Far

ENCODED = re.compile(
    r"encode: opus_frames \[1\] samples \[\d+\] audio bandwidth \[\w+\] bytes \[\d+\] FEC\[no\] channels\[1\]"
)


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    made = Switch(RealClock(), tmp_path)
    for name in ("mod_opus", "mod_commands"):
        made.modules.load(name)
    yield made
    made.close()


def test_what_it_answers(switch: Switch) -> None:
    assert re.fullmatch(r"OPUS Debug: on\nLibrary version: libopus .+\n", switch.api("opus_debug", "ON"))
    assert switch.api("opus_debug", "off") == "OPUS Debug: off\n"
    for wrong in ("", "maybe", "on off"):
        assert switch.api("opus_debug", wrong) == "-USAGE: <on|off>\n"


def test_packets_are_logged_on_their_call(switch: Switch) -> None:
    lines: list[tuple[str, str]] = []
    switch.logs.add_sink(lambda entry: lines.append((entry.uuid, entry.text)), LogLevel.DEBUG)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        transport = RtpTransport(
            "127.0.0.1", (45_000, 46_000), far.getsockname(), codec="opus", payload_type=116, ptime_ms=20
        )
        session = Session(
            switch,
            "test/1",
            CallerProfile(destination_number="1"),
            Far(switch, 8000),
            outbound=False,
            endpoint="test",
            transport=transport,
        )
        session.start()
        session.line.play(ToneSource("%(5000,0,440)", 8000))

        def told(seconds: float = 30.0) -> list[str]:
            end = switch.clock.now() + int(seconds * SECOND)
            while switch.clock.now() < end:
                found = [text for uuid, text in lines if uuid == session.uuid and "opus_frames" in text]
                if found:
                    return found
                switch.clock.sleep(SECOND // 50)
            return []

        def quiet() -> bool:
            lines.clear()
            return told(0.2) == []

        assert quiet()
        switch.api("opus_debug", "on")
        found = told()
        assert found and all(ENCODED.fullmatch(text) for text in found)
        switch.modules.unload("mod_opus")
        eventually(quiet)
        assert switch.api("uuid_codec_debug", f"{session.uuid} audio 1") == "+OK Success\n"
        assert told(0.2) == []
        switch.api("uuid_codec_debug", f"{session.uuid} audio 2")
        assert told()
        switch.api("uuid_codec_debug", f"{session.uuid} audio 0")
        eventually(quiet)
        switch.api("hupall")
        session.channel.hangup()
        session.ended.wait(switch.clock.now() + 2 * SECOND)
