"""The menu in which the owner of a mailbox records greetings and the name and changes the password."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from host.ivr.digits import read
from host.ivr.play import play_file
from host.ivr.sleep import sleep
from host.leading_number import leading_int
from host.modules.mod_voicemail.events import fire_maintenance
from host.modules.mod_voicemail.file_keys import FileKeys
from host.modules.mod_voicemail.profile import MOST_GREETINGS
from host.modules.mod_voicemail.prompts import DialogEnded, choose, proceed, say
from host.modules.mod_voicemail.recording import record
from host.status import Status

if TYPE_CHECKING:
    from host.modules.mod_voicemail.mailboxes import LoadedProfile
    from host.session import Session

# FreeSWITCH's own limits for a new password: keys, and ms for each.
_LONGEST_PASSWORD: Final = 255
_PASSWORD_TIMEOUT_MS: Final = 10_000
_PAUSE_MS: Final = 100


def settings_menu(session: Session, loaded: LoadedProfile, user: str, domain: str, folder: str) -> None:
    """Offer the menu until its key for the main menu is pressed. Raises DialogEnded, also when the call is over."""
    _SettingsMenu(session, loaded, user, domain, folder).run()


class _SettingsMenu:
    """The menu of one box."""

    def __init__(self, session: Session, loaded: LoadedProfile, user: str, domain: str, folder: str) -> None:
        self.session = session
        self.loaded = loaded
        self.profile = loaded.profile
        self.user = user
        self.domain = domain
        self.folder = folder
        self.keys = self.profile.keys(
            "record-greeting", "choose-greeting", "record-name", "change-pass", "main-menu"
        )

    def run(self) -> None:
        profile = self.profile
        while self.session.channel.ready:
            sleep(self.session, _PAUSE_MS)
            key = choose(self.session, "config_menu", self.keys, profile.number("digit-timeout"))
            if key == profile.key("main-menu"):
                return
            if key == profile.key("choose-greeting"):
                self._choose_greeting()
            elif key == profile.key("record-greeting"):
                self._record_greeting()
            elif key == profile.key("change-pass"):
                self._change_password()
            elif key == profile.key("record-name"):
                self._record_name()
        raise DialogEnded

    def _greeting_number(self) -> str:
        return choose(self.session, "choose_greeting", self.keys, self.profile.number("digit-timeout"))

    def _choose_greeting(self) -> None:
        """Play a greeting and use it from now on; FreeSWITCH: 0, or no number, is the standard greeting."""
        session = self.session
        entered = self._greeting_number()
        number = leading_int(entered)
        path = self.loaded.greeting(self.folder, number) if number else ""
        if path:
            steering = FileKeys(self.profile, leaving=False)
            steering.in_message = True
            known = number <= MOST_GREETINGS and os.path.exists(path)
            status = play_file(session, path, args=steering.args()) if known else Status.NOT_FOUND
            if status not in (Status.SUCCESS, Status.BREAK):
                proceed(say(session, "choose_greeting_fail"))
                return
        proceed(say(session, "greeting_selected", entered))
        self.loaded.store.prefer(self.user, self.domain, "greeting_path", path)
        if path:
            self._tell("change-greeting", ("VM-Greeting-Path", path))
        else:
            self._tell("remove-greeting")

    def _record_greeting(self) -> None:
        session = self.session
        number = leading_int(self._greeting_number())
        if not 1 <= number <= MOST_GREETINGS:
            proceed(say(session, "choose_greeting_fail"))
            return
        path = self.loaded.greeting(self.folder, number)
        if not record(session, self.profile, "record_greeting", path).kept:
            raise DialogEnded
        self.loaded.store.prefer(self.user, self.domain, "greeting_path", path)
        self._tell("record-greeting", ("VM-Greeting-Path", path))

    def _record_name(self) -> None:
        path = self.loaded.spoken_name(self.folder)
        if not record(self.session, self.profile, "record_name", path, shortest=False).kept:
            raise DialogEnded
        self.loaded.store.prefer(self.user, self.domain, "name_path", path)
        self._tell("record-name", ("VM-Name-Path", path))

    def _change_password(self) -> None:
        """Ask for a new password until one may be used: the directory's answer may hold `<result success="false"/>`."""
        session, profile = self.session, self.profile
        terminator = profile.key("terminator")
        while session.channel.ready:
            prompt = f"phrase:voicemail_enter_pass:{terminator}"
            password, status = read(
                session, 0, _LONGEST_PASSWORD, prompt, "", _PASSWORD_TIMEOUT_MS, terminator
            )
            proceed(Status.SUCCESS if status is Status.TIMEOUT else status)
            asked = {"VM-Action": "change-password", "VM-User-Password": password}
            refused = not password and not profile.flag("allow-empty-password-auth")
            found = session.switch.xml.directory.user(self.user, self.domain, key="id", params=asked)
            result = found.element.find("result") if found is not None else None
            if refused or (result is not None and (result.get("success") or "").lower() != "true"):
                say(session, "change_pass_fail")
                continue
            self.loaded.store.prefer(self.user, self.domain, "password", password)
            say(session, "change_pass_success")
            self._tell("change-password", ("VM-User-Password", password))
            return

    def _tell(self, action: str, *headers: tuple[str, str]) -> None:
        fire_maintenance(
            self.session.switch,
            action,
            (*headers, ("VM-User", self.user), ("VM-Domain", self.domain)),
            self.session.channel,
        )
