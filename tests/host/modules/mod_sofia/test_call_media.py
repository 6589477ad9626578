"""What calls agree on: SRTP, codecs of the second leg, digits, and what is left in variables."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from host.session import Session
from tests.host.modules.mod_sofia.one_phone import called
from tests.host.modules.mod_sofia.sip_phone import SipPhone
from tests.host.modules.mod_sofia.two_profiles import Rig, configuration, extension

EXTENSIONS = "".join(
    (
        extension("answer", ("answer", ""), ("park", "")),
        extension("secret", ("set", "rtp_secure_media=mandatory"), ("answer", ""), ("park", "")),
        extension("open", ("set", "rtp_secure_media=forbidden"), ("answer", ""), ("park", "")),
        extension("talk", ("answer", ""), ("playback", "tone_stream://%(4000,0,440)"), ("park", "")),
        extension("on(.*)", ("bridge", "sofia/far/phone@127.0.0.1:$1")),
        extension(
            "mix(.*)",
            ("export", "media_mix_inbound_outbound_codecs=true"),
            ("bridge", "sofia/far/phone@127.0.0.1:$1"),
        ),
        extension(
            "abs(.*)",
            ("export", "nolocal:absolute_codec_string=PCMA"),
            ("bridge", "sofia/far/phone@127.0.0.1:$1"),
        ),
    )
)
CONFIGURATION = configuration(EXTENSIONS)
pytestmark = pytest.mark.usefixtures("clean")


def heard(rig: Rig, session: Session) -> bool:
    """Return whether a leg has got packets that could be read."""
    rig.api(f"uuid_set_media_stats {session.uuid}")
    session.io.message(session, "media_stats", "")
    return int(session.channel.variables.get("rtp_audio_in_media_packet_count") or "0") > 20


@pytest.mark.skipif(find_spec("pylibsrtp") is None, reason="no libsrtp")
def test_both_sides_insist_on_srtp(rig: Rig) -> None:
    assert rig.api(f"originate {rig.address('secret', '{rtp_secure_media=mandatory}')} &park").startswith(
        "+OK"
    )
    ours, theirs = rig.leg("outbound"), rig.leg("inbound")
    rig.wait(lambda: theirs.channel.answered)
    for one in (ours, theirs):
        assert one.channel.variables.get("rtp_secure_media_confirmed") == "true"
        assert one.line.transport.srtp is not None  # type: ignore[attr-defined]
        assert one.channel.variables.get("send_silence_when_idle") == "-1"  # there are to be no gaps
    assert "RTP/SAVP" in (ours.channel.variables.get("rtp_local_sdp_str") or "")
    rig.api(f"uuid_broadcast {ours.uuid} tone_stream://%(3000,0,440) aleg")
    rig.wait(lambda: heard(rig, theirs))


@pytest.mark.skipif(find_spec("pylibsrtp") is None, reason="no libsrtp")
@pytest.mark.parametrize(
    ("wish", "idle"), [("srtp_allow_idle_gaps=true", None), ("send_silence_when_idle=400", "400")]
)
def test_gaps_in_srtp_are_a_choice(rig: Rig, wish: str, idle: str | None) -> None:
    rig.api(f"originate {rig.address('secret', f'{{rtp_secure_media=mandatory,{wish}}}')} &park")
    ours = rig.leg("outbound")
    rig.wait(lambda: ours.channel.variables.get("rtp_secure_media_confirmed") == "true")
    assert ours.channel.variables.get("send_silence_when_idle") == idle


@pytest.mark.parametrize(
    ("number", "variables"),
    [("open", "{rtp_secure_media=mandatory}"), ("secret", "{rtp_secure_media=forbidden}")],
)
def test_one_side_insists_and_the_other_refuses(rig: Rig, number: str, variables: str) -> None:
    assert rig.api(f"originate {rig.address(number, variables)} &park") == "-ERR INCOMPATIBLE_DESTINATION\n"


def offer_of(rig: Rig, phone: SipPhone, number: str, codecs: str) -> list[str]:
    """Return the payload types that a phone is offered when another calls it through the switch."""
    with SipPhone(rig.far.settings.sip_port) as caller:
        caller.invite(f"{number}{phone.port}", body=caller.sdp(codec=codecs))
        invite = phone.wait("INVITE")
        line = next(line for line in invite.body.split("\r\n") if line.startswith("m=audio"))
        phone.respond(invite, 486, "Busy")
        phone.wait("ACK")
        caller.wait(486)
        return [word for word in line.split()[3:] if word in ("0", "8")]


def test_the_second_leg_is_offered_what_the_first_may_come_to(rig: Rig, phone: SipPhone) -> None:
    assert offer_of(rig, phone, "on", "8") == ["8"]
    assert offer_of(rig, phone, "on", "8 0") == ["8", "0"]
    assert offer_of(rig, phone, "mix", "8") == ["8", "0"]
    assert offer_of(rig, phone, "abs", "0") == ["8"]


def test_a_caller_is_refused_with_the_status_of_whom_it_called(rig: Rig, phone: SipPhone) -> None:
    with SipPhone(rig.far.settings.sip_port) as caller:
        caller.invite(f"on{phone.port}")
        invite = phone.wait("INVITE")
        theirs = rig.leg("inbound")  # it is gone soon after the refusal
        phone.respond(invite, 433, "Anonymity Disallowed")
        phone.wait("ACK")
        assert caller.wait(433)
        rig.wait(lambda: theirs.channel.down)
        variables = theirs.channel.variables
        assert variables.get("last_bridge_proto_specific_hangup_cause") == "sip:433"
        assert variables.get("sip_hangup_disposition") == "send_refuse"
        assert variables.get("sip_invite_failure_status") == "433"
        assert variables.get("sip_invite_failure_phrase") == "Anonymity Disallowed"


def test_digits_go_by_info_to_a_phone_without_telephone_events(rig: Rig, phone: SipPhone) -> None:
    called(rig, phone)
    invite = phone.wait("INVITE")
    plain = "\r\n".join(line for line in phone.sdp().split("\r\n") if "telephone-event" not in line)
    phone.respond(invite, 200, "OK", body=plain.replace("AVP 0 101", "AVP 0"))
    phone.wait("ACK")
    ours = rig.leg("outbound")
    rig.wait(lambda: ours.channel.answered)
    assert ours.channel.variables.get("dtmf_type") == "info"
    rig.api(f"uuid_send_dtmf {ours.uuid} 5")
    info = phone.wait("INFO")
    assert "Signal=5" in info.body
    phone.respond(info, 200)


def test_the_variables_of_an_agreement(rig: Rig, phone: SipPhone) -> None:
    call = phone.invite("answer", body=phone.sdp(codec="8"))
    call.ack(phone.wait(200))
    theirs = rig.leg("inbound")
    variables = theirs.channel.variables
    assert variables.get("ep_codec_string") == "CORE_PCM_MODULE.PCMA@8000h@20i@64000b"
    assert variables.get("rtp_use_codec_name") == "PCMA"
    assert variables.get("remote_media_ip") == "127.0.0.1"
    assert variables.get("remote_media_port") == str(phone.media.getsockname()[1])
    assert variables.get("local_media_ip") == "127.0.0.1"
    assert variables.get("dtmf_type") == "rfc2833"
