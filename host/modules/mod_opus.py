"""mod_opus: the codec Opus, for lines that speak it (libopus in PyAV)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from host.core_interfaces import Codec
from host.module_loader import ModuleUnavailable

if TYPE_CHECKING:
    from host.switch import Switch

NAME: Final = "mod_opus"


def load(switch: Switch) -> None:
    """Register the codec; ModuleUnavailable without PyAV, which has the library."""
    if find_spec("av") is None:
        raise ModuleUnavailable("Opus needs the extra moonline[av]")
    switch.codecs.add(Codec("OPUS (STANDARD)", NAME))
