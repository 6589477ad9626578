"""The API commands vm_fsdb_*: what a voicemail menu of one's own needs of the boxes, answered as JSON."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, TypeAlias

from host.api_table import ApiTable
from host.arguments import separate
from host.leading_number import leading_int
from host.modules.mod_voicemail.delivery import Delivery, inject
from host.modules.mod_voicemail.events import tell_waiting
from host.modules.mod_voicemail.mailboxes import BoxUser
from host.modules.mod_voicemail.message_file import delete, merge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from host.interfaces import ApiRequest
    from host.modules.mod_voicemail.mailboxes import LoadedProfile, Mailboxes
    from host.modules.mod_voicemail.message_store import Message
    from host.switch import Switch

# FreeSWITCH's word for done, here.
_DONE: Final = "-OK\n"
_NO_FILE: Final = "-ERR Filename doesn't exist\n"
_MOST_WORDS: Final = 7
_FILTERS: Final = {"not-read": "unread", "new": "new", "save": "save"}

# What a command does with the profile, the domain, the user and the words behind them.
_Run: TypeAlias = "Callable[[LoadedProfile, str, str, list[str]], str]"


def commands(boxes: Mailboxes, module: str) -> ApiTable:
    """Return the table of the commands."""
    table = ApiTable(module)
    switch = boxes.switch

    def command(
        name: str, syntax: str, wanted: int, refused: Callable[[list[str]], str] = lambda words: ""
    ) -> Callable[[_Run], _Run]:
        """Make a function a command that needs `wanted` words; a leading `<format>` is passed over.

        `refused` tells what is wrong with the words, before the profile is looked up; "" when nothing is.
        """
        first = 1 if syntax.startswith("<format>") else 0

        def add(run: _Run) -> _Run:
            def handle(request: ApiRequest) -> str:
                words = separate(request.argument, " ", _MOST_WORDS)
                if len(words) < wanted or not all(words[first:wanted]):
                    return "-ERR Missing Arguments\n"
                wrong = refused(words)
                if wrong:
                    return wrong
                loaded = boxes.find(words[first])
                if loaded is None:
                    return "-ERR Profile not found\n"
                return run(loaded, words[first + 1], words[first + 2], words[first + 3 :])

            table.command(name, syntax, name)(handle)
            return run

        return add

    @command("vm_fsdb_auth_login", "<profile> <domain> <user> <password>", 4)
    def auth_login(loaded: LoadedProfile, domain: str, name: str, words: list[str]) -> str:
        user = boxes.user(name, domain)
        if user is None:
            return "-ERR User not found\n"
        if not user.enabled:
            return "-ERR Login Denied"
        return "-OK" if _may_log_in(loaded, user, name, domain, words[0]) else "-ERR"

    @command("vm_fsdb_msg_count", "<format> <profile> <domain> <user> <folder>", 5)
    def msg_count(loaded: LoadedProfile, domain: str, user: str, words: list[str]) -> str:
        counts = loaded.store.count(user, domain, words[0], by_flags=True)
        return _json(
            switch,
            (
                ("VM-Total-New-Messages", str(counts.new)),
                ("VM-Total-New-Urgent-Messages", str(counts.new_urgent)),
                ("VM-Total-Saved-Messages", str(counts.saved)),
                ("VM-Total-Saved-Urgent-Messages", str(counts.saved_urgent)),
            ),
        )

    @command(
        "vm_fsdb_msg_list",
        "<format> <profile> <domain> <user> <folder> <filter> [msg-order = ASC | DESC]",
        6,
        lambda words: _wrong_order(words[6]) if len(words) > 6 else "",
    )
    def msg_list(loaded: LoadedProfile, domain: str, user: str, words: list[str]) -> str:
        order = words[2] if len(words) > 2 else "ASC"
        which = _FILTERS.get(words[1].lower(), "read")
        found = loaded.store.messages(user, domain, which, newest_first=order.upper() == "DESC")
        listed = [(f"VM-List-Message-{number}-UUID", message.uuid) for number, message in enumerate(found, 1)]
        return _json(switch, [*listed, ("VM-List-Count", str(len(found)))])

    @command("vm_fsdb_msg_get", "<format> <profile> <domain> <user> <uuid>", 5)
    def msg_get(loaded: LoadedProfile, domain: str, user: str, words: list[str]) -> str:
        found = loaded.store.messages(user, domain, uuid=words[0])
        return _json(switch, _headers(found[-1]) if found else ())

    def flag(name: str, flags: str) -> None:
        @command(name, "<profile> <domain> <user> <uuid>", 4)
        def set_flag(loaded: LoadedProfile, domain: str, user: str, words: list[str]) -> str:
            loaded.store.flag(words[0], flags, user, domain)
            return _DONE

    flag("vm_fsdb_msg_delete", "delete")
    flag("vm_fsdb_msg_undelete", "")
    flag("vm_fsdb_msg_save", "save")

    @command("vm_fsdb_msg_purge", "<profile> <domain> <user>", 3)
    def msg_purge(loaded: LoadedProfile, domain: str, user: str, words: list[str]) -> str:
        for message in loaded.store.messages(user, domain, "delete"):
            # FreeSWITCH: a message whose file cannot be deleted stays.
            if delete(switch, message.path):
                loaded.store.remove(message)
        tell_waiting(loaded, user, domain, "PURGE")
        return _DONE

    @command(
        "vm_fsdb_msg_email",
        "<profile> <domain> <user> <uuid> <email>",
        5,
        lambda words: "" if boxes.user(words[2], words[1]) is not None else "-ERR Can't locate user.\n",
    )
    def msg_email(loaded: LoadedProfile, domain: str, user: str, words: list[str]) -> str:
        if not loaded.store.messages(user, domain, uuid=words[0]):
            return "-ERR Invalid Message UUID\n"
        return "-ERR voicemail sends no e-mail here\n"

    @command(
        "vm_fsdb_msg_forward",
        "<profile> <domain> <user> <uuid> <dst_domain> <dst_user> [prepend_file_location]",
        6,
    )
    def msg_forward(loaded: LoadedProfile, domain: str, user: str, words: list[str]) -> str:
        uuid, to_domain, to_user, before = (*words, "")[:4]
        found = loaded.store.messages(user, domain, uuid=uuid)
        message = found[-1] if found else None
        if message is None or not os.path.exists(message.path):
            path = message.path if message is not None else ""
            return f"-ERR Cannot find source msg to forward: {path}\n"
        path = message.path
        if before and os.path.exists(before):
            folder = switch.global_variables.get("temp_dir") or "."
            path = os.path.join(folder, f"msg_{switch.new_uuid()}.wav")
            if not merge(switch, before, message.path, path):
                return "-ERR Error Merging the file\n"
        sent = Delivery(path, message.caller_name, message.caller_number, copy=True, hops=1)
        done = inject(boxes, f"{to_user}@{to_domain}", sent)
        if path != message.path:
            delete(switch, path)
        return _DONE if done else "-ERR Error Forwarding Message\n"

    @command(
        "vm_fsdb_pref_greeting_set",
        "<profile> <domain> <user> <slot> [file-path]",
        3,
        lambda words: "-ERR Missing Arguments\n" if len(words) > 3 and not leading_int(words[3]) else "",
    )
    def pref_greeting_set(loaded: LoadedProfile, domain: str, user: str, words: list[str]) -> str:
        slot = leading_int(words[0]) if words else -1  # FreeSWITCH: what no slot is
        given = words[1] if len(words) > 1 else ""
        folder = loaded.folder(BoxUser(user), domain)
        path = loaded.greeting(folder, slot) if folder is not None else ""
        if given and (not os.path.exists(given) or not path or not _move(given, path)):
            return _NO_FILE
        if not os.path.exists(path):
            return f"-ERR Recording doesn't exist [{path}]\n"
        loaded.store.prefer(user, domain, "greeting_path", path)
        return _DONE

    @command("vm_fsdb_pref_greeting_get", "<format> <profile> <domain> <user> [slot]", 4)
    def pref_greeting_get(loaded: LoadedProfile, domain: str, user: str, words: list[str]) -> str:
        path = loaded.store.preferences(user, domain).greeting_path
        if not path:
            return "-ERR No greeting found\n"
        return _json(
            switch,
            (
                ("VM-Preference-Greeting-File-Path", path),
                # FreeSWITCH's own words: it does not tell the slot either.
                ("VM-Preference-Greeting-Slot", "Not Implemented yet"),
                ("VM-Preference-Greeting-Selected", "True"),
            ),
        )

    @command("vm_fsdb_pref_recname_set", "<profile> <domain> <user> <file-path>", 4)
    def pref_recname_set(loaded: LoadedProfile, domain: str, user: str, words: list[str]) -> str:
        folder = loaded.folder(BoxUser(user), domain)
        path = loaded.spoken_name(folder) if folder is not None else ""
        if not path or not os.path.exists(words[0]) or not _move(words[0], path):
            return _NO_FILE
        loaded.store.prefer(user, domain, "name_path", path)
        return _DONE

    @command("vm_fsdb_pref_password_set", "<profile> <domain> <user> <password>", 4)
    def pref_password_set(loaded: LoadedProfile, domain: str, user: str, words: list[str]) -> str:
        loaded.store.prefer(user, domain, "password", words[0])
        return _DONE

    return table


def _wrong_order(order: str) -> str:
    return "" if order.upper() in ("ASC", "DESC") else f"-ERR Bad Argument: '{order}'\n"


def _may_log_in(loaded: LoadedProfile, user: BoxUser, name: str, domain: str, password: str) -> bool:
    """Measure a password by the one that was chosen and `vm-password`, whose letters may be of either case."""
    profile = loaded.profile
    chosen = loaded.store.preferences(name, domain).password
    given = user.params.get("vm-password", "")
    if not chosen and not given:
        return profile.flag("allow-empty-password-auth")
    accepted = [chosen] if chosen else []
    if given and not (chosen and profile.flag("db-password-override")):
        accepted.append(given)
    return password.lower() in (known.lower() for known in accepted)


def _move(source: str, path: str) -> bool:
    try:
        os.replace(source, path)
    except OSError:
        return False
    return True


def _headers(message: Message) -> tuple[tuple[str, str], ...]:
    return (
        ("VM-Message-Received-Epoch", str(message.created)),
        ("VM-Message-Read-Epoch", str(message.read)),
        ("VM-Message-UUID", message.uuid),
        ("VM-Message-Caller-Name", message.caller_name),
        ("VM-Message-Caller-Number", message.caller_number),
        ("VM-Message-Folder", message.folder),
        ("VM-Message-File-Path", message.path),
        ("VM-Message-Duration", str(message.length)),
        ("VM-Message-Flags", message.flags),
        ("VM-Message-Read-Flags", message.read_flags),
        ("VM-Message-Forwarded-By", message.forwarded_by),
    )


def _json(switch: Switch, headers: Iterable[tuple[str, str]]) -> str:
    """Return headers as FreeSWITCH does: those of an event REQUEST_PARAMS, empty ones left out."""
    event = switch.new_event("REQUEST_PARAMS")
    for name, value in headers:
        event.add_header(name, value)
    return event.serialize("json")
