from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from host.clock import VirtualClock
from host.log import LogLevel
from host.switch import Switch
from host.switch_settings import _SETTERS, apply_switch_conf
from tests.host.xml_document import settings


def configured(folder: Path, **params: str) -> Switch:
    switch = Switch(VirtualClock(), folder, seed=1)
    given = {name.replace("_", "-"): value for name, value in params.items()}
    switch.xml.load_text(settings("switch.conf", given))
    apply_switch_conf(switch)
    return switch


def test_what_is_said_is_set(tmp_path: Path) -> None:
    switch = configured(
        tmp_path,
        max_sessions="12",
        sessions_per_second="3",
        min_idle_cpu="25.5",
        min_dtmf_duration="500",
        max_dtmf_duration="9000",
        default_dtmf_duration="1600",
        verbose_channel_events="yes",
        switchname="west",
        loglevel="warning",
        colorize_console="false",
        unheard_of="1",
    )
    control = switch.control
    assert (control.max_sessions, control.max_sessions_per_second, control.min_idle_cpu) == (12, 3, 25.5)
    assert (control.shortest_digit, control.default_digit, control.longest_digit) == (500, 1600, 9000)
    assert control.verbose_events and not switch.console_settings.colorize
    assert switch.global_variables.get("switchname") == "west"
    assert switch.logs.limit is LogLevel.WARNING
    switch.close()


def test_what_is_no_number_changes_nothing(tmp_path: Path) -> None:
    switch = configured(tmp_path, max_sessions="many", min_idle_cpu="-1", loglevel="loud")
    assert (switch.control.max_sessions, switch.control.min_idle_cpu) == (1000, 0.0)
    assert switch.logs.limit is LogLevel.DEBUG
    switch.close()


@given(st.sampled_from(sorted(_SETTERS)), st.text(max_size=12))
def test_any_value_is_set_or_passed_over(name: str, value: str) -> None:
    switch = Switch(VirtualClock(), Path("/nowhere"), seed=1)
    _SETTERS[name](switch, value)
    assert switch.control.max_sessions > 0 and switch.control.max_sessions_per_second > 0
    switch.close()
