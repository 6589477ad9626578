"""A call's dealings with a server: what it is told, and what is asked of it next."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.byte_text import to_bytes
from host.channel_event import VERBOSE_EVENTS, add_profile_headers
from host.clock import MILLISECOND
from host.event import Event
from host.expansion import holds_variable
from host.log import LogLevel
from host.modules.mod_httapi.fields import Fields
from host.modules.mod_httapi.transfer import Attachment, Request, Response, perform

if TYPE_CHECKING:
    from collections.abc import Iterable

    from host.modules.mod_httapi.keys import Keys
    from host.modules.mod_httapi.settings import Profile
    from host.session import Session

# The name of a call's client among the private values of its channel.
KEY: Final = "httapi_client"

# Virtual time that a request takes: a server that has a call ask again and again never ends it, its caller does.
_COST: Final = 20 * MILLISECOND

# A call that is over waits for its last request; nobody is left to end it (seconds).
_LAST_TIMEOUT: Final = 60


@dataclass(frozen=True, slots=True)
class CallRecording:
    """A recording of the whole call, which its server gets at the end: by which field, and at which URL if told."""

    field: str
    path: str
    action: str | None


class Client:
    """What one call's server has been told (`params`), and is told with the next request alone (`once`)."""

    def __init__(self, session: Session, profile: Profile, params: Iterable[tuple[str, str]]) -> None:
        self.session = session
        self.profile = profile
        self.params = Fields(params)
        self.params.set("hostname", session.switch.hostname)
        self.once = Fields()
        self.attachments: list[Attachment] = []
        self.recording: CallRecording | None = None
        self.matched: Keys | None = None  # the keys of the present document that were understood

    def log(self, level: LogLevel, text: str) -> None:
        """Write a log line of the call."""
        self.session.channel.log(level, text)

    def set_variable(self, name: str, value: str) -> None:
        """Set a variable of the call, or unset it; FreeSWITCH: none whose value would be expanded in turn."""
        if holds_variable(value):
            self.log(LogLevel.CRIT, f"Invalid data (${{{name}}} contains a variable)")
        else:
            self.session.channel.set_variable(name, value or None)

    def add_caller(self) -> None:
        """Tell the server of the caller: `Caller-…`, as events have it."""
        event = Event("CLONE")
        channel = self.session.channel
        add_profile_headers(event, channel.profile, "Caller", channel.direction)
        for name, value in event.headers:
            self.params.set(name, str(value))

    def add_variables(self) -> None:
        """Tell the server the call's variables once.

        FreeSWITCH: with the permission `extended-data`, and only where all events have them (`verbose_events`).
        """
        channel = self.session.channel
        verbose = channel.switch.control.verbose_events or VERBOSE_EVENTS in channel.private
        if verbose and self.profile.permissions.may("extended-data"):
            self.once.update((f"variable_{name}", value) for name, value in channel.variables.items())

    def forget_once(self) -> None:
        """Drop what waits for the next request."""
        self.once.clear()
        self.remove_attachments()
        self.matched = None

    def remove_attachments(self) -> None:
        """Remove the files that wait for the next request."""
        for attachment in self.attachments:
            try:
                os.unlink(to_bytes(attachment.path))
            except OSError:
                pass
        self.attachments.clear()

    @property
    def url(self) -> str:
        """Where the next request goes, unless it alone goes elsewhere."""
        return self.params.get("url") or self.profile.url

    def sync(self, *, last: bool = False) -> Response:
        """Ask the server; `last` also when the call is over. Files that went along are removed."""
        session, channel = self.session, self.session.channel
        fields = Fields(self.params)
        fields.update(self.once)
        self.once.clear()
        self.matched = None
        url = fields.get("url") or self.profile.url
        session_id = (
            fields.get("HTTAPI_SESSION_ID") or channel.get_variable("HTTAPI_SESSION_ID") or session.uuid
        )
        if fields.get("url") is None:
            fields.set("url", url)
        fields.set("session_id", session_id)
        request = Request(
            fields.expand(url),
            tuple(sorted(fields, key=lambda field: field[0] != "session_id")),  # which is the first
            fields.get("method") or self.profile.method,
            fields.get("user_agent") or "",
            session_id,
            tuple(self.attachments),
            (self.profile.timeout or _LAST_TIMEOUT) if last else 0,
        )
        session.clock.charge(_COST)
        try:
            response = perform(self.profile, request, lambda: not (last or channel.ready))
        finally:
            self.remove_attachments()
        if response.oversized:
            self.log(LogLevel.ERR, f"Oversized file detected [{response.oversized} bytes]")
            self.log(LogLevel.ERR, f"Error encountered! [{self.profile.url}]")
        return response
