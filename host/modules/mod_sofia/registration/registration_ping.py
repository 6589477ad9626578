"""OPTIONS to registered phones: they keep a NAT open and tell whether the phone is still there.

FreeSWITCH: `nat-options-ping` (or `all-reg-options-ping`, or `force_ping` of a user) pings in the middle every
`ping-mean-interval` s; a count between `sip-user-ping-min` and `-max` goes up with each answer and down without.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from host.log import LogLevel
from host.modules.mod_sofia.message import Message, OutgoingRequest, status_of
from host.modules.mod_sofia.registration.contact_route import towards
from host.modules.mod_sofia.registration.registrar_profile import RegistrarProfile
from host.modules.mod_sofia.registration.registration_events import fire_user_state
from host.modules.mod_sofia.registration.registrations import REACHABLE, UNREACHABLE, Binding, Registrations
from host.sql_store import SqlError

_ALIVE: Final = (200, 486)  # FreeSWITCH: a phone that is busy is there
# What goes out in one round; with an interval of 30 s and a round each second that is 15,000 phones.
_MOST: Final = 500
_SELDOM: Final = 30  # seconds


class RegistrationPing:
    """The pings of one profile. `ping_due` is called by a worker about every second."""

    def __init__(self, profile: RegistrarProfile, registrations: Registrations) -> None:
        self._profile = profile
        self._registrations = registrations

    def ping_due(self) -> int:
        """Send OPTIONS to those whose turn it is; return how many. May block."""
        switch, settings = self._profile.switch, self._profile.settings
        now = switch.clock.time() // 1_000_000
        # What a user alone asks for is not worth a query of a shared table each second.
        if self._registrations.shared and not self._wanted_by_profile() and now % _SELDOM:
            return 0
        due = [
            one
            for one in self._registrations.own()
            if one.ping_expires <= now and one.orig_hostname == switch.hostname and self._is_pinged(one)
        ]
        for binding in due[:_MOST]:
            changed = replace(binding, ping_expires=now + max(settings.ping_mean_interval, 1))
            self._registrations.change(binding, changed)
            self._send(changed)
        return min(len(due), _MOST)

    def _wanted_by_profile(self) -> bool:
        return bool(self._profile.settings.all_reg_options_ping or self._profile.settings.nat_options_ping)

    def _is_pinged(self, binding: Binding) -> bool:
        settings = self._profile.settings
        if settings.all_reg_options_ping or binding.force_ping:
            return True
        if settings.nat_options_ping == "udp-only":
            return "UDP-NAT" in binding.status
        return bool(settings.nat_options_ping) and (
            "NAT" in binding.status or "fs_nat=yes" in binding.contact
        )

    def _send(self, binding: Binding) -> None:
        clock, url = self._profile.switch.clock, self._profile.settings.url
        sent = clock.now()

        def answered(response: Message) -> None:
            code, phrase = status_of(response)
            if code >= 200:
                taken = clock.now() - sent
                self._profile.sofia.stack.work(lambda: self._note(binding, code, phrase, taken))

        request = OutgoingRequest(
            "OPTIONS",
            "",
            url,
            f"sip:{binding.sip_user}@{binding.sip_host}",
            on_response=answered,
            call_id=f"{self._profile.switch.new_uuid()}_{binding.call_id}",
            contact=f"<{url}>",
        )
        self._profile.send_request(towards(binding.contact, request))

    def _note(self, pinged: Binding, code: int, phrase: str, taken: int) -> None:
        """Count an answer, or a time-out (408); `taken` is µs."""
        try:
            found = self._registrations.find(pinged.sip_user, pinged.sip_host)
            for binding in found:
                if binding.key == pinged.key:
                    self._count(binding, code, phrase, taken)
        except SqlError as error:
            self._profile.switch.log(LogLevel.ERR, f"Registrations of {self._profile.name}: {error}")

    def _count(self, binding: Binding, code: int, phrase: str, taken: int) -> None:
        switch, settings = self._profile.switch, self._profile.settings
        who = f"{binding.sip_user}@{binding.sip_host}"
        alive = code in _ALIVE
        count = binding.ping_count + (1 if alive else -1)
        word = "succeeded" if alive else "failed"
        changed = replace(binding, ping_time=taken)
        if 0 <= count <= settings.sip_user_ping_max:
            switch.log(
                LogLevel.DEBUG,
                f"Ping to sip user '{who}' {word} with code {code} - count {count}, state {binding.ping_status}",
            )
            changed = replace(changed, ping_count=count)
        status = binding.ping_status
        if alive and count >= settings.sip_user_ping_min:
            status = REACHABLE
        elif not alive and count < settings.sip_user_ping_min:
            status = UNREACHABLE
        if status != binding.ping_status:
            switch.log(LogLevel.WARNING, f"Sip user '{who}' is now {status}")
            changed = replace(changed, ping_status=status)
            fire_user_state(switch, binding, status == REACHABLE, code, phrase)
            if status == UNREACHABLE and settings.unregister_on_options_fail:
                switch.log(LogLevel.WARNING, f"Expire sip user '{who}' due to options failure")
                changed = replace(changed, expires=switch.clock.time() // 1_000_000)
        self._registrations.change(binding, changed)
