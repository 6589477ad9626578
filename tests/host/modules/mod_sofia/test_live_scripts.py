"""Lua scripts on real SIP calls do what they do for the simulated caller, and when."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from host.log import LogEntry
from host.testing.scenario import Press, Scenario
from host.testing.simulation import MODULES, CallOptions, run_call
from host.testing.transcript import SCRIPT_FILE
from tests.host.modules.mod_sofia.live_rig import Caller, LiveRig, hears, level_of, live, read_wav, write_wav
from tests.host.modules.mod_sofia.two_profiles import extension

# A file that tells where one is in it: 400 Hz in its first second, 100 Hz more in each that follows.
STAIRS = 8
# Scripts, what is pressed when (s), when the caller hangs up, and what the scripts log.
COMMON: dict[str, tuple[str, tuple[tuple[float, str], ...], float, list[str]]] = {
    "digits": (
        """session:answer()
        local prompt = "FOLDER/short.wav"
        local got = session:playAndGetDigits(2, 4, 3, 5000, "#", prompt, prompt, "4\\\\d+", "picked")
        log("got " .. got .. " " .. session:getVariable("picked"))
        log("read " .. session:read(1, 2, "FOLDER/short.wav", 5000, "#"))""",
        ((0.5, "1"), (0.7, "#"), (1.2, "4"), (1.4, "7"), (1.6, "#"), (2.0, "9"), (2.2, "8")),
        2.8,
        ["got 47 47", "read 98"],
    ),
    "record": (
        """function key(s, kind, obj) if kind == "dtmf" then log("key " .. obj.digit) return "break" end end
        session:answer()
        session:setInputCallback("key", "")
        log("recorded " .. session:recordFile("FOLDER/SIDE-recorded.wav", 10, 30, 5))
        session:streamFile("FOLDER/SIDE-recorded.wav")
        log("heard")""",
        ((1.0, "5"),),
        2.8,
        ["key 5", "recorded 0", "heard"],
    ),
    "hook": (
        """function bye(s, status, arg) log("bye " .. status .. " " .. tostring(arg)) end
        word = "later"
        session:setHangupHook("bye", "word")
        session:answer()
        while session:ready() do session:sleep(100) end
        log("state " .. session:getState())""",
        (),
        0.6,
        ["bye hangup later", "state CS_HANGUP"],
    ),
    "api": (
        """session:answer()
        local api = freeswitch.API()
        log(api:executeString("expr 6*7"))
        log(api:execute("uuid_exists", session:get_uuid()))
        api:executeString("uuid_setvar " .. session:get_uuid() .. " colour blue")
        log(session:getVariable("colour"))
        session:execute("set", "shape=${colour}_round")
        log(session:getVariable("shape"))""",
        (),
        2.8,
        ["42", "true", "blue", "blue_round"],
    ),
    "menu": (
        """session:answer()
        local menu = freeswitch.IVRMenu(nil, "main", "FOLDER/short.wav", "FOLDER/short.wav", "", "", "", "", "", "",
            "", 1, 1000, 1, 2000, 2, 2)
        menu:bindAction("menu-exec-app", "set chosen=one", "1")
        menu:bindAction("menu-exit", "", "2")
        menu:execute(session, "main")
        log("chosen " .. session:getVariable("chosen"))""",
        ((0.6, "1"), (1.4, "2")),
        2.8,
        ["chosen one"],
    ),
    "say": (
        """session:answer()
        session:setVariable("sound_prefix", "FOLDER")
        session:setVariable("sound_prefix_enforced", "true")
        session:say("12", "en", "number", "pronounced")
        log("said " .. session:getVariable("playback_ms"))
        session:set_tts_params("flite", "kal")
        session:speak("hello")
        log("spoke")""",
        (),
        2.8,
        ["said 550", "spoke"],
    ),
}
LEGS = """session:answer()
local other = freeswitch.Session("{ignore_early_media=true}sofia/far/busy@127.0.0.1:NEAR", session)
log("busy " .. tostring(other:ready()) .. " " .. other:hangupCause())
other = freeswitch.Session("{ignore_early_media=true,greeting=hi}sofia/far/tone900@127.0.0.1:NEAR", session)
log("there " .. tostring(other:ready()) .. " " .. other:getVariable("greeting"))
freeswitch.bridge(session, other)
log("over " .. tostring(session:ready()) .. " " .. tostring(other:ready()))
session:setAutoHangup(false)
session:transfer("tone1300", "XML", "default")"""
SEEK = """function key(s, kind, obj)
    if kind == "dtmf" then
        return ({["1"] = "seek:+4000", ["2"] = "pause", ["3"] = "seek:0", ["4"] = "break"})[obj.digit]
    end
end
session:answer()
session:setInputCallback("key", "")
session:streamFile("FOLDER/stairs.wav")
log("stopped " .. session:getVariable("playback_last_offset_pos"))"""
LANGUAGES = """<section name="languages"><language name="en" say-module="en">
    <phrases><macros/></phrases></language></section>"""
LOG = 'function log(text) session:consoleLog("notice", text) end\n'


def tone_of(frequency: int) -> tuple[tuple[str, str], ...]:
    return ("answer", ""), ("playback", f"tone_stream://v=-13;%(60000,0,{frequency})")


def script(folder: Path, name: str, text: str, side: str = "live") -> Path:
    path = folder / f"{name}-{side}.lua"
    path.write_text(LOG + text.replace("FOLDER", str(folder)).replace("SIDE", side))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(tmp_path_factory.mktemp("scripts"))
    times = np.arange(STAIRS * 8000) / 8000
    stairs = 5000 * np.sin(2 * np.pi * (400 + 100 * np.floor(times)) * times)
    write_wav(folder / "stairs.wav", stairs.astype(np.int16))
    (folder / "digits").mkdir()
    for name in ("short.wav", "digits/12.wav"):
        write_wav(folder / name, stairs[:2400].astype(np.int16))
    return folder


@pytest.fixture(scope="module")
def rig(folder: Path) -> Iterator[LiveRig]:
    scripts = {name: entry[0] for name, entry in COMMON.items()} | {"seek": SEEK, "legs": LEGS}
    extensions = "".join(
        (
            extension("park", ("answer", ""), ("park", "")),
            extension("tone900", *tone_of(900)),
            extension("tone1300", *tone_of(1300)),
            extension("busy", ("hangup", "USER_BUSY")),
            *(extension(name, ("lua", str(folder / f"{name}-live.lua"))) for name in scripts),
        )
    )
    with live(folder, extensions, sections=LANGUAGES) as rig:
        for name, text in scripts.items():
            script(folder, name, text.replace("NEAR", str(rig.near.settings.sip_port)))
        yield rig


class Log:
    """What the scripts of a rig log, by call."""

    def __init__(self, rig: LiveRig) -> None:
        self.lines: list[tuple[str, str]] = []
        rig.switch.logs.add_sink(self.take)

    def take(self, entry: LogEntry) -> None:
        if entry.file == SCRIPT_FILE:
            self.lines.append((entry.uuid, entry.text.rstrip("\n")))

    def of(self, caller: Caller) -> list[str]:
        return [text for uuid, text in self.lines if uuid == caller.far.uuid]

    def has(self, caller: Caller, lines: int) -> bool:
        return len(self.of(caller)) >= lines


def test_scripts_do_what_they_do_in_virtual_time(rig: LiveRig, folder: Path) -> None:
    log = Log(rig)
    callers = {name: Caller(rig, name) for name in COMMON}
    callers["record"].say_tone(700)
    began = time.monotonic()
    todo = sorted(
        [(at, name, keys) for name, (_, press, _, _) in COMMON.items() for at, keys in press]
        + [(end, name, "") for name, (_, _, end, _) in COMMON.items()]
    )
    for at, name, keys in todo:
        caller = callers[name]
        late = time.monotonic() - (began + at)
        if late > 0:  # a machine that stalls moves what comes later, too
            began += late
        else:
            time.sleep(-late)
        if keys:
            caller.press(keys)
        else:
            if name != "hook":  # which ends with the call
                rig.wait(partial(log.has, caller, len(COMMON[name][3])))
            caller.hang_up()
    rig.quiet()
    recorded = read_wav(folder / "live-recorded.wav")[:, 0]
    assert 6000 < len(recorded) < 40_000  # a second until the key, or somewhat more on a busy machine
    assert level_of(recorded[800:], 700) > 3000
    assert level_of(callers["record"].ear.heard[-6000:], 700) > 1000
    for name, (text, press, end, expected) in COMMON.items():
        scenario = Scenario(
            press=[Press(keys, int(at * 1_000_000)) for at, keys in press], hangup_at=int(end * 1_000_000)
        )
        options = CallOptions(modules=MODULES)
        virtual = run_call(str(script(folder, name, text, "virtual")), (), scenario, options)
        assert virtual.ok
        there = [
            str(one.facts["text"]) for one in virtual.transcript.of_kind("log") if one.facts["by"] == "script"
        ]
        here = log.of(callers[name])
        assert here == there, name
        assert len(here) == len(expected)
        for line, beginning in zip(here, expected, strict=True):
            assert line.startswith(beginning), name


def test_keys_move_within_a_file(rig: LiveRig) -> None:
    log = Log(rig)
    caller = Caller(rig, "seek")
    caller.wait_for(400)
    caller.press("1")
    rig.wait(lambda: hears(caller.ear, 800) or hears(caller.ear, 900))
    caller.press("2")
    rig.wait(lambda: not caller.ear.heard[-800:].any())
    caller.ear.forget()
    rig.wait(lambda: len(caller.ear.heard) >= 1600)
    assert not caller.ear.heard.any()
    caller.press("2")
    rig.wait(lambda: any(caller.hears(frequency) for frequency in (800, 900, 1000)))
    caller.press("3")
    caller.wait_for(400)
    caller.press("4")
    rig.wait(lambda: log.of(caller))
    position = int(log.of(caller)[0].removeprefix("stopped "))
    assert 0 < position < 4 * 8000  # before where it was
    assert level_of(caller.ear.heard, 1100) < 100


def test_a_script_calls_bridges_and_transfers(rig: LiveRig) -> None:
    log = Log(rig)
    caller = Caller(rig, "legs")
    caller.wait_for(900)
    other = next(
        one
        for one in rig.made
        if one.channel.direction == "outbound" and one.channel.profile.destination_number == "tone900"
    )
    rig.api(f"uuid_kill {other.uuid} NORMAL_UNSPECIFIED")
    caller.wait_for(1300)
    assert log.of(caller) == ["busy false USER_BUSY", "there true hi", "over true false"]
    caller.hang_up()
