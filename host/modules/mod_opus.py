"""mod_opus: the codec Opus, for lines that speak it (libopus in PyAV), and the command `opus_debug`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable, UsageError
from host.core_interfaces import Codec
from host.module_loader import ModuleUnavailable

if TYPE_CHECKING:
    from host.interfaces import ApiRequest
    from host.switch import Switch

NAME: Final = "mod_opus"


commands: Final = ApiTable(NAME)


def load(switch: Switch) -> None:
    """Register the codec and the command; ModuleUnavailable without PyAV, which has the library."""
    if find_spec("av") is None:
        raise ModuleUnavailable("Opus needs the extra moonline[av]")
    switch.codecs.add(Codec("OPUS (STANDARD)", NAME))
    commands.register(switch)


def unload(switch: Switch) -> None:
    """Tell of packets no more."""
    switch.engine.debug_codec("OPUS", False)


@commands.command("opus_debug", "<on|off>", "Set OPUS Debug")
def opus_debug(request: ApiRequest) -> str:
    """Log what every Opus packet is like that is sent or decoded on any call, at the level DEBUG, or no more."""
    word = request.argument.lower()
    if word not in ("on", "off"):
        raise UsageError
    request.switch.engine.debug_codec("OPUS", word == "on")
    return f"OPUS Debug: {word}\n" + (f"Library version: {_library()}\n" if word == "on" else "")


def _library() -> str:
    """Return what codes Opus here: FFmpeg's libraries, with libopus in them."""
    import av

    major, minor, micro = av.library_versions["libavcodec"]
    return f"libopus in libavcodec {major}.{minor}.{micro}"
