"""baresip as a phone: it registers, calls and is called; what each side heard is the tone that the other said."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host.console.client import Message
from tests.sip.baresip import Baresip, read_wav, share_of_tone, until
from tests.sip.host_configuration import DOMAIN, PASSWORDS, Extension, HostPorts, write_configuration
from tests.sip.served_host import ServedHost, served_host

PHONE_TONE, HOST_TONE = 700, 1200
# A call begins and ends in silence.
ENOUGH = 0.6
RECORDED = ("record_session", "${base_dir}/${destination_number}.wav")
SAYING = ("playback", f"tone_stream://%(1500,0,{HOST_TONE})")
EXTENSIONS = [
    Extension("talk", [("set", "RECORD_READ_ONLY=true"), ("answer", ""), RECORDED, SAYING, ("hangup", "")]),
    Extension(
        "talk-tcp", [("set", "RECORD_READ_ONLY=true"), ("answer", ""), RECORDED, SAYING, ("hangup", "")]
    ),
    Extension(
        "talk-tls", [("set", "RECORD_READ_ONLY=true"), ("answer", ""), RECORDED, SAYING, ("hangup", "")]
    ),
    Extension("stay", [("answer", ""), ("playback", f"tone_stream://%(20000,0,{HOST_TONE})")]),
    Extension("elsewhere", [("answer", ""), SAYING, ("hangup", "")], of_a_row=False),
    Extension("to-phone", [("bridge", f"user/1001@{DOMAIN}")]),
]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with agent.pem and cafile.pem for a host that is called 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cafile.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    (folder / "agent.pem").write_text((folder / "cafile.pem").read_text() + (folder / "key.pem").read_text())
    return folder


@pytest.fixture(scope="module")
def host(
    tmp_path_factory: pytest.TempPathFactory, certificates: Path, host_ports: HostPorts
) -> Iterator[ServedHost]:
    folder = tmp_path_factory.mktemp("host")
    conf = write_configuration(folder, host_ports, extensions=EXTENSIONS, tls_folder=certificates)
    with served_host(folder, conf, host_ports) as served:
        yield served
        left = served.at_rest(64, 256)
        complaints = served.complaints()
    assert not left
    assert not complaints, served.log()[-6000:]


def phone(
    host: ServedHost, folder: Path, user: str = "1000", transport: str = "udp", params: str = ""
) -> Baresip:
    """A phone of the profile `internal`, which registers."""
    port = host.ports.internal_tls if transport == "tls" else host.ports.internal
    outbound = f'outbound="sip:127.0.0.1:{port};transport={transport}"'
    return Baresip(
        folder / user, f"{user}@{DOMAIN}", tone=PHONE_TONE, password=PASSWORDS[user],
        params=f"{outbound};regint=60;{params}",
    )  # fmt: skip


@pytest.mark.parametrize(("transport", "number"), [("udp", "talk"), ("tcp", "talk-tcp"), ("tls", "talk-tls")])
def test_it_registers_calls_and_both_hear_each_other(
    host: ServedHost, tmp_path: Path, transport: str, number: str
) -> None:
    with phone(host, tmp_path, transport=transport) as caller:
        caller.registered()
        caller.command("dial", f"sip:{number}@{DOMAIN}")
        caller.wait_for("CALL_ESTABLISHED")
        caller.wait_for("CALL_CLOSED")
        end = host.event(host.of_row(number, "CHANNEL_HANGUP_COMPLETE"), what="the hangup")
        assert end.get("variable_sip_via_protocol") == transport
        assert share_of_tone(caller.heard(), HOST_TONE) > ENOUGH
    assert share_of_tone(read_wav(host.folder / f"{number}.wav"), PHONE_TONE) > ENOUGH


def test_it_is_called_and_both_hear_each_other(host: ServedHost, tmp_path: Path) -> None:
    with phone(host, tmp_path, "1001", params="answermode=auto") as callee:
        callee.registered()
        reply = host.api(
            f"originate {{row=to-phone-out,origination_caller_id_number=1000}}user/1001@{DOMAIN} "
            f"'set:RECORD_READ_ONLY=true,record_session:{host.folder}/called.wav,"
            f"playback:tone_stream://%(1500\\,0\\,{HOST_TONE}),hangup' inline"
        )
        assert reply.startswith("+OK"), reply
        callee.wait_for("CALL_CLOSED")
        assert share_of_tone(callee.heard(), HOST_TONE) > ENOUGH
    assert share_of_tone(read_wav(host.folder / "called.wav"), PHONE_TONE) > ENOUGH


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
        until(lambda: host.api("show channels count").strip().startswith("0"), "no channels")


def test_one_phone_calls_another_through_the_host_and_transfers_it(host: ServedHost, tmp_path: Path) -> None:
    with phone(host, tmp_path) as caller, phone(host, tmp_path, "1001", params="answermode=auto") as callee:
        caller.registered()
        callee.registered()
        caller.command("dial", f"sip:to-phone@{DOMAIN}")
        host.event(host.of_row("to-phone", "CHANNEL_BRIDGE"), what="CHANNEL_BRIDGE")
        until(lambda: "2 total" in host.api("show channels"), "two channels")
        caller.wait_for("CALL_ESTABLISHED")
        host.api("msleep 1200")
        caller.command("transfer", f"sip:elsewhere@{DOMAIN}")
        caller.wait_for("CALL_CLOSED")
        callee.wait_for("CALL_CLOSED")
        # First the other phone's tone, then the host's.
        assert share_of_tone(callee.heard(), HOST_TONE) > 0.3
        assert share_of_tone(callee.heard(), PHONE_TONE) > 0.05
