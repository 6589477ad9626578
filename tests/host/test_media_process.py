from __future__ import annotations

import os
import queue
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.caller_profile import CallerProfile
from host.channel_state import ChannelState
from host.clock import SECOND, RealClock, VirtualClock
from host.event import Event
from host.hangup_cause import HangupCause
from host.heartbeat import fire_heartbeat
from host.ivr.input_args import NO_INPUT
from host.ivr.listen import play_source
from host.media_status import media_figures
from host.session import Session
from host.switch import Switch
from media.engine import Engine
from media.realtime.remote_engine import RemoteEngine
from media.rtp_line import RtpLine
from media.rtp_transport import RtpTransport, TransportError
from media.source import Silence
from tests.host.handset import Handset


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    made = Switch(RealClock(), tmp_path)
    made.modules.load("mod_commands")
    yield made
    made.close()


def call(switch: Switch, transport: RtpTransport | None = None) -> Session:
    profile = CallerProfile(destination_number="1")
    return Session(switch, "test/1", profile, Handset(), outbound=False, endpoint="test", transport=transport)


def test_the_real_clock_has_a_process_and_virtual_time_has_none(switch: Switch, tmp_path: Path) -> None:
    assert isinstance(switch.engine, RemoteEngine)
    assert media_figures(switch) == [] and switch.api("status", "media").startswith("-ERR")
    virtual = Switch(VirtualClock(), tmp_path)
    assert isinstance(virtual.engine, Engine)
    assert isinstance(Switch(RealClock(), tmp_path, media_process=False).engine, Engine)


def test_calls_end_with_a_clear_cause_when_the_engine_dies(switch: Switch) -> None:
    logged: list[str] = []
    playing = queue.Queue[bool]()
    switch.logs.add_sink(lambda entry: logged.append(entry.text))
    session = call(switch)
    ended: list[object] = []

    def execute(session: Session) -> bool:
        playing.put(True)
        ended.append(play_source(session, Silence(8000), NO_INPUT))
        return False

    session.endpoint_handlers = {ChannelState.CS_EXECUTE: execute}
    session.channel.set_state(ChannelState.CS_EXECUTE)
    session.start()
    playing.get(timeout=40)
    os.kill(switch.engine.status().process, signal.SIGKILL)
    assert session.ended.wait(switch.clock.now() + 10 * SECOND)
    assert session.channel.hangup_cause is HangupCause.NORMAL_TEMPORARY_FAILURE
    assert any("ended with signal 9" in text and "1 lines are lost" in text for text in logged)
    later = call(switch)
    assert switch.engine.line_count == 1
    later.line.close()


def test_a_session_may_have_rtp(switch: Switch, tmp_path: Path) -> None:
    session = call(switch, RtpTransport("127.0.0.1", (45_200, 45_300)))
    assert isinstance(session.line, RtpLine) and 45_200 <= session.line.local[1] <= 45_300
    figures = dict(media_figures(switch))
    assert figures["Media-RTP-Lines"] == figures["Media-Lines"] == "1"
    assert "Media-Lateness-P99: " in switch.api("status", "media")
    session.line.close()
    with pytest.raises(TransportError):
        call(Switch(VirtualClock(), tmp_path), RtpTransport("127.0.0.1"))


def test_heartbeat_tells_of_the_engine(switch: Switch) -> None:
    heard = queue.Queue[Event]()
    switch.bus.subscribe(heard.put, ("HEARTBEAT",))
    switch.engine.start()
    fire_heartbeat(switch)
    event = heard.get(timeout=40)
    assert event.get_header("Media-Process") == str(switch.engine.status().process)
