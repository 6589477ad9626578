"""Offers, what answers them, and why: the table behind `test_answer_cases.py`.

An offer is written from its first media line on; `HEAD` goes before it unless it begins with `v=`. `{crypto}` stands
for a key of AES_CM_128_HMAC_SHA1_80.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any, Final

from host.sdp.description import Attribute
from host.sdp.direction import Direction

ADDRESS: Final = "192.0.2.7"
HEAD: Final = f"v=0\no=- 1 1 IN IP4 {ADDRESS}\ns=-\nc=IN IP4 {ADDRESS}\nt=0 0\n"
KEY: Final = base64.b64encode(bytes(range(30))).decode()
CRYPTO: Final = f"AES_CM_128_HMAC_SHA1_80 inline:{KEY}"
GCM: Final = "AEAD_AES_256_GCM inline:" + base64.b64encode(bytes(range(44))).decode()


@dataclass(frozen=True)
class Case:
    """`codecs` are our preferences, `local` further fields of LocalMedia; `secure` is `rtp_secure_media`.

    Expected: `m` the media lines, `has` and `lacks` whole lines of the answer, `agreed` fields of the agreement (by
    `name` or `choice.name`); or, alone, `refused`, words of the reason.
    """

    why: str
    offer: str
    codecs: str = "PCMU,PCMA"
    local: dict[str, Any] = field(default_factory=dict)
    secure: str = "forbidden"
    negotiation: str = "generous"
    m: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    agreed: dict[str, object] = field(default_factory=dict)
    refused: str = ""


def audio(formats: str, *lines: str, port: int = 4000, protocol: str = "RTP/AVP") -> str:
    attributes = "".join(f"{line}\n" if line[1:2] == "=" else f"a={line}\n" for line in lines)
    return f"m=audio {port} {protocol} {formats}\n{attributes}"


TE: Final = "rtpmap:101 telephone-event/8000"

CASES: Final[dict[str, Case]] = {
    # --- which codec ---------------------------------------------------------------------------------------------
    "g711": Case(
        "static payload types need no rtpmap; the answer has its own",
        audio("0 8"),
        m=("m=audio 20000 RTP/AVP 0",),
        has=("a=rtpmap:0 PCMU/8000", "a=ptime:20", "a=sendrecv"),
        agreed={"codec": "PCMU", "payload_type": 0, "remote_address": ADDRESS, "remote_port": 4000},
    ),
    "generous order": Case(
        "generous: the far end's order decides",
        audio("8 0"),
        m=("m=audio 20000 RTP/AVP 8",),
        agreed={"codec": "PCMA"},
    ),
    "greedy order": Case(
        "greedy: our order decides",
        audio("8 0"),
        negotiation="greedy",
        m=("m=audio 20000 RTP/AVP 0",),
        agreed={"codec": "PCMU"},
    ),
    "scrooge order": Case(
        "scrooge: our order decides too",
        audio("8 0"),
        negotiation="scrooge",
        m=("m=audio 20000 RTP/AVP 0",),
        agreed={"codec": "PCMU"},
    ),
    "our codec is their last": Case(
        "unknown and unwanted codecs before ours do no harm",
        audio("18 4 96 8", "rtpmap:96 SILK/16000"),
        m=("m=audio 20000 RTP/AVP 8",),
        agreed={"codec": "PCMA"},
    ),
    "no common codec": Case("nothing to speak: 488", audio("18 4"), refused="codec"),
    "g722 clock": Case(
        "RFC 3551 4.5.2: G.722 counts 8000 Hz though it samples 16000",
        audio("9 0"),
        codecs="G722,PCMU",
        m=("m=audio 20000 RTP/AVP 9",),
        has=("a=rtpmap:9 G722/8000",),
        agreed={"codec": "G722", "clock_rate": 8000, "rate": 16000},
    ),
    "g722 with the wrong clock": Case(
        "some write G722/16000 and mean G.722 all the same",
        audio("9", "rtpmap:9 G722/16000"),
        codecs="G722",
        has=("a=rtpmap:9 G722/8000",),
        agreed={"codec": "G722", "clock_rate": 8000},
    ),
    "opus": Case(
        "dynamic payload types are mirrored",
        audio("111 0", "rtpmap:111 opus/48000/2", "fmtp:111 useinbandfec=1; minptime=10"),
        codecs="OPUS,PCMU",
        m=("m=audio 20000 RTP/AVP 111",),
        has=("a=rtpmap:111 opus/48000/2",),
        agreed={
            "codec": "opus",
            "payload_type": 111,
            "clock_rate": 48000,
            "channels": 2,
            "fmtp": "useinbandfec=1; minptime=10",
        },
    ),
    "opus without its channels": Case(
        "FreeSWITCH: opus/48000 without /2 is taken, and answered as it came",
        audio("96", "rtpmap:96 opus/48000"),
        codecs="opus",
        has=("a=rtpmap:96 opus/48000",),
        agreed={"codec": "opus", "channels": 1},
    ),
    "opus at a lower rate": Case(
        "the rate of a preference is said in fmtp, for the clock is always 48 kHz",
        audio("96", "rtpmap:96 OPUS/48000/2"),
        codecs="opus@16000h@20i@1c",
        has=("a=rtpmap:96 opus/48000/2", "a=fmtp:96 maxplaybackrate=16000;sprop-maxcapturerate=16000"),
        agreed={"rate": 16000, "clock_rate": 48000},
    ),
    "names have no case": Case(
        "RFC 4855 3: encoding names have no case",
        audio("97", "rtpmap:97 pcmu/8000"),
        m=("m=audio 20000 RTP/AVP 97",),
        has=("a=rtpmap:97 PCMU/8000",),
        agreed={"codec": "PCMU", "payload_type": 97},
    ),
    "other rates of a codec": Case(
        "G.711 at 16 kHz is another codec; the one at 8 kHz behind it is meant",
        audio("96 97", "rtpmap:96 PCMU/16000", "rtpmap:97 PCMU/8000"),
        m=("m=audio 20000 RTP/AVP 97",),
        agreed={"payload_type": 97, "clock_rate": 8000},
    ),
    "only other rates": Case(
        "G.711 at 16 kHz is not ours", audio("96", "rtpmap:96 PCMU/16000"), refused="codec"
    ),
    "rtpmap against the static table": Case(
        "a rtpmap goes before the number's usual meaning",
        audio("0", "rtpmap:0 PCMA/8000"),
        codecs="PCMA",
        m=("m=audio 20000 RTP/AVP 0",),
        agreed={"codec": "PCMA", "payload_type": 0},
    ),
    "dynamic without rtpmap": Case(
        "a dynamic number that nobody explains is passed over",
        audio("96 0"),
        m=("m=audio 20000 RTP/AVP 0",),
        agreed={"payload_type": 0},
    ),
    "stereo linear": Case(
        "lines are mono: payload type 10 is not ours, 11 is",
        audio("10 11"),
        codecs="L16@44100h",
        m=("m=audio 20000 RTP/AVP 11",),
        agreed={"payload_type": 11, "clock_rate": 44100, "channels": 1},
    ),
    "gsm": Case("GSM has a static number", audio("3"), codecs="GSM", agreed={"codec": "GSM", "ptime_ms": 20}),
    "ilbc without a mode": Case(
        "RFC 3952: frames of 30 ms where nobody says, whatever we prefer",
        audio("98", "rtpmap:98 iLBC/8000"),
        codecs="iLBC@20i",
        has=("a=fmtp:98 mode=30", "a=ptime:30"),
        agreed={"ptime_ms": 30, "fmtp": "mode=30"},
    ),
    "ilbc of 20 ms": Case(
        "the far end's mode is answered",
        audio("98", "rtpmap:98 iLBC/8000", "fmtp:98 mode=20"),
        codecs="iLBC@30i",
        has=("a=fmtp:98 mode=20", "a=ptime:20"),
        agreed={"ptime_ms": 20, "fmtp": "mode=20"},
    ),
    "same payload type twice": Case(
        "a number listed twice counts once",
        audio("8 8 0"),
        m=("m=audio 20000 RTP/AVP 8",),
        agreed={"payload_type": 8},
    ),
    "no preference exists": Case(
        "without a codec of ours nothing is taken", audio("0"), codecs="SPEEX", refused="codec"
    ),
    # --- ptime ---------------------------------------------------------------------------------------------------
    "their ptime": Case(
        "FreeSWITCH: sound is packed as the far end asks, where the codec can",
        audio("0", "ptime:30"),
        has=("a=ptime:30",),
        agreed={"ptime_ms": 30, "remote_ptime": 30},
    ),
    "scrooge keeps its ptime": Case(
        "scrooge: our ptime stays",
        audio("0", "ptime:30"),
        negotiation="scrooge",
        has=("a=ptime:20",),
        agreed={"ptime_ms": 20, "remote_ptime": 30},
    ),
    "impossible ptime": Case(
        "a ptime that the codec has not: ours is kept",
        audio("0", "ptime:120"),
        agreed={"ptime_ms": 20, "remote_ptime": 120},
    ),
    "exact ptime goes first": Case(
        "FreeSWITCH: a codec of the asked ptime goes before earlier ones of another",
        audio("0 8", "ptime:20"),
        codecs="PCMU@30i,PCMA@20i",
        m=("m=audio 20000 RTP/AVP 8",),
        agreed={"codec": "PCMA", "ptime_ms": 20},
    ),
    "one codec in two ptimes": Case(
        "the entry of the asked ptime is chosen",
        audio("0", "ptime:40"),
        codecs="PCMU@20i,PCMU@40i",
        agreed={"ptime_ms": 40},
    ),
    "no ptime asked": Case(
        "our own ptime where none is asked", audio("0"), codecs="PCMU@40i", agreed={"ptime_ms": 40}
    ),
    "maxptime": Case(
        "no packet is longer than maxptime",
        audio("0", "maxptime:20"),
        codecs="PCMU@40i",
        has=("a=ptime:20",),
        agreed={"ptime_ms": 20, "remote_maxptime": 20},
    ),
    "maxptime between ours": Case(
        "the longest that is allowed is taken",
        audio("0", "maxptime:35"),
        codecs="PCMU@60i",
        agreed={"ptime_ms": 30},
    ),
    "maxptime below all": Case(
        "a maxptime that no codec of ours can keep",
        audio("3", "maxptime:10"),
        codecs="GSM",
        refused="codec",
    ),
    "ptime of the session": Case(
        "FreeSWITCH: a ptime of the session holds for its media",
        HEAD + "a=ptime:30\n" + audio("0"),
        agreed={"ptime_ms": 30},
    ),
    "broken ptime": Case(
        "what is no time is none", audio("0", "ptime:zwanzig"), agreed={"ptime_ms": 20, "remote_ptime": None}
    ),
    # --- telephone-event and comfort noise -----------------------------------------------------------------------
    "keys": Case(
        "telephone-event is answered with the number it came with",
        audio("0 101", TE, "fmtp:101 0-16"),
        m=("m=audio 20000 RTP/AVP 0 101",),
        has=("a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15"),
        agreed={"telephone_event": 101, "telephone_event_receive": 101, "telephone_event_rate": 8000},
    ),
    "keys by another number": Case(
        "our own number matters only in offers",
        audio("0 97", "rtpmap:97 telephone-event/8000"),
        m=("m=audio 20000 RTP/AVP 0 97",),
        agreed={"telephone_event": 97},
    ),
    "no keys offered": Case(
        "what was not offered is not answered",
        audio("0"),
        lacks=("a=rtpmap:101 telephone-event/8000",),
        agreed={"telephone_event": None},
    ),
    "no keys wanted": Case(
        "dtmf-type info or none: the event is left out",
        audio("0 101", TE),
        local={"telephone_event": None},
        m=("m=audio 20000 RTP/AVP 0",),
        agreed={"telephone_event": None},
    ),
    "keys beside opus": Case(
        "RFC 4733 2.1: events have the clock of the codec beside them",
        audio("111 0 101 110", "rtpmap:111 opus/48000/2", TE, "rtpmap:110 telephone-event/48000"),
        codecs="opus,PCMU",
        m=("m=audio 20000 RTP/AVP 111 110",),
        has=("a=rtpmap:110 telephone-event/48000",),
        agreed={"telephone_event": 110, "telephone_event_rate": 48000},
    ),
    "keys of 8 kHz beside pcmu": Case(
        "… and beside PCMU those of 8 kHz",
        audio("0 110 101", "rtpmap:110 telephone-event/48000", TE),
        m=("m=audio 20000 RTP/AVP 0 101",),
        agreed={"telephone_event": 101, "telephone_event_rate": 8000},
    ),
    "keys of another clock alone": Case(
        "FreeSWITCH: the only event there is serves beside Opus too",
        audio("111 101", "rtpmap:111 opus/48000/2", TE),
        codecs="opus",
        m=("m=audio 20000 RTP/AVP 111 101",),
        agreed={"telephone_event": 101, "telephone_event_rate": 8000},
    ),
    "hook flash": Case(
        "NDLB_line_flash_16 names the flash among the events",
        audio("0 101", TE),
        local={"flash": True},
        has=("a=fmtp:101 0-16",),
    ),
    "comfort noise": Case(
        "comfort noise is mirrored where both have it",
        audio("0 13"),
        m=("m=audio 20000 RTP/AVP 0 13",),
        has=("a=rtpmap:13 CN/8000",),
        agreed={"comfort_noise": 13},
    ),
    "no comfort noise wanted": Case(
        "suppress-cng: it is left out, and said to be",
        audio("0 13"),
        local={"comfort_noise": None},
        m=("m=audio 20000 RTP/AVP 0",),
        has=("a=silenceSupp:off - - - -",),
        agreed={"comfort_noise": None},
    ),
    "comfort noise of another clock": Case(
        "RFC 3389 5: noise has the clock of its codec",
        audio("111 13", "rtpmap:111 opus/48000/2"),
        codecs="opus",
        m=("m=audio 20000 RTP/AVP 111",),
        agreed={"comfort_noise": None},
    ),
    "number that changed its meaning": Case(
        "101 is a codec here: numbers mean what this description says",
        audio("101 96", "rtpmap:101 opus/48000/2", "rtpmap:96 telephone-event/48000"),
        codecs="opus",
        m=("m=audio 20000 RTP/AVP 101 96",),
        agreed={"payload_type": 101, "telephone_event": 96},
    ),
    # --- direction and hold --------------------------------------------------------------------------------------
    "hold by sendonly": Case(
        "RFC 3264 8.4: sendonly is answered recvonly",
        audio("0", "sendonly"),
        has=("a=recvonly",),
        agreed={"direction": Direction.RECVONLY, "held": True, "remote_address": ADDRESS},
    ),
    "hold by inactive": Case(
        "inactive is answered inactive",
        audio("0", "inactive"),
        has=("a=inactive",),
        agreed={"direction": Direction.INACTIVE, "held": True},
    ),
    "listener": Case(
        "one that only listens does not hold",
        audio("0", "recvonly"),
        has=("a=sendonly",),
        agreed={"direction": Direction.SENDONLY, "held": False},
    ),
    "hold by the old address": Case(
        "RFC 2543: 0.0.0.0 is a hold; the direction is what the attribute says",
        audio("0", "c=IN IP4 0.0.0.0"),
        has=("a=sendrecv",),
        agreed={"held": True, "remote_address": None, "remote_port": 4000},
    ),
    "hold by the session's address": Case(
        "the same at the session",
        HEAD.replace(f"c=IN IP4 {ADDRESS}", "c=IN IP4 0.0.0.0") + audio("0", "sendonly"),
        has=("a=recvonly",),
        agreed={"held": True, "remote_address": None},
    ),
    "direction of the session": Case(
        "a direction of the session holds for its media",
        HEAD + "a=sendonly\n" + audio("0"),
        has=("a=recvonly",),
        agreed={"held": True},
    ),
    "direction of the media": Case(
        "… unless the media has its own",
        HEAD + "a=inactive\n" + audio("0", "sendrecv"),
        has=("a=sendrecv",),
        agreed={"held": False},
    ),
    "we hold too": Case(
        "an answer never says more than either side wants",
        audio("0", "sendrecv"),
        local={"direction": Direction.SENDONLY},
        has=("a=sendonly",),
        agreed={"direction": Direction.SENDONLY, "held": False},
    ),
    "both hold": Case(
        "sendonly meets sendonly: nobody listens",
        audio("0", "sendonly"),
        local={"direction": Direction.SENDONLY},
        has=("a=inactive",),
        agreed={"direction": Direction.INACTIVE, "held": True},
    ),
    # --- addresses -----------------------------------------------------------------------------------------------
    "address of the media": Case(
        "the address of the media goes before the session's",
        audio("0", "c=IN IP4 198.51.100.3"),
        agreed={"remote_address": "198.51.100.3"},
    ),
    "address of the media alone": Case(
        "a session needs no address where the media has one",
        "v=0\no=- 1 1 IN IP4 x\ns=-\nt=0 0\n" + audio("0", "c=IN IP4 198.51.100.3"),
        agreed={"remote_address": "198.51.100.3"},
    ),
    "no address": Case(
        "nowhere to send to", "v=0\no=- 1 1 IN IP4 x\ns=-\nt=0 0\n" + audio("0"), refused="address"
    ),
    "multicast": Case(
        "a call does not flood a network",
        audio("0", "c=IN IP4 224.2.1.1/127"),
        refused="224.2.1.1",
    ),
    "other family": Case(
        "no way from IPv4 to IPv6", audio("0", "c=IN IP6 2001:db8::1"), refused="2001:db8::1"
    ),
    "any address of ours": Case(
        "where our address is not chosen yet, either family fits",
        audio("0", "c=IN IP6 2001:db8::1"),
        local={"address": "0.0.0.0"},
        agreed={"remote_address": "2001:db8::1"},
    ),
    "ipv6": Case(
        "the same over IPv6",
        "v=0\no=- 1 1 IN IP6 2001:db8::1\ns=-\nc=IN IP6 2001:db8::1\nt=0 0\n" + audio("0"),
        local={"address": "2001:db8::99"},
        has=("c=IN IP6 2001:db8::99",),
        agreed={"remote_address": "2001:db8::1"},
    ),
    "address by name": Case(
        "a name is kept for whoever resolves it",
        audio("0", "c=IN IP4 media.example.com"),
        agreed={"remote_address": "media.example.com"},
    ),
    "ports with a count": Case(
        "RFC 8866 5.14: a number of ports; the first is meant",
        "m=audio 4000/2 RTP/AVP 0\n",
        m=("m=audio 20000 RTP/AVP 0",),
        agreed={"remote_port": 4000},
    ),
    "rtcp beside": Case(
        "RFC 3550 11: reports go to the next port", audio("0"), agreed={"remote_rtcp_port": 4001}
    ),
    "rtcp elsewhere": Case(
        "RFC 3605: reports go where that is said; FreeSWITCH then says its own",
        audio("0", "rtcp:5555 IN IP4 198.51.100.9"),
        has=("a=rtcp:20001 IN IP4 203.0.113.5",),
        agreed={"remote_rtcp_port": 5555, "remote_rtcp_address": "198.51.100.9"},
    ),
    "rtcp-mux": Case(
        "RFC 5761: one port for both where both say so",
        audio("0", "rtcp-mux", "rtcp:4001"),
        has=("a=rtcp-mux", "a=rtcp:20000 IN IP4 203.0.113.5"),
        agreed={"rtcp_mux": True, "remote_rtcp_port": 4000},
    ),
    "rtcp-mux refused": Case(
        "rtcp_mux=false: two ports",
        audio("0", "rtcp-mux"),
        local={"rtcp_mux": False},
        lacks=("a=rtcp-mux",),
        agreed={"rtcp_mux": False, "remote_rtcp_port": 4001},
    ),
    # --- several sections ----------------------------------------------------------------------------------------
    "video": Case(
        "video is refused in its place",
        audio("0") + "m=video 4002 RTP/AVP 96 97\na=rtpmap:96 VP8/90000\n",
        m=("m=audio 20000 RTP/AVP 0", "m=video 0 RTP/AVP 96 97"),
        agreed={"media_index": 0},
    ),
    "video first": Case(
        "the order of sections is the offer's",
        "m=video 4002 RTP/AVP 96\na=rtpmap:96 VP8/90000\n" + audio("0"),
        m=("m=video 0 RTP/AVP 96", "m=audio 20000 RTP/AVP 0"),
        agreed={"media_index": 1},
    ),
    "two audios": Case(
        "the first audio is taken",
        audio("0") + audio("8", port=5000),
        m=("m=audio 20000 RTP/AVP 0", "m=audio 0 RTP/AVP 8"),
        agreed={"remote_port": 4000},
    ),
    "first audio does not fit": Case(
        "… or the first that fits",
        audio("18") + audio("8", port=5000),
        m=("m=audio 0 RTP/AVP 18", "m=audio 20000 RTP/AVP 8"),
        agreed={"remote_port": 5000, "media_index": 1},
    ),
    "audio taken out": Case("port 0: the far end has no sound for us", audio("0", port=0), refused="port 0"),
    "first audio taken out": Case(
        "a section of port 0 stays refused and keeps its place",
        audio("0", port=0) + audio("8", port=5000),
        m=("m=audio 0 RTP/AVP 0", "m=audio 20000 RTP/AVP 8"),
        agreed={"media_index": 1},
    ),
    "fax beside sound": Case(
        "T.38 is refused in its place",
        audio("0") + "m=image 4004 udptl t38\na=T38FaxVersion:0\n",
        m=("m=audio 20000 RTP/AVP 0", "m=image 0 udptl t38"),
    ),
    "fax alone": Case("T.38 alone: no sound is offered", "m=image 4004 udptl t38\n", refused="no audio"),
    "messages and text": Case(
        "whatever else there is stays refused, in its place",
        "m=message 7000 TCP/MSRP *\n" + audio("0") + "m=text 4006 RTP/AVP 98\nm=application 9 UDP/BFCP *\n",
        m=(
            "m=message 0 TCP/MSRP *",
            "m=audio 20000 RTP/AVP 0",
            "m=text 0 RTP/AVP 98",
            "m=application 0 UDP/BFCP *",
        ),
    ),
    "nothing": Case(
        "an offer without media offers no sound", "v=0\no=- 1 1 IN IP4 x\ns=-\nt=0 0\n", refused="no audio"
    ),
    "no formats": Case(
        "a refused section needs a format, which 19 is in FreeSWITCH's answers",
        audio("0") + "m=video 4002 RTP/AVP\n",
        m=("m=audio 20000 RTP/AVP 0", "m=video 0 RTP/AVP 19"),
    ),
    "feedback profile": Case(
        "RTP/AVPF is spoken as RTP/AVP is, and answered by its name",
        audio("0", protocol="RTP/AVPF"),
        m=("m=audio 20000 RTP/AVPF 0",),
        agreed={"protocol": "RTP/AVPF"},
    ),
    "ice and bundle": Case(
        "lines of ICE and BUNDLE are passed over: the answer without them is plain RTP (RFC 8839 4.2.6, RFC 9143 7.3)",
        HEAD
        + "a=group:BUNDLE 0\na=ice-lite\n"
        + audio(
            "0",
            "mid:0",
            "ice-ufrag:x",
            "ice-pwd:yyyyyyyyyyyyyyyyyyyyyyyy",
            "candidate:1 1 UDP 1 192.0.2.7 4000 typ host",
        ),
        m=("m=audio 20000 RTP/AVP 0",),
        lacks=("a=group:BUNDLE 0", "a=mid:0", "a=ice-ufrag:x"),
    ),
    # --- keys ----------------------------------------------------------------------------------------------------
    "sdes": Case(
        "optional (the default of calls that come in): a key is answered under its tag",
        audio("0", f"crypto:3 {CRYPTO}", protocol="RTP/SAVP"),
        secure="optional",
        m=("m=audio 20000 RTP/SAVP 0",),
        has=(f"a=crypto:3 {CRYPTO}",),
        agreed={"srtp.suite": "AES_CM_128_HMAC_SHA1_80", "crypto.tag": 3},
    ),
    "sdes forbidden": Case(
        "forbidden: RTP/SAVP is refused",
        audio("0", f"crypto:1 {CRYPTO}", protocol="RTP/SAVP"),
        refused="forbidden",
    ),
    "clear where optional": Case(
        "optional: sound in the clear is taken",
        audio("0"),
        secure="optional",
        m=("m=audio 20000 RTP/AVP 0",),
        agreed={"srtp": None},
    ),
    "clear where mandatory": Case(
        "mandatory: sound in the clear is refused", audio("0"), secure="mandatory", refused="key"
    ),
    "secure and clear": Case(
        "FreeSWITCH's own optional offer: the secure section is the first, and taken",
        audio("0", f"crypto:1 {CRYPTO}", protocol="RTP/SAVP") + audio("0"),
        secure="optional",
        m=("m=audio 20000 RTP/SAVP 0", "m=audio 0 RTP/AVP 0"),
        agreed={"media_index": 0},
    ),
    "secure and clear, forbidden": Case(
        "… and where it is forbidden the clear one is",
        audio("0", f"crypto:1 {CRYPTO}", protocol="RTP/SAVP") + audio("0"),
        m=("m=audio 0 RTP/SAVP 0", "m=audio 20000 RTP/AVP 0"),
        agreed={"media_index": 1, "srtp": None},
    ),
    "clear before secure, mandatory": Case(
        "mandatory: the clear one is passed over",
        audio("0") + audio("0", f"crypto:1 {CRYPTO}", protocol="RTP/SAVP", port=5000),
        secure="mandatory",
        m=("m=audio 0 RTP/AVP 0", "m=audio 20000 RTP/SAVP 0"),
        agreed={"media_index": 1},
    ),
    "their order of suites": Case(
        "FreeSWITCH: the first offered suite of ours is taken",
        audio("0", f"crypto:1 {CRYPTO}", f"crypto:2 {GCM}", protocol="RTP/SAVP"),
        secure="optional",
        agreed={"srtp.suite": "AES_CM_128_HMAC_SHA1_80", "crypto.tag": 1},
    ),
    "our list of suites": Case(
        "rtp_secure_media names the suites that may be used",
        audio("0", f"crypto:1 {CRYPTO}", f"crypto:2 {GCM}", protocol="RTP/SAVP"),
        secure="mandatory:AEAD_AES_256_GCM",
        agreed={"srtp.suite": "AEAD_AES_256_GCM", "crypto.tag": 2},
    ),
    "no suite of ours": Case(
        "no common suite: never RTP/SAVP without a key",
        audio("0", f"crypto:1 {CRYPTO}", protocol="RTP/SAVP"),
        secure="optional:AEAD_AES_256_GCM",
        refused="key",
    ),
    "unknown suite first": Case(
        "suites and lines that cannot be read are passed over",
        audio(
            "0",
            "crypto:1 F8_128_HMAC_SHA1_80 inline:AAAA",
            "crypto:2 nonsense",
            f"crypto:4 {CRYPTO}",
            protocol="RTP/SAVP",
        ),
        secure="optional",
        agreed={"crypto.tag": 4},
    ),
    "key with an identifier": Case(
        "libsrtp's binding has no MKI: such a key is passed over",
        audio("0", f"crypto:1 {CRYPTO}|2^20|1:4", f"crypto:2 {CRYPTO}|2^20", protocol="RTP/SAVP"),
        secure="optional",
        agreed={"crypto.tag": 2},
    ),
    "parameters that change packets": Case(
        "RFC 4568 6.3: a parameter that is not understood rules its line out",
        audio("0", f"crypto:1 {CRYPTO} UNENCRYPTED_SRTP", f"crypto:2 {CRYPTO} WSH=256", protocol="RTP/SAVP"),
        secure="optional",
        agreed={"crypto.tag": 2, "srtp.window": 256},
    ),
    "keys over RTP/AVP": Case(
        "FreeSWITCH: keys over RTP/AVP are refused …",
        audio("0", f"crypto:1 {CRYPTO}"),
        secure="optional",
        refused="keys are offered over RTP/AVP",
    ),
    "keys over RTP/AVP allowed": Case(
        "… unless rtp_allow_crypto_in_avp takes them",
        audio("0", f"crypto:1 {CRYPTO}"),
        secure="optional",
        local={"crypto_in_avp": True},
        m=("m=audio 20000 RTP/AVP 0",),
        has=(f"a=crypto:1 {CRYPTO}",),
        agreed={"crypto.tag": 1},
    ),
    "secure feedback profile": Case(
        "RTP/SAVPF with keys in the description",
        audio("0", f"crypto:1 {CRYPTO}", protocol="RTP/SAVPF"),
        secure="mandatory",
        m=("m=audio 20000 RTP/SAVPF 0",),
    ),
    "dtls alone": Case(
        "keys by DTLS are not spoken here: 488, not silence",
        audio(
            "111",
            "rtpmap:111 opus/48000/2",
            "fingerprint:sha-256 AA:BB",
            "setup:actpass",
            protocol="UDP/TLS/RTP/SAVPF",
        ),
        codecs="opus",
        secure="optional",
        refused="DTLS",
    ),
    "dtls by the old name": Case(
        "RTP/SAVPF with a fingerprint and no key is DTLS too",
        audio("0", "fingerprint:sha-256 AA:BB", "setup:actpass", protocol="RTP/SAVPF"),
        secure="optional",
        refused="DTLS",
    ),
    "dtls beside plain": Case(
        "a plain section behind it is taken",
        audio("0", "setup:actpass", protocol="UDP/TLS/RTP/SAVP") + audio("0", port=5000),
        m=("m=audio 0 UDP/TLS/RTP/SAVP 0", "m=audio 20000 RTP/AVP 0"),
    ),
    "fingerprint over RTP/AVP": Case(
        "a fingerprint over RTP/AVP is an offer that may be left",
        audio("0", "fingerprint:sha-256 AA:BB", "setup:actpass"),
        m=("m=audio 20000 RTP/AVP 0",),
        lacks=("a=setup:actpass",),
    ),
    "audio over tcp": Case(
        "RTP over TCP is not spoken here", audio("0", protocol="TCP/RTP/AVP"), refused="TCP/RTP/AVP"
    ),
    # --- loose writers -------------------------------------------------------------------------------------------
    "bare": Case(
        "no origin, no name, no time: sound is offered all the same",
        f"v=0\nc=IN IP4 {ADDRESS}\nm=audio 4000 RTP/AVP 0\n",
        m=("m=audio 20000 RTP/AVP 0",),
    ),
    "latin-1": Case(
        "bytes that are no UTF-8 do no harm",
        "v=0\no=J\udcfcrgen 1 1 IN IP4 x\ns=Gespr\udce4ch\nc=IN IP4 192.0.2.7\nt=0 0\n" + audio("0"),
        m=("m=audio 20000 RTP/AVP 0",),
    ),
    "appended lines": Case(
        "rtp_append_audio_sdp puts lines into the section",
        audio("0"),
        local={"attributes": (Attribute("X-note", "a b"),)},
        has=("a=X-note:a b",),
    ),
    "username": Case(
        "the profile's username stands in o= and s=",
        audio("0"),
        local={"username": "moonline"},
        has=("o=moonline 1700000000 1700000001 IN IP4 203.0.113.5", "s=moonline"),
    ),
}
