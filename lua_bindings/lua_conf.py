"""lua.conf: script and module folders, start-up scripts, event hooks, the XML handler, and limits of runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from lxml import etree

from host.event import Event
from host.event_bus import Subscription
from host.event_name import find_event_name
from host.log import LogLevel
from host.truth import is_true
from host.xml_registry import XmlBinding, parse_sections
from lua_bindings.event_object import Event as ScriptEvent
from lua_bindings.host_call import to_text
from lua_bindings.runtime import VERSIONS
from lua_bindings.script import run
from lua_bindings.script_run import Limits, ScriptRun

if TYPE_CHECKING:
    from host.switch import Switch

CONFIGURATION: Final = "lua.conf"


@dataclass(slots=True)
class LuaSettings:
    """What `lua.conf` said for one switch, and what must be taken back with the module."""

    limits: Limits = field(default_factory=Limits)
    handler: str = ""
    subscriptions: list[Subscription] = field(default_factory=list)
    bindings: list[XmlBinding] = field(default_factory=list)
    start_up: list[str] = field(default_factory=list)
    # The configuration as read, and what `adjust_limits` set over it.
    text: bytes = b""
    adjusted: dict[str, Any] = field(default_factory=dict)


_SETTINGS: Final[WeakKeyDictionary[Switch, LuaSettings]] = WeakKeyDictionary()


def limits(switch: Switch) -> Limits:
    """Return the limits for scripts of this switch."""
    settings = _SETTINGS.get(switch)
    return settings.limits if settings is not None else Limits()


def adjust_limits(switch: Switch, burst_s: float, version: str = "") -> None:
    """Set the burst limit (0: none), and the Lua version when one is named, for this switch's scripts."""
    settings = _SETTINGS.setdefault(switch, LuaSettings())
    settings.adjusted["burst_s"] = burst_s
    if version:
        settings.adjusted["version"] = version
    settings.limits = replace(settings.limits, **settings.adjusted)


def watch(switch: Switch) -> Subscription:
    """Read `lua.conf` anew with every RELOADXML that finds it changed; scripts that run keep their limits."""
    return switch.bus.subscribe(lambda event: _reload(switch), ("RELOADXML",), owner="mod_lua")


def _reload(switch: Switch) -> None:
    former = _SETTINGS.get(switch)
    found = switch.xml.configuration(CONFIGURATION)
    if former is None or (found is not None and etree.tostring(found) == former.text):
        return
    withdraw(switch)
    apply(switch, starting=False)
    settings = _SETTINGS[switch]
    settings.adjusted = former.adjusted
    settings.limits = replace(settings.limits, **former.adjusted)
    switch.log(LogLevel.INFO, f"{CONFIGURATION} reloaded")


def apply(switch: Switch, *, starting: bool = True) -> None:
    """Read `lua.conf` and set up what it names; without it everything stays as by default.

    The start-up scripts run only when the module is `starting`.
    """
    settings = LuaSettings()
    _SETTINGS[switch] = settings
    found = switch.xml.configuration(CONFIGURATION)
    if found is None:
        switch.log(LogLevel.ERR, f"open of {CONFIGURATION} failed")
        return
    settings.text = etree.tostring(found)
    folders: dict[str, list[str]] = {"script-directory": [], "module-directory": []}
    for param in found.iterfind("settings/param"):
        name, value = param.get("name", ""), param.get("value", "")
        if name in folders:
            if value:
                folders[name].append(value)
        elif name == "startup-script":
            settings.start_up.append(value)
        else:
            _set(switch, settings, name, value)
    for hook in found.iterfind("settings/hook"):
        _hook(switch, settings, hook.get("event", ""), hook.get("subclass", ""), hook.get("script", ""))
    settings.limits = replace(
        settings.limits,
        path=_path(folders["script-directory"], "LUA_PATH"),
        c_path=_path(folders["module-directory"], "LUA_CPATH"),
    )
    for text in settings.start_up:
        if text and starting:
            _start(switch, text)


def withdraw(switch: Switch) -> None:
    """Take back hooks and bindings."""
    settings = _SETTINGS.pop(switch, None)
    if settings is None:
        return
    for subscription in settings.subscriptions:
        switch.bus.unsubscribe(subscription)
    for binding in settings.bindings:
        switch.xml.unbind(binding)


def _path(folders: list[str], variable: str) -> str:
    """Return LUA_PATH as FreeSWITCH sets it: the configured templates, then what the environment has."""
    if not folders:
        return ""
    present = os.environ.get(variable)
    return ";".join([*folders, present] if present else folders)


def _start(switch: Switch, text: str) -> None:
    switch.clock.spawn(lambda: run(switch, text, limits=limits(switch)), "lua-startup")


def _set(switch: Switch, settings: LuaSettings, name: str, value: str) -> None:
    kept = settings.limits
    try:
        match name:
            case "xml-handler-script":
                settings.handler = value
            case "xml-handler-bindings" if settings.handler:
                switch.log(LogLevel.INFO, f"binding '{settings.handler}' to '{value}'")
                handler = settings.handler
                binding = switch.xml.bind(
                    lambda *asked: _answer_xml(switch, handler, *asked), parse_sections(value)
                )
                settings.bindings.append(binding)
            case "lua-version":
                if value not in VERSIONS:
                    raise ValueError(f"choose one of {', '.join(VERSIONS)}")
                settings.limits = replace(kept, version=value)
            case "jit":
                settings.limits = replace(kept, jit=is_true(value))
            case "burst-limit-seconds":
                settings.limits = replace(kept, burst_s=float(value))
            case "wall-limit-seconds":
                settings.limits = replace(kept, wall_s=float(value))
            case "hangup-cause-in-hook":
                settings.limits = replace(kept, real_hangup_cause=is_true(value))
            case "memory-limit-mb":
                settings.limits = replace(kept, memory_mb=int(value))
            case _:
                pass
    except ValueError as error:
        switch.log(LogLevel.ERR, f"{CONFIGURATION}: {name} = {value!r}: {error}")


def _hook(switch: Switch, settings: LuaSettings, event: str, subclass: str, script: str) -> None:
    name = find_event_name(event)
    if name is None:
        switch.log(LogLevel.ERR, f"cannot set event handler: unknown event type '{event}'")
        return
    if not script:
        switch.log(LogLevel.ERR, f"cannot set event handler: no script name for event type '{event}'")
        return

    def start(happened: Event) -> None:
        event = happened.copy()
        switch.clock.spawn(lambda: _run_hook(switch, script, event), "lua-hook")

    names = () if name == "ALL" else (name,)
    settings.subscriptions.append(switch.bus.subscribe(start, names, subclass or None, owner="mod_lua"))
    switch.log(LogLevel.INFO, f"event handler for '{name}' set to '{script}'")


def _run_hook(switch: Switch, script: str, event: Event) -> None:
    def prepare(run_: ScriptRun) -> None:
        run_.put("event", ScriptEvent.around(run_, event, mine=False), "Event")

    run(switch, script, limits=limits(switch), prepare=prepare)


def _answer_xml(
    switch: Switch,
    handler: str,
    section: str,
    tag: str | None,
    key_name: str | None,
    key_value: str | None,
    params: Mapping[str, str],
) -> str | None:
    answers: list[str] = []

    def prepare(script: ScriptRun) -> None:
        request = {
            "section": section,
            "tag_name": tag or "",
            "key_name": key_name or "",
            "key_value": key_value or "",
        }
        script.put_table("XML_REQUEST", request)
        event = Event("REQUEST_PARAMS")
        event.add_headers(params.items())
        script.put("params", ScriptEvent.around(script, event, mine=False), "Event")

    def finish(script: ScriptRun) -> None:
        value = script.runtime.call("get", b"XML_STRING")
        if isinstance(value, bytes):
            answers.append(to_text(value))

    result = run(switch, handler, limits=limits(switch), prepare=prepare, finish=finish)
    if not result.ok:
        switch.log(LogLevel.ERR, "LUA script parse/execute error!")
        return None
    if answers and not answers[0]:
        switch.log(LogLevel.ERR, "No Result")
        return None
    return answers[0] if answers else None
