from __future__ import annotations

from pathlib import Path

import pytest

from host.clock import RealClock
from host.switch import Switch


@pytest.mark.parametrize("value", ["plain", "it's", 'a"b', "a/b/c", "\udcff\udcfe", "ü", "x" * 10_000])
def test_a_value_comes_back_as_it_was(switch: Switch, value: str) -> None:
    assert switch.api("db", f"insert/realm/key/{value}") == "+OK"
    assert switch.api("db", "select/realm/key") == value
    assert switch.api("db", "exists/realm/key") == "true"
    assert switch.api("db", "list/realm") == "key"


def test_values_outlive_the_module_and_limits_do_not(tmp_path: Path) -> None:
    for expected in ("", "kept"):
        switch = Switch(RealClock(), tmp_path)
        switch.modules.load("mod_db")
        assert switch.api("db", "select/realm/key") == expected
        assert switch.api("limit_usage", "db r x") in ("0", "-ERR limit_usage Command not found!\n")
        switch.api("db", "insert/realm/key/kept")
        switch.close()
    assert (tmp_path / "db" / "call_limit.db").exists()


def test_a_simulated_switch_leaves_no_file(switch: Switch, tmp_path: Path) -> None:
    switch.api("db", "insert/realm/key/value")
    assert not (tmp_path / "db").exists()


def test_realms_are_counted_and_listed(switch: Switch) -> None:
    for realm in ("one", "two"):
        switch.api("db", f"insert/{realm}/key/value")
    assert switch.api("db", "count") == "2"
    assert switch.api("db", "list") == "one,two"
    assert switch.api("group", "insert:g:user/1") == "+OK"
    assert switch.api("group", "delete:g:user/2") == "+OK"
    assert switch.api("group", "call:g") == "user/1"
