from __future__ import annotations

from datetime import UTC, datetime

import pytest
from lxml import etree

from host.default_config import DEFAULT_MODULES, default_configuration
from host.dialplan_hunt import find_context, hunt
from host.phrase_macro import PhraseMacro, find_language
from host.xml_registry import XmlRegistry


class Globals(dict[str, str]):
    def set(self, name: str, value: str, /) -> None:
        self[name] = value


class Caller:
    name = "test"

    def __init__(self, destination: str) -> None:
        self.destination = destination

    def field(self, name: str) -> str | None:
        return self.destination if name == "destination_number" else None

    def expand(self, text: str) -> str:
        return text

    def set_variable(self, name: str, value: str | None) -> None:
        pass

    def unset_variables(self, prefix: str) -> None:
        pass

    def execute_inline(self, application: str, data: str) -> None:
        raise AssertionError(application)


@pytest.fixture
def registry() -> XmlRegistry:
    made = XmlRegistry(Globals())
    made.load_text(default_configuration('/my "own" <scripts> & $${more}'))
    return made


@pytest.mark.parametrize("context", ["default", "public"])
@pytest.mark.parametrize(
    ("destination", "script"),
    [
        ("lua-ivr", "ivr.lua"),
        ("lua-shop/menu.v2", "shop/menu.v2.lua"),
        ("lua-", None),
        ("lua-../secret", None),
        ("lua-shop/../../secret", None),
        ("lua-/etc/x", None),
        ("lua-.hidden", None),
        ("lua-ivr extra", None),
        ("xlua-ivr", None),
    ],
)
def test_scripts_by_name(registry: XmlRegistry, context: str, destination: str, script: str | None) -> None:
    dialplan = registry.section("dialplan")
    assert dialplan is not None
    found = find_context(dialplan, context)
    assert found is not None
    applications = hunt(found, Caller(destination), datetime(2024, 1, 1, tzinfo=UTC)).applications
    assert applications == ([("lua", script)] if script else [])


def values(registry: XmlRegistry, name: str) -> dict[str, str]:
    configuration = registry.configuration(name)
    assert configuration is not None
    return {param.get("name", ""): param.get("value", "") for param in configuration.iter("param")}


def test_module_configurations(registry: XmlRegistry) -> None:
    assert values(registry, "lua.conf") == {"script-directory": '/my "own" <scripts> & $${more}/?.lua'}
    socket = values(registry, "event_socket.conf")
    assert (socket["listen-ip"], socket["listen-port"], socket["password"]) == (
        "127.0.0.1",
        "8021",
        "ClueCon",
    )
    modules = registry.configuration("modules.conf")
    assert modules is not None
    loaded = tuple(load.get("module") for load in modules.iter("load"))
    assert loaded == (
        *DEFAULT_MODULES,
        "mod_pocketsphinx",
        "mod_curl",
        "mod_httapi",
    )  # whose packages are installed


def test_the_directory(registry: XmlRegistry) -> None:
    user = registry.directory.user("1000", "localhost")
    assert user is not None
    assert (user.param("vm-password"), user.variable("user_context")) == ("1000", "default")


def said(registry: XmlRegistry, macro: str, data: str) -> str:
    language = find_language(registry.section("languages"), registry.section("phrases"), "en")
    steps = []
    for action in PhraseMacro(language, macro).actions(data, str):
        kind = f"{action.attributes['type']}:" if action.function == "say" else ""
        steps.append(kind + action.data.replace("voicemail/vm-", "").removesuffix(".wav"))
    return " ".join(steps)


@pytest.mark.parametrize(
    ("macro", "data", "steps"),
    [
        (
            "voicemail_menu",
            "1:2:3:#",
            "listen_new press name_spelled:1 sleep(100) listen_saved press name_spelled:2 sleep(100) "
            "advanced press name_spelled:3 sleep(100) to_exit press name_phonetic:#",
        ),
        ("voicemail_message_count", "1:new", "you_have items:1 new message"),
        ("voicemail_message_count", "12:urgent-saved", "you_have items:12 urgent-saved messages"),
        ("voicemail_enter_id", "#", "enter_id name_spelled:#"),
        ("voicemail_hello", "", ""),
        ("voicemail_ack", "saved", "message saved"),
        ("voicemail_ack", "too-small", "too-small"),
        ("voicemail_say_phone_number", "", "message_from sleep(100) ivr/ivr-anonymous_caller sleep(500)"),
        ("voicemail_say_phone_number", "1000", "message_from sleep(100) name_spelled:1000 sleep(500)"),
        ("voicemail_forward_message_enter_extension", "#", "forward_enter_ext followed_by name_spelled:#"),
        (
            "voicemail_listen_file_check",
            "1:2:3:4:5:6",
            "listen_to_recording press name_spelled:1 save_recording press name_spelled:2 delete_recording press "
            "name_spelled:3 return_call press name_spelled:5 to_forward press name_spelled:6",
        ),
        (
            "voicemail_listen_file_check",
            "1:2:3:4:5:6:a@b.example",
            "listen_to_recording press name_spelled:1 save_recording press name_spelled:2 delete_recording press "
            "name_spelled:3 forward_to_email press name_spelled:4 return_call press name_spelled:5 to_forward press "
            "name_spelled:6",
        ),
        ("voicemail_menu", "nonsense", ""),
    ],
)
def test_voicemail_phrases(registry: XmlRegistry, macro: str, data: str, steps: str) -> None:
    assert said(registry, macro, data) == steps


def test_a_sip_profile_where_one_is_asked_for() -> None:
    text = default_configuration("scripts", sip=("::1", 5070))
    root = etree.fromstring(text)
    assert root.find(".//load[@module='mod_sofia']") is not None
    params = {
        param.get("name"): param.get("value")
        for param in root.iterfind(".//profile[@name='internal']//param")
    }
    assert (params["sip-ip"], params["rtp-ip"]) == ("::1", "::1")
    assert (params["sip-port"], params["context"]) == ("5070", "public")
    assert "ws-binding" not in params
    assert "sofia" not in default_configuration("scripts")


def test_browsers_reach_it_from_its_own_page_alone() -> None:
    phone = default_configuration("scripts", sip=("::1", 5070), websocket=("::1", 5066), page_port=8060)
    for name, value in (("ws-binding", "::1:5066"), ("ws-page-port", "8060")):
        param = etree.fromstring(phone).find(f".//profile[@name='internal']//param[@name='{name}']")
        assert param is not None and param.get("value") == value
