"""freeswitch.Session: what a script does with a call (FreeSWITCH: CoreSession and LUA::Session)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from host.channel import Flag
from host.channel_event import add_channel_headers
from host.hangup_cause import HangupCause, parse_cause
from host.log import LogLevel
from host.status import Status
from lua_bindings.functions import line_of, log_level
from lua_bindings.host_call import ScriptFault
from lua_bindings.leg import S_HUP
from lua_bindings.opaque import Opaque
from lua_bindings.session_media import SessionMedia

if TYPE_CHECKING:
    from host.session import Session
    from lua_bindings.event_object import Event
    from lua_bindings.script_run import ScriptRun

# FreeSWITCH: a call that the constructor places may take this long; `originate` takes its own.
_ORIGINATE_TIMEOUT_S = 60


class CoreSession(SessionMedia):
    """A session object; the constructor finds the call of a UUID or places one to a dial string."""

    def __init__(
        self, run: ScriptRun, target: str | Opaque | None = None, a_leg: CoreSession | None = None
    ) -> None:
        super().__init__(run)
        if isinstance(target, str):
            found = run.switch.find_session(target) if "/" not in target else None
            if found is not None:
                self.attach(found)
            else:
                self._place(a_leg, target, _ORIGINATE_TIMEOUT_S, waits=True)

    @classmethod
    def around(cls, run: ScriptRun, session: Session) -> CoreSession:
        """Return the object of a session that is there."""
        made = cls(run)
        made.attach(session)
        return made

    def _place(self, a_leg: CoreSession | None, target: str, timeout_s: int, *, waits: bool = False) -> bool:
        from host.ivr.originate import originate, take_over

        self.cause = HangupCause.DESTINATION_OUT_OF_ORDER
        near = a_leg.session if a_leg is not None else None
        session, self.cause = originate(self._run.switch, target, session=near, timeout_s=timeout_s)
        if session is None:
            self._run.log(LogLevel.WARNING, f"Error Creating Outgoing Channel! [{target}]")
            if self.session is not None:  # FreeSWITCH: the object has lost the call that it stood for
                self._run.forget_reads()
                self.session = None
            return False
        if waits:
            self.flags |= S_HUP
        take_over(session)
        self.attach(session)
        return True

    # -- the call ------------------------------------------------------------------------------------------------

    def originate(
        self,
        a_leg_session: CoreSession | None,
        dest: str | None,
        timeout: int = _ORIGINATE_TIMEOUT_S,
        handlers: Opaque | None = None,
    ) -> int:
        """Place a call to a dial string; 0 when it was answered or there is no destination, 1 when it failed."""
        if not dest:
            self._run.log(LogLevel.ERR, "Missing destination.")
            return 0
        if a_leg_session is not None:
            a_leg_session.begin_allow_threads()
        placed = self._place(a_leg_session, dest, timeout)
        if a_leg_session is not None:
            a_leg_session.end_allow_threads()
        return 0 if placed else 1

    def answer(self) -> int:
        """Answer; 1, or 0 when the call is over."""
        if self.session is None:
            self._no_call()
            return -1
        return int(self.session.answer() is Status.SUCCESS)

    def preAnswer(self) -> int:
        """Start early media; 1, or 0 when the call is over."""
        if self.session is None:
            self._no_call()
            return -1
        return int(self.session.pre_answer() is Status.SUCCESS)

    def hangup(self, cause: str | None = "normal_clearing") -> None:
        """Hang up with a cause by name or number; an unknown one is NORMAL_CLEARING."""
        if self.session is None:
            return self._no_call()
        self._run_hangup_hook()
        self.session.channel.hangup(parse_cause(cause or ""))
        self._run_hangup_hook()

    def hangupState(self) -> None:
        """Run the hangup hook of a call that is over."""
        if self.session is None:
            return self._no_call()
        self._run_hangup_hook()

    def hangupCause(self) -> str:
        """Return why this object's last call attempt failed; FreeSWITCH never fills it in for a call that was up."""
        return self.cause.name

    def transfer(self, extension: str | None, dialplan: str | None = None, context: str | None = None) -> int:
        """Send the call to another extension once the script has ended; 1, or 0 when there is none to go to."""
        if self.session is None:
            self._no_call()
            return -1
        self._run_hangup_hook()
        channel = self.session.channel
        status = self.session.transfer(extension or "", dialplan or "", context or "")
        channel.log(LogLevel.DEBUG, f"transfer result: {status.value}")
        self._run_hangup_hook()
        # FreeSWITCH: a call that is over takes the transfer without going anywhere.
        return int(status is Status.SUCCESS or (channel.down and bool(extension)))

    def waitForAnswer(self, calling_session: CoreSession | None) -> None:
        """Wait until the leg is answered or has early media, or one of the two calls is over."""
        near = calling_session.session if calling_session is not None else None
        if self.session is None:
            return self._no_call()
        far = self.session.channel
        clock = self._run.switch.clock
        while far.up and not far.flags & {Flag.ANSWERED, Flag.EARLY_MEDIA}:
            if near is not None and not near.channel.ready:
                return
            if not self._run.pause(20_000, clock):
                return

    def bridge_with(self, other: CoreSession) -> None:
        """Connect this leg with another until one of them hangs up."""
        near, far = self.session, other.session
        if near is None or far is None or not (near.channel.ready and far.channel.ready):
            self._run.log(LogLevel.ERR, "Channels not ready")
            return
        if not near.channel.outbound and not near.channel.media_ready:
            near.pre_answer()
        from host.ivr.bridge import bridge

        if far.thread is not threading.current_thread():
            self._media(lambda session: bridge(session, far, self._args), Status.FALSE)
            return
        # The second leg's own thread is the script's, which would wait here and never take part: so that leg is the
        # one that bridges. It ends with the bridge, as a second leg does.
        other._media(lambda session: bridge(session, near, other._args), Status.FALSE)
        if far.channel.ready:
            far.channel.hangup(HangupCause.NORMAL_CLEARING)

    # -- what it is ----------------------------------------------------------------------------------------------

    def ready(self) -> bool:
        """Return whether the script may go on with the call."""
        if self.session is None:
            return False
        ready = self.session.channel.note_ready()
        self._run_hangup_hook()
        return ready

    def bridged(self) -> bool:
        """Return whether the call is bridged to another."""
        channel = self.channel
        return channel is not None and channel.up and Flag.BRIDGED in channel.flags

    def answered(self) -> bool:
        """Return whether the call was answered."""
        if self.session is None:
            self._no_call()
            return False
        return self.session.channel.answered

    def mediaReady(self) -> bool:
        """Return whether sound can pass."""
        if self.session is None:
            self._no_call()
            return False
        return self.session.channel.media_ready

    def getState(self) -> str:
        """Return the channel's state, ERROR without a call."""
        return self.session.channel.state.name if self.session is not None else "ERROR"

    def get_uuid(self) -> str:
        """Return the channel's UUID."""
        return self.uuid or "uninitialized"

    def setAutoHangup(self, value: bool) -> int:
        """Set whether the call is hung up with this object's end; 0."""
        if self.session is None:
            self._no_call()
            return -1
        self.flags = self.flags | S_HUP if value else self.flags & ~S_HUP
        return 0

    def getXMLCDR(self) -> str:
        """Return the call's detail record as XML."""
        if self.session is None:
            self._no_call()
            return ""
        from host.xml_cdr import xml_cdr

        return xml_cdr(self.session)

    # -- variables and private values ----------------------------------------------------------------------------

    def setVariable(self, name: str | None, value: str | None) -> None:
        """Set a channel variable; nil or empty text unsets it."""
        if self.session is None:
            return self._no_call()
        if name:
            self.session.channel.set_variable(name, value or None)

    def getVariable(self, name: str | None) -> str | None:
        """Return a channel variable, a field of the caller's profile, or a global variable."""
        if self.session is None:
            self._no_call()
            return ""
        return self.session.channel.get_variable(name) if name else None

    def setPrivate(self, name: str | None, value: object) -> None:
        """Keep an object with the channel."""
        if self.session is None:
            return self._no_call()
        if name:
            self.session.channel.private[f"lua/{name}"] = value

    def getPrivate(self, name: str | None) -> Opaque | None:
        """Return what was kept, as a pointer without a type."""
        if self.session is None:
            self._no_call()
            return None
        value = self.session.channel.private.get(f"lua/{name}")
        return None if value is None else Opaque("void", value)

    # -- events and logs -----------------------------------------------------------------------------------------

    def sendEvent(self, event: Event | None) -> None:
        """Hand an event to the call's endpoint, as JSON; most know no events (FreeSWITCH: receive_event)."""
        if self.session is None:
            return self._no_call()
        if event is None:
            raise ScriptFault("Error in CoreSession::sendEvent (arg 2), expected 'Event *' got 'nil'")
        if event.event is not None:
            self.session.io.message(self.session, "event", event.event.serialize("json"))
            self.session.channel.switch.observe("send_event", self.session.channel, event=event.event.name)

    def setEventData(self, event: Event | None) -> None:
        """Add the call's headers to an event."""
        if self.session is None:
            return self._no_call()
        if event is None:
            raise ScriptFault("Error in CoreSession::setEventData (arg 2), expected 'Event *' got 'nil'")
        if event.event is not None:
            add_channel_headers(event.event, self.session.channel)

    def consoleLog(self, level: str | None, text: str | None) -> None:
        """Write a log line that names the call."""
        self._run.switch.log(
            log_level(level),
            line_of(text),
            uuid=self.uuid or "",
            file="switch_cpp.cpp",
            function="consoleLog",
        )

    def consoleLog2(
        self, level: str | None, file: str | None, function: str | None, line: int, text: str | None
    ) -> None:
        """Write a log line that names the call and a place."""
        self._run.switch.log(
            log_level(level),
            line_of(text),
            uuid=self.uuid or "",
            file=file or "",
            line=line,
            function=function or "",
        )

    def print(self, text: str | None) -> int:
        """Send a line of text to a call that has text; 0 for one that has not."""
        if self.session is None:
            self._no_call()
            return -1
        return 0
