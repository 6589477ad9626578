"""The core's list of registrations, kept in step with a profile's: what `show registrations` and `reg_url` read."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final
from weakref import WeakKeyDictionary

from host.modules.mod_sofia.registration.registration_lookup import dial_url
from host.modules.mod_sofia.registration.registrations import Binding
from host.registration import Registration
from host.switch import Switch
from host.truth import is_true

_LOCK: Final = threading.Lock()  # the list is the switch's, and all profiles change it
# By switch: the token of what is listed for a user and realm, or for an address where several may be.
_LISTED: Final[WeakKeyDictionary[Switch, dict[tuple[str, str], str]]] = WeakKeyDictionary()


class CoreRegistrations:
    """A profile's part of `switch.registrations`.

    The dictionary there is replaced, not changed, for others go through it in threads of their own.
    """

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._mine: set[str] = set()
        configuration = switch.xml.configuration("switch.conf")
        params = configuration.findall("settings/param") if configuration is not None else []
        # FreeSWITCH: the core keeps one registration of a user, unless switch.conf says otherwise.
        self._several = any(
            param.get("name") == "multiple-registrations" and is_true(param.get("value")) for param in params
        )

    def add(self, bindings: Iterable[Binding], metadata: str = "") -> None:
        """List registrations in place of earlier ones of the user, or of the same address where several may be."""
        with _LOCK:
            tokens = _LISTED.setdefault(self._switch, {})
            listed = dict(self._switch.registrations)
            for binding in bindings:
                entry, token = _entry(binding, metadata), _token(binding)
                earlier = tokens.get(self._place(entry))
                if earlier is not None:
                    listed.pop(earlier, None)
                tokens[self._place(entry)] = token
                listed[token] = entry
                self._mine.add(token)
            self._switch.registrations = listed

    def remove(self, bindings: Iterable[Binding]) -> None:
        """Take registrations off the list; harmless for those that are not on it."""
        self._drop({_token(binding) for binding in bindings})

    def clear(self) -> None:
        """Take all of the profile off the list."""
        self._drop(set(self._mine))

    def _drop(self, tokens: set[str]) -> None:
        if not tokens:
            return
        with _LOCK:
            self._mine -= tokens
            listed, places = dict(self._switch.registrations), _LISTED.setdefault(self._switch, {})
            for token in tokens:
                entry = listed.pop(token, None)
                if entry is not None and places.get(self._place(entry)) == token:
                    del places[self._place(entry)]
            self._switch.registrations = listed

    def _place(self, entry: Registration) -> tuple[str, str]:
        """Return what only one entry has."""
        return ("", entry.url) if self._several else (entry.reg_user, entry.realm)


def _token(binding: Binding) -> str:
    return f"{binding.profile_name} {binding.call_id} {binding.contact}"


def _entry(binding: Binding, metadata: str) -> Registration:
    kind = binding.status.lower()
    proto = "tls" if "(tls" in kind else "tcp" if "(tcp" in kind else "udp"
    return Registration(
        binding.sip_user,
        binding.sip_host,
        binding.call_id,
        dial_url(binding),
        str(binding.expires),
        binding.network_ip,
        binding.network_port,
        proto,
        binding.hostname,
        metadata,
    )
