"""The pytest plugin: the fixture `caller` calls a script, and the test says what the caller hears and does.

    def test_the_menu(caller):
        call = caller("ivr.lua", from_number="5551234")
        call.hears("welcome")
        call.presses("1")
        call.hears("goodbye")
        assert call.ends().cause == "NORMAL_CLEARING"

A call runs in virtual time, so waiting costs nothing. What does not come fails with the transcript so far.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from host.testing.scenario import (
    DEFAULT_VOICE,
    Scenario,
    parse_press,
    parse_press_when,
    parse_say,
    parse_speak,
    parse_speak_when,
    parse_time,
)
from host.testing.simulation import CallOptions, CallResult, SimulatedCall
from host.testing.transcript_text import TranscriptText

if TYPE_CHECKING:
    from host.testing.transcript import Entry

# How long a test waits for something in call time unless it says otherwise.
PATIENCE = "60s"

_HEARD = {"play": ("path", "spoken"), "speak": ("text",), "say": ("text",)}


class Call:
    """A call in the hands of a test. Times are call time, written as on the command line (`2s`, `300ms`)."""

    def __init__(self, simulated: SimulatedCall, end: Callable[[], object]) -> None:
        self._simulated = simulated
        self._end = end
        self._seen = 0

    @property
    def transcript(self) -> str:
        """What happened so far, as `moonline call` shows it."""
        text = TranscriptText()
        lines = [line.plain for entry in self._simulated.transcript.entries for line in text.lines(entry)]
        return "\n".join(lines)

    @property
    def session(self) -> Any:
        """The call's session, for variables and state (`call.session.channel.get_variable("name")`)."""
        return self._simulated.caller.session

    def variable(self, name: str) -> str | None:
        """Return a channel variable of the call as it is now."""
        value: str | None = self.session.channel.get_variable(name)
        return value

    def hears(self, pattern: str, within: str = PATIENCE) -> None:
        """Wait until something begins to play whose file name, or whose spoken words, match the regular expression.

        What was heard before the last match does not count again. Raises AssertionError when nothing came.
        """
        compiled = re.compile(pattern, re.IGNORECASE)

        def heard(entry: Entry) -> bool:
            texts = [str(entry.facts.get(name) or "") for name in _HEARD.get(entry.kind, ())]
            return any(compiled.search(text) for text in texts)

        self._wait_for(heard, within, f"the caller never heard {pattern!r}")

    def logs(self, pattern: str, within: str = PATIENCE) -> None:
        """Wait for a log line that matches the regular expression; AssertionError when none came."""
        compiled = re.compile(pattern)
        self._wait_for(
            lambda entry: entry.kind == "log" and compiled.search(str(entry.facts["text"])) is not None,
            within,
            f"no log line matches {pattern!r}",
        )

    def presses(self, digits: str) -> None:
        """Press keys one after the other, from now on."""
        self._simulated.caller.press(digits)

    def says(self, path: str) -> None:
        """Send a file, or another playable name, as audio from now on."""
        self._simulated.caller.say(path)

    def speaks(self, text: str) -> None:
        """Speak a text, with the voice that the call was made with, from now on."""
        self._simulated.caller.speak(text)

    def waits(self, time: str) -> None:
        """Do nothing for some time."""
        self._simulated.go_on_until(lambda: False, parse_time(time))

    def hangs_up(self) -> CallResult:
        """Hang up and return what came out."""
        self._simulated.caller.hang_up()
        return self.ends()

    def ends(self) -> CallResult:
        """Let the call go on to its end and return what came out; AssertionError when the script failed."""
        self._simulated.wait_for_end()
        self._end()
        result = self._simulated.result
        if result.errors:
            self._fail("the script failed: " + result.errors[0])
        return result

    def _wait_for(self, wanted: Callable[[Entry], bool], within: str, otherwise: str) -> None:
        entries = self._simulated.transcript.entries

        def found() -> bool:
            while self._seen < len(entries):
                self._seen += 1
                if wanted(entries[self._seen - 1]):
                    return True
            return False

        if not self._simulated.go_on_until(found, parse_time(within)):
            self._fail(otherwise)

    def _fail(self, why: str) -> None:
        raise AssertionError(f"{why}\n{self.transcript}")


class Caller:
    """Makes calls; what is still up when the test ends is hung up."""

    def __init__(self, contexts: ExitStack) -> None:
        self._contexts = contexts

    def __call__(
        self,
        script: str,
        *arguments: str,
        press: str = "",
        press_when: str | list[str] = (),  # type: ignore[assignment]
        say: str | list[str] = (),  # type: ignore[assignment]
        speak: str | list[str] = (),  # type: ignore[assignment]
        speak_when: str | list[str] = (),  # type: ignore[assignment]
        voice: str = DEFAULT_VOICE,
        hangup_at: str = "",
        from_number: str = "1000",
        name: str = "Caller",
        to: str = "",
        variables: dict[str, str] | None = None,
        rate: int = 8000,
        **options: Any,
    ) -> Call:
        """Call a script and return the call, which has just begun; the arguments are those of `moonline call`.

        `options` are fields of `CallOptions`: `speak_missing`, `start_time`, `lua`, `limit` …
        """
        scenario = Scenario(
            press=parse_press(press),
            press_when=[parse_press_when(text) for text in _texts(press_when)],
            say=[parse_say(text) for text in _texts(say)],
            speak=[parse_speak(text) for text in _texts(speak)],
            speak_when=[parse_speak_when(text) for text in _texts(speak_when)],
            voice=voice,
            hangup_at=parse_time(hangup_at) if hangup_at else None,
            from_number=from_number,
            from_name=name,
            to_number=to,
            variables=variables or {},
            rate=rate,
        )
        context = self._contexts.enter_context(ExitStack())
        simulated = context.enter_context(SimulatedCall(script, arguments, scenario, CallOptions(**options)))
        simulated.start()
        return Call(simulated, context.close)


def _texts(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


@pytest.fixture
def caller() -> Iterator[Caller]:
    """Call Lua scripts as a simulated caller, in virtual time; see the module `host.testing.plugin`."""
    with ExitStack() as contexts:
        yield Caller(contexts)
