from __future__ import annotations

import pytest

from host.log import LogLevel
from host.modules.mod_sofia.profile.profile_listeners import expects_browsers, listeners
from host.modules.mod_sofia.profile.profile_settings import Binding, ProfileSettings
from host.variables import Variables


def profile(**more: object) -> ProfileSettings:
    """Return settings of a profile at 192.0.2.1."""
    settings = ProfileSettings(name="pages", sip_ip="192.0.2.1")
    for name, value in more.items():
        setattr(settings, name, value)
    return settings


def test_only_the_page_that_is_named_may_connect_and_others_are_told_of() -> None:
    lines: list[tuple[LogLevel, str]] = []
    settings = profile(ws_binding=Binding("", 5066), ws_page_port=8060)
    found = listeners(settings, lambda level, text: lines.append((level, text)))
    websocket = next(one for one in found if one.transport == "ws")
    assert (websocket.ip, websocket.port) == ("192.0.2.1", 5066)
    assert websocket.admits is not None
    assert websocket.admits("http://192.0.2.1:8060", "192.0.2.1:5066")
    assert lines == []
    assert not websocket.admits("http://evil.example" + "x" * 500, "192.0.2.1:5066")
    ((level, text),) = lines
    assert level is LogLevel.WARNING and "http://evil.example" in text and len(text) < 300


def test_without_a_page_s_port_any_page_may_connect() -> None:
    settings = profile(ws_binding=Binding("", 5066), wss_binding=Binding("", 7443))
    assert all(one.admits is None for one in listeners(settings, lambda level, text: None))


@pytest.mark.parametrize(
    ("settings", "variables", "expected"),
    [
        (profile(), {}, False),
        (profile(ws_binding=Binding("", 5066)), {}, True),
        (profile(wss_binding=Binding("", 7443)), {}, True),
        (profile(), {"media_webrtc": "true"}, True),
        (profile(), {"media_webrtc": "false"}, False),
    ],
)
def test_who_expects_browsers(settings: ProfileSettings, variables: dict[str, str], expected: bool) -> None:
    assert expects_browsers(settings, Variables(variables.items())) is expected
