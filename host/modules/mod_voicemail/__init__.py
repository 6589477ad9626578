"""mod_voicemail: mailboxes in which callers leave messages and whose owners hear and manage them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from host.arguments import separate
from host.interfaces import Application
from host.log import LogLevel
from host.modules.mod_voicemail import box_commands, fsdb_commands
from host.modules.mod_voicemail.checking import check
from host.modules.mod_voicemail.events import answer_query
from host.modules.mod_voicemail.leaving import leave
from host.modules.mod_voicemail.mailboxes import Mailboxes
from host.sql_store import SqlError

if TYPE_CHECKING:
    from host.event import Event
    from host.event_bus import Subscription
    from host.interfaces import ApiCommand, ApiRequest
    from host.session import Session
    from host.switch import Switch

NAME: Final = "mod_voicemail"
_SYNTAX: Final = "[check] [auth] <profile_name> <domain_name> [<id>] [uuid]"
_MOST_WORDS: Final = 6

_loaded: Final[dict[str, tuple[Mailboxes, Subscription]]] = {}


def load(switch: Switch) -> None:
    """Bring the application `voicemail`, the commands, the profiles of voicemail.conf, and answers to MESSAGE_QUERY."""
    boxes = Mailboxes(switch)
    boxes.load()

    def hear(query: Event) -> None:
        copy = query.copy()
        switch.clock.spawn(lambda: _answer(boxes, copy), "voicemail-query")

    subscription = switch.bus.subscribe(hear, ["MESSAGE_QUERY"], owner=NAME)
    _loaded[switch.core_uuid] = boxes, subscription
    switch.applications.add(
        Application(
            "voicemail",
            NAME,
            lambda session, data: voicemail(boxes, session, data),
            _SYNTAX,
            "Voicemail",
            needs_media=True,
        )
    )
    for table in (box_commands.commands(boxes, NAME), fsdb_commands.commands(boxes, NAME)):
        for command in table:
            switch.api_commands.add(_guarded(command))


def unload(switch: Switch) -> None:
    """Close the databases."""
    found = _loaded.pop(switch.core_uuid, None)
    if found is not None:
        boxes, subscription = found
        switch.bus.unsubscribe(subscription)
        boxes.close()


def voicemail(boxes: Mailboxes, session: Session, data: str) -> None:
    """Run the application: leave a message, or check a box.

    `auth_only` in place of `auth` ends after the login. The variables voicemail_profile_name, voicemail_domain_name
    and voicemail_id stand in for what is not given, voicemail_authorized for `auth`.
    """
    channel = session.channel
    words = separate(data, " ", _MOST_WORDS)
    checks = authorized = login_only = False
    while words and words[0].lower() in ("check", "auth", "auth_only"):
        match words.pop(0).lower():
            case "check":
                checks = True
            case "auth":
                authorized = True
            case _:
                login_only = True
    if channel.is_true("voicemail_authorized"):
        authorized, login_only = True, False
    profile, domain, name, uuid = (words + [""] * 4)[:4]
    profile = profile or channel.get_variable("voicemail_profile_name") or ""
    domain = domain or channel.get_variable("voicemail_domain_name") or ""
    name = name or channel.get_variable("voicemail_id") or ""
    if not profile or not domain:
        channel.log(LogLevel.ERR, f"Error Usage: {_SYNTAX}")
        return
    loaded = boxes.find(profile)
    if loaded is None:
        channel.log(LogLevel.ERR, f"Error invalid profile {profile}")
        return
    try:
        if checks or login_only:
            check(
                session,
                boxes,
                loaded,
                domain,
                name,
                authorized=authorized and not login_only,
                login_only=login_only,
                uuid=uuid,
            )
        elif name:
            leave(session, boxes, loaded, domain, name)
        else:
            channel.log(LogLevel.ERR, f"Error Usage: {_SYNTAX}")
    except SqlError as error:
        channel.log(LogLevel.ERR, f"mod_voicemail: {error}")


def _guarded(command: ApiCommand) -> ApiCommand:
    """Let a command answer an error where the database fails."""

    def run(request: ApiRequest) -> str | None:
        try:
            return command.run(request)
        except SqlError as error:
            request.switch.log(LogLevel.ERR, f"{command.name}: {error}")
            return "-ERR Database Error\n"

    return replace(command, run=run)


def _answer(boxes: Mailboxes, query: Event) -> None:
    try:
        answer_query(boxes, query)
    except SqlError as error:
        boxes.switch.log(LogLevel.ERR, f"mod_voicemail: {error}")
