from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from host.log import LogLevel
from host.xml_preprocess import XmlConfigError
from host.xml_registry import XmlRegistry, parse_sections, read_text_file
from host.xml_text import xml_text

CONFORMANCE = Path(__file__).parents[3] / "shared" / "conformance"


class Globals(dict[str, str]):
    def set(self, name: str, value: str, /) -> None:
        self[name] = value


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    (tmp_path / "autoload_configs").mkdir()
    (tmp_path / "freeswitch.xml").write_text(
        '<?xml version="1.0"?>\n<document type="freeswitch/xml">\n'
        '<X-PRE-PROCESS cmd="exec-set" data="word=echo hello"/>\n'
        '<section name="configuration">\n<X-PRE-PROCESS cmd="include" data="autoload_configs/*.xml"/>\n</section>\n'
        '<section name="dialplan"><context name="default" word="$${word}"/></section>\n</document>\n'
    )
    (tmp_path / "autoload_configs" / "lua.conf.xml").write_text('<configuration name="lua.conf"/>\n')
    return tmp_path


def test_load_and_locate(conf: Path) -> None:
    registry = XmlRegistry(Globals())
    registry.load(conf / "freeswitch.xml")
    assert registry.configuration("LUA.conf") is not None
    assert registry.configuration("none.conf") is None
    context = registry.locate("dialplan", "context", "name", "default")
    assert context is not None and context.get("word") == "hello"
    section = registry.locate("dialplan", "context")
    assert section is not None and section.tag == "section"
    assert registry.section("chatplan") is None


def test_reload_keeps_the_old_tree_on_an_error(conf: Path) -> None:
    logs: list[tuple[LogLevel, str]] = []
    registry = XmlRegistry(Globals(), log=lambda level, text: logs.append((level, text)))
    registry.load(conf / "freeswitch.xml")
    config = conf / "autoload_configs" / "lua.conf.xml"
    config.write_text('<configuration name="lua.conf">\n<settings>\n</configuration>\n')
    assert registry.reload() == "[error near line 5]: unexpected closing tag </configuration>"
    assert registry.configuration("lua.conf") is not None
    assert logs[-1][0] is LogLevel.ERR
    assert f"{config}:3: unexpected closing tag </configuration>" in logs[-1][1]
    config.write_text('<configuration name="lua.conf" new="yes"/>\n')
    assert registry.reload() == "Success"
    found = registry.configuration("lua.conf")
    assert found is not None and found.get("new") == "yes"
    (conf / "freeswitch.xml").unlink()
    assert registry.reload() == "Cannot Open log directory or XML Root!"
    assert registry.configuration("lua.conf") is not None


def test_errors_of_load_name_the_file(conf: Path) -> None:
    registry = XmlRegistry(Globals())
    with pytest.raises(XmlConfigError, match="Couldn't open"):
        registry.load(conf / "none.xml")
    assert registry.reload() == "Cannot Open log directory or XML Root!"
    with pytest.raises(XmlConfigError) as caught:
        registry.load_text("<a>\n<b>", "embedded.xml")
    assert (caught.value.file, caught.value.line, caught.value.text) == (
        "embedded.xml",
        2,
        "unclosed tag <b>",
    )


def test_a_tree_from_text_is_loaded_again() -> None:
    registry = XmlRegistry(Globals())
    registry.load_text('<document><section name="x" v="$${a}"/></document>')
    assert registry.reload() == "Success"
    section = registry.section("X")
    assert section is not None and section.get("v") == "$${a}"


def test_bindings_answer_before_the_tree(conf: Path) -> None:
    logs: list[str] = []
    registry = XmlRegistry(Globals(), log=lambda level, text: logs.append(text))
    registry.load(conf / "freeswitch.xml")
    asked: list[tuple[object, ...]] = []

    def not_found(*arguments: object) -> str:
        asked.append(arguments)
        return '<document><section name="result"><result status="Not Found"/></section></document>'

    def broken(*arguments: object) -> str:
        return "<document>"

    def dialplan(
        section: str, tag: str | None, key: str | None, value: str | None, params: Mapping[str, str]
    ) -> str | None:
        context = f'<context name="{value}" by="{params.get("who")}"/>'
        return f'<document><section name="dialplan">{context}</section></document>'

    first = registry.bind(not_found, parse_sections("dialplan|directory"))
    registry.bind(broken, parse_sections("dialplan"))
    registry.bind(dialplan, parse_sections("Dialplan"))
    context = registry.locate("dialplan", "context", "name", "default", {"who": "me"})
    assert context is not None and context.get("by") == "me"
    assert asked == [("dialplan", "context", "name", "default", {"who": "me"})]
    assert logs == ["Error[[error near line 1]: unclosed tag <document>]"]
    registry.configuration("lua.conf")
    registry.unbind(first)
    registry.section("directory")
    assert len(asked) == 1


def test_where_a_binding_has_nothing_the_tree_has(conf: Path) -> None:
    registry = XmlRegistry(Globals())
    registry.load(conf / "freeswitch.xml")
    registry.bind(lambda *arguments: '<document><section name="configuration"/></document>')
    registry.bind(lambda *arguments: pytest.fail("a later binding was asked"))
    assert registry.configuration("lua.conf") is not None


def test_readers_see_whole_trees_while_it_is_reloaded() -> None:
    registry = XmlRegistry(Globals())
    texts = [
        f'<document><section name="configuration">{configuration}</section></document>'
        for configuration in (f'<configuration name="a" v="{v}"><x v="{v}"/></configuration>' for v in (1, 2))
    ]
    registry.load_text(texts[0])
    stop = threading.Event()
    torn: list[str] = []

    def read() -> None:
        while not stop.is_set():
            found = registry.configuration("a")
            if found is None or found.get("v") != found[0].get("v"):
                torn.append("torn")

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(300):
        registry.load_text(texts[number % 2])
    stop.set()
    reader.join()
    assert torn == []


def test_bytes_that_are_no_utf8_are_latin1(tmp_path: Path) -> None:
    (tmp_path / "root.xml").write_bytes(b'<document><section name="caf\xe9"/></document>')
    registry = XmlRegistry(Globals())
    registry.load(tmp_path / "root.xml")
    assert registry.section("café") is not None


def test_large_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.xml_registry.MAX_FILE", 3)
    (tmp_path / "big.xml").write_text("<a/>")
    with pytest.raises(OSError, match="larger than 3 bytes"):
        read_text_file(str(tmp_path / "big.xml"))


def test_sections_are_words_anywhere_in_the_text() -> None:
    assert parse_sections("Configuration|dialplan,directory") == {"config", "dialplan", "directory"}


@pytest.mark.skipif(not CONFORMANCE.is_dir(), reason="the recorded cases are not here")
def test_the_conformance_configuration_loads() -> None:
    logs: list[str] = []
    variables = Globals()
    registry = XmlRegistry(variables, log=lambda level, text: logs.append(text))
    registry.load(CONFORMANCE / "conf" / "freeswitch.xml")
    assert logs == []
    assert variables == {"conformance_domain": "conformance.test"}
    domain = registry.locate("directory", "domain", "name", "CONFORMANCE.test")
    assert domain is not None and xml_text(domain).startswith('<domain name="conformance.test">')
    acl = registry.configuration("acl.conf")
    assert acl is not None and '<list name="conformance_acl" default="deny">' in xml_text(acl)
    user = registry.directory.user("1102", "conformance.test")
    assert user is not None
    assert (user.attribute("id"), user.variable("conformance_level")) == ("1002", "group")
    assert user.param("conformance_param") == "of the domain"
    assert (
        registry.directory.group_dial_string(
            "desk",
            "conformance.test",
            lambda text, names: text.replace("${dialed_user}", names["dialed_user"]),
            "|",
        )
        == "loopback/user_1001/conformance|loopback/user_1002/conformance|error/USER_BUSY"
    )
