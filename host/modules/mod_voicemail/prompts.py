"""What a mailbox says and asks through the phrase macros voicemail_*."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.ivr.digits import collect_digits_count
from host.ivr.input_args import InputArgs
from host.ivr.phrase import phrase_macro
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session

# FreeSWITCH: an entry without a limit of its own has room for so many keys.
LONGEST_ENTRY: Final = 79


class DialogEnded(Exception):
    """A prompt failed or the call is over: the dialog that asks goes to its end."""


def proceed(status: Status) -> Status:
    """Return a status with which a dialog goes on (done, or broken off by a key); else raise DialogEnded."""
    if status not in (Status.SUCCESS, Status.BREAK):
        raise DialogEnded
    return status


def say(session: Session, macro: str, data: str = "", args: InputArgs | None = None) -> Status:
    """Run the macro voicemail_`macro`."""
    return phrase_macro(session, f"voicemail_{macro}", data, None, args)


def ask(
    session: Session,
    macro: str,
    data: str,
    timeout_ms: int,
    *,
    most: int = LONGEST_ENTRY,
    terminators: str = "",
) -> tuple[str, Status]:
    """Run a macro and collect up to `most` keys, the first of which ends it; return them and how that ended.

    A timeout counts as done (FreeSWITCH: and leaves what was pressed so far).
    """
    args = InputArgs(buffer_size=1, asks=True)
    status = say(session, macro, data, args)
    entered = args.digits
    if status not in (Status.SUCCESS, Status.BREAK):
        return "", status
    if len(entered) < most:
        rest, _, status = collect_digits_count(session, most - len(entered), terminators, timeout_ms)
        entered += rest
        if status is Status.TIMEOUT:
            status = Status.SUCCESS
    return entered, status


def choose(session: Session, macro: str, keys: str, timeout_ms: int) -> str:
    """Run a menu's macro with its keys and return the key that was pressed, "" after the timeout. DialogEnded."""
    key, status = ask(session, macro, keys, timeout_ms, most=1)
    proceed(status)
    return key
