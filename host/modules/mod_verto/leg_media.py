"""The media of one leg: its descriptions, what they agree on, and the line that follows it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from host.channel_event import tell_codec
from host.log import LogLevel
from host.negotiated_line import NegotiatedLine
from host.sdp.agreed_variables import agreed_variables
from host.sdp.agreement import Agreement, Refusal
from host.sdp.codec_choice import CodecChoice
from host.sdp.description import Description, SdpError, parse
from host.sdp.local_media import LocalMedia
from host.sdp.offer_answer import accept_answer, make_answer, make_offer
from host.sdp.transport import chosen, codec_rate, to_transport
from host.sdp.webrtc import LocalWebRtc
from media.jitter_spec import JitterCommand, JitterSpec, parse_jitterbuffer
from media.rtp_line import RtpLine
from media.rtp_transport import RtpTransport
from media.webrtc_parameters import (
    Certificate,
    DtlsParameters,
    Fingerprint,
    IceCredentials,
    IceParameters,
)

if TYPE_CHECKING:
    from host.modules.mod_verto.settings import ProfileSettings
    from host.session import Session
    from host.switch import Switch

# FreeSWITCH: the payload type of telephone-events.
_TELEPHONE_EVENT: Final = 101
# What is spoken before anything is agreed on, where a profile's string names no codec of ours.
_PLAIN: Final = "PCMU"
# Whoever this side is, it comes to the same codec.
_ANYBODY: Final = LocalWebRtc(Certificate("", ""), Fingerprint("sha-256", ""), IceCredentials("", ""))


class LegMedia(NegotiatedLine):
    """Offers and answers of one leg."""

    def __init__(
        self, settings: ProfileSettings, session: Session, line: RtpLine, advertised: str, *, inbound: bool
    ) -> None:
        super().__init__(session, line, advertised, inbound=inbound)
        self._settings = settings

    def offer(self) -> str | None:
        """Return an offer to a page that knows nothing of the call yet; None where there is nothing to offer."""
        with self._lock:
            self._ice = IceCredentials.new()
            self._sent = self._agreement = None
            local = self._local(offers=True)
            if local.webrtc is None:
                self._channel.log(LogLevel.ERR, "WebRTC needs the extra moonline[webrtc]")
                return None
            try:
                description = make_offer(local)
            except SdpError as error:
                self._channel.log(LogLevel.ERR, f"Nothing can be offered: {error}")
                return None
            self._sent = description
            self._offered = description, local
            self._expect(local.webrtc)
            return self._note_local(description)

    def answer(self, offer: str) -> str | None:
        """Answer an offer and let the line follow; None, and everything as it was, when nothing in it fits."""
        with self._lock:
            made = self._agree(
                lambda: make_answer(
                    parse(offer), self._local(), previous=self._sent, agreement=self._agreement
                )
            )
            if made is None:
                return None
            self._sent, self._offered = made.description, None
            self._follow(made.agreement)
            return self._note_local(made.description)

    def accept(self, answer: str) -> bool:
        """Take the answer to our last offer and let the line follow; False, and all as it was, when it does not fit."""
        with self._lock:
            if self._offered is None:
                return False
            description, local = self._offered
            agreed = self._agree(lambda: accept_answer(description, parse(answer), local))
            if agreed is None:
                return False
            self._follow(agreed)
            return True

    @property
    def agreed(self) -> bool:
        """Whether both sides have agreed on something."""
        return self._agreement is not None

    def suspend(self) -> None:
        """Send nothing until something is agreed on anew."""
        with self._lock:
            self._line.set_transport(dataclasses.replace(self._line.transport, sending=False))

    def _local(self, *, offers: bool = False) -> LocalMedia:
        identity = self._session.switch.dtls_identity.get()
        webrtc = None
        if identity is not None:
            webrtc = LocalWebRtc(
                identity.certificate, identity.fingerprint, self._ice, self._session.uuid, offers=offers
            )
        return local_media(
            self._advertised,
            self._line.local[1],
            self._preferences(),
            webrtc,
            session_id=self._session_id,
        )

    def _preferences(self) -> str:
        """FreeSWITCH: `absolute_codec_string`, for calls that come in `codec_string`, else the profile's."""
        get = self._channel.get_variable
        wanted = get("absolute_codec_string") or (get("codec_string") if self._inbound else None)
        own = self._settings.inbound_codecs if self._inbound else self._settings.outbound_codecs
        return (wanted or own).lstrip("=")

    def _expect(self, webrtc: LocalWebRtc) -> None:
        """Answer the checks of the path that come before the answer does."""
        transport = dataclasses.replace(
            self._line.transport,
            rtcp_mux=True,
            ice=IceParameters(self._ice),
            dtls=DtlsParameters(webrtc.certificate, False),
            sending=False,
        )
        self._line.set_transport(transport)

    def _note_local(self, description: Description) -> str:
        text = description.serialize()
        self._channel.variables.set("rtp_local_sdp_str", text)
        self._channel.log(LogLevel.DEBUG, f"Local SDP {self._channel.name}:\n{text}")
        return text

    def _follow(self, agreed: Agreement) -> None:
        """Let the line do what was agreed on, and tell it with variables and the event CODEC."""
        former, self._agreement = self._agreement, agreed
        self._line.set_rate(agreed.rate)
        transport = to_transport(agreed, self._line.transport)
        if transport != self._line.transport:
            self._line.set_transport(transport)
        jitter = self._channel.get_variable("jitterbuffer_msec") if former is None else None
        if jitter:
            self.set_jitter_buffer(jitter)
        if former is None or (former.codec, former.rate) != (agreed.codec, agreed.rate):
            for side in ("read", "write"):
                tell_codec(self._channel, side, agreed.codec, agreed.rate)
        digits = "rfc2833" if agreed.telephone_event is not None else "none"
        for name, value in agreed_variables(agreed, self._line.local, self._advertised, digits).items():
            self._channel.variables.set(name, value)


def local_media(
    address: str, port: int, preferences: str, webrtc: LocalWebRtc | None, *, session_id: int = 1
) -> LocalMedia:
    """What this side brings; it offers no comfort noise to browsers, as FreeSWITCH's mod_verto."""
    return LocalMedia(
        address,
        port,
        chosen(preferences),
        session_id,
        telephone_event=_TELEPHONE_EVENT,
        comfort_noise=None,
        webrtc=webrtc,
    )


def choice_of_offer(switch: Switch, offer: str, preferences: str) -> CodecChoice:
    """Return the codec that a call begins with: that which an offer comes to, else the first of ours."""
    webrtc = _ANYBODY if switch.dtls_identity.get() is not None else None
    try:
        made = make_answer(parse(offer), local_media("0.0.0.0", 9, preferences, webrtc))
    except SdpError:
        return first_choice(preferences)
    return first_choice(preferences) if isinstance(made, Refusal) else made.agreement.choice


def first_choice(preferences: str) -> CodecChoice:
    """Return the codec that a call begins with before anything is agreed on."""
    return (chosen(preferences) or chosen(_PLAIN))[0]


def first_transport(
    settings: ProfileSettings, ports: tuple[int, int], choice: CodecChoice, address: str
) -> RtpTransport:
    """Return the transport that a leg's line begins with, before anything is agreed on."""
    jitter = parse_jitterbuffer(settings.jitter_buffer, choice.ptime_ms)
    lengths = JitterSpec(choice.ptime_ms, 400) if isinstance(jitter, JitterCommand) else jitter
    return RtpTransport(
        address=address,
        ports=ports,
        codec=choice.name,
        codec_rate=codec_rate(choice),
        payload_type=choice.payload_type or 0,
        ptime_ms=choice.ptime_ms,
        fmtp=choice.fmtp,
        rtcp=True,
        jitter_ms=lengths.length_ms,
        jitter_limit_ms=lengths.maximum_ms,
        sending=False,
    )
