"""The directory section: domains, their groups and users, and what a user inherits from both."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Final, Protocol

from lxml import etree

from host.xml_text import named_child, parse_xml, xml_text

# What a user takes over: (the container, what is in it).
_INHERITED = (("params", "param"), ("variables", "variable"), ("profile-variables", "variable"))


_DELIMITERS: Final = {"F": "|", "A": ",", "E": ":_:"}


class _Locate(Protocol):
    def __call__(
        self,
        section: str,
        tag: str | None = None,
        key_name: str | None = None,
        key_value: str | None = None,
        params: Mapping[str, str] | None = None,
    ) -> etree._Element | None: ...


@dataclass(frozen=True, slots=True)
class DirectoryUser:
    """A user with what it inherits: its own settings win over its group's, those over its domain's.

    `element` is a copy that belongs to the caller; it bears the attribute `domain-name`. `group` is the name of
    the group that the user was found in, empty without one.
    """

    element: etree._Element
    group: str

    def attribute(self, name: str) -> str | None:
        """Return an attribute of the user element, None without."""
        return self.element.get(name)

    def param(self, name: str) -> str | None:
        """Return a param's value by its name in any case; the last of several, None without."""
        return setting(self.element, "params", name)

    def variable(self, name: str) -> str | None:
        """Return a variable's value by its name in any case; the last of several, None without."""
        return setting(self.element, "variables", name)

    def params(self) -> list[tuple[str, str]]:
        """Return all params in their order."""
        return list(settings(self.element, "params"))

    def variables(self) -> list[tuple[str, str]]:
        """Return all variables in their order."""
        return list(settings(self.element, "variables"))

    def profile_variables(self) -> list[tuple[str, str]]:
        """Return what goes to the caller profile, in its order."""
        return list(settings(self.element, "profile-variables"))


def group_delimiter(flags: str) -> str:
    """Return what parts the members of a group that is called: by `F` one after another, by `E` each on its own.

    FreeSWITCH: of several flags the last that is known holds; all at once (`A`) without one.
    """
    known = [_DELIMITERS[flag] for flag in flags if flag in _DELIMITERS]
    return known[-1] if known else ","


def settings(element: etree._Element, container: str) -> Iterator[tuple[str, str]]:
    """Yield the (name, value) pairs of a container (`params`, `variables`, `profile-variables`) of an element."""
    inside = element.find(container)
    for entry in inside.iterchildren(dict(_INHERITED)[container]) if inside is not None else ():
        name, value = entry.get("name"), entry.get("value")
        if name is not None and value is not None:
            yield name, value


def setting(element: etree._Element, container: str, name: str) -> str | None:
    """Return the last value of `name` (in any case) in a container of an element, None without."""
    values = [value for key, value in settings(element, container) if key.lower() == name.lower()]
    return values[-1] if values else None


class Directory:
    """Looks up the directory; `locate` is the registry's, `now_ms` the time in ms that cached users expire by."""

    def __init__(self, locate: _Locate, now_ms: Callable[[], int]) -> None:
        self._locate = locate
        self._now_ms = now_ms
        self._cache: dict[tuple[str, str, str], tuple[DirectoryUser, int | None]] = {}
        self._lock = threading.Lock()

    def domain(self, name: str, params: Mapping[str, str] | None = None) -> etree._Element | None:
        """Return the domain element; None without. `params` go to the bindings, as everywhere here."""
        return self._locate("directory", "domain", "name", name, params or {"domain": name})

    def group(self, name: str, domain: str, params: Mapping[str, str] | None = None) -> etree._Element | None:
        """Return the element of a domain's group; None without."""
        found = self.domain(domain, {**(params or {}), "group_name": name, "domain": domain})
        groups = found.find("groups") if found is not None else None
        return named_child(groups, "group", "name", name) if groups is not None else None

    def in_group(self, user: str, domain: str, group: str) -> bool:
        """Return whether the group lists the user, also as a pointer."""
        found = self.group(group, domain, {"user": user})
        users = found.find("users") if found is not None else None
        return users is not None and named_child(users, "user", "id", user) is not None

    def user(
        self,
        user: str,
        domain: str,
        *,
        key: str = "id:number-alias",
        ip: str | None = None,
        params: Mapping[str, str] | None = None,
        relaid: bool = False,
    ) -> DirectoryUser | None:
        """Return the user whose attribute `key` (several with `:` between them) is `user`; None without.

        The key `id` stands for `number-alias` too. Groups come before the domain's own users; pointers
        (`type="pointer"`) are passed over, unless the param `user_type` is `pointer` or `any`. With `ip`, a user
        of that address comes first. A user with `cacheable` (a number of ms, or any text for ever) is remembered.
        `relaid` gives its element the blanks that it has in FreeSWITCH, which writes and reads it before it adds to
        it: for those who show it.
        """
        for one_key in key.split(":"):
            cache_key = (one_key, user, domain)
            cached = self._cached(cache_key)
            if cached is not None:
                return cached
            asked = {**(params or {}), "key": one_key, "user": user, "domain": domain}
            if ip is not None:
                asked["ip"] = ip
            found = self._lookup(one_key, user, domain, ip, asked, relaid=relaid)
            if found is not None:
                self._keep(cache_key, found)
                return found
        return None

    def users(self, domain: etree._Element) -> Iterator[tuple[str, etree._Element]]:
        """Yield (group name, user element) of a domain, pointers included; "" for users outside groups."""
        for group, users in _places(domain):
            for user in users.iterchildren("user"):
                yield (group.get("name", "") if group is not None else ""), user

    def flush_cache(self, key: str | None = None, user: str | None = None, domain: str | None = None) -> int:
        """Forget one remembered user, or all without the three; return how many that were."""
        with self._lock:
            if key is not None and user is not None and domain is not None:
                return 1 if self._cache.pop((key, user, domain), None) else 0
            count = len(self._cache)
            self._cache.clear()
            return count

    def group_dial_string(
        self, group: str, domain: str, expand: Callable[[str, Mapping[str, str]], str], delimiter: str = ","
    ) -> str | None:
        """Return what to dial for all members of a group (FreeSWITCH: group_call), None when there is no one.

        A member's own `group-dial-string` or `dial-string` counts, then its group's, then its domain's, else
        `user/ID@DOMAIN`. `expand(text, variables)` fills in `${…}` with `dialed_user`, `dialed_group` and
        `dialed_domain` given.
        """
        found_domain = self.domain(domain, {"group": group, "domain": domain, "action": "group_call"})
        groups = found_domain.find("groups") if found_domain is not None else None
        found = named_child(groups, "group", "name", group) if groups is not None else None
        users = found.find("users") if found is not None else None
        if found_domain is None or found is None or users is None:
            return None
        dialed: list[str] = []
        for member in users.iterchildren("user"):
            user_id = member.get("id", "")
            settings_of = member
            if member.get("type") == "pointer":
                pointed = self._find_in(found_domain, "id", user_id, None, None)
                if pointed is None:
                    continue
                settings_of = pointed[1]
            text = None
            for level in (settings_of, found, found_domain):
                text = setting(level, "params", "group-dial-string") or setting(
                    level, "params", "dial-string"
                )
                if text:
                    break
            names = {"dialed_user": user_id, "dialed_group": group, "dialed_domain": domain}
            dialed.append(flat_dial_string(expand(text, names) if text else f"user/{user_id}@{domain}"))
        return delimiter.join(dialed) or None

    def _lookup(
        self, key: str, user: str, domain: str, ip: str | None, params: Mapping[str, str], *, relaid: bool
    ) -> DirectoryUser | None:
        found_domain = self.domain(domain, params)
        found = (
            self._find_in(found_domain, key, user, ip, params.get("user_type"))
            if found_domain is not None
            else None
        )
        if found_domain is None or found is None:
            return None
        group, element = found
        merged = parse_xml(xml_text(element)) if relaid else deepcopy(element)
        merged.tail = None
        _inherit(merged, [giver for giver in (group, found_domain) if giver is not None])
        if found_domain.get("name"):
            merged.set("domain-name", found_domain.get("name", ""))
        return DirectoryUser(merged, group.get("name", "") if group is not None else "")

    def _find_in(
        self, domain: etree._Element, key: str, user: str, ip: str | None, user_type: str | None
    ) -> tuple[etree._Element | None, etree._Element] | None:
        for group, users in _places(domain):
            tests = [("ip", ip)] if ip is not None else []
            tests += [(key, user), ("number-alias", user)] if key == "id" else [(key, user)]
            wanted = [(name, value.lower()) for name, value in tests if value is not None]
            for element in users.iterchildren("user"):
                kind = element.get("type", "").lower()
                if kind == "pointer" if user_type is None else user_type.lower() not in ("any", kind):
                    continue
                if any(
                    element.get(name, "").lower() == value for name, value in wanted if name in element.attrib
                ):
                    return group, element
        return None

    def _cached(self, key: tuple[str, str, str]) -> DirectoryUser | None:
        with self._lock:
            found, expires = self._cache.get(key, (None, None))
        if found is None or (expires is not None and expires < self._now_ms()):
            return None
        return DirectoryUser(deepcopy(found.element), found.group)

    def _keep(self, key: tuple[str, str, str], user: DirectoryUser) -> None:
        cacheable = user.attribute("cacheable")
        if not cacheable:
            return
        expires = self._now_ms() + int(cacheable) if re.fullmatch(r"[0-9]{1,15}", cacheable) else None
        with self._lock:
            self._cache[key] = (DirectoryUser(deepcopy(user.element), user.group), expires)


def _places(domain: etree._Element) -> Iterator[tuple[etree._Element | None, etree._Element]]:
    """Yield (group or None, the element that holds users) in the order in which users are looked for."""
    groups = domain.find("groups")
    if groups is not None:
        for group in groups.iterchildren("group"):
            users = group.find("users")
            if users is not None:
                yield group, users
    users = domain.find("users")
    yield None, users if users is not None else domain


def _inherit(user: etree._Element, givers: list[etree._Element]) -> None:
    """Add to a user what the givers have and it has not; FreeSWITCH: in front of its own."""
    made: list[etree._Element] = []
    for container, tag in _INHERITED:
        into = user.find(container)
        if into is None:
            into = etree.Element(container)
            made.append(into)
        names = {entry.get("name", "").lower() for entry in into.iterchildren(tag)}
        added: list[etree._Element] = []
        for giver in givers:
            for name, value in settings(giver, container):
                if name.lower() not in names:
                    names.add(name.lower())
                    added.append(etree.Element(tag, {"name": name, "value": value}))
        _put_in_front(into, added)
    _put_in_front(user, made)


def _put_in_front(parent: etree._Element, added: list[etree._Element]) -> None:
    if added:
        added[-1].tail, parent.text = parent.text, None
        parent[:0] = added


def flat_dial_string(text: str) -> str:
    """Return a dial string with its leading `<…>` and `{…}` variables written as `[…]` before every leg.

    So several can be joined into one (FreeSWITCH: group_call). Legs' own variables come last and win, unless
    `local_var_clobber=true` stands among the leading ones, which then come last.
    """
    everywhere, rest = _leading(text, "<", ">")
    call, rest = _leading(rest, "{", "}")
    out: list[str] = []
    while rest:
        leg, rest = _leading(rest, "[", "]")
        early = [given for given in (everywhere, call) if given and leg and not _clobbers(given)]
        late = [given for given in (call, everywhere) if given and (not leg or _clobbers(given))]
        out += [*early, leg] if leg else []
        rest = rest.lstrip(" ")
        if not rest:
            break
        out += late
        cut = re.search(r",|\||:_:", rest)
        if cut is None:
            out.append(rest)
            break
        if cut.end() == len(rest):
            out.append(rest[: cut.start()])
            break
        out.append(rest[: cut.end()])
        rest = rest[cut.end() :]
        if cut[0] == ":_:":
            call, rest = _leading(rest, "{", "}")
    return "".join(out)


def _leading(text: str, opening: str, closing: str) -> tuple[str, str]:
    """Return the brackets at the start of `text`, with `[` and `]` instead, and what is behind them."""
    found = ""
    while text.lstrip(" ").startswith(opening):
        text = text.lstrip(" ")
        depth = 0
        for index, character in enumerate(text):
            depth += (character == opening) - (character == closing)
            if depth == 0:
                found += "[" + text[1:index] + "]"
                text = text[index + 1 :]
                break
        else:
            return found, text
    return found, text


def _clobbers(variables: str) -> bool:
    return "local_var_clobber=true" in variables
