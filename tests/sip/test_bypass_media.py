"""Two baresips hear each other past the host, through it, past it again, and through a relay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sip.baresip import RATE, Baresip, share_of_tone
from tests.sip.host_configuration import DOMAIN, Extension
from tests.sip.served_host import ServedHost
from tests.sip.until import until

NEAR_TONE, FAR_TONE = 700, 1100
ENOUGH = 0.6
TO_PHONE = ("bridge", f"user/1001@{DOMAIN}")
EXTENSIONS = [
    Extension("bypass", [("set", "bypass_media=true"), TO_PHONE]),
    Extension(
        "after",
        [
            ("set", "bypass_media_after_bridge=true"),
            ("set", "bypass_media_after_bridge_oldschool=true"),
            TO_PHONE,
        ],
    ),
    Extension("plain", [TO_PHONE]),
    Extension("proxy", [("set", "proxy_media=true"), TO_PHONE]),
]
PROFILES = {"internal": {"inbound-late-negotiation": "true"}}


@pytest.fixture
def phones(host: ServedHost, tmp_path: Path) -> Iterator[tuple[Baresip, Baresip]]:
    at = f"127.0.0.1:{host.ports.internal};transport=udp"
    with (
        Baresip.of_account(tmp_path, "1000", at, tone=NEAR_TONE) as near,
        Baresip.of_account(tmp_path, "1001", at, tone=FAR_TONE, params="answermode=auto") as far,
    ):
        near.registered()
        far.registered()
        yield near, far


def call(host: ServedHost, phones: tuple[Baresip, Baresip], number: str) -> str:
    """Have one call the other; return the UUID of the leg of who calls."""
    near, far = phones
    near.command("dial", f"sip:{number}@{DOMAIN}")
    for phone in (near, far):
        phone.wait_for("CALL_ESTABLISHED")
    bridged = host.event(host.of_row(number, "CHANNEL_BRIDGE"), what="CHANNEL_BRIDGE")
    return bridged.get("Unique-ID") or ""


def both_hear(phones: tuple[Baresip, Baresip]) -> None:
    """Wait until each hears the other one's tone, in most of a second of what comes from now on."""
    before = [len(phone.heard()) for phone in phones]
    for phone, tone, length in zip(phones, (FAR_TONE, NEAR_TONE), before, strict=True):

        def hears(phone: Baresip = phone, tone: int = tone, length: int = length) -> bool:
            since = phone.heard()[length:]
            return len(since) >= RATE and share_of_tone(since[-RATE:], tone) > ENOUGH

        until(hears, f"{tone} Hz at the other phone")


def both_receive(phones: tuple[Baresip, Baresip]) -> None:
    """See that the sound of each comes from the other one.

    Who is offered another source in the first moments of a call may not play it: a baresip then puts the packets of
    both into one order, by their numbers.
    """
    for phone, other in (phones, phones[::-1]):
        ports = re.search(r"^rtp_ports (\d+)-(\d+)", (other.folder / "config").read_text(), re.MULTILINE)
        assert ports

        def comes(phone: Baresip = phone, first: int = int(ports[1]), last: int = int(ports[2])) -> bool:
            sources = re.findall(r"from [\d.]+:(\d+)", phone.printed())
            return bool(sources) and first <= int(sources[-1]) <= last

        until(comes, "packets of the other phone")


def test_they_hear_each_other_past_the_host_and_through_it(
    host: ServedHost, phones: tuple[Baresip, Baresip]
) -> None:
    uuid = call(host, phones, "bypass")
    assert host.rtp_ports() == []
    both_hear(phones)
    assert host.rtp_ports() == []
    assert "HIBERNATE" in host.api("show channels")

    _says(host, f"uuid_media {uuid}")
    both_hear(phones)
    until(lambda: len(host.rtp_ports()) == 4, "two pairs of ports")

    _says(host, f"uuid_media off {uuid}")
    both_hear(phones)
    until(lambda: host.rtp_ports() == [], "no ports")

    phones[0].command("hangup")
    phones[1].wait_for("CALL_CLOSED")


def test_sound_leaves_a_host_once_both_are_answered(
    host: ServedHost, phones: tuple[Baresip, Baresip]
) -> None:
    call(host, phones, "after")
    until(lambda: host.rtp_ports() == [], "no ports")
    both_receive(phones)
    phones[1].command("hangup")
    phones[0].wait_for("CALL_CLOSED")


def test_sound_leaves_by_an_offer_of_the_phone_s_own(
    host: ServedHost, phones: tuple[Baresip, Baresip]
) -> None:
    uuid = call(host, phones, "plain")
    assert len(host.rtp_ports()) == 4
    _says(host, f"uuid_media_3p off {uuid}")
    until(lambda: host.rtp_ports() == [], "no ports")
    both_receive(phones)
    phones[1].command("hangup")
    phones[0].wait_for("CALL_CLOSED")


def test_they_hear_each_other_through_a_relay(host: ServedHost, phones: tuple[Baresip, Baresip]) -> None:
    uuid = call(host, phones, "proxy")
    assert len(host.rtp_ports()) == 4
    both_hear(phones)
    _says(host, f"uuid_media {uuid}")
    both_hear(phones)
    phones[0].command("hangup")
    phones[1].wait_for("CALL_CLOSED")


def _says(host: ServedHost, line: str) -> None:
    assert host.api(line).strip() == "+OK Success"
