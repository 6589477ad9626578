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
from host.event import Event
from host.event_bus import EventBus
from host.expansion import expand
from host.general_headers import GeneralHeaders
from host.hangup_cause import HangupCause
from host.idle_cpu import IdleCpu
from host.interfaces import (
    AnyRegistry,
    ApiCommand,
    ApiRequest,
    Application,
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
from host.variables import Variables
from host.xml_registry import XmlRegistry
from media.engine import Engine

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
}


class Switch:
    """Sessions, registries, variables, events and the media engine of one process."""

    def __init__(self, clock: Clock, base: Path, *, seed: int | None = None) -> None:
        """Make a switch whose folders lie below `base`; a `seed` makes its UUIDs the same in each run."""
        self.clock = clock
        self.bus = EventBus()
        self.logs = Log()
        self.engine = Engine(clock.touch)
        clock.add_pacer(self.engine)
        self._random = random.Random(seed) if seed is not None else random.SystemRandom()
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
        self._general_headers = GeneralHeaders(self.core_uuid, self.hostname, self.global_variables)
        self.xml = XmlRegistry(self.global_variables, log=self.log, now_ms=lambda: clock.time() // 1000)
        self.applications: Registry[Application] = Registry("application")
        self.api_commands: Registry[ApiCommand] = Registry("api")
        self.json_commands: Registry[JsonApi] = Registry("json_api")
        self.endpoints: Registry[Endpoint] = Registry("endpoint")
        self.dialplans: Registry[Dialplan] = Registry("dialplan")
        self.file_formats: Registry[FileFormat] = Registry("file")
        self.says: Registry[SayInterface] = Registry("say")
        self.speeches: Registry[SpeechInterface] = Registry("speech")
        self.limits: Registry[LimitBackend] = Registry("limit")
        self.codecs: Registry[Codec] = Registry("codec")
        self.timers: Registry[TimerInterface] = Registry("timer")
        self.chats: Registry[ChatInterface] = Registry("chat")
        self.chat_applications: Registry[ChatApplication] = Registry("chat_application")
        self.speak_missing: Callable[[str, int], Source] | None = None
        core_interfaces.register(self)
        self.control = SessionControl(clock)
        self.idle_cpu = IdleCpu(clock)
        self.scheduler = Scheduler(self)
        self.registrations: dict[str, Registration] = {}  # by token: one contact of one user
        self.console_settings = ConsoleSettings()
        self.words = ConsoleWords(self._sticky_words)
        self.access_lists = AccessLists(self.xml, self._local_network)
        self.modules = ModuleLoader(self)

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
        """Return a new version 4 UUID."""
        return str(uuid_module.UUID(int=self._random.getrandbits(128), version=4))

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
        self.control.note_end(len(self.sessions))

    def find_session(self, uuid: str) -> Session | None:
        """Return the session of that UUID, None when there is none."""
        return self.sessions.get(uuid)

    def report_cdr(self, session: Session) -> None:
        """Hand a finished call to the CDR modules."""
        for report in self.cdr_reporters:
            report(session)

    # -- events, logs, observation -------------------------------------------------------------------------------

    def new_event(self, name: str, subclass: str | None = None) -> Event:
        """Return an event with the headers that all events carry, made now; unknown names raise ValueError."""
        event = Event(name)
        event.add_headers(self._general_headers.at(self.clock.time()))
        if subclass:
            event.set_subclass(subclass)
        return event

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
    ) -> None:
        """Write a log line; `clean` is without time and level."""
        if level <= self.logs.threshold:
            self.logs.write(LogEntry(level, text, self.clock.time(), uuid, file, line, function, clean))

    def observe(self, kind: str, channel: Channel | None, **facts: object) -> None:
        """Tell the observers (transcripts) what happened."""
        for observer in self.observers:
            observer(kind, channel, facts)

    def report_bug(self, where: str, error: BaseException) -> None:
        """Log a fault of our own with its Python traceback."""
        text = "".join(traceback.format_exception(error)).rstrip()
        self.log(LogLevel.CRIT, f"{where}: {text}")
        self.observe("bug", None, where=where, error=text)

    # -- variables and commands ----------------------------------------------------------------------------------

    def expand(self, text: str, session: Session | None = None) -> str:
        """Return `text` with variables and API calls replaced, for a session's channel or for the globals alone."""

        def api(command: str, argument: str) -> str | None:
            known = self.api_commands.get(command) is not None
            return self.api(command, argument, session) if known else None

        if session is not None:
            return expand(text, session.channel.get_variable, api=api)
        return expand(text, lambda name, index: None, api=api, global_lookup=self.global_variables.get)

    def api(self, command: str, argument: str = "", session: Session | None = None) -> str:
        """Run an API command and return its reply; an unknown one answers FreeSWITCH's error."""
        found = self.api_commands.get(command)
        if found is None:
            return f"-ERR {command} Command not found!\n"
        request = ApiRequest(self, argument.strip(), session)
        if self.bus.wants("API"):
            event = self.new_event("API")
            event.add_header("API-Command", command)
            if request.argument:
                event.add_header("API-Command-Argument", request.argument)
            self.fire(event)
        reply = found.run(request)
        return "".join(request.output) + (reply or "")

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
        self.clock.close()


def default_base() -> Path:
    """Return the base folder when none is given: `$MOONLINE_BASE`, else FreeSWITCH's `/usr/local/freeswitch`."""
    return Path(os.environ.get("MOONLINE_BASE", "/usr/local/freeswitch"))
