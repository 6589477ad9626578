"""What a channel's variables say of the media that was agreed on."""

from __future__ import annotations

from host.sdp.agreement import Agreement


def agreed_variables(
    agreed: Agreement, local: tuple[str, int], advertised: str, digits: str
) -> dict[str, str]:
    """Return names and values in FreeSWITCH's order.

    `local` is the address that sound is received at, `advertised` what the far end was told in its place, `digits` how
    they are sent from now on (`dtmf_type`).
    """
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
        "local_media_ip": local[0],
        "local_media_port": str(local[1]),
        "advertised_media_ip": advertised,
        "remote_media_ip": agreed.remote_address or "",
        "remote_media_port": str(agreed.remote_port),
        "dtmf_type": digits,
    }
    if agreed.telephone_event is not None:
        known["rtp_2833_send_payload"] = str(agreed.telephone_event)
        known["rtp_2833_recv_payload"] = str(agreed.telephone_event_receive)
    if agreed.secure:
        known["rtp_secure_media_confirmed"] = known["rtp_secure_media_confirmed_audio"] = "true"
    return known
