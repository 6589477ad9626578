"""A message is left over SIP, a registered phone is told of it, and its owner hears it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from host.default_config import english_voicemail_macros
from host.event import Event
from media.source import Samples, Source
from tests.host.modules.mod_sofia.live_rig import Caller, LiveRig, live
from tests.host.modules.mod_sofia.two_profiles import extension
from tests.sip.raw_phone import RawPhone, field

EXTENSIONS = "".join(
    (
        extension("park", ("answer", ""), ("park", "")),
        extension(
            "leave",
            ("answer", ""),
            ("set", "skip_greeting=true"),
            ("set", "skip_instructions=true"),
            ("set", "skip_record_check=true"),
            ("voicemail", "box 127.0.0.1 1001"),
        ),
        extension("check", ("answer", ""), ("voicemail", "check box 127.0.0.1 1001")),
    )
)
CONFIGURATION = """<configuration name="voicemail.conf"><settings/><profiles><profile name="box">
    <param name="min-record-len" value="1"/><param name="tone-spec" value="v=-13;%(200,0,640)"/>
    <param name="play-date-announcement" value="never"/>
    </profile></profiles></configuration>"""
DIRECTORY = """<domain name="127.0.0.1"><user id="1001"><params>
    <param name="vm-password" value="4711"/></params></user></domain>"""
LANGUAGES = f"""<section name="languages"><language name="en" say-module="en"><phrases><macros>
    {english_voicemail_macros()}</macros></phrases></language></section>"""


def quiet(text: str, rate: int) -> Source:
    """Say a prompt that is not there: 20 ms of silence."""
    return Samples(np.zeros(rate * 20 // 1000, np.int16), rate)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[LiveRig]:
    blind = '<param name="accept-blind-reg" value="true"/>'
    with live(
        tmp_path, EXTENSIONS, directory=DIRECTORY, more=CONFIGURATION, sections=LANGUAGES, far=blind
    ) as rig:
        rig.switch.speak_missing = quiet
        yield rig


def test_a_message_is_left_told_and_heard(rig: LiveRig) -> None:
    waiting: list[Event] = []
    subscription = rig.switch.bus.subscribe(waiting.append, ["MESSAGE_WAITING"])
    with RawPhone(rig.far.settings.sip_port) as phone:
        headers = {"Contact": f"<sip:1001@{phone.address}>", "Expires": "300"}
        phone.send(
            phone.request("REGISTER", "1001", caller="1001", domain="127.0.0.1", headers=headers).encode()
        )
        assert phone.receive().startswith("SIP/2.0 200")

        caller = Caller(rig, "leave")
        caller.say_tone(500)
        caller.wait_for_passing(640)
        rig.variable(caller.far, "current_application", "voicemail")
        caller.ear.forget()
        rig.wait(lambda: len(caller.ear.heard) > 9_600)
        caller.press("#")
        rig.variable(caller.far, "record_ms")
        caller.hang_up()

        while not (notify := phone.receive()).startswith("NOTIFY "):
            assert notify, "no NOTIFY came"
        assert "Event: message-summary" in notify
        assert "Messages-Waiting: yes" in notify
        assert "Voice-Message: 1/0\r\n" in notify
        kept = (f"{name}: {field(notify, name)}" for name in ("Via", "From", "To", "Call-ID", "CSeq"))
        phone.send("\r\n".join(("SIP/2.0 200 OK", *kept, "Content-Length: 0", "", "")).encode())
    rig.switch.bus.unsubscribe(subscription)
    assert waiting[-1].get_header("MWI-Voice-Message") == "1/0"

    owner = Caller(rig, "check")
    rig.variable(owner.far, "current_application", "voicemail")
    owner.press("4711#")
    owner.wait_for_passing(500)
    owner.press("7")  # delete it
    owner.wait_for_end_of(500)
    owner.hang_up()
    rig.quiet()
    rig.wait(lambda: rig.api("vm_boxcount box/1001@127.0.0.1") == "0")
