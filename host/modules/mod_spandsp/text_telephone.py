"""What text telephones (TDD) type on a call, and what is typed to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.ivr.input_args import NO_INPUT
from host.ivr.listen import play_source
from host.log import LogLevel
from host.media_bug import MediaBug, add_media_bug, media_bugs
from host.modules.mod_spandsp.listening import listen, stop
from media.source import Sequence, Silence
from media.tdd import BAUD_INTERNATIONAL, BAUD_US, TddDetector, modulate

if TYPE_CHECKING:
    from host.event import Event
    from host.session import Session

RECEIVED: Final = "TDD::RECV_MESSAGE"
SEND: Final = "TDD::SEND_MESSAGE"
DECODE: Final = "spandsp_tdd_decode"
ENCODE: Final = "spandsp_tdd_encode"

# By the variable `v18_mode`; of V.18's modes those of five bits are spoken here.
_BAUDS: Final = {"5BIT_45": BAUD_US, "BAUDOT": BAUD_US, "5BIT_50": BAUD_INTERNATIONAL}
_OTHER_MODES: Final = ("DTMF", "EDT", "BELL103", "ASCII", "V23VIDEOTEX", "V21TEXTPHONE", "V18TEXTPHONE")
# FreeSWITCH: ten frames of silence before and after what is typed into a call.
_LEAD_MS: Final = 200
_LONGEST_TEXT: Final = 8_192  # characters; it takes 24 minutes


def start_decoding(session: Session) -> bool:
    """Read what the far end types and tell it as messages; False for a `v18_mode` that is not spoken here."""
    baud = _baud(session)
    if baud is None:
        return False
    if not media_bugs(session, DECODE):
        listen(session, DECODE, TddDetector(session.line.rate, baud), lambda text: _tell(session, text))
    return True


def stop_decoding(session: Session) -> None:
    """Read no more."""
    stop(session, DECODE)


def encode_into(session: Session, text: str) -> bool:
    """Type a text to the far end in place of what it hears; False for a `v18_mode` that is not spoken here."""
    baud = _baud(session)
    if baud is None:
        return False
    line = session.line
    stop_encoding(session)
    lead = Silence(line.rate, line.rate * _LEAD_MS // 1000)
    typed = modulate(text[:_LONGEST_TEXT], line.rate, baud)
    number = line.displace(Sequence((lead, typed, lead)))
    add_media_bug(
        session, MediaBug(ENCODE, "N/A", lambda: line.undisplace(number), lambda: line.displaced(number))
    )
    return True


def stop_encoding(session: Session) -> None:
    """Type no more."""
    stop(session, ENCODE)


def send(session: Session, text: str) -> None:
    """Type a text to the far end and wait until it is there."""
    baud = _baud(session)
    if baud is not None:
        play_source(session, modulate(text[:_LONGEST_TEXT], session.line.rate, baud), NO_INPUT)


def _baud(session: Session) -> float | None:
    """Return the bits a second of the call's `v18_mode`; an unknown one is the usual one (FreeSWITCH)."""
    mode = (session.channel.get_variable("v18_mode") or "").upper()
    if mode in _OTHER_MODES:
        session.channel.log(LogLevel.ERR, f"text telephones of the mode {mode} are not spoken here")
        return None
    return _BAUDS.get(mode, BAUD_US)


def _tell(session: Session, text: str) -> None:
    """Tell what the far end has typed: to the leg that it is bridged with, in an event, in `tdd_messages`."""
    switch, channel = session.switch, session.channel
    channel.variables.push("tdd_messages", text)

    def make() -> Event:
        event = switch.new_event("CUSTOM", RECEIVED)
        event.add_headers(
            (
                ("login", "mod_spandsp"),
                ("proto", "tdd"),
                ("subject", "TDD MESSAGE"),
                ("TDD-Data", text),
                ("Unique-ID", session.uuid),
            )
        )
        event.body = f"{text}\n\n"
        return event

    partner = switch.find_session(session.partner) if session.partner else None
    if partner is not None:
        partner.queue_event(make())
    switch.fire(make())
    channel.log(LogLevel.DEBUG, f"{channel.name} got TDD Message [{text}]")
