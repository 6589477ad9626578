"""Users of the directory who may use the event socket (`userauth`), and what they may do there."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from host.byte_text import to_bytes
from host.event_name import find_event_name
from host.truth import is_true

if TYPE_CHECKING:
    from host.xml_registry import XmlRegistry


@dataclass(frozen=True, slots=True)
class EventSocketUser:
    """A user who was let in; None allows everything."""

    allowed_events: str | None = None
    allowed_api: str | None = None
    allowed_log: bool = True

    def reply_headers(self) -> tuple[tuple[str, str], ...]:
        """Return what the answer to `userauth` tells of the permissions."""
        return (
            ("Allowed-Events", "all" if self.allowed_events is None else self.allowed_events),
            ("Allowed-API", "all" if self.allowed_api is None else self.allowed_api),
            ("Allowed-LOG", "true" if self.allowed_log else "false"),
        )

    def allowed_commands(self) -> frozenset[str] | None:
        """Return the API commands that the user may run, None for all."""
        return None if self.allowed_api is None else frozenset(_list(self.allowed_api))

    def event_permissions(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the event types and the CUSTOM subclasses that the user may hear."""
        names: set[str] = set()
        subclasses: set[str] = set()
        for word in _list(self.allowed_events or ""):
            name = find_event_name(word)
            if "CUSTOM" in names:
                subclasses.add(word)
            elif name is not None:
                names.add(name)
        return frozenset(names), frozenset(subclasses)


def _list(text: str) -> list[str]:
    return text.split(" " if " " in text else ",")


def find_event_socket_user(xml: XmlRegistry, login: str) -> EventSocketUser | None:
    """Return the user for `USER@DOMAIN:PASSWORD` or `USER:PASSWORD@DOMAIN`, None when not to be let in.

    The directory's params `esl-password`, `esl-allowed-events`, `esl-allowed-api` and `esl-allowed-log` decide.
    """
    name, _, domain = login.partition("@")
    domain, _, password = domain.partition(":")
    name, colon, inner = name.partition(":")
    password = inner if colon else password
    if not name or not domain or not password:
        return None
    user = xml.directory.user(name, domain, key="id", params={"action": "event_socket_auth"})
    wanted = user.param("esl-password") if user is not None else None
    if user is None or not wanted or not hmac.compare_digest(to_bytes(wanted), to_bytes(password)):
        return None
    log = user.param("esl-allowed-log")
    return EventSocketUser(
        user.param("esl-allowed-events"), user.param("esl-allowed-api"), log is None or is_true(log)
    )
