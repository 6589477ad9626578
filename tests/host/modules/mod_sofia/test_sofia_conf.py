from __future__ import annotations

from lxml import etree

from host.log import LogLevel
from host.modules.mod_sofia.profile.profile_address import AddressLookup
from host.modules.mod_sofia.profile.profile_parameters import ProfileDefaults
from host.modules.mod_sofia.profile.sofia_conf import SofiaConf, parse_sofia_conf
from host.variables import Variables
from host.xml_registry import XmlRegistry

DEFAULTS = ProfileDefaults(AddressLookup("10.0.0.5", lambda name, family: None, lambda name: None))
GATEWAY = '<gateway name="{}"><param name="username" value="u"/><param name="password" value="p"/></gateway>'
DIRECTORY = f"""<document><section name="directory"><domain name="a.example"><groups><group name="g"><users>
<user id="1"><gateways>{GATEWAY.format("of-a-user")}</gateways></user></users></group></groups></domain>
<domain name="b.example"/></section></document>"""
CONF = f"""<configuration name="sofia.conf"><global_settings>
<param name="log-level" value="12"/><param name="tracelevel" value="debug"/><param name="no-such" value="1"/>
<param name="capture-server" value="udp:homer:5060"/></global_settings><profiles>
<profile name="internal"><gateways>{GATEWAY.format("own")}</gateways>
<domains><domain name="all" alias="true" parse="true"/></domains><settings/></profile>
<profile name="Internal"><settings/></profile>
<profile name="external"><domains><domain name="b.example" alias="true"/></domains><settings/></profile>
</profiles></configuration>"""


def conf(only: str | None = None) -> tuple[SofiaConf, list[str]]:
    xml = XmlRegistry(Variables())
    xml.load_text(DIRECTORY)
    lines: list[str] = []

    def log(level: LogLevel, text: str) -> None:
        lines.extend([text] if level < LogLevel.DEBUG else [])

    return parse_sofia_conf(etree.fromstring(CONF), log, DEFAULTS, xml, only=only), lines


def test_global_settings_are_read_and_what_is_wrong_is_told() -> None:
    found, lines = conf()
    assert (found.settings.log_level, found.settings.tracelevel) == (9, LogLevel.DEBUG)
    assert lines == [
        "Profile [Internal] Already exists.",
        "Unknown param no-such in sofia.conf",
        "capture-server is not supported",
    ]


def test_profiles_have_their_gateways_and_those_of_the_directorys_users() -> None:
    found, _ = conf()
    internal = found.profile("INTERNAL")
    assert internal is not None
    assert [gateway.name for gateway in internal.gateways] == ["own", "of-a-user"]
    assert internal.domain_aliases == ("a.example", "b.example")
    external = found.profile("external")
    assert external is not None
    assert (external.gateways, external.domain_aliases) == ((), ("b.example",))


def test_one_profile_alone_can_be_read() -> None:
    assert [profile.name for profile in conf("EXTERNAL")[0].profiles] == ["external"]
    assert conf("other")[0].profile("other") is None
