"""What a registration asks of presence and voicemail: PRESENCE_IN, PRESENCE_PROBE and MESSAGE_QUERY.

FreeSWITCH: by the profile's `send-presence-on-register` and `send-message-query-on-register`, or the user's
variables of these names; of one user once in half a minute.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from host.modules.mod_sofia.registration.digest_server import Accepted
from host.modules.mod_sofia.registration.registration_events import fire_presence
from host.modules.mod_sofia.registration.registrations import Binding
from host.truth import is_true

if TYPE_CHECKING:
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
    from host.switch import Switch

_PROTO: Final = "sip"
_DEBOUNCE: Final = 30.0  # seconds in which a user is told of once
_MOST_DEBOUNCED: Final = 50_000  # users that are remembered for it


class RegistrationPresence:
    """What one profile tells of its users. Thread-safe."""

    def __init__(self, switch: Switch, settings: ProfileSettings) -> None:
        self._switch = switch
        self._settings = settings
        self._told: dict[str, float] = {}
        self._lock = threading.Lock()

    def came(self, binding: Binding, accepted: Accepted | None) -> None:
        """Tell of a user who registered; `accepted.uses` is 1 where it is the first time."""
        first = accepted is not None and accepted.uses == 1
        fresh = self._is_fresh(f"{binding.mwi_user}@{binding.mwi_host}")
        own = accepted.variable("send-message-query-on-register") if accepted is not None else ""
        query = _wanted(own, self._settings.send_message_query_on_register)
        if query == "all" or (query == "first-only" and first and fresh):
            headers = (
                ("Message-Account", f"{_PROTO}:{binding.mwi_user}@{binding.mwi_host}"),
                ("VM-Sofia-Profile", binding.profile_name),
                ("VM-Call-ID", binding.call_id),
            )
            fire_presence(self._switch, headers, "MESSAGE_QUERY")
        own = accepted.variable("send-presence-on-register") if accepted is not None else ""
        wanted = {_wanted(own, ""), self._settings.send_presence_on_register}
        if fresh and ("all" in wanted or ("first-only" in wanted and first)):
            self._tell(f"{binding.sip_user}@{binding.sub_host or binding.sip_host}", binding.profile_name)

    def left(self, who: str, user_agent: str, *, by_phone: bool) -> None:
        """Tell that `user@host` is reached nowhere, because its phone says so or because the time ran out."""
        headers = [
            ("proto", _PROTO),
            ("rpid", "unknown" if by_phone else "away"),
            ("login", self._settings.url),
        ]
        headers += [("user-agent", user_agent), ("from", who), ("status", "Unregistered")]
        headers += [("presence-source", "register")] if by_phone else []
        fire_presence(self._switch, [*headers, ("event_type", "presence")])

    def _tell(self, who: str, profile: str) -> None:
        common = (("proto", _PROTO), ("login", profile))
        if self._settings.presence_probe_on_register:
            rest = (("event_type", "presence"), ("presence-source", "register"), ("alt_event_type", "dialog"))
            fire_presence(self._switch, (*common, ("from", who), ("to", who), *rest), "PRESENCE_PROBE")
        else:
            rest = (("from", who), ("rpid", "unknown"), ("status", "Registered"))
            fire_presence(self._switch, (*common, ("presence-source", "register"), *rest))

    def _is_fresh(self, account: str) -> bool:
        """Return whether an account was not told of in the last half minute, and note that it is now."""
        now = self._switch.clock.now() / 1_000_000
        with self._lock:
            before = self._told.get(account)
            if before is not None and now - before <= _DEBOUNCE:
                return False
            if len(self._told) >= _MOST_DEBOUNCED:
                self._told = {name: at for name, at in self._told.items() if now - at <= _DEBOUNCE}
            self._told[account] = now
            return True


def _wanted(own: str, profiles: str) -> str:
    """Return `all`, `first-only` or another word for never: the user's own word where there is one."""
    if not own:
        return profiles
    return "all" if is_true(own) else "first-only" if own.lower() == "first-only" else "none"
