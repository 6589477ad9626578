"""Waiting messages: MESSAGE_WAITING becomes NOTIFYs of `message-summary` (RFC 3842), to all whom it concerns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from host.log import LogLevel
from host.modules.mod_sofia.message import Body, OutgoingRequest
from host.modules.mod_sofia.presence.subscription import Document, Subscription
from host.modules.mod_sofia.registration.contact_route import towards
from host.sql_store import SqlError

if TYPE_CHECKING:
    from host.event import Event
    from host.modules.mod_sofia.presence.subscriptions import Subscriptions
    from host.modules.mod_sofia.profile.profile import Profile
    from host.modules.mod_sofia.registration.registrations import Binding
    from host.modules.mod_sofia.sofia import Sofia

PACKAGE: Final = "message-summary"
SUMMARY: Final = "application/simple-message-summary"
_SCHEME: Final = re.compile(r"^sips?:", re.IGNORECASE)
# How long a mailbox has to answer before a subscriber is told that there is nothing (RFC 6665: NOTIFY at once).
ANSWER_SECONDS: Final = 1.0


class MessageWaiting:
    """Waiting messages of one switch. `hear` in any thread, the rest in the SIP thread."""

    def __init__(self, sofia: Sofia, subscriptions: Mapping[str, Subscriptions]) -> None:
        """`subscriptions` are by the names of running profiles."""
        self._sofia = sofia
        self._subscriptions = subscriptions
        self._heard = sofia.switch.bus.subscribe(self.hear, ("MESSAGE_WAITING",))

    def detach(self) -> None:
        """Hear no more events."""
        self._sofia.switch.bus.unsubscribe(self._heard)

    def begin(self, profile: Profile, subscription: Subscription) -> None:
        """Ask mailboxes with MESSAGE_QUERY; a subscriber hears something in any case."""
        version = subscription.version
        account = f"sip:{subscription.user}@{subscription.host}"

        def ask() -> None:
            switch = self._sofia.switch
            event = switch.new_event("MESSAGE_QUERY")
            event.add_header("Message-Account", account)
            event.add_header("VM-Sofia-Profile", profile.name)
            event.add_header("VM-sub-call-id", subscription.dialog.call_id)
            switch.fire(event)

        def unanswered() -> None:
            store = self._subscriptions.get(profile.name)
            if store is None or subscription.ended or subscription.version != version:
                return
            if version >= 0:
                store.again(subscription)
            else:
                store.tell(
                    subscription, _document(f"Messages-Waiting: no\r\nMessage-Account: {account}\r\n\r\n")
                )

        self._sofia.stack.work(ask)
        self._sofia.stack.call_later(ANSWER_SECONDS, unanswered)

    def hear(self, event: Event) -> None:
        """Take an event of the bus."""
        self._sofia.stack.call(lambda: self.take(event))

    def take(self, event: Event) -> None:
        """Tell what an event says; FreeSWITCH: all whom it concerns, or the subscription or registration it names."""
        account, waiting = event.get_header("MWI-Message-Account"), event.get_header("MWI-Messages-Waiting")
        if not account or not waiting:
            missing = "MWI-Messages-Waiting" if account else "MWI-Message-Account"
            self._sofia.switch.log(LogLevel.ERR, f"Missing required Header '{missing}'")
            return
        user, at, host = (
            account.partition(":")[2].partition("@") if ":" in account else account.partition("@")
        )
        if not at:
            return
        call_id, sub_call_id = event.get_header("call-id") or "", event.get_header("sub-call-id") or ""
        text = summary(event)
        for profile in self._profiles(event.get_header("sofia-profile") or "", host):
            domain = profile.settings.domain or host
            store = self._subscriptions.get(profile.name)
            if store is not None and not (call_id and not sub_call_id):
                for one in store.about(user, domain, (PACKAGE,), None):
                    if not sub_call_id or one.dialog.call_id == sub_call_id:
                        store.tell(one, _document(text))
            if not sub_call_id or call_id:
                self._unsolicited(profile, user, domain, call_id, text)

    def _profiles(self, name: str, host: str) -> list[Profile]:
        """Return the profile that is named, or whose domain it is; all without either."""
        profile = (self._sofia.find_profile(name) if name else None) or self._sofia.find_profile(host)
        return [profile] if profile is not None else list(self._sofia.profiles.values())

    def _unsolicited(self, profile: Profile, user: str, host: str, call_id: str, text: str) -> None:
        """Send registered phones a NOTIFY that they did not subscribe to."""

        def work() -> None:
            try:
                found = profile.registrar.registrations.all()
            except SqlError as error:
                self._sofia.switch.log(LogLevel.ERR, f"Registrations of {profile.name}: {error}")
                return
            for binding in found:
                if binding.hostname not in ("", self._sofia.switch.hostname):
                    continue
                mine = (
                    binding.call_id == call_id
                    if call_id
                    else (binding.mwi_user, binding.mwi_host) == (user, host)
                )
                if mine:
                    profile.send_request(unsolicited(profile, binding, text))

        self._sofia.stack.work(work)


def summary(event: Event) -> str:
    """Return the body of a NOTIFY: the headers `MWI-NAME` of an event as lines `NAME: value` (RFC 3842)."""
    lines = []
    for name, value in event.headers:
        if name[:4].lower() != "mwi-" or not isinstance(value, str):
            continue
        if name[4:].lower() == "message-account" and not value.lower().startswith("sip:"):
            value = f"sip:{value}"
        lines.append(f"{name[4:]}: {' '.join(value.splitlines())}\r\n")
    return "".join(lines) + "\r\n"


def unsolicited(profile: Profile, binding: Binding, text: str) -> OutgoingRequest:
    """Return the NOTIFY for a registered phone."""
    who = f"sip:{binding.sip_user}@{binding.sip_host}"
    request = OutgoingRequest(
        "NOTIFY",
        "",
        who,
        who,
        call_id=binding.call_id if profile.settings.mwi_use_reg_callid else "",
        headers=(("Event", PACKAGE), ("Subscription-State", "terminated;reason=noresource")),
        body=Body(SUMMARY, text),
    )
    return towards(binding.contact, request)


def _document(text: str) -> Document:
    return Document(SUMMARY, lambda version: text)
