"""What a client may ask for: the params `jsonrpc-allowed-…` of its user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# FreeSWITCH: commands that run others, whose names are checked as well.
_RUNNERS: Final = frozenset({"bgapi", "sched_api", "eval", "expand", "xml_wrap"})
_ANYTHING: Final = "__ANY__"
# The words of `verto perm` for what is allowed.
KINDS: Final = ("methods", "jsapi", "fsapi", "event_channels")


@dataclass(slots=True)
class Permissions:
    """Names in lower case; None allows everything, as before a login and with `__ANY__`."""

    methods: frozenset[str] | None = None
    jsapi: frozenset[str] | None = None
    fsapi: frozenset[str] | None = None
    event_channels: frozenset[str] | None = None

    def allows_method(self, method: str) -> bool:
        """Return whether a method may be called: it is named, or what stands before its first dot is."""
        return _holds(self.methods, method)

    def allows_event_channel(self, channel: str, *, fs_events: bool) -> bool:
        """Return whether an event channel may be listened to. FreeSWITCH: with `enable-fs-events` alone `FSevent`."""
        if self.event_channels is None:
            return True
        if channel.partition(".")[0].lower() == "fsevent" and not fs_events:
            return False
        return _holds(self.event_channels, channel)

    def allows_json_command(self, name: str) -> bool:
        """Return whether a command may be called by `jsapi`."""
        return self.jsapi is None or name.lower() in self.jsapi

    def allows_command(self, command: str, argument: str) -> bool:
        """Return whether an API command may be run, and what it runs, too."""
        if self.fsapi is None:
            return True
        for word in (command, *argument.split(" ")):
            if word.lower() not in self.fsapi:
                return False
            if word.lower() not in _RUNNERS:
                return True
        return True

    def change(self, kind: str, names: str, *, add: bool) -> bool:
        """Allow names beside the others, or no longer; False for an unknown kind."""
        if kind not in KINDS:
            return False
        if names != _ANYTHING:
            known: frozenset[str] = getattr(self, kind) or frozenset()
            changed = known | _names(names) if add else known - _names(names)
            setattr(self, kind, changed)
        return True


def user_permissions(param: dict[str, str]) -> Permissions:
    """Return what the params of a user allow. FreeSWITCH: nothing but to log in where there is none of them."""
    found = Permissions(*(_allowed(param.get(f"jsonrpc-allowed-{kind.replace('_', '-')}")) for kind in KINDS))
    if found.methods is not None:
        found.methods |= {"login"}
    return found


def _allowed(value: str | None) -> frozenset[str] | None:
    if value is not None and value.upper() == _ANYTHING:
        return None
    return _names(value or "")


def _names(value: str) -> frozenset[str]:
    """Read a list with blanks between its names, or with commas where there is no blank."""
    return frozenset(name.lower() for name in value.split(" " if " " in value else ",") if name)


def _holds(allowed: frozenset[str] | None, name: str) -> bool:
    lowered = name.lower()
    return allowed is None or lowered in allowed or lowered.partition(".")[0] in allowed
