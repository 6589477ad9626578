"""IVR menus in virtual time: what keys do, what is played, when a menu gives up; and those of `ivr.conf`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.event import Event
from host.inbox import Digit
from host.interfaces import Application
from host.ivr.menu import DEFAULT_TIMEOUT_MS, DEPTH_LIMIT, Menu, MenuAction, MenuEntry, execute_menu
from host.ivr.menu_xml import MenuXmlError, read_menus
from host.regex import RegexError
from host.session import Session
from host.status import Status
from host.switch import Switch
from host.xml_text import parse_xml
from tests.host.one_call import Outcome, in_call, took

LONG = "silence_stream://500"
SHORT = "silence_stream://200"
INVALID = "silence_stream://300"
BYE = "silence_stream://100"


@pytest.fixture
def switch(virtual_switch: Switch) -> Switch:
    def mark(session: Session, data: str) -> None:
        session.channel.set_variable("marks", (session.channel.get_variable("marks") or "") + data)

    virtual_switch.applications.add(Application("mark", "mod_test", mark))
    return virtual_switch


def menu(*entries: tuple[str, str, str], name: str = "main", **settings: object) -> Menu:
    """Return a menu of (keys, action, argument)."""
    values: dict[str, object] = {"greet_long": LONG, "timeout": 1000, "inter_digit_timeout": 400, **settings}
    made = Menu(name, **values)  # type: ignore[arg-type]
    for keys, action, argument in entries:
        made.bind(MenuAction(action), argument, keys)
    return made


class Run:
    """A call to a menu: its status, how long it took (ms), the marks its applications left."""

    def __init__(
        self, switch: Switch, menus: Sequence[Menu], *press: tuple[int, str], **variables: str
    ) -> None:
        def do(session: Session) -> object:
            for name, value in variables.items():
                session.channel.set_variable(name, value)
            statuses: list[Status] = []
            self.ms = took(session, lambda: statuses.append(execute_menu(session, menus, menus[0].name)))
            self.marks = session.channel.get_variable("marks") or ""
            self.result = session.channel.get_variable("ivr_menu_status")
            self.left = "".join(digit.digit for digit in iter(lambda: session.inbox.take(Digit), None))
            return statuses[0]

        self.outcome: Outcome = in_call(switch, do, press=press)
        self.status = self.outcome.values[0]

    @property
    def played(self) -> list[object]:
        return self.outcome.played


EXIT = ("8", "menu-exit", "")


def test_an_application_a_pattern_and_the_end(switch: Switch) -> None:
    entries = (
        ("1", "menu-exec-app", "mark one "),
        ("/^7(\\d)(\\d)$/", "menu-exec-app", "mark ${direction}[$2$1]"),
        EXIT,
    )
    made = menu(*entries, digit_len=3, greet_short=SHORT, exit_sound=BYE)
    run = Run(switch, [made], (600, "1"), (1500, "712"), (2500, "8"))
    assert run.marks == "one inbound[21]"
    assert (run.status, run.result, run.left) == (Status.SUCCESS, "success", "")
    assert run.played == [LONG, SHORT, SHORT, BYE]


def test_a_key_ends_the_greeting_and_is_part_of_the_entry(switch: Switch) -> None:
    run = Run(switch, [menu(("12", "menu-exec-app", "mark x"), EXIT)], (100, "12"), (900, "8"))
    assert run.marks == "x"
    # 8 came during the second greeting, then the entry waited for a second key
    assert (run.ms, run.status) == (900 + 400, Status.FALSE)


def test_a_terminator_ends_an_entry_but_not_the_greeting(switch: Switch) -> None:
    made = menu(("1", "menu-exec-app", "mark 1"), ("#", "menu-exec-app", "mark #"), EXIT, digit_len=3)
    assert Run(switch, [made], (600, "1#"), (1900, "8#")).marks == "1"
    assert Run(switch, [made], (200, "#"), (1200, "8#")).marks == "#"
    other = Run(switch, [made], (600, "#*"), (1900, "8*"), ivr_menu_terminator="*")
    assert (other.marks, other.result) == ("#", "success")


def test_all_entries_of_the_same_keys_are_done(switch: Switch) -> None:
    entries = [("1", "menu-exec-app", f"mark {mark}") for mark in "abc"]
    assert Run(switch, [menu(*entries, ("1", "menu-exit", ""))], (100, "1")).marks == "abc"


def test_timeouts_have_a_count_of_their_own(switch: Switch) -> None:
    made = menu(
        EXIT,
        greet_short=SHORT,
        exit_sound=BYE,
        max_timeouts=2,
        max_failures=5,
        exec_on_max_timeouts="mark T${ivr_menu_status}",
    )
    run = Run(switch, [made])
    assert (run.ms, run.result, run.marks) == (500 + 1000 + 200 + 1000 + 100, "timeout", "Ttimeout")
    assert run.played == [LONG, SHORT, BYE]
    # a wrong key in between does not forgive a timeout
    assert Run(switch, [made], (1700, "5")).ms == 500 + 1000 + 200 + 0 + 200 + 1000 + 100


def test_failures_are_forgotten_by_a_right_key(switch: Switch) -> None:
    made = menu(
        ("1", "menu-exec-app", "mark 1"),
        max_failures=2,
        invalid_sound=INVALID,
        exec_on_max_failures="mark F",
    )
    run = Run(switch, [made], (100, "5"), (600, "1"), (800, "6"), (1300, "7"))
    assert (run.marks, run.result, run.status) == ("1F", "failure", Status.SUCCESS)
    assert run.played == [LONG, INVALID, LONG, LONG, INVALID, LONG, INVALID]


def test_a_key_during_a_sound_that_asks_nothing_breaks_it_and_is_lost(switch: Switch) -> None:
    made = menu(
        EXIT, max_failures=1, invalid_sound="silence_stream://5000", exit_sound="silence_stream://5000"
    )
    run = Run(switch, [made], (100, "5"), (300, "8"), (500, "8"))
    assert (run.ms, run.status, run.left) == (500, Status.BREAK, "")


def test_without_a_greeting_nothing_is_asked(switch: Switch) -> None:
    run = Run(switch, [menu(EXIT, greet_long="", max_failures=3)], (100, "8"))
    assert (run.ms, run.result) == (0, "failure")


def test_without_any_keys_to_expect_a_menu_only_greets(switch: Switch) -> None:
    run = Run(switch, [menu(max_failures=2)])
    assert (run.ms, run.result, run.played) == (1000, "failure", [LONG, LONG])


def test_a_missing_greeting_still_asks(switch: Switch) -> None:
    run = Run(switch, [menu(EXIT, greet_long="none.unknown")], (300, "8"))
    assert (run.ms, run.result) == (300, "success")


def test_the_greeting_is_expanded(switch: Switch) -> None:
    run = Run(switch, [menu(EXIT, greet_long="silence_stream://${wanted}")], (700, "8"), wanted="600")
    assert run.played == ["silence_stream://600"]


@pytest.mark.parametrize(
    ("action", "argument"),
    [
        ("menu-exec-app", "no_such_application x"),
        ("menu-exec-app", ""),
        ("menu-play-sound", "none.unknown"),
        ("menu-play-sound", ""),
        ("menu-sub", "no_such_menu"),
        ("menu-back", ""),
        ("menu-exit", ""),
    ],
)
def test_what_ends_a_menu_and_not_the_call(switch: Switch, action: str, argument: str) -> None:
    run = Run(switch, [menu(("1", action, argument), exit_sound=BYE)], (100, "1"))
    assert (run.ms, run.result, run.played) == (200, "success", [LONG, BYE])
    assert run.outcome.kinds("hangup")[0]["cause"] == "NORMAL_CLEARING"


def test_a_sound_is_played_whole(switch: Switch) -> None:
    run = Run(switch, [menu(("1", "menu-play-sound", INVALID), EXIT)], (100, "1"), (200, "8"))
    assert (run.ms, run.played) == (400, [LONG, INVALID, LONG])


SUB = "silence_stream://700"


def test_sub_menus_and_the_ways_out_of_them(switch: Switch) -> None:
    def run(*keys: str) -> list[object]:
        main = menu(("1", "menu-sub", "sub"), ("2", "menu-sub", "main"), EXIT, greet_short=SHORT)
        sub = menu(
            ("1", "menu-sub", "deep"),
            ("2", "menu-back", ""),
            ("9", "menu-top", ""),
            EXIT,
            name="sub",
            is_top=False,
        )
        deep = menu(("2", "menu-back", ""), ("9", "menu-top", ""), EXIT, name="deep", is_top=False)
        sub.greet_long, deep.greet_long = SUB, INVALID
        presses = [(100 + 100 * number, key) for number, key in enumerate(keys)]
        return Run(switch, [main, sub, deep], *presses).played

    assert run("1", "8") == [LONG, SUB]
    assert run("1", "2", "8") == [LONG, SUB, LONG]
    assert run("2", "8") == [LONG, SHORT]
    assert run("1", "1", "2", "2", "8") == [LONG, SUB, INVALID, SUB, LONG]
    assert run("1", "1", "9", "8") == [LONG, SUB, INVALID, LONG]
    assert run("1", "1", "8") == [LONG, SUB, INVALID]


def test_the_top_of_the_top_menu_is_itself(switch: Switch) -> None:
    run = Run(switch, [menu(("9", "menu-top", ""), EXIT, greet_short=SHORT)], (100, "9"), (200, "8"))
    assert run.played == [LONG, SHORT]


def test_a_sub_menu_that_gives_up_leads_back(switch: Switch) -> None:
    main = menu(("1", "menu-sub", "sub"), EXIT)
    sub = menu(EXIT, name="sub", is_top=False, max_timeouts=1, exit_sound=BYE)
    run = Run(switch, [main, sub], (100, "1"), (1700, "8"))
    # the exit sound is that of the outermost menu alone, and the status that of the last menu that gave up
    assert (run.ms, run.played, run.result) == (1700, [LONG, LONG, LONG], "timeout")


def test_too_many_levels(switch: Switch) -> None:
    menus = [
        menu(("1", "menu-sub", f"m{number + 1}"), name=f"m{number}", is_top=number == 0)
        for number in range(DEPTH_LIMIT + 1)
    ]
    run = Run(switch, menus, *((100 * number, "1") for number in range(1, DEPTH_LIMIT + 1)))
    assert run.ms == 100 * DEPTH_LIMIT
    assert run.played == [LONG] * DEPTH_LIMIT
    assert "Too many levels of recursion." in run.outcome.logs


def test_an_invalid_menu(switch: Switch) -> None:
    def do(session: Session) -> object:
        return execute_menu(session, [menu(EXIT)], "MAIN"), execute_menu(session, [menu(EXIT)], "")

    outcome = in_call(switch, do)
    assert outcome.values == [(Status.FALSE, Status.FALSE)]
    assert [text for text in outcome.logs if "Invalid" in text] == ["Invalid Menu!", "Invalid menu context"]


def test_a_pin(switch: Switch) -> None:
    made = menu(EXIT, pin="4711", pin_file=SHORT, bad_pin_file=INVALID, exit_sound=BYE)
    right = Run(switch, [made], (100, "1234"), (900, "4711"), (1700, "8"))
    assert right.played == [SHORT, INVALID, SHORT, LONG, BYE]
    wrong = Run(switch, [made], (100, "1234"), (900, "1"))
    assert (wrong.status, wrong.result) == (Status.FALSE, "success")
    assert wrong.played[:4] == [SHORT, INVALID, SHORT, INVALID]
    assert LONG not in wrong.played and BYE not in wrong.played


LANGUAGE = """<document type="freeswitch/xml"><section name="languages"><language name="en" say-module="en">
<phrases><macros><macro name="confirm" pause="0"><input pattern="(.*)"><match>
  <action function="execute" data="mark(?$1)"/>
  <action function="play-file" data="silence_stream://600"/>
</match></input></macro></macros></phrases></language></section></document>"""


def test_an_entry_is_confirmed(switch: Switch) -> None:
    switch.xml.load_text(LANGUAGE)

    def run(*press: tuple[int, str], key: str = "1") -> Run:
        entries = (("42", "menu-exec-app", "mark !"), ("43", "menu-exit", ""))
        made = menu(*entries, confirm_macro="confirm", confirm_key=key, confirm_attempts=2, max_failures=1)
        return Run(switch, [made], *press)

    assert run((600, "42"), (1000, "1")).marks == "?42!"  # during the macro
    assert run((600, "42"), (1800, "1")).marks == "?42!"  # after it
    assert run((600, "42"), (2500, "1")).marks == "?42?42!"  # the second time
    assert run((600, "42"), (1000, "2")).marks == "?42"  # another key rejects at once
    assert run((600, "42")).marks == "?42?42"
    assert run((600, "42"), key="").marks == "?42?42"  # nothing could ever confirm
    assert run((600, "4")).marks == ""  # an entry that a timeout ended is not asked about


def test_a_hangup_ends_a_menu(switch: Switch) -> None:
    ms: list[int] = []

    def do(session: Session) -> object:
        made = menu(EXIT, exit_sound=BYE, invalid_sound=INVALID, greet_long="silence_stream://60000")
        ms.append(took(session, lambda: execute_menu(session, [made], "main")))
        return None

    assert in_call(switch, do, hangup_ms=250).played == ["silence_stream://60000"]
    assert ms == [250]


def test_a_transfer_ends_a_menu_after_its_sound(switch: Switch) -> None:
    made = menu(("1", "menu-exec-app", "transfer there"), transfer_sound=INVALID, exit_sound=BYE)
    run = Run(switch, [made], (100, "1"))
    assert (run.ms, run.played) == (400, [LONG, INVALID])
    assert run.outcome.kinds("transfer")[0]["extension"] == "there"


def test_events_and_the_voice(switch: Switch) -> None:
    events: list[tuple[str | None, str | None]] = []

    def listen(event: Event) -> None:
        assert event.get_header("Unique-ID")
        events.append((event.subclass, event.get_header("Menu-Name")))

    switch.bus.subscribe(listen, ["CUSTOM"])
    main = menu(("1", "menu-sub", "sub"), EXIT, tts_engine="engine", tts_voice="low")
    sub = menu(("2", "menu-back", ""), name="sub", is_top=False, tts_engine="engine", tts_voice="high")
    run = Run(switch, [main, sub], (100, "1"), (200, "2"), (300, "8"))
    assert events == [
        ("menu::enter", "main"),
        ("menu::exit", "main"),
        ("menu::enter", "sub"),
        ("menu::exit", "sub"),
        ("menu::enter", "main"),
        ("menu::exit", "main"),
    ]
    voices = [facts["value"] for facts in run.outcome.kinds("variable") if facts["name"] == "tts_voice"]
    assert voices == ["low", "low", "high", "high", "low"]


def test_a_pattern_that_is_none_is_logged_and_matches_nothing(switch: Switch) -> None:
    run = Run(switch, [menu(("/(/", "menu-exit", ""), digit_len=1, max_failures=1)], (100, "1"))
    assert run.result == "failure"
    assert any("COMPILE ERROR" in text for text in run.outcome.logs)


def test_what_a_menu_is_made_of_by_default() -> None:
    made = Menu("x")
    assert (made.timeout, made.inter_digit_timeout, made.confirm_attempts) == (DEFAULT_TIMEOUT_MS, 0, 3)
    assert (made.max_failures, made.max_timeouts, made.digit_len) == (3, 3, 0)
    assert Menu("x", timeout=3000).inter_digit_timeout == 1500
    made.bind(MenuAction.EXIT, "", "/^12345$/")
    assert made.digit_len == 0
    made.bind(MenuAction.EXIT, "", "123")
    assert made.digit_len == 3


@given(st.text(), st.text("0123456789*#ABCD"), st.text())
def test_any_keys_match_or_fail_as_declared(keys: str, digits: str, argument: str) -> None:
    entry = MenuEntry(MenuAction.EXEC_APP, keys, argument)
    try:
        found = entry.argument_for(digits)
    except RegexError:
        assert keys.startswith("/")
        return
    if not keys.startswith("/"):
        assert found == (argument if keys == digits else None)


# -- the configuration -----------------------------------------------------------------------------------------------

CONFIGURATION = """<document type="freeswitch/xml"><section name="configuration">
<configuration name="ivr.conf"><menus>
  <menu name="Front" greet-long="silence_stream://500" exit-sound="silence_stream://100" timeout="2000"
        max-failures="4" digit-len="2" pin="99" exec-on-max-failures="mark F">
    <entry action="menu-exec-app" digits="/^(1\\d)$/" param="mark [$1]"/>
    <entry action="menu-sub" digits="2" param="back"/>
    <entry action="menu-sub" digits="3" param="elsewhere"/>
  </menu>
  <menu name="back" greet-long="silence_stream://200" greet-short="" max-timeouts="7" inter-digit-timeout="50">
    <entry action="menu-top" digits="9"/>
    <entry action="menu-sub" digits="2" param="Front"/>
    <entry action="menu-sub" digits="3" param="FRONT"/>
    <entry action="menu-exit" digits="0"/>
  </menu>
  <menu name="unused"><entry action="menu-fly" digits="1"/></menu>
  <menu name="voiceless"><entry action="menu-sub" digits="1" param="unused"/></menu>
  <menu name="keyless"><entry action="menu-exit" param="x"/></menu>
</menus></configuration></section></document>"""


def test_menus_are_read_with_their_sub_menus() -> None:
    menus = parse_xml(CONFIGURATION).find("section/configuration/menus")
    assert menus is not None
    front, back = read_menus(menus, "front")
    assert (front.name, front.is_top, back.name, back.is_top) == ("Front", True, "back", False)
    assert (front.timeout, front.inter_digit_timeout, front.digit_len) == (2000, 1000, 2)
    assert (front.max_failures, front.max_timeouts, back.max_timeouts) == (4, 4, 7)
    assert (front.pin, front.pin_file, front.bad_pin_file) == (
        "99",
        "ivr/ivr-please_enter_pin_followed_by_pound.wav",
        "conference/conf-bad-pin.wav",
    )
    assert front.exec_on_max_failures == "mark F"
    assert front.entries[0] == MenuEntry(MenuAction.EXEC_APP, "/^(1\\d)$/", "mark [$1]")
    assert (back.digit_len, back.inter_digit_timeout) == (1, 50)
    for name, error in {
        "none": "Unable to find menu",
        "unused": "Invalid Action [menu-fly]",
        "voiceless": "Invalid Action [menu-fly]",
        "keyless": "menu 'keyless': an entry menu-exit has no digits",
    }.items():
        with pytest.raises(MenuXmlError) as raised:
            read_menus(menus, name)
        assert str(raised.value) == error


def test_the_application(switch: Switch) -> None:
    def do(session: Session) -> object:
        session.execute("ivr", "Front")
        return session.channel.get_variable("marks")

    press = ((600, "15"), (900, "2"), (2000, "9"), (2300, "2"), (3400, "0"))
    switch.xml.load_text(CONFIGURATION.replace(' pin="99"', ""))
    outcome = in_call(switch, do, press=press)
    assert outcome.values == ["[15]"]
    assert outcome.played == [LONG, LONG, SHORT, LONG, SHORT, BYE]


@pytest.mark.parametrize(
    ("configuration", "name", "log"),
    [
        ("<document/>", "Front", "Open of ivr.conf failed"),
        (CONFIGURATION.replace("menus>", "none>"), "Front", "No menus configured"),
        (CONFIGURATION, "none", "Unable to find menu"),
        (CONFIGURATION, "unused", "Invalid Action [menu-fly]"),
        (CONFIGURATION, "FRONT", "Invalid Menu!"),
    ],
)
def test_an_application_without_its_menu(switch: Switch, configuration: str, name: str, log: str) -> None:
    switch.xml.load_text(configuration)

    def do(session: Session) -> object:
        session.execute("ivr", name)
        return session.channel.ready

    outcome = in_call(switch, do)
    assert outcome.values == [True]
    assert log in outcome.logs


def test_who_answers_for_the_configuration_is_told_the_menu(switch: Switch) -> None:
    asked: list[tuple[str | None, bool]] = []

    def answer(
        section: str, tag: str | None, key: str | None, value: str | None, params: object
    ) -> str | None:
        if value == "ivr.conf":
            assert isinstance(params, dict)
            asked.append((params["Menu-Name"], params["variable_direction"] == "inbound"))
            return CONFIGURATION.replace(' pin="99"', "")
        return None

    switch.xml.bind(answer)
    outcome = in_call(switch, lambda session: session.execute("ivr", "Front"), hangup_ms=100)
    assert asked == [("Front", True)]
    assert outcome.played == [LONG]
