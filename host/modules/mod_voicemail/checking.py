"""The owner of a mailbox checks it: login, how many messages there are, the main menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.clock import SECOND
from host.hangup_cause import HangupCause
from host.ivr.input_args import InputArgs
from host.ivr.sleep import sleep
from host.modules.mod_voicemail.events import fire_maintenance, tell_waiting
from host.modules.mod_voicemail.listening import Listening, Move
from host.modules.mod_voicemail.login import Login
from host.modules.mod_voicemail.message_file import delete
from host.modules.mod_voicemail.message_store import INBOX, Counts
from host.modules.mod_voicemail.prompts import DialogEnded, ask, proceed, say
from host.modules.mod_voicemail.settings_menu import settings_menu

if TYPE_CHECKING:
    from host.modules.mod_voicemail.mailboxes import BoxUser, LoadedProfile, Mailboxes
    from host.session import Session

_PAUSE_MS = 100  # between the parts of the dialog, as FreeSWITCH has it


def check(
    session: Session,
    boxes: Mailboxes,
    loaded: LoadedProfile,
    domain: str,
    name: str = "",
    *,
    authorized: bool = False,
    login_only: bool = False,
    uuid: str = "",
) -> None:
    """Let the caller into a box, `name`@`domain` or the one that is asked for, and through its menus.

    `authorized` asks for no password, `login_only` ends after it (FreeSWITCH: `auth_only`, the variable
    `vm_auth_only`), `uuid` plays one message alone.
    """
    channel = session.channel
    login_only = login_only or channel.is_true("vm_auth_only")
    login = Login(session, boxes, loaded, domain, name, authorized=authorized)
    user: BoxUser | None = None
    say(session, "hello")
    try:
        user = login.run()
        folder = loaded.folder(user, domain) if user is not None else None
        if user is not None and folder is not None and not login_only:
            _Checking(session, boxes, loaded, domain, user, folder, uuid).run()
    except DialogEnded:
        pass  # the caller is said goodbye to all the same
    if channel.ready and not (login_only and user is not None):
        if login.exhausted:
            say(session, "abort")
        say(session, "goodbye")
    if not login_only:
        return
    if user is None:
        channel.hangup(HangupCause.USER_CHALLENGE)
        return
    channel.set_variable("user_pin_authenticated", "true")
    channel.set_variable("user_pin_authenticated_user", user.id)
    if session.switch.applications.get("set_user") is not None:
        session.execute("set_user", f"{user.id}@{domain}")


class _Checking:
    """The menus of one box."""

    def __init__(
        self,
        session: Session,
        boxes: Mailboxes,
        loaded: LoadedProfile,
        domain: str,
        user: BoxUser,
        folder: str,
        uuid: str,
    ) -> None:
        self.session = session
        self.loaded = loaded
        self.profile = loaded.profile
        self.store = loaded.store
        self.domain = domain
        self.user = user.id
        self.folder = folder
        self.uuid = uuid
        self.listening = Listening(session, boxes, loaded, domain)
        self.heard_new = False
        self.pressed = ""  # a key pressed into the summary is one for the menu

    def run(self) -> None:
        """Tell the counts, play what is new, then the menu, until it is left. Raises DialogEnded."""
        session = self.session
        retries = self.profile.number("max-retries")
        summary = True
        while session.channel.ready:
            sleep(session, _PAUSE_MS)
            if summary and self._summary():
                self._play(new=True)
                retries = self.profile.number("max-retries")
                continue
            summary = False
            if not retries:
                return
            retries -= 1
            key = self._menu_key()
            if key and key in (
                self.profile.key("play-new-messages"),
                self.profile.key("play-saved-messages"),
            ):
                self._play(new=key == self.profile.key("play-new-messages"))
                retries = self.profile.number("max-retries")
                summary = True
            elif key == self.profile.key("terminator"):
                return
            elif key == self.profile.key("config-menu"):
                settings_menu(session, self.loaded, self.user, self.domain, self.folder)

    def _menu_key(self) -> str:
        key, self.pressed = self.pressed, ""
        if not key:
            keys = self.profile.keys("play-new-messages", "play-saved-messages", "config-menu", "terminator")
            key, status = ask(self.session, "menu", keys, self.profile.number("digit-timeout"), most=1)
            proceed(status)
        return key

    def _summary(self) -> bool:
        """Tell how many messages there are; True when the new ones are to be played at once."""
        channel = self.session.channel
        automatic = channel.get_variable("vm_auto_play") is None or channel.is_true("vm_auto_play")
        channel.set_variable("voicemail_current_folder", INBOX)
        counts = self.store.count(self.user, self.domain)
        self._tell_summary(counts)
        told = False
        if counts.new_urgent:
            self._say_count(counts.new_urgent, "urgent-new")
            told = True
            if automatic and self.pressed:
                return False
        if counts.new > counts.new_urgent:
            self._say_count(counts.new, "new")
            told = True
            if automatic and self.pressed:
                return False
        if automatic and not self.heard_new and counts.new:
            return True
        if not told:
            self._say_count(0, "new")
            self._say_count(counts.saved, "saved")
        return False

    def _say_count(self, number: int, kind: str) -> None:
        args = InputArgs(buffer_size=1)
        proceed(say(self.session, "message_count", f"{number}:{kind}", args))
        self.pressed = args.digits or self.pressed

    def _tell_summary(self, counts: Counts) -> None:
        fire_maintenance(
            self.session.switch,
            "folder-summary",
            (
                ("VM-User", self.user),
                ("VM-Domain", self.domain),
                ("VM-Folder", INBOX),
                ("VM-Total-New-Messages", str(counts.new)),
                ("VM-Total-Saved-Messages", str(counts.saved)),
                ("VM-Total-New-Urgent-Messages", str(counts.new_urgent)),
                ("VM-Total-Saved-Urgent-Messages", str(counts.saved_urgent)),
            ),
            self.session.channel,
        )

    def _play(self, *, new: bool) -> None:
        """Play the new or the saved messages, then delete and mark read what was flagged so."""
        self.heard_new = True
        counts = self.store.count(self.user, self.domain)
        total = counts.new if new else counts.saved
        lifo = self.profile.flag(f"play-{'new' if new else 'saved'}-messages-lifo")
        number = 0
        try:
            while number < total and self.session.channel.ready:
                messages = self.store.messages(
                    self.user, self.domain, "unread" if new else "read", newest_first=lifo
                )
                if number >= len(messages):
                    break
                message = messages[number]
                move = Move.NEXT
                if not self.uuid or message.uuid == self.uuid:
                    move = self.listening.hear(message, number + 1, new=new)
                if move is Move.NEXT:
                    number += 1
                elif move is Move.PREVIOUS:
                    number = max(0, number - 1)
        except DialogEnded:
            pass  # FreeSWITCH: what was decided so far counts, and the dialog goes on if the call does
        self._purge()

    def _purge(self) -> None:
        store = self.store
        store.mark_saved_read(self.user, self.domain, self.session.clock.time() // SECOND)
        for message in store.messages(self.user, self.domain, "delete"):
            delete(self.session.switch, message.path)
            store.remove(message)
        tell_waiting(self.loaded, self.user, self.domain, "PURGE")
