"""What pocketsphinx.conf says."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.truth import is_true
from media.speech_decoder import SpeechModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from host.variables import Variables
    from host.xml_registry import XmlRegistry

_NARROW_RATE: Final = 8000
_WIDE_RATE: Final = 16000

# FreeSWITCH: the names of what its package of models brings; where they are not, the wheel's own serve.
_NARROW: Final = "communicator"
_WIDE: Final = "wsj1"
_DICTIONARY: Final = "default.dic"

_WEIGHT: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?")


class ModelMissing(Exception):
    """A model or a dictionary that is configured is not there; the text is FreeSWITCH's."""


@dataclass(frozen=True, slots=True)
class PocketSphinxSettings:
    """The settings, by default FreeSWITCH's.

    `threshold` is the energy from which a frame of 20 ms is speech; after more than `listen_hits` of those,
    `silence_hits` in a row that are not end an utterance. Timeouts are ms; thresholds of confidence are percent, 0
    for none. Models and dictionary are names below the folder of grammars.
    """

    threshold: int = 400
    silence_hits: int = 35
    listen_hits: int = 1
    auto_reload: bool = True
    start_input_timers: bool = False
    no_input_timeout: int = 4000
    speech_timeout: int = 1000
    confidence_threshold: int = 0
    language_weight: float = 6.5
    narrowband_model: str = _NARROW
    wideband_model: str = _WIDE
    dictionary: str = _DICTIONARY

    def model(self, rate: int, folders: Variables) -> SpeechModel:
        """Return the model for a call of `rate` samples a second. Raises ModelMissing.

        What is not configured and not there either is the model that the package `pocketsphinx` brings.
        """
        grammars = folders.get("grammar_dir") or ""
        narrow = rate <= _NARROW_RATE
        acoustic = self._there(
            os.path.join(grammars, "model"),
            *((self.narrowband_model, _NARROW) if narrow else (self.wideband_model, _WIDE)),
        )
        if acoustic is None:
            name = self.narrowband_model if narrow else self.wideband_model
            raise ModelMissing(f"Can't open speech model {os.path.join(grammars, 'model', name)}.")
        dictionary = self._there(grammars, self.dictionary, _DICTIONARY)
        if dictionary is None:
            raise ModelMissing(f"Can't open dictionary {os.path.join(grammars, self.dictionary)}.")
        made_for = _NARROW_RATE if narrow and acoustic else _WIDE_RATE
        return SpeechModel(acoustic, dictionary, made_for, self.language_weight)

    @staticmethod
    def _there(folder: str, name: str, usual: str) -> str | None:
        """Return the path of what is there, "" for what need not be, None for what should be."""
        path = os.path.join(folder, name)
        if os.path.exists(path):
            return path
        return "" if name == usual else None


def read_settings(xml: XmlRegistry, log: Callable[[str], object]) -> PocketSphinxSettings:
    """Read pocketsphinx.conf, the defaults where there is none; `log(text)` is told of values that are none."""
    configuration = xml.configuration("pocketsphinx.conf")
    values: dict[str, int | bool | float | str] = {}
    for param in configuration.iterfind("settings/param") if configuration is not None else ():
        name, value = param.get("name", "").lower(), param.get("value", "")
        match name:
            case "threshold" | "silence-hits" | "listen-hits" | "no-input-timeout" | "speech-timeout":
                values[name.replace("-", "_")] = leading_int(value)
            case "confidence_threshold" | "confidence-threshold":
                values["confidence_threshold"] = leading_int(value)
            case "start-input-timers" | "auto-reload":
                values[name.replace("-", "_")] = is_true(value)
            case "language-weight" if _WEIGHT.fullmatch(value):
                values["language_weight"] = float(value)
            case "language-weight":
                log(f"pocketsphinx.conf: {value!r} is no language weight")
            case "narrowband-model" | "wideband-model" | "dictionary":
                values[name.replace("-", "_")] = value
    return PocketSphinxSettings(**values)  # type: ignore[arg-type]
