"""One client: a WebSocket, who has logged in over it, and what that one may do (FreeSWITCH: a jsock)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from host.modules.mod_verto.permissions import Permissions

if TYPE_CHECKING:
    from host.clock import Timer
    from host.modules.mod_verto.settings import ProfileSettings


class Link(Protocol):
    """The socket's side. Both methods return at once, and may be called in any thread."""

    def send(self, text: str) -> bool:
        """Queue a message; False when it will not be sent."""

    def drop(self) -> None:
        """Close the connection once what is queued has gone out."""


@dataclass(eq=False, slots=True)
class Client:
    """`name` is its address and port. `sessid` survives a reconnection, and so do the calls that began with it.

    `params` are those of the user, by lower-case names; `variables` its variables, in their order, and
    `page_variables` those that the page has told when it logged in: calls are given both.
    """

    profile: ProfileSettings
    name: str
    host: str
    secure: bool
    link: Link
    sessid: str = ""
    user: str = ""
    domain: str = ""
    params: dict[str, str] = field(default_factory=dict)
    user_variables: dict[str, str] = field(default_factory=dict)
    variables: list[tuple[str, str]] = field(default_factory=list)
    page_variables: list[tuple[str, str]] = field(default_factory=list)
    permissions: Permissions = field(default_factory=Permissions)
    dialplan: str = ""
    context: str = ""
    expires: int = 0  # seconds since 1970, when the login ends; 0 for never
    expiry: Timer | None = None
    authed: bool = False  # may call methods
    ready: bool = False  # can be called
    begun: bool = False  # has a session id
    attached: bool = False  # was told of its calls
    replaced: bool = False  # another connection has its session
    doomed: bool = False  # is to be dropped once it has its answer
    dropped: bool = False
    ping: Timer | None = None

    @property
    def uid(self) -> str:
        """`user@domain`, "" before a login."""
        return f"{self.user}@{self.domain}" if self.user or self.domain else ""

    def drop(self) -> None:
        """End the connection."""
        self.dropped = True
        self.link.drop()
