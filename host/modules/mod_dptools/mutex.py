"""The application `mutex`: of several calls that want the same part of the dialplan one has it, the others wait."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from host.clock import SECOND
from host.inbox import Wake
from host.interfaces import Application
from host.ivr.play import FilePlayback
from host.leading_number import leading_int
from host.log import LogLevel
from host.sound_file import SoundFileError, open_sound
from media.notice import PlaybackEnded
from media.source import Repeat

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_SYNTAX: Final = "<keyname>[ on|off]"
_SILENCE: Final = "silence_stream://-1"
# FreeSWITCH: how many seconds a call waits that has an orbit to go to and no timeout of its own.
_ORBIT_TIMEOUT: Final = 60
_LONGEST_TIMEOUT: Final = 10**9  # seconds


class Mutexes:
    """Who has each key and who waits for it, in order: the first of each queue has it."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Session]] = {}
        self._lock = threading.RLock()

    def run(self, session: Session, data: str) -> None:
        """Take the key, or give it back (`off`); both end with the call at the latest."""
        if not data:
            session.channel.log(LogLevel.ERR, "Missing keyname")
            return
        key, _, word = data.partition(" ")
        on = word.lower() != "off"
        with self._lock:
            valid = (session in self._queues.get(key, ())) is not on
            if valid and on:
                self._queues.setdefault(key, deque()).append(session)
        if not valid:
            session.channel.log(LogLevel.ERR, "INVALID STATE")
        elif not on:
            self.leave(session, key)
        else:
            session.at_hangup.append(lambda: self.leave(session, key))
            if not self.has(session, key):
                self._wait(session, key)

    def has(self, session: Session, key: str) -> bool:
        """Return whether the call has the key."""
        with self._lock:
            queue = self._queues.get(key)
            return queue is not None and queue[0] is session

    def leave(self, session: Session, key: str) -> None:
        """Give the key back, or wait for it no longer; who is next has it then."""
        with self._lock:
            queue = self._queues.get(key, deque())
            had = self.has(session, key)
            if session in queue:
                queue.remove(session)
            following = queue[0] if queue else None
            if following is None:
                self._queues.pop(key, None)
        if had and following is not None:
            following.channel.log(LogLevel.DEBUG, f"{following.channel.name} mutex {key} advanced")
            following.inbox.put(Wake())

    def _wait(self, session: Session, key: str) -> None:
        """Wait for the key, with `mutex_feedback` to be heard, for `mutex_timeout` seconds.

        A call that waits in vain goes to `mutex_orbit_exten`, or on without the key.
        """
        channel = session.channel
        channel.log(LogLevel.DEBUG, f"{channel.name} mutex {key} is busy, waiting...")
        feedback = channel.get_variable("mutex_feedback") or ""
        if feedback.lower() == "silence":
            feedback = _SILENCE
        orbit = channel.get_variable("mutex_orbit_exten")
        seconds = leading_int(channel.get_variable("mutex_timeout") or "")
        if seconds <= 0:
            seconds = _ORBIT_TIMEOUT if orbit else 0
        deadline = session.clock.now() + min(seconds, _LONGEST_TIMEOUT) * SECOND if seconds else None
        former, file = session.playing, _hear(session, feedback)
        session.playing = file or former
        try:
            while channel.ready and not self.has(session, key):
                session.receive(deadline, (PlaybackEnded,), until=lambda: self.has(session, key))
                if deadline is not None and session.clock.now() >= deadline:
                    break
        finally:
            session.playing = former
            if file is not None:
                file.stop()
        if not self.has(session, key):
            self.leave(session, key)
            if orbit and channel.ready:
                get = channel.get_variable
                session.transfer(orbit, get("mutex_orbit_dialplan") or "", get("mutex_orbit_context") or "")


def load(switch: Switch) -> None:
    """Bring the application with the keys of this switch."""
    description = "block on a call flow only allowing one at a time"
    switch.applications.add(Application("mutex", "mod_dptools", Mutexes().run, _SYNTAX, description))


def _hear(session: Session, path: str) -> FilePlayback | None:
    """Play a file again and again; None when there is nothing to play."""
    if not path:
        return None
    session.pre_answer()
    try:
        sound = open_sound(session.switch, session.channel, path, session.line.rate)
    except SoundFileError as error:
        session.channel.log(LogLevel.ERR, f"Can't open {error}")
        return None
    sound = replace(sound, source=Repeat(sound.source))
    return FilePlayback(session, sound, session.line.play(sound.source))
