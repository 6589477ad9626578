"""The API commands voicemail, voicemail_inject and vm_*: profiles, and what lies in a mailbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable, Refused
from host.arguments import separate
from host.clock import SECOND
from host.modules.mod_voicemail import delivery
from host.modules.mod_voicemail.events import tell_waiting
from host.modules.mod_voicemail.message_file import delete
from host.modules.mod_voicemail.profile import DEFAULT_PROFILE

if TYPE_CHECKING:
    from host.interfaces import ApiRequest
    from host.modules.mod_voicemail.mailboxes import LoadedProfile, Mailboxes
    from host.modules.mod_voicemail.message_store import Message

_SYNTAX: Final = "rss [<host> <port> <uri> <user> <domain>] | [load|unload|reload] <profile> [reloadxml]"
_NOWHERE: Final = "-ERR can't find user or profile.\n"
_FEED_WORDS: Final = 5


@dataclass(frozen=True, slots=True)
class _Account:
    """`USER@DOMAIN[/PROFILE] [word [word]]`, as vm_list, vm_read and vm_delete take it."""

    user: str
    domain: str
    profile: str
    words: tuple[str, ...]


def _account(text: str, most_words: int) -> _Account | None:
    """Read an account and up to `most_words` words; None without a domain."""
    user, at, rest = text.partition("@")
    if not at:
        return None
    domain, slash, behind = rest.partition("/")
    place, *words = (behind if slash else rest).split(" ", most_words)
    return _Account(user, domain if slash else place, place if slash else DEFAULT_PROFILE, tuple(words))


def _box_name(text: str) -> tuple[str, str, str, str] | None:
    """Read `[profile/]user@domain[|what]`; None without a user. The domain is "" without one."""
    profile, slash, rest = text.partition("/")
    name = rest if slash else text
    name = name[4:] if name[:4].lower() == "sip:" else name
    if not name:
        return None
    user, _, rest = name.partition("@")
    domain, _, what = rest.partition("|")
    return profile if slash else "", user, domain, what


def commands(boxes: Mailboxes, module: str) -> ApiTable:
    """Return the table of the commands."""
    table = ApiTable(module)
    switch = boxes.switch

    @table.command("voicemail", _SYNTAX, "voicemail")
    def voicemail(request: ApiRequest) -> str:
        if request.session is not None:
            return ""
        words = separate(request.argument, " ", 6)
        what = words[0].lower() if words else ""
        if what == "status":
            profiles = "".join(f"Profile: {loaded.profile.name}\n" for loaded in boxes)
            line = "============================\n"
            return f"{line}{profiles}{line}"
        if what in ("load", "unload", "reload") and len(words) > 1:
            if what != "load":
                boxes.drop(words[1])
            told = ""
            if what != "unload" and len(words) > 2 and words[2].lower() == "reloadxml":
                told = f"Reload XML [{switch.xml.reload()}]\n"
            if what != "unload":
                boxes.find(words[1])
            return f"{told}+OK {what} complete\n"
        if len(words) >= _FEED_WORDS and what != "rss":
            return ""  # FreeSWITCH: a page, for a browser alone
        if len(words) > _FEED_WORDS:
            return "-ERR feeds and web pages of mailboxes are not available\n"
        return f"Error: {_SYNTAX}\n"

    def inject(request: ApiRequest) -> str:
        done = delivery.inject_text(boxes, request.argument, request.session)
        return "+OK\n" if done else f"Error: {delivery.SYNTAX}\n"

    for name in ("voicemail_inject", "vm_inject"):
        table.command(name, delivery.SYNTAX, name)(inject)

    @table.command(
        "vm_boxcount", "[profile/]<user>@<domain>[|[new|saved|new-urgent|saved-urgent|all]]", "vm_boxcount"
    )
    def vm_boxcount(request: ApiRequest) -> str:
        named = _box_name(request.argument)
        if named is None or not named[2]:
            return "0"
        profile, user, domain, what = named
        loaded = boxes.find(profile) if profile else next(iter(boxes), None)
        if loaded is None:
            if profile:
                return "-ERR No such profile\n"
            return "0:0:0:0" if what.lower() == "all" else "0"
        counts = loaded.store.count(boxes.resolve(user, domain), domain)
        match what.lower():
            case "saved":
                return str(counts.saved)
            case "new-urgent":
                return str(counts.new_urgent)
            case "saved-urgent" | "new-saved":  # FreeSWITCH knows the second name only
                return str(counts.saved_urgent)
            case "all":
                return f"{counts.new}:{counts.saved}:{counts.new_urgent}:{counts.saved_urgent}"
        return str(counts.new)

    @table.command("vm_prefs", "[profile/]<user>@<domain>[|[name_path|greeting_path|password]]", "vm_prefs")
    def vm_prefs(request: ApiRequest) -> str:
        named = _box_name(request.argument)
        if named is None:
            return "0"
        profile, user, domain, what = named
        if "@" not in request.argument:
            return "-ERR No domain specified\n"
        loaded = boxes.find(profile or DEFAULT_PROFILE)
        if loaded is None:
            return "-ERR No such profile\n" if profile else "-ERR profile 'default' doesn't exist\n"
        chosen = loaded.store.preferences(user, domain)
        match what.lower() if "|" in request.argument else "greeting_path":
            case "greeting_path":
                return chosen.greeting_path
            case "name_path":
                return chosen.name_path
            case "password":
                return chosen.password
        return f"{chosen.greeting_path}:{chosen.name_path}:{chosen.password}"

    def find(request: ApiRequest, syntax: str, most_words: int) -> tuple[_Account, LoadedProfile]:
        if not request.argument:
            raise Refused(f"Usage: {syntax}\n")
        account = _account(request.argument, most_words)
        loaded = boxes.find(account.profile) if account is not None else None
        if account is None or loaded is None:
            raise Refused(_NOWHERE)
        return account, loaded

    list_syntax = "<id>@<domain>[/profile] [xml]"

    @table.command("vm_list", list_syntax, "vm_list")
    def vm_list(request: ApiRequest) -> str:
        account, loaded = find(request, list_syntax, 2)
        form, uuid = (*account.words, "", "")[:2]
        messages = loaded.store.in_order(account.user, account.domain, uuid or None)
        if form.lower() == "xml":
            return "<voicemail>\n" + "".join(map(_xml, messages)) + "</voicemail>\n"
        return "".join(":".join(value for _, value in _fields(message)) + "\n" for message in messages)

    read_syntax = "<id>@<domain>[/profile] <read|unread> [<uuid>]"

    @table.command("vm_read", read_syntax, "vm_read")
    def vm_read(request: ApiRequest) -> str:
        account, loaded = find(request, read_syntax, 2)
        what = account.words[0].lower() if account.words else ""
        if what not in ("read", "unread"):
            return _NOWHERE
        uuid = account.words[1] if len(account.words) > 1 else None
        # FreeSWITCH: without a UUID it is every message of the domain.
        loaded.store.mark(switch.clock.time() // SECOND if what == "read" else 0, account.domain, uuid)
        tell_waiting(loaded, account.user, account.domain, "READ")
        return "+OK\n"

    delete_syntax = "<id>@<domain>[/profile] [<uuid>]"

    @table.command("vm_delete", delete_syntax, "vm_delete")
    def vm_delete(request: ApiRequest) -> str:
        account, loaded = find(request, delete_syntax, 1)
        store = loaded.store
        uuid = account.words[0] if account.words else ""
        for message in store.of_uuid(uuid) if uuid else store.in_order(account.user, account.domain):
            delete(switch, message.path)
            store.remove(message)
        tell_waiting(loaded, account.user, account.domain, "DELETE")
        return "+OK\n"

    return table


def _fields(message: Message) -> tuple[tuple[str, str], ...]:
    return (
        ("created_epoch", str(message.created)),
        ("read_epoch", str(message.read)),
        ("username", message.user),
        ("domain", message.domain),
        ("folder", message.folder),
        ("path", message.path),
        ("uuid", message.uuid),
        ("cid-name", message.caller_name),
        ("cid-number", message.caller_number),
        ("message-len", str(message.length)),
    )


def _xml(message: Message) -> str:
    """Return a message as FreeSWITCH writes it, which escapes nothing."""
    lines = "".join(f"  <{name}>{value}</{name}>\n" for name, value in _fields(message))
    return f" <message>\n{lines} </message>\n"
