"""mod_cdr_csv: a line of a CSV file for every call that has ended, made from a template (cdr_csv.conf)."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable, UsageError
from host.interfaces import ApiRequest
from host.log import LogLevel
from host.module_list import configured_modules
from host.truth import is_true

if TYPE_CHECKING:
    from host.event import Event
    from host.event_bus import Subscription
    from host.session import Session
    from host.switch import Switch

NAME: Final = "mod_cdr_csv"
_FOLDER: Final = "cdr-csv"
_MASTER: Final = "Master"
_DEFAULT: Final = "default"

# The columns of FreeSWITCH's template `default`; the account stands apart by a blank.
_COLUMNS: Final = (
    "caller_id_name",
    "caller_id_number",
    "destination_number",
    "context",
    "start_stamp",
    "answer_stamp",
    "end_stamp",
    "duration",
    "billsec",
    "hangup_cause",
    "uuid",
    "bleg_uuid",
)
_DEFAULT_TEMPLATE: Final = ",".join(f'"${{{name}}}"' for name in _COLUMNS) + ', "${accountcode}"\n'


@dataclass(slots=True)
class Settings:
    """What cdr_csv.conf says: where the files are, which legs count, the templates by name, and what is written."""

    folder: str
    legs: str = "a"
    rotates: bool = False
    debug: bool = False
    master_only: bool = False
    template: str = _DEFAULT
    templates: dict[str, str] = field(default_factory=lambda: {_DEFAULT: _DEFAULT_TEMPLATE})


def read_settings(switch: Switch) -> Settings:
    """Read cdr_csv.conf; its folder is `cdr-csv` below `log-base` or the folder of the logs."""
    settings = Settings(os.path.join(switch.global_variables.get("log_dir") or ".", _FOLDER))
    configuration = switch.xml.configuration("cdr_csv.conf")
    if configuration is None:
        return settings
    for param in configuration.iterfind("settings/param"):
        value = param.get("value", "")
        match param.get("name", "").lower():
            case "log-base":
                settings.folder = os.path.join(value, _FOLDER)
            case "legs":
                settings.legs = value
            case "rotate-on-hup":
                settings.rotates = is_true(value)
            case "debug":
                settings.debug = is_true(value)
            case "master-file-only":
                settings.master_only = is_true(value)
            case "default-template":
                settings.template = value or _DEFAULT
    for template in configuration.iterfind("templates/template"):
        name, text = template.get("name"), template.text or ""
        if name:
            settings.templates[name] = text if text.endswith("\n") else f"{text}\n"
    return settings


class CdrWriter:
    """The CSV files of one switch."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._settings = read_settings(switch)
        self._lock = threading.Lock()
        self._paths: set[str] = set()  # written since the start

    def report(self, session: Session) -> None:
        """Write the line of a call to Master.csv and, with an account, to the account's file."""
        settings, channel = self._settings, session.channel
        profile = channel.profile
        called, calling = profile.originator is not None, profile.originatee is not None
        # FreeSWITCH: `a` leaves out legs that a call has placed, `b` alone those that have placed one.
        if ("a" not in settings.legs and calling) or ("b" not in settings.legs and called):
            return
        if settings.debug:
            channel.log(LogLevel.INFO, f"CHANNEL_DATA:\n{session.event('CHANNEL_DATA').serialize()}")
        folder = channel.get_variable("cdr_csv_base") or settings.folder
        master = settings.templates.get(settings.template, _DEFAULT_TEMPLATE)
        account = channel.get_variable("accountcode")
        try:
            os.makedirs(folder, exist_ok=True)
            if account and not settings.master_only:
                line = session.expand(settings.templates.get(account, master))
                self._write(os.path.join(folder, f"{_file_name(account)}.csv"), line)
            self._write(os.path.join(folder, f"{_MASTER}.csv"), session.expand(master))
        except OSError as error:
            channel.log(LogLevel.ERR, f"Error writing the call detail record: {error}")

    def rotate(self) -> None:
        """Put the files that were written aside, named by the time, if the configuration says so."""
        if not self._settings.rotates:
            return
        now = datetime.fromtimestamp(self._switch.clock.time() // 1_000_000, UTC).astimezone()
        with self._lock:
            for path in sorted(self._paths):
                try:
                    os.rename(path, f"{path}.{now:%Y-%m-%d-%H-%M-%S}")
                except FileNotFoundError:
                    continue
                except OSError as error:
                    self._switch.log(LogLevel.CRIT, f"Error rotating {path}: {error}")
                    continue
                self._switch.log(LogLevel.NOTICE, f"Rotated CDR logfile {path}")

    def hear(self, event: Event) -> None:
        """Rotate when the program was told so by the signal HUP."""
        if event.get_header("Trapped-Signal") == "HUP":
            self.rotate()

    def _write(self, path: str, line: str) -> None:
        # Opened anew each time: a file that others have moved away is not written to any more.
        with self._lock, open(path, "a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(line)
            self._paths.add(path)


def _file_name(account: str) -> str:
    """Return an account as a file's name: it may come from the far end, and must not lead to another folder."""
    return account.replace("/", "_").replace("\0", "_")


def load(switch: Switch) -> None:
    """Write call detail records from now on, where cdr_csv.conf is there or modules.conf names the module.

    Elsewhere nobody has asked for files.
    """
    writer = CdrWriter(switch)
    commands = ApiTable(NAME)

    @commands.command("cdr_csv", "parameters", "cdr_csv controls")
    def cdr_csv(request: ApiRequest) -> str:
        """Put the files aside (`rotate`)."""
        if request.argument != "rotate":
            raise UsageError
        writer.rotate()
        return "+OK"

    commands.register(switch)
    asked = NAME in (configured_modules(switch.xml) or ())
    if asked or switch.xml.configuration("cdr_csv.conf") is not None:
        switch.cdr_reporters.append(writer.report)
        _running[switch.core_uuid] = writer, switch.bus.subscribe(writer.hear, ["TRAP"])


def unload(switch: Switch) -> None:
    """Write no more."""
    running = _running.pop(switch.core_uuid, None)
    if running is not None:
        writer, subscription = running
        switch.cdr_reporters.remove(writer.report)
        switch.bus.unsubscribe(subscription)


# By the switch's core UUID: `unload` gets no more than the switch.
_running: Final[dict[str, tuple[CdrWriter, Subscription]]] = {}
