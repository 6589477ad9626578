"""Collecting keys: timeouts, terminators and their marks, prompts, retries, breaks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from host.clock import MILLISECOND
from host.inbox import Digit
from host.ivr import digits
from host.ivr.input_args import InputArgs
from host.ivr.play import play_file
from host.ivr.record import record_file
from host.ivr.sleep import sleep
from host.session import Session
from host.status import Status
from host.switch import Switch
from tests.host.one_call import in_call, took

PROMPT = "tone.wav"  # half a second


def asked(
    switch: Switch, ask: Callable[[Session], object], *press: tuple[int, str], names: str = ""
) -> tuple[object, int, list[str | None]]:
    """Return what `ask` returned, how many ms it took, and the channel variables of those names."""

    def do(session: Session) -> object:
        answers: list[object] = []
        ms = took(session, lambda: answers.append(ask(session)))
        return answers[0], ms, [session.channel.get_variable(name) for name in names.split()]

    value = in_call(switch, do, press=press).values[0]
    assert isinstance(value, tuple)
    return value


def test_the_time_between_keys_is_the_first_one_s_where_that_has_none(switch: Switch) -> None:
    def ask(session: Session) -> object:
        return digits.collect_digits_count(session, 4, "#", 0, 700)

    assert asked(switch, ask)[:2] == (("", "", Status.TIMEOUT), 700)
    assert asked(switch, ask, (600, "1"), (1200, "2"))[:2] == (("12", "", Status.TIMEOUT), 1900)


def test_a_break_is_for_what_is_played_next(switch: Switch) -> None:
    def ask(session: Session) -> object:
        session.clock.call_later(200 * MILLISECOND, session.break_off)
        collected = digits.collect_digits_count(session, 1, "", 600)
        return (
            collected,
            took(session, lambda: play_file(session, PROMPT)),
            took(session, lambda: play_file(session, PROMPT)),
        )

    assert asked(switch, ask)[0] == (("", "", Status.TIMEOUT), 0, 500)


def test_an_application_begins_without_a_break(switch: Switch) -> None:
    def ask(session: Session) -> object:
        session.break_off()
        return took(session, lambda: session.execute("playback", PROMPT))

    assert asked(switch, ask)[0] == 500


RESULTS = "read_result read_terminator_used entry"


def read(
    least: int, most: int, terminators: str, prompt: str = "", timeout_ms: int = 1000
) -> Callable[[Session], object]:
    return lambda session: digits.read(session, least, most, prompt, "entry", timeout_ms, terminators)


def test_marks_of_terminators(switch: Switch) -> None:
    press = ((100, "12#"),)
    plain = asked(switch, read(1, 4, "#"), *press, names=RESULTS)
    assert plain == (("12", Status.SUCCESS), 300, ["success", "#", "12"])
    kept = asked(switch, read(1, 4, "*+#"), *press, names=RESULTS)
    assert kept == (("12#", Status.SUCCESS), 300, ["success", "#", "12#"])
    anew = asked(switch, read(1, 4, "*x#"), *press, names=RESULTS)
    assert anew == (("12#", Status.RESTART), 300, ["failure", "#", "12#"])
    needed = asked(switch, read(1, 2, "=#"), *press, names=RESULTS)
    assert needed == (("12", Status.FALSE), 200, ["failure", None, "12"])
    given = asked(switch, read(1, 4, "=#"), *press, names=RESULTS)
    assert given == (("12", Status.SUCCESS), 300, ["success", "#", "12"])


def test_a_terminator_during_the_prompt(switch: Switch) -> None:
    several = asked(switch, read(1, 4, "#", PROMPT), (100, "#"), names=RESULTS)
    assert several == (("", Status.FALSE), 100, ["failure", "#", None])
    one = asked(switch, read(1, 1, "#", PROMPT), (100, "#"), names=RESULTS)
    assert one == (("", Status.SUCCESS), 100, ["success", None, None])
    assert asked(switch, read(1, 1, "#", PROMPT), (100, "5"), names=RESULTS)[0] == ("5", Status.SUCCESS)


def test_a_prompt_that_is_not_there_leaves_no_result(switch: Switch) -> None:
    missing = asked(switch, read(1, 2, "#", "none.wav"), names=RESULTS)
    assert missing == (("", Status.NOT_FOUND), 0, [None, None, None])


def ask_again(least: int, regexp: str = "", tries: int = 2, target: str = "") -> Callable[[Session], object]:
    return lambda session: digits.play_and_get_digits(
        session, least, 4, tries, 1000, "#", "", PROMPT, "entry", regexp, 0, target
    )


def test_no_entry_where_none_is_needed_wants_a_terminator(switch: Switch) -> None:
    assert asked(switch, ask_again(0), (100, "#"))[:2] == (("", Status.SUCCESS), 100)
    assert asked(switch, ask_again(0))[:2] == (("", Status.FALSE), 3000)  # twice a second, and a refusal

    def before(session: Session) -> object:
        session.channel.set_variable("read_terminator_used", "*")
        return ask_again(0)(session)

    assert asked(switch, before)[:2] == (("", Status.SUCCESS), 1000)


def test_an_entry_that_does_not_match(switch: Switch) -> None:
    refused = asked(switch, ask_again(1, "^5", 1), (100, "7#"), names="entry entry_invalid read_result")
    assert refused == (("", Status.FALSE), 700, [None, "7", "success"])
    taken = asked(switch, ask_again(1, "^5", 2), (100, "7#"), (900, "5#"), names="entry entry_invalid")
    assert taken == (("5", Status.SUCCESS), 1000, ["5", "7"])
    assert asked(switch, ask_again(1, "(", 1), (100, "7#"))[0] == ("", Status.FALSE)
    no_tries = asked(switch, ask_again(1, "", 0), (100, "7#"))
    assert no_tries[:2] == (("", Status.FALSE), 0)


def test_where_an_asking_in_vain_goes(switch: Switch) -> None:
    outcome = in_call(switch, ask_again(1, "", 1, "lost XML default rest of it"))
    assert any("PAGD failure! Transfer to: lost / XML / default" in line for line in outcome.logs)


def test_collecting_goes_on_after_the_callback_s_own_time(switch: Switch) -> None:
    def ask(session: Session) -> object:
        def on_input(called: Session, item: object) -> Status:
            return sleep(called, 400)

        return digits.collect_digits_callback(session, InputArgs(on_input=on_input), 500, 0)

    assert asked(switch, ask, (100, "1"))[:2] == (Status.TIMEOUT, 1000)


def left_after(switch: Switch, do: Callable[[Session], object]) -> tuple[object, object]:
    """Return what `do` returned with the keys 12 waiting, and which of them wait afterwards."""

    def ask(session: Session) -> object:
        for key in "12":
            session.receive_digit(Digit(key))
        return do(session), digits.collect_digits_count(session, 9, "", 1)[0]

    value = in_call(switch, ask).values[0]
    assert isinstance(value, tuple)
    return value


def test_what_drops_the_keys_that_wait(switch: Switch, tmp_path: Path) -> None:
    file = str(tmp_path / "made.wav")
    assert left_after(switch, lambda session: play_file(session, PROMPT)) == (Status.SUCCESS, "12")
    assert left_after(switch, lambda session: play_file(session, "none.wav")) == (Status.NOT_FOUND, "")
    assert left_after(switch, lambda session: record_file(session, file, 1)) == (Status.SUCCESS, "")
    taken: list[str] = []

    def on_input(session: Session, item: object) -> Status:
        assert isinstance(item, Digit)
        taken.append(item.digit)
        return Status.FALSE

    by_key = left_after(
        switch, lambda session: record_file(session, file, 1, args=InputArgs(on_input=on_input))
    )
    assert (by_key, taken) == ((Status.FALSE, ""), ["1"])


def test_two_breaks_are_one(switch: Switch) -> None:
    def ask(session: Session) -> object:
        session.clock.call_later(200 * MILLISECOND, session.break_off)
        session.clock.call_later(200 * MILLISECOND, session.break_off)
        return [took(session, lambda: play_file(session, PROMPT)) for _ in range(2)]

    assert asked(switch, ask)[0] == [200, 500]
