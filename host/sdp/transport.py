"""An agreement as the media engine wants it."""

from __future__ import annotations

import dataclasses
from functools import cache, lru_cache
from ipaddress import ip_address

from host.sdp.agreement import Agreement
from host.sdp.codec_choice import CodecChoice, choose
from media import codec_registry
from media.codec import CodecInfo
from media.rtp_transport import Address, RtpTransport


@cache
def engine_codecs() -> tuple[CodecInfo, ...]:
    """The codecs that an RTP line of the engine speaks, for `codec_choice.choose`.

    Those whose library is missing, or cannot encode, are not among them: nothing is agreed on that stays silent.
    """
    infos = (codec_registry.find(name) for name in codec_registry.names() if codec_registry.can_speak(name))
    return tuple(info for info in infos if info is not None)


@lru_cache(maxsize=128)
def chosen(preferences: str) -> tuple[CodecChoice, ...]:
    """What a preference string chooses among the engine's codecs; see `codec_choice.choose`."""
    return choose(preferences, engine_codecs())


def codec_rate(choice: CodecChoice) -> int | None:
    """The rate of samples as a transport names it: None for the codec's usual one."""
    return None if choice.rate == choice.info.rates[0] else choice.rate


def to_transport(agreement: Agreement, base: RtpTransport) -> RtpTransport:
    """`base` (local address, ports, jitter buffer, timeouts, …) with all that an agreement settles.

    Payload types to receive with are named only where they are not those to send with. An address that is a name is
    left to be learnt from what arrives, and so is every address where ICE tells it. On hold nothing is sent or received
    but what the direction allows.
    """
    dtls, ice = (None, None) if agreement.peering is None else agreement.peering
    return dataclasses.replace(
        base,
        remote=None if ice is not None else _address(agreement.remote_address, agreement.remote_port),
        remote_rtcp=_address(agreement.remote_rtcp_address, agreement.remote_rtcp_port),
        codec=agreement.codec,
        codec_rate=codec_rate(agreement.choice),
        payload_type=agreement.payload_type,
        payload_type_receive=_other(agreement.payload_type_receive, agreement.payload_type),
        ptime_ms=agreement.ptime_ms,
        fmtp=agreement.fmtp,
        event_type=agreement.telephone_event,
        event_type_receive=_other(agreement.telephone_event_receive, agreement.telephone_event),
        event_rate=agreement.telephone_event_rate,
        comfort_noise_type=agreement.comfort_noise,
        rtcp_mux=agreement.rtcp_mux,
        srtp=agreement.srtp,
        dtls=dtls,
        ice=ice,
        learning=base.learning and ice is None,
        # RFC 5764 section 4.1: a port of its own for reports would want keys of its own.
        rtcp=base.rtcp and (dtls is None or agreement.rtcp_mux),
        sending=agreement.direction.sends and (agreement.remote_address is not None or ice is not None),
        receiving=agreement.direction.receives,
    )


def _other(receive: int | None, send: int | None) -> int | None:
    return None if receive == send else receive


def _address(host: str | None, port: int) -> Address | None:
    if host is None:
        return None
    try:
        return str(ip_address(host)), port
    except ValueError:
        return None
