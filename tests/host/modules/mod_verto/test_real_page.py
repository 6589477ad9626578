"""Calls with a real WebRTC peer: it hears a Lua script, presses keys, is called, and comes back after a reload."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.host.modules.mod_verto.browser import Browser, in_browser
from tests.host.modules.mod_verto.verto_rig import configuration, extension, verto_switch

SCRIPT = """
session:answer()
session:streamFile("tone_stream://%(300,0,440)")
local digits = session:playAndGetDigits(1, 1, 1, 60000, "", "tone_stream://%(60000,0,700)", "", "\\\\d")
session:setVariable("pressed", digits)
session:streamFile("tone_stream://%(60000,0,880)")
"""


def test_a_page_calls_a_lua_script(tmp_path: Path) -> None:
    script = tmp_path / "ivr.lua"
    script.write_text(SCRIPT)
    with verto_switch(tmp_path, configuration(extension("5000", ("lua", str(script))))) as rig:

        async def story(browser: Browser) -> None:
            await browser.log_in("1000@example.org")
            await browser.expect("verto.clientReady")
            dialog = {"callID": "call-1", "destination_number": "5000"}
            told = await browser.call("verto.invite", sdp=await browser.offer(), dialogParams=dialog)
            assert told["message"] == "CALL CREATED"
            answer = await browser.expect("verto.answer")
            assert answer["callID"] == "call-1" and "a=ice-lite" in answer["sdp"]
            await browser.take_answer(answer["sdp"])
            await browser.hears(700)
            pressed = await browser.call("verto.info", dtmf="7", dialogParams=dialog)
            assert pressed["message"] == "SENT"
            await browser.hears(880)
            assert rig.api("uuid_getvar call-1 pressed") == "7"
            assert rig.api("uuid_getvar call-1 rtp_secure_media_confirmed") == "true"
            ended = await browser.call("verto.bye", dialogParams=dialog)
            assert ended["cause"] == "NORMAL_CLEARING"

        in_browser(rig.url, story)
        rig.quiet()


def test_a_page_is_called_and_comes_back(tmp_path: Path) -> None:
    plays = extension("6000", ("playback", "tone_stream://%(600000,0,600)"))
    with verto_switch(tmp_path, configuration(plays)) as rig:
        replies: list[str] = []
        call = "originate verto.rtc/1000@example.org 6000"
        caller = threading.Thread(target=lambda: replies.append(rig.api(call)))

        async def story(browser: Browser) -> None:
            sessid = await browser.log_in("1000@example.org")
            caller.start()
            invited = await browser.expect("verto.invite")
            dialog = {"callID": invited["callID"]}
            assert invited["display_direction"] == "outbound"
            await browser.call("verto.answer", sdp=await browser.answer(invited["sdp"]), dialogParams=dialog)
            await browser.hears(600)
            sessids.append(sessid)

        async def back(browser: Browser) -> None:
            await browser.log_in("1000@example.org", sessid=sessids[0])
            offered = await browser.expect("verto.attach")
            ready = await browser.expect("verto.clientReady")
            assert ready["reattached_sessions"] == [offered["callID"]]
            dialog = {"callID": offered["callID"]}
            await browser.call("verto.attach", sdp=await browser.answer(offered["sdp"]), dialogParams=dialog)
            await browser.hears(600)
            await browser.call("verto.bye", dialogParams=dialog)

        sessids: list[str] = []
        in_browser(rig.url, story)
        rig.wait(lambda: [leg for leg in rig.verto.legs if leg.detached])
        in_browser(rig.url, back)
        caller.join()
        assert replies[0].startswith("+OK ")
        rig.quiet()
