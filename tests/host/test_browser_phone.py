"""The page of the phone: what it gives, to whom, and how much at a time."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from host.serve.browser_phone import PhonePage


def ask(address: str, port: int, path: str, host: str | None = None) -> tuple[int, bytes]:
    """Return the status and the content that a browser gets."""
    connection = HTTPConnection(address, port, timeout=10)
    connection.request("GET", path, headers={} if host is None else {"Host": host})
    answer = connection.getresponse()
    try:
        return answer.status, answer.read()
    finally:
        connection.close()


def free_port(address: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as one:
        try:
            one.bind((address, 0))
        except OSError:
            pytest.skip(f"{address} is not this machine's")
        return int(one.getsockname()[1])


@pytest.fixture(params=("127.0.0.1", "::1"))
def page(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    address, port = request.param, free_port(request.param)
    served = PhonePage(address, port, 5066, lambda: ["menu"])
    yield address, port
    served.close()


def test_the_page_and_its_settings(page: tuple[str, int]) -> None:
    assert b"Moonline phone" in ask(*page, "/")[1]
    status, settings = ask(*page, "/settings.json")
    assert (status, json.loads(settings)) == (200, {"websocket": 5066, "scripts": ["menu"]})
    assert ask(*page, "/../../etc/passwd")[0] == 404


def test_pages_of_others_get_nothing(page: tuple[str, int]) -> None:
    assert ask(*page, "/settings.json", "evil.example:8060")[0] == 421
    assert ask(*page, "/settings.json", f"localhost:{page[1]}")[0] == 200


def test_who_asks_nothing_keeps_nobody_else_out_for_good(page: tuple[str, int]) -> None:
    idle = [socket.create_connection(page) for _ in range(32)]
    with socket.create_connection(page) as late:
        late.settimeout(10)
        assert late.recv(1) == b""  # there is no room
    for one in idle:
        one.close()
    for _ in range(1000):
        try:
            assert ask(*page, "/")[0] == 200
            break
        except OSError:
            continue
    else:
        pytest.fail("there is no room any more")
