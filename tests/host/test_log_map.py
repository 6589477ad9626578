from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from host.log import LogEntry, LogLevel
from host.log_map import EVERY_LEVEL, LogMap, parse_levels, read_log_map


def entry(level: LogLevel, file: str = "", function: str = "") -> LogEntry:
    return LogEntry(level, "text", 0, file=file, function=function)


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("err,crit", {LogLevel.ERR, LogLevel.CRIT}),
        (" Debug , warning,warn,nonsense", {LogLevel.DEBUG, LogLevel.WARNING}),
        ("console,all", set(LogLevel)),
        ("", set()),
    ],
)
def test_levels_of_a_list(text: str, levels: set[LogLevel]) -> None:
    assert parse_levels(text) == levels


@given(st.text(st.sampled_from("debuginfor,al 0189\u0663²-"), max_size=40))
def test_any_text_is_a_list_of_levels(text: str) -> None:
    assert parse_levels(text) <= EVERY_LEVEL


def test_a_map_shows_more_of_single_places() -> None:
    root = etree.fromstring(
        '<mappings><map name="all" value="err"/><map name="a.lua" value="debug"/><map name="f" value="all"/></mappings>'
    )
    shown = read_log_map(root.iterfind("map"))
    assert shown.shows(entry(LogLevel.ERR))
    assert not shown.shows(entry(LogLevel.DEBUG, "b.lua", "g"))
    assert shown.shows(entry(LogLevel.DEBUG, "a.lua"))
    assert shown.shows(entry(LogLevel.INFO, "b.lua", "f"))


def test_without_mappings_everything_is_shown() -> None:
    assert read_log_map([]) == LogMap()
    assert all(LogMap().shows(entry(level)) for level in LogLevel)


def test_without_all_only_the_places_named_are_shown() -> None:
    root = etree.fromstring('<mappings><map name="a.lua" value="all"/></mappings>')
    shown = read_log_map(root.iterfind("map"))
    assert not shown.shows(entry(LogLevel.ALERT))
    assert shown.shows(entry(LogLevel.ALERT, "a.lua"))
