from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.own_name import is_own_name, is_own_page


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8060", True),
        ("192.168.7.9", True),
        ("[::1]:8060", True),
        ("localhost:8060", True),
        ("localhost", True),
        ("pbx.example:8060", True),
        ("rebound.example:8060", False),
        ("localhost.example", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_whose_name_is_ours(host: str, ours: bool) -> None:
    assert is_own_name(host, "Pbx.Example") is ours


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        ("http://127.0.0.1:8060", "127.0.0.1:5066", True),
        ("http://localhost:8060", "LOCALHOST:5066", True),
        ("http://[::1]:8060", "[::1]:5066", True),
        ("http://192.168.7.9:8060", "192.168.7.9:5066", True),
        ("http://pbx:8060", "PBX:5066", True),
        ("http://127.0.0.1:8061", "127.0.0.1:5066", False),  # another server of this machine
        ("http://127.0.0.1", "127.0.0.1:5066", False),
        ("https://127.0.0.1:8060", "127.0.0.1:5066", False),
        ("http://192.168.7.10:8060", "192.168.7.9:5066", False),  # another machine's page
        ("http://evil.example:8060", "127.0.0.1:5066", False),
        ("http://evil.example:8060", "evil.example:5066", False),  # whose name leads here
        ("null", "127.0.0.1:5066", False),  # a file, or a frame in a sandbox
        ("http://127.0.0.1:8060, http://127.0.0.1:8060", "127.0.0.1:5066", False),
        ("http://127.0.0.1:8060", "", False),
        ("", "127.0.0.1:5066", False),
    ],
)
def test_whose_page_is_ours(origin: str, host: str, ours: bool) -> None:
    assert is_own_page(origin, host, 8060, "pbx") is ours


def test_the_port_of_the_web_needs_no_name() -> None:
    assert is_own_page("http://localhost", "localhost:5066", 80, "pbx")


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_header_may_come(origin: str, host: str) -> None:
    assert not is_own_page(origin, host, 8060, "pbx") or is_own_name(host, "pbx")
