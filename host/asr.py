"""Speech recognition: what the switch asks of an engine, and how an engine answers (FreeSWITCH: switch_core_asr)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from host.arguments import separate
from host.log import LogLevel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from host.inbox import Digit
    from host.switch import Switch

# An engine gets its sound in frames of so many ms, as FreeSWITCH's media bug hands it on.
FRAME_MS: Final = 20

# FreeSWITCH: of the parameters before a grammar, so many count.
_MOST_PARAMETERS: Final = 256


@dataclass(frozen=True, slots=True)
class AsrRequest:
    """What an engine is opened for: sound of `rate` samples a second (int16, mono), from a call.

    `parameter` is what follows the colon in the engine's name (`unimrcp:profile`), `destination` the address that
    `detect_speech` was given. `log(level, text)` writes log lines that name the call.
    """

    switch: Switch
    rate: int
    log: Callable[[LogLevel, str], object]
    parameter: str = ""
    destination: str = ""


class Heard(Enum):
    """What a result tells; the text is the header Speech-Type of the event DETECTED_SPEECH."""

    BEGIN = "begin-speaking"
    PARTIAL = "detected-partial-speech"
    FINAL = "detected-speech"


@dataclass(frozen=True, slots=True)
class AsrResult:
    """One result: its kind, the text (the body of the event) and the headers that the event gets besides."""

    heard: Heard
    text: str = ""
    headers: Sequence[tuple[str, str]] = ()


class AsrError(Exception):
    """An engine cannot be opened, or has failed for good; the text says why."""


class AsrHandle(ABC):
    """One call's opened engine. What answers bool answers whether it could be done; the engine logs why not.

    All methods but `close` are called by one thread at a time. `feed` may take long, for it has a thread of its own.
    Raises AsrError from `feed`, `check_results` and `get_results` when there is nothing to be had from it any more.
    """

    @abstractmethod
    def load_grammar(self, grammar: str, name: str) -> bool:
        """Recognise by `grammar`, which is known as `name` from now on."""

    @abstractmethod
    def unload_grammar(self, name: str) -> bool:
        """Forget a grammar."""

    def enable_grammar(self, name: str) -> bool:
        """Recognise by a loaded grammar again. FreeSWITCH: an engine without this says that it failed."""
        return False

    def disable_grammar(self, name: str) -> bool:
        """Recognise by a loaded grammar no more, until it is enabled again."""
        return False

    def disable_all_grammars(self) -> bool:
        """Recognise by no grammar, until one is enabled again."""
        return False

    @abstractmethod
    def feed(self, samples: NDArray[np.int16]) -> None:
        """Take the next frame: int16 of shape (rate * FRAME_MS // 1000,)."""

    def feed_dtmf(self, digit: Digit) -> None:
        """Take a key that the caller pressed."""
        return

    @abstractmethod
    def pause(self) -> bool:
        """Do not listen until `resume`."""

    @abstractmethod
    def resume(self) -> bool:
        """Listen again; what was heard before is over."""

    @abstractmethod
    def check_results(self) -> bool:
        """Return whether `get_results` has something."""

    @abstractmethod
    def get_results(self) -> AsrResult:
        """Return the next result and forget it."""

    def start_input_timers(self) -> None:
        """Begin to count the time in which the caller must have said something."""
        return

    def text_param(self, name: str, value: str) -> None:
        """Set a parameter; an unknown one means nothing."""
        return

    @property
    def idle(self) -> bool:
        """Whether sound means nothing to it until it is told something: then it need not be fed."""
        return False

    @abstractmethod
    def close(self) -> None:
        """Give the engine back."""


def load_grammar(handle: AsrHandle, grammar: str, name: str) -> bool:
    """Set the parameters in `{name=value,…}` before a grammar, and load the grammar; False when that failed.

    FreeSWITCH: braces without end are no grammar, nothing behind them is one for the engine to judge.
    """
    text = grammar.lstrip(" ")
    if not text:
        return False
    if text.startswith("{"):
        end = _closing_brace(text)
        if end is None:
            return False
        parameters, text = text[1:end], text[end + 1 :]
        for parameter in separate(parameters, ",", _MOST_PARAMETERS):
            pair = separate(parameter, "=", 2)
            if len(pair) == 2:
                handle.text_param(*pair)
    return handle.load_grammar(text, name)


def _closing_brace(text: str) -> int | None:
    """Return where the brace that opens `text` is closed; braces inside are closed first."""
    depth = 0
    for index, character in enumerate(text):
        if character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if not depth:
                return index
    return None
