"""The fixture `caller`, used the way its users do."""

from __future__ import annotations

from pathlib import Path

import pytest

from host.testing.plugin import Caller

MENU = str(Path(__file__).parents[3] / "scripts" / "menu.lua")


def test_a_menu_is_walked_through(caller: Caller) -> None:
    call = caller(MENU, from_number="5551234")
    call.hears("welcome")
    call.hears("number you wish")
    call.presses("9")
    call.hears("invalid entry")
    call.hears("number you wish")
    call.presses("1")
    call.hears("5551234")
    call.hears("goodbye")
    result = call.ends()
    assert (result.cause, result.hung_up_by) == ("NORMAL_CLEARING", "script")
    assert call.variable("menu_choice") == "1"


def test_every_branch_in_one_go(caller: Caller) -> None:
    for key, heard in (("1", "1000"), ("2", "time/|digits/"), ("3", "tone_stream")):
        call = caller(MENU)
        call.hears("number you wish")
        call.presses(key)
        call.hears(heard)
        assert call.hangs_up().hung_up_by == "caller"


def test_what_does_not_come_is_told_with_the_transcript(caller: Caller) -> None:
    call = caller(MENU)
    with pytest.raises(AssertionError, match=r"never heard .elephants.(.|\n)*answers(.|\n)*welcome"):
        call.hears("elephants", within="5s")
    assert call.transcript.count("plays") == 2


def test_a_script_error_fails_the_test(caller: Caller, tmp_path: Path) -> None:
    script = tmp_path / "broken.lua"
    script.write_text("session:answer() session:sleep(1000) error('no luck')")
    with pytest.raises(AssertionError, match="no luck"):
        caller(str(script)).ends()


def test_logs_and_waiting(caller: Caller, tmp_path: Path) -> None:
    script = tmp_path / "slow.lua"
    script.write_text('session:sleep(30000) session:consoleLog("info", "at last") session:sleep(1000)')
    call = caller(str(script))
    call.waits("10s")
    call.logs("at .ast")
    assert 31_000_000 <= call.ends().duration < 31_100_000


def test_a_call_left_up_is_hung_up(caller: Caller) -> None:
    caller(MENU).hears("welcome")
