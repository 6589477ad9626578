"""ENUM without the network: a number's domain, and the routes that NAPTR records offer for it (RFC 6116, RFC 3402)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from host.byte_text import folded
from host.expansion import holds_variable
from host.regex import RegexError, search

_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class NaptrError(ValueError):
    """A record that no address can be made of; the text says why."""


@dataclass(frozen=True, slots=True)
class Naptr:
    """What ENUM reads of a NAPTR record (RFC 3403 4.1)."""

    order: int
    preference: int
    service: str
    regexp: str


@dataclass(frozen=True, slots=True)
class Route:
    """How enum.conf makes a dial string of a service's address: `regex` finds in it what `replace` asks for."""

    service: str
    regex: str
    replace: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A way to the number: the dial string of a route, or the bare address where no route supports the service."""

    order: int
    preference: int
    service: str
    route: str
    supported: bool


def domain_of(number: str, root: str) -> str:
    """Return the domain of a number below `root`: its digits, the last first (RFC 6116 3.2)."""
    return "".join(f"{digit}." for digit in reversed(number) if "0" <= digit <= "9") + root


def address(number: str, regexp: str) -> str | None:
    """Return what a record's substitution expression makes of `number`, None where it is for other numbers.

    RFC 3402 3.2: `!ere!repl!flags`, where any character may delimit, and the flag `i` ignores case; FreeSWITCH:
    the result is the replacement alone. NaptrError for an expression that is none, and for an address with control
    characters or variables: it comes from afar, and becomes part of a dial string.
    """
    pattern, replacement, flags = _fields(regexp)
    if flags not in ("", "i"):
        raise NaptrError(f"unknown flags in [{regexp}]")
    try:
        match = search(number, f"(?{flags}:{pattern})")
    except RegexError as error:
        raise NaptrError(str(error)) from None
    if match is None:
        return None
    groups = match.groups

    def unescaped(escape: re.Match[str]) -> str:
        character = escape[1]
        if not "0" <= character <= "9":
            return character
        return (groups[int(character)] or "") if int(character) < len(groups) else ""

    made = _ESCAPED.sub(unescaped, replacement)
    if _CONTROL.search(made) or holds_variable(made):
        raise NaptrError(f"refused [{regexp}]")
    return made


def offers(
    number: str,
    records: Iterable[Naptr],
    routes: Iterable[Route],
    expand: Callable[[str], str],
    tell: Callable[[str], object],
) -> list[Offer]:
    """Return the offers of `records`, in their order; `tell` is told of those that cannot be used.

    FreeSWITCH: every route of a record's service whose pattern finds something makes an offer, its variables put in
    by `expand`; a record that no route supports is offered as it is.
    """
    routes = list(routes)
    found = []
    for record in records:
        if not record.service or not record.regexp:
            continue
        try:
            uri = address(number, record.regexp)
        except NaptrError as error:
            tell(f"Invalid NAPTR record: {error}")
            continue
        if uri is None:
            continue
        dial_strings = [
            dial_string
            for route in routes
            if folded(route.service) == folded(record.service)
            and (dial_string := _dial_string(uri, route, tell)) is not None
        ]
        found += [
            Offer(record.order, record.preference, record.service, expand(text), supported=True)
            for text in dial_strings
        ] or [Offer(record.order, record.preference, record.service, uri, supported=False)]
    return found


def dial_list(found: Iterable[Offer]) -> str:
    """Return the supported offers as one dial string: `,` between those of the same order and preference, else `|`."""
    text = ""
    rank: tuple[int, int] | None = None
    for offer in found:
        if offer.supported:
            former, rank = rank, (offer.order, offer.preference)
            text += offer.route if former is None else f"{',' if former == rank else '|'}{offer.route}"
    return text


def _dial_string(uri: str, route: Route, tell: Callable[[str], object]) -> str | None:
    try:
        match = search(uri, route.regex)
    except RegexError as error:
        tell(f"Invalid Route! {error}")
        return None
    if match is None:
        return None
    return match.substitute(route.replace) if "(" in route.regex else route.replace


def _fields(regexp: str) -> tuple[str, str, str]:
    """Return the pattern, the replacement and the flags; a delimiter after a backslash is none."""
    delimiter = regexp[:1]
    if not delimiter or delimiter.isdigit() or delimiter in "i\\":
        raise NaptrError(f"no delimiter in [{regexp}]")
    fields = [""]
    characters = iter(regexp[1:])
    for character in characters:
        if character == delimiter:
            fields.append("")
        elif character == "\\":
            following = next(characters, "")
            fields[-1] += following if following == delimiter else character + following
        else:
            fields[-1] += character
    if len(fields) != 3:
        raise NaptrError(f"not of the form !pattern!replacement!flags: [{regexp}]")
    return fields[0], fields[1], fields[2]
