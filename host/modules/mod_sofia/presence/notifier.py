"""What mod_sofia tells others of its users: subscriptions, presence, waiting messages, chat. Put together here."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from host.modules.mod_sofia.presence.channel_presence import ChannelPresence
from host.modules.mod_sofia.presence.chat import SipChat
from host.modules.mod_sofia.presence.message_waiting import PACKAGE as MESSAGE_SUMMARY
from host.modules.mod_sofia.presence.message_waiting import MessageWaiting
from host.modules.mod_sofia.presence.notify_events import NotifyEvents
from host.modules.mod_sofia.presence.presence import PACKAGES, PresenceTeller
from host.modules.mod_sofia.presence.presence_map import CONFIGURATION, PresenceMap
from host.modules.mod_sofia.presence.publications import Publications
from host.modules.mod_sofia.presence.subscriptions import Subscriptions

if TYPE_CHECKING:
    from host.modules.mod_sofia.message import Message
    from host.modules.mod_sofia.presence.pidf import Published
    from host.modules.mod_sofia.profile.profile import Profile
    from host.modules.mod_sofia.sofia import Sofia

_attached: WeakKeyDictionary[Sofia, Notifier] = WeakKeyDictionary()


class Notifier:
    """All of it for one switch. `subscriptions` and `publications` are by the names of running profiles."""

    def __init__(self, sofia: Sofia) -> None:
        self._sofia = sofia
        self.subscriptions: dict[str, Subscriptions] = {}
        self.publications: dict[str, Publications] = {}
        self.presence = PresenceTeller(sofia, self.subscriptions, self.publications)
        self.waiting = MessageWaiting(sofia, self.subscriptions)
        self.chat = SipChat(sofia)
        self._events = NotifyEvents(sofia)
        self._channels = ChannelPresence(sofia.switch)
        sofia.at_profile_start.append(self.add_profile)
        sofia.at_profile_stop.append(self.remove_profile)
        sofia.handlers.update(
            {"SUBSCRIBE": self.subscribe, "PUBLISH": self.publish, "MESSAGE": self.chat.receive}
        )
        for profile in list(sofia.profiles.values()):
            self.add_profile(profile)

    def detach(self) -> None:
        """Take everything back; subscribers are told that it is over."""
        sofia = self._sofia
        for name in ("SUBSCRIBE", "PUBLISH", "MESSAGE"):
            sofia.handlers.pop(name, None)
        if self.add_profile in sofia.at_profile_start:
            sofia.at_profile_start.remove(self.add_profile)
        if self.remove_profile in sofia.at_profile_stop:
            sofia.at_profile_stop.remove(self.remove_profile)
        for profile in list(sofia.profiles.values()):
            self.remove_profile(profile)
        for part in (self.presence, self.waiting, self._events, self._channels):
            part.detach()

    def add_profile(self, profile: Profile) -> None:
        """Take subscriptions at a profile. May block."""
        presence_map = PresenceMap(None)
        if profile.settings.presence_proto_lookup:
            presence_map = PresenceMap(self._sofia.switch.xml.configuration(CONFIGURATION))
        packages = {
            **dict.fromkeys(PACKAGES, self.presence.begin),
            MESSAGE_SUMMARY: self.waiting.begin,
        }
        self.subscriptions[profile.name] = Subscriptions(profile, packages, mapped=presence_map.find)
        self.publications[profile.name] = Publications(profile, self._published)

    def remove_profile(self, profile: Profile) -> None:
        """End the subscriptions at a profile that stops."""
        subscriptions = self.subscriptions.pop(profile.name, None)
        publications = self.publications.pop(profile.name, None)
        if subscriptions is not None:
            self._sofia.stack.call(subscriptions.close)
        if publications is not None:
            self._sofia.stack.call(publications.close)

    def subscribe(self, profile: Profile, request: Message) -> None:
        """Answer a SUBSCRIBE."""
        store = self.subscriptions.get(profile.name)
        if store is None:
            profile.respond(request, 503, "Service Unavailable")
        else:
            store.receive(request)

    def publish(self, profile: Profile, request: Message) -> None:
        """Answer a PUBLISH."""
        store = self.publications.get(profile.name)
        if store is None:
            profile.respond(request, 503, "Service Unavailable")
        else:
            store.receive(request)

    def _published(
        self, profile: Profile, user: str, host: str, told: Published | None, user_agent: str
    ) -> None:
        """Tell with PRESENCE_IN what a device has published, or that it says nothing any more."""
        switch = self._sofia.switch
        event = switch.new_event("PRESENCE_IN")
        event.add_headers(
            (
                ("proto", "sip"),
                ("rpid", told.rpid if told is not None else "unknown"),
                ("login", profile.settings.url),
                ("sip_profile", profile.name),
                ("user-agent", user_agent),
                ("from", f"{user}@{host}"),
                ("status", told.note if told is not None else "Registered"),
                ("event_type", "presence"),
            )
        )
        self._sofia.stack.work(lambda: switch.fire(event))


def attach(sofia: Sofia) -> Notifier:
    """Bind requests and events of a module that is about to start; profiles that run already take part."""
    notifier = Notifier(sofia)
    _attached[sofia] = notifier
    return notifier


def detach(sofia: Sofia) -> None:
    """Take back what `attach` bound."""
    notifier = _attached.pop(sofia, None)
    if notifier is not None:
        notifier.detach()


def presence_of_user(sofia: Sofia, profile_name: str, user: str, host: str) -> tuple[str, str] | None:
    """Return status and `rpid` that a user's device has published at a profile, for `sofia_presence_data`."""
    notifier = _attached.get(sofia)
    store = notifier.publications.get(profile_name) if notifier is not None else None
    told = store.find(user, host) if store is not None else None
    return (told.note, told.rpid) if told is not None else None
