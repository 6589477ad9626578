"""What a client may ask for."""

from __future__ import annotations

import pytest

from host.modules.mod_verto.permissions import Permissions, user_permissions


def test_before_a_login_everything_is_allowed() -> None:
    free = Permissions()
    assert free.allows_method("verto.invite") and free.allows_json_command("status")
    assert free.allows_command("status", "") and free.allows_event_channel("x", fs_events=False)


def test_a_user_without_params_may_only_log_in() -> None:
    nothing = user_permissions({})
    assert nothing.allows_method("login") and not nothing.allows_method("verto.invite")
    assert not nothing.allows_json_command("status") and not nothing.allows_command("status", "")
    assert not nothing.allows_event_channel("presence", fs_events=True)


def test_what_stands_before_the_dot_counts() -> None:
    some = user_permissions(
        {"jsonrpc-allowed-methods": "verto", "jsonrpc-allowed-event-channels": "demo,presence"}
    )
    assert some.allows_method("verto.invite") and not some.allows_method("echo")
    assert some.allows_event_channel("Presence.1000@example.org", fs_events=False)
    assert not some.allows_event_channel("conference", fs_events=False)


def test_anything() -> None:
    assert user_permissions({"jsonrpc-allowed-methods": "__ANY__"}).allows_method("whatever")


def test_a_list_with_blanks() -> None:
    some = user_permissions({"jsonrpc-allowed-jsapi": "status execute"})
    assert some.allows_json_command("execute") and not some.allows_json_command("fsapi")


@pytest.mark.parametrize(
    ("command", "argument", "allowed"),
    (
        ("status", "", True),
        ("uptime", "", False),
        ("bgapi", "status", True),
        ("bgapi", "uptime", False),
        ("bgapi", "bgapi status", True),
        ("bgapi", "", False),
        ("expand", "status", False),
    ),
)
def test_commands_that_run_others(command: str, argument: str, allowed: bool) -> None:
    some = user_permissions({"jsonrpc-allowed-fsapi": "status,bgapi"})
    assert some.allows_command(command, argument) is allowed


def test_all_events_need_the_setting() -> None:
    some = user_permissions({"jsonrpc-allowed-event-channels": "FSevent"})
    assert some.allows_event_channel("FSevent.heartbeat", fs_events=True)
    assert not some.allows_event_channel("FSevent.heartbeat", fs_events=False)


def test_more_and_less() -> None:
    some = user_permissions({"jsonrpc-allowed-methods": "echo"})
    assert some.change("methods", "verto,jsapi", add=True) and some.allows_method("verto.bye")
    assert some.change("methods", "verto", add=False) and not some.allows_method("verto.bye")
    assert some.allows_method("jsapi")
    assert not some.change("nothing", "verto", add=True)
