"""The media of one leg: its descriptions, what they agree on, and the line that follows it."""

from __future__ import annotations

import dataclasses
import re
import threading
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from host.channel_event import tell_codec
from host.log import LogLevel
from host.rtp_variables import rtp_variables
from host.sdp.agreement import Agreement, Refusal
from host.sdp.audio_match import Negotiation
from host.sdp.codec_choice import CodecChoice
from host.sdp.description import Description, SdpError, parse
from host.sdp.direction import Direction
from host.sdp.local_media import LocalMedia
from host.sdp.media_security import IN_THE_CLEAR, SUITE_ORDER, parse_secure_media
from host.sdp.offer_answer import accept_answer, make_answer, make_offer
from host.sdp.transport import chosen, codec_rate, to_transport
from host.truth import is_true
from media.jitter_spec import JitterCommand, parse_jitterbuffer
from media.rtp_line import RtpLine
from media.rtp_transport import RtpTransport

if TYPE_CHECKING:
    from host.channel import Channel
    from host.modules.mod_sofia.profile_settings import ProfileSettings
    from host.session import Session
    from host.variables import Variables

# FreeSWITCH: what a profile without codec preferences speaks.
DEFAULT_PREFERENCES: Final = "PCMU,PCMA"
_SECOND: Final = 1_000_000
_MIX: Final = "media_mix_inbound_outbound_codecs"
# The suites of SRTP that there are; none without libsrtp.
_SUITES: Final = SUITE_ORDER if find_spec("pylibsrtp") is not None else ()
# Values of `dtmf_type` that have telephone-events offered.
_EVENT_KINDS: Final = ("rfc2833", "auto")
# What an offer of one stream has at most; longer ones are not remembered.
_LONGEST_KEPT: Final = 2_000
_ORIGIN: Final = re.compile(r"^o=\S+ \d{1,20} \d{1,20} IN IP4 [\d.]+(?=\r?$)", re.MULTILINE | re.ASCII)
_ANY_ORIGIN: Final = "o=- 1 1 IN IP4 127.0.0.1"
_PORT: Final = re.compile(r"^m=audio (?:6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3}) ", re.MULTILINE | re.ASCII)
_ANY_PORT: Final = "m=audio 9 "


def codec_preferences(settings: ProfileSettings, channel: Channel | None, *, inbound: bool) -> str:
    """Return the codec string of a call.

    FreeSWITCH: `absolute_codec_string`; else, before the answer of a call that was placed for another one, the codec
    of that (`originator_codec`), which with `media_mix_inbound_outbound_codecs` merely goes first; else `codec_string`
    or the profile's preferences; `=` before the string keeps `originator_codec` out.
    """
    own = settings.inbound_codec_prefs if inbound else settings.outbound_codec_prefs
    own = own or settings.inbound_codec_prefs or settings.outbound_codec_prefs or DEFAULT_PREFERENCES
    if channel is None:
        return own
    absolute = channel.get_variable("absolute_codec_string")
    if absolute:
        return absolute.lstrip("=")
    originator = channel.variables.get("originator_codec")
    if originator and not channel.answered and not is_true(channel.get_variable(_MIX)):
        return originator
    wanted = channel.get_variable("codec_string") or own
    if wanted.startswith("="):
        return wanted[1:]
    return f"{originator},{wanted}" if originator else wanted


def first_choice(preferences: str) -> CodecChoice:
    """Return the codec a call begins with before anything is agreed on."""
    return (chosen(preferences) or chosen(DEFAULT_PREFERENCES))[0]


def choice_of_offer(offer: str, settings: ProfileSettings, preferences: str) -> CodecChoice | None:
    """Return the codec that an offer would come to; None when nothing fits, or when it is no description."""
    wanted = (
        preferences,
        settings.inbound_codec_negotiation,
        settings.ndlb_allow_crypto_in_avp,
    )
    # Calls of one kind of phone differ in the origin line and in the port; keys are nothing to be kept.
    if len(offer) > _LONGEST_KEPT or "crypto" in offer:
        return _negotiated(offer, *wanted)
    return _negotiated_before(_PORT.sub(_ANY_PORT, _ORIGIN.sub(_ANY_ORIGIN, offer, 1)), *wanted)


def _negotiated(offer: str, preferences: str, negotiation: str, crypto_in_avp: bool) -> CodecChoice | None:
    local = LocalMedia(
        "0.0.0.0",
        9,
        chosen(preferences),
        1,
        negotiation=Negotiation(negotiation),
        security=parse_secure_media(None, inbound=True, supported=_SUITES),
        crypto_in_avp=crypto_in_avp,
    )
    try:
        answer = make_answer(parse(offer), local)
    except SdpError:
        return None
    return None if isinstance(answer, Refusal) else answer.agreement.choice


_negotiated_before: Final = lru_cache(maxsize=256)(_negotiated)


class LegMedia:
    """Offers and answers of one leg. Any thread may ask; one lock keeps the descriptions in order."""

    def __init__(
        self, settings: ProfileSettings, session: Session, line: RtpLine, advertised: str, *, inbound: bool
    ) -> None:
        self._settings = settings
        self._session = session
        self._channel = session.channel
        self._line = line
        self._advertised = advertised
        self._inbound = inbound
        self._lock = threading.RLock()
        self._session_id = session.clock.time() // _SECOND - line.local[1]
        self._sent: Description | None = None
        self._offered: tuple[Description, LocalMedia] | None = None
        self._agreement: Agreement | None = None
        self._direction = self._agreed_direction = Direction.SENDRECV
        self._timeouts = (0, 0)

    @property
    def held(self) -> bool:
        """Whether the far end has put us on hold."""
        return self._agreement is not None and self._agreement.held

    @property
    def last_description(self) -> str:
        """The last description that went out, empty without."""
        return self._sent.serialize() if self._sent is not None else ""

    @property
    def agreement(self) -> Agreement | None:
        """What both sides agreed on last."""
        return self._agreement

    def offer(self, preferences: str | None = None) -> str:
        """Return an offer: of all codecs in a new session or with `preferences`, else of the agreed one."""
        with self._lock:
            local = self._local(preferences)
            description = make_offer(
                local,
                previous=self._sent,
                agreement=self._agreement,
                renegotiate=preferences is not None,
            )
            self._sent = description
            self._offered = description, local
            return self._note_local(description)

    def same_offer(self) -> str:
        """Return the last description again, as an offer: a refresh that changes nothing."""
        return self.offer()

    def hold_offer(self, *, inactive: bool = False) -> str:
        """Return an offer that puts the far end on hold."""
        with self._lock:
            self._direction = Direction.INACTIVE if inactive else Direction.SENDONLY
            return self.offer()

    def resume_offer(self) -> str:
        """Return an offer that takes the far end off hold."""
        with self._lock:
            self._direction = Direction.SENDRECV
            return self.offer()

    def withdraw(self) -> None:
        """Forget an offer of ours that was refused: hold is again as it was agreed on (RFC 3261 section 14.1).

        The number of its description stays used, so the next one has another (RFC 3264 section 8).
        """
        with self._lock:
            self._offered = None
            self._direction = self._agreed_direction

    def answer(self, offer: str) -> str | None:
        """Answer an offer and let the line follow; None, and everything as it was, when nothing in it fits."""
        with self._lock:
            try:
                made = make_answer(
                    parse(offer), self._local(), previous=self._sent, agreement=self._agreement
                )
            except SdpError as error:
                self._channel.log(LogLevel.ERR, f"Error Parsing SDP: {error}")
                return None
            if isinstance(made, Refusal):
                self._channel.log(LogLevel.NOTICE, f"Audio cannot be agreed on: {made.reason}")
                return None
            self._sent = made.description
            self._offered = None
            self._channel.variables.set("switch_r_sdp", offer)
            self._follow(made.agreement)
            return self._note_local(made.description)

    def accept(self, answer: str) -> bool:
        """Take the answer to our last offer and let the line follow; False, and all as it was, when it does not fit."""
        with self._lock:
            if self._offered is None:
                return False
            description, local = self._offered
            try:
                agreed = accept_answer(description, parse(answer), local, agreement=self._agreement)
            except SdpError as error:
                self._channel.log(LogLevel.ERR, f"Error Parsing SDP: {error}")
                return False
            if isinstance(agreed, Refusal):
                self._channel.log(LogLevel.NOTICE, f"Audio cannot be agreed on: {agreed.reason}")
                return False
            self._channel.variables.set("switch_r_sdp", answer)
            self._follow(agreed)
            return True

    def set_jitter_buffer(self, argument: str) -> bool:
        """Set the jitter buffer as `uuid_jitterbuffer` takes it."""
        ptime = self._agreement.ptime_ms if self._agreement is not None else 20
        wanted = parse_jitterbuffer(argument, ptime)
        with self._lock:
            transport = self._line.transport
            if isinstance(wanted, JitterCommand):
                if wanted.action == "debug":
                    return False
                if wanted.action == "stop":
                    transport = dataclasses.replace(transport, jitter_ms=ptime, jitter_paused=False)
                else:
                    transport = dataclasses.replace(transport, jitter_paused=wanted.action == "pause")
            else:
                transport = dataclasses.replace(
                    transport,
                    jitter_ms=wanted.length_ms,
                    jitter_limit_ms=wanted.maximum_ms,
                    jitter_paused=False,
                )
            self._line.set_transport(transport)
        return True

    def report(self, variables: Variables) -> None:
        """Leave what went over the line in the channel's variables."""
        report = self._line.report()
        if report is not None:
            for name, value in rtp_variables(report):
                variables.set(name, value)

    # -- what is ours --------------------------------------------------------------------------------------------

    def _local(self, preferences: str | None = None) -> LocalMedia:
        settings, channel = self._settings, self._channel
        if preferences is None:
            preferences = codec_preferences(settings, channel, inbound=self._inbound)
        negotiation = channel.get_variable("rtp_codec_negotiation") or settings.inbound_codec_negotiation
        security = parse_secure_media(
            channel.get_variable("rtp_secure_media_inbound" if self._inbound else "rtp_secure_media_outbound")
            or channel.get_variable("rtp_secure_media")
            or ("mandatory" if settings.require_secure_rtp else None),
            channel.get_variable("rtp_secure_media_suites"),
            inbound=self._inbound,
            supported=_SUITES,
        )
        kind = (channel.get_variable("dtmf_type") or settings.dtmf_type).lower()
        return LocalMedia(
            self._advertised,
            self._line.local[1],
            chosen(preferences),
            self._session_id,
            username=settings.username,
            direction=self._direction,
            negotiation=Negotiation(negotiation.lower())
            if negotiation.lower() in {one.value for one in Negotiation}
            else Negotiation.GENEROUS,
            telephone_event=settings.rfc2833_pt if kind in _EVENT_KINDS or self._liberal else None,
            comfort_noise=(settings.cng_pt or None) if not settings.suppress_cng else None,
            rtcp=settings.rtcp_audio_interval_msec > 0 or channel.is_true("rtcp_audio_interval_msec"),
            security=security or IN_THE_CLEAR,
            crypto_in_avp=settings.ndlb_allow_crypto_in_avp or channel.is_true("rtp_allow_crypto_in_avp"),
        )

    @property
    def _liberal(self) -> bool:
        """Whether telephone-events are offered, and sent, whatever else is configured or agreed on."""
        return self._channel.is_true("rtp_liberal_dtmf")

    def _note_local(self, description: Description) -> str:
        text = description.serialize()
        self._channel.variables.set("rtp_local_sdp_str", text)
        return text

    def _follow(self, agreed: Agreement) -> None:
        """Let the line do what was agreed on, and tell it with variables and the event CODEC.

        FreeSWITCH: `rtp_liberal_dtmf` has telephone-events sent to a far end that does not name them, too.
        """
        if agreed.telephone_event is None and self._liberal:
            number = self._settings.rfc2833_pt
            agreed = dataclasses.replace(agreed, telephone_event=number, telephone_event_receive=number)
        former, self._agreement = self._agreement, agreed
        self._agreed_direction = self._direction
        self._line.set_rate(agreed.rate)
        transport = to_transport(agreed, self._line.transport)
        transport = dataclasses.replace(transport, timeout_ms=self._timeout(agreed))
        if transport != self._line.transport:
            self._line.set_transport(transport)
        jitter = self._channel.get_variable("jitterbuffer_msec") if former is None else None
        if jitter:
            self.set_jitter_buffer(jitter)
        if former is None or (former.codec, former.rate) != (agreed.codec, agreed.rate):
            for side in ("read", "write"):
                tell_codec(self._channel, side, agreed.codec, agreed.rate)
        self._note_agreement(agreed)

    def _timeout(self, agreed: Agreement) -> int:
        """Return how long no packet may come, in ms: `rtp-timeout-sec`, and on hold `rtp-hold-timeout-sec`."""
        settings, variables = self._settings, self._channel.variables
        name = "rtp_hold_timeout_sec" if agreed.held else "rtp_timeout_sec"
        value = variables.get(name)
        default = settings.rtp_hold_timeout_sec if agreed.held else settings.rtp_timeout_sec
        return 1000 * (int(value) if value is not None and value.isdigit() else default)

    def _note_agreement(self, agreed: Agreement) -> None:
        variables = self._channel.variables
        known = {
            "rtp_use_codec_name": agreed.codec,
            "rtp_use_codec_fmtp": agreed.fmtp,
            "rtp_use_codec_rate": str(agreed.rate),
            "rtp_use_codec_ptime": str(agreed.ptime_ms),
            "rtp_use_codec_channels": "1",
            "rtp_last_audio_codec_string": f"{agreed.codec}@{agreed.rate}h@{agreed.ptime_ms}i@1c",
            "rtp_use_pt": str(agreed.payload_type),
            "rtp_audio_recv_pt": str(agreed.payload_type_receive),
            "rtp_use_timer_name": "soft",
            "local_media_ip": self._line.local[0],
            "local_media_port": str(self._line.local[1]),
            "advertised_media_ip": self._advertised,
            "remote_media_ip": agreed.remote_address or "",
            "remote_media_port": str(agreed.remote_port),
            "dtmf_type": self._digits_as(agreed),
        }
        if agreed.telephone_event is not None:
            known["rtp_2833_send_payload"] = str(agreed.telephone_event)
            known["rtp_2833_recv_payload"] = str(agreed.telephone_event_receive)
        if agreed.srtp is not None:
            known["rtp_secure_media_confirmed"] = known["rtp_secure_media_confirmed_audio"] = "true"
            known["rtp_has_crypto"] = agreed.crypto.suite if agreed.crypto is not None else ""
        for name, value in known.items():
            variables.set(name, value)

    def _digits_as(self, agreed: Agreement) -> str:
        """Return how digits are sent from now on. FreeSWITCH: by INFO where the far end takes no telephone-events."""
        kind = (self._channel.variables.get("dtmf_type") or self._settings.dtmf_type).lower()
        if kind not in _EVENT_KINDS:
            return kind
        if agreed.telephone_event is not None:
            return "rfc2833"
        wanted = self._channel.get_variable("rtp_info_when_no_2833")
        if wanted is not None and not is_true(wanted):
            return "none"
        self._channel.log(LogLevel.DEBUG, "No 2833 in SDP.  Disable 2833 dtmf and switch to INFO")
        return "info"


def first_transport(
    session_settings: ProfileSettings, ports: tuple[int, int], choice: CodecChoice, local_ip: str
) -> RtpTransport:
    """Return the transport that a leg's line begins with, before anything is agreed on."""
    return RtpTransport(
        address=local_ip,
        ports=ports,
        codec=choice.name,
        codec_rate=codec_rate(choice),
        payload_type=choice.payload_type or 0,
        ptime_ms=choice.ptime_ms,
        fmtp=choice.fmtp,
        learning=not session_settings.disable_rtp_auto_adjust,
        rtcp=True,
        jitter_ms=max(session_settings.auto_jitterbuffer_msec, choice.ptime_ms),
        sending=False,
    )
