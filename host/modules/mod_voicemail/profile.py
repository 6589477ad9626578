"""Profiles of mailboxes: what voicemail.conf sets under a name, with FreeSWITCH's defaults and limits."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.truth import is_true

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml import etree

    from host.switch import Switch

CONFIGURATION: Final = "voicemail.conf"
DEFAULT_PROFILE: Final = "default"
MOST_GREETINGS: Final = 9

# One key each, by the name of the param without `-key`; the last two may be empty.
_KEYS: Final[dict[str, str]] = {
    "terminator": "#",
    "play-new-messages": "1",
    "play-saved-messages": "2",
    "main-menu": "0",
    "skip-greet": "#",
    "skip-info": "*",
    "config-menu": "5",
    "record-greeting": "1",
    "choose-greeting": "2",
    "record-name": "3",
    "change-pass": "6",
    "record-file": "3",
    "listen-file": "1",
    "save-file": "2",
    "delete-file": "7",
    "undelete-file": "8",
    "email": "4",
    "callback": "5",
    "pause": "0",
    "restart": "1",
    "ff": "6",
    "rew": "4",
    "previous-message": "1",
    "next-message": "3",
    "repeat-message": "0",
    "urgent": "*",
    "forward": "8",
    "prepend": "1",
    "operator": "",
    "vmain": "",
}
_OPTIONAL_KEYS: Final = frozenset({"operator", "vmain"})

# Default and the most that FreeSWITCH takes; None: no limit.
_NUMBERS: Final[dict[str, tuple[int, int | None]]] = {
    "digit-timeout": (10_000, 30_000),
    "max-login-attempts": (3, 10),
    "min-record-len": (3, 10_000),
    "max-record-len": (300, 1_000),
    "max-retries": (3, None),
    "record-silence-threshold": (200, 10_000),
    "record-silence-hits": (2, 1_000),
}
_TEXTS: Final[dict[str, str]] = {
    "file-extension": "wav",
    "record-title": "FreeSWITCH Voicemail",
    "record-comment": "FreeSWITCH Voicemail",
    "record-copyright": "http://www.freeswitch.org",
    "operator-extension": "",
    "vmain-extension": "",
    "tone-spec": "%(1000, 0, 640)",
    "storage-dir": "",
    "callback-dialplan": "XML",
    "callback-context": "default",
    "odbc-dsn": "",
    "dbname": "",
}
_FLAGS: Final[dict[str, bool]] = {
    "play-new-messages-lifo": False,
    "play-saved-messages-lifo": False,
    "storage-dir-shared": False,
    "db-password-override": False,
    "allow-empty-password-auth": True,
    "auto-playback-recordings": False,
    "send-full-vm-header": False,
}
_DATES: Final = ("first", "last", "never")
_LOGIN_KEYS: Final = re.compile(r"[0-9#*]{0,15}")
_LONGEST_ENDING: Final = 9


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile. `parameters` are those of voicemail.conf by name; what is missing or wrong is FreeSWITCH's default."""

    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    def key(self, name: str) -> str:
        """Return the key of the param `NAME-key`; "" where there is none."""
        value = self.parameters.get(f"{name}-key", "")
        if re.fullmatch(r"[0-9#*]", value):
            return value
        empty = name in _OPTIONAL_KEYS and f"{name}-key" in self.parameters
        return "" if empty else _KEYS[name]

    def keys(self, *names: str) -> str:
        """Return keys as the phrase macros take them, with `:` between."""
        return ":".join(self.key(name) for name in names)

    def number(self, name: str) -> int:
        """Return a number (ms, seconds or a count, as FreeSWITCH has it); one out of range is the default."""
        default, most = _NUMBERS[name]
        text = self.parameters.get(name, "")
        number = leading_int(text) if re.fullmatch(r"[+-]?\d{1,9}(?:\.\d*)?", text, re.ASCII) else default
        return number if number >= 0 and (most is None or number <= most) else default

    def text(self, name: str) -> str:
        """Return a text."""
        value = self.parameters.get(name) or _TEXTS[name]
        if name == "file-extension" and (len(value) > _LONGEST_ENDING or not value.isalnum()):
            return _TEXTS[name]
        return value

    def flag(self, name: str) -> bool:
        """Return a truth."""
        value = self.parameters.get(name)
        return is_true(value) if value is not None else _FLAGS[name]

    @property
    def login_keys(self) -> str:
        """The keys that lead from a greeting to the login."""
        value = self.parameters.get("login-keys")
        return value if value is not None and _LOGIN_KEYS.fullmatch(value) else "0"

    @property
    def date_announcement(self) -> str:
        """When a message's date is said: `first`, `last` or `never`."""
        value = self.parameters.get("play-date-announcement", "").lower()
        return value if value in _DATES else "first"

    def folder(self, switch: Switch, user: Mapping[str, str], domain: str, box: str) -> str:
        """Return the folder of a box's messages and greetings; `user` are the params of its user, names in lower case.

        ValueError for a domain or box whose name would lead elsewhere.
        """
        for name in (domain, box):
            if not name or "/" in name or "\0" in name or name in (".", ".."):
                raise ValueError(f"{name!r} cannot be the name of a folder")
        root = os.path.join(switch.global_variables.get("storage_dir") or ".", "voicemail")
        if user.get("vm-storage-dir"):
            return os.path.join(root, user["vm-storage-dir"])
        of_domain = user.get("vm-domain-storage-dir") or user.get("storage-dir")
        if of_domain:
            return os.path.join(of_domain, box)
        own = self.text("storage-dir")
        if own:
            return os.path.join(own, domain, *(["voicemail"] if self.flag("storage-dir-shared") else []), box)
        return os.path.join(root, self.name, domain, box)


def read_profile(element: etree._Element) -> Profile:
    """Return the profile that an element `profile` of voicemail.conf describes."""
    parameters = {
        (param.get("name") or "").lower(): param.get("value") or "" for param in element.findall("param")
    }
    return Profile(element.get("name") or "", parameters)
