"""What the switch itself brings, under the names of FreeSWITCH's core modules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from host.switch import Switch

PCM_MODULE: Final = "CORE_PCM_MODULE"
TIMER_MODULE: Final = "CORE_SOFTTIMER_MODULE"


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec that a line can carry, by FreeSWITCH's name for it."""

    name: str
    module: str


@dataclass(frozen=True, slots=True)
class TimerInterface:
    """A kind of timer. There is one: the switch's clock."""

    name: str
    module: str


def register(switch: Switch) -> None:
    """Register the clock as the timer `soft`, and the codecs that every line speaks: G.711 and linear samples.

    Payloads that pass through as they come, between bridged lines of one codec, count as one, as in FreeSWITCH.
    """
    switch.timers.add(TimerInterface("soft", TIMER_MODULE))
    for name in ("G.711 ulaw", "G.711 alaw", "PROXY PASS-THROUGH", "RAW Signed Linear (16 bit)"):
        switch.codecs.add(Codec(name, PCM_MODULE))
