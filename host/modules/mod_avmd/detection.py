"""One call's listening for a beep: its detectors, its variables, its events."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from host.log import LogLevel
from host.media_bug import MediaBug, add_media_bug, remove_media_bug
from host.session_state import run_moment
from media.beep_detector import Beep, BeepDetector, Mode

if TYPE_CHECKING:
    from host.event import Event
    from host.modules.mod_avmd.settings import AvmdSettings
    from host.session import Session

EVENTS: Final = ("avmd::beep", "avmd::start", "avmd::stop")

_PRIVATE: Final = "_avmd_"
_FUNCTION: Final = "avmd"
_NO_TARGET: Final = "N/A"  # FreeSWITCH: what a media bug that was given no target has


class CannotListen(Exception):
    """The settings have nothing listened to on a channel of this direction."""


class BeepDetection:
    """Listens on one call from its making on, until `stop` or the call's end.

    Raises CannotListen when the settings leave the channel's direction out.
    """

    def __init__(self, session: Session, settings: AvmdSettings) -> None:
        outbound = session.channel.outbound
        if not (settings.outbound_channel if outbound else settings.inbound_channel):
            raise CannotListen
        self.settings = settings
        self.beep: Beep | None = None
        self._session = session
        self._began = session.clock.time()
        self.direction = "READ_REPLACE" if outbound else "WRITE_REPLACE"
        rate = session.line.rate
        detector = BeepDetector(rate, Mode(settings.detection_mode), settings.streak)
        self._log(f"Avmd session initialized, [{rate}] samples/s")
        self._number = session.line.listen(detector, written=not outbound)
        session.background_detectors[self._number] = self._hear
        self._bug = MediaBug(_FUNCTION, _NO_TARGET, self._forget)
        session.channel.private[_PRIVATE] = self
        add_media_bug(session, self._bug)
        self._tell("avmd::start", ("Start-time", str(self._began)))

    @property
    def status(self) -> str:
        """`DETECTED` or `NOTDETECTED`."""
        return "DETECTED" if self.beep is not None else "NOTDETECTED"

    def stop(self) -> int:
        """Listen no more and tell it; return how long it lasted, in µs."""
        total = self._session.clock.time() - self._began
        self._tell("avmd::stop", ("Beep-Status", self.status), ("Total-time", str(total)))
        remove_media_bug(self._session, self._bug)
        return total

    def _forget(self) -> None:
        session = self._session
        session.line.unlisten(self._number)
        session.background_detectors.pop(self._number, None)
        session.channel.private.pop(_PRIVATE, None)

    def _hear(self, detail: str) -> None:
        session, channel = self._session, self._session.channel
        beep = self.beep = Beep.parse(detail)
        took = session.clock.time() - self._began
        channel.set_variable("avmd_total_time", f"[{took // 1000}]")
        run_moment(session, "avmd_beep")
        channel.set_variable("avmd_detect", "TRUE")
        mode = self.settings.detection_mode
        frequency = (beep.frequency, beep.frequency_variance) if mode != Mode.AMPLITUDE else (0.0, 0.0)
        amplitude = (beep.amplitude, beep.amplitude_variance) if mode != Mode.FREQUENCY else (0.0, 0.0)
        self._tell(
            "avmd::beep",
            ("Beep-Status", "DETECTED"),
            ("Frequency", f"{frequency[0]:f}"),
            ("Frequency-variance", f"{frequency[1]:f}"),
            ("Amplitude", f"{amplitude[0]:f}"),
            ("Amplitude-variance", f"{amplitude[1]:f}"),
            ("Detection-time", str(took)),
            # FreeSWITCH: which of its estimators it was; there is one here.
            ("Detector-resolution", "1"),
            ("Detector-offset", "0"),
            ("Detector-index", "0"),
        )
        heard = [
            f"f = [{frequency[0]:f}] variance = [{frequency[1]:f}]" if mode != Mode.AMPLITUDE else "",
            f"amplitude = [{amplitude[0]:f}] variance = [{amplitude[1]:f}]" if mode != Mode.FREQUENCY else "",
        ]
        self._log(
            f"<<< AVMD - Beep Detected [{mode}][1][0][0]: {', '.join(filter(None, heard))}, "
            f"detection time [{took}] [us] >>>"
        )

    def _tell(self, name: str, *headers: tuple[str, str]) -> None:
        """Queue an event for the call's own script, and fire it for all others."""
        session = self._session

        def make() -> Event:
            event = session.switch.new_event("CUSTOM", name)
            event.add_headers((("Unique-ID", session.uuid), ("Call-command", "avmd"), *headers))
            return event

        session.queue_event(make())
        session.switch.fire(make())

    def _log(self, text: str) -> None:
        if self.settings.report_status:
            self._session.channel.log(LogLevel.INFO, text)


def running(session: Session) -> BeepDetection | None:
    """Return what listens for a beep on a call."""
    return session.private(_PRIVATE, BeepDetection)


def described(settings: AvmdSettings) -> str:
    """Return the settings as FreeSWITCH logs them when a call begins to listen."""
    return ", ".join(f"{name} [{int(value)}]" for name, value in asdict(settings).items())
