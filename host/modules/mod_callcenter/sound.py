"""Sounds that an agent hears before the member: one file, or `ARRAY::one::two`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.ivr.play import play_file
from host.log import LogLevel
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session

_ARRAY: Final = "ARRAY::"
_SEPARATOR: Final = "::"


def sounds_of(text: str) -> list[str]:
    """Return the files that a sound consists of."""
    return text[len(_ARRAY) :].split(_SEPARATOR) if text.startswith(_ARRAY) else [text]


def play_to(session: Session, text: str) -> None:
    """Have a call play a sound, from a thread that is not its own; return when it is over."""
    waiter = session.clock.waiter()
    done = False

    def play(leg: Session) -> None:
        nonlocal done
        try:
            for sound in sounds_of(text):
                status = play_file(leg, sound)
                if status is Status.NOT_FOUND:
                    leg.channel.log(LogLevel.WARNING, f"Couldn't play file '{sound}'")
                elif status not in (Status.SUCCESS, Status.BREAK):
                    return
        finally:
            done = True
            waiter.notify()

    session.channel.watchers.append(waiter.notify)
    try:
        session.run_in_session(play)
        while not done and session.channel.up:
            waiter.wait()
    finally:
        session.channel.watchers.remove(waiter.notify)
