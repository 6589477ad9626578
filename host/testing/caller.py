"""The simulated caller: the far end of one channel, which presses, speaks, listens and hangs up by a scenario."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from host.caller_profile import CallerExtension, CallerProfile
from host.channel_state import ChannelState
from host.clock import MILLISECOND
from host.hangup_cause import HangupCause
from host.session import Session
from host.sound_file import open_source
from host.testing.scenario import PressWhen
from media.espeak import SpeechError, synthesize
from media.notice import DigitReceived, Notice
from media.source import Samples

if TYPE_CHECKING:
    from host.channel import Channel
    from host.switch import Switch
    from host.testing.scenario import Scenario, SpeakWhen
    from host.testing.transcript import Transcript
    from media.source import Source

# A person at a keypad: 100 ms a key, 100 ms between two; a telephone-event's duration is in 8 kHz samples.
KEY_MS: Final = 200
KEY_SAMPLES: Final = 800


class SimulatedCaller:
    """Places one call into a switch and acts it out. It is the channel's endpoint, so it hears of every answer."""

    def __init__(self, switch: Switch, scenario: Scenario, transcript: Transcript) -> None:
        self._switch = switch
        self._scenario = scenario
        self._transcript = transcript
        self._prompts = 0
        self._waiting: list[PressWhen | SpeakWhen] = [*scenario.press_when, *scenario.speak_when]
        self.hung_up_by = ""
        self.ended = switch.clock.waiter()
        self.line = switch.engine.line(scenario.rate, self._take_notice)
        profile = CallerProfile(
            username=scenario.from_number,
            caller_id_name=scenario.from_name,
            caller_id_number=scenario.from_number,
            ani=scenario.from_number,
            destination_number=scenario.to_number,
            source="mod_caller",
        )
        self.session = Session(
            switch,
            f"caller/{scenario.from_number}",
            profile,
            self,
            outbound=False,
            endpoint="caller",
            rate=scenario.rate,
        )
        for name, value in scenario.variables.items():
            self.session.channel.variables.set(name, value)
        self.session.line.connect(self.line)

    def call(self, applications: list[tuple[str, str]] | None = None) -> None:
        """Start the call: with `applications` to execute, or into the dialplan.

        Raises OSError for audio that is not there and texts that cannot be spoken, before anything has happened.
        """
        rate = self._scenario.rate
        audio = [(say, open_source(self._switch, say.path, rate)) for say in self._scenario.say]
        for when in self._scenario.speak_when:
            self._spoken(when.text)
        for speak in self._scenario.speak:
            self._spoken(speak.text)
        self._transcript.begin(self.session.uuid)
        self._switch.observers.append(self._observe)
        channel = self.session.channel
        profile = channel.profile
        self._transcript.add(
            "call",
            caller=profile.caller_id_number,
            name=profile.caller_id_name,
            to=profile.destination_number,
        )
        clock, now = self._switch.clock, self._switch.clock.now()
        for press in self._scenario.press:
            self._press_later(press.digits, press.at)
        for say, source in audio:
            clock.call_at(now + say.at, partial(self._say, say.path, source))
        for speak in self._scenario.speak:
            self._speak_later(speak.text, speak.at)
        if self._scenario.hangup_at is not None:
            clock.call_at(now + self._scenario.hangup_at, self.hang_up)
        if applications is None:
            channel.set_state(ChannelState.CS_INIT)
        else:
            profile.extension = CallerExtension(
                profile.destination_number, profile.destination_number, applications
            )
            channel.set_state(ChannelState.CS_EXECUTE)
        self.session.start()

    def press(self, digits: str) -> None:
        """Press keys one after the other, from now on."""
        self._press_later(digits, 0)

    def say(self, path: str) -> None:
        """Send a file as audio from now on; OSError when it is not there."""
        self._say(path, open_source(self._switch, path, self._scenario.rate))

    def speak(self, text: str) -> None:
        """Speak a text from now on; OSError when it cannot be spoken."""
        self._say("", self._spoken(text), text)

    def hang_up(self) -> None:
        """Hang up as the caller."""
        if self.session.channel.up:
            self.hung_up_by = "caller"
            self.session.channel.hangup(HangupCause.NORMAL_CLEARING)

    def close(self) -> None:
        """Give the caller's line back."""
        if self._observe in self._switch.observers:
            self._switch.observers.remove(self._observe)
        self.line.close()

    # -- what the caller does ------------------------------------------------------------------------------------

    def _press_later(self, digits: str, delay: int) -> None:
        clock = self._switch.clock
        for index, digit in enumerate(digits):
            clock.call_later(delay + index * KEY_MS * MILLISECOND, partial(self._press, digit))

    def _press(self, digit: str) -> None:
        if self.session.channel.up:
            self._transcript.add("press", digit=digit)
            self.line.send_digit(digit, KEY_SAMPLES)

    def _say(self, path: str, source: Source, text: str = "") -> None:
        if self.session.channel.up:
            facts: dict[str, object] = {"text": text} if text else {"path": path}
            if source.length is not None:
                facts["length_ms"] = source.length * 1000 // source.rate
            self._transcript.add("caller_says", "", **facts)
            self.line.play(source)

    def _speak_later(self, text: str, delay: int) -> None:
        source = self._spoken(text)
        self._switch.clock.call_later(delay, lambda: self._say("", source, text))

    def _spoken(self, text: str) -> Source:
        """Return a text as the caller speaks it, in every run with the same samples; OSError when that cannot be."""
        rate = self._scenario.rate
        try:
            return Samples(synthesize(text, self._scenario.voice, rate), rate)
        except SpeechError as error:
            raise OSError(str(error)) from None

    def _take_notice(self, notice: Notice) -> None:
        if isinstance(notice, DigitReceived):
            self._transcript.add("hears_digit", digit=notice.digit)

    def _observe(self, kind: str, channel: Channel | None, facts: dict[str, object]) -> None:
        if channel is not self.session.channel:
            return
        if kind == "hangup" and not self.hung_up_by:
            self.hung_up_by = "script" if self.session.in_own_thread and self.session.depth else "switch"
        if kind in ("played", "spoken"):
            self._prompts += 1
            path = str(facts.get("path") or facts.get("text"))
            for when in [when for when in self._waiting if when.matches(self._prompts, path)]:
                self._waiting.remove(when)
                if isinstance(when, PressWhen):
                    self._press_later(when.digits, when.delay)
                else:
                    self._speak_later(when.text, when.delay)

    # -- the endpoint's side of the channel ----------------------------------------------------------------------

    def answer(self, session: Session) -> None:
        """Take the answer; the transcript tells it."""

    def pre_answer(self, session: Session) -> None:
        """Take early media; the transcript tells it."""

    def ring_ready(self, session: Session) -> None:
        """Hear it ring; the transcript tells it."""

    def send_dtmf(self, session: Session, digit: str, duration: int, processed: bool = True) -> None:
        """Let the caller hear a digit that the switch sends."""
        session.line.send_digit(digit, duration)

    def hangup(self, session: Session) -> None:
        """Hear the call end."""
        self.ended.notify()

    def message(self, session: Session, kind: str, argument: str) -> bool:
        """Refuse: a simulated caller cannot be held, deflected or shown anything."""
        return False
