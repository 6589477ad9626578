"""The switch: what all calls share. It knows no Lua, no SIP and no sockets; modules bring those."""

from __future__ import annotations

import os
import platform
import random
import threading
import traceback
import uuid as uuid_module
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from host import core_interfaces
from host.access_list import AccessLists
from host.clock import Clock
from host.console_settings import ConsoleSettings
from host.console_words import ConsoleWords
from host.core_interfaces import Codec, TimerInterface
from host.dtls_identity import DtlsIdentity
from host.event import Event
from host.event_bus import EventBus
from host.expansion import expand
from host.general_headers import GeneralHeaders
from host.hangup_cause import HangupCause, parse_cause
from host.idle_cpu import IdleCpu
from host.interface_allowlist import InterfaceAllowlist
from host.interfaces import (
    AnyRegistry,
    ApiCommand,
    ApiRequest,
    Application,
    AsrInterface,
    ChatApplication,
    ChatInterface,
    Dialplan,
    Endpoint,
    FileFormat,
    JsonApi,
    Registry,
    SayInterface,
    SpeechInterface,
)
from host.limit import LimitBackend
from host.log import Log, LogEntry, LogLevel
from host.module_loader import ModuleLoader
from host.registration import Registration
from host.scheduler import Scheduler
from host.session_control import SessionControl
from host.truth import is_true
from host.variables import Variables
from host.xml_registry import XmlRegistry
from media.engine import Engine
from media.realtime.remote_engine import RemoteEngine

if TYPE_CHECKING:
    from host.channel import Channel
    from host.session import Session
    from media.source import Source

# Called with what happened, the channel it happened to (or None) and its facts; must return at once.
Observer = Callable[[str, "Channel | None", dict[str, object]], None]

# The folders a FreeSWITCH script asks for as global variables, relative to the base folder.
FOLDERS: Final = {
    "base_dir": "",
    "conf_dir": "conf",
    "db_dir": "db",
    "log_dir": "log",
    "run_dir": "run",
    "script_dir": "scripts",
    "sounds_dir": "sounds",
    "recordings_dir": "recordings",
    "storage_dir": "storage",
    "cache_dir": "cache",
    "grammar_dir": "grammar",
    "htdocs_dir": "htdocs",
    "images_dir": "images",
    "mod_dir": "mod",
    "temp_dir": "tmp",
    "certs_dir": "certs",
    "fonts_dir": "fonts",
    "data_dir": "",
    "localstate_dir": "",
}


class Switch:
    """Sessions, registries, variables, events and the media engine of one process."""

    def __init__(
        self, clock: Clock, base: Path, *, seed: int | None = None, media_process: bool | None = None
    ) -> None:
        """Make a switch whose folders lie below `base`; a `seed` makes its UUIDs the same in each run.

        The media engine runs in a process of its own under a real clock, unless `media_process` is False.
        """
        self.clock = clock
        self.bus = EventBus()
        self.logs = Log()
        self.engine: Engine | RemoteEngine
        if not clock.virtual if media_process is None else media_process:
            self.engine = RemoteEngine(self._tell_media_fault, self._lose_media)
        else:
            self.engine = Engine(clock.touch)
            clock.add_pacer(self.engine)
        self._random = random.Random(seed) if seed is not None else random.SystemRandom()
        self.uuid_version = 4
        self.core_uuid = self.new_uuid()
        self.started = clock.time()
        self.running = True
        self.hostname = "moonline" if clock.virtual else platform.node()
        self.sessions: dict[str, Session] = {}
        self.sessions_since_start = 0
        self._lock = threading.Lock()
        self.observers: list[Observer] = []
        self.cdr_reporters: list[Callable[[Session], None]] = []
        self.global_variables = Variables()
        for name, folder in FOLDERS.items():
            self.global_variables.set(name, str(base / folder) if folder else str(base))
        self.global_variables.set("hostname", self.hostname)
        self.global_variables.set("core_uuid", self.core_uuid)
        self.global_variables.set("switch_serial", self.core_uuid.replace("-", "")[:12])
        self.general_headers = GeneralHeaders(self.core_uuid, self.hostname, self.global_variables)
        self.xml = XmlRegistry(self.global_variables, log=self.log, now_ms=lambda: clock.time() // 1000)
        permits = InterfaceAllowlist(self.xml, self.log).permits
        self.applications: Registry[Application] = Registry("application", permits=permits)
        self.api_commands: Registry[ApiCommand] = Registry("api", permits=permits)
        self.json_commands: Registry[JsonApi] = Registry("json_api", permits=permits)
        self.endpoints: Registry[Endpoint] = Registry("endpoint")
        self.dialplans: Registry[Dialplan] = Registry("dialplan")
        self.file_formats: Registry[FileFormat] = Registry("file")
        self.says: Registry[SayInterface] = Registry("say")
        self.speeches: Registry[SpeechInterface] = Registry("speech")
        self.asrs: Registry[AsrInterface] = Registry("asr")
        self.limits: Registry[LimitBackend] = Registry("limit")
        self.codecs: Registry[Codec] = Registry("codec")
        self.timers: Registry[TimerInterface] = Registry("timer")
        self.chats: Registry[ChatInterface] = Registry("chat")
        self.chat_applications: Registry[ChatApplication] = Registry("chat_application", permits=permits)
        self.speak_missing: Callable[[str, int], Source] | None = None
        core_interfaces.register(self)
        self.control = SessionControl(clock)
        self.idle_cpu = IdleCpu(clock)
        self.scheduler = Scheduler(self)
        self.registrations: dict[str, Registration] = {}  # by token: one contact of one user
        # What modules count, for metrics: by name, what it is and how many there are now.
        self.gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self.console_settings = ConsoleSettings()
        self.words = ConsoleWords(self._sticky_words)
        self.dtls_identity = DtlsIdentity(lambda: self.global_variables.get("certs_dir"), clock, self.log)
        self.access_lists = AccessLists(self.xml, self._local_network)
        self.modules = ModuleLoader(self)

    def expect_browsers(self) -> None:
        """Load what calls with browsers need now, so that none of them waits for it, nor other calls' sound."""
        self.dtls_identity.get()
        self.engine.expect_browsers()

    @property
    def registries(self) -> tuple[AnyRegistry, ...]:
        """All registries, for modules that are unloaded and for `show`."""
        return (
            self.applications,
            self.api_commands,
            self.json_commands,
            self.endpoints,
            self.dialplans,
            self.file_formats,
            self.says,
            self.speeches,
            self.asrs,
            self.limits,
            self.codecs,
            self.timers,
            self.chats,
            self.chat_applications,
        )

    def _local_network(self) -> str | None:
        """Return the network of the address that the switch tells others, None when none is known."""
        address = self.global_variables.get("local_ip_v4")
        return f"{address}/{self.global_variables.get('local_mask_v4') or '32'}" if address else None

    def _sticky_words(self) -> Path | None:
        """Return where sticky aliases are kept: nowhere in simulated calls, which have to be alike each time."""
        folder = Path(self.global_variables.get("db_dir") or "")
        return folder / "console_words.json" if folder.parent.is_dir() and not self.clock.virtual else None

    # -- sessions ------------------------------------------------------------------------------------------------

    def new_uuid(self) -> str:
        """Return a new UUID of the version that `uuid_version` says: 4, or 7 (RFC 9562), which begins with the time."""
        bits = self._random.getrandbits(128)
        if self.uuid_version == 7:
            bits = bits & ((1 << 80) - 1) | (self.clock.time() // 1000 & ((1 << 48) - 1)) << 80
            bits = bits & ~(0xF << 76) & ~(0b11 << 62) | 7 << 76 | 0b10 << 62
            return str(uuid_module.UUID(int=bits))
        return str(uuid_module.UUID(int=bits, version=4))

    def take_uuid(self, wanted: str | None) -> str:
        """Return `wanted` as a session's UUID, or a new one when it is empty or taken (FreeSWITCH: silently)."""
        return wanted if wanted and wanted not in self.sessions else self.new_uuid()

    def next_session_number(self) -> int:
        """Count a session and return its number."""
        with self._lock:
            self.sessions_since_start += 1
            return self.sessions_since_start

    def add_session(self, session: Session) -> None:
        """Make a session findable."""
        self.sessions[session.uuid] = session
        self.control.note_session(len(self.sessions))

    def remove_session(self, session: Session) -> None:
        """Forget a session that has ended."""
        self.sessions.pop(session.uuid, None)
        self.scheduler.delete_group(session.uuid)
        self.control.note_end(len(self.sessions))

    def refuses_session(self, *, outbound: bool, throttled: bool = True) -> bool:
        """Return whether no further session may begin now (`fsctl` pause, limits, shutdown), and log why.

        The limit per second is for what comes from outside: legs that stay inside of the switch are not `throttled`.
        In simulated time any number of them begins at one moment.
        """
        sessions = len(self.sessions)
        cause = self.control.refusal(sessions, outbound=outbound, throttled=throttled)
        if cause is None:
            return False
        if cause is not HangupCause.SWITCH_CONGESTION:
            direction = "outbound" if outbound else "inbound"
            text = f"The system cannot create any {direction} sessions at this time."
        elif sessions >= self.control.max_sessions:
            text = f"Over Session Limit! {self.control.max_sessions}"
        else:
            text = f"Throttle Error! {sessions}"
        self.log(LogLevel.CRIT, text)
        return True

    def find_session(self, uuid: str) -> Session | None:
        """Return the session of that UUID, None when there is none."""
        return self.sessions.get(uuid)

    def report_cdr(self, session: Session) -> None:
        """Hand a finished call to the CDR modules.

        Not where `process_cdr` is false, or `a_only`, or `b_only` for the other leg, nor where `skip_cdr_causes`
        (`|` between them) names its hangup cause.
        """
        wanted = (session.channel.get_variable("process_cdr") or "true").lower()
        skipped = session.channel.get_variable("skip_cdr_causes")
        if skipped and session.channel.hangup_cause in map(parse_cause, skipped.split("|")):
            return
        profile = session.channel.profile
        if wanted == "a_only":
            wanted = "false" if profile.originator is not None else "true"
        elif wanted == "b_only":
            wanted = "false" if profile.originatee is not None else "true"
        if not is_true(wanted):
            return
        for report in self.cdr_reporters:
            report(session)

    # -- events, logs, observation -------------------------------------------------------------------------------

    def new_event(self, name: str, subclass: str | None = None) -> Event:
        """Return an event with the headers that all events carry, made now; unknown names raise ValueError."""
        return self.general_headers.event(name, self.general_headers.stamp(self.clock.time()), subclass)

    def fire(self, event: Event) -> None:
        """Deliver an event to all who listen."""
        self.bus.deliver(event.copy() if event.subclass else event)

    def log(
        self,
        level: LogLevel,
        text: str,
        *,
        uuid: str = "",
        file: str = "",
        line: int = 0,
        function: str = "",
        clean: bool = False,
        observed: bool = False,
        call_level: LogLevel | None = None,
    ) -> None:
        """Write a log line; `clean` is without time and level, `observed` tells what observers are told as well.

        `call_level` is the log level of the call that it is about, which lets more through than the others do.
        """
        if level <= self.logs.threshold or (call_level is not None and level <= call_level):
            now = self.clock.time()
            entry = LogEntry(level, text, now, uuid, file, line, function, clean, observed, call_level)
            self.logs.write(entry)

    def log_detail(self, fineness: int, text: str) -> None:
        """Log what only concerns who looks for a fault, where `fsctl debug_level` is at least `fineness` (1 to 10).

        FreeSWITCH: it is as severe as an alert then, so that it is seen at any log level.
        """
        if fineness <= self.control.debug_level:
            self.log(LogLevel.ALERT, text)

    def observe(self, kind: str, channel: Channel | None, **facts: object) -> None:
        """Tell the observers (transcripts) what happened."""
        for observer in self.observers:
            observer(kind, channel, facts)

    def _tell_media_fault(self, text: str) -> None:
        self.log(LogLevel.ERR, text)

    def _lose_media(self, text: str, lines: set[int]) -> None:
        """End the calls whose lines went down with the media engine's process; FreeSWITCH has no such case."""
        self.log(LogLevel.CRIT, f"{text}; {len(lines)} lines are lost")
        self.observe("bug", None, where="media engine", error=text)
        for session in list(self.sessions.values()):
            if session.line.number in lines:
                session.channel.hangup(HangupCause.NORMAL_TEMPORARY_FAILURE)

    def report_bug(self, where: str, error: BaseException) -> None:
        """Log a fault of our own with its Python traceback."""
        text = "".join(traceback.format_exception(error)).rstrip()
        self.log(LogLevel.CRIT, f"{where}: {text}")
        self.observe("bug", None, where=where, error=text)

    @property
    def domain(self) -> str:
        """The domain of who names none: the variable `domain`, else FreeSWITCH's."""
        return self.global_variables.get("domain") or "freeswitch.local"

    # -- variables and commands ----------------------------------------------------------------------------------

    def expand(self, text: str, session: Session | None = None) -> str:
        """Return `text` with variables and API calls replaced, for a session's channel or for the globals alone."""
        if session is not None:
            api = self.api_in_text(session, "<API Execute Permission Denied>")
            return expand(text, session.channel.get_variable, api=api)
        api = self.api_in_text(None, "<API execute Permission Denied>")
        return expand(text, lambda name, index: None, api=api, global_lookup=self.global_variables.get)

    def api_in_text(self, session: Session | None, denied: str) -> Callable[[str, str], str | None]:
        """Return what runs a command that stands in a text, or puts `denied` there after `fsctl api_expansion off`."""

        def run(command: str, argument: str) -> str | None:
            if not self.control.api_expansion:
                return denied
            known = self.api_commands.get(command) is not None
            return self.api(command, argument, session) if known else None

        return run

    def api(
        self, command: str, argument: str = "", session: Session | None = None, event: Event | None = None
    ) -> str:
        """Run an API command and return its reply; an unknown one answers FreeSWITCH's error.

        FreeSWITCH: the event API, or what is given as the command's own `event`, is made before the command runs and
        fired when it is done.
        """
        found = self.api_commands.get(command)
        request = ApiRequest(self, argument.strip(), session, event)
        if event is None and self.bus.wants("API"):
            event = self.new_event("API")
        if event is not None:
            event.add_header("API-Command", command)
            if request.argument:
                event.add_header("API-Command-Argument", request.argument)
        try:
            if found is None:
                return f"-ERR {command} Command not found!\n"
            reply = found.run(request)
            return "".join(request.output) + (reply or "")
        finally:
            if event is not None:
                self.fire(event)

    # -- end -----------------------------------------------------------------------------------------------------

    def hang_up_all(self, cause: HangupCause) -> None:
        """Hang every call up with `cause`."""
        for session in list(self.sessions.values()):
            session.channel.hangup(cause)

    def close(self, grace: int = 5_000_000) -> None:
        """Hang all calls up, wait up to `grace` µs for their threads, unload the modules and stop the clock."""
        self.hang_up_all(HangupCause.MANAGER_REQUEST)
        deadline = self.clock.now() + grace
        for session in list(self.sessions.values()):
            if session.thread is not None:
                session.ended.wait(deadline)
        self.running = False
        self.modules.unload_all()
        if isinstance(self.engine, RemoteEngine):
            overdue = self.clock.call_later(grace, self.engine.kill)
            self.engine.close()
            overdue.cancel()
        self.clock.close()


def default_base() -> Path:
    """Return the base folder when none is given.

    `$MOONLINE_BASE`; else that of a FreeSWITCH that is installed here, `/usr/local/freeswitch`; else the user's own
    `~/.local/share/moonline` (or below `$XDG_DATA_HOME`).
    """
    named = os.environ.get("MOONLINE_BASE")
    if named:
        return Path(named)
    installed = Path("/usr/local/freeswitch")
    if installed.is_dir():
        return installed
    return Path(os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")) / "moonline"
