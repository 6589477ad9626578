"""Events that tell of mailboxes: MESSAGE_WAITING and the subclass vm::maintenance."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from host.channel_event import add_channel_headers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from host.channel import Channel
    from host.event import Event
    from host.modules.mod_voicemail.mailboxes import LoadedProfile, Mailboxes
    from host.modules.mod_voicemail.message_store import Counts
    from host.switch import Switch

SUBCLASS: Final = "vm::maintenance"
_ACCOUNT: Final = re.compile(r"(?:sips?:)?([^@]+)@([^@;:]+)", re.IGNORECASE)


def fire_maintenance(
    switch: Switch, action: str, headers: Iterable[tuple[str, str]], channel: Channel | None = None
) -> None:
    """Fire vm::maintenance with VM-Action, these headers, and those of the channel that it is about."""
    if not switch.bus.wants("CUSTOM"):
        return
    event = switch.new_event("CUSTOM", SUBCLASS)
    event.add_header("VM-Action", action)
    for name, value in headers:
        event.add_header(name, value)
    if channel is not None:
        add_channel_headers(event, channel)
    switch.fire(event)


def tell_waiting(loaded: LoadedProfile, user: str, domain: str, reason: str) -> None:
    """Tell a box's counts after a change: MESSAGE_WAITING and mwi-update; raises SqlError.

    `reason` is NEW, DELETE, SAVE, PURGE or READ.
    """
    switch = loaded.switch
    counts = loaded.store.count(user, domain)
    event = switch.new_event("MESSAGE_WAITING")
    for name, value in (
        ("MWI-Messages-Waiting", "yes" if counts.new else "no"),
        ("Update-Reason", reason),
        ("MWI-Message-Account", f"{user}@{domain}"),
        ("MWI-Voice-Message", _summary(counts, full=loaded.profile.flag("send-full-vm-header"))),
    ):
        event.add_header(name, value)
    switch.fire(event)
    fire_maintenance(
        switch,
        "mwi-update",
        (
            ("VM-User", user),
            ("VM-Domain", domain),
            ("VM-Total-New", str(counts.new)),
            ("VM-Total-Saved", str(counts.saved)),
            ("VM-Total-New-Urgent", str(counts.new_urgent)),
            ("VM-Total-Saved-Urgent", str(counts.saved_urgent)),
        ),
    )


def answer_query(boxes: Mailboxes, query: Event) -> None:
    """Answer MESSAGE_QUERY for its header Message-Account with MESSAGE_WAITING; raises SqlError.

    FreeSWITCH: the first profile that has messages for the account counts, or, with `message-query-exact-match`,
    the one named like its domain. Headers `vm-NAME` of the query come back as NAME.
    """
    switch = boxes.switch
    account = query.get_header("Message-Account") or ""
    named = _ACCOUNT.match(account)
    if named is None:
        return
    user, domain = named.groups()
    found: Counts | None = None
    for loaded in boxes:
        if boxes.exact_queries and loaded.profile.name != domain:
            continue
        counts = loaded.store.count(boxes.resolve(user, domain), domain)
        if counts.new or counts.saved:
            found = counts
            break
    event = switch.new_event("MESSAGE_WAITING")
    event.add_header("MWI-Messages-Waiting", "yes" if found is not None and found.new else "no")
    event.add_header("MWI-Message-Account", account)
    if found is not None:
        event.add_header("MWI-Voice-Message", _summary(found, full=True))
    for name, value in query.headers:
        if name[:3].lower() == "vm-" and isinstance(value, str):
            event.add_header(name[3:], value)
    switch.fire(event)


def _summary(counts: Counts, *, full: bool) -> str:
    urgent = f" ({counts.new_urgent}/{counts.saved_urgent})" if full else ""
    return f"{counts.new}/{counts.saved}{urgent}"
