"""mod_ilbc: the codec iLBC, for lines that speak it (RFC 3951; FFmpeg in PyAV decodes it)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from host.core_interfaces import Codec
from host.module_loader import ModuleUnavailable

if TYPE_CHECKING:
    from host.switch import Switch

NAME: Final = "mod_ilbc"


def load(switch: Switch) -> None:
    """Register the codec; ModuleUnavailable without PyAV."""
    if find_spec("av") is None:
        raise ModuleUnavailable("iLBC needs the extra moonline[av]")
    switch.codecs.add(Codec("iLBC", NAME))
