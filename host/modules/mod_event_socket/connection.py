"""One client's side of the event socket: what it may do, what it hears, and the answer to each command."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from host.byte_text import to_bytes
from host.channel_event import add_channel_headers, add_profile_headers
from host.channel_state import ChannelState
from host.console_line import run_line
from host.event import Event
from host.event_name import find_event_name
from host.leading_number import leading_int
from host.modules.mod_event_socket.protocol import ClientCommand, api_response, command_reply
from host.modules.mod_event_socket.subscription import EventSubscription, NotAllowed
from host.modules.mod_event_socket.unicast import start_unicast
from host.modules.mod_event_socket.user import EventSocketUser, find_event_socket_user
from host.session_message import obey, queue_message
from host.truth import is_true

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

MODULE: Final = "mod_event_socket"
# FreeSWITCH: log levels by name; their numbers begin at -1. Numbers from 8 on hear what DEBUG hears.
_LOG_LEVELS: Final = ("DISABLE", "CONSOLE", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG")
_LOG_LEVELS_WITHOUT_NAME: Final = 64
FOR_EVER: Final = -1
# Where a call's thread is that does and tells nothing more. One that has not begun is in CS_NONE.
_LAST_STATES: Final = (ChannelState.CS_REPORTING, ChannelState.CS_DESTROY)

# `sched_api`, `eval` and the like run other commands; a user needs the permission for those, too.
_RUN_OTHERS: Final = frozenset({"bgapi", "sched_api", "eval", "expand", "xml_wrap"})


class Hub(Protocol):
    """What a connection needs of the server that holds it."""

    def refresh(self) -> None:
        """Look again at what the connections want to hear."""

    def divert(self, connection: Connection, event: Event) -> None:
        """Send an event to this client, whatever it has subscribed to."""


@dataclass(slots=True)
class Answer:
    """What a command leads to: the bytes to send, whether the line is closed then, and work to be done after that."""

    data: bytes = b""
    close: bool = False
    then: Callable[[], None] | None = None


@dataclass(slots=True, eq=False)
class Connection:
    """The state of one client. `answer` is called by one thread at a time; the rest may be read by others.

    `session` is the call that the connection belongs to: of the application `socket`, or of `myevents`. `full` says
    whether an outbound connection may do everything; `asynchronous` whether `sendmsg` waits for what it starts.
    """

    switch: Switch
    hub: Hub
    password: str = ""
    authorized: bool = False
    session: Session | None = None
    outbound: bool = False
    full: bool = True
    asynchronous: bool = False
    subscription: EventSubscription = field(default_factory=EventSubscription)
    log_level: int | None = None
    linger: bool = False
    linger_seconds: int = FOR_EVER
    call_over: bool = False
    released: bool = False
    on_end: Callable[[], None] | None = None
    user: EventSocketUser | None = None
    _waiting: Callable[[], None] | None = None

    @property
    def session_uuid(self) -> str:
        """The UUID of the call that the connection belongs to, empty without one."""
        return self.session.uuid if self.session is not None else ""

    def answer(self, command: ClientCommand) -> Answer:
        """Do what a command says and return its answer."""
        line = command.line
        lowered = line.lower()
        if "mod_event_socket" in lowered and "load" in lowered and self.authorized:
            # The server cannot be unloaded by a thread of its own that waits for itself.
            for verb in ("unload", "reload"):
                if verb in lowered:
                    return Answer(api_response(self.run_api("bgapi", f"{verb} {MODULE}")))
        if lowered.startswith(("exit", "...")):
            return Answer(command_reply("+OK bye"), close=True)
        if not self.authorized:
            return self._authorize(line, lowered)
        for prefix, handler in _COMMANDS:
            if lowered.startswith(prefix):
                answer = handler(self, command, line[len(prefix) :])
                if answer is not None:
                    return answer
        return _reply("")

    # -- letting in ----------------------------------------------------------------------------------------------

    def _authorize(self, line: str, lowered: str) -> Answer:
        if lowered.startswith("auth "):
            if hmac.compare_digest(to_bytes(line[5:]), to_bytes(self.password)):
                self.authorized = True
                return _reply("+OK accepted")
            return Answer(command_reply("-ERR invalid"), close=True)
        if lowered.startswith("userauth "):
            user = find_event_socket_user(self.switch.xml, line[9:])
            if user is None:
                return Answer(command_reply("-ERR invalid"), close=True)
            self.authorized, self.user = True, user
            if user.allowed_events is not None:
                names, subclasses = user.event_permissions()
                self.subscription.allowed_names = names
                self.subscription.allowed_subclasses = subclasses
            return Answer(command_reply("+OK accepted", user.reply_headers()))
        return _reply("")

    # -- filters, the call's own commands ------------------------------------------------------------------------

    def _filter(self, _command: ClientCommand, rest: str) -> Answer | None:
        first, blank, value = rest.lstrip(" ").partition(" ")
        if not blank:
            return _reply("-ERR invalid syntax")
        if first.lower() == "delete":
            header, _, value = value.partition(" ")
            self.subscription.delete_filter(header, value or None)
            return _reply(f"+OK filter deleted. [{header}][{value}]")
        header = first
        shown: str = value
        if first.lower() == "add":
            header, blank, value = value.partition(" ")
            shown = value if blank else "(null)"  # FreeSWITCH: a filter without a value is answered like one
        self.subscription.add_filter(header, value)
        return _reply(f"+OK filter added. [{header}]=[{shown}]")

    def _resume(self, _command: ClientCommand, _rest: str) -> Answer | None:
        if self.session is None:
            return None
        self.session.channel.set_variable("socket_resume", "true")
        return _reply("+OK")

    def _connect(self, _command: ClientCommand, _rest: str) -> Answer | None:
        if self.session is None:
            return None
        channel = self.session.channel
        headers = self.switch.new_event("CHANNEL_DATA").headers
        event = Event.of("CHANNEL_DATA", headers)
        add_profile_headers(event, channel.profile, "Channel", channel.direction)
        add_channel_headers(event, channel)
        event.add_header("Content-Type", "command/reply")
        event.add_header("Reply-Text", "+OK\n")
        event.add_header("Socket-Mode", "async" if self.asynchronous else "static")
        event.add_header("Control", "full" if self.full else "single-channel")
        return Answer(to_bytes(event.serialize()))

    def _getvar(self, _command: ClientCommand, rest: str) -> Answer | None:
        if self.session is None:
            return None
        name = rest.partition(" ")[2]
        return _reply((self.session.channel.get_variable(name) if name else None) or "")

    def _myevents(self, command: ClientCommand, rest: str) -> Answer | None:
        if self.subscription.my_events:
            return _reply("-ERR aready enabled.")
        if self.session is None:
            if not rest.startswith(" "):
                return None
            uuid, _, form = rest[1:].partition(" ")
            self.session = self.switch.find_session(uuid)
            if self.session is None and form:
                return _reply("-ERR invalid uuid")
            self.asynchronous = True
        else:
            # FreeSWITCH: a form behind a UUID is cut off before it is looked for.
            for form in ("xml", "json"):
                if form in command.line or form.upper() in command.line:
                    self.subscription.form = form
        self.subscription.add_my_events(self.session_uuid)
        self.hub.refresh()
        session = self.session
        if session is not None and session.channel.running_state in _LAST_STATES:
            self.call_over = True  # its last event may have been before this subscription
        return _reply("+OK Events Enabled")

    def _divert_events(self, _command: ClientCommand, rest: str) -> Answer | None:
        if self.session is None:
            return _reply("-ERR not controlling a session.")
        word = rest.strip(" ")
        if not word:
            return _reply("-ERR missing value.")
        if word.lower() == "on":
            self.session.channel.private["divert_events"] = self._take_diverted
            return _reply("+OK events diverted")
        self.stop_diverting()
        return _reply("+OK events not diverted")

    def _take_diverted(self, event: Event) -> None:
        self.hub.divert(self, event)

    def stop_diverting(self) -> None:
        """Let the call's input callbacks have its events again."""
        if self.session is not None:
            self.session.channel.private.pop("divert_events", None)

    def _linger(self, _command: ClientCommand, rest: str) -> Answer | None:
        if self.session is None:
            return _reply("-ERR not controlling a session")
        self.linger = True
        self.linger_seconds = leading_int(rest[1:]) if rest.startswith(" ") and rest[1:] else FOR_EVER
        if self.linger_seconds == FOR_EVER:
            return _reply("+OK will linger")
        return _reply(f"+OK will linger {self.linger_seconds} seconds")

    def _nolinger(self, _command: ClientCommand, _rest: str) -> Answer | None:
        if self.session is None:
            return _reply("-ERR not controlling a session")
        self.linger = False
        return _reply("+OK will not linger")

    # -- messages and events to the switch -----------------------------------------------------------------------

    def _sendmsg(self, command: ClientCommand, rest: str) -> Answer | None:
        uuid = rest.strip(" ") or command.header("session-id") or ""
        own = self.session is not None and uuid in ("", self.session_uuid)
        session = self.session if own else self.switch.find_session(uuid)
        if session is None:
            return _reply(f"-ERR invalid session id [{uuid}]")
        message = Event.of("CLONE", _headers_of(command))
        message.body = command.body
        if command.header("call-command") == "unicast":
            session.run_in_session(lambda call: start_unicast(call, message))
        elif own and not self.asynchronous and not is_true(command.header("async") or ""):
            self._obey_and_wait(session, message)
        elif session.channel.running_state is not ChannelState.CS_DESTROY:
            queue_message(session, message)
        return _reply("+OK")

    def _obey_and_wait(self, session: Session, message: Event) -> None:
        """Have the call's thread obey and wait until it has, or until `release` says that it never will."""
        done = self.switch.clock.waiter()
        self._waiting = done.notify

        def run(call: Session) -> None:
            try:
                obey(call, message)
            finally:
                done.notify()

        if not self.released:
            session.run_in_session(run)
            done.wait()
        self._waiting = None

    def release(self) -> None:
        """Tell that the call runs nothing more for this connection."""
        self.released = True
        waiting = self._waiting
        if waiting is not None:
            waiting()

    def _sendevent(self, command: ClientCommand, rest: str) -> Answer | None:
        if self._restricted:
            return None
        name = find_event_name(rest.lstrip(" \t")) or "CLONE"
        if name == "ALL":
            name = "CLONE"
        subclass = command.header("Event-Subclass") if name == "CUSTOM" else None
        uuid = self.switch.new_uuid()
        event = Event.of(name, (("Event-Subclass", subclass),) if subclass else (), subclass)
        for header, value in _headers_of(command):
            if not subclass or header.lower() != "event-subclass":
                event.add_header(header, value)
        event.add_header("Event-UUID", uuid)
        for header, general in self.switch.new_event(name).headers:
            if isinstance(general, str):
                event.add_header(header, general)
        event.body = command.body
        owner = self.switch.find_session(command.header("unique-id") or "")
        if owner is not None:
            owner.queue_event(event)
        else:
            self.switch.fire(event)
        return _reply(f"+OK {uuid}")

    @property
    def _restricted(self) -> bool:
        return self.outbound and not self.full

    # -- API commands --------------------------------------------------------------------------------------------

    def _may_run(self, name: str, argument: str) -> bool:
        allowed = self.user.allowed_commands() if self.user is not None else None
        if allowed is None:
            return True
        words = [name, *argument.split(" ")]
        for word in words:
            if word not in allowed:
                return False
            if word.lower() not in _RUN_OTHERS:
                break
        return True

    def _api(self, command: ClientCommand, rest: str) -> Answer | None:
        if self._restricted:
            return None
        name, _, argument = rest.partition(" ")
        if not self._may_run(name, argument):
            return _reply("-ERR permission denied")
        if is_true(command.header("console_execute") or ""):
            output = run_line(self.switch, rest)
        else:
            output = self.run_api(name, argument)
        return Answer(api_response(output or "-ERR no reply\n"))

    def run_api(self, name: str, argument: str) -> str:
        """Run an API command; a fault of ours in it is logged and answered as an error."""
        try:
            return self.switch.api(name, argument)
        except Exception as error:  # one command's fault must not end the line
            self.switch.report_bug(f"api {name}", error)
            return f"-ERR {name} failed: {type(error).__name__}\n"

    def _bgapi(self, command: ClientCommand, rest: str) -> Answer | None:
        if self._restricted:
            return None
        name, blank, argument = rest.partition(" ")
        if not self._may_run(name, argument):
            return _reply("-ERR permission denied")
        job = command.header("Job-UUID") or self.switch.new_uuid()
        owner = self.session_uuid

        def run() -> None:
            output = self.run_api(name, argument)
            event = self.switch.new_event("BACKGROUND_JOB")
            event.add_header("Job-UUID", job)
            event.add_header("Job-Owner-UUID", owner)
            event.add_header("Job-Command", name)
            if blank:
                event.add_header("Job-Command-Arg", argument)
            event.body = output or None
            self.switch.fire(event)

        return Answer(
            command_reply(f"+OK Job-UUID: {job}", (("Job-UUID", job),)),
            then=lambda: void(self.switch.clock.spawn(run, f"bgapi {name[:40]}")),
        )

    # -- what it hears -------------------------------------------------------------------------------------------

    def _log(self, _command: ClientCommand, rest: str) -> Answer | None:
        if self._restricted:
            return None
        if self.user is not None and not self.user.allowed_log:
            return _reply("-ERR permission denied")
        word = rest.lstrip(" ").partition(" ")[0]
        level = _log_level(word)
        if level is None:
            return _reply("-ERR invalid log level")
        self.log_level = level
        self.hub.refresh()
        return _reply(f"+OK log level {word} [{level}]")

    def _nolog(self, _command: ClientCommand, _rest: str) -> Answer | None:
        if self._restricted:
            return None
        was_on, self.log_level = self.log_level is not None, None
        self.hub.refresh()
        return _reply("+OK no longer logging" if was_on else "-ERR not loging")

    def _event(self, _command: ClientCommand, rest: str) -> Answer | None:
        if self._restricted:
            return None
        try:
            known = self.subscription.add(_words(rest))
        except NotAllowed:
            return _reply("-ERR permission denied")
        finally:
            self.hub.refresh()
        if not known:
            return _reply("-ERR no keywords supplied")
        return _reply(f"+OK event listener enabled {self.subscription.form}")

    def _nixevent(self, _command: ClientCommand, rest: str) -> Answer | None:
        if self._restricted:
            return None
        known = self.subscription.remove(_words(rest))
        self.hub.refresh()
        return _reply("+OK events nixed" if known else "-ERR no keywords supplied")

    def _noevents(self, _command: ClientCommand, _rest: str) -> Answer | None:
        if self._restricted:
            return None
        was_on = self.subscription.clear()
        self.hub.refresh()
        return _reply("+OK no longer listening for events" if was_on else "-ERR not listening for events")

    def _linger_if_full(self, command: ClientCommand, rest: str) -> Answer | None:
        return None if self._restricted else self._linger(command, rest)

    def _nolinger_if_full(self, command: ClientCommand, rest: str) -> Answer | None:
        return None if self._restricted else self._nolinger(command, rest)


Handler = Callable[[Connection, ClientCommand, str], "Answer | None"]

# FreeSWITCH looks at the beginning of a command only, in this order; a handler may say that it is none of its own.
_COMMANDS: Final[tuple[tuple[str, Handler], ...]] = (
    ("api ", Connection._api),
    ("bgapi ", Connection._bgapi),
    ("filter ", Connection._filter),
    ("resume", Connection._resume),
    ("connect", Connection._connect),
    ("getvar", Connection._getvar),
    ("myevents", Connection._myevents),
    ("divert_events", Connection._divert_events),
    ("sendmsg", Connection._sendmsg),
    ("sendevent", Connection._sendevent),
    ("log", Connection._log),
    ("linger", Connection._linger_if_full),
    ("nolinger", Connection._nolinger_if_full),
    ("nolog", Connection._nolog),
    ("event", Connection._event),
    ("nixevent", Connection._nixevent),
    ("noevents", Connection._noevents),
)


def void(_value: object) -> None:
    """Drop a value, where a function without one is wanted."""


def _reply(text: str) -> Answer:
    """Return the answer `text`; FreeSWITCH: where there is nothing to say, the command was not found."""
    return Answer(command_reply(text or "-ERR command not found"))


def _headers_of(command: ClientCommand) -> tuple[tuple[str, str], ...]:
    """Return a command as the headers of an event; FreeSWITCH: the command itself is the first."""
    return (("Command", command.line), *((name, value) for name, value in command.headers if value))


def _words(rest: str) -> list[str]:
    """Return the words behind a command's name, of which FreeSWITCH takes what is behind the first blank."""
    blank, words = rest.partition(" ")[1:]
    return words.split(" ") if blank else []


def _log_level(word: str) -> int | None:
    if not word:
        return len(_LOG_LEVELS) - 2
    if word.lstrip("-").isascii() and word.lstrip("-").isdigit():
        number = max(0, leading_int(word))
        if number == _LOG_LEVELS_WITHOUT_NAME:
            return None
        return min(number, _LOG_LEVELS_WITHOUT_NAME - 1)
    return _LOG_LEVELS.index(word.upper()) - 1 if word.upper() in _LOG_LEVELS else None
