"""The tables of messages and preferences, in SQLite and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from host.modules.mod_voicemail.message_store import (
    INBOX,
    NORMAL,
    TABLES,
    URGENT,
    Counts,
    Message,
    MessageStore,
    Preferences,
)
from host.sql_store import MEMORY, open_store
from tests.host.private_server import postgres_server


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[MessageStore]:
    with ExitStack() as servers:
        dsn = MEMORY if request.param == "sqlite" else servers.enter_context(postgres_server())
        made = MessageStore(open_store(dsn, TABLES))
        yield made
        made.close()


def message(uuid: str, created: int, flags: str = "", read_flags: str = NORMAL, read: int = 0) -> Message:
    path = f"/box/{uuid}.wav"
    return Message(created, read, "1001", "test", uuid, "Ann", "77", INBOX, path, 3, flags, read_flags, "")


def test_messages_and_preferences_are_kept(store: MessageStore) -> None:
    kept = [
        message("a", 10),
        message("b", 20, read_flags=URGENT),
        message("c", 30, "save"),
        message("d", 40, "delete", read=45),
    ]
    for each in kept:
        store.add(each)
    a, b, c, d = kept
    assert store.in_order("1001", "test") == kept
    assert store.messages("1001", "test", "unread") == [b, a, c]
    assert store.messages("1001", "test", "unread", newest_first=True) == [b, c, a]
    assert store.messages("1001", "test", "read") == [d]
    assert store.messages("1001", "test", uuid="c") == [c]
    assert store.count("1001", "test") == Counts(3, 1, 1, 0)
    assert store.count("1001", "test", by_flags=True) == Counts(2, 1, 1, 0)
    assert store.count("1002", "test") == Counts()
    assert store.seconds("1001", "test") == 12
    store.mark_saved_read("1001", "test", 99)
    assert [each.read for each in store.messages("1001", "test", "read")] == [99, 45]
    store.flag("a", "delete", "1002", "test")
    assert not store.of_uuid("a")[0].flags
    store.flag("a", "delete")
    store.remove(store.of_uuid("a")[0])
    assert [each.uuid for each in store.in_order("1001", "test")] == ["b", "c", "d"]
    store.mark(0, "test", None)
    assert store.count("1001", "test").new == 3

    assert store.preferences("1001", "test") == Preferences()
    store.prefer("1001", "test", "password", "12'; drop table voicemail_msgs")
    store.prefer("1001", "test", "greeting_path", "/greeting.wav")
    assert store.preferences("1001", "test") == Preferences(
        "", "/greeting.wav", "12'; drop table voicemail_msgs"
    )
    with pytest.raises(ValueError, match="no preference"):
        store.prefer("1001", "test", "username", "x")
