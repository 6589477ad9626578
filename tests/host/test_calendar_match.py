from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.calendar_match import calendar_match, parse_date_time

# A Wednesday, the 73rd day of a leap year.
NOW = datetime(2024, 3, 13, 14, 5, 9, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("name", "matching", "other"),
    [
        ("year", "2024", "2023"),
        ("year", "2020-2024", "2025-2030"),
        ("yday", "73", "72"),
        ("mon", "1,3", "1,4"),
        ("mon", "11-3", "11-2"),
        ("mday", "13", "14-31"),
        ("week", "11", "12"),
        ("mweek", "3", "2"),
        ("wday", "4", "3"),
        ("wday", "mon-fri", "sat-sun"),
        ("wday", "Wed", "thu"),
        ("wday", "sat-wed", "thu,fri,sat"),
        ("wday", "2-6", "mon, wed"),
        ("hour", "9-17", "18-8"),
        ("hour", "18-14", "15-13"),
        ("minute", "0-5", "6"),
        ("minute-of-day", "846", "845"),
        ("time-of-day", "14:05:09-14:05:09", "14:05:10-14:06"),
        ("time-of-day", "08:00-09:00,14:00-15:00", "14:05"),
        ("time-of-day", "22:00-15:00", "22:00-06:00"),
        ("date-time", "2024-03-13 14:05:09~2024-03-13 14:05:10", "2024-03-13 14:00:00~2024-03-13 14:05:09"),
        (
            "date-time",
            "2001-01-01~2002-01-01,2024-03-13 14~2024-03-14",
            "nonsense~2030-01-01,2024-01-01~2025-01-01",
        ),
        ("date-time", "14:00:00~15:00:00", "15:00:00~16:00:00"),
        ("tz-offset", "0", "1"),
    ],
)
def test_each_attribute(name: str, matching: str, other: str) -> None:
    assert calendar_match({name: matching}, NOW) is True
    assert calendar_match({name: other}, NOW) is False


def test_no_attribute_about_time() -> None:
    assert calendar_match({"field": "x", "break": "never"}, NOW) is None


def test_all_must_hold() -> None:
    assert calendar_match({"mon": "3", "mday": "13", "hour": "14"}, NOW) is True
    assert calendar_match({"mon": "3", "mday": "12", "hour": "14"}, NOW) is False


def test_weeks_of_the_month_begin_on_sunday() -> None:
    weeks = []
    for day in (1, 2, 3, 9, 10, 31):
        week = [
            w for w in range(1, 7) if calendar_match({"mweek": str(w)}, datetime(2024, 3, day, tzinfo=UTC))
        ]
        weeks += week
    assert weeks == [1, 1, 2, 2, 3, 6]


def test_other_zones() -> None:
    assert calendar_match({"hour": "16"}, NOW, tz_offset=2) is True
    assert calendar_match({"hour": "15"}, NOW, zone="Europe/Berlin") is True
    assert calendar_match({"hour": "14"}, NOW, zone="No/Where") is True
    assert calendar_match({"tz-offset": "2"}, NOW, tz_offset=2) is True
    # date-time stays in the server's zone
    assert calendar_match({"date-time": "2024-03-13 14:00~2024-03-13 15:00"}, NOW, tz_offset=9) is True


def test_daylight_saving() -> None:
    summer = datetime(2024, 7, 1, 12, tzinfo=BERLIN)
    winter = datetime(2024, 1, 1, 12, tzinfo=BERLIN)
    assert calendar_match({"dst": "true"}, summer) is True
    assert calendar_match({"dst": "true"}, winter) is False
    assert calendar_match({"dst": "false"}, winter) is False
    assert calendar_match({"tz-offset": "2"}, summer) is True


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023-11-14 22:13:20", (2023, 11, 14, 22, 13, 20)),
        ("2023-11-14 22:13", (2023, 11, 14, 22, 13, 0)),
        ("2023-11-14", (2023, 11, 14, 0, 0, 0)),
        ("2023-1-2 3:4:5", (2023, 1, 2, 3, 4, 5)),
        ("2023-02-30", (2023, 3, 2, 0, 0, 0)),
        ("2023-11-14 22:13:20 and more", (2023, 11, 14, 22, 13, 20)),
        ("20231114221320", (2023, 11, 14, 22, 13, 20)),
        ("08:30:01", (2024, 3, 13, 8, 30, 1)),
    ],
)
def test_date_texts(text: str, moment: tuple[int, int, int, int, int, int]) -> None:
    assert parse_date_time(text, NOW) == datetime(*moment, tzinfo=UTC)


def test_texts_that_are_no_date() -> None:
    assert parse_date_time("garbage", NOW) is None
    assert parse_date_time("999999-1-1", NOW) is None


_TEXT = st.text(alphabet="0123456789-,:~ +monsuTX\u0663", max_size=30)


@given(
    st.dictionaries(
        st.sampled_from(["year", "wday", "hour", "time-of-day", "date-time", "tz-offset", "dst"]), _TEXT
    ),
    _TEXT,
)
def test_any_text_is_answered(attributes: dict[str, str], zone: str) -> None:
    assert calendar_match(attributes, NOW, zone=zone) in (True, False, None)
