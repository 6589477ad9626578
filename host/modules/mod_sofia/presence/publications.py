"""PUBLISH (RFC 3903): what devices say of their users' presence, kept under entity tags until it runs out."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.modules.mod_sofia.message import (
    Message,
    body_of,
    from_of,
    header_of,
    uri_host,
    uri_user,
)
from host.modules.mod_sofia.presence.pidf import PIDF, PidfError, Published, parse_pidf
from host.modules.mod_sofia.presence.subscription import granted, parse_event
from host.modules.mod_sofia.presence.subscriptions import ALLOW_EVENTS
from host.modules.mod_sofia.registration.contact_address import ContactError

if TYPE_CHECKING:
    from host.modules.mod_sofia.profile.profile import Profile
    from host.modules.mod_sofia.transport.stack import Timer

# A tag for each device of each user of a large host; more is a flood.
MAX_PUBLICATIONS: Final = 50_000

# (profile, user, host, what is told now, user agent): the presence of somebody is another.
Changed = Callable[["Profile", str, str, "Published | None", str], object]


@dataclass(slots=True)
class _Publication:
    user: str
    host: str
    told: Published
    user_agent: str
    timer: Timer | None = None


class Publications:
    """What was published at one profile. Everything in the SIP thread."""

    def __init__(self, profile: Profile, changed: Changed) -> None:
        self.profile = profile
        self._changed = changed
        self._by_tag: dict[str, _Publication] = {}
        self._tags: dict[tuple[str, str], list[str]] = {}

    def __len__(self) -> int:
        return len(self._by_tag)

    def find(self, user: str, host: str) -> Published | None:
        """Return what was told of somebody last, None for nothing; `closed` counts only where nothing else is."""
        tags = self._tags.get((user.lower(), host.lower()), ())
        told = [self._by_tag[tag].told for tag in reversed(tags)]
        return next((one for one in told if one.basic != "closed"), told[0] if told else None)

    def receive(self, request: Message) -> None:
        """Answer a PUBLISH."""
        profile = self.profile
        event = parse_event(header_of(request, "event") or "")
        if event.name != "presence" or not profile.settings.manage_presence:
            profile.respond(request, 489, "Bad Event", headers=(("Allow-Events", ALLOW_EVENTS),))
        elif profile.settings.auth_subscriptions:
            try:
                profile.registrar.digest.authenticate(request, lambda accepted: self._take(request))
            except ContactError as error:
                profile.respond(request, 400, str(error))
        else:
            self._take(request)

    def _take(self, request: Message) -> None:
        profile = self.profile
        try:
            seconds = granted(header_of(request, "expires"), force=profile.settings.force_publish_expires)
        except ValueError:
            profile.respond(request, 400, "Bad Expires")
            return
        former = (header_of(request, "sip-if-match") or "").strip()
        if former and former not in self._by_tag:
            profile.respond(request, 412, "Conditional Request Failed")
            return
        body = body_of(request)
        if body is None or not body.text:
            if not former:
                profile.respond(request, 400, "Missing Body")
            else:
                self._renew(request, former, seconds)
            return
        if body.content_type != PIDF:
            profile.respond(request, 415, "Unsupported Media Type", headers=(("Accept", PIDF),))
            return
        try:
            told = parse_pidf(body.text)
        except PidfError:
            profile.respond(request, 400, "Bad Presence Document")
            return
        self._publish(request, former, told, seconds)

    def _publish(self, request: Message, former: str, told: Published, seconds: int) -> None:
        sender = from_of(request).url
        user, host = uri_user(sender), uri_host(sender)
        if former:
            kept = self._by_tag[former]
            if (kept.user, kept.host) != (user, host):
                self.profile.respond(request, 412, "Conditional Request Failed")
                return
            self._drop(former)
        if len(self._by_tag) >= MAX_PUBLICATIONS:
            self.profile.respond(request, 503, "Too Many Publications", headers=(("Retry-After", "30"),))
            return
        agent = header_of(request, "user-agent") or ""
        tag = self._keep(_Publication(user, host, told, agent), seconds)
        self._accept(request, tag, seconds)
        self._changed(self.profile, user, host, self.find(user, host) or told, agent)

    def _renew(self, request: Message, former: str, seconds: int) -> None:
        kept = self._by_tag[former]
        self._drop(former)
        tag = self._keep(kept, seconds)
        self._accept(request, tag, seconds)
        if not seconds:
            self._changed(
                self.profile, kept.user, kept.host, self.find(kept.user, kept.host), kept.user_agent
            )

    def _accept(self, request: Message, tag: str, seconds: int) -> None:
        self.profile.respond(request, 200, "OK", headers=(("SIP-ETag", tag), ("Expires", str(seconds))))

    def _keep(self, publication: _Publication, seconds: int) -> str:
        tag = secrets.token_hex(8)
        if seconds:
            self._by_tag[tag] = publication
            self._tags.setdefault((publication.user.lower(), publication.host.lower()), []).append(tag)
            publication.timer = self.profile.sofia.stack.call_later(seconds, lambda: self._expire(tag))
        return tag

    def _drop(self, tag: str) -> None:
        publication = self._by_tag.pop(tag)
        key = (publication.user.lower(), publication.host.lower())
        tags = self._tags.get(key, [])
        tags.remove(tag)
        if not tags:
            self._tags.pop(key, None)
        if publication.timer is not None:
            publication.timer.cancel()

    def _expire(self, tag: str) -> None:
        kept = self._by_tag.get(tag)
        if kept is None:
            return
        self._drop(tag)
        self._changed(self.profile, kept.user, kept.host, self.find(kept.user, kept.host), kept.user_agent)

    def close(self) -> None:
        """Forget everything."""
        for tag in list(self._by_tag):
            self._drop(tag)
