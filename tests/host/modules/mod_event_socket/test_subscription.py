"""What a client hears: types, subclasses, filters, one call's events."""

from __future__ import annotations

import pytest

from host.event import Event
from host.modules.mod_event_socket.subscription import EventSubscription, NotAllowed


def event(name: str, subclass: str | None = None, **headers: str) -> Event:
    made = Event(name, subclass)
    for header, value in headers.items():
        made.add_header(header.replace("_", "-"), value)
    return made


def test_types_are_taken_in_any_case_and_unknown_ones_skipped() -> None:
    subscription = EventSubscription()
    assert subscription.add(["JSON", "heartbeat", "nonsense"])
    assert subscription.form == "json"
    assert subscription.wants(event("HEARTBEAT"))
    assert not subscription.wants(event("API"))


def test_no_known_type_changes_only_the_form() -> None:
    subscription = EventSubscription()
    assert not subscription.add(["xml", "nonsense"])
    assert (subscription.form, subscription.on) == ("xml", False)


def test_words_behind_custom_are_subclasses() -> None:
    subscription = EventSubscription()
    assert subscription.add(["plain", "CUSTOM", "a::b", "HEARTBEAT"])
    assert subscription.wants(event("CUSTOM", "a::b"))
    assert not subscription.wants(event("CUSTOM", "A::B"))
    assert not subscription.wants(event("HEARTBEAT"))


def test_custom_alone_hears_no_subclass() -> None:
    subscription = EventSubscription()
    assert subscription.add(["CUSTOM"])
    assert not subscription.wants(event("CUSTOM", "a::b"))


def test_all_includes_subclasses_and_nixevent_takes_one_type_away() -> None:
    subscription = EventSubscription()
    subscription.add(["ALL"])
    assert subscription.wants(event("CUSTOM", "a::b"))
    assert subscription.remove(["api"])
    assert not subscription.wants(event("API"))
    assert subscription.wants(event("CUSTOM", "a::b"))
    assert not subscription.remove(["nonsense"])


def test_noevents_ends_everything_and_says_when_there_was_nothing() -> None:
    subscription = EventSubscription()
    assert not subscription.clear()
    subscription.add(["ALL"])
    assert subscription.clear()
    assert not subscription.wants(event("API"))
    assert subscription.heard == frozenset()


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ([("Unique-ID", "ABC")], True),
        ([("Unique-ID", "abd")], False),
        ([("Unique-ID", "abd"), ("Unique-ID", "abc")], True),
        ([("Unique-ID", "/^A/")], False),
        ([("Unique-ID", "/^a/")], True),
        ([("Unique-ID", "/(/")], False),
        ([("Unique-ID", "-abc")], False),
        ([("Unique-ID", "-xyz")], False),
        ([("Event-Name", "API"), ("Unique-ID", "-abc")], False),
        ([("Event-Name", "API"), ("Unique-ID", "-xyz")], True),
        ([("Unique-ID", "-abc"), ("Event-Name", "API")], False),
        ([("Unique-ID", "+abc")], True),
        ([("Unique-ID", "+/^a/")], False),
        ([("Missing", "x")], False),
    ],
)
def test_filters(filters: list[tuple[str, str]], wanted: bool) -> None:
    subscription = EventSubscription()
    subscription.add(["ALL"])
    for header, value in filters:
        subscription.add_filter(header, value)
    assert subscription.wants(event("API", Unique_ID="abc")) is wanted


def test_filters_are_deleted_by_header_by_value_and_altogether() -> None:
    subscription = EventSubscription()
    for value in ("1", "2"):
        subscription.add_filter("A", value)
    subscription.add_filter("B", "3")
    subscription.delete_filter("a", "2")
    assert [(entry.header, entry.value) for entry in subscription.filters] == [("A", "1"), ("B", "3")]
    subscription.delete_filter("A", None)
    assert [entry.header for entry in subscription.filters] == ["B"]
    subscription.delete_filter("ALL", None)
    assert subscription.filters == ()


def test_myevents_hears_the_calls_own_events_and_jobs() -> None:
    subscription = EventSubscription()
    subscription.add(["BACKGROUND_JOB"])
    subscription.add_my_events("u1")
    assert subscription.wants(event("CHANNEL_ANSWER", Unique_ID="u1"))
    assert not subscription.wants(event("CHANNEL_ANSWER", Unique_ID="u2"))
    assert not subscription.wants(event("CHANNEL_CALLSTATE", Unique_ID="u1"))
    assert subscription.wants(event("BACKGROUND_JOB", Job_Owner_UUID="u1"))
    assert not subscription.wants(event("BACKGROUND_JOB"))


def test_a_user_hears_what_is_allowed() -> None:
    subscription = EventSubscription(
        allowed_names=frozenset({"API", "CUSTOM"}), allowed_subclasses=frozenset({"a::b"})
    )
    assert subscription.add(["API", "CUSTOM", "a::b"])
    for words in (["HEARTBEAT"], ["ALL"], ["CUSTOM", "c::d"]):
        with pytest.raises(NotAllowed):
            subscription.add(words)
