"""The login to a mailbox: which box it is, and its password."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from host.byte_text import to_bytes
from host.ivr.sleep import sleep
from host.log import LogLevel
from host.modules.mod_voicemail.events import fire_maintenance
from host.modules.mod_voicemail.prompts import ask, say
from host.status import Status

if TYPE_CHECKING:
    from host.modules.mod_voicemail.mailboxes import BoxUser, LoadedProfile, Mailboxes
    from host.modules.mod_voicemail.profile import Profile
    from host.session import Session

_USER_CHOOSES = "user-choose"
_PAUSE_MS = 100


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a password is measured by: that of the directory, that which the user chose, and a hash of the first."""

    given: str = ""
    chosen: str = ""
    digest: str = ""
    open: bool = False  # the user may choose a password, and has not yet

    def admits(self, profile: Profile, user: str, domain: str, entered: str) -> bool:
        """Return whether a password opens the box; FreeSWITCH: without any password any entry does, if allowed."""
        if self.chosen and _same(self.chosen, entered):
            return True
        if not self.given and not self.digest and not self.chosen:
            return profile.flag("allow-empty-password-auth")
        if profile.flag("db-password-override") and self.chosen:
            return False
        if self.digest:
            text = to_bytes(f"{user}:{domain}:{entered}")
            if _same(self.digest.lower(), hashlib.md5(text, usedforsecurity=False).hexdigest()):
                return True
        return bool(self.given) and _same(self.given, entered)


def credentials(profile: Profile, user: BoxUser, chosen: str) -> Credentials:
    """Return what the directory (`vm-password` before `password`, `vm-a1-hash` before `a1-hash`) and the box say."""
    params = user.params
    given = params.get("vm-password", "")
    digest = params.get("vm-a1-hash") or params.get("a1-hash") or ""
    if given.lower() != _USER_CHOOSES:
        return Credentials(given or params.get("password", ""), chosen, digest)
    unset = not chosen and profile.flag("allow-empty-password-auth")
    return Credentials("" if chosen else params.get("password", ""), chosen, digest, unset)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(to_bytes(one), to_bytes(other))


class Login:
    """Asks for the id, if it is not known, and the password. `exhausted`: every attempt was used up."""

    def __init__(
        self,
        session: Session,
        boxes: Mailboxes,
        loaded: LoadedProfile,
        domain: str,
        name: str,
        *,
        authorized: bool,
    ) -> None:
        self.session = session
        self.boxes = boxes
        self.loaded = loaded
        self.domain = domain
        self.name = name
        self.authorized = authorized
        self.exhausted = False

    def run(self) -> BoxUser | None:
        """Return the user who is in; None when the caller is not let in or is gone."""
        session, profile = self.session, self.loaded.profile
        name = self.name
        for _ in range(profile.number("max-login-attempts")):
            sleep(session, _PAUSE_MS)
            if not session.channel.ready:
                return None
            if not name:
                entered, status = self._enter("enter_id")
                if not status:
                    return None
                if not entered:
                    continue
                name = entered
            user = self._find(name)
            if user is None:
                return None
            chosen = self.loaded.store.preferences(user.id, self.domain).password
            known = credentials(profile, user, chosen)
            admitted = self.authorized or known.open
            if not admitted:
                password, status = self._enter("enter_pass")
                if not status:
                    return None
                if not password:
                    continue
                admitted = known.admits(profile, user.id, self.domain, password)
            self._tell(user, admitted)
            if admitted:
                return user
            say(session, "fail_auth")
            name = self.name
        self.exhausted = True
        return None

    def _enter(self, macro: str) -> tuple[str, Status]:
        profile = self.loaded.profile
        terminator = profile.key("terminator")
        return ask(self.session, macro, terminator, profile.number("digit-timeout"), terminators=terminator)

    def _find(self, name: str) -> BoxUser | None:
        channel = self.session.channel
        asked = {
            "action": "voicemail-lookup",
            "destination_number": channel.profile.destination_number,
            "caller_id_number": channel.get_variable("effective_caller_id_number")
            or channel.profile.caller_id_number,
        }
        user = self.boxes.user(name, self.domain, asked)
        if user is None:
            channel.log(LogLevel.WARNING, f"Can't find user [{name}@{self.domain}]")
            return None
        if not user.enabled:
            channel.log(LogLevel.WARNING, f"User [{name}@{self.domain}] have voicemail disabled")
            return None
        if user.timezone:
            channel.set_variable("timezone", user.timezone)
        return user

    def _tell(self, user: BoxUser, admitted: bool) -> None:
        fire_maintenance(
            self.session.switch,
            "authentication",
            (
                ("VM-Auth-Result", "success" if admitted else "fail"),
                ("VM-User", user.id),
                ("VM-Domain", self.domain),
            ),
            self.session.channel,
        )
