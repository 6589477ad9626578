"""A request of a profile on its way: the hops that are left to be tried, and its answer to a challenge."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from host.log import LogLevel
from host.modules.mod_sofia.call.dialog import build, build_response
from host.modules.mod_sofia.message import Body, Message, OutgoingRequest, Source, status_of

if TYPE_CHECKING:
    from host.modules.mod_sofia.profile.profile import Profile

# Methods whose requests and 2xx carry a Contact (RFC 3261 section 8.1.1.8 and those that make or refresh dialogs).
WITH_CONTACT = frozenset({"INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER", "REGISTER", "OPTIONS"})


@dataclass(slots=True)
class Sending:
    """A request on its way: the hops that are left, and its answer to a challenge."""

    profile: Profile
    request: OutgoingRequest
    on_response: Callable[[Message], object] | None
    contact: str | None
    body: Body | None
    credentials: tuple[str, str] | None
    started: Callable[[Any], object] | None
    hops: list[Source] = field(default_factory=list)

    def begin(self, hops: list[Source]) -> None:
        """Send it to the first of `hops`; without any it is answered 503, as by a server that is not there."""
        if not hops:
            self.profile.switch.log(
                LogLevel.WARNING, f"{self.request.method} {self.request.uri}: no address found"
            )
            message = self._message(Source("0.0.0.0", 0, "udp"))
            self._tell(build_response(message, 503, "DNS Error"))
            return
        self.hops = hops[1:]
        transaction = self.profile.transactions.request(
            self._message(hops[0]),
            lambda response: self._answered(response, hops[0]),
            uack=self.request.method == "INVITE",
        )
        if self.started is not None:
            self.started(transaction)

    def _answered(self, response: Message, hop: Source) -> None:
        code, _ = status_of(response)
        if code in (401, 407) and self.credentials is not None:
            again = self.profile.authorized(self.request, response, self.body, self.credentials)
            if again is not None:
                self.request, self.credentials = again, None
                self.begin([hop, *self.hops])
                return
        # RFC 3263 section 4.3: a hop that does not answer, or cannot, leaves the next one to be tried.
        if code in (408, 503) and self.hops:
            self.begin(self.hops)
            return
        self._tell(response)

    def _tell(self, response: Message) -> None:
        if self.on_response is not None:
            self.on_response(response)

    def _message(self, hop: Source) -> Message:
        contact, request, profile = self.contact, self.request, self.profile
        if contact is None:
            contact = ""
            if request.method in WITH_CONTACT:
                contact = f"<{profile.contact_uri(hop.transport, remote_ip=hop.ip)}>"
        whole = dataclasses.replace(request, body=self.body) if self.body is not None else request
        message = build(whole, contact=contact, user_agent=profile.user_agent)
        message.setTarget(((hop.ip, hop.port), hop.transport))
        return message
