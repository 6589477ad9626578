"""Speech recognition on a call, beside what the call does (FreeSWITCH: switch_ivr_detect_speech and its kin)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from host.asr import FRAME_MS, AsrError, AsrHandle, AsrRequest, AsrResult, Heard, load_grammar
from host.channel_event import channel_event
from host.clock import MILLISECOND
from host.inbox import Digit
from host.log import LogLevel
from host.media_bug import MediaBug, add_media_bug, remove_media_bug

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from host.interfaces import AsrInterface
    from host.session import Session

FUNCTION: Final = "detect_speech"

_PRIVATE: Final = "speech"
_FRAME: Final = FRAME_MS * MILLISECOND
_CLOSED: Final = "closed"
_JSON_PARAMETERS: Final = "asr_json_param_"

# An engine that is half a minute of sound behind will not catch up: what is older is dropped.
_MOST_WAITING: Final = 30_000 // FRAME_MS

# FreeSWITCH: what an engine may say for the keys that have no digit (`asr_intercept_dtmf`), first those that count.
_KEY_WORDS: Final = {"pound": "#", "hash": "#", "star": "*", "asterisk": "*"}
_KEYS: Final = "0123456789*#ABCDabcd"


class AsrInitError(Exception):
    """There is no such engine, or it cannot listen to this call (FreeSWITCH: SWITCH_STATUS_NOT_INITALIZED)."""


class GrammarError(Exception):
    """The engine cannot use the grammar; recognition has ended."""


class SpeechDetection:
    """An engine that hears what a call's far end says, from its making until `stop` or the call's end.

    A thread of its own feeds the engine, so that one that thinks holds nobody up. In simulated time that thread takes
    each frame at the moment it has been said, and time stands still while the engine thinks.
    """

    def __init__(self, session: Session, interface: AsrInterface, request: AsrRequest, target: str) -> None:
        """Open the engine. Raises AsrError."""
        self.engine = interface.name
        self._session = session
        self._handle = interface.open(request)
        self._fires = False
        self._closed = False
        self._lock = threading.RLock()
        self._waiter = session.clock.waiter()
        self._waiting: deque[NDArray[np.int16] | Digit] = deque(maxlen=_MOST_WAITING)
        self._rest = np.zeros(0, np.int16)
        self._frame = request.rate * FRAME_MS // 1000
        self.heed_fire_asr_events()
        self._tap = session.line.tap(self, read=True, write=False)
        self._bug = MediaBug(FUNCTION, target, self._forget)
        add_media_bug(session, self._bug)
        session.digit_interceptors.append(self._take_digit)
        session.at_hangup.append(self.stop)
        session.channel.private[_PRIVATE] = self
        session.clock.spawn(self._run, f"speech-{session.uuid[:8]}")

    def heed_fire_asr_events(self) -> None:
        """Fire the events from now on when the channel's `fire_asr_events` is true; once on, they stay on."""
        self._fires = self._fires or self._session.channel.is_true("fire_asr_events")

    def command(self, do: Callable[[AsrHandle], bool]) -> bool:
        """Tell the engine something and return its answer; False when it has been closed."""
        with self._lock:
            if self._closed:
                return False
            if self._handle.idle:
                self._drop_waiting()
            done = do(self._handle)
        self._waiter.notify()
        return done

    def resume(self) -> bool:
        """Have the engine listen again, from now on: what it has not come to yet is dropped."""
        with self._lock:
            self._drop_waiting()
        return self.command(lambda handle: handle.resume())

    def stop(self) -> None:
        """Listen no more and tell it; harmless when it has been done."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._handle.close()
        self._tell(_CLOSED)
        remove_media_bug(self._session, self._bug)
        self._waiter.notify()

    # -- sound and keys, in whatever thread ----------------------------------------------------------------------

    def write(self, samples: NDArray[np.int16]) -> None:
        """Take what the far end said, shape (n,); the engine gets it in the thread of its own."""
        if self._handle.idle:
            return
        self._waiting.append(samples)
        if not self._session.clock.virtual:
            self._waiter.notify()

    def _take_digit(self, digit: Digit) -> bool:
        self._waiting.append(digit)
        self._waiter.notify()
        return False

    def _drop_waiting(self) -> None:
        self._waiting.clear()
        self._rest = self._rest[:0]

    def _forget(self) -> None:
        session = self._session
        session.line.untap(self._tap)
        session.channel.private.pop(_PRIVATE, None)
        if self._take_digit in session.digit_interceptors:
            session.digit_interceptors.remove(self._take_digit)
        if self.stop in session.at_hangup:
            session.at_hangup.remove(self.stop)

    # -- the thread of its own -----------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._closed:
                self._waiter.wait(self._next_look())
                self._work()
        except AsrError as error:
            self._session.channel.log(LogLevel.ERR, f"ASR [{self.engine}] failed: {error}")
            self.stop()
        except (
            Exception
        ) as error:  # an engine's fault must not leave the call with a dead ear that seems alive
            self._session.switch.report_bug(f"speech recognition of {self._session.uuid}", error)
            self.stop()

    def _next_look(self) -> int | None:
        """Return when there will be something to hear. In real time whoever brings it gives notice."""
        clock = self._session.clock
        if not clock.virtual or self._handle.idle:
            return None
        return (clock.now() // _FRAME + 1) * _FRAME

    def _work(self) -> None:
        while self._waiting:
            with self._lock:
                if self._closed or not self._waiting:
                    return
                taken = self._waiting.popleft()
                if isinstance(taken, Digit):
                    self._handle.feed_dtmf(taken)
                    self._look_for_results()
                    continue
                sound = np.concatenate((self._rest, taken)) if len(self._rest) else taken
                whole = len(sound) // self._frame * self._frame
                self._rest = sound[whole:]
                for at in range(0, whole, self._frame):
                    self._handle.feed(sound[at : at + self._frame])
                    self._look_for_results()

    def _look_for_results(self) -> None:
        if not self._handle.check_results():
            return
        result = self._handle.get_results()
        channel = self._session.channel
        if result.heard is Heard.FINAL and channel.is_true("asr_intercept_dtmf"):
            for key in keys_said(result.text):
                channel.log(LogLevel.DEBUG, f"Queue speech detected dtmf {key}")
                self._session.receive_digit(Digit(key, source="INBAND_AUDIO"))
            self.resume()
        self._tell(result.heard.value, result)

    def _tell(self, speech_type: str, result: AsrResult | None = None) -> None:
        """Queue the event for who runs the call, and fire it for all others where that is wanted."""
        session, switch = self._session, self._session.switch
        headers = [("Speech-Type", speech_type), *(result.headers if result is not None else ())]
        body = result.text if result is not None and result.heard is not Heard.BEGIN else None
        if self._fires:
            fired = channel_event(session.channel, "DETECTED_SPEECH", first=headers)
            fired.body = body
            switch.fire(fired)
        queued = switch.new_event("DETECTED_SPEECH")
        queued.add_headers(headers)
        queued.body = body
        session.queue_event(queued)
        switch.observe("detected_speech", session.channel, type=speech_type, text=body or "")


def keys_said(text: str) -> str:
    """Return the keys that a result's `<input>` names, one after the other: digits, and words for `*` and `#`."""
    start = text.lower().find("<input>")
    if start < 0:
        return ""
    rest = text[start + len("<input>") :].partition("<")[0]
    keys = ""
    while rest:
        word = next((word for word in _KEY_WORDS if rest.lower().startswith(word)), None)
        key, rest = (_KEY_WORDS[word], rest[len(word) :]) if word is not None else (rest[0], rest[1:])
        keys += key if key in _KEYS else ""
    return keys


def speech_detection(session: Session) -> SpeechDetection | None:
    """Return what recognises speech on a call, None when nothing does."""
    return session.private(_PRIVATE, SpeechDetection)


def detect_speech_init(session: Session, engine: str, destination: str = "") -> SpeechDetection:
    """Open an engine (`name` or `name:parameter`) for a call, unless one is open; return what listens.

    Raises AsrInitError; what was wrong has been logged.
    """
    running = speech_detection(session)
    if running is not None:
        return running
    channel = session.channel
    name, _, parameter = engine.partition(":")
    interface = session.switch.asrs.get(name)
    if interface is None:
        channel.log(LogLevel.ERR, f"Invalid ASR module [{name}]!")
        raise AsrInitError(name)
    if not session.pre_answer():
        raise AsrInitError(name)
    request = AsrRequest(session.switch, session.line.rate, channel.log, parameter, destination)
    try:
        return SpeechDetection(session, interface, request, f"{engine}///{destination}")
    except AsrError as error:
        channel.log(LogLevel.ERR, f"ASR [{name}] cannot be opened: {error}")
        raise AsrInitError(name) from None


def detect_speech(session: Session, engine: str, grammar: str, name: str, destination: str = "") -> None:
    """Recognise by `grammar`, with an engine that is opened when none is, and otherwise listens again.

    The channel's and the switch's variables `asr_json_param_NAME` are parameters of the engine. Raises AsrInitError
    and GrammarError.
    """
    running = speech_detection(session)
    detection = running or detect_speech_init(session, engine, destination)
    variables = session.switch.global_variables.beginning(_JSON_PARAMETERS)
    for variable, value in [*variables, *session.channel.variables.beginning(_JSON_PARAMETERS)]:
        if value:
            set_param(session, variable[len(_JSON_PARAMETERS) :], value)
    if not load_speech_grammar(session, grammar, name):
        raise GrammarError(grammar)
    if running is not None:
        detection.resume()
    detection.heed_fire_asr_events()


def load_speech_grammar(session: Session, grammar: str, name: str) -> bool:
    """Have the engine know a grammar. False when nothing recognises, or it failed, which ends recognition."""
    return _or_stop(session, "loading", lambda handle: load_grammar(handle, grammar, name))


def unload_speech_grammar(session: Session, name: str) -> bool:
    """Have the engine forget a grammar; as `load_speech_grammar`."""
    return _or_stop(session, "unloading", lambda handle: handle.unload_grammar(name))


def enable_speech_grammar(session: Session, name: str) -> bool:
    """Have the engine heed a grammar again; as `load_speech_grammar`."""
    return _or_stop(session, "enabling", lambda handle: handle.enable_grammar(name))


def disable_speech_grammar(session: Session, name: str) -> bool:
    """Have the engine not heed a grammar; as `load_speech_grammar`."""
    return _or_stop(session, "disabling", lambda handle: handle.disable_grammar(name))


def disable_all_speech_grammars(session: Session) -> bool:
    """Have the engine heed no grammar; as `load_speech_grammar`."""
    return _or_stop(session, "disabling all", lambda handle: handle.disable_all_grammars(), "Grammars")


def _or_stop(session: Session, doing: str, do: Callable[[AsrHandle], bool], what: str = "Grammar") -> bool:
    detection = speech_detection(session)
    if detection is None:
        return False
    if detection.command(do):
        return True
    session.channel.log(LogLevel.DEBUG, f"Error {doing} {what}")
    detection.stop()
    return False


def pause_detect_speech(session: Session) -> bool:
    """Have the engine not listen until it is resumed; False when there is none, or it does not listen anyway."""
    detection = speech_detection(session)
    return detection is not None and detection.command(lambda handle: handle.pause())


def resume_detect_speech(session: Session) -> bool:
    """Have the engine listen again; False when there is none."""
    detection = speech_detection(session)
    return detection is not None and detection.resume()


def stop_detect_speech(session: Session) -> bool:
    """Close the engine; False when there is none."""
    detection = speech_detection(session)
    if detection is None:
        return False
    detection.stop()
    return True


def set_param(session: Session, name: str, value: str) -> bool:
    """Set a parameter of the engine; False when there is none."""

    def put(handle: AsrHandle) -> bool:
        handle.text_param(name, value)
        return True

    detection = speech_detection(session)
    return detection is not None and detection.command(put)


def start_input_timers(session: Session) -> bool:
    """Have the engine count the time in which the caller must speak; False when there is none."""

    def start(handle: AsrHandle) -> bool:
        handle.start_input_timers()
        return True

    detection = speech_detection(session)
    return detection is not None and detection.command(start)
