"""Delivers messages to mailboxes: the one that a caller left, and files that are put into one box, a group or all."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from host.arguments import separate
from host.clock import SECOND
from host.log import LogLevel
from host.modules.mod_voicemail.events import fire_maintenance, tell_waiting
from host.modules.mod_voicemail.mailboxes import BoxUser, box_user
from host.modules.mod_voicemail.message_file import sound_seconds
from host.modules.mod_voicemail.message_store import INBOX, NORMAL, Message
from host.modules.mod_voicemail.profile import DEFAULT_PROFILE
from host.sql_store import SqlError
from host.truth import is_true

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from host.modules.mod_voicemail.mailboxes import LoadedProfile, Mailboxes
    from host.session import Session

SYNTAX: Final = (
    "[group=<group>[@domain]|domain=<domain>|<box>[@<domain>]] <sound_file> [<cid_num>] [<cid_name>]"
)
# Words of one call: box, file, number, name, who forwards, and how urgent.
_WORDS: Final = 6
_CARBON_COPIES: Final = 256
_MOST_HOPS: Final = 4  # boxes may copy to each other in a circle
_LONGEST_PATH: Final = 250  # of the column, as FreeSWITCH has it
_ANONYMOUS: Final = "anonymous"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way: its file, who called, and how. `copy`: the file stays where it is, the box gets a copy."""

    path: str
    caller_name: str
    caller_number: str
    seconds: int = 0
    read_flags: str = NORMAL
    forwarded_by: str = ""
    copy: bool = False
    hops: int = 0  # from how many boxes it was copied on


def deliver(
    boxes: Mailboxes,
    loaded: LoadedProfile,
    user: BoxUser,
    domain: str,
    delivery: Delivery,
    session: Session | None = None,
) -> bool:
    """Put a message into a user's box and tell it; False, logged, where it cannot be kept.

    Nothing is mailed: `vm-keep-local-after-email` deletes no message that nobody got.
    """
    switch = boxes.switch
    folder = loaded.folder(user, domain)
    if folder is None:
        return False
    uuid = session.uuid if session is not None else switch.new_uuid()
    path = delivery.path
    if delivery.copy:
        path = _copy_path(folder, uuid, delivery.path, switch.clock.time())
        try:
            shutil.copyfile(delivery.path, path)
        except (OSError, ValueError) as error:
            switch.log(LogLevel.WARNING, f"Cannot copy {delivery.path} to {user.id}@{domain}: {error}")
    if os.path.isfile(path):
        message = Message(
            switch.clock.time() // SECOND,
            0,
            user.id,
            domain,
            uuid,
            delivery.caller_name,
            delivery.caller_number,
            INBOX,
            path,
            delivery.seconds or sound_seconds(switch, path),
            "",
            delivery.read_flags,
            delivery.forwarded_by,
        )
        try:
            _keep(loaded, message, session)
        except SqlError as error:
            switch.log(LogLevel.ERR, f"Cannot keep the message {path} of {user.id}@{domain}: {error}")
            return False
        if is_true(user.params.get("vm-email-all-messages")) or is_true(
            user.params.get("vm-notify-email-all-messages")
        ):
            switch.log(LogLevel.WARNING, f"No e-mail goes to {user.id}@{domain}: voicemail sends none here")
    _carbon_copies(boxes, user, domain, delivery, path, session)
    return True


def _keep(loaded: LoadedProfile, message: Message, session: Session | None) -> None:
    fire_maintenance(
        loaded.switch,
        "leave-message",
        (
            ("VM-User", message.user),
            ("VM-Domain", message.domain),
            ("VM-Caller-ID-Name", message.caller_name),
            ("VM-Caller-ID-Number", message.caller_number),
            ("VM-File-Path", message.path),
            ("VM-Flags", message.read_flags),
            ("VM-Folder", message.folder),
            ("VM-UUID", message.uuid),
            ("VM-Message-Len", str(message.length)),
            ("VM-Timestamp", str(message.created)),
        ),
        session.channel if session is not None else None,
    )
    loaded.store.add(message)
    tell_waiting(loaded, message.user, message.domain, "NEW")


def _copy_path(folder: str, uuid: str, source: str, now: int) -> str:
    name = os.path.basename(source)
    path = os.path.join(folder, f"msg_{uuid}_broadcast_{name}")
    if len(path) >= _LONGEST_PATH:
        path = os.path.join(folder, f"msg_{uuid}_broadcast_{now}{os.path.splitext(name)[1]}")
    return path


def _carbon_copies(
    boxes: Mailboxes, user: BoxUser, domain: str, delivery: Delivery, path: str, session: Session | None
) -> None:
    """Send copies to the boxes of the variable `vm_cc`, else of the user's param `vm-cc`.

    The variable is for the message that the caller left, not for its copies.
    """
    named = session.channel.get_variable("vm_cc") if session is not None and not delivery.hops else None
    if delivery.hops >= _MOST_HOPS:
        return
    for box in separate(named or user.params.get("vm-cc") or "", ",", _CARBON_COPIES):
        copied = Delivery(
            path,
            unquote(delivery.caller_name),
            delivery.caller_number,
            read_flags=delivery.read_flags,
            forwarded_by=f"{user.id}@{domain}",
            copy=True,
            hops=delivery.hops + 1,
        )
        if inject(boxes, box, copied, session):
            boxes.switch.log(LogLevel.NOTICE, f"Sent Carbon Copy to {box}")
        else:
            boxes.switch.log(LogLevel.ERR, f"Failed to Carbon Copy to {box}")


def inject_text(boxes: Mailboxes, text: str, session: Session | None = None) -> bool:
    """Run the argument of `voicemail_inject`; False, logged, when the syntax is wrong or there is no such box."""
    words = separate(text, " ", _WORDS)
    if len(words) < 2:
        boxes.switch.log(LogLevel.ERR, f"Not enough args [{text}]")
        return False
    box, path, number, name, by, flags = words + [""] * (_WORDS - len(words))
    delivery = Delivery(path, name or _ANONYMOUS, number or _ANONYMOUS, 0, flags or NORMAL, by, copy=True)
    return inject(boxes, box, delivery, session)


def inject(boxes: Mailboxes, target: str, delivery: Delivery, session: Session | None = None) -> bool:
    """Copy a message to `USER[@DOMAIN[@PROFILE]]`, `group=GROUP[@DOMAIN]` or `domain=DOMAIN`.

    Without a profile the one that is named like the domain counts, else `default`.
    """
    switch = boxes.switch
    name, _, rest = target.partition("@")
    domain, _, profile_name = rest.partition("@")
    group = name[6:] if name[:6].lower() == "group=" else None
    everyone = name[:7].lower() == "domain="
    if everyone:
        domain = name[7:]
    domain = domain or switch.global_variables.get("domain") or ""
    if not domain:
        switch.log(LogLevel.ERR, f"Invalid syntax [{name}][{domain}]")
        return False
    loaded = None
    for wanted in (profile_name, domain, DEFAULT_PROFILE):
        loaded = loaded or (boxes.find(wanted) if wanted else None)
    if loaded is None:
        switch.log(LogLevel.ERR, "Can't find profile")
        return False
    asked = {"domain": domain, "purpose": "publish-vm"}
    if delivery.forwarded_by:
        asked["Forwarded-By"] = delivery.forwarded_by
    asked["group" if group is not None else "user"] = (
        group if group is not None else "_all_" if everyone else name
    )
    element = switch.xml.directory.domain(domain, asked)
    if element is None:
        switch.log(LogLevel.WARNING, f"Cannot locate domain {domain}")
        return False
    if group is None and not everyone:
        user = boxes.user(name, domain, asked)
        return user is not None and deliver(boxes, loaded, user, domain, delivery, session)
    delivered = True
    for user in _members(boxes, element, domain, group):
        delivered = deliver(boxes, loaded, user, domain, delivery, session)
    return delivered


def _members(
    boxes: Mailboxes, domain: etree._Element, domain_name: str, group: str | None
) -> Iterator[BoxUser]:
    """Yield the users of a group, those that it only points to among them, or, without a name, of all groups."""
    directory = boxes.switch.xml.directory
    found = False
    for group_name, element in directory.users(domain):
        pointer = element.get("type", "").lower() == "pointer"
        if not group_name or (group_name != group if group is not None else pointer):
            continue
        found = True
        user = directory.user(element.get("id") or "", domain_name)
        if user is not None:
            yield box_user(user)
    if group is not None and not found:
        boxes.switch.log(LogLevel.WARNING, f"Cannot locate group {group}")
