"""Arguments with which FreeSWITCH loops for ever, reads past its memory or crashes: here they get an answer."""

from __future__ import annotations

import pytest

from host.clock import SECOND
from host.session import Session
from host.switch import Switch


def parked(switch: Switch) -> Session:
    session = switch.find_session(switch.api("originate", "null/x &park()").split()[1])
    assert session is not None
    return session


@pytest.mark.parametrize("argument", ["abc||x", "||", "m:~abc~~x", "abc|"])
def test_nothing_cannot_be_replaced(switch: Switch, argument: str) -> None:
    assert switch.api("replace", argument) == "-ERR"


@pytest.mark.parametrize("argument", ["^^", "^^:", "^^,"])
def test_a_delimiter_alone_has_no_values(switch: Switch, argument: str) -> None:
    assert switch.api("coalesce", argument) == "-USAGE: [^^<delim>]<value1>,<value2>,...\n"


@pytest.mark.parametrize("argument", ["E|", "%E|", "|", "O|"])
def test_a_time_without_a_format_is_the_usage(switch: Switch, argument: str) -> None:
    assert switch.api("strftime", argument) == "-USAGE: <format_string>\n"


@pytest.mark.parametrize(
    "argument",
    [
        "",
        "1",
        "1 =",
        "1 ==",
        "1 == 1",
        "1 == 1 ?",
        "1 == 1 :",
        '"a',
        "'a' == 'a",
        "==",
        "? :",
        "1 =~ 1 ? a : b",
        "!",
    ],
)
def test_a_condition_that_breaks_off_is_an_error(switch: Switch, argument: str) -> None:
    assert switch.api("cond", argument) == "-ERR"


@pytest.mark.parametrize("argument", ["m:", "m:|", "m:~", "a|", "|"])
def test_a_pattern_that_breaks_off_is_an_error(switch: Switch, argument: str) -> None:
    assert switch.api("regex", argument) == "-ERR"


@pytest.mark.parametrize("argument", ["%", "%4", "a%%", "%zz", "%f"])
def test_an_escape_that_breaks_off_stays(switch: Switch, argument: str) -> None:
    assert switch.api("url_decode", argument) == argument


def test_a_heartbeat_without_seconds_is_the_usage(switch: Switch) -> None:
    reply = switch.api("uuid_session_heartbeat", f"{parked(switch).uuid} sched")
    assert reply == "-USAGE: uuid_session_heartbeat <uuid> [sched] [0|<seconds>]\n"


def test_a_third_party_without_media_ends_as_an_error(switch: Switch) -> None:
    leg = parked(switch)
    reply = switch.api("originate", f"null/y &three_way({leg.uuid})")
    switch.clock.sleep(2 * SECOND)
    assert reply.startswith(("+OK ", "-ERR "))
    assert leg.channel.up
    assert switch.api("uuid_exists", leg.uuid) == "true"


@pytest.mark.parametrize(
    "text", ['{"command":', "{", "[", '"', "nul", "[" * 100_000, '{"command":"status","data":NaN}']
)
def test_json_that_breaks_off_is_an_error(switch: Switch, text: str) -> None:
    assert switch.api("json", text) == "-ERR Parse error.\n"


def test_an_expansion_of_itself_ends(switch: Switch) -> None:
    switch.api("global_setvar", "me=%{me}%{me}")
    for text in ("${me}", "${" * 2000, "${expr(${expr(" * 200, "${me" + "}" * 2000):
        assert isinstance(switch.api("eval", text), str)


def test_a_zone_with_thousands_of_folders_is_none(switch: Switch) -> None:
    assert switch.api("strftime_tz", "a/" * 5000 + " %Y") == "-ERR Invalid timezone/format\n"
