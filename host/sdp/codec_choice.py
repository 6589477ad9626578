"""Codec preferences as FreeSWITCH writes them (`PCMU,PCMA@8000h@20i,opus@48000h@20i@1c`), and what they choose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from host.leading_number import leading_int
from host.sdp.rtp_map import RtpMap
from media.codec import CodecInfo, parse_fmtp

# FreeSWITCH: what is meant where a preference names no ptime and no rate.
DEFAULT_PTIME_MS: Final = 20
DEFAULT_PTIMES_MS: Final = {"ilbc": 30, "isac": 30, "g723": 30}
DEFAULT_RATE: Final = 8000
_DEFAULT_RATES: Final = {"opus": 48000}

# RFC 7587 section 7: Opus is always written with two channels, whatever it carries.
_WRITTEN_CHANNELS: Final = {"opus": 2}
# RFC 3551 section 4.5.2: G.722 has samples of 16 kHz, and yet its clock is 8 kHz. FreeSWITCH takes either as its rate.
_CLOCK_AS_RATE: Final = ("g722",)
# Codecs whose bits a second follow from other parameters; a preference's `b` does not choose among them.
_VARIABLE_BITS: Final = ("opus", "ilbc")

# RFC 3952 section 4.2: what iLBC's frames last where nobody says.
ILBC_MODE_MS: Final = 30
# RFC 3952 section 2: bits a second of its frames of 20 and 30 ms.
ILBC_BIT_RATES: Final = {20: 15200, 30: 13330}


@dataclass(frozen=True, slots=True)
class CodecPreference:
    """One entry of a preference string; 0 and '' where it leaves something open."""

    name: str
    module: str = ""
    rate: int = 0
    ptime_ms: int = 0
    bit_rate: int = 0
    channels: int = 1
    fmtp: str = ""

    def __str__(self) -> str:
        """The entry as FreeSWITCH writes it."""
        text = f"{self.module}.{self.name}" if self.module else self.name
        text += f"~{self.fmtp}" if self.fmtp else ""
        text += f"@{self.rate}h" if self.rate else ""
        text += f"@{self.ptime_ms}i" if self.ptime_ms else ""
        text += f"@{self.bit_rate}b" if self.bit_rate else ""
        return text + (f"@{self.channels}c" if self.channels > 1 else "")


@dataclass(frozen=True, slots=True)
class CodecChoice:
    """A codec as this side is ready to speak it: `rate` of the samples, `ptime_ms`, and the `fmtp` that it is
    offered with (what this side wants to receive).
    """

    info: CodecInfo
    rate: int
    ptime_ms: int
    fmtp: str = ""

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def clock_rate(self) -> int:
        """Of RTP timestamps, hertz."""
        return self.info.clock_rate or self.rate

    @property
    def payload_type(self) -> int | None:
        """The static payload type, None where a dynamic one is needed."""
        return self.info.payload_type(self.rate)

    def rtp_map(self, payload_type: int) -> RtpMap:
        channels = _WRITTEN_CHANNELS.get(self.name.lower(), 1)
        return RtpMap(payload_type, self.name, self.clock_rate, channels)


def parse_preference(text: str) -> CodecPreference:
    """Read one entry: `module.name~fmtp` and parts behind `@`, each a number with h or k (rate), i (ptime), b or c.

    A part without one of these letters says nothing (FreeSWITCH logs it and goes on).
    """
    name, *parts = text.strip().split("@")
    rate = ptime = bits = 0
    channels = 1
    for part in parts:
        number = max(0, leading_int(part))
        if "i" in part:
            ptime = number
        elif "k" in part or "h" in part:
            rate = number
        elif "b" in part:
            bits = number
        elif "c" in part:
            channels = number or 1
    name, _, fmtp = name.partition("~")
    module, dot, rest = name.partition(".")
    if dot:
        return CodecPreference(rest, module, rate, ptime, bits, channels, fmtp)
    return CodecPreference(name, "", rate, ptime, bits, channels, fmtp)


def parse_preferences(text: str) -> tuple[CodecPreference, ...]:
    """Read a preference string, entries parted by commas; empty ones are left out."""
    return tuple(parse_preference(part) for part in text.split(",") if part.strip())


def choose(
    preferences: str | Iterable[CodecPreference], codecs: Sequence[CodecInfo]
) -> tuple[CodecChoice, ...]:
    """What preferences choose among the codecs that exist, in their order.

    FreeSWITCH: an entry that nothing fits is left out, so is one that says the same as another before it. Names have
    no case. `telephone-event` and `CN` are no codecs and follow from `LocalMedia`.
    """
    if isinstance(preferences, str):
        preferences = parse_preferences(preferences)
    known = {info.name.lower(): info for info in codecs}
    chosen: list[CodecChoice] = []
    for preference in preferences:
        info = known.get(preference.name.lower())
        choice = None if info is None else _choice(preference, info)
        if choice is not None and choice not in chosen:
            chosen.append(choice)
    return tuple(chosen)


def _choice(preference: CodecPreference, info: CodecInfo) -> CodecChoice | None:
    name = info.name.lower()
    rate = preference.rate
    if not rate:
        usual = _DEFAULT_RATES.get(name, DEFAULT_RATE)
        rate = usual if usual in info.rates else info.rates[0]
    elif name in _CLOCK_AS_RATE and rate == info.clock_rate:
        rate = info.rates[0]
    ptime = preference.ptime_ms or DEFAULT_PTIMES_MS.get(name, DEFAULT_PTIME_MS)
    if rate not in info.rates or ptime not in info.ptimes:
        return None
    # The engine's lines are mono; of Opus that tells nobody, for either side decodes what the other sends.
    if preference.channels != 1 and name not in _WRITTEN_CHANNELS:
        return None
    if preference.bit_rate and name not in _VARIABLE_BITS and preference.bit_rate != info.bit_rate:
        return None
    return CodecChoice(info, rate, ptime, preference.fmtp or _own_fmtp(name, rate, ptime))


def _own_fmtp(name: str, rate: int, ptime_ms: int) -> str:
    if name == "ilbc":
        return f"mode={ilbc_mode('', ptime_ms)}"
    if name == "opus" and rate != _DEFAULT_RATES[name]:
        # RFC 7587 section 6.1: more than is heard here need not be sent.
        return f"maxplaybackrate={rate};sprop-maxcapturerate={rate}"
    return ""


def ilbc_mode(fmtp: str, ptime_ms: int = 0) -> int:
    """Milliseconds of iLBC's frames, 20 or 30: as format parameters say, else as a ptime is made of, else 30."""
    said = parse_fmtp(fmtp).get("mode")
    if said is not None:
        return 20 if said == "20" else ILBC_MODE_MS
    return 20 if ptime_ms and ptime_ms % ILBC_MODE_MS else ILBC_MODE_MS
