"""What a far end can speak of our codecs, as the channel variable `ep_codec_string` says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from host.sdp.audio_match import is_codec
from host.sdp.codec_choice import (
    DEFAULT_PTIME_MS,
    DEFAULT_PTIMES_MS,
    ILBC_BIT_RATES,
    CodecChoice,
    CodecPreference,
    ilbc_mode,
)
from host.sdp.description import Description, Media
from host.sdp.rtp_map import RtpMap

# FreeSWITCH: the bits a second that it knows of static payload types.
_BIT_RATES = {0: 64000, 3: 13200, 4: 6300, 7: 2400, 8: 64000, 9: 64000, 18: 8000}


def remote_codec_string(
    description: Description, choices: Sequence[CodecChoice], modules: Mapping[str, str], *, inbound: bool
) -> str:
    """The preference string of the codecs that both sides have, '' where there is none.

    `modules` gives FreeSWITCH's module of a codec by its name in small letters. FreeSWITCH: in the far end's order for
    a call that came in, in ours for one that went out; T.38 is `t38`.
    """
    entries: list[str] = []
    for media in description.media:
        if not media.port:
            continue
        if media.kind == "image":
            entries.append("t38")
        elif media.kind == "audio":
            ptime = description.ptime_of(media) or 0
            pairs = [
                (choice, rtp_map)
                for rtp_map in media.rtp_maps
                for choice in choices
                if is_codec(rtp_map, choice)
            ]
            if not inbound:
                pairs.sort(key=lambda pair: choices.index(pair[0]))
            for choice, rtp_map in pairs:
                module = modules.get(choice.name.lower(), "")
                entries.append(str(_preference(media, rtp_map, module, ptime)))
    return ",".join(dict.fromkeys(entries))


def _preference(media: Media, rtp_map: RtpMap, module: str, ptime: int) -> CodecPreference:
    name = rtp_map.encoding.lower()
    bits = _BIT_RATES.get(rtp_map.payload_type, 0)
    ptime = ptime or DEFAULT_PTIMES_MS.get(name, DEFAULT_PTIME_MS)
    if name == "ilbc":
        ptime = ilbc_mode(media.format_parameters(rtp_map.payload_type))
        bits = ILBC_BIT_RATES[ptime]
    channels = rtp_map.channels
    # FreeSWITCH: of bits and channels only one is said.
    return CodecPreference(
        rtp_map.encoding, module, rtp_map.clock_rate, ptime, 0 if channels > 1 else bits, channels
    )
