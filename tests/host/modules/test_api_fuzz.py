"""Whatever is typed after a command's name: an answer, no traceback, no hang, no call left behind."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host.clock import SECOND, Clock
from host.switch import Switch
from tests.host.modules.conftest import make_switch

# They run what they are given, or end what the others need.
LEFT_OUT = frozenset(
    {
        "system", "bg_system", "spawn", "spawn_stream", "bg_spawn", "lua", "luarun", "jsrun", "load", "unload",
        "reload", "shutdown", "...",
    }
)  # fmt: skip
CALL = "11111111-2222-4333-8444-555555555555"
WORDS = (
    CALL, "nosuch", "start", "stop", "read", "write", "level", "mute", "aleg", "bleg", "both", "all", "on", "off",
    "toggle", "count", "like", "as", "json", "xml", "delim", "insert", "select", "delete", "hash", "db", "add", "del",
    "0", "1", "-1", "+1", "@1", "1/1", "99999999999999999999", "1.5", "inline", "XML", "default", "park",
    "set:a=b,park", "playback::silence_stream://50", "silence_stream://100", "tone_stream://%(100,0,500)",
    "/nosuch/file.wav", "USER_BUSY", "null/x", "error/USER_BUSY", "&park", "loopback/x", "{a=b}null/x",
    "uuid:" + CALL, "${uuid}", "$${hostname}", "${expr(1+1)}", "127.0.0.1", "lo", "ipv4", "10.0.0.0/8", "a=b", "a=b;c",
    "api", "channels", "echo", "eval", "expr", "status", "m:~", "^^:", "{}", '{"command":"status","data":{}}', "'", '"',
    "\\", "1@200+2", "pause", "seek:+100", "volume:9", "speed:1", "restart", "-b", "-f", "sched", "user", "domain",
)  # fmt: skip
ARGUMENTS = st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=6).flatmap(
    lambda words: st.sampled_from((" ", "|", "/", ",", "")).map(lambda mark: mark.join(words))
)


@pytest.fixture
def bugs() -> list[object]:
    return []


def call(switch: Switch) -> None:
    """See to it that the call is there."""
    if switch.api("uuid_exists", CALL) == "false":
        switch.clock.sleep(SECOND)  # the one before has to be wound up before its UUID is free
        assert switch.api("originate", f"{{origination_uuid={CALL}}}null/fuzz &park()").startswith("+OK")


def test_any_argument_gets_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bugs: list[object]
) -> None:
    def nobody(*arguments: object, **options: object) -> object:
        raise OSError("no names are looked up")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    monkeypatch.setattr(socket, "gethostbyname", nobody)
    monkeypatch.chdir(tmp_path)
    switch = make_switch(tmp_path)
    switch.observers.append(lambda kind, channel, facts: bugs.append(facts) if kind == "bug" else None)
    names = sorted({known.name for known in switch.api_commands} - LEFT_OUT)
    clock: Clock = switch.clock

    @settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(st.sampled_from(names), ARGUMENTS)
    def run(name: str, argument: str) -> None:
        call(switch)
        switch.control.cancel_shutdown()
        assert isinstance(switch.api(name, argument.replace("shutdown", "")), str)
        assert not bugs

    with clock.participating():
        run()
        switch.scheduler.clear()
        switch.api("hupall", "NORMAL_CLEARING")
        clock.sleep(60 * SECOND)
        left = [session.channel.name for session in switch.sessions.values()]
        switch.close()
    assert not left
    assert not bugs
