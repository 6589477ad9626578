"""The codecs of an offer as a codec string (`ep_codec_string`): what both sides have."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from host.core_interfaces import PCM_MODULE
from host.sdp.codec_string import remote_codec_string
from host.sdp.description import SdpError, parse
from host.sdp.transport import chosen

# FreeSWITCH: the modules that bring the codecs of the engine.
_MODULES: Final = {
    "pcmu": PCM_MODULE,
    "pcma": PCM_MODULE,
    "l16": PCM_MODULE,
    "g722": "mod_spandsp",
    "gsm": "mod_spandsp",
    "opus": "mod_opus",
    "g729": "mod_g729",
    "ilbc": "mod_ilbc",
    "speex": "CORE_SPEEX_MODULE",
}
# What an offer of one stream has at most; longer ones are not remembered.
_LONGEST_KEPT: Final = 2_000
# What differs in the offers of one phone, or is nothing to be kept.
_VARYING: Final = re.compile(
    r"^(?:o|s|t|a=crypto|a=ice|a=candidate|a=ssrc|a=rtcp)[=:-].*\r?\n?", re.MULTILINE
)
_PORT: Final = re.compile(r"^m=audio [1-9]\d{0,4} ", re.MULTILINE | re.ASCII)


def codec_string_of(offer: str, preferences: str, *, inbound: bool) -> str:
    """Return the codecs that an offer and a preference string have in common, empty for none."""
    if len(offer) > _LONGEST_KEPT:
        return _read(offer, preferences, inbound)
    kept = _PORT.sub("m=audio 9 ", _VARYING.sub("", offer))
    return _read_before(
        kept.replace("v=0\r\n", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n", 1), preferences, inbound
    )


def _read(offer: str, preferences: str, inbound: bool) -> str:
    try:
        return remote_codec_string(parse(offer), chosen(preferences), _MODULES, inbound=inbound)
    except SdpError:
        return ""


_read_before: Final = lru_cache(maxsize=256)(_read)
