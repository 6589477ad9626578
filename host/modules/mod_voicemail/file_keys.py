"""The keys that steer a message while it is played."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.event import Event
from host.ivr.input_args import InputArgs
from host.status import Status

if TYPE_CHECKING:
    from host.inbox import Digit
    from host.modules.mod_voicemail.profile import Profile
    from host.session import Session

# FreeSWITCH's steps, in samples.
_FORWARD: Final = 24_000
_BACK: Final = 48_000

# The keys that end a message for what comes after it.
_LEAVING: Final = (
    "delete-file",
    "save-file",
    "previous-message",
    "next-message",
    "repeat-message",
    "terminator",
    "skip-info",
    "forward",
)


class FileKeys:
    """Takes the keys while sound is played. `pressed` is the key that broke it off, "" for none.

    `leaving`: keys for what comes after the message break it off; else they only steer it. The key for e-mail does so
    while the message itself is not played.
    """

    def __init__(self, profile: Profile, *, leaving: bool = True) -> None:
        self._profile = profile
        self._leaving = {profile.key(name) for name in _LEAVING} if leaving else set()
        self._email = profile.key("email") if leaving else ""
        self.pressed = ""
        self.in_message = False

    def args(self) -> InputArgs:
        """Return the arguments that let these keys work."""
        return InputArgs(on_input=self._take)

    def _take(self, session: Session, item: Digit | Event) -> Status:
        if isinstance(item, Event):
            return Status.SUCCESS
        key = item.digit
        if key in self._leaving or (key == self._email and not self.in_message):
            self.pressed = key
            return Status.BREAK
        file, profile = session.playing, self._profile
        if file is None or not self.in_message:
            return Status.SUCCESS
        if key == profile.key("pause"):
            file.toggle_pause()
        elif key == profile.key("restart"):
            file.restart()
        elif key == profile.key("ff"):
            file.seek(file.position + _FORWARD)
        elif key == profile.key("rew"):
            file.seek(file.position - _BACK)
        return Status.SUCCESS
