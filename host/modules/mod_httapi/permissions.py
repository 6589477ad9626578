"""What a profile lets a server do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from host.truth import is_true

if TYPE_CHECKING:
    from lxml import etree

_DIAL: Final = "dial"
_CONFERENCE: Final = "conference"
_NAMES: Final = (
    "set-params",
    "set-vars",
    "get-vars",
    "extended-data",
    "execute-apps",
    "expand-vars",
    _DIAL,
    "dial-set-context",
    "dial-set-dialplan",
    "dial-set-cid-name",
    "dial-set-cid-number",
    "dial-full-originate",
    _CONFERENCE,
    "conference-set-profile",
)
# The lists inside a permission and the tags of their members.
_LISTS: Final = {
    "set-vars": (("variable-list", "variable"),),
    "get-vars": (("variable-list", "variable"),),
    "execute-apps": (("application-list", "application"),),
    "expand-vars": (("variable-list", "variable"), ("api-list", "api")),
}


@dataclass(frozen=True, slots=True)
class NameList:
    """Names that are allowed or denied; names in any case."""

    names: dict[str, bool]
    default: bool = False

    def allows(self, name: str) -> bool:
        """Tell whether a name is allowed."""
        return self.names.get(name.lower(), self.default)


@dataclass(slots=True)
class Permissions:
    """What is permitted, by FreeSWITCH's names, and the lists that permissions have, by name and tag."""

    permitted: set[str] = field(default_factory=lambda: {"set-params", _DIAL, _CONFERENCE})
    lists: dict[tuple[str, str], NameList] = field(default_factory=dict)

    def may(self, name: str) -> bool:
        """Tell whether something is permitted at all."""
        return name in self.permitted

    def lists_name(self, permission: str, name: str, tag: str = "variable-list") -> bool:
        """Tell whether a permission's list, where it has one, allows a name."""
        listed = self.lists.get((permission, tag))
        return listed is None or listed.allows(name)

    def may_with(self, permission: str, name: str, tag: str = "variable-list") -> bool:
        """Tell whether something is permitted with a name: a variable, an application."""
        return self.may(permission) and self.lists_name(permission, name, tag)


def read_permissions(element: etree._Element | None) -> Permissions:
    """Return the permissions of a profile; the parts of `dial` and `conference` permit the whole, too.

    FreeSWITCH: what a list does with other names is told by `default` of the permission, not of the list, and `none`
    takes everything away only with `false` (with `true` it gives everything; not here).
    """
    found = Permissions()
    for permission in element.iterchildren("permission") if element is not None else ():
        name, allowed = permission.get("name", "").lower(), is_true(permission.get("value"))
        if name in ("all", "none"):
            found.permitted = set(_NAMES) if name == "all" and allowed else set()
            continue
        if name not in _NAMES:
            continue
        if not allowed:
            found.permitted.discard(name)
            continue
        found.permitted |= {name, *(whole for whole in (_DIAL, _CONFERENCE) if name.startswith(f"{whole}-"))}
        default = permission.get("default", "").lower() == "allow"
        for tag, member in _LISTS.get(name, ()):
            listed = permission.find(tag)
            if listed is not None:
                found.lists[name, tag] = _names(listed, member, default)
    return found


def _names(listed: etree._Element, member: str, default: bool) -> NameList:
    names = {
        child.get("name", "").lower(): not (child.get("type") or ("deny" if default else "allow")).startswith(
            "d"
        )
        for child in listed.iterchildren(member)
        if child.get("name")
    }
    return NameList(names, default)
