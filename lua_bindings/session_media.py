"""A script's session: playing, speaking, recording, collecting keys, running applications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.event import Event as HostEvent
from host.inbox import Digit
from host.ivr import detect_speech as speech
from host.ivr import digits as keys
from host.ivr import play
from host.ivr import sleep as sleeping
from host.ivr.input_args import InputArgs
from host.ivr.play_and_detect_speech import play_and_detect_speech
from host.log import LogLevel
from host.status import Status
from lua_bindings.api_object import API
from lua_bindings.leg import Leg

if TYPE_CHECKING:
    from host.session import Session

_DEPRECATED: Final = "start_input_timers is deprecated, please use start-input-timers instead!"


# FreeSWITCH keeps so many keys of one entry, and takes a negative number for a large one.
_MOST_DIGITS: Final = 512


def _wanted(digits: int) -> int:
    return _MOST_DIGITS if digits < 0 else min(digits, _MOST_DIGITS)


class SessionMedia(Leg):
    """The methods that take time. Without a call they answer -1, "" or nothing at once."""

    # -- playing -------------------------------------------------------------------------------------------------

    def streamFile(self, path: str | None, start: int = 0) -> int:
        """Play a file from a sample on; 1 at its end, 0 when it was broken off or cannot be played."""
        self._commands_file = True
        if self._args is not None:
            self._args.recorder = None
        status = self._media(lambda session: play.play_file(session, path or "", start, self._args), None)
        self._commands_file = False  # FreeSWITCH: also for a file whose callback played this one
        return -1 if status is None else self._told("streamFile", int(status is Status.SUCCESS))

    def sleep(self, ms: int, sync: int = 0) -> int:
        """Wait; 1, or 0 when the input callback broke it off."""
        status = self._media(lambda session: sleeping.sleep(session, ms, self._args), None)
        return -1 if status is None else int(status is Status.SUCCESS)

    def say(
        self,
        text: str | None,
        module: str | None,
        say_type: str | None,
        method: str | None,
        gender: str | None = None,
    ) -> None:
        """Say a number, a date or the like in a language."""
        if self.session is None:
            return self._no_call()
        if text is None or module is None or say_type is None or method is None:
            self.session.channel.log(LogLevel.ERR, "Error! invalid args.")
            return
        from host.ivr.say import say

        self._media(
            lambda session: say(session, text, module, say_type, method, gender, self._args), Status.FALSE
        )

    def sayPhrase(self, name: str | None, data: str | None = "", language: str | None = None) -> None:
        """Play a phrase macro."""
        if self.session is None:
            return self._no_call()
        if name is None:
            self.session.channel.log(LogLevel.ERR, "Error! invalid args.")
            return
        from host.ivr.phrase import phrase_macro

        self._media(
            lambda session: phrase_macro(session, name, data or "", language, self._args), Status.FALSE
        )

    def speak(self, text: str | None) -> int:
        """Speak a text with the engine and voice of `set_tts_params`; 1 when it was spoken to the end."""
        if self.session is None:
            self._no_call()
            return -1
        engine, voice = self.tts_name, self.voice_name
        if engine is None or voice is None:
            what = "engine" if engine is None else "voice"
            self.session.channel.log(LogLevel.ERR, f"No TTS {what} specified")
            return 1  # FreeSWITCH answers SWITCH_STATUS_FALSE here, whose number is 1
        from host.ivr.speak import speak_text

        status = self._media(
            lambda session: speak_text(session, engine, voice, text or "", self._args), Status.FALSE
        )
        return int(status is Status.SUCCESS)

    def set_tts_params(self, engine: str | None, voice: str | None) -> None:
        """Choose the engine and the voice of `speak`."""
        if self.session is None:
            return self._no_call()
        self.tts_name = engine or ""
        self.voice_name = voice or ""

    def set_tts_parms(self, engine: str | None, voice: str | None) -> None:
        """Choose the engine and the voice of `speak`, by its old name."""
        self._run.log(LogLevel.ERR, "set_tts_parms is deprecated. Use set_tts_params.")
        self.set_tts_params(engine, voice)

    # -- recording -----------------------------------------------------------------------------------------------

    def recordFile(
        self, path: str | None, limit: int = 0, silence_threshold: int = 0, silence_hits: int = 0
    ) -> int:
        """Record the caller for `limit` seconds at most; 1, or 0 when it was broken off."""
        if self.session is None:
            self._no_call()
            return -1
        if path is None:
            return 0
        from host.ivr.record import record_file

        self._commands_file = True
        status = self._media(
            lambda session: record_file(session, path, limit, silence_threshold, silence_hits, self._args),
            Status.FALSE,
        )
        self._commands_file = False
        return self._told("recordFile", int(status is Status.SUCCESS))

    def insertFile(self, path: str | None, insert_path: str | None, sample_point: int) -> int:
        """Put one sound file into another at a sample; 1 when it is done."""
        if self.session is None:
            self._no_call()
            return -1
        from host.ivr.insert_file import insert_file

        status = self._media(
            lambda session: insert_file(session, path or "", insert_path or "", sample_point), Status.FALSE
        )
        return int(status is Status.SUCCESS)

    # -- keys ----------------------------------------------------------------------------------------------------

    def collectDigits(self, first: int, second: int | None = None) -> int:
        """Give keys to the input callback until a timeout (ms; with two values: between keys, and in all); 0."""
        digit_timeout, absolute = (0, first) if second is None else (first, second)
        status = self._media(
            lambda session: keys.collect_digits_callback(
                session, self._args or InputArgs(), digit_timeout, absolute
            ),
            None,
        )
        return -1 if status is None else self._told("collectDigits", 0)

    def getDigits(
        self,
        max_digits: int,
        terminators: str | None,
        timeout: int,
        digit_timeout: int | None = None,
        absolute_timeout: int | None = None,
    ) -> str:
        """Return up to `max_digits` keys; timeouts in ms: the first key, each later one, all of it."""
        found = self._media(
            lambda session: keys.collect_digits_count(
                session,
                _wanted(max_digits),
                terminators or "",
                timeout,
                digit_timeout or 0,
                absolute_timeout or 0,
            )[0],
            None,
        )
        return "" if found is None else self._told("getDigits", found)

    def read(
        self,
        min_digits: int,
        max_digits: int,
        prompt: str | None,
        timeout: int,
        terminators: str | None,
        digit_timeout: int = 0,
    ) -> str:
        """Play a prompt and return the keys; counts and timeout are at least 1."""
        found = self._media(
            lambda session: keys.read(
                session,
                max(1, min_digits),
                max(1, max_digits),
                prompt or "",
                "",
                max(1, timeout),
                terminators or "",
                digit_timeout,
            )[0],
            None,
        )
        return "" if found is None else self._told("read", found)

    def playAndGetDigits(
        self,
        min_digits: int,
        max_digits: int,
        max_tries: int,
        timeout: int,
        terminators: str | None,
        path: str | None,
        bad_path: str | None,
        regex: str | None,
        variable: str | None = None,
        digit_timeout: int = 0,
        transfer_on_failure: str | None = None,
    ) -> str:
        """Play a prompt until the keys match; return them, "" after the last try."""
        found = self._media(
            lambda session: keys.play_and_get_digits(
                session,
                min_digits,
                max_digits,
                max_tries,
                timeout,
                terminators or "",
                path or "",
                bad_path or "",
                variable or "",
                regex or "",
                digit_timeout,
                transfer_on_failure or "",
            )[0],
            None,
        )
        return "" if found is None else self._told("playAndGetDigits", found)

    def flushDigits(self) -> int:
        """Drop the keys that wait; 0."""
        if self.session is None:
            self._no_call()
            return -1
        self.session.inbox.flush(Digit)
        return 0

    def flushEvents(self) -> int:
        """Drop the events that wait for the input callback; 0."""
        if self.session is None:
            self._no_call()
            return -1
        self.session.inbox.flush(HostEvent)
        return 0

    # -- applications and speech recognition ---------------------------------------------------------------------

    def execute(self, application: str | None, data: str | None = None) -> None:
        """Run a dialplan application."""
        if self.session is None:
            return self._no_call()
        if not application:
            self.session.channel.log(LogLevel.ERR, "No application specified")
            return
        self._media(lambda session: session.execute(application, data or ""), Status.FALSE)

    def executeString(self, text: str | None) -> str:
        """Run a dialplan application written with its data, else an API command; return the command's reply."""
        name, _, data = (text or "").partition(" ")
        if self._run.switch.applications.get(name) is not None:
            self.execute(name, data)
            return ""
        return API(self._run, self).executeString(text)  # type: ignore[arg-type]

    def detectSpeech(
        self, what: str | None, first: str | None = None, second: str | None = None, third: str | None = None
    ) -> None:
        """Begin to recognise speech beside the call, or command what recognises it.

        FreeSWITCH: a word that lacks one of its arguments is none, and an engine needs grammar, name and address.
        """
        if self.session is None:
            return self._no_call()
        if what is None:
            return
        word, one, two = what.lower(), first, second

        def run(session: Session) -> None:
            try:
                if word == "grammar" and one is not None and two is not None:
                    speech.load_speech_grammar(session, one, two)
                elif word == "nogrammar" and one is not None:
                    speech.unload_speech_grammar(session, one)
                elif word == "grammaron" and one is not None:
                    speech.enable_speech_grammar(session, one)
                elif word == "grammaroff" and one is not None:
                    speech.disable_speech_grammar(session, one)
                elif word == "grammarsalloff":
                    speech.disable_all_speech_grammars(session)
                elif word == "init" and one is not None and two is not None:
                    speech.detect_speech_init(session, one, two)
                elif word == "pause":
                    speech.pause_detect_speech(session)
                elif word == "resume":
                    speech.resume_detect_speech(session)
                elif word == "stop":
                    speech.stop_detect_speech(session)
                elif word == "param" and one is not None and two is not None:
                    speech.set_param(session, one, two)
                elif word in ("start-input-timers", "start_input_timers"):
                    if "_" in word:
                        session.switch.log(LogLevel.WARNING, _DEPRECATED)
                    speech.start_input_timers(session)
                elif one is not None and two is not None and third is not None:
                    speech.detect_speech(session, what, one, two, third)
            except (speech.AsrInitError, speech.GrammarError):
                return  # what was wrong has been logged

        self._media(run, None)

    def playAndDetectSpeech(self, path: str | None, engine: str | None, grammar: str | None) -> str | None:
        """Play a file and return what the caller said as the engine's text; "" without an engine."""
        if self.session is None:
            self._no_call()
            return ""

        def run(session: Session) -> str | None:
            channel = session.channel
            try:
                status, result = play_and_detect_speech(
                    session, path or "", engine or "", grammar or "", self._args
                )
            except speech.GrammarError:
                channel.log(LogLevel.ERR, "GRAMMAR ERROR")
                return ""
            except speech.AsrInitError:
                channel.log(LogLevel.ERR, "ASR INIT ERROR")
                return ""
            if not status:
                channel.log(LogLevel.ERR, "ERROR status = 1")
            return result

        over: str | None = ""
        return self._told("playAndDetectSpeech", self._media(run, over))
