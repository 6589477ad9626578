"""What a profile's configuration says, as values: names are FreeSWITCH's parameters with `_` for `-`.

`profile_parameters.parse_profile` makes one of a `<profile>`. Times are seconds and transactions' timers
milliseconds, as in the configuration; an empty text stands for what is not said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from host.modules.mod_sofia.transport.listener import bracketed

if TYPE_CHECKING:
    from host.modules.mod_sofia.gateway.gateway_settings import GatewaySettings

DEFAULT_PORT: Final = 5060
DEFAULT_TLS_PORT: Final = 5061
TLS_VERSIONS: Final = ("tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3")
AUTO_FROM: Final = "auto_from"  # challenge-realm: the domain of From
AUTO_TO: Final = "auto_to"  # challenge-realm: the domain of To


class InboundAcl(NamedTuple):
    """One `apply-inbound-acl`, `list[:context when it is in[:context when it is not]]`; empty: no such context."""

    list: str
    pass_context: str = ""
    fail_context: str = ""


class ProfileDomain(NamedTuple):
    """One `<domain>` of a profile (`all`: every one of the directory): an alias, and whether gateways are read."""

    name: str
    alias: bool
    parse: bool


class Binding(NamedTuple):
    """An address to listen at."""

    ip: str
    port: int


@dataclass(slots=True, kw_only=True)
class ProfileSettings:
    """One profile. Everything but `name` has FreeSWITCH's default."""

    name: str
    domain: str = ""  # the attribute `domain` of <profile>
    aliases: tuple[str, ...] = ()
    domains: tuple[ProfileDomain, ...] = ()
    domain_aliases: tuple[str, ...] = ()  # the directory's domains that are aliases as well
    gateways: tuple[GatewaySettings, ...] = ()

    # Addresses. `ext_…` are empty where nothing stands between this machine and its peers.
    sip_ip: str = "127.0.0.1"
    sip_port: int = DEFAULT_PORT  # 0: any that is free (`auto`)
    ext_sip_ip: str = ""
    ext_sip_port: int = 0  # 0: that of sip_port
    rtp_ips: tuple[str, ...] = ()  # the IPv4 ones, taken in turn
    rtp_ips6: tuple[str, ...] = ()
    ext_rtp_ip: str = ""
    auto_nat: bool = False  # `autonat:`: the external addresses are for those outside of local_network_acl
    sip_domain: str = ""
    bind_params: str = ""  # `transport=udp,tcp` and other parameters of the URI to bind
    bind_attempts: int = 2
    bind_attempt_interval: int = 5
    alias_urls: tuple[str, ...] = ()  # `alias`: further URIs to bind
    local_network_acl: str = "localnet.auto"  # empty: none
    outbound_proxy: str = ""  # a SIP URI
    contact_user: str = "mod_sofia"
    user_agent_string: str = ""
    user_agent_filter: str = ""
    shutdown_on_fail: str = "false"  # true, false, or a command to run
    auto_restart: bool = True
    profile_standby: bool = False

    # TLS and WebSocket.
    tls: bool = False
    tls_only: bool = False
    tls_sip_port: int = DEFAULT_TLS_PORT  # 0: any that is free (`auto`)
    tls_bind_params: str = "transport=tls"
    tls_cert_dir: str = ""
    tls_passphrase: str = ""
    tls_versions: tuple[str, ...] = TLS_VERSIONS
    tls_ciphers: str = "ALL:!ADH:!LOW:!EXP:!MD5:@STRENGTH"
    tls_timeout: int = 300
    tls_orq_connect_timeout: int = 0  # ms
    tls_verify_policy: frozenset[str] = frozenset()  # in, out, subjects_in, subjects_out
    tls_verify_depth: int = 2
    tls_verify_date: bool = True
    tls_verify_in_subjects: tuple[str, ...] = ()
    ws_binding: Binding | None = None
    wss_binding: Binding | None = None
    ws_page_port: int = 0  # ours: of the web server whose page alone may connect; 0: any page may

    # Calls.
    context: str = "default"
    dialplan: str = "XML"
    max_calls: int = 0  # FreeSWITCH reads it and never looks at it
    max_proceeding: int = 0
    max_recv_requests_per_second: int = 1000  # 0: as many as come
    inbound_codec_prefs: str = ""
    outbound_codec_prefs: str = ""
    inbound_codec_negotiation: str = "generous"  # generous, greedy, scrooge
    inbound_late_negotiation: bool = False
    inbound_bypass_media: bool = False
    inbound_proxy_media: bool = False
    renegotiate_codec_on_hold: bool = False
    disable_transcoding: bool = False
    disable_transfer: bool = False
    disable_hold: bool = False
    enable_3pcc: str = ""  # true, proxy
    reinvite_bridged_on_ack_3pcc: bool = False
    enable_100rel: bool = False
    auto_invite_100: bool = True
    ignore_183nosdp: bool = False
    allow_update: bool = True
    send_display_update: bool = True
    enable_soa: bool = True
    enable_timer: bool = True
    session_timeout: int = 0
    minimum_session_expires: int = 0
    update_refresher: bool = False
    manual_redirect: bool = False
    confirm_blind_transfer: bool = False
    proxy_refer: bool = False
    proxy_hold: bool = False
    proxy_info: bool = False
    proxy_message: bool = False
    proxy_info_content_types: str = ""
    proxy_notify_events: str = ""
    media_option: frozenset[str] = frozenset()  # resume-media-on-hold, bypass-media-after-…
    hold_music: str = ""
    record_template: str = ""
    record_path: str = ""
    username: str = "FreeSWITCH"  # that of the SDP's origin
    inbound_use_callid_as_uuid: bool = False
    outbound_use_uuid_as_callid: bool = False
    parse_all_invite_headers: bool = False
    parse_invite_tel_params: bool = False
    full_id_in_dialplan: bool = False
    extended_info_parsing: bool = False
    caller_id_type: str = "rpid"  # rpid, pid, none
    p_asserted_id_parse: str = "default"  # default, user-only, user-domain, verbatim
    pass_callee_id: bool = True
    cid_in_1xx: bool = True
    fire_bye_response_events: bool = False
    fire_transfer_events: bool = False
    disable_srv: bool = False
    disable_naptr: bool = False
    disable_srv503: bool = False
    enable_compact_headers: bool = False

    # Media. Durations of digits are timestamp units of 8000 Hz.
    dtmf_type: str = "rfc2833"  # rfc2833, info, none
    dtmf_duration: int = 100
    rfc2833_pt: int = 101
    liberal_dtmf: bool = False
    pass_rfc2833: bool = False
    rtp_digit_delay: int = 40
    cng_pt: int = 13  # 0: none
    suppress_cng: bool = False
    vad: frozenset[str] = frozenset()  # in, out
    rtp_timeout_sec: int = 0
    rtp_hold_timeout_sec: int = 0
    rtp_timer_name: str = ""
    rtp_autofix_timing: bool = True
    rtp_autoflush_during_bridge: bool = True
    rtp_rewrite_timestamps: bool = False
    rtp_notimer_during_bridge: bool = False
    disable_rtp_auto_adjust: bool = False
    auto_rtp_bugs: str = ""
    manual_rtp_bugs: str = ""
    auto_jitterbuffer_msec: int = 0
    rtcp_audio_interval_msec: int = 0
    rtcp_video_interval_msec: int = 0
    require_secure_rtp: bool = False

    # Who may do what.
    auth_calls: bool = False
    auth_calls_acl_only: bool = False
    auth_messages: bool = True
    auth_subscriptions: bool = True
    auth_all_packets: bool = False
    auth_require_user: bool = False
    accept_blind_auth: bool = False
    enforce_blind_auth_result: bool = False
    blind_auth_reply_403: bool = False
    accept_blind_reg: bool = False
    log_auth_failures: bool = False
    challenge_realm: str = ""  # AUTO_FROM, AUTO_TO or a name; empty is AUTO_TO
    nonce_ttl: int = 60
    max_auth_validity: int = 0  # how often a nonce may be used, 0: as often as its nonce count allows
    rfc8760_auth_algorithms: tuple[str, ...] = ()  # MD5, SHA-256, SHA-512-256; the strongest first
    apply_inbound_acl: tuple[InboundAcl, ...] = ()
    apply_register_acl: tuple[str, ...] = ()
    apply_proxy_acl: tuple[str, ...] = ()
    apply_nat_acl: tuple[str, ...] = ()
    apply_candidate_acl: tuple[str, ...] = ()
    apply_inbound_acl_x_token: str = ""  # the header that holds a token
    apply_proxy_acl_x_token: str = ""
    use_port_for_acl_check: bool = False

    # Registrations.
    disable_register: bool = False
    inbound_reg_force_matching_username: bool = False
    inbound_reg_in_new_thread: bool = False
    force_register_domain: str = ""
    force_register_db_domain: str = ""
    force_subscription_domain: str = ""
    multiple_registrations: str = ""  # call-id, contact
    max_registrations_per_extension: int = 0
    sip_force_expires: int = 0
    sip_force_expires_min: int = 0
    sip_force_expires_max: int = 0
    sip_expires_max_deviation: int = 0
    sip_expires_late_margin: int = 60
    registration_thread_frequency: int = 30
    nat_options_ping: str = ""  # true, udp-only
    all_reg_options_ping: bool = False
    unregister_on_options_fail: bool = False
    ping_mean_interval: int = 30
    ping_thread_frequency: int = 1
    sip_user_ping_max: int = 3
    sip_user_ping_min: int = 1
    keepalive_method: str = "message"  # message, info
    aggressive_nat_detection: bool = False
    tcp_always_nat: bool = False
    tls_always_nat: bool = False
    tcp_keepalive: int = 0  # ms
    tcp_pingpong: int = 0  # ms
    tcp_ping2pong: int = 0  # ms
    tcp_unreg_on_socket_close: bool = False
    reuse_connections: bool = True
    enable_rfc_5626: bool = False
    odbc_dsn: str = ""
    dbname: str = ""

    # Presence, messages, OPTIONS.
    manage_presence: str = ""  # full, passive, pnp
    presence_hosts: str = ""
    presence_privacy: bool = False
    presence_hold_state: str = "early"  # early, confirmed, terminated
    presence_proto_lookup: bool = False
    presence_disable_early: bool = False
    presence_probe_on_register: bool = False
    send_presence_on_register: str = ""  # all, first-only
    send_message_query_on_register: str = "first-only"  # all, first-only, none
    force_subscription_expires: int = 0
    force_publish_expires: int = 0
    sip_subscription_max_deviation: int = 0
    delete_subs_on_register: bool = False
    mwi_use_reg_callid: bool = False
    forward_unsolicited_mwi_notify: bool = False
    enable_chat: bool = True
    in_dialog_chat: bool = False
    fire_message_events: bool = False
    sip_messages_respond_200_ok: bool = False
    sip_subscribe_respond_200_ok: bool = False
    sip_options_respond_503_on_busy: bool = False

    # What phones get wrong.
    ndlb_broken_auth_hash: bool = False
    ndlb_sendrecv_in_session: bool = False
    ndlb_allow_bad_iananame: bool = False
    ndlb_expires_in_register_response: bool = False
    ndlb_allow_crypto_in_avp: bool = False
    ndlb_allow_nondup_sdp: bool = True
    ndlb_received_in_nat_reg_contact: bool = False
    ndlb_support_asterisk_missing_srtp_auth: bool = False
    ndlb_proxy_never_patch_reinvites: bool = False
    server_rport_level: int = (
        1  # NDLB-force-rport: 0 never, 1 where asked for, 2 always, 3 only with old phones
    )
    client_rport_level: int = 1

    # Transactions (RFC 3261 section 17), ms.
    timer_t1: int = 500
    timer_t1x64: int = 32000
    timer_t2: int = 4000
    timer_t4: int = 5000

    # What is shown.
    debug: int = 0
    sip_trace: bool = False

    unknown: tuple[str, ...] = field(default=(), repr=False)  # parameters that nobody knows

    @property
    def rtp_ip(self) -> str:
        """The first address for media, an IPv4 one where there is one."""
        return (*self.rtp_ips, *self.rtp_ips6, self.sip_ip)[0]

    @property
    def public_port(self) -> int:
        """The port that others are told."""
        return self.ext_sip_port or self.sip_port

    @property
    def transports(self) -> tuple[str, ...]:
        """The transports of the profile's SIP port, from `bind-params`: `udp` and `tcp` where it names none.

        None with `tls-only`, which leaves the port unbound.
        """
        if self.tls and self.tls_only:
            return ()
        for part in self.bind_params.split(";"):
            name, _, value = part.partition("=")
            if name.strip().lower() == "transport":
                return tuple(word.strip().lower() for word in value.split(",") if word.strip())
        return ("udp", "tcp")

    @property
    def url(self) -> str:
        """The URI that others reach the profile at, `sip:user@host:port`; with `autonat:` those of this network."""
        if self.ext_sip_ip and not self.auto_nat:
            return self.public_url
        return f"sip:{self.contact_user}@{bracketed(self.sip_ip)}:{self.sip_port}"

    @property
    def public_url(self) -> str:
        """The URI with the external address, empty without one."""
        if not self.ext_sip_ip:
            return ""
        return f"sip:{self.contact_user}@{bracketed(self.ext_sip_ip)}:{self.public_port}"

    @property
    def bind_url(self) -> str:
        """The URI that FreeSWITCH shows as bound: with `maddr` where the external address stands in it."""
        base = self.url
        if self.ext_sip_ip and not self.auto_nat:
            base += f";maddr={self.sip_ip}"
        if not self.bind_params:
            return f"{base};transport=udp,tcp"
        extra = "" if "transport=" in self.bind_params.lower() else ";transport=udp,tcp"
        return f"{base};{self.bind_params}{extra}"

    @property
    def tls_url(self) -> str:
        """The URI of the TLS port."""
        host = self.ext_sip_ip if self.ext_sip_ip and not self.auto_nat else self.sip_ip
        return f"sip:{self.contact_user}@{bracketed(host)}:{self.tls_sip_port}"

    @property
    def tls_bind_url(self) -> str:
        """The URI that FreeSWITCH shows as bound for TLS."""
        maddr = f";maddr={self.sip_ip}" if self.ext_sip_ip and not self.auto_nat else ""
        params = f";{self.tls_bind_params}" if self.tls_bind_params else ""
        return f"sips:{self.tls_url.removeprefix('sip:')}{maddr}{params}"

    def websocket_bind_url(self, binding: Binding, *, secure: bool) -> str:
        """Return the URI that FreeSWITCH shows for a WebSocket port."""
        scheme, transport = ("sips", "wss") if secure else ("sip", "ws")
        host = bracketed(binding.ip or self.sip_ip)
        return f"{scheme}:{self.contact_user}@{host}:{binding.port};transport={transport}"
