"""Calls over TLS and TCP between two profiles, and the certificate a profile makes itself."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from tests.host.modules.mod_sofia.two_profiles import configuration, extension, two_profiles

EXTENSIONS = extension("answer", ("answer", ""), ("park", ""))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command")
def test_a_call_over_tls_with_certificates_of_our_own(tmp_path: Path) -> None:
    certificates = tmp_path / "certificates"
    tls = (
        f'<param name="tls" value="true"/><param name="tls-cert-dir" value="{certificates}"/>'
        '<param name="tls-sip-port" value="auto"/>'
    )
    with two_profiles(tmp_path, configuration(EXTENSIONS, near=tls, far=tls)) as rig:
        made = certificates / "tls.pem"
        assert stat.S_IMODE(made.stat().st_mode) == 0o600
        port = rig.far.settings.tls_sip_port
        assert port
        reply = rig.api(f"originate sofia/near/answer@127.0.0.1:{port};transport=tls &park")
        assert reply.startswith("+OK")
        theirs = rig.leg("inbound")
        rig.wait(lambda: theirs.channel.answered)
        assert theirs.channel.variables.get("sip_via_protocol") == "tls"
        assert (theirs.channel.variables.get("sip_contact_uri") or "").startswith("mod_sofia@127.0.0.1:")
        rig.leg("outbound").channel.hangup()
        rig.quiet()
        assert theirs.channel.variables.get("sip_hangup_disposition") == "recv_bye"


def test_a_call_over_tcp_is_ended_by_the_one_called(tmp_path: Path) -> None:
    with two_profiles(tmp_path, configuration(EXTENSIONS)) as rig:
        # that of UDP, unless somebody else has it
        port = next(source.port for source in rig.far.listening if source.transport == "tcp")
        assert rig.api(f"originate sofia/near/answer@127.0.0.1:{port};transport=tcp &park").startswith("+OK")
        ours, theirs = rig.leg("outbound"), rig.leg("inbound")
        rig.wait(lambda: theirs.channel.answered)
        assert theirs.channel.variables.get("sip_via_protocol") == "tcp"
        theirs.channel.hangup()
        rig.quiet()
        assert ours.channel.variables.get("sip_hangup_disposition") == "recv_bye"
