"""A caller leaves a message: the greeting and its keys, the recording, whether it is urgent, the delivery."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from host.ivr.input_args import InputArgs
from host.ivr.play import play_file
from host.ivr.sleep import sleep
from host.leading_number import leading_int
from host.local_zone import local_zone
from host.log import LogLevel
from host.modules.mod_voicemail.checking import check
from host.modules.mod_voicemail.delivery import Delivery, deliver
from host.modules.mod_voicemail.message_store import NORMAL, URGENT
from host.modules.mod_voicemail.profile import MOST_GREETINGS
from host.modules.mod_voicemail.prompts import DialogEnded, ask, proceed, say
from host.modules.mod_voicemail.recording import record
from host.time_format import format_time
from host.truth import is_true

if TYPE_CHECKING:
    from host.modules.mod_voicemail.mailboxes import BoxUser, LoadedProfile, Mailboxes
    from host.session import Session


def leave(session: Session, boxes: Mailboxes, loaded: LoadedProfile, domain: str, name: str) -> None:
    """Greet the caller and take a message for `name`@`domain`, also when the call ends meanwhile."""
    channel = session.channel
    skips = {
        variable: channel.is_true(variable)
        for variable in (
            "skip_greeting",
            "skip_instructions",
            "skip_record_urgent_check",
            "voicemail_skip_goodbye",
        )
    }
    for variable in skips:
        channel.set_variable(variable, None)
    user = boxes.user(name, domain, {"action": "voicemail-lookup"})
    if user is None:
        channel.log(LogLevel.WARNING, f"Can't find user [{name}@{domain}]")
    elif not user.enabled:
        channel.log(LogLevel.WARNING, f"User [{user.id}@{domain}] have voicemail disabled")
        return
    else:
        try:
            _Leaving(session, boxes, loaded, domain, user, skips).run()
        except DialogEnded:
            pass  # the caller is said goodbye to all the same
    if channel.ready and not skips["voicemail_skip_goodbye"]:
        say(session, "goodbye")


class _Leaving:
    """The course of one message."""

    def __init__(
        self,
        session: Session,
        boxes: Mailboxes,
        loaded: LoadedProfile,
        domain: str,
        user: BoxUser,
        skips: dict[str, bool],
    ) -> None:
        self.session = session
        self.boxes = boxes
        self.loaded = loaded
        self.profile = loaded.profile
        self.domain = domain
        self.user = user
        self.skip_greeting = skips["skip_greeting"]
        of_user = user.params.get("vm-skip-instructions")
        self.skip_instructions = is_true(of_user) if of_user is not None else skips["skip_instructions"]
        self.skip_urgent_check = skips["skip_record_urgent_check"]

    def run(self) -> None:
        """Run from the greeting to the delivery. Raises DialogEnded."""
        folder = self.loaded.folder(self.user, self.domain)
        if folder is None:
            return
        session, channel, profile = self.session, self.session.channel, self.profile
        key = "" if self.skip_greeting else self._greet(folder)
        if key and not self._follow(key, folder):
            return
        while True:
            self._mind_quota()
            caller_name, caller_number = self._caller()
            ending = channel.get_variable("vm_message_ext") or self.user.params.get("vm-message-ext")
            ending = os.path.basename(ending or profile.text("file-extension"))
            path = os.path.join(folder, f"msg_{session.switch.new_uuid()}.{ending}")
            recorded = record(
                session,
                profile,
                None if self.skip_instructions else "record_message",
                path,
                exit_keys=profile.key("operator") + profile.key("vmain"),
            )
            if recorded.kept:
                break
            if not recorded.left_with or not self._follow(recorded.left_with, folder):
                return
        delivery = Delivery(path, caller_name, caller_number, recorded.seconds, self._urgency())
        if not deliver(self.boxes, self.loaded, self.user, self.domain, delivery, session):
            channel.log(LogLevel.ERR, "Failed to deliver message")
            proceed(say(session, "ack", "deleted"))
            return
        for name, value in (
            ("voicemail_account", self.user.id),
            ("voicemail_domain", self.domain),
            ("voicemail_file_path", path),
            ("voicemail_read_flags", delivery.read_flags),
            ("voicemail_message_len", _duration(recorded.seconds)),
        ):
            channel.set_variable(name, value)

    def _greet(self, folder: str) -> str:
        """Play the greeting, else the name and the standard one; return the key that broke it off."""
        session, get = self.session, self.session.channel.get_variable
        chosen = self.loaded.store.preferences(self.user.id, self.domain)
        greeting = get("voicemail_greeting_path") or chosen.greeting_path
        number = get("voicemail_greeting_number")
        if number is not None:
            in_range = 0 < leading_int(number) <= MOST_GREETINGS
            greeting = self.loaded.greeting(folder, leading_int(number)) if in_range else ""
        sleep(session, 100)
        args = InputArgs(buffer_size=1)
        if greeting and os.path.exists(greeting):
            proceed(play_file(session, greeting, args=args))
            return args.digits
        if chosen.name_path and os.path.exists(chosen.name_path):
            proceed(play_file(session, chosen.name_path, args=args))
        if not args.digits:
            spelled = self.user.params.get("vm-alternate-greet-id") or get("voicemail_alternate_greet_id")
            proceed(say(session, "play_greeting", spelled or self.user.id, args))
        return args.digits

    def _follow(self, key: str, folder: str) -> bool:
        """Do what a key during the greeting is for; True to go on with the recording."""
        session, profile = self.session, self.profile
        while key:
            if key in profile.login_keys:
                check(session, self.boxes, self.loaded, self.domain, self.user.id)
                return True
            own = session.channel.get_variable("vm_operator_extension")
            operator = (
                own or self.user.params.get("vm-operator-extension") or profile.text("operator-extension")
            )
            if operator and key == profile.key("operator"):
                return not _transfer(session, operator)
            if key == profile.key("vmain"):
                return not _transfer(session, profile.text("vmain-extension"))
            if key == profile.key("skip-greet"):
                self.skip_instructions = True
                return True
            if self.skip_greeting:
                return True
            key = self._greet(folder)
        return True

    def _mind_quota(self) -> None:
        quota = leading_int(self.user.params.get("vm-disk-quota") or "")
        if quota and self.loaded.store.seconds(self.user.id, self.domain) >= quota:
            self.session.channel.log(LogLevel.NOTICE, f"Voicemail disk quota is exceeded for {self.user.id}")
            proceed(say(self.session, "disk_quota_exceeded"))
            raise DialogEnded

    def _caller(self) -> tuple[str, str]:
        """Return the caller's name and number, and set what the recording says about itself."""
        channel, profile = self.session.channel, self.profile
        name = channel.get_variable("effective_caller_id_name") or channel.profile.caller_id_name
        number = channel.get_variable("effective_caller_id_number") or channel.profile.caller_id_number
        date = format_time("%Y-%m-%d %T", self.session.clock.time(), local_zone()) or ""
        for variable, value in (
            ("RECORD_ARTIST", f"{name} ({number})"),
            ("RECORD_DATE", date),
            ("RECORD_SOFTWARE", "FreeSWITCH"),
            ("RECORD_TITLE", profile.text("record-title")),
            ("RECORD_COMMENT", profile.text("record-comment")),
            ("RECORD_COPYRIGHT", profile.text("record-copyright")),
        ):
            channel.set_variable(variable, value)
        return name, number

    def _urgency(self) -> str:
        """Ask whether the message is urgent, unless that is skipped or the call is over."""
        session, profile = self.session, self.profile
        if session.channel.down or self.skip_urgent_check:
            return NORMAL
        keys = profile.keys("urgent", "terminator")
        key, _ = ask(session, "record_urgent_check", keys, profile.number("digit-timeout"), most=1)
        if not session.channel.ready:
            return NORMAL
        urgent = key == profile.key("urgent")
        say(session, "ack", "marked-urgent" if urgent else "saved")
        return URGENT if urgent else NORMAL


def _transfer(session: Session, extension: str) -> bool:
    """Send the call to `extension [dialplan [context]]`; False when none is given."""
    words = extension.split()
    if not words:
        return False
    session.transfer(*words[:3])
    return True


def _duration(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
