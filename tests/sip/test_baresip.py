"""baresip as a phone: it registers, calls and is called; what each side heard is the tone that the other said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from host.console.client import Message
from tests.sip.baresip import Baresip, read_wav, seconds_of_tone
from tests.sip.host_configuration import DOMAIN, Extension
from tests.sip.served_host import ServedHost
from tests.sip.until import until

PHONE_TONE, HOST_TONE = 700, 1200
# Seconds of a tone that are heard before a call goes on; how long it is silent before says nothing.
ENOUGH = 0.8
RECORDED = ("record_session", "${base_dir}/${destination_number}.wav")
SAYING = ("playback", f"tone_stream://%(60000,0,{HOST_TONE})")
EXTENSIONS = [
    *(
        Extension(
            number, [("set", "RECORD_READ_ONLY=true"), ("answer", ""), RECORDED, SAYING, ("hangup", "")]
        )
        for number in ("talk-udp", "talk-tcp", "talk-tls")
    ),
    Extension("stay", [("answer", ""), ("playback", f"tone_stream://%(60000,0,{HOST_TONE})")]),
    Extension("elsewhere", [("answer", ""), SAYING, ("hangup", "")], of_a_row=False),
    Extension("to-phone", [("bridge", f"user/1001@{DOMAIN}")]),
]
TLS = True


def phone(
    host: ServedHost, folder: Path, user: str = "1000", transport: str = "udp", params: str = ""
) -> Baresip:
    """A phone of the profile `internal`, which registers."""
    port = host.ports.internal_tls if transport == "tls" else host.ports.internal
    at = f"127.0.0.1:{port};transport={transport}"
    return Baresip.of_account(folder, user, at, tone=PHONE_TONE, params=params)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_it_registers_calls_and_both_hear_each_other(
    host: ServedHost, tmp_path: Path, transport: str
) -> None:
    number = f"talk-{transport}"
    with phone(host, tmp_path, transport=transport) as caller:
        caller.registered()
        caller.command("dial", f"sip:{number}@{DOMAIN}")
        caller.wait_for("CALL_ESTABLISHED")
        both_hear(caller, host.folder / f"{number}.wav")
        uuid = host.event(host.of_row(number, "CHANNEL_ANSWER"), what="the answer").get("Unique-ID")
        host.api(f"uuid_break {uuid}")
        caller.wait_for("CALL_CLOSED")
        end = host.event(host.of_row(number, "CHANNEL_HANGUP_COMPLETE"), what="the hangup")
        assert end.get("variable_sip_via_protocol") == transport


def both_hear(phone: Baresip, recording: Path) -> None:
    """Wait until the phone has heard the host's tone, and the host's recording holds the phone's."""
    until(lambda: seconds_of_tone(phone.heard(), HOST_TONE) > ENOUGH, "the host is heard")
    until(
        lambda: recording.exists() and seconds_of_tone(read_wav(recording), PHONE_TONE) > ENOUGH,
        "the phone is recorded",
    )


def test_it_is_called_and_both_hear_each_other(host: ServedHost, tmp_path: Path) -> None:
    with phone(host, tmp_path, "1001", params="answermode=auto") as callee:
        callee.registered()
        reply = host.api(
            f"originate {{row=to-phone-out,origination_caller_id_number=1000}}user/1001@{DOMAIN} "
            f"'set:RECORD_READ_ONLY=true,record_session:{host.folder}/called.wav,"
            f"playback:tone_stream://%(60000\\,0\\,{HOST_TONE}),hangup' inline"
        )
        assert reply.startswith("+OK"), reply
        both_hear(callee, host.folder / "called.wav")
        host.api(f"uuid_break {reply.split()[1]}")
        callee.wait_for("CALL_CLOSED")


def _digit(digit: str) -> Callable[[Message], bool]:
    return lambda event: event.get("Event-Name") == "DTMF" and event.get("DTMF-Digit") == digit


def test_its_digits_are_heard(host: ServedHost, tmp_path: Path) -> None:
    with phone(host, tmp_path) as caller:
        caller.registered()
        caller.command("dial", f"sip:stay@{DOMAIN}")
        caller.wait_for("CALL_ESTABLISHED")
        for digit in "42#":
            caller.command("sndcode", digit)
            caller.command("sndcode", "\x04")
            host.event(_digit(digit), what=f"the digit {digit}")
        caller.command("hangup")
        host.event(host.of_row("stay", "CHANNEL_HANGUP_COMPLETE"), what="the hangup")


def test_it_holds_and_resumes(host: ServedHost, tmp_path: Path) -> None:
    with phone(host, tmp_path) as caller:
        caller.registered()
        caller.command("dial", f"sip:stay@{DOMAIN}")
        caller.wait_for("CALL_ESTABLISHED")
        caller.command("hold")
        host.event(host.of_row("stay", "CHANNEL_HOLD"), what="CHANNEL_HOLD")
        caller.command("resume")
        host.event(host.of_row("stay", "CHANNEL_UNHOLD"), what="CHANNEL_UNHOLD")
        caller.command("hangup")
        until(lambda: host.channels() == 0, "no channels")


def test_one_phone_calls_another_through_the_host_and_transfers_it(host: ServedHost, tmp_path: Path) -> None:
    with phone(host, tmp_path) as caller, phone(host, tmp_path, "1001", params="answermode=auto") as callee:
        caller.registered()
        callee.registered()
        caller.command("dial", f"sip:to-phone@{DOMAIN}")
        host.event(host.of_row("to-phone", "CHANNEL_BRIDGE"), what="CHANNEL_BRIDGE")
        until(lambda: "2 total" in host.api("show channels"), "two channels")
        caller.wait_for("CALL_ESTABLISHED")
        until(lambda: seconds_of_tone(callee.heard(), PHONE_TONE) > 0.3, "the other phone is heard")
        caller.command("transfer", f"sip:elsewhere@{DOMAIN}")
        caller.wait_for("CALL_CLOSED")
        # First the other phone's tone, then the host's.
        until(lambda: seconds_of_tone(callee.heard(), HOST_TONE) > ENOUGH, "the host is heard")
        assert seconds_of_tone(callee.heard(), PHONE_TONE) > 0.3
        host.api("hupall NORMAL_CLEARING")
        callee.wait_for("CALL_CLOSED")
