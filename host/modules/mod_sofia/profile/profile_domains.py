"""The directory's part in a profile: its domains as aliases, and the gateways of its users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml import etree

    from host.modules.mod_sofia.profile.profile_settings import ProfileDomain, ProfileSettings
    from host.xml_registry import XmlRegistry


def domain_aliases(profile: ProfileSettings, xml: XmlRegistry | None) -> tuple[str, ...]:
    """Return the domains of the directory that a profile goes by as well. May block: bindings are asked."""
    return tuple(name for name, _, wanted in _domains(profile, xml) if wanted.alias)


def gateway_elements(
    profile: ProfileSettings, element: etree._Element, xml: XmlRegistry | None
) -> Iterator[etree._Element]:
    """Yield the `<gateway>` of a `<profile>`, then those of the users in its domains with `parse`. May block."""
    yield from element.iterfind("gateways/gateway")
    for _, domain, wanted in _domains(profile, xml):
        if wanted.parse and xml is not None:
            for _, user in xml.directory.users(domain):
                yield from user.iterfind("gateways/gateway")


def _domains(
    profile: ProfileSettings, xml: XmlRegistry | None
) -> Iterator[tuple[str, etree._Element, ProfileDomain]]:
    params = {"purpose": "gateways", "profile": profile.name}
    for wanted in profile.domains:
        if xml is None or not (wanted.alias or wanted.parse):
            continue
        if wanted.name.lower() == "all":
            directory = xml.section("directory", params)
            for domain in directory.iterfind("domain") if directory is not None else ():
                if domain.get("name"):
                    yield domain.get("name", ""), domain, wanted
        else:
            found = xml.directory.domain(wanted.name, {**params, "domain": wanted.name})
            if found is not None:
                yield wanted.name, found, wanted
