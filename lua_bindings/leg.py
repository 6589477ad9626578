"""The part of a script's session that is not media: the leg behind it, its life, its hooks and callbacks."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from host.channel_state import ChannelState
from host.event import Event as HostEvent
from host.hangup_cause import HangupCause
from host.inbox import DEFAULT_DTMF_DURATION, Digit
from host.ivr.input_args import InputArgs
from host.log import LogLevel
from host.status import Status
from lua_bindings.callback_result import obey
from lua_bindings.dtmf import InputCallbackState
from lua_bindings.event_object import Event
from lua_bindings.host_call import ScriptFault, to_bytes
from lua_bindings.leg_call import LegCall
from lua_bindings.opaque import Opaque

if TYPE_CHECKING:
    from host.channel import Channel
    from host.session import Session
    from lua_bindings.script_run import ScriptRun

T = TypeVar("T")

# FreeSWITCH's flag in CoreSession.flags: hang up when the object is destroyed.
S_HUP: Final = 1


class Leg:
    """A session object with or without a call behind it.

    `session` is the host's session, None before a call was placed and after `destroy`; then every method answers
    what FreeSWITCH's answers: -1, "", false.
    """

    def __init__(self, run: ScriptRun) -> None:
        self._run = run
        self.session: Session | None = None
        self.uuid: str | None = None
        self.flags = 0
        self.allocated = 0
        self.cause = HangupCause.NONE
        self.tts_name: str | None = None
        self.voice_name: str | None = None
        self.cb_function: str | None = None
        self.cb_arg: str | None = None
        self.hangup_func_str: str | None = None
        self.hangup_func_arg: str | None = None
        self.hook_state: ChannelState | None = None
        self.cb_state = InputCallbackState(run)
        self.variable_cache: dict[bytes, bytes] = {}
        self.variable_generation = -1
        self._args: InputArgs | None = None
        self._hook_done = False
        self._in_call: LegCall[object] | None = None
        # FreeSWITCH: whether a callback's answer may command the file that is played or recorded.
        self._commands_file = False
        run.legs.append(self)

    def attach(self, session: Session) -> None:
        """Stand for `session` from now on; the script's global of its UUID is this object."""
        self._run.forget_reads()
        self.session = session
        self.uuid = session.uuid
        self.allocated = 1
        self._run.share_session(self)

    @property
    def channel(self) -> Channel | None:
        """The channel, None without a call."""
        return self.session.channel if self.session is not None else None

    def _no_call(self) -> None:
        self._run.switch.log(LogLevel.ERR, "session is not initalized", uuid=self.uuid or "")

    # -- life ----------------------------------------------------------------------------------------------------

    def destroy(self, error: str | None = None) -> None:
        """Let go of the call, hanging it up when `setAutoHangup` says so; a text is raised as an error."""
        if not self.allocated:
            return
        session = self.session
        self._unhook()
        if session is not None:
            channel = session.channel
            channel.log(LogLevel.DEBUG, f"{channel.name} destroy/unlink session from object")
            if channel.private.get("CoreSession") is not None:
                channel.private.pop("CoreSession")
            from host.channel import Flag

            if channel.up and self.flags & S_HUP and Flag.TRANSFER not in channel.flags:
                channel.hangup(HangupCause.NORMAL_CLEARING)
        self._run.forget_reads()
        self.session = None
        self.uuid = None
        self.allocated = 0
        self.flags = 0
        self.cause = HangupCause.NONE
        self.tts_name = self.voice_name = self.cb_function = self.cb_arg = None
        self._args = None
        if error:
            raise ScriptFault(error, 0)

    def setLUA(self) -> None:
        """Do nothing: a session object knows its Lua state from the start."""

    # -- threads and hooks ---------------------------------------------------------------------------------------

    def begin_allow_threads(self) -> bool:
        """Run the hangup hook if it is due."""
        self._run_hangup_hook()
        return True

    def end_allow_threads(self) -> bool:
        """Run the hangup hook if it is due."""
        self._run_hangup_hook()
        return True

    def check_hangup_hook(self) -> None:
        """Do nothing: whether the hook is due is looked up when it may run."""

    def setHangupHook(self, function: str | None, argument: str | None = None) -> None:
        """Have the global function of that name called once the call is hung up or transferred."""
        if self.session is None:
            return self._no_call()
        self.hangup_func_str = self.hangup_func_arg = None
        if function is not None:
            self.hangup_func_str = function
            self.hangup_func_arg = argument or None
            self.hook_state = self.session.channel.state
            self.session.channel.private["CoreSession"] = weakref.ref(self)

    def _unhook(self) -> None:
        self.hangup_func_str = self.hangup_func_arg = None
        self.hook_state = None

    def _run_hangup_hook(self) -> None:
        """Call the hook when the call has ended or been transferred since it was set; "exit" and "die" are errors."""
        function = self.hangup_func_str
        if function is None or self._hook_done or self.session is None:
            return
        channel = self.session.channel
        state = channel.state
        over = state >= ChannelState.CS_HANGUP
        if (not over and state is not ChannelState.CS_ROUTING) or state is self.hook_state:
            return
        if over and self.hook_state is not None and self.hook_state >= ChannelState.CS_HANGUP:
            return
        self._hook_done = True
        if over and self._run.limits.real_hangup_cause:
            self.cause = channel.hangup_cause
        what = b"hangup" if over else b"transfer"
        answer = self._run.callback(channel, function, self.hangup_func_arg, self, what)
        channel.set_variable("lua_hangup_hook_return_val", answer.text)
        self._unhook()
        if answer.text is not None and answer.text.lower() in ("exit", "die"):
            raise ScriptFault(answer.text, 0)

    # -- input callbacks -----------------------------------------------------------------------------------------

    def setInputCallback(self, function: str | None, argument: str | None = None) -> None:
        """Have the global function of that name called with every key and event while an operation runs."""
        if self.session is None:
            return self._no_call()
        self.cb_function = function
        self.cb_arg = argument
        self.session.channel.private["CoreSession"] = weakref.ref(self)
        self._args = InputArgs(on_input=self._on_input)

    def unsetInputCallback(self) -> None:
        """Have no function called any more."""
        if self.session is None:
            return self._no_call()
        self.cb_function = self.cb_arg = None
        self._args = None

    def setDTMFCallback(self, function: Opaque | None, argument: str | None) -> None:
        """Take a C callback, of which a script has none: keys then end what runs."""
        if self.session is None:
            return self._no_call()
        self._args = InputArgs(on_input=self._on_input)

    def get_cb_args(self) -> Opaque:
        """Return the C struct of the callback."""
        return Opaque("switch_input_args_t", self._args)

    def run_dtmf_callback(self, given: object, kind: Opaque | None) -> Opaque:
        """Refuse: a script has no C input to pass."""
        raise ScriptFault("run_dtmf_callback: no input")

    def process_callback_result(self, result: str | None) -> Opaque:
        """Command the file that plays, as a callback's answer does."""
        if self.session is None:
            self._no_call()
            return Opaque("switch_status_t", Status.FALSE)
        playing = self.session.playing if self._commands_file else None
        return Opaque("switch_status_t", obey(result, playing, self._args))

    def _on_input(self, session: Session, item: Digit | HostEvent) -> Status:
        call = self._in_call
        if call is not None and session.in_own_thread:
            return call.ask(lambda: self._call_back(session, item))  # type: ignore[return-value]
        return self._call_back(session, item)

    def _call_back(self, session: Session, item: Digit | HostEvent) -> Status:
        if self._run.stopping:
            return Status.BREAK
        if self.cb_function is None:
            return Status.FALSE
        things: tuple[object, ...]
        if isinstance(item, Digit):
            things = (item.digit.encode(), item.duration or DEFAULT_DTMF_DURATION)
            kind = b"dtmf"
        else:
            things = (Event.around(self._run, item, mine=False),)
            kind = b"event"
        answer = self._run.callback(
            session.channel, self.cb_function, self.cb_arg or None, self, kind, *things
        )
        if not answer.ok:
            return Status.FALSE
        if not self._commands_file:
            return obey(answer.text, None)
        return obey(answer.text, session.playing, self._args)

    # -- where work is done --------------------------------------------------------------------------------------

    def _media(self, work: Callable[[Session], T], otherwise: T) -> T:
        """Do blocking work on the leg in its own thread, with the hangup hook looked at before and after."""
        session = self.session
        if session is None:
            self._no_call()
            return otherwise
        self._run_hangup_hook()
        if session.in_own_thread or session.thread is None or session.channel.down:
            result = work(session)
        else:
            call: LegCall[T] = LegCall(session)
            former, self._in_call = self._in_call, call  # type: ignore[assignment]
            try:
                result = call.run(work, otherwise)
            finally:
                self._in_call = former
        self._run_hangup_hook()
        return result

    def _told(self, method: str, result: T) -> T:
        """Tell the transcript what an operation that takes input returned."""
        if self.session is not None:
            self._run.switch.observe("input", self.session.channel, method=method, result=result)
        return result

    def name_in_lua(self) -> bytes:
        """The global under which scripts' callbacks find this object."""
        return to_bytes(self.uuid or "")
