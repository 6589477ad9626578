"""What a caller hears while the called one is rung (`ringback`, `transfer_ringback`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.channel import Flag
from host.ivr.idle_silence import LineIdle, silence_divisor
from host.ivr.play import playback_headers
from host.log import LogLevel
from host.sound_file import SoundFileError, open_sound
from media.notice import PlaybackEnded

if TYPE_CHECKING:
    from host.session import Session
    from media.line import Playback


class Ringback:
    """A tone, a file in a loop or silence on the caller's line; nothing when the caller's variables name none."""

    def __init__(self, session: Session | None) -> None:
        self._session = session
        self._playback: Playback | None = None
        self._path = ""
        self._silence: LineIdle | None = None
        self._is_file = False
        self._sound = ""  # the path of what plays
        self.told = False  # whether events tell of a file that is played, as of any other
        if session is not None:
            variables = session.channel.variables
            answered = Flag.ANSWERED in session.channel.flags
            text = (
                (variables.get("transfer_ringback") if answered else None) or variables.get("ringback") or ""
            )
            self._path = _playable(text)
            self._is_file = self._path == text
            if _is_silence(self._path):
                self._silence = LineIdle(session)

    @property
    def wanted(self) -> bool:
        """Whether the caller is to hear something."""
        return bool(self._path) and not (
            self._session is not None and Flag.PROXY_MODE in self._session.channel.flags
        )

    @property
    def playing(self) -> bool:
        """Whether it sounds."""
        return self._playback is not None

    def _start_silence(self, session: Session, silence: LineIdle) -> None:
        if not silence.begun:
            session.pre_answer()
            silence.begin(silence_divisor(self._path.partition(":")[2]))
            session.switch.observe("ringback", session.channel, path=self._path)

    def start(self) -> None:
        """Let the caller hear it; one that has no media yet gets early media."""
        session = self._session
        if session is None or self._playback is not None or not self._path:
            return
        if self._silence is not None:
            self._start_silence(session, self._silence)
            return
        session.pre_answer()
        try:
            sound = open_sound(session.switch, session.channel, self._path, session.line.rate)
        except SoundFileError as error:
            session.channel.log(LogLevel.ERR, f"Error playing ringback: {error}")
            self._path = ""
            return
        self._playback = session.line.play(sound.source)
        session.switch.observe("ringback", session.channel, path=sound.path)
        self._sound = sound.path
        self._tell(session, "PLAYBACK_START")

    def _tell(self, session: Session, name: str, *headers: tuple[str, str]) -> None:
        if self.told and self._is_file:
            session.channel.fire(name, *playback_headers(self._sound), *headers)

    def ended(self, notice: PlaybackEnded) -> None:
        """Play a file again from its beginning."""
        if self._playback is not None and notice.playback == self._playback.number:
            self._over()
            self.start()

    def stop(self) -> None:
        """Be silent."""
        if self._playback is not None:
            self._playback.stop()
            self._over()
        if self._silence is not None:
            self._silence.end()

    def _over(self) -> None:
        self._playback = None
        if self._session is not None:
            self._tell(self._session, "PLAYBACK_STOP", ("Playback-Status", "done"))


def _is_silence(path: str) -> bool:
    """Return whether a ringback is `silence[:divisor]`: comfort noise, or digital silence with -1."""
    return path.lower().startswith("silence") and "/" not in path


def _playable(text: str) -> str:
    """Return the path for a ringback: a teletone script is one without a path's signs in front."""
    if text.startswith(("%(", "v=", "L=", "l=", "c=", "d=")):
        return f"tone_stream://{text};loops=-1"
    return text
