"""Phones that register over a real socket with the module as it is loaded: threads, timers and the database."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.clock import RealClock
from host.modules.mod_sofia.registration.digest_client import credentials
from host.switch import Switch
from tests.host.private_server import free_port

CONFIGURATION = """
<document type="freeswitch/xml"><section name="configuration"><configuration name="sofia.conf"><profiles>
<profile name="internal"><settings>
  <param name="sip-ip" value="127.0.0.1"/><param name="rtp-ip" value="127.0.0.1"/>
  <param name="sip-port" value="%d"/><param name="multiple-registrations" value="contact"/>
  <param name="aggressive-nat-detection" value="true"/><param name="local-network-acl" value="none"/>
</settings></profile></profiles></configuration></section>
<section name="directory"><domain name="example.com"><users>%s</users></domain></section></document>
"""
USERS = 50


class Phones:
    """Phones that share a socket, each behind the same NAT."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.server = server
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(20)
        self.port = self.socket.getsockname()[1]
        self.sent = 0

    def send(self, user: str, authorization: str = "") -> str:
        """Send one REGISTER and return what comes back."""
        self.sent += 1
        lines = [
            "REGISTER sip:example.com SIP/2.0",
            f"Via: SIP/2.0/UDP 10.9.9.9:5060;branch=z9hG4bK{self.sent};rport",
            f"From: <sip:{user}@example.com>;tag=a",
            f"To: <sip:{user}@example.com>",
            f"Call-ID: call-{user}",
            f"CSeq: {self.sent} REGISTER",
            "Max-Forwards: 70",
            f"Contact: <sip:{user}@10.9.9.9>;expires=60",
            *([f"Authorization: {authorization}"] if authorization else []),
            "Content-Length: 0",
        ]
        self.socket.sendto(("\r\n".join(lines) + "\r\n\r\n").encode(), self.server)
        return self.socket.recv(65535).decode()

    def register(self, user: str, password: str) -> str:
        """Register with an answer to the challenge; return the last response."""
        challenge = re.search("WWW-Authenticate: (.*)\r", self.send(user))
        assert challenge is not None
        value = credentials(
            challenge[1], method="REGISTER", uri="sip:example.com", user=user, password=password
        )
        return self.send(user, value)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def sofia_switch(tmp_path: Path, port: int) -> Iterator[Switch]:
    switch = Switch(RealClock(), tmp_path, media_process=False)
    (tmp_path / "db").mkdir()
    users = "".join(
        f'<user id="u{n}"><params><param name="password" value="x"/></params></user>' for n in range(USERS)
    )
    switch.xml.load_text(CONFIGURATION % (port, users))
    switch.modules.load("mod_sofia")
    yield switch
    switch.close()


def test_registrations_over_udp_and_after_a_reload(sofia_switch: Switch, port: int) -> None:
    switch = sofia_switch
    phones = Phones(("127.0.0.1", port))
    for n in range(USERS):
        answer = phones.register(f"u{n}", "x")
        assert answer.startswith("SIP/2.0 200 OK\r\n")
        assert f"Contact: <sip:u{n}@10.9.9.9>;expires=60\r\n" in answer
    assert phones.register("u1", "wrong").startswith("SIP/2.0 403 ")
    assert switch.api("sofia_count_reg", "internal/u7@example.com") == "1"
    url = f"sofia/internal/sip:u7@10.9.9.9;fs_nat=yes;fs_path=sip%3Au7%40127.0.0.1%3A{phones.port}"
    assert switch.api("sofia_contact", "*/u7@example.com") == url
    assert len(switch.registrations) == USERS
    assert switch.api("sofia", "profile internal flush_inbound_reg u3@example.com").startswith("+OK")
    assert switch.api("sofia_contact", "*/u3@example.com") == "error/user_not_registered"
    switch.modules.unload("mod_sofia")
    assert switch.registrations == {}
    switch.modules.load("mod_sofia")
    assert switch.api("sofia_contact", "*/u7@example.com") == url
    assert switch.api("sofia_contact", "*/u3@example.com") == "error/user_not_registered"
    assert phones.register("u7", "x").startswith("SIP/2.0 200 OK\r\n")
    assert switch.api("sofia_count_reg", "internal/u7@example.com") == "1"
    phones.socket.close()
