"""The mailboxes of a switch: its profiles with their databases, and the users of the directory behind the boxes."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from host.log import LogLevel
from host.modules.mod_voicemail.message_store import TABLES, MessageStore
from host.modules.mod_voicemail.profile import CONFIGURATION, Profile, read_profile
from host.sql_store import MEMORY, SqlError, is_postgres, open_store
from host.truth import is_true
from host.xml_directory import settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from host.switch import Switch
    from host.xml_directory import DirectoryUser

# FreeSWITCH's words for false.
_FALSE: Final = frozenset({"no", "off", "false", "f", "disabled", "inactive", "disallow", "0"})


@dataclass(frozen=True, slots=True)
class BoxUser:
    """The directory's user of a box: its id and its params, whose names are in lower case."""

    id: str
    params: Mapping[str, str] = field(default_factory=dict)
    timezone: str = ""

    @property
    def enabled(self) -> bool:
        """Whether the user has voicemail at all."""
        return self.params.get("vm-enabled", "").lower() not in _FALSE


class LoadedProfile:
    """A profile in use: its settings and its messages."""

    def __init__(self, switch: Switch, profile: Profile, store: MessageStore) -> None:
        self.switch = switch
        self.profile = profile
        self.store = store

    def folder(self, user: BoxUser, domain: str) -> str | None:
        """Return the folder of a box, made where it was missing; None, logged, where that fails."""
        try:
            folder = self.profile.folder(self.switch, user.params, domain, user.id)
            os.makedirs(folder, exist_ok=True)
        except (OSError, ValueError) as error:
            self.switch.log(LogLevel.ERR, f"Error creating the folder of {user.id}@{domain}: {error}")
            return None
        return folder

    def greeting(self, folder: str, number: int) -> str:
        """Return the path of a greeting by its number."""
        return os.path.join(folder, f"greeting_{number}.{self.profile.text('file-extension')}")

    def spoken_name(self, folder: str) -> str:
        """Return the path of the recorded name."""
        return os.path.join(folder, f"recorded_name.{self.profile.text('file-extension')}")


class Mailboxes:
    """The profiles that are loaded, by name, in the order of loading."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.exact_queries = False
        self._loaded: dict[str, LoadedProfile] = {}
        self._lock = threading.Lock()

    def load(self) -> None:
        """Load the settings and all profiles of voicemail.conf; one whose database fails is logged and left out."""
        configuration = self.switch.xml.configuration(CONFIGURATION)
        if configuration is None:
            return
        for param in configuration.findall("settings/param"):
            if (param.get("name") or "").lower() == "message-query-exact-match":
                self.exact_queries = is_true(param.get("value"))
        for element in configuration.findall("profiles/profile"):
            self.find(element.get("name") or "")

    def find(self, name: str) -> LoadedProfile | None:
        """Return the profile of that name, loaded now if it was not; None without one, logged if it cannot be used."""
        with self._lock:
            loaded = self._loaded.get(name)
            if loaded is None:
                profile = self._read(name)
                if profile is None:
                    return None
                try:
                    database = open_store(self._database(profile), TABLES)
                    loaded = LoadedProfile(self.switch, profile, MessageStore(database))
                except SqlError as error:
                    self.switch.log(LogLevel.CRIT, f"Cannot open DB! {error}")
                    return None
                self._loaded[name] = loaded
                self.switch.log(LogLevel.INFO, f"Added Profile {name}")
            return loaded

    def drop(self, name: str) -> None:
        """Forget a profile. Its database in memory is lost, one in a file is read again at the next use."""
        with self._lock:
            loaded = self._loaded.pop(name, None)
        if loaded is None:
            self.switch.log(LogLevel.ERR, f"[{name}] Invalid Profile")
        else:
            loaded.store.close()

    def __iter__(self) -> Iterator[LoadedProfile]:
        return iter(list(self._loaded.values()))

    def close(self) -> None:
        """Forget all profiles."""
        for loaded in self:
            self.drop(loaded.profile.name)

    def user(self, name: str, domain: str, params: Mapping[str, str] | None = None) -> BoxUser | None:
        """Return the directory's user by id or number-alias; None without."""
        found = self.switch.xml.directory.user(name, domain, params=params)
        return box_user(found) if found is not None else None

    def resolve(self, name: str, domain: str) -> str:
        """Return the id of a user that is named by its id or number-alias; the name itself without such a user."""
        found = self.user(name, domain, {"action": "message-count"})
        return found.id if found is not None and found.id else name

    def _read(self, name: str) -> Profile | None:
        configuration = self.switch.xml.configuration(CONFIGURATION)
        if configuration is None:
            return None
        for element in configuration.findall("profiles/profile"):
            if element.get("name") == name:
                return read_profile(element)
        return None

    def _database(self, profile: Profile) -> str:
        """Return the DSN or path of a profile's database; SqlError for a DSN that is none of PostgreSQL.

        In memory under a virtual clock, where each run has to be like the one before, and where there is no base
        folder: a call to a script must not make folders on its own.
        """
        switch = self.switch
        if switch.clock.virtual:
            return MEMORY
        dsn = profile.text("odbc-dsn")
        if dsn:
            if not is_postgres(dsn):
                raise SqlError(f"odbc-dsn of {profile.name} is none of PostgreSQL (pgsql://…)")
            return dsn
        base = Path(switch.global_variables.get("base_dir") or "")
        if not base.is_dir():
            return MEMORY
        name = (profile.text("dbname") or f"voicemail_{profile.name}").replace("/", "_")
        folder = Path(switch.global_variables.get("db_dir") or "")
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise SqlError(str(error)) from error
        return str(folder / f"{name}.db")


def box_user(user: DirectoryUser) -> BoxUser:
    """Return what voicemail wants to know of a user; FreeSWITCH: `timezone` may be a variable or a param."""
    params = {name.lower(): value for name, value in settings(user.element, "params")}
    timezone = params.get("timezone") or user.variable("timezone") or ""
    return BoxUser(user.attribute("id") or "", params, timezone)
