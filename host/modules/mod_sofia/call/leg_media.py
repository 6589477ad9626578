"""The media of one leg: its descriptions, what they agree on, and the line that follows it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.channel_event import tell_codec
from host.ivr.uuid_bridge import partner_of
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_sofia.call.leg_codecs import SUITES, codec_preferences
from host.modules.mod_sofia.call.media_relay import MediaRelay, RelayEnd
from host.modules.mod_sofia.call.media_timeout import media_timeout
from host.modules.mod_sofia.call.offered_codecs import codec_string_of
from host.negotiated_line import NegotiatedLine
from host.sdp.agreed_variables import agreed_variables
from host.sdp.agreement import Agreement
from host.sdp.audio_match import Negotiation
from host.sdp.description import Description, SdpError, parse
from host.sdp.direction import Direction
from host.sdp.format_filter import filtered
from host.sdp.local_media import LocalMedia
from host.sdp.media_security import IN_THE_CLEAR, parse_secure_media
from host.sdp.offer_answer import accept_answer, make_answer, make_offer
from host.sdp.passed_on import continued
from host.sdp.transport import chosen, to_transport
from host.sdp.webrtc import LocalWebRtc
from host.truth import is_true
from media.rtp_line import RtpLine
from media.rtp_transport import TransportError

if TYPE_CHECKING:
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
    from host.session import Session

# Values of `dtmf_type` that have telephone-events offered.
_EVENT_KINDS: Final = ("rfc2833", "auto")


class LegMedia(NegotiatedLine):
    """Offers and answers of one leg."""

    def __init__(
        self, settings: ProfileSettings, session: Session, line: RtpLine, advertised: str, *, inbound: bool
    ) -> None:
        super().__init__(session, line, advertised, inbound=inbound)
        self._settings = settings
        self._text = self._former_text = ""  # of what was sent, as it was
        self._remote = ""  # the far end's last description
        self._relay: tuple[MediaRelay, int] | None = None
        self._direction = self._agreed_direction = Direction.SENDRECV
        # What ICE and DTLS switch off comes back with a far end that has neither.
        self._as_opened = line.transport.learning, line.transport.rtcp

    @property
    def held(self) -> bool:
        """Whether the far end has put us on hold."""
        return self._agreement is not None and self._agreement.held

    @property
    def bypassed(self) -> bool:
        """Whether sound passes from far end to far end: the descriptions of the one are for the other."""
        return Flag.PROXY_MODE in self._channel.flags

    @property
    def leaves_after_hold(self) -> bool:
        """Whether sound leaves again after a hold for which it came here (`media-option` bypass-media-after-hold)."""
        return "bypass-media-after-hold" in self._settings.media_option

    @property
    def secure(self) -> bool:
        """Whether sound is encrypted."""
        return self._agreement is not None and self._agreement.secure

    @property
    def last_description(self) -> str:
        """The last description that went out, empty without."""
        return self._text

    @property
    def remote_description(self) -> str:
        """The last description of the far end that was taken, empty without."""
        return self._remote

    def open(self) -> bool:
        """Have ports for sound that passes here; False where there is none."""
        try:
            self._line.open()
        except TransportError as error:
            self._channel.log(LogLevel.CRIT, f"No RTP ports available! ({error})")
            return False
        return True

    def release(self) -> None:
        """Give the ports back: sound does not pass here."""
        self._line.release()

    def describe_other(self, description: str) -> str:
        """Return the description of the other far end as this one gets it: as it is, but for what the other leg's
        `bypass_media_sdp_filter` takes out.

        Once this one has a description only the origin is ours: it names the same session, with the next version
        where something has changed (RFC 3264 section 8). Where the host relays what they send, it names the host.
        """
        giver = partner_of(self._session)
        rules = giver.channel.get_variable("bypass_media_sdp_filter") if giver is not None else None
        if rules:
            description = filtered(description, rules)
        with self._lock:
            if self._relay is not None:
                description = self._relayed(description, *self._relay)
            text = continued(description, self._text, self._sent)
            try:
                self._sent = parse(text)
            except SdpError as error:
                self._channel.log(LogLevel.WARNING, f"A description goes on as it came: {error}")
            self._offered = None
            self._note_sent(text)
            return text

    def _relayed(self, description: str, relay: MediaRelay, side: int) -> str:
        try:
            return relay.describe(description, side)
        except (ValueError, TransportError) as error:
            self._channel.log(LogLevel.CRIT, f"Media cannot be proxied: {error}")
            return description

    @property
    def relay_end(self) -> RelayEnd:
        """What a relay needs to know of this leg."""
        settings = self._settings
        return RelayEnd(settings.rtp_ip, self._advertised, not settings.disable_rtp_auto_adjust)

    def share_relay(self, relay: MediaRelay) -> None:
        """Have what this far end and the caller's send each other relayed by the host."""
        self._relay = relay, 1

    def join_relay(self, called: LegMedia) -> None:
        """Describe the one who is called as the relay that it shares with this leg."""
        self._relay = None if called._relay is None else (called._relay[0], 0)

    def close_relay(self) -> None:
        """Relay nothing any more."""
        if self._relay is not None:
            self._relay[0].close()
            self._relay = None

    def note_remote(self, description: str) -> None:
        """Take the far end's description without doing what it says: that is for the other far end."""
        self._remote = description
        variables = self._channel.variables
        variables.set("switch_r_sdp", description)
        try:
            parsed = parse(description)
        except SdpError:
            return
        for media in parsed.media:
            if media.kind == "audio":
                connection = parsed.connection_of(media)
                variables.set("remote_media_ip", connection.address if connection is not None else None)
                variables.set("remote_media_port", str(media.port))
                return

    def offer_anew(self) -> str:
        """Return an offer of sound that passes here again: with the far end's codecs that are ours as well, if any."""
        wanted = codec_preferences(self._settings, self._channel, inbound=self._inbound)
        common = codec_string_of(self._remote, wanted, inbound=self._inbound) if self._remote else ""
        if common and chosen(common):
            self._channel.variables.set("ep_codec_string", common)
            wanted = common
        return self.offer(wanted)

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
        return self._text if self.bypassed else self.offer()

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
            self._text = self._former_text

    def answer(self, offer: str) -> str | None:
        """Answer an offer and let the line follow; None, and everything as it was, when nothing in it fits."""
        with self._lock:
            made = self._agree(
                lambda: make_answer(
                    parse(offer),
                    self._local(browser="fingerprint:" in offer),
                    previous=self._sent,
                    agreement=self._agreement,
                )
            )
            if made is None:
                return None
            self._sent = made.description
            self._offered = None
            self._remote = offer
            self._channel.variables.set("switch_r_sdp", offer)
            self._follow(made.agreement)
            return self._note_local(made.description)

    def accept(self, answer: str) -> bool:
        """Take the answer to our last offer and let the line follow; False, and all as it was, when it does not fit.

        The answer to what another far end has offered is only noted.
        """
        with self._lock:
            if self.bypassed:
                self.note_remote(answer)
                return True
            if self._offered is None:
                return False
            description, local = self._offered
            agreed = self._agree(
                lambda: accept_answer(description, parse(answer), local, agreement=self._agreement)
            )
            if agreed is None:
                return False
            self._remote = answer
            self._channel.variables.set("switch_r_sdp", answer)
            self._follow(agreed)
            return True

    # -- what is ours --------------------------------------------------------------------------------------------

    def _local(self, preferences: str | None = None, *, browser: bool = False) -> LocalMedia:
        """Return what this side brings; `browser` to an offer with a fingerprint."""
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
            supported=SUITES,
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
            webrtc=self._webrtc(answers=browser),
        )

    def _webrtc(self, *, answers: bool) -> LocalWebRtc | None:
        """Return what this side brings to a browser; None where none is, or where the libraries are missing.

        FreeSWITCH: `media_webrtc` offers sound as browsers want it; answers follow the offer.
        """
        offers = self._channel.is_true("media_webrtc")
        agreed = self._agreement is not None and self._agreement.peering is not None
        identity = self._session.switch.dtls_identity.get() if answers or offers or agreed else None
        if identity is None:
            return None
        return LocalWebRtc(
            identity.certificate, identity.fingerprint, self._ice, self._session.uuid, offers=offers
        )

    @property
    def _liberal(self) -> bool:
        """Whether telephone-events are offered, and sent, whatever else is configured or agreed on."""
        return self._channel.is_true("rtp_liberal_dtmf")

    def _note_local(self, description: Description) -> str:
        text = description.serialize()
        self._note_sent(text)
        return text

    def _note_sent(self, text: str) -> None:
        self._former_text, self._text = self._text, text
        self._channel.variables.set("rtp_local_sdp_str", text)

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
        learning, rtcp = self._as_opened
        transport = to_transport(
            agreed, dataclasses.replace(self._line.transport, learning=learning, rtcp=rtcp)
        )
        timeout = media_timeout(self._channel, self._settings, agreed)
        transport = dataclasses.replace(transport, timeout_ms=timeout)
        if transport != self._line.transport:
            self._line.set_transport(transport)
        jitter = self._channel.get_variable("jitterbuffer_msec") if former is None else None
        if jitter:
            self.set_jitter_buffer(jitter)
        if former is None or (former.codec, former.rate) != (agreed.codec, agreed.rate):
            for side in ("read", "write"):
                tell_codec(self._channel, side, agreed.codec, agreed.rate)
        self._note_agreement(agreed)

    def _note_agreement(self, agreed: Agreement) -> None:
        variables = self._channel.variables
        known = agreed_variables(agreed, self._line.local, self._advertised, self._digits_as(agreed))
        if agreed.srtp is not None:
            known["rtp_has_crypto"] = agreed.crypto.suite if agreed.crypto is not None else ""
            get = self._channel.get_variable
            if not is_true(get("srtp_allow_idle_gaps")) and not leading_int(
                get("send_silence_when_idle") or ""
            ):
                # FreeSWITCH: many a device takes no gaps in SRTP
                known["send_silence_when_idle"] = "-1"
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
