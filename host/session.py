"""A session: the thread, the inbox and the media line behind a channel, and the loop that runs its states."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

from host import session_state
from host.caller_profile import CallerProfile
from host.cdr_variables import DIGITS_DIALED
from host.channel import Channel, Flag
from host.channel_event import channel_event, tell_codec
from host.channel_state import CallState, ChannelState
from host.event import Event
from host.hangup_cause import HangupCause
from host.inbox import Break, Command, Digit, Inbox, Wake
from host.leading_number import leading_int
from host.log import LogLevel
from host.status import Status
from media.notice import CodecReport, Detected, DigitReceived, FirstPacket, MediaTimeout, Notice

if TYPE_CHECKING:
    from host.interfaces import ChannelIO
    from host.ivr.play import FilePlayback
    from host.switch import Switch
    from media.line import Line
    from media.rtp_transport import RtpTransport

_T = TypeVar("_T")

# A state handler: called in the session's thread when the state is entered; False keeps the later ones from it.
StateHandler = Callable[["Session"], bool]

# Applications that call applications (execute_extension, transfer inline, a script): deeper is a loop.
EXECUTE_DEPTH_LIMIT = 50
_MOST_DIALED: Final = 1000  # FreeSWITCH's limit for the keys that `digits_dialed` tells

# FreeSWITCH's default of `max_forwards`: a call that is sent on so often goes in circles.
TRANSFER_LIMIT = 70


# The thread of calls that are over and whose own one is somebody else's.
_OVER: Final = threading.Thread(name="over")


class _NoEndpoint:
    """The endpoint of a call that is over."""

    def answer(self, session: Session) -> None:
        """Do nothing."""

    pre_answer = ring_ready = hangup = answer

    def send_dtmf(self, session: Session, digit: str, duration: int) -> None:
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

    def next_digit(self) -> Digit | None:
        """Return the oldest digit that waits and tell it with the event DTMF; None when there is none."""
        digit = self.inbox.take(Digit)
        if digit is not None:
            self.tell_digit(digit)
        return digit

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
            self.channel.hangup(HangupCause.MEDIA_TIMEOUT)
        elif isinstance(notice, CodecReport):
            self.channel.log(LogLevel.DEBUG, notice.text)
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
        """Send a digit to the far end, unless something takes it on the way."""
        if not any(intercept(digit) for intercept in list(self.sent_digit_interceptors)):
            self.io.send_dtmf(self, digit.digit, digit.duration)

    # -- what the call does --------------------------------------------------------------------------------------

    def answer(self) -> Status:
        """Answer the call; FALSE when it is hung up. Only the far end can answer a leg that we call."""
        channel = self.channel
        if channel.outbound:
            return Status.SUCCESS
        if channel.down:
            return Status.FALSE
        if Flag.ANSWERED not in channel.flags:
            self.io.answer(self)
            self.mark_answered()
        return Status.SUCCESS

    def pre_answer(self) -> Status:
        """Start early media; FALSE when the call is hung up."""
        channel = self.channel
        if channel.down:
            return Status.FALSE
        if Flag.ANSWERED not in channel.flags and Flag.EARLY_MEDIA not in channel.flags:
            if not channel.outbound:
                self.io.pre_answer(self)
            self.mark_pre_answered()
        return Status.SUCCESS

    def ring_ready(self) -> Status:
        """Tell the far end that it rings."""
        channel = self.channel
        if channel.down:
            return Status.FALSE
        if not channel.flags & {Flag.ANSWERED, Flag.EARLY_MEDIA, Flag.RING_READY}:
            if not channel.outbound:
                self.io.ring_ready(self)
            self.mark_ring_ready()
        return Status.SUCCESS

    def mark_answered(self) -> None:
        """Note that the call is answered: event CHANNEL_ANSWER, `execute_on_answer`, `api_on_answer`."""
        channel = self.channel
        if Flag.ANSWERED in channel.flags or channel.down:
            return
        channel.flags.add(Flag.ANSWERED)
        channel.profile.times.answered = self.clock.time()
        channel.fire("CHANNEL_ANSWER")
        channel.variables.set("endpoint_disposition", "ANSWER")
        channel.log(LogLevel.NOTICE, f"Channel [{channel.name}] has been answered", observed=True)
        self.switch.observe("answer", channel)
        channel.changed()
        session_state.run_moment(self, "answer")
        if Flag.EARLY_MEDIA not in channel.flags:
            session_state.run_moment(self, "media")
        channel.set_call_state(CallState.ACTIVE)

    def mark_pre_answered(self) -> None:
        """Note early media: event CHANNEL_PROGRESS_MEDIA, `execute_on_pre_answer`, `execute_on_media`."""
        channel = self.channel
        if Flag.EARLY_MEDIA in channel.flags or Flag.ANSWERED in channel.flags or channel.down:
            return
        channel.flags.add(Flag.EARLY_MEDIA)
        channel.profile.times.progress_media = self.clock.time()
        channel.variables.set("endpoint_disposition", "EARLY MEDIA")
        channel.log(LogLevel.NOTICE, f"Pre-Answer {channel.name}!", observed=True)
        channel.fire("CHANNEL_PROGRESS_MEDIA")
        self.switch.observe("pre_answer", channel)
        channel.changed()
        for moment in ("pre_answer", "media"):
            session_state.run_moment(self, moment)
        channel.set_call_state(CallState.EARLY)

    def mark_ring_ready(self) -> None:
        """Note that it rings: event CHANNEL_PROGRESS, `execute_on_ring`."""
        channel = self.channel
        if channel.flags & {Flag.RING_READY, Flag.EARLY_MEDIA, Flag.ANSWERED} or channel.down:
            return
        channel.flags.add(Flag.RING_READY)
        channel.profile.times.progress = self.clock.time()
        channel.log(LogLevel.NOTICE, f"Ring-Ready {channel.name}!", observed=True)
        channel.fire("CHANNEL_PROGRESS")
        self.switch.observe("ring_ready", channel)
        channel.changed()
        session_state.run_moment(self, "ring")
        channel.set_call_state(CallState.RINGING)

    def expand(self, text: str) -> str:
        """Return `text` with `${…}` replaced for this channel."""
        return self.switch.expand(text, self)

    def execute(self, application: str, data: str = "") -> Status:
        """Run a dialplan application with `data`, expanded first; FALSE when there is none or the call cannot take it.

        FreeSWITCH: an unknown application hangs the call up with DESTINATION_OUT_OF_ORDER.
        """
        channel = self.channel
        app = self.switch.applications.get(application)
        if app is None:
            channel.log(LogLevel.ERR, f"Invalid Application {application}")
            channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
            return Status.FALSE
        if channel.down and not (app.zombie_exec or channel.private.get("zombie_exec")):
            return Status.FALSE
        if self.depth >= EXECUTE_DEPTH_LIMIT:
            channel.log(LogLevel.ERR, f"{channel.name} Too many levels of execution at {application}")
            channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
            return Status.FALSE
        if app.needs_media and Flag.PROXY_MODE in channel.flags:
            from host.ivr.media_path import media_on  # which knows sessions

            channel.log(
                LogLevel.DEBUG, f"Application {application} Requires media on channel {channel.name}!"
            )
            media_on(self)
        if app.needs_media and not channel.flags & {Flag.ANSWERED, Flag.EARLY_MEDIA}:
            self.pre_answer()
        expanded = data if app.raw_data else self.expand(data)
        variables = channel.variables
        app_uuid, app_uuid_name = variables.get("app_uuid"), variables.get("app_uuid_name")
        for name, value in (
            ("app_uuid", None),
            ("app_uuid_name", None),
            ("current_application", app.name),
            ("current_application_data", expanded),
            ("current_application_response", None),
        ):
            variables.set(name, value)
        channel.log(LogLevel.DEBUG, f"EXECUTE [depth={self.depth}] {channel.name} {app.name}({expanded})")
        self.switch.observe("execute", channel, application=app.name, data=expanded, depth=self.depth)
        what = [("Application", app.name), *([("Application-Data", expanded)] if expanded else [])]
        which = [("Application-UUID", app_uuid or self.switch.new_uuid())]
        which += [("Application-UUID-Name", app_uuid_name)] if app_uuid_name else []
        channel.fire("CHANNEL_EXECUTE", *what, *which)
        channel.private["last_app"] = (app.name, expanded)
        variables.set("current_application", app.name)
        self.forget_input()  # FreeSWITCH: a break was for what ran until now
        self.depth += 1
        try:
            app.run(self, expanded)
        finally:
            self.depth -= 1
        response = variables.get("current_application_response") or "_none_"
        channel.fire("CHANNEL_EXECUTE_COMPLETE", *what, ("Application-Response", response), *which)
        self.switch.observe("executed", channel, application=app.name, response=response, depth=self.depth)
        return Status.SUCCESS

    def transfer(self, extension: str, dialplan: str = "", context: str = "") -> Status:
        """Send the call to another extension; empty parts stay as they are. What runs now is no longer `ready`.

        FreeSWITCH: an empty extension is `service`, the dialplan of a call that was in `inline` is XML, and a call
        that was transferred 70 times (or as often as `max_forwards` says) is hung up.
        """
        channel = self.channel
        variables = channel.variables
        if channel.down:
            return Status.FALSE
        limit = "max_session_transfers" if variables.get("max_session_transfers") else "max_forwards"
        given = variables.get(limit)
        left = TRANSFER_LIMIT if given is None else leading_int(given) - 1
        if left <= 0:
            channel.hangup(HangupCause.EXCHANGE_ROUTING_ERROR)
            return Status.FALSE
        variables.set(limit, str(left))
        self.forget_input(digits=True)
        channel.flags.discard(Flag.ORIGINATING)
        self.handlers.clear()
        variables.set("temp_hold_music", None)
        session_state.run_moment(self, "blind_transfer")
        extension = extension or "service"
        reused = Flag.REUSE_CALLER_PROFILE in channel.flags
        profile = channel.profile if reused else channel.profile.clone()
        profile.destination_number = extension
        former_dialplan = profile.dialplan if profile.dialplan.lower() != "inline" else ""
        profile.dialplan = dialplan or variables.get("force_transfer_dialplan") or former_dialplan or "XML"
        profile.context = context or variables.get("force_transfer_context") or profile.context or "default"
        profile.rdnis = channel.profile.destination_number
        profile.times.transferred = self.clock.time()
        stamp = profile.times.transferred // 1_000_000
        profile.transfer_source = (
            f"{stamp}:{self.switch.new_uuid()}:bl_xfer:{extension}/{profile.context}/{profile.dialplan}"
        )
        variables.push("transfer_history", profile.transfer_source)
        variables.set("transfer_source", profile.transfer_source)
        channel.set_flag(Flag.TRANSFER)
        bridged_to = self.switch.find_session(variables.get("bridge_to") or "")
        if bridged_to is not None:
            bridged_to.channel.variables.set("signal_bond", None)
        variables.set("signal_bond", None)
        if not reused:
            channel.push_profile(profile)
        if channel.state is ChannelState.CS_ROUTING:
            channel.running_state = ChannelState.CS_INIT  # hunt again with the new profile
        else:
            channel.set_state(ChannelState.CS_ROUTING)
        channel.log(
            LogLevel.NOTICE,
            f"Transfer {channel.name} to {profile.dialplan}[{extension}@{profile.context}]",
            observed=True,
        )
        self.switch.observe(
            "transfer", channel, extension=extension, dialplan=profile.dialplan, context=profile.context
        )
        self.inbox.put(Wake())
        return Status.SUCCESS

    def event(self, name: str, subclass: str | None = None) -> Event:
        """Return a new event with the channel's headers."""
        return channel_event(self.channel, name, subclass)

    def private(self, key: str, kind: type[_T]) -> _T | None:
        """Return the channel's private value `key` when it is a `kind`."""
        value = self.channel.private.get(key)
        return value if isinstance(value, kind) else None
