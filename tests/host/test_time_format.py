from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.time_format import (
    DEFAULT_FORMAT,
    SECOND,
    TZ_ERROR,
    USAGE,
    find_zone,
    format_time,
    parse_time,
    strepoch,
    strftime,
    strftime_tz,
    strmicroepoch,
)

NOW = 1_700_000_000 * SECOND + 5
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("argument", "answer"),
    [
        ("", "2023-11-14 22:13:20"),
        ("%Y", "2023"),
        ("%%", "%"),
        ("literal", "literal"),
        ("0||%Y", "1970"),
        ("0|%Y", "Y"),
        ("0|x%Y|%m", "1970|01"),
        ("abc||%Y", "1970"),
        ("86400||", "1970-01-02 00:00:00"),
        ("-1||%Y", "1969"),
        ("%c|", USAGE),
        ("%c", "Tue Nov 14 22:13:20 2023"),
        ("%r %R %D %x %X %T", "10:13:20 PM 22:13 11/14/23 11/14/23 22:13:20 22:13:20"),
        ("%a %A %b %B %p", "Tue Tuesday Nov November PM"),
        ("%C %y %j %U %W %w %I %e", "20 23 318 46 46 2 10 14"),
        ("%z %Z", "+0000 UTC"),
        ("%F", ""),
        ("%Y%", ""),
        ("99999999999999||%Y", ""),
        ("x" * 80, ""),
    ],
)
def test_strftime(argument: str, answer: str) -> None:
    assert strftime(argument, NOW, UTC) == answer


def test_strftime_in_the_servers_zone() -> None:
    assert strftime("1720000000||%H:%M %z %Z", NOW, BERLIN) == "11:46 +0200 CEST"


@pytest.mark.parametrize(
    ("argument", "answer"),
    [
        ("", "2023-11-14 22:13:20"),
        ("Europe/Berlin", "2023-11-14 23:13:20"),
        ("Europe/Berlin 1720000000|", "2024-07-03 11:46:40"),
        ("Europe/Berlin 1720000000", "1720000000"),
        ("Europe/Berlin 0|%Y", "2023"),
        ("Europe/Berlin abc|%Y", "2023"),
        ("Asia/Kolkata 1700000000|%F %T %z", "2023-11-15 03:43:20 +0530"),
        ("America/St_Johns 1700000000|%z", "-0330"),
        ("UTC 1700000000|%G %g %V %u %h %k %l %P %n%t%s", "2023 23 46 2 Nov 22 10 pm \n\t1700000000"),
        ("UTC 1700000000|%Q %-d %_m %05Y %^a %#p %Ey", "%Q 14 11 02023 TUE pm 23"),
        ("UTC 3600|%k|%-k|%l|%e", " 1|1| 1| 1"),
        ("UTC 1|%Y|%m", "1970|01"),
        ("europe/berlin 1|%H", TZ_ERROR),
        ("Europe 1|%H", TZ_ERROR),
        ("../../etc/passwd 1|%H", TZ_ERROR),
        ("Nosuch/Zone", TZ_ERROR),
        ("UTC 99999999999999|%Y", TZ_ERROR),
    ],
)
def test_strftime_tz(argument: str, answer: str) -> None:
    assert strftime_tz(argument, NOW, UTC) == answer


@pytest.mark.parametrize(
    ("argument", "answer"),
    [
        ("America/Sao_Paulo 854807698|%F %T %z", "1997-02-01 11:34:58 -0300"),
        ("Europe/Moscow 1312987565|%z", "+0300"),
        ("Europe/Berlin 1869721917|%T %z %s", "09:11:57 +0200 1869725517"),
        ("Europe/Berlin 1700000000|%s", "1700003600"),
    ],
)
def test_the_rule_of_today_held_always_and_seconds_lose_the_hour_of_summer(
    argument: str, answer: str
) -> None:
    assert strftime_tz(argument, NOW, UTC) == answer


@pytest.mark.parametrize(
    ("argument", "answer"),
    [
        ("", "1700000000"),
        ("2023-11-14 22:13:20", "1700000000"),
        ("2023-11-14 22:13", "1699999980"),
        ("2023-11-14", "1699920000"),
        ("2023-1-2 3:4:5", "1672628645"),
        ("2023-02-30 00:00:00", "1677715200"),
        ("2023-11-14 22:13:20 and more", "1700000000"),
        ("22:13:21", "1700000001"),
        ("garbage", "0"),
        ("1960-01-01", "0"),
        ("2023-13-01", "0"),
        ("2100-01-01 00:00:00", "-192522496"),
    ],
)
def test_strepoch(argument: str, answer: str) -> None:
    assert strepoch(argument, NOW, UTC) == answer


def test_strmicroepoch() -> None:
    assert strmicroepoch("", NOW, UTC) == str(NOW)
    assert strmicroepoch("2100-01-01 00:00:00", NOW, UTC) == "4102444800000000"
    assert strmicroepoch("22:13:20", NOW, UTC) == str(NOW), "the fraction of now stays"


def test_zones() -> None:
    assert parse_time("2024-07-03 11:46:40", NOW, BERLIN) == 1_720_000_000 * SECOND
    assert find_zone("Etc/UTC") is not None
    for name in ("", "Europe", "nosuch", "/etc/passwd", "a\0b", "x" * 5000):
        assert find_zone(name) is None


EPOCHS = st.integers(0, 4_000_000_000)


@given(EPOCHS)
def test_against_the_c_library(epoch: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=epoch)
    for letter in "aAbBcCdDeFgGHIjklmMpPrRSTuUVwWxXyYzhn":
        assert format_time(f"%{letter}", epoch * SECOND, UTC) == moment.strftime(f"%{letter}"), letter


@given(EPOCHS)
def test_round_trip(epoch: int) -> None:
    text = format_time(DEFAULT_FORMAT, epoch * SECOND, UTC)
    assert text is not None
    assert parse_time(text, NOW, UTC) == epoch * SECOND


@given(st.text(st.sampled_from("0123456789-: |%YmdE_^x"), max_size=30))
def test_any_text(text: str) -> None:
    for command in (strftime, strftime_tz, strepoch, strmicroepoch):
        for zone in (UTC, BERLIN):
            assert isinstance(command(text, NOW, zone), str)
