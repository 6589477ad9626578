"""The fields of caller profiles that a variable's name may mean."""

from __future__ import annotations

import pytest

from host.caller_profile import CallerProfile
from host.session import Session
from host.switch import Switch
from tests.host.one_call import in_call


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("caller_id_number", "1000"),
        ("CALLER_ID_Number", "1000"),
        ("privacy_hide_name", "true"),
        ("screen_bit", "true"),
        ("profile_index", "1"),
        ("ani_ton", "255"),
        ("bridged_time", None),
        ("transfer_source", None),
        ("nothing", None),
    ],
)
def test_fields_in_any_case(name: str, value: str | None) -> None:
    assert CallerProfile(caller_id_number="1000", privacy_hide_name=True).value(name) == value


def test_fields_of_the_other_leg(virtual_switch: Switch) -> None:
    virtual_switch.global_variables.set("colour", "red")

    def do(session: Session) -> list[str | None]:
        session.channel.profile.originator = CallerProfile(caller_id_number="77")
        return [
            session.channel.get_variable(f"{leg}_{name}")
            for leg in ("aleg", "bleg", "Aleg")
            for name in ("caller_id_number", "colour")
        ]

    assert in_call(virtual_switch, do).values == [["77", "red", None, "red", None, None]]
