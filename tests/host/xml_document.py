"""Documents as the switch loads them, written shorter than XML is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.sax.saxutils import quoteattr


def section(name: str, contents: str) -> str:
    """Return a document of one section."""
    return f'<document type="freeswitch/xml"><section name="{name}">{contents}</section></document>'


def configuration(name: str, contents: str) -> str:
    """Return a document of one configuration, such as ``switch.conf``."""
    return section("configuration", f'<configuration name="{name}">{contents}</configuration>')


def settings(name: str, given: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    """Return a document of one configuration that has only settings."""
    return configuration(name, f"<settings>{params(given)}</settings>")


def params(given: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    """Return an element `param` for each name and value."""
    pairs = given.items() if isinstance(given, Mapping) else given
    return "".join(f"<param name={quoteattr(name)} value={quoteattr(value)}/>" for name, value in pairs)


def named(tag: str, things: Mapping[str, Mapping[str, str]]) -> str:
    """Return an element `tag` with params for each name."""
    return "".join(f"<{tag} name={quoteattr(name)}>{params(given)}</{tag}>" for name, given in things.items())


def extension(number: str, *actions: str) -> str:
    """Return the extension of a destination number, a pattern; an action is ``application`` or ``application data``."""
    steps = "".join(_action(*action.split(" ", 1)) for action in actions)
    return (
        f"<extension name={quoteattr(number)}>"
        f'<condition field="destination_number" expression={quoteattr(f"^{number}$")}>{steps}</condition></extension>'
    )


def context(name: str, *extensions: str) -> str:
    """Return a document of one dialplan context."""
    return section("dialplan", f'<context name="{name}">{"".join(extensions)}</context>')


def _action(application: str, data: str = "") -> str:
    return f"<action application={quoteattr(application)} data={quoteattr(data)}/>"
