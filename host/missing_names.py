"""What a configuration names and this switch does not have: told once, by name, when the switch has started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.log import LogLevel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lxml.etree import _Element

    from host.switch import Switch

_ACTIONS: Final = ("action", "anti-action")
# Names that are only known when a call is there to ask.
_EXPANDED: Final = "${"


def missing_applications(switch: Switch) -> list[str]:
    """Return the applications, by name, that the XML dialplan runs and nobody has registered."""
    named = (
        element.get("application", "")
        for dialplan in _sections(switch, "dialplan")
        for tag in _ACTIONS
        for element in dialplan.iter(tag)
    )
    return _unknown(named, lambda name: switch.applications.get(name) is not None)


def missing_endpoints(switch: Switch) -> list[str]:
    """Return the endpoints, by name, that the dialplan's bridges and the directory's dial strings begin with."""
    dial_strings = [
        element.get("data", "")
        for dialplan in _sections(switch, "dialplan")
        for tag in _ACTIONS
        for element in dialplan.iter(tag)
        if element.get("application") == "bridge"
    ]
    dial_strings += [
        param.get("value", "")
        for directory in _sections(switch, "directory")
        for param in directory.iter("param")
        if param.get("name") in ("dial-string", "group-dial-string")
    ]
    return _unknown(
        (_endpoint(text) for text in dial_strings), lambda name: switch.endpoints.get(name) is not None
    )


def report_missing(switch: Switch) -> None:
    """Log what is missing, one line for each kind."""
    for what, names in (
        ("the dialplan runs applications", missing_applications(switch)),
        ("dial strings begin with endpoints", missing_endpoints(switch)),
    ):
        if names:
            switch.log(
                LogLevel.WARNING, f"In the configuration {what} that are not there: {', '.join(names)}"
            )


def _sections(switch: Switch, name: str) -> Iterable[_Element]:
    return (section for section in switch.xml.root.iterfind("section") if section.get("name") == name)


def _unknown(names: Iterable[str], known: Callable[[str], bool]) -> list[str]:
    return sorted({name for name in names if name and _EXPANDED not in name and not known(name)})


def _endpoint(dial_string: str) -> str:
    """Return the endpoint of a dial string's first leg, empty where it cannot be told without a call."""
    text = dial_string.strip()
    while text[:1] in ("{", "[", "<"):
        close = {"{": "}", "[": "]", "<": ">"}[text[0]]
        depth = end = 0
        while end < len(text) and (depth or not end):
            depth += (text[end] == text[0]) - (text[end] == close)
            end += 1
        if depth:
            return ""
        text = text[end:].strip()
    name, slash, _ = text.partition("/")
    return name if slash and name.replace("_", "").isalnum() else ""
