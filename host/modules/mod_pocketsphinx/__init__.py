"""mod_pocketsphinx: the speech recognition engine `pocketsphinx`, by JSGF grammars.

It needs the extra `asr` (the package pocketsphinx, with a model of American English in it). Utterances are decoded in
processes of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from host.interfaces import AsrInterface
from host.log import LogLevel
from host.module_loader import ModuleUnavailable
from host.modules.mod_pocketsphinx.recognition import Recognition
from host.modules.mod_pocketsphinx.settings import PocketSphinxSettings, read_settings
from media.speech_workers import SpeechWorkers

if TYPE_CHECKING:
    from host.asr import AsrRequest
    from host.event import Event
    from host.event_bus import Subscription
    from host.switch import Switch

NAME: Final = "mod_pocketsphinx"

# Simulated calls come one after the other in one process: they share what decodes, which ends with the process.
_shared_workers: Final = SpeechWorkers()


@dataclass(slots=True)
class PocketSphinx:
    """The module's settings and its processes."""

    switch: Switch
    workers: SpeechWorkers
    settings: PocketSphinxSettings = field(default_factory=PocketSphinxSettings)
    subscription: Subscription | None = None

    def read(self) -> None:
        """Read pocketsphinx.conf (again)."""
        self.settings = read_settings(self.switch.xml, lambda text: self.switch.log(LogLevel.ERR, text))

    def reload(self, event: Event) -> None:
        """Read it again when the configuration was, unless `auto-reload` is off."""
        if self.settings.auto_reload:
            self.read()
            self.switch.log(LogLevel.INFO, "PocketSphinx Reloaded")

    def open(self, request: AsrRequest) -> Recognition:
        """Open the engine for a call. Raises AsrError."""
        return Recognition(request, self.settings, self.workers)


# By the switch's core UUID: `unload` gets no more than the switch.
_running: Final[dict[str, PocketSphinx]] = {}


def load(switch: Switch) -> None:
    """Register the engine; ModuleUnavailable without pocketsphinx."""
    if find_spec("pocketsphinx") is None:
        raise ModuleUnavailable("speech recognition needs the extra moonline[asr]")
    engine = PocketSphinx(switch, _shared_workers if switch.clock.virtual else SpeechWorkers())
    engine.read()
    engine.subscription = switch.bus.subscribe(engine.reload, ["RELOADXML"])
    _running[switch.core_uuid] = engine
    switch.asrs.add(AsrInterface("pocketsphinx", NAME, engine.open))


def unload(switch: Switch) -> None:
    """End the processes."""
    engine = _running.pop(switch.core_uuid, None)
    if engine is None:
        return
    if engine.subscription is not None:
        switch.bus.unsubscribe(engine.subscription)
    if engine.workers is not _shared_workers:
        engine.workers.close()
