"""The say modules: which prompts each language chooses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta, timezone
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.say.request import (
    SayError,
    SayGender,
    SayMethod,
    SayRequest,
    SayType,
    SayWords,
    UnknownSayType,
    by_name,
    say_zone,
)

LANGUAGES = ("de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "ru", "zh")
NO_VARIABLES: Mapping[str, str] = {}
NOW = 1_700_006_400_000_000  # Wednesday 2023-11-15 00:00:00 UTC


def words_of(language: str) -> SayWords:
    words: SayWords = import_module(f"host.modules.mod_say_{language}").say
    return words


def request(
    text: str,
    kind: str = "number",
    method: str = "pronounced",
    sex: str | None = None,
    now: int = NOW,
    variables: Mapping[str, str] = NO_VARIABLES,
) -> SayRequest:
    return SayRequest(
        text,
        by_name(SayType, kind),
        by_name(SayMethod, method),
        by_name(SayGender, sex),
        now,
        UTC,
        variables.get,
    )


def said(
    language: str,
    text: str,
    kind: str = "number",
    method: str = "pronounced",
    sex: str | None = None,
    **variables: str,
) -> str:
    """Return the names without the folder `digits`, up to where the language gave up."""
    names: list[str] = []
    try:
        for name in words_of(language)(request(text, kind, method, sex, variables=variables)):
            names.append(name.removeprefix("digits/"))
    except UnknownSayType:
        return "unknown"
    except SayError:
        names.append("error")
    return " ".join(names)


@pytest.mark.parametrize(
    ("language", "number", "expected"),
    [
        ("en", "0", "0"),
        ("en", "12,345", "12 thousand 3 hundred 40 5"),
        ("en", "1000000", "1 million"),
        ("en", "999999999", "9 hundred 90 9 million 9 hundred 90 9 thousand 9 hundred 90 9"),
        ("en", "1234567890", "error"),
        ("en", "-1", "error"),
        ("de", "21", "1_n currency/and 20"),
        ("de", "101", "1_n hundred 1"),
        ("de", "1001", "1_n thousand 1"),
        ("de", "2345678", "2 million 3 hundred 5 currency/and 40 thousand 6 hundred 8 currency/and 70"),
        ("fr", "21", "21"),
        ("fr", "71", "60 11"),
        ("fr", "80", "80"),
        ("fr", "99", "80 19"),
        ("fr", "110", "hundred 10"),
        ("fr", "200", "2 hundred"),
        ("es", "25", "veinti 5"),
        ("es", "42", "40 currency/and 2"),
        ("es", "100", "100"),
        ("es", "101", "hundred 1"),
        ("es", "500", "500"),
        ("es", "1000000", "un million"),
        ("es", "2000000", "2 millions"),
        ("it", "1000", "thousand"),
        ("it", "2000", "2 thousand"),
        ("it", "101", "hundred 1"),
        ("pt", "123", "hundred currency/and 20 currency/and 3"),
        ("pt", "200", "200"),
        ("pt", "1000000", "1 million"),
        ("nl", "21", "1-en 20"),
        ("nl", "1234", "1 duizend 2 honderd 4-en 30"),
        ("pl", "1234", "1 1000 200 30 4"),
        ("pl", "2000", "2 1000a"),
        ("pl", "5012", "5 1000s 12"),
        ("ru", "0", "0"),
        ("ru", "1000", "1f thousand"),
        ("ru", "2345", "2f thousands-i 300 40 5"),
        ("ru", "12000", "12 thousands"),
        ("ru", "6000000", "6 millions"),
        ("zh", "10", "10"),
        ("zh", "105", "1 100 0 5"),
        ("zh", "110", "1 100 1 10"),
        ("zh", "12345", "1 10000 2 1000 3 100 4 10 5"),
        ("zh", "100000001", "1 100000000 0 1"),
        ("ja", "1300", "1000 300"),
        ("ja", "11000", "1 10000 1000s"),
        ("ja", "600000", "6 10 10000"),
    ],
)
def test_numbers(language: str, number: str, expected: str) -> None:
    assert said(language, number) == expected


@pytest.mark.parametrize(
    ("language", "text", "gender", "expected"),
    [
        ("en", "21", "", "20 h-1"),
        ("en", "30", "", "h-30"),
        ("en", "13", "", "13"),
        ("de", "3", "masculine", "h-3_m"),
        ("de", "21", "neuter", "1_n currency/and h-20_n"),
        ("de", "21", "feminine", "1_n currency/and h-20"),
        ("fr", "90", "", "h-90"),
        ("pl", "22", "feminine", "20_pf 2_pf"),
        ("pl", "23", "masculine", "20_pm 3_pn"),
        ("zh", "3", "", "ordinal 3"),
        ("ja", "3", "", "ordinal 3"),
        ("nl", "3", "", "h-3"),
    ],
)
def test_counted(language: str, text: str, gender: str, expected: str) -> None:
    assert said(language, text, "items", "counted", gender) == expected


@pytest.mark.parametrize(
    ("language", "text", "gender", "expected"),
    [
        ("fr", "1", "feminine", "1_f"),
        ("fr", "71", "feminine", "60 11_f"),
        ("de", "1", "feminine", "1_f"),
        ("pl", "2", "feminine", "2_f"),
    ],
)
def test_gender(language: str, text: str, gender: str, expected: str) -> None:
    assert said(language, text, "number", "pronounced", gender) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_iterated_digits(language: str) -> None:
    assert said(language, "1,203", "number", "iterated") == "1 2 0 3"


def test_no_method_says_no_number() -> None:
    assert said("en", "12", "number", "no_such_method") == ""
    assert said("en", "0", "number", "no_such_method") == "0"


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "12.34", "12 currency/dollars currency/and 30 4 currency/cents"),
        ("en", "1.00", "1 currency/dollar currency/and 0 currency/cents"),
        ("en", "$1,000", "1 thousand currency/dollars"),
        ("en", "-5", "currency/negative 5 currency/dollars"),
        ("en", "12345678901234567", "error"),
        ("en", "1-2", "currency/dollar"),
        ("de", "1", "1_n currency/dollar 0 currency/cents"),
        ("de", "2.01", "2 currency/dollars currency/and 1_n currency/cent"),
        ("fr", "2", "2 currency/dollars currency/and 0 currency/cents"),
        ("es", "1.5", "1 currency/dollar currency/and 5 currency/cents"),
        ("it", "3.10", "3 currency/dollars currency/and 10 currency/cents"),
        ("pt", "3", "3 currency/dollars currency/and 0 currency/cents"),
        ("nl", "-3.5", "currency/min 3 currency/euro currency/en 5 currency/cent"),
        ("pl", "1", "1 currency/dollar"),
        ("ru", "21.12", "20 1 currency/ruble 12 currency/kopecks"),
        ("ru", "3", "3 currency/ruble-a 0 currency/kopecks"),
        ("zh", "2.5", "2 currency/dollar 5 currency/cent"),
        ("ja", "2", "2 currency/dollar 0 currency/cent"),
    ],
)
def test_currency(language: str, text: str, expected: str) -> None:
    assert said(language, text, "currency") == expected


def test_the_length_of_an_amount_counts_its_bytes() -> None:
    assert said("en", "€1,000,000.00", "currency").endswith("currency/cents")
    assert said("en", "€999,999,999.99", "currency") == "error"
    assert said("en", "€1", "currency") == "1 currency/dollar"


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "1 currency/dollar currency/and currency/cents"),
        ("de", "1_n currency/dollar currency/and currency/cents"),
        ("es", "1 currency/dollar currency/and currency/cents"),
        ("pt", "1 currency/dollar currency/and currency/cents"),
        ("zh", "1 currency/dollar currency/cent"),
        ("ja", "1 currency/dollar currency/cent"),
    ],
)
def test_iterated_cents_without_a_digit_behind_the_point(language: str, expected: str) -> None:
    assert said(language, "1.", "currency", "iterated") == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "currency/dollars currency/and 5 currency/cents"),
        ("de", "currency/dollars currency/and 5 currency/cents"),
        ("pl", "currency/dollars currency/and 5 currency/cents"),
        ("pt", "currency/dollars currency/and 5 currency/cents"),
        ("ru", "currency/rubles 5 currency/kopecks"),
        ("ja", "currency/dollar 5 currency/cent"),
        ("zh", "currency/dollar 5 currency/cent"),
        ("es", "error"),
        ("fr", "error"),
        ("it", "error"),
        ("nl", "error"),
    ],
)
def test_an_amount_that_is_too_large_to_be_said(language: str, expected: str) -> None:
    assert said(language, "1234567890.05", "currency") == expected


def test_russian_variables_choose_forms_and_money() -> None:
    assert said("ru", "2", "currency", currency="dollar") == "2 currency/dollara 0 currency/centov"
    assert said("ru", "21", gender="женский") == "20 1f"
    assert said("ru", "5", cases="genitivus", gender="male_h") == "h-5x"
    assert said("ru", "2021", cases="genitivus", gender="male_h") == "2f thousands-i 20 h-1x"


def test_chinese_yuan_names_each_digit() -> None:
    from host.modules.mod_say_zh import say_cn

    names = list(say_cn(request("3.1459", "currency")))
    assert names == [
        "digits/3", "currency/yuan", "digits/1", "currency/jiao", "digits/4", "currency/fen", "digits/5",
        "currency/li", "digits/9",
    ]  # fmt: skip
    with pytest.raises(UnknownSayType):
        say_cn(request("1", "short_date_time"))


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "3723", "1 time/hour 2 time/minutes 3 time/seconds"),
        ("en", "01:02:03", "1 time/hour 2 time/minutes 3 time/seconds"),
        ("en", "2:03", "0 time/hours 2 time/minutes 3 time/seconds"),
        ("de", "3661", "1_n time/hour 1_f time/minute currency/and 1_f time/second"),
        ("fr", "3723", "1_f time/hour 2 time/minute 3 time/second"),
        ("es", "60", "0 time/hours 1 time/minute 0 time/seconds"),
        ("nl", "3723", "1 time/uur 2 time/minuten"),
        ("pl", "1:12:22", "1_f time/t_godzina 12 time/t_minut 20 2_f time/t_sekundy"),
        ("ru", "1:02:00", "1 time/hour 2f time/minutes-i"),
        ("ru", "62", "0 time/hours 1f time/minute 60 2f time/seconds-i"),
        ("zh", "2:00:02", "time/2s time/hours 0 time/minute time/2s time/seconds"),
        ("zh", "7", "0 time/seconds"),
        ("ja", "3600", "1 time/hours 0 time/minute 0 time/second"),
    ],
)
def test_time_measurement(language: str, text: str, expected: str) -> None:
    assert said(language, text, "time_measurement") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", "400 70 2f thousands-i 200 20 4 time/hours-a 0 time/minutes time/seconds"),
        ("-1:2:3", "time/hours 2f time/minutes-i 3 time/seconds-i"),
        ("111:00:00", "100 11 time/hour 0 time/minutes"),
        ("1:111:112", "1 time/hour 100 11 time/minute 100 12 time/seconds-i"),
    ],
)
def test_russian_says_the_unit_of_a_number_that_it_cannot_say(text: str, expected: str) -> None:
    assert said("ru", text, "time_measurement") == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            "1 million 1 hundred 90 3 thousand 40 6 time/hours 20 8 time/minutes 17 time/seconds",
        ),
        ("es", "0 time/hours 0 time/minutes 1 time/second"),
        ("it", "0 time/hours 0 time/minutes 1 time/second"),
        ("nl", "0 time/uur 0 time/minuten"),
        ("ja", "0 time/seconds"),
        ("zh", "0 time/seconds"),
    ],
)
def test_some_languages_read_lengths_as_32_bits(language: str, expected: str) -> None:
    assert said(language, str(2**32 + 1), "time_measurement") == expected


MOMENT = "1700000000"  # Tuesday 2023-11-14 22:13:20 UTC


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "time/day-2 time/mon-10 14 2 thousand 20 3 time/at 10 13 time/p-m"),
        ("de", "time/day-2 time/mon-10 h-14_m time/at 2_n currency/and 20 time/oclock 13"),
        ("fr", "14 time/mon-10 2 thousand 20 3 time/at 20 2 time/hour 13"),
        ("es", "time/day-2 14 time/of time/mon-10 time/of 2 thousand veinti 3 10 currency/and 13 time/p-m"),
        ("it", "time/day-2 14 time/mon-10 2 thousand 20 3 time/at time/hours 20 2 time/and 13"),
        ("pt", "time/mon-10 14 2 thousand 20 currency/and 3 time/ats 10 currency/and 13 time/p-m"),
        ("nl", "time/day-2 14 time/mon-10 time/om 2-en 20 time/uur 13"),
        ("pl", "14_pm time/mon-10_D 2 1000a 20_pm 3_pn time/t_godzina 20_pf 2_pf 13"),
        (
            "ru",
            "h-14x time/mon-10 2f thousands-i 20 h-3x time/h-year time/at 20 2 time/hours-a 13 time/minutes 20"
            " time/seconds",
        ),
        (
            "zh",
            "2 0 2 3 time/year 10 1 time/month 10 4 time/day time/day-2 time/evening 10 time/hour 10 3 time/minute",
        ),
        (
            "ja",
            "2 1000 20 3 time/year".replace("20", "2 10")
            + " time/month-10 time/day-14 time/pm time/hour-22 10 time/min-3",
        ),
    ],
)
def test_date_and_time(language: str, expected: str) -> None:
    if language == "de":
        expected = expected.replace("2_n currency", "2 currency")
    assert said(language, MOMENT, "current_date_time") == expected


def test_without_a_moment_it_is_now() -> None:
    assert said("en", "now", "current_time") == "12 time/oclock time/a-m"


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_english_knows_moments_after_january_2038(language: str) -> None:
    last, first_after = (said(language, str(2**31 - at), "current_date_time") for at in (1, 0))
    now = said(language, "now", "current_date_time")
    assert last != now
    assert (first_after == now) is (language != "en")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ("1700006400", "time/today time/at 12 time/oclock time/a-m"),
        ("1699956000", "time/yesterday time/at 10 time/oclock time/a-m"),
        ("1699610400", "time/day-5 time/at 10 time/oclock time/a-m"),
        ("1699351200", "time/day-2 time/mon-10 h-7 time/at 10 time/oclock time/a-m"),
        ("1700092800", "time/day-4 time/mon-10 16 2 thousand 20 3 time/at 12 time/oclock time/a-m"),
        ("1668420000", "time/day-1 time/mon-10 14 2 thousand 20 2 time/at 10 time/oclock time/a-m"),
    ],
)
def test_short_date(seconds: str, expected: str) -> None:
    assert said("en", seconds, "short_date_time") == expected


def test_iterated_time_is_that_of_24_hours() -> None:
    assert said("en", "1699934700", "current_time", "iterated") == "0 4 0 5 time/hours"
    assert said("en", "1700006400", "current_time", "iterated") == "20 4 hundred time/hours"


def test_years_are_said_in_two_halves_but_for_round_ones() -> None:
    assert said("en", "915148800", "current_date") == "time/day-5 time/mon-0 h-1 19 90 9"
    assert said("en", "946684800", "current_date") == "time/day-6 time/mon-0 h-1 2 thousand"


@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_and_addresses(language: str) -> None:
    assert said(language, "Ab1", "name_spelled") == "ascii/97 ascii/98 1"
    assert said(language, "a@", "name_phonetic") == "phonetic-ascii/97 phonetic-ascii/64"
    expected = "10 dot 0 dot 0 dot 1"
    assert said(language, "10.0.0.1", "ip_address") == expected
    assert said(language, "10.0.1", "ip_address") == ""
    assert said(language, "x", "no_such_type") == "unknown"


def test_telephone_numbers() -> None:
    assert (
        said("en", "+1 (5)a", "telephone_number")
        == "ascii/43 1 silence_stream://100 5 silence_stream://100 ascii/97"
    )
    assert said("fr", "12", "telephone_number") == "1 2"
    assert said("de", "12", "telephone_number") == "unknown"


def test_bytes_are_spelled_one_by_one() -> None:
    assert said("en", "é", "name_spelled") == "ascii/195 ascii/169"


def test_zones() -> None:
    assert str(say_zone("Europe/Berlin")) == "Europe/Berlin"
    assert say_zone("-3600") == timezone(timedelta(hours=-1))
    assert say_zone("No/Where") == UTC
    tokyo = SayRequest(
        MOMENT, SayType.CURRENT_TIME, SayMethod.PRONOUNCED, SayGender.MASCULINE, NOW, ZoneInfo("Asia/Tokyo")
    )
    assert list(words_of("en")(tokyo))[-1] == "time/a-m"


@given(
    language=st.sampled_from(LANGUAGES),
    text=st.one_of(
        st.text(max_size=40), st.integers(-(10**12), 10**12).map(str), st.from_regex(r"[0-9:., -]{0,20}")
    ),
    kind=st.sampled_from(SayType),
    method=st.sampled_from(SayMethod),
    gender=st.sampled_from(SayGender),
)
def test_any_text_gives_names_or_the_declared_error(
    language: str, text: str, kind: SayType, method: SayMethod, gender: SayGender
) -> None:
    def names() -> Iterator[str]:
        try:
            yield from words_of(language)(SayRequest(text, kind, method, gender, NOW))
        except SayError:
            return

    for name in names():
        assert "/" in name and name == name.strip()


@given(
    number=st.integers(1, 999_999_999), language=st.sampled_from([name for name in LANGUAGES if name != "en"])
)
def test_every_number_is_said_differently(number: int, language: str) -> None:
    other = number + 1 if number < 999_999_999 else 1
    assert said(language, str(number)) != said(language, str(other))
