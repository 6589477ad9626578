"""The owner of a mailbox hears one message and decides what becomes of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from host.ivr.digits import read
from host.ivr.execute_extension import execute_extension
from host.ivr.play import play_file
from host.ivr.sleep import sleep
from host.log import LogLevel
from host.modules.mod_voicemail.delivery import Delivery, inject
from host.modules.mod_voicemail.file_keys import FileKeys
from host.modules.mod_voicemail.message_file import delete, merge
from host.modules.mod_voicemail.prompts import choose, proceed, say
from host.modules.mod_voicemail.recording import record
from host.status import Status

if TYPE_CHECKING:
    from host.modules.mod_voicemail.mailboxes import LoadedProfile, Mailboxes
    from host.modules.mod_voicemail.message_store import Message
    from host.session import Session

# FreeSWITCH: an extension to forward to has room for so many keys.
_LONGEST_EXTENSION: Final = 255
_AFTER_MERGE_MS: Final = 1500


class Move(Enum):
    """Which message comes after the one that was heard."""

    NEXT = auto()
    PREVIOUS = auto()
    SAME = auto()


@dataclass(slots=True)
class Listening:
    """The messages of `domain` that the caller of `session` may hear."""

    session: Session
    boxes: Mailboxes
    loaded: LoadedProfile
    domain: str

    def hear(self, message: Message, number: int, *, new: bool) -> Move:
        """Say and play a message, the `number`th (from 1) of the new or saved ones, and do what the key says.

        Raises DialogEnded when a prompt fails or the call is over.
        """
        session, profile = self.session, self.loaded.profile
        session.io.message(session, "display", f"{message.caller_name}|{message.caller_number}")
        if message.caller_number and session.channel.is_true("vm_announce_cid"):
            proceed(say(session, "say_phone_number", message.caller_number))
        steering = FileKeys(profile)
        proceed(say(session, "say_message_number", f"{'new' if new else 'saved'}:{number}", steering.args()))
        while True:
            self._play(message, steering)
            if not session.channel.ready:
                return Move.NEXT
            key, steering.pressed = steering.pressed, ""
            if not key or key == profile.key("terminator"):
                names = ("repeat-message", "save-file", "delete-file", "email", "callback", "forward")
                key = choose(
                    session, "listen_file_check", profile.keys(*names), profile.number("digit-timeout")
                )
            if key == profile.key("previous-message"):
                return Move.PREVIOUS
            if key == profile.key("repeat-message"):
                return Move.SAME
            if key == profile.key("next-message"):
                return Move.NEXT
            if key != profile.key("listen-file"):
                return self._settle(message, key)

    def _play(self, message: Message, steering: FileKeys) -> None:
        session, profile = self.session, self.loaded.profile
        when = str(message.created)
        if not steering.pressed and profile.date_announcement == "first":
            proceed(say(session, "say_date", when, steering.args()))
        if not steering.pressed or steering.pressed == profile.key("skip-info"):
            steering.pressed = ""
            steering.in_message = True
            if os.path.exists(message.path):
                proceed(play_file(session, message.path, args=steering.args()))
            steering.in_message = False
        if not steering.pressed and profile.date_announcement == "last":
            proceed(say(session, "say_date", when, steering.args()))

    def _settle(self, message: Message, key: str) -> Move:
        """Call back, forward, delete, or, with any other key and with none, save."""
        session, profile = self.session, self.loaded.profile
        get = session.channel.get_variable
        if key == profile.key("callback"):
            execute_extension(
                session,
                message.caller_number,
                get("voicemail_callback_dialplan") or profile.text("callback-dialplan"),
                get("voicemail_callback_context") or profile.text("callback-context"),
            )
            return Move.NEXT
        if key == profile.key("forward"):
            return self._forward(message)
        deleted = key == profile.key("delete-file")
        self.loaded.store.flag(message.uuid, "delete" if deleted else "save", message.user, message.domain)
        proceed(say(session, "ack", "deleted" if deleted else "saved"))
        return Move.NEXT

    def _forward(self, message: Message) -> Move:
        """Send the message on to other boxes, with words of the caller before it if wished."""
        session, profile = self.session, self.loaded.profile
        keys = profile.keys("prepend", "forward")
        key = choose(session, "forward_prepend", keys, profile.number("digit-timeout"))
        if key != profile.key("prepend"):
            return self._send_on(message, message.path)
        switch = session.switch
        folder = switch.global_variables.get("temp_dir") or "."
        spoken = os.path.join(folder, f"msg_{switch.new_uuid()}.wav")
        both = os.path.join(folder, f"msg_{switch.new_uuid()}.wav")
        try:
            os.makedirs(folder, exist_ok=True)
            recorded = record(session, profile, "record_message", spoken)
            if not recorded.kept:
                return Move.NEXT
            if not merge(switch, spoken, message.path, both):
                proceed(say(session, "ack", "deleted"))
                return Move.NEXT
            sleep(session, _AFTER_MERGE_MS)
            return self._send_on(message, both)
        finally:
            for path in (spoken, both):
                if os.path.exists(path):
                    delete(switch, path)

    def _send_on(self, message: Message, path: str) -> Move:
        """Ask for an extension until there is a box for it; FreeSWITCH: and as long as the call lasts."""
        session, profile = self.session, self.loaded.profile
        terminator = profile.key("terminator")
        prompt = f"phrase:voicemail_forward_message_enter_extension:{terminator}"
        while session.channel.ready:
            extension, status = read(
                session, 0, _LONGEST_EXTENSION, prompt, "", profile.number("digit-timeout"), terminator
            )
            proceed(Status.SUCCESS if status is Status.TIMEOUT else status)
            user = self.boxes.user(extension, self.domain) if extension else None
            if user is not None and user.enabled:
                delivery = Delivery(path, message.caller_name, message.caller_number, copy=True, hops=1)
                target = f"{extension}@{self.domain}@{profile.name}"
                if inject(self.boxes, target, delivery, session):
                    session.channel.log(LogLevel.NOTICE, f"Forwarded message to {extension}")
                    proceed(say(session, "ack", "saved"))
                    return Move.SAME
            session.channel.log(LogLevel.WARNING, f"Failed to forward message to {extension}@{self.domain}")
            proceed(say(session, "invalid_extension", extension))
        return Move.NEXT
