"""Which values the parameters of a profile take, where nothing but the value counts; by names of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MAX_PORT: Final = 65535
LEAST_JITTER_BUFFER: Final = 20  # ms

# Numbers that may not be below something, else the default counts: FreeSWITCH leaves the default silently.
LEAST: Final[Mapping[str, int]] = {
    "session_timeout": 0,
    "max_proceeding": 0,
    "max_recv_requests_per_second": 0,
    "max_calls": 0,
    "rtp_timeout_sec": 0,
    "rtp_hold_timeout_sec": 0,
    "force_subscription_expires": 1,
    "force_publish_expires": 1,
    "registration_thread_frequency": 0,
    "ping_mean_interval": 0,
    "ping_thread_frequency": 0,
    "bind_attempt_interval": 0,
    "sip_expires_late_margin": 0,
    "sip_force_expires": 0,
    "sip_force_expires_min": 0,
    "sip_force_expires_max": 0,
    "sip_expires_max_deviation": 0,
    "sip_subscription_max_deviation": 0,
    "tls_timeout": 1,
    "tls_orq_connect_timeout": 0,
    "timer_t1": 1,
    "timer_t1x64": 1,
    "timer_t2": 1,
    "timer_t4": 1,
    "rtp_digit_delay": 0,
    "max_registrations_per_extension": 0,
    "max_auth_validity": 0,
    "auto_jitterbuffer_msec": LEAST_JITTER_BUFFER,
    "rtcp_audio_interval_msec": 0,
    "rtcp_video_interval_msec": 0,
    "rfc2833_pt": 0,
    "cng_pt": 0,
    "ext_sip_port": 1,
    "ws_page_port": 0,
}
MOST: Final[Mapping[str, int]] = {
    "rfc2833_pt": 127,
    "cng_pt": 127,
    "ext_sip_port": MAX_PORT,
    "ws_page_port": MAX_PORT,
}

# Parameters that one of a few words may stand in: what each word gives, and what every other does (None: the
# default, with a line). FreeSWITCH takes any word for true or false where a value may be either.
WORDS: Final[Mapping[str, tuple[Mapping[str, str], str | None]]] = {
    "inbound_codec_negotiation": ({w: w for w in ("generous", "greedy", "scrooge")}, None),
    "dtmf_type": ({"rfc2833": "rfc2833", "info": "info", "none": "none"}, "none"),
    "caller_id_type": ({"rpid": "rpid", "pid": "pid", "none": "none"}, "none"),
    "p_asserted_id_parse": ({w: w for w in ("default", "user-only", "user-domain", "verbatim")}, None),
    "keepalive_method": ({"info": "info", "message": "message"}, "message"),
    "presence_hold_state": ({w: w for w in ("early", "confirmed", "terminated")}, None),
}
# The same for those that may be true and false as well: the words, and what true and false give.
TRUTH_WORDS: Final[Mapping[str, tuple[Mapping[str, str], str, str]]] = {
    "enable_3pcc": ({"proxy": "proxy"}, "true", ""),
    "multiple_registrations": ({"call-id": "call-id", "contact": "contact"}, "contact", ""),
    "nat_options_ping": ({"udp-only": "udp-only"}, "true", ""),
    "manage_presence": ({"passive": "passive", "pnp": "pnp"}, "full", ""),
    "send_presence_on_register": ({"all": "all", "first-only": "first-only"}, "all", ""),
    "send_message_query_on_register": ({"first-only": "first-only"}, "all", "none"),
}

# Other names of parameters.
ALSO_CALLED: Final[Mapping[str, str]] = {
    "sip-domain": "sip_domain",
    "alias": "alias_urls",
    "inbound-no-media": "inbound_bypass_media",
    "proxy-refer-replaces": "proxy_refer",
    "supress-cng": "suppress_cng",
    "3pcc-reinvite-bridged-on-ack": "reinvite_bridged_on_ack_3pcc",
}

# Parameters of FreeSWITCH that ask for something that is not there: a line where they ask for it.
UNSUPPORTED: Final[Mapping[str, str]] = {
    "t38-passthru": "T.38 is not passed through",
    "sip-capture": "packets are not sent to a capture server",
    "track-calls": "calls are not tracked for recovery",
    "watchdog-enabled": "use a supervisor such as systemd",
    "manage-shared-appearance": "shared appearances are not managed",
    "pnp-provision-url": "phones are not provisioned",
    "inbound-zrtp-passthru": "ZRTP is not spoken",
    "zrtp-secure-media": "ZRTP is not spoken",
    "rfc-7989": "Session-ID is not sent",
    "rfc-7989-filter": "Session-ID is not sent",
    "rfc-7989-force-old": "Session-ID is not sent",
    "make-every-transfer-a-nightmare": "transfers between machines are plain ones",
    "channel-xml-fetch-on-nightmare-transfer": "transfers between machines are plain ones",
    "manual-video-rtp-bugs": "there is no video",
    "db-pre-trans-execute": "the tables are written without it",
    "db-post-trans-execute": "the tables are written without it",
    "db-inner-pre-trans-execute": "the tables are written without it",
    "db-inner-post-trans-execute": "the tables are written without it",
    "socket-tcp-keepalive": "tcp-keepalive is",
}

# Parameters that only tune what works in another way here; nothing is lost without them.
WITHOUT_EFFECT: Final = frozenset(
    {"watchdog-step-timeout", "watchdog-event-timeout", "db-spin-up-wait-ms", "bitpacking"}
)

# Attributes of the settings that no parameter of that name sets.
NO_PARAMETERS: Final = frozenset(
    {
        "name",
        "domain",
        "aliases",
        "domains",
        "domain_aliases",
        "gateways",
        "unknown",
        "rtp_ips",
        "rtp_ips6",
        "auto_nat",
        "tls_versions",
        "server_rport_level",
        "client_rport_level",
    }
)
