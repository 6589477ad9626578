"""The ways into mod_lua: commands, the application, lua.conf with its hooks, start-up scripts and XML handler."""

from __future__ import annotations

from pathlib import Path

from host.event import Event
from host.switch import Switch
from lua_bindings import lua_conf, mod_lua
from tests.lua_bindings.scripted import Call, configure


def test_luarun_answers_at_once_and_has_no_stream(switch: Switch) -> None:
    code = "~freeswitch.msleep(1000) freeswitch.setGlobalVariable('ran', type(stream) .. type(session) .. type(env))"
    assert switch.api("luarun", code) == "+OK\n"
    assert switch.global_variables.get("ran") is None
    switch.clock.sleep(2_000_000)
    assert switch.global_variables.get("ran") == "nilnilnil"
    assert switch.api("luarun", "") == "-ERR no args specified!\n"


def test_the_application_gets_arguments(switch: Switch, tmp_path: Path) -> None:
    (tmp_path / "scripts" / "app.lua").write_text(
        "session:setVariable('arguments', table.concat(argv, ','))", encoding="utf-8"
    )
    call = Call(switch, "session:execute('lua', [[app.lua a 'b c' d]])")
    call.finish()
    assert call.variable("arguments") == "a,b c,d"


def test_env_is_the_api_event(switch: Switch) -> None:
    assert switch.api("lua", "~stream:write(env:getType() .. env:getHeader('API-Command'))") == "APIlua"


def test_hooks_and_start_up_scripts(switch: Switch) -> None:
    configure(
        switch,
        """<param name="startup-script" value="~freeswitch.setGlobalVariable('started', 'yes')"/>
        <hook event="CUSTOM" subclass="a::b" script="~freeswitch.setGlobalVariable('hooked', event:getHeader('Name'))"/>
        <hook event="NOSUCH" script="x.lua"/><hook event="CUSTOM"/>""",
    )
    for subclass in ("other::one", "a::b"):
        event = switch.new_event("CUSTOM", subclass)
        event.add_header("Name", subclass)
        switch.fire(event)
    switch.clock.sleep(1_000_000)
    assert switch.global_variables.get("started") == "yes"
    assert switch.global_variables.get("hooked") == "a::b"
    mod_lua.unload(switch)
    switch.global_variables.set("hooked", None)
    switch.fire(event)
    switch.clock.sleep(1_000_000)
    assert switch.global_variables.get("hooked") is None


def test_the_xml_handler(switch: Switch) -> None:
    script = (
        (
            "~if XML_REQUEST.key_value == 'bob' then XML_STRING = [[<document type='freeswitch/xml'>"
            "<section name='directory'><domain name='bob' number=']] .. params:getHeader('Number') .. [['/></section>"
            "</document>]] elseif XML_REQUEST.key_value == 'bad' then error('no') end"
        )
        .replace("<", "&lt;")
        .replace('"', "&quot;")
    )
    configure(
        switch,
        f'<param name="xml-handler-script" value="{script}"/>'
        '<param name="xml-handler-bindings" value="directory"/>',
    )
    found = switch.xml.locate("directory", "domain", "name", "bob", {"Number": "7"})
    assert found is not None
    assert found.get("number") == "7"
    assert switch.xml.locate("directory", "domain", "name", "bad", {}) is None
    assert switch.xml.locate("directory", "domain", "name", "nobody", {}) is None


def test_folders_limits_and_versions(switch: Switch, tmp_path: Path) -> None:
    (tmp_path / "mine.lua").write_text("return { name = ... }", encoding="utf-8")
    configure(
        switch,
        f'<param name="script-directory" value="{tmp_path}/?.lua"/><param name="lua-version" value="5.4"/>'
        '<param name="burst-limit-seconds" value="0.05"/><param name="memory-limit-mb" value="many"/>',
    )
    assert switch.api("lua", "~stream:write(require('mine').name .. 7 // 2)") == "mine3"
    assert switch.api("lua", "~while true do end") == "-ERR Cannot execute script\n"
    assert lua_conf.limits(switch).memory_mb == 512


def test_the_chat_application(switch: Switch) -> None:
    found = switch.chat_applications.get("lua")
    assert found is not None
    message = Event("MESSAGE")
    found.run(message, "~message:addHeader('seen', 'yes')")
    assert message.get_header("seen") == "yes"
