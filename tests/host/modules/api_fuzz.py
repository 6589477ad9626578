"""Arguments at random for API commands; `python -m tests.host.modules.api_fuzz 10000 [NAME…]` is the long run.

Each command gets a switch of its own with a call to act on, in virtual time but for those of SIP, whose switch has
two profiles and a gateway. What is wrong is told with its command
and argument: a reply that is none, a fault of ours, a call or a line that is left when all is hung up.
"""

from __future__ import annotations

import faulthandler
import os
import random
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import dns.resolver

from host.clock import SECOND, RealClock
from host.session_control import MAX_SESSIONS, MAX_SESSIONS_PER_SECOND
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
    "==", "?", ":", "~", "|", "%", "((", "+", "hours", "en", "number", "pronounced", "UTC", "%Y-%m-%d %H:%M:%S",
)  # fmt: skip
SIP_WORDS = (
    "profile", "near", "far", "start", "stop", "restart", "rescan", "wait", "siptrace", "on", "off", "capture",
    "watchdog", "gwlist", "up", "down", "killgw", "gw", "_all_", "register", "unregister", "all", "status", "xmlstatus",
    "gateway", "near::gw", "reg", "user", "1000", "1000@localhost", "flush_inbound_reg", "check_sync", "reboot",
    "recover", "flush", "loglevel", "tport", "9", "debug", "presence", "sla", "none", "tracelevel", "global", "help",
    "jsonstatus", "json", "rpid", "status|rpid|user_agent", "near/1000@localhost", "*/1000", "pres", "callid",
    "rtp", "media", "set", "auto_restart", "ping-status", "ib-calls", "proxy", "count", CALL,
)  # fmt: skip
# How half of the arguments of `sofia` begin, which else does little.
SIP_HEADS = (
    "profile near ",
    "profile far ",
    "profile nosuch ",
    "status ",
    "xmlstatus ",
    "global ",
    "loglevel ",
)
MARKS = (" ", " ", " ", "|", "/", ",", ":", "=", "")
CHARACTERS = "".join(map(chr, range(128))) + "äß€\U0001f600\udcff\udc80\x00"
SECONDS_EACH = 20.0  # of wall time, for one command with one argument: far more than any needs


def arguments(chance: random.Random, known: tuple[str, ...] = WORDS) -> Iterator[str]:
    """Yield arguments without end: words that commands know, bits of text and both, put together in several ways."""
    while True:
        words = []
        for _ in range(chance.choice((0, 1, 1, 2, 2, 3, 3, 4, 5, 7))):
            if chance.random() < 0.75:
                words.append(chance.choice(known))
            else:
                words.append("".join(chance.choices(CHARACTERS, k=chance.randrange(9))))
        text = chance.choice(MARKS).join(words)
        if chance.random() < 0.02:
            text *= chance.choice((10, 200))
        if chance.random() < 0.3 and CALL not in text:
            text = f"{CALL} {text}"
        yield text.replace("shutdown", "")


def sip_arguments(name: str, chance: random.Random) -> Iterator[str]:
    """Yield arguments without end for a command of SIP."""
    for text in arguments(chance, WORDS + SIP_WORDS * 3):
        begun = name == "sofia" and chance.random() < 0.5
        yield (chance.choice(SIP_HEADS) + text) if begun else text


def sip_configuration() -> str:
    """Return a configuration with two profiles on free ports, one with a gateway that nobody answers for."""
    settings = """<param name="sip-ip" value="127.0.0.1"/><param name="rtp-ip" value="127.0.0.1"/>
        <param name="sip-port" value="auto"/><param name="dialplan" value="XML"/>"""
    gateway = """<gateway name="gw"><param name="username" value="u"/><param name="password" value="p"/>
        <param name="proxy" value="127.0.0.1:9"/><param name="register" value="false"/></gateway>"""
    return f"""<document type="freeswitch/xml"><section name="configuration">
        <configuration name="sofia.conf"><profiles>
        <profile name="near"><gateways>{gateway}</gateways><settings>{settings}</settings></profile>
        <profile name="far"><settings>{settings}</settings></profile>
        </profiles></configuration></section></document>"""


def of_sip(name: str) -> bool:
    """Whether a command is one of SIP's."""
    return name.startswith("sofia")


def prepare(switch: Switch) -> None:
    """See to it that new calls are allowed and that the call is there."""
    control = switch.control
    control.cancel_shutdown()
    control.inbound_paused = control.outbound_paused = False
    control.max_sessions, control.max_sessions_per_second = MAX_SESSIONS, MAX_SESSIONS_PER_SECOND
    if switch.api("uuid_exists", CALL) == "true" and len(switch.sessions) < 20:
        return
    switch.scheduler.clear()
    switch.api("hupall")
    while switch.sessions:
        switch.clock.sleep(SECOND)
    reply = switch.api("originate", f"{{origination_uuid={CALL}}}null/fuzz &park()")
    assert reply == f"+OK {CALL}\n", reply


def fuzz(name: str, count: int, folder: Path, seed: int = 1) -> list[str]:
    """Run one command with `count` arguments; return what was wrong. The current folder is used up."""
    wrong: list[str] = []
    sip = of_sip(name)
    switch = make_switch(folder, RealClock(), sip_configuration()) if sip else make_switch(folder)
    switch.observers.append(
        lambda kind, channel, facts: wrong.append(str(facts["error"])) if kind == "bug" else None
    )
    chance = random.Random(f"{seed} {name}")
    given = sip_arguments(name, chance) if sip else arguments(chance)
    with switch.clock.participating():
        for number, argument in zip(range(count), given, strict=False):
            prepare(switch)
            if sip and number % 50 == 0:
                for profile in ("near", "far"):
                    switch.api("sofia", f"profile {profile} start")
            began = time.monotonic()
            faulthandler.dump_traceback_later(SECONDS_EACH, exit=True)
            try:
                switch.api(name, argument).encode("utf-8", "surrogateescape")
            except Exception as error:
                wrong.append(repr(error))
            faulthandler.cancel_dump_traceback_later()
            if time.monotonic() - began > SECONDS_EACH / 4:
                wrong.append(f"took {time.monotonic() - began:.1f} s")
            if wrong:
                wrong.insert(0, f"{name} {argument!r} (number {number})")
                break
        switch.scheduler.clear()
        switch.api("fsctl", "resume")
        switch.api("hupall")
        switch.clock.sleep(SECOND // 5 if sip else 120 * SECOND)
        wrong += [f"{name}: {session.channel.name} is left" for session in switch.sessions.values()]
        switch.close()
        if switch.engine.line_count:
            wrong.append(f"{name}: {switch.engine.line_count} lines are left")
    return wrong


def nobody(*arguments: object, **options: object) -> object:
    """Stand for what looks names up."""
    raise OSError("no names are looked up")


LOOK_UPS: tuple[tuple[object, str], ...] = (
    (socket, "getaddrinfo"),
    (socket, "gethostbyname"),
    (dns.resolver.Resolver, "resolve"),
)


def keep_off_the_network() -> None:
    """Let no name be looked up."""
    for owner, name in LOOK_UPS:
        setattr(owner, name, nobody)


def names(folder: Path) -> list[str]:
    """Return the commands that can be given anything."""
    switch = make_switch(folder)
    found = {known.name for known in switch.api_commands} - LEFT_OUT
    with switch.clock.participating():
        switch.close()
    with_sip = make_switch(folder, RealClock())
    found |= {known.name for known in with_sip.api_commands if of_sip(known.name)}
    with_sip.close()
    return sorted(found)


def main() -> int:
    """Run the commands named, or all; return how many are wrong."""
    count = int(sys.argv[1])
    keep_off_the_network()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in sys.argv[2:] or names(Path(folder)):
            began = time.monotonic()
            wrong = fuzz(name, count, Path(folder))
            failed += bool(wrong)
            print(f"{name}: {time.monotonic() - began:.1f} s", *wrong[:6], flush=True)
        os.chdir("/")
    return min(failed, 100)


if __name__ == "__main__":
    sys.exit(main())
