"""A session: the thread, the inbox and the media line behind a channel, and the loop that runs its states."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

from host import answer_state, session_state
from host.caller_profile import CallerProfile
from host.cdr_variables import DIGITS_DIALED
from host.channel import Channel, Flag
from host.channel_event import channel_event, tell_codec
from host.channel_state import ChannelState
from host.event import Event
from host.execute_application import execute_application
from host.hangup_cause import HangupCause
from host.inbox import Break, Command, Digit, Inbox, Wake
from host.ivr.session_transfer import session_transfer
from host.log import LogLevel
from media.notice import (
    CodecReport,
    Detected,
    DigitReceived,
    FirstPacket,
    KeysAgreed,
    KeysRefused,
    MediaTimeout,
    Notice,
)

if TYPE_CHECKING:
    from host.interfaces import ChannelIO
    from host.ivr.play import FilePlayback
    from host.switch import Switch
    from media.line import Line
    from media.rtp_transport import RtpTransport

_T = TypeVar("_T")

# A state handler: called in the session's thread when the state is entered; False keeps the later ones from it.
StateHandler = Callable[["Session"], bool]

_MOST_DIALED: Final = 1000  # FreeSWITCH's limit for the keys that `digits_dialed` tells

# The thread of calls that are over and whose own one is somebody else's.
_OVER: Final = threading.Thread(name="over")


class _NoEndpoint:
    """The endpoint of a call that is over."""

    def answer(self, session: Session) -> None:
        """Do nothing."""

    pre_answer = ring_ready = hangup = answer

    def send_dtmf(self, session: Session, digit: str, duration: int, processed: bool = True) -> None:
        """Do nothing."""

    def message(self, session: Session, kind: str, argument: str) -> bool:
        """Take no message."""
        return False


_NO_ENDPOINT: Final = _NoEndpoint()


def _do_nothing() -> None:
    """Nobody is to be woken."""


class Session:
    """One leg that is executed. Only `channel`, `inbox` and `run_in_session` are for other threads."""

    def __init__(
        self,
        switch: Switch,
        name: str,
        profile: CallerProfile,
        io: ChannelIO,
        *,
        outbound: bool,
        endpoint: str,
        rate: int = 8000,
        uuid: str | None = None,
        transport: RtpTransport | None = None,
        born_as: str | None = None,
    ) -> None:
        """Make a session; with `transport` its line is an RtpLine. TransportError when that cannot be opened.

        `born_as` is the name under which its first codecs are told, where it gets its own only after that.
        """
        self.switch = switch
        self.clock = switch.clock
        self.endpoint = endpoint
        self.io = io
        self.uuid = switch.new_uuid()
        self.number = switch.next_session_number()
        self.inbox = Inbox(switch.clock)
        self.channel = Channel(switch, self.uuid, name, profile, outbound=outbound)
        self.channel.on_change = self._wake
        self.line: Line = (
            switch.engine.line(rate, self._take_notice)
            if transport is None
            else switch.engine.rtp_line(rate, self._take_notice, transport)
        )
        self.playing: FilePlayback | None = None
        self.partner: str | None = None  # UUID of the leg it is bridged to
        self.endpoint_handlers: Mapping[ChannelState, StateHandler] = {}
        self.handlers: list[Mapping[ChannelState, StateHandler]] = []  # until a transfer
        self.thread: threading.Thread | None = None
        self.last_running_state = ChannelState.CS_NONE  # the one before that of the channel
        self._driver: threading.Thread | None = None
        self._new_state = switch.clock.waiter()
        self._keeping = threading.Lock()
        self._keepers = 0  # other threads that are not through with it
        self.depth = 0
        # Look at a digit before anybody reads it or it is sent, in any thread; True swallows it.
        self.digit_interceptors: list[Callable[[Digit], bool]] = []
        self.sent_digit_interceptors: list[Callable[[Digit], bool]] = []
        self.at_hangup: list[Callable[[], object]] = []  # what ends with the call: recordings, taps
        self.at_routing: list[Callable[[], object]] = []  # what is told when the call is sent elsewhere
        # Detectors that listen beside what the call does, by number: called with what they found, at once.
        self.background_detectors: dict[int, Callable[[str], object]] = {}
        self.ended = switch.clock.waiter()
        self.channel.name = born_as or name
        self._introduce(name, rate)
        if uuid:
            self._rename(uuid)
        switch.add_session(self)

    def _introduce(self, name: str, rate: int) -> None:
        """Set the variables that a channel is born with and tell its codecs, in FreeSWITCH's order."""
        channel = self.channel
        variables = channel.variables
        variables.set("direction", channel.direction)
        if channel.outbound:
            variables.set("is_outbound", "true")
        variables.set("uuid", self.uuid)
        variables.set("call_uuid", self.uuid)
        variables.set("session_id", str(self.number))
        if not channel.outbound:
            variables.set("channel_name", name)
        for side in ("read", "write"):
            tell_codec(channel, side, "L16", rate, introduced=False)
        channel.name = name
        if channel.outbound:
            variables.set("channel_name", name)

    def _rename(self, uuid: str) -> None:
        """Take another UUID, told by CHANNEL_UUID. FreeSWITCH: one that is taken is silently not given."""
        wanted = self.switch.take_uuid(uuid)
        if wanted != uuid:
            return
        former, self.uuid, channel = self.uuid, uuid, self.channel
        if channel.outbound:
            channel.set_state(ChannelState.CS_INIT)  # FreeSWITCH: its endpoint has made it by now
        channel.uuid = channel.profile.uuid = uuid
        channel.variables.set("uuid", uuid)
        channel.variables.set("call_uuid", uuid)
        channel.fire("CHANNEL_UUID", first=(("Old-Unique-ID", former),))

    # -- the thread ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the session's thread in the state the channel was set to."""
        if self.thread is None:
            self.thread = self.clock.spawn(self._run, f"session-{self.uuid[:8]}")

    def run_here(self) -> None:
        """Be the session's thread until the call is over, in place of `start`."""
        thread = self.thread = threading.current_thread()
        former, thread.name = thread.name, f"session-{self.uuid[:8]}"
        self._run()
        thread.name = former
        self.thread = _OVER  # the thread goes on to other things

    @property
    def in_own_thread(self) -> bool:
        """Whether the caller is the thread that runs the session's operations."""
        return threading.current_thread() is (self._driver or self.thread)

    @property
    def ended_already(self) -> bool:
        """Whether the session's thread is through with it."""
        return self.uuid not in self.switch.sessions

    def drive(self) -> None:
        """Let the calling thread run this call's operations from now on, until the channel gets another state.

        The session's own thread keeps out of the inbox meanwhile (FreeSWITCH: a leg in CS_SOFT_EXECUTE that a script
        owns).
        """
        self._driver = threading.current_thread()
        self.inbox.hand_over()

    def _run(self) -> None:
        self.thread = threading.current_thread()  # which `start` may not have come to yet
        channel = self.channel
        try:
            while channel.running_state is not ChannelState.CS_DESTROY:
                if channel.state is channel.running_state:
                    if self._driver is not None:
                        self._new_state.wait(None)
                        continue
                    self.receive(None, (), until=lambda: self._driver is not None)
                    if channel.state is channel.running_state and self._driver is None:
                        self.inbox.wait(None)
                    continue
                if self._driver is not None:
                    self._driver = None
                    self.inbox.hand_over()
                self.last_running_state = channel.running_state
                state = channel.state
                channel.flags -= {Flag.TRANSFER, Flag.REDIRECT}
                if state is ChannelState.CS_DESTROY:
                    self._wait_for_keepers()
                    channel.fire("CHANNEL_DESTROY")
                channel.run_state(state)
                self._enter(state)
                if state is ChannelState.CS_INIT:
                    session_state.tell_created(self)
        except Exception as error:  # one call's fault must not be another's: it ends this call and is logged
            self.switch.report_bug(f"session {self.uuid}", error)
            channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        finally:
            if channel.running_state is not ChannelState.CS_DESTROY:
                session_state.abandon(self)
            self.line.close()
            self.switch.remove_session(self)
            # Circles would keep a call's memory until the garbage collector comes by, which costs the more calls.
            self.io = _NO_ENDPOINT
            channel.on_change = _do_nothing
            self.ended.notify()

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the call from being destroyed while another thread is in the block (FreeSWITCH: a lock)."""
        with self._keeping:
            self._keepers += 1
        try:
            yield
        finally:
            with self._keeping:
                self._keepers -= 1
            self._new_state.notify()

    def _wait_for_keepers(self) -> None:
        while self._keepers:
            self._new_state.wait(None)

    def _enter(self, state: ChannelState) -> None:
        for table in [self.endpoint_handlers, *self.handlers, session_state.DEFAULT]:
            handler = table.get(state)
            if handler is not None and not handler(self):
                return

    # -- waiting -------------------------------------------------------------------------------------------------

    def receive(
        self, deadline: int | None, kinds: tuple[type[object], ...], until: Callable[[], bool] | None = None
    ) -> object | None:
        """Return the next item of `kinds`; None at `deadline` (µs of `Clock.now()`) or once the channel is not ready.

        Also None once `until()` holds, which is asked again whenever something wakes the session. This is the only
        place where a session blocks. Commands of other threads run in here.
        """
        while True:
            # FreeSWITCH: what is queued for a call that is on its way elsewhere waits until it has arrived.
            command = self.inbox.take(Command) if self.channel.ready else None
            if command is not None:
                command.run(self)
                continue
            item = self.inbox.take(kinds) if kinds else None
            if item is not None or not self.channel.ready or (until is not None and until()):
                return item
            if not self.inbox.wait(deadline):
                return self.inbox.take(kinds) if kinds else None

    def tell_digit(self, digit: Digit) -> None:
        """Fire the event DTMF for a digit that an operation took."""
        self.switch.observe("digit", self.channel, digit=digit.digit, duration=digit.duration)
        self.channel.fire(
            "DTMF",
            ("DTMF-Digit", digit.digit),
            ("DTMF-Duration", str(digit.duration)),
            ("DTMF-Source", digit.source),
        )

    def run_in_session(self, run: Callable[[Session], object]) -> None:
        """Have `run(session)` called in the session's thread at its next wait, or now when that is this thread."""
        if self.in_own_thread:
            run(self)
        else:
            self.inbox.put(Command(run))

    def queue_event(self, event: Event) -> None:
        """Queue an event for the input callback of the operation that runs, or hand it to who diverts the call's."""
        divert = self.channel.private.get("divert_events")
        if callable(divert):
            divert(event)
        else:
            self.inbox.put(event)

    def break_off(self, all_operations: bool = False) -> None:
        """End the operation that runs."""
        self.inbox.put(Break(all_operations))

    def forget_input(self, *, digits: bool = False) -> None:
        """Drop the breaks that wait, and the digits with `digits` (FreeSWITCH: switch_core_session_reset)."""
        for wish in self.inbox.flush(Break):
            if wish.stops:
                self.inbox.put_back(wish)
        if digits:
            self.inbox.flush(Digit)

    def _wake(self) -> None:
        self.inbox.put(Wake())
        self._new_state.notify()

    def _take_notice(self, notice: Notice) -> None:
        if isinstance(notice, DigitReceived):
            self.receive_digit(Digit(notice.digit, notice.duration))
        elif isinstance(notice, Detected) and notice.detector in self.background_detectors:
            self.background_detectors[notice.detector](notice.detail)
        elif isinstance(notice, MediaTimeout):
            self.channel.log(LogLevel.NOTICE, f"{self.channel.name} has received no media for {notice.ms} ms")
            if self.thread is not None and self.channel.variables.beginning(session_state.MEDIA_TIMEOUT):
                self.run_in_session(session_state.end_without_media)
            else:
                self.channel.hangup(HangupCause.MEDIA_TIMEOUT)
        elif isinstance(notice, CodecReport):
            self.channel.log(LogLevel.DEBUG, notice.text)
        elif isinstance(notice, KeysAgreed):
            self.channel.log(LogLevel.INFO, f"{self.channel.name} has agreed on {notice.suite} by DTLS")
        elif isinstance(notice, KeysRefused):
            self.channel.log(LogLevel.ERR, f"{self.channel.name} DTLS handshake failed: {notice.reason}")
            self.channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        elif isinstance(notice, FirstPacket):
            self.channel.log(LogLevel.DEBUG, f"{self.channel.name} has received its first media")
        else:
            self.inbox.put(notice)

    def receive_digit(self, digit: Digit) -> None:
        """Queue a digit from the far end, unless the channel drops it or something else takes it.

        FreeSWITCH: digits that an operator or an application put there as they are bypass both.
        """
        if digit.processed:
            if Flag.DROP_DTMF in self.channel.flags:
                return
            if any(intercept(digit) for intercept in list(self.digit_interceptors)):
                return
        dialed = self.channel.private.get(DIGITS_DIALED)
        self.channel.private[DIGITS_DIALED] = f"{dialed or ''}{digit.digit}"[:_MOST_DIALED]
        if self.in_own_thread:
            self.inbox.put(digit)
        else:
            self.inbox.put_with_next_frame(digit)

    def send_digit(self, digit: Digit) -> None:
        """Send a digit to the far end, unless something takes it on the way.

        FreeSWITCH: what has been looked at once and given back is not looked at again.
        """
        if digit.processed and any(intercept(digit) for intercept in list(self.sent_digit_interceptors)):
            return
        self.io.send_dtmf(self, digit.digit, digit.duration, digit.processed)

    # -- what the call does: each is a story of its own file, and called as a method here -------------------------

    answer = answer_state.answer
    pre_answer = answer_state.pre_answer
    ring_ready = answer_state.ring_ready
    mark_answered = answer_state.mark_answered
    mark_pre_answered = answer_state.mark_pre_answered
    mark_ring_ready = answer_state.mark_ring_ready
    execute = execute_application
    transfer = session_transfer

    def expand(self, text: str) -> str:
        """Return `text` with `${…}` replaced for this channel."""
        return self.switch.expand(text, self)

    def event(self, name: str, subclass: str | None = None) -> Event:
        """Return a new event with the channel's headers."""
        return channel_event(self.channel, name, subclass)

    def private(self, key: str, kind: type[_T]) -> _T | None:
        """Return the channel's private value `key` when it is a `kind`."""
        value = self.channel.private.get(key)
        return value if isinstance(value, kind) else None
