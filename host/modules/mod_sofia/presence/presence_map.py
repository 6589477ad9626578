"""`presence_map.conf`: extensions whose presence belongs to another protocol (conferences, parking slots)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.regex import RegexError, search

if TYPE_CHECKING:
    from lxml import etree

CONFIGURATION: Final = "presence_map.conf"


class PresenceMap:
    """The rules of a configuration: for each domain, or `*`, expressions and the protocol of what they match."""

    def __init__(self, configuration: etree._Element | None) -> None:
        """Read `<domains><domain name><exten regex proto/></domain></domains>`; None is no rules."""
        self._rules: list[tuple[str, str, str]] = []
        if configuration is None:
            return
        for domain in configuration.iterfind("domains/domain"):
            for rule in domain.iterfind("exten"):
                expression, proto = rule.get("regex"), rule.get("proto")
                if expression and proto:
                    self._rules.append(((domain.get("name") or "").lower(), expression, proto))

    def find(self, user: str, host: str) -> str:
        """Return the protocol of somebody, empty without one."""
        for domain, expression, proto in self._rules:
            if domain not in ("*", host.lower()):
                continue
            try:
                if search(user, expression) is not None:
                    return proto
            except RegexError:
                continue
        return ""
