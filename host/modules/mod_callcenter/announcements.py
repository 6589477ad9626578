"""What a waiting member hears in the place of the music from time to time (`announce-sound`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.clock import SECOND, Timer
from host.ivr.session_audio import displace_session, stop_displace_session
from host.log import LogLevel

if TYPE_CHECKING:
    from host.modules.mod_callcenter.center import CallCenter
    from host.session import Session


class Announcements:
    """The announcements to one member, every `announce-frequency` seconds as long as the queue has any."""

    def __init__(self, center: CallCenter, session: Session, queue: str) -> None:
        self._center = center
        self._session = session
        self._queue = queue
        self._timer: Timer | None = None
        self._over = False

    def begin(self) -> None:
        """Wait for the next one."""
        queue = self._center.queues.get(self._queue)
        if queue is None or not queue.settings.announce_sound or not queue.settings.announce_frequency:
            return
        session = self._session
        self._timer = session.clock.call_later(
            queue.settings.announce_frequency * SECOND, lambda: session.run_in_session(self._announce)
        )

    def end(self) -> None:
        """Announce nothing more."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()

    def _announce(self, session: Session) -> None:
        queue = self._center.queues.get(self._queue)
        sound = queue.settings.announce_sound if queue is not None else None
        if self._over or not sound:
            return
        stop_displace_session(session, sound)
        if displace_session(session, sound):
            self.begin()
        else:
            session.channel.log(LogLevel.WARNING, f"Couldn't play announcement '{sound}'")
