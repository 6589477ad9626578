"""The messages and preferences of mailboxes in FreeSWITCH's tables voicemail_msgs and voicemail_prefs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from host.sql_store import Row, SqlStore

TABLES: Final = """
create table if not exists voicemail_msgs (
    created_epoch integer, read_epoch integer, username varchar(255), domain varchar(255), uuid varchar(255),
    cid_name varchar(255), cid_number varchar(255), in_folder varchar(255), file_path varchar(255),
    message_len integer, flags varchar(255), read_flags varchar(255), forwarded_by varchar(255));
create index if not exists voicemail_msgs_idx2 on voicemail_msgs (username, domain);
create index if not exists voicemail_msgs_idx4 on voicemail_msgs (uuid);
create table if not exists voicemail_prefs (
    username varchar(255), domain varchar(255), name_path varchar(255), greeting_path varchar(255),
    password varchar(255));
create index if not exists voicemail_prefs_idx1 on voicemail_prefs (username, domain);
"""

INBOX: Final = "inbox"
# FreeSWITCH: urgent messages are sorted by this text before the others.
URGENT: Final = "A_URGENT"
NORMAL: Final = "B_NORMAL"

_COLUMNS: Final = (
    "created_epoch, read_epoch, username, domain, uuid, cid_name, cid_number, in_folder, file_path, "
    "message_len, flags, read_flags, forwarded_by"
)
_PREFERENCES: Final = frozenset({"name_path", "greeting_path", "password"})


@dataclass(frozen=True, slots=True)
class Message:
    """A row of voicemail_msgs. Times are seconds since the epoch, 0 when it was not read; `length` is in seconds."""

    created: int
    read: int
    user: str
    domain: str
    uuid: str
    caller_name: str
    caller_number: str
    folder: str
    path: str
    length: int
    flags: str = ""
    read_flags: str = NORMAL
    forwarded_by: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages are new and saved; the urgent ones are among them and told apart, too."""

    new: int = 0
    saved: int = 0
    new_urgent: int = 0
    saved_urgent: int = 0


@dataclass(frozen=True, slots=True)
class Preferences:
    """A row of voicemail_prefs: paths of the spoken name and the greeting, and the password; empty when unset."""

    name_path: str = ""
    greeting_path: str = ""
    password: str = ""


class MessageStore:
    """The tables of one profile. Every method raises SqlError."""

    def __init__(self, database: SqlStore) -> None:
        self._database = database
        # Among messages of one second the first comes first; PostgreSQL moves a row that is changed to another place.
        self._tie = database.place if database.place == "rowid" else "uuid"

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def add(self, message: Message) -> None:
        """Add a message."""
        values = (
            str(message.created),
            str(message.read),
            message.user,
            message.domain,
            message.uuid,
            message.caller_name,
            message.caller_number,
            message.folder,
            message.path,
            str(message.length),
            message.flags,
            message.read_flags,
            message.forwarded_by,
        )
        marks = ", ".join("?" * len(values))
        self._database.run((f"insert into voicemail_msgs ({_COLUMNS}) values ({marks})", values))

    def messages(
        self, user: str, domain: str, which: str = "", *, newest_first: bool = False, uuid: str | None = None
    ) -> list[Message]:
        """Return a box's messages, urgent ones first.

        `which` is `unread`, `read`, `new` (no flag), `save` or `delete` (by flag), or "" for all.
        """
        where = {
            "": "",
            "unread": " and read_epoch = 0",
            "read": " and read_epoch <> 0",
            "new": " and flags = ''",
            "save": " and flags = 'save'",
            "delete": " and flags = 'delete'",
        }[which]
        values = [user, domain]
        if uuid is not None:
            where += " and uuid = ?"
            values.append(uuid)
        order = f"read_flags, created_epoch {'desc' if newest_first else 'asc'}, {self._tie}"
        return [
            _message(row)
            for row in self._database.run(
                (
                    f"select {_COLUMNS} from voicemail_msgs where username = ? and domain = ?{where} "
                    f"order by {order}",
                    values,
                )
            )
        ]

    def in_order(self, user: str, domain: str, uuid: str | None = None) -> list[Message]:
        """Return a box's messages, or the one of a UUID, as they came in."""
        found = self._database.run(
            (
                f"select {_COLUMNS} from voicemail_msgs where username = ? and domain = ?"
                f"{' and uuid = ?' if uuid else ''} order by created_epoch, {self._tie}",
                [user, domain, *([uuid] if uuid else [])],
            )
        )
        return [_message(row) for row in found]

    def count(self, user: str, domain: str, folder: str = INBOX, *, by_flags: bool = False) -> Counts:
        """Count a folder; saved is what was read, or, `by_flags`, what is flagged so."""
        new = "flags = ''" if by_flags else "read_epoch = 0"
        saved = "flags = 'save'" if by_flags else "read_epoch <> 0"
        where = "from voicemail_msgs where username = ? and domain = ? and in_folder = ?"
        counted = {
            (str(kind), str(flags)): int(number or 0)
            for kind, flags, number in self._database.run(
                (
                    f"select 'new', read_flags, count(*) {where} and {new} group by read_flags",
                    (user, domain, folder),
                ),
                (
                    f"select 'saved', read_flags, count(*) {where} and {saved} group by read_flags",
                    (user, domain, folder),
                ),
            )
        }

        def total(kind: str) -> int:
            return sum(number for (found, _), number in counted.items() if found == kind)

        return Counts(
            total("new"), total("saved"), counted.get(("new", URGENT), 0), counted.get(("saved", URGENT), 0)
        )

    def seconds(self, user: str, domain: str) -> int:
        """Return the length of all messages of a box together."""
        return sum(message.length for message in self.messages(user, domain))

    def flag(self, uuid: str, flags: str, user: str | None = None, domain: str | None = None) -> None:
        """Flag a message `save` or `delete`, or take the flag back; with `user` and `domain` only in that box."""
        values = [flags, uuid]
        where = "uuid = ?"
        if user is not None and domain is not None:
            where += " and username = ? and domain = ?"
            values += [user, domain]
        self._database.run((f"update voicemail_msgs set flags = ? where {where}", values))

    def mark_saved_read(self, user: str, domain: str, now: int) -> None:
        """Mark read what is flagged `save`."""
        self._database.run(
            (
                "update voicemail_msgs set read_epoch = ? where read_epoch = 0 and username = ? and domain = ? "
                "and flags = 'save'",
                (str(now), user, domain),
            )
        )

    def mark(self, read: int, domain: str, uuid: str | None) -> None:
        """Mark a message, or every one of a domain, read at that time, or new with 0 (FreeSWITCH: vm_read)."""
        what = "set read_epoch = ?" if read else "set read_epoch = ?, flags = ''"
        where, value = ("uuid", uuid) if uuid else ("domain", domain)
        self._database.run((f"update voicemail_msgs {what} where {where} = ?", (str(read), value or "")))

    def remove(self, message: Message) -> None:
        """Take a message out of its box; its file stays."""
        self._database.run(
            (
                "delete from voicemail_msgs where uuid = ? and username = ? and domain = ? and file_path = ?",
                (message.uuid, message.user, message.domain, message.path),
            )
        )

    def of_uuid(self, uuid: str) -> list[Message]:
        """Return the messages of a UUID; copies of one message in several boxes share theirs."""
        return [
            _message(row)
            for row in self._database.run((f"select {_COLUMNS} from voicemail_msgs where uuid = ?", (uuid,)))
        ]

    def preferences(self, user: str, domain: str) -> Preferences:
        """Return a box's preferences."""
        rows = self._database.run(
            (
                "select name_path, greeting_path, password from voicemail_prefs "
                "where username = ? and domain = ?",
                (user, domain),
            )
        )
        return Preferences(*(str(value or "") for value in rows[-1])) if rows else Preferences()

    def prefer(self, user: str, domain: str, name: str, value: str) -> None:
        """Set one of a box's preferences, by the name of its column."""
        if name not in _PREFERENCES:
            raise ValueError(f"no preference {name}")
        self._database.run(
            (
                "insert into voicemail_prefs (username, domain, name_path, greeting_path, password) "
                "select ?, ?, '', '', '' where not exists "
                "(select 1 from voicemail_prefs where username = ? and domain = ?)",
                (user, domain, user, domain),
            ),
            (
                f"update voicemail_prefs set {name} = ? where username = ? and domain = ?",
                (value, user, domain),
            ),
            locked="voicemail_prefs",
        )


def _message(row: Row) -> Message:
    created, read, user, domain, uuid, name, number, folder, path, length, flags, read_flags, by = row
    return Message(
        int(created or 0),
        int(read or 0),
        str(user or ""),
        str(domain or ""),
        str(uuid or ""),
        str(name or ""),
        str(number or ""),
        str(folder or ""),
        str(path or ""),
        int(length or 0),
        str(flags or ""),
        str(read_flags or ""),
        str(by or ""),
    )
