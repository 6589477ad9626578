"""Applications about keys: collected, sent, flushed, blocked, heard in the sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.arguments import separate
from host.channel import Flag
from host.dtmf_string import parse_dtmf, wants_processing
from host.inbox import Digit
from host.ivr.digits import play_and_get_digits as ask
from host.ivr.digits import read as read_digits
from host.ivr.send_dtmf import send_dtmf_string
from host.leading_number import leading_int
from host.log import LogLevel
from host.media_bug import MediaBug, add_media_bug, media_bugs, remove_media_bug
from media.dtmf_detector import DtmfDetector

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

# FreeSWITCH: what ends the entry when nothing is given, and the shortest wait for the first key.
_TERMINATOR: Final = "#"
_LEAST_TIMEOUT_MS: Final = 1000
_INBAND: Final = "inband_dtmf"


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


@_application(
    "read", "<min> <max> <file> <var_name> <timeout> <terminators> <digit_timeout>", "Read Digits", media=True
)
def read(session: Session, data: str) -> None:
    """Play a file and collect keys into a variable."""
    words = separate(data, " ", 7)
    if not words:
        session.channel.log(LogLevel.ERR, "No arguments specified.")
        return
    least, most, path, variable, timeout, terminators, digit_timeout = words + [""] * (7 - len(words))
    minimum = max(1, leading_int(least))
    read_digits(
        session,
        minimum,
        max(minimum, leading_int(most)),
        path,
        variable,
        max(_LEAST_TIMEOUT_MS, leading_int(timeout)),
        terminators or _TERMINATOR,
        max(0, leading_int(digit_timeout)),
    )


@_application(
    "play_and_get_digits",
    "\n\t<min> <max> <tries> <timeout> <terminators> <file> <invalid_file> <var_name> <regexp> [<digit_timeout>]"
    " ['<failure_ext> [failure_dp [failure_context]]']",
    "Play and get Digits",
    media=True,
)
def play_and_get_digits(session: Session, data: str) -> None:
    """Ask for keys that match a pattern, several times if need be."""
    words = separate(data, " ", 11)
    if not words:
        session.channel.log(LogLevel.ERR, "No arguments specified.")
        return
    words += [""] * (11 - len(words))
    least, most, tries, timeout, terminators, path, bad_path, variable, regexp, digit_timeout, target = words
    minimum = max(0, leading_int(least))
    ask(
        session,
        minimum,
        max(minimum, leading_int(most)),
        leading_int(tries),
        max(_LEAST_TIMEOUT_MS, leading_int(timeout)),
        terminators or _TERMINATOR,
        path,
        bad_path,
        variable,
        regexp,
        max(0, leading_int(digit_timeout)),
        target,
    )


@_application("flush_dtmf", "", "flush any queued dtmf")
def flush_dtmf(session: Session, data: str) -> None:
    """Drop the keys that wait."""
    session.inbox.flush(Digit)


@_application("queue_dtmf", "<dtmf_data>", "Queue dtmf to be sent")
def queue_dtmf(session: Session, data: str) -> None:
    """Put keys into the channel's own queue, as if they had been pressed."""
    processed = wants_processing(data)
    for digit in parse_dtmf(data, session.switch.control):
        session.receive_digit(Digit(digit.digit, digit.duration, "APP", processed))


@_application("send_dtmf", "<dtmf_data>", "Send dtmf to be sent")
def send_dtmf(session: Session, data: str) -> None:
    """Send keys to the far end, one after another; `w` and `W` wait."""
    send_dtmf_string(session, data)


@_application("block_dtmf", "", "Block DTMF")
def block_dtmf(session: Session, data: str) -> None:
    """Let no key through from now on."""
    session.channel.set_flag(Flag.DROP_DTMF)


@_application("unblock_dtmf", "", "Stop blocking DTMF")
def unblock_dtmf(session: Session, data: str) -> None:
    """Let keys through again."""
    session.channel.clear_flag(Flag.DROP_DTMF)


@_application("start_dtmf", "", "Detect dtmf", media=True)
def start_dtmf(session: Session, data: str) -> None:
    """Hear keys in the sound of the call, too."""
    if media_bugs(session, _INBAND):
        return
    line = session.line
    number = line.listen(DtmfDetector(line.rate))
    session.background_detectors[number] = lambda key: session.receive_digit(
        Digit(key, source="INBAND_AUDIO")
    )

    def stop() -> None:
        session.background_detectors.pop(number, None)
        line.unlisten(number)

    add_media_bug(session, MediaBug(_INBAND, "_none_", stop))


@_application("stop_dtmf", "", "stop inband dtmf", media=True)
def stop_dtmf(session: Session, data: str) -> None:
    """Stop hearing keys in the sound."""
    for bug in media_bugs(session, _INBAND):
        remove_media_bug(session, bug)
