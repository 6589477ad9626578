"""Presence: what the switch's events and the calls say of somebody goes to who subscribed to `presence` or `dialog`.

Events come in any thread and are dealt with in the SIP thread; what may block is asked in a worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from host.modules.mod_sofia.presence.call_presence import (
    ON_THE_PHONE,
    CallPresence,
    call_of_channel,
    call_of_event,
    dialog_state,
)
from host.modules.mod_sofia.presence.dialog_info import (
    DIALOG_INFO,
    TERMINATED,
    DialogEntry,
    dialog_info,
    thing_entry,
)
from host.modules.mod_sofia.presence.pidf import (
    PIDF,
    XPIDF,
    Presence,
    Published,
    pidf,
    presence_of,
    status_of_rpid,
    translated_rpid,
    wants_xpidf,
    xpidf,
)
from host.modules.mod_sofia.presence.subscription import Document, Subscription
from host.sql_store import SqlError

if TYPE_CHECKING:
    from host.event import Event
    from host.event_bus import Subscription as BusSubscription
    from host.modules.mod_sofia.presence.publications import Publications
    from host.modules.mod_sofia.presence.subscriptions import Subscriptions
    from host.modules.mod_sofia.profile.profile import Profile
    from host.modules.mod_sofia.sofia import Sofia

PACKAGES: Final = ("presence", "dialog")
SIP: Final = "sip"
_EVENTS: Final = ("PRESENCE_IN", "PRESENCE_OUT")
_ANY: Final = frozenset({"", "any", "dp"})


class PresenceTeller:
    """Presence of one switch. Everything but `hear` and `detach` in the SIP thread."""

    def __init__(
        self,
        sofia: Sofia,
        subscriptions: Mapping[str, Subscriptions],
        publications: Mapping[str, Publications],
    ) -> None:
        """Both mappings are by the names of running profiles."""
        self._sofia = sofia
        self._subscriptions = subscriptions
        self._publications = publications
        self._listening: BusSubscription | None = None
        self._calls: dict[str, dict[str, CallPresence]] = {}

    def detach(self) -> None:
        """Hear no more events."""
        listening, self._listening = self._listening, None
        if listening is not None:
            self._sofia.switch.bus.unsubscribe(listening)

    # -- subscriptions -------------------------------------------------------------------------------------------

    def begin(self, profile: Profile, subscription: Subscription) -> None:
        """Tell a subscriber how things are, as every SUBSCRIBE asks, and let PRESENCE_PROBE ask whoever else knows."""
        self._listen()
        version = subscription.version

        def work() -> None:
            known = subscription.proto == SIP and self._is_registered(
                profile, subscription.user, subscription.host
            )
            self._probe(profile, subscription)
            self._sofia.stack.call(lambda: self._first(profile, subscription, known, version))

        if not self._sofia.stack.work(work):
            self._first(profile, subscription, False, version)

    def _first(self, profile: Profile, subscription: Subscription, registered: bool, version: int) -> None:
        """Tell the state that is known here; that of other protocols where nobody has answered the probe."""
        store = self._subscriptions.get(profile.name)
        if store is None or subscription.ended:
            return
        if subscription.proto == SIP:
            who = f"{subscription.user}@{subscription.host}"
            status = "Registered" if registered else "Unregistered"
            store.tell(subscription, self._of_user(profile, subscription, who, status, "unknown"))
        elif subscription.version == version:
            if version >= 0:
                store.again(subscription)
            else:
                store.tell(
                    subscription, _document(profile, subscription, presence_of("", "", is_open=False), ())
                )

    def _probe(self, profile: Profile, subscription: Subscription) -> None:
        switch = self._sofia.switch
        if not switch.bus.wants("PRESENCE_PROBE"):
            return
        event = switch.new_event("PRESENCE_PROBE")
        target = f"{subscription.user}@{subscription.host}"
        if subscription.proto != SIP:
            target = f"{subscription.proto}+{target}"
        event.add_headers(
            (
                *((("probe-type", "dialog"),) if subscription.event.name == "dialog" else ()),
                ("proto", subscription.proto),
                ("orig_proto", subscription.orig_proto),
                ("login", profile.name),
                ("sip_profile", profile.name),
                ("from", f"{subscription.subscriber_user}@{subscription.subscriber_host}"),
                ("to", target),
                ("proto-specific-event-name", subscription.event.name),
                ("expires", str(subscription.left(self._sofia.stack.now()))),
                ("event_type", "presence"),
                ("alt_event_type", "dialog"),
                ("sub-call-id", subscription.dialog.call_id),
            )
        )
        switch.fire(event)

    def _is_registered(self, profile: Profile, user: str, host: str) -> bool:
        try:
            found = profile.registrar.registrations.find(user)
        except SqlError:
            return False
        domains = {host.lower(), profile.settings.sip_ip, profile.settings.ext_sip_ip}
        return any(
            bool(domains & {one.sip_host.lower(), one.sub_host.lower(), one.orig_server_host.lower()})
            or host in one.presence_hosts
            for one in found
        )

    # -- events --------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Hear presence from the first subscription on; the calls that are up by then are noted."""
        if self._listening is not None:
            return
        switch = self._sofia.switch
        self._listening = switch.bus.subscribe(self.hear, _EVENTS)
        for session in list(switch.sessions.values()):
            who = session.channel.variables.get("presence_id") or session.channel.presence_id
            if who:
                self._note(call_of_channel(session.channel, who))

    def hear(self, event: Event) -> None:
        """Take an event of the bus, in any thread."""
        self._sofia.stack.call(lambda: self.take(event))

    def take(self, event: Event) -> None:
        """Tell subscribers what an event says."""
        sender = event.get_header("from") or ""
        user, at, host = sender.partition("@")
        if not at:
            return
        host = host.partition("/")[0]
        before, plus, behind = user.partition("+")
        user = behind if plus and before else user
        proto = (event.get_header("proto") or "").lower()
        if proto in _ANY:
            proto = SIP
        uuid = event.get_header("unique-id") or ""
        call = None
        if proto == SIP and uuid:
            call = self._call_of(event, f"{user}@{host}", uuid)
            self._note(call)
        elif (
            proto == SIP and event.get_header("presence-source") == "register" and self._up(f"{user}@{host}")
        ):
            return  # FreeSWITCH: a phone that registers during a call does not end what lamps show of it
        only = event.get_header("call-id")
        for profile in list(self._sofia.profiles.values()):
            store = self._subscriptions.get(profile.name)
            if store is None or profile.settings.manage_presence != "full":
                continue
            found = store.of_call_id(only) if only else store.about(user, host, PACKAGES, proto)
            for subscription in found:
                if subscription.event.name in PACKAGES:
                    self._tell(profile, store, subscription, event, call)

    def _tell(
        self,
        profile: Profile,
        store: Subscriptions,
        subscription: Subscription,
        event: Event,
        call: CallPresence | None,
    ) -> None:
        if call is not None and call.hidden(profile.settings.presence_disable_early):
            return
        status, rpid = _told(event)
        if subscription.proto != SIP:
            store.tell(subscription, _of_thing(profile, subscription, event, status, rpid))
            return
        if event.name == "PRESENCE_OUT":
            status = "Unregistered"
        elif call is not None and call.state == TERMINATED:
            status, rpid = "Available", "unknown"
        elif call is not None:
            rpid = ON_THE_PHONE
        who = f"{subscription.user}@{subscription.host}" if call is None else call.who
        forced = event.get_header("force-status") or ""
        store.tell(subscription, self._of_user(profile, subscription, who, status, rpid, call, forced))

    # -- calls ---------------------------------------------------------------------------------------------------

    def _call_of(self, event: Event, who: str, uuid: str) -> CallPresence:
        session = self._sofia.switch.find_session(uuid)
        told = call_of_event(event, who)
        if session is None:
            return told
        known = call_of_channel(session.channel, who)
        return CallPresence(
            uuid=uuid,
            who=who,
            direction=told.direction or known.direction,
            state=told.state,
            caller=told.caller or known.caller,
            number=told.number or known.number,
            name=told.name or known.name,
            other=told.other or known.other,
            holding=told.holding,
            private=told.private,
            hides_early=known.hides_early,
            answered=known.answered or told.answered,
            call_id=known.call_id,
            local_tag=known.local_tag,
            remote_tag=known.remote_tag,
        )

    def _note(self, call: CallPresence) -> None:
        key = call.who.lower()
        if call.state == TERMINATED:
            calls = self._calls.get(key, {})
            calls.pop(call.uuid, None)
            if not calls:
                self._calls.pop(key, None)
        else:
            self._calls.setdefault(key, {})[call.uuid] = call

    def _up(self, who: str) -> list[CallPresence]:
        """Return the calls of somebody that are up, the oldest first."""
        calls = self._calls.get(who.lower(), {})
        return [call for call in calls.values() if self._sofia.switch.find_session(call.uuid) is not None]

    # -- documents -----------------------------------------------------------------------------------------------

    def _of_user(
        self,
        profile: Profile,
        subscription: Subscription,
        who: str,
        status: str,
        rpid: str,
        latest: CallPresence | None = None,
        forced: str = "",
    ) -> Document:
        settings = profile.settings
        up = [call for call in self._up(who) if not call.hidden(settings.presence_disable_early)]
        if subscription.event.name == "dialog":
            shown = [*up, latest] if latest is not None and latest.state == TERMINATED else up
            entries = [call.entry(settings.presence_hold_state) for call in shown]
            return _document(profile, subscription, presence_of("", ""), entries)
        current = latest if latest is not None and latest.state != TERMINATED else up[-1] if up else None
        if current is not None:
            presence = presence_of(
                forced or current.status(private=settings.presence_privacy or current.private), ON_THE_PHONE
            )
        else:
            presence = self._idle(profile, subscription, status, rpid, forced)
        return _document(profile, subscription, presence, ())

    def _idle(
        self, profile: Profile, subscription: Subscription, status: str, rpid: str, forced: str
    ) -> Presence:
        """Return the presence of who has no call: what the own device published goes before what the event says."""
        store = self._publications.get(profile.name)
        published: Published | None = None
        if store is not None:
            published = store.find(subscription.user, subscription.host)
        if published is not None:
            is_open = published.basic != "closed"
            return presence_of(forced or published.note or status, published.rpid or rpid, is_open=is_open)
        return presence_of(forced or status, rpid)


def _told(event: Event) -> tuple[str, str]:
    """Return the status and `rpid` of an event, as FreeSWITCH reads them."""
    status, rpid = event.get_header("status") or "", event.get_header("rpid") or ""
    status = "" if status.lower() == "n/a" else status
    rpid = "" if rpid.lower() == "n/a" else rpid
    if "cs_hangup" in status.lower():
        status = "Available"
    rpid = translated_rpid(rpid, status)
    return status or status_of_rpid(rpid), rpid or "unknown"


def _of_thing(profile: Profile, subscription: Subscription, event: Event, status: str, rpid: str) -> Document:
    """Return what is told of a lot, a queue, a conference."""
    is_open = event.name == "PRESENCE_IN"
    uuid = event.get_header("unique-id") or ""
    entries: list[DialogEntry] = []
    direction = (event.get_header("presence-call-direction") or "").lower()
    down = (event.get_header("channel-state") or "").upper() == "CS_HANGUP"
    state = dialog_state(
        (event.get_header("answer-state") or "").lower(), direction=direction, down=down and is_open
    )
    if uuid:
        # FreeSWITCH: whom nobody calls from a telephone is the one called, whichever way the event has it.
        entries.append(
            thing_entry(
                subscription.proto,
                uuid=uuid,
                direction="recipient",
                state=state,
                user=subscription.user,
                host=subscription.host,
                plain=subscription.orig_proto == SIP,
            )
        )
    words = event.get_header("force-status") or status
    if not is_open:
        presence = presence_of("", "", is_open=False)
    elif uuid and state != TERMINATED:
        presence = presence_of(words, ON_THE_PHONE)
    else:
        presence = presence_of(words, rpid)
    return _document(profile, subscription, presence, entries)


def _document(
    profile: Profile, subscription: Subscription, presence: Presence, entries: Iterable[DialogEntry]
) -> Document:
    entity = subscription.entity
    if subscription.event.name == "dialog":
        dialogs = tuple(entries)
        return Document(DIALOG_INFO, lambda version: dialog_info(entity, version, dialogs))
    accepts = subscription.accept
    if wants_xpidf(subscription.user_agent) or (XPIDF in accepts and PIDF not in accepts):
        contact = profile.contact_uri(subscription.source.transport, remote_ip=subscription.source.ip)
        return Document(XPIDF, lambda version: xpidf(entity, contact, presence))
    return Document(PIDF, lambda version: pidf(entity, presence))
