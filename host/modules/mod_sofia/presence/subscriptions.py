"""SUBSCRIBE (RFC 6665): who is subscribed at a profile, and the NOTIFYs to them. Everything in the SIP thread."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from host.modules.mod_sofia.call.dialog import Dialog
from host.modules.mod_sofia.message import (
    Message,
    Source,
    call_id_of,
    contact_of,
    from_of,
    header_of,
    headers_of,
    source_of,
    status_of,
    tag_of,
    to_of,
    unwire,
    uri_host,
    uri_user,
)
from host.modules.mod_sofia.presence.subscription import (
    Document,
    EventPackage,
    Remove,
    Retry,
    Send,
    Subscription,
    granted,
    parse_event,
)
from host.modules.mod_sofia.registration.contact_address import ContactError
from host.modules.mod_sofia.transport.nat import route_back

if TYPE_CHECKING:
    from host.modules.mod_sofia.presence.subscription import Action
    from host.modules.mod_sofia.profile.profile import Profile
    from host.modules.mod_sofia.transport.stack import Timer

ALLOW_EVENTS: Final = "presence, dialog, message-summary, refer"
# Each keeps about 3 kB; a host with more phones' lamps than this is one of several.
MAX_SUBSCRIPTIONS: Final = 50_000
_BUSY_RETRY: Final = "30"
_SIP: Final = "sip"
_MAX_RETRY_DIGITS: Final = 6

# Tells the state of a new or renewed subscription.
Begin = Callable[["Profile", Subscription], object]


class Subscriptions:
    """The subscriptions at one profile; `packages` tells the first state, by the name of the event package."""

    def __init__(
        self,
        profile: Profile,
        packages: Mapping[str, Begin],
        *,
        mapped: Callable[[str, str], str] = lambda user, host: "",
    ) -> None:
        """`mapped(user, host)` returns the protocol that `presence_map.conf` has for somebody, empty for none."""
        self.profile = profile
        self._packages = packages
        self._mapped = mapped
        self._by_key: dict[tuple[str, str, str, str], Subscription] = {}
        self._by_user: dict[str, dict[int, Subscription]] = {}
        self._timers: dict[int, Timer] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._by_key)

    # -- look-ups ------------------------------------------------------------------------------------------------

    def about(
        self, user: str, host: str, packages: Iterable[str], proto: str | None = _SIP
    ) -> list[Subscription]:
        """Return the subscriptions to `user@host` of these packages; of any protocol where `proto` is None.

        FreeSWITCH: the profile's own addresses stand for every domain, and so does a presence host.
        """
        wanted = frozenset(packages)
        own = (host.lower(), self.profile.settings.sip_ip, self.profile.settings.ext_sip_ip)
        return [
            one
            for one in self._by_user.get(user.lower(), {}).values()
            if one.event.name in wanted
            and (proto is None or one.proto.lower() == proto.lower())
            and (one.host.lower() in own or (host and host.lower() in one.presence_hosts.lower()))
        ]

    def of_call_id(self, call_id: str) -> list[Subscription]:
        """Return the subscriptions of a dialog's Call-ID."""
        return [one for one in self._by_key.values() if one.dialog.call_id == call_id]

    def all(self) -> list[Subscription]:
        """Return all subscriptions, the oldest first."""
        return list(self._by_key.values())

    def rows(self) -> list[dict[str, str]]:
        """Return all subscriptions by the columns of FreeSWITCH's table `sip_subscriptions`."""
        now, epoch = self.profile.sofia.stack.now(), self.profile.switch.clock.time() // 1_000_000
        return [
            {
                "proto": one.proto,
                "sip_user": one.subscriber_user,
                "sip_host": one.subscriber_host,
                "sub_to_user": one.user,
                "sub_to_host": one.host,
                "presence_hosts": one.presence_hosts,
                "event": one.event.name,
                "contact": one.contact,
                "call_id": one.dialog.call_id,
                "full_from": f"{one.dialog.remote};tag={one.dialog.remote_tag}",
                "expires": str(epoch + one.left(now)),
                "user_agent": one.user_agent,
                "accept": ", ".join(one.accept),
                "profile_name": self.profile.name,
                "hostname": self.profile.switch.hostname,
                "network_port": str(one.source.port),
                "network_ip": one.source.ip,
                "version": str(one.version),
                "orig_proto": one.orig_proto,
                "full_to": f"{one.dialog.local};tag={one.dialog.local_tag}",
            }
            for one in self._by_key.values()
        ]

    # -- requests ------------------------------------------------------------------------------------------------

    def receive(self, request: Message) -> None:
        """Answer a SUBSCRIBE."""
        profile = self.profile
        event = parse_event(header_of(request, "event") or "")
        if event.name not in self._packages or not profile.settings.manage_presence:
            profile.respond(request, 489, "Bad Event", headers=(("Allow-Events", ALLOW_EVENTS),))
            return
        if profile.settings.auth_subscriptions:
            try:
                profile.registrar.digest.authenticate(request, lambda accepted: self._take(request, event))
            except ContactError as error:
                profile.respond(request, 400, str(error))
        else:
            self._take(request, event)

    def _take(self, request: Message, event: EventPackage) -> None:
        profile, settings = self.profile, self.profile.settings
        try:
            seconds = granted(
                header_of(request, "expires"),
                force=settings.force_subscription_expires,
                deviation=settings.sip_subscription_max_deviation,
                pick=random.randrange,
            )
        except ValueError:
            profile.respond(request, 400, "Bad Expires")
            return
        tag = tag_of(to_of(request))
        if tag:
            known = self._by_key.get((call_id_of(request), tag, event.name, event.id))
            if known is None or not known.dialog.claims(request):
                profile.respond(request, 481, "Subscription Does Not Exist")
            elif not known.dialog.in_order(request):
                profile.respond(request, 500, "Server Internal Error")
            else:
                self._renew(known, request, seconds)
            return
        if contact_of(request) is None:
            profile.respond(request, 400, "Missing Contact")
        elif self._closed or len(self._by_key) >= MAX_SUBSCRIPTIONS:
            profile.respond(request, 503, "Too Many Subscriptions", headers=(("Retry-After", _BUSY_RETRY),))
        else:
            self._begin(request, event, seconds)

    def _begin(self, request: Message, event: EventPackage, seconds: int) -> None:
        subscription = self._new(request, event, seconds)
        if subscription is None:
            self.profile.respond(request, 404, "Not Found")
            return
        self._drop_former(subscription)
        self._by_key[subscription.key] = subscription
        self._by_user.setdefault(subscription.user.lower(), {})[id(subscription)] = subscription
        self._accept(subscription, request, seconds)
        if not seconds:
            subscription.once("timeout")
        self._tell_first(subscription)

    def _renew(self, subscription: Subscription, request: Message, seconds: int) -> None:
        subscription.dialog.take_target(request)
        contact = contact_of(request)
        if contact is not None:
            subscription.contact = unwire(str(contact))
        subscription.source = source_of(request)
        subscription.next_hop = route_back(self.profile.settings, request).source
        self._accept(subscription, request, seconds)
        if seconds:
            self._tell_first(subscription)
        else:
            self.end(subscription, "noresource")

    def _tell_first(self, subscription: Subscription) -> None:
        self._packages[subscription.event.name](self.profile, subscription)

    def _accept(self, subscription: Subscription, request: Message, seconds: int) -> None:
        profile, settings = self.profile, self.profile.settings
        now = profile.sofia.stack.now()
        subscription.expires_at = now + seconds
        self._arm(subscription, seconds)
        state = f"active;expires={seconds}" if seconds else "terminated;reason=noresource"
        code, reason = (200, "OK") if settings.sip_subscribe_respond_200_ok else (202, "Accepted")
        profile.respond(
            request,
            code,
            reason,
            headers=(
                ("Allow-Events", ALLOW_EVENTS),
                ("Subscription-State", state),
                ("Expires", str(seconds)),
            ),
            contact=self._contact(subscription),
            tag=subscription.dialog.local_tag,
        )

    def _new(self, request: Message, event: EventPackage, seconds: int) -> Subscription | None:
        profile, settings = self.profile, self.profile.settings
        asked, sender, contact = to_of(request).url, from_of(request).url, contact_of(request)
        if contact is None:
            return None
        to_user = uri_user(asked)
        host = settings.force_subscription_domain or uri_host(asked)
        proto, plus, user = to_user.partition("+")
        orig_proto = ""
        if plus and proto:
            user, again, other = user.partition("+")
            host = other if again else host
        else:
            proto, user = _SIP, to_user
            mapped = self._mapped(user, host)
            if mapped:
                orig_proto, proto = proto, mapped
        if not user or not host:
            return None
        return Subscription(
            event,
            Dialog.of_request(request),
            user,
            host,
            uri_user(sender),
            uri_host(sender),
            source_of(request),
            profile.sofia.stack.now() + seconds,
            proto=proto,
            orig_proto=orig_proto,
            presence_hosts=settings.presence_hosts,
            contact=unwire(str(contact)),
            contact_user=to_user,
            user_agent=header_of(request, "user-agent") or "",
            accept=_words(headers_of(request, "accept")),
            next_hop=route_back(settings, request).source,
        )

    def _drop_former(self, subscription: Subscription) -> None:
        """Forget what the same SUBSCRIBE began before: one whose answer was lost, sent anew with the next CSeq."""
        for one in self._by_user.get(subscription.user.lower(), {}).copy().values():
            same = one.dialog.call_id == subscription.dialog.call_id and one.event == subscription.event
            if same and one.dialog.remote_tag == subscription.dialog.remote_tag:
                one.ended = True
                self._forget(one)

    # -- NOTIFY --------------------------------------------------------------------------------------------------

    def tell(self, subscription: Subscription, document: Document | None) -> None:
        """Send a new state to a subscriber."""
        self._do(subscription, subscription.tell(document, self.profile.sofia.stack.now()))

    def again(self, subscription: Subscription) -> None:
        """Send the last state again."""
        self._do(subscription, subscription.again(self.profile.sofia.stack.now()))

    def end(self, subscription: Subscription, reason: str) -> None:
        """End a subscription with a last NOTIFY."""
        self._disarm(subscription)
        self._do(subscription, subscription.end(reason, self.profile.sofia.stack.now()))

    def close(self) -> None:
        """End all of them: the profile stops (`deactivated`: subscribe anew at once, RFC 6665 section 4.1.3)."""
        self._closed = True
        for subscription in list(self._by_key.values()):
            self.end(subscription, "deactivated")

    def _do(self, subscription: Subscription, actions: Iterable[Action]) -> None:
        for action in actions:
            if isinstance(action, Send):
                self._send(subscription, action)
            elif isinstance(action, Retry):
                self.profile.sofia.stack.call_later(action.seconds, lambda: self._retry(subscription))
            elif isinstance(action, Remove):
                self._forget(subscription)

    def _retry(self, subscription: Subscription) -> None:
        self._do(subscription, subscription.retry(self.profile.sofia.stack.now()))

    def _send(self, subscription: Subscription, action: Send) -> None:
        profile = self.profile

        def answered(response: Message) -> None:
            code, _ = status_of(response)
            after = _seconds(header_of(response, "retry-after"))
            self._do(subscription, subscription.answered(code, after, profile.sofia.stack.now()))

        request = action.request
        profile.transact(
            request,
            on_response=answered,
            contact=self._contact(subscription),
            body=request.body,
            next_hop=request.next_hop,
        )

    def _contact(self, subscription: Subscription) -> str:
        source: Source = subscription.source
        uri = self.profile.contact_uri(source.transport, user=subscription.contact_user, remote_ip=source.ip)
        return f"<{uri}>"

    # -- time ----------------------------------------------------------------------------------------------------

    def _arm(self, subscription: Subscription, seconds: int) -> None:
        self._disarm(subscription)
        if seconds:
            self._timers[id(subscription)] = self.profile.sofia.stack.call_later(
                seconds, lambda: self.end(subscription, "timeout")
            )

    def _disarm(self, subscription: Subscription) -> None:
        timer = self._timers.pop(id(subscription), None)
        if timer is not None:
            timer.cancel()

    def _forget(self, subscription: Subscription) -> None:
        self._disarm(subscription)
        if self._by_key.get(subscription.key) is subscription:
            del self._by_key[subscription.key]
        of_user = self._by_user.get(subscription.user.lower(), {})
        of_user.pop(id(subscription), None)
        if not of_user:
            self._by_user.pop(subscription.user.lower(), None)


def _words(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(word.strip().lower() for value in values for word in value.split(",") if word.strip())


def _seconds(value: str | None) -> int | None:
    text = (value or "").partition(";")[0].partition("(")[0].strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_RETRY_DIGITS else None
