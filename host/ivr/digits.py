"""Collect keys: counted, into a callback, with a prompt, with retries and a pattern (FreeSWITCH: switch_ivr_…)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.clock import MILLISECOND
from host.event import Event
from host.inbox import Break, Digit
from host.ivr.input_args import InputArgs
from host.ivr.play import play_file
from host.regex import RegexError, search
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session


# FreeSWITCH: this as a prompt plays nothing at all.
NO_PROMPT: Final = "silence"


def collect_digits_count(
    session: Session,
    max_digits: int,
    terminators: str,
    timeout_ms: int,
    digit_timeout_ms: int = 0,
    abs_timeout_ms: int = 0,
) -> tuple[str, str, Status]:
    """Collect up to `max_digits` keys; return them, the terminator pressed ("" for none) and how it ended.

    `timeout_ms` is for the first key, `digit_timeout_ms` (else `timeout_ms`) for each later one; 0 waits for ever.
    SUCCESS at a terminator or a full count, TIMEOUT, BREAK, or FALSE when the call is over.
    """
    clock = session.clock
    began = clock.now()
    wait_ms = timeout_ms
    collected = ""
    last = began
    while len(collected) < max_digits:
        deadlines = [last + wait_ms * MILLISECOND] if wait_ms > 0 else []
        if abs_timeout_ms > 0:
            deadlines.append(began + abs_timeout_ms * MILLISECOND)
        item = session.receive(min(deadlines, default=None), (Digit, Break))
        if item is None:
            return collected, "", Status.TIMEOUT if session.channel.ready else Status.FALSE
        if isinstance(item, Break):
            return collected, "", Status.BREAK
        assert isinstance(item, Digit)
        session.tell_digit(item)
        if item.digit in terminators:
            return collected, item.digit, Status.SUCCESS
        collected += item.digit
        last = clock.now()
        wait_ms = digit_timeout_ms or timeout_ms
    return collected, "", Status.SUCCESS


def collect_digits_callback(
    session: Session, args: InputArgs, digit_timeout_ms: int = 0, abs_timeout_ms: int = 0
) -> Status:
    """Give keys and events to `args.on_input` until it breaks off or a timeout; without one, keys are eaten.

    `digit_timeout_ms` runs from the last key, `abs_timeout_ms` from the start; 0 is none.
    """
    clock = session.clock
    began = last = clock.now()
    kinds = args.kinds() if args.takes_digits else (Digit, Event, Break)
    while True:
        deadlines = []
        if digit_timeout_ms > 0:
            deadlines.append(last + digit_timeout_ms * MILLISECOND)
        if abs_timeout_ms > 0:
            deadlines.append(began + abs_timeout_ms * MILLISECOND)
        item = session.receive(min(deadlines, default=None), kinds)
        if item is None:
            return Status.TIMEOUT if session.channel.ready else Status.FALSE
        if isinstance(item, Digit):
            last = clock.now()
        if not args.takes_digits and isinstance(item, Digit):
            session.tell_digit(item)
            continue
        if isinstance(item, Event) and not args.takes_digits:
            continue
        status = args.take(session, item)
        if not status:
            return status


def read(
    session: Session,
    min_digits: int,
    max_digits: int,
    path: str,
    variable: str,
    timeout_ms: int,
    terminators: str,
    digit_timeout_ms: int = 0,
) -> tuple[str, Status]:
    """Play `path` until the first key and collect `min_digits` to `max_digits` keys (FreeSWITCH: switch_ivr_read).

    In `terminators`, a key after `+` is kept as a part of the entry when it ends it, and `=` asks for a terminator:
    without one the entry fails. Sets `read_result` (success, timeout with enough keys, failure),
    `read_terminator_used` when a terminator was pressed, and `variable`, also to an entry that is too short. A prompt
    that is not there fails at once, NOT_FOUND.
    """
    channel = session.channel
    must_terminate = "=" in terminators
    kept = {terminators[i + 1] for i, sign in enumerate(terminators[:-1]) if sign == "+"}
    terminators = terminators.replace("=", "").replace("+", "")
    max_digits = max(min_digits, max_digits)
    args = InputArgs(buffer_size=1, asks=True)
    digits, terminator = "", ""
    channel.variables.unset("read_result")
    if path and path.lower() != NO_PROMPT:
        status = play_file(session, path, args=args)
        if status is Status.NOT_FOUND:
            return "", status
    else:
        status = Status.SUCCESS
    if status in (Status.SUCCESS, Status.BREAK):
        first = args.digits
        if first and first in terminators:
            terminator = first
        elif len(first) < max_digits or must_terminate:
            rest, terminator, status = collect_digits_count(
                session,
                max_digits - len(first) + (1 if must_terminate else 0),
                terminators,
                (digit_timeout_ms if first else 0) or timeout_ms,
                digit_timeout_ms,
            )
            digits = (first + rest)[:max_digits]
        else:
            digits = first
    if terminator:
        channel.variables.set("read_terminator_used", terminator)
        if terminator in kept:
            digits += terminator
    complete = len(digits) >= min_digits and status is not Status.FALSE
    if must_terminate and not terminator:
        complete = False
    timed_out = status is Status.TIMEOUT
    result = ("timeout" if timed_out else "success") if complete else "failure"
    channel.variables.set("read_result", result)
    if variable:
        channel.set_variable(variable, digits or None)
    if complete:
        return digits, Status.TIMEOUT if timed_out else Status.SUCCESS
    return digits, Status.FALSE


def play_and_get_digits(
    session: Session,
    min_digits: int,
    max_digits: int,
    tries: int,
    timeout_ms: int,
    terminators: str,
    path: str,
    bad_path: str,
    variable: str = "",
    regexp: str = "",
    digit_timeout_ms: int = 0,
    transfer_on_failure: str = "",
) -> tuple[str, Status]:
    """Ask up to `tries` times for keys that match `regexp`; return them, or "" when nothing fitting was pressed.

    FreeSWITCH: a too short entry stays in `variable`, one that does not match goes to `variable`_invalid; with no
    minimum a terminator alone ends it with ""; after the last try the call goes to `transfer_on_failure`
    (`extension [dialplan [context]]`, parts divided by blanks or `-`).
    """
    channel = session.channel
    if variable:
        channel.set_variable(f"{variable}_invalid", None)
    for _ in range(tries):
        if not channel.ready:
            break
        digits, status = read(
            session, min_digits, max_digits, path, variable, timeout_ms, terminators, digit_timeout_ms
        )
        if status in (Status.SUCCESS, Status.TIMEOUT):
            if not digits and min_digits == 0:
                return "", Status.SUCCESS
            if not regexp or matches(digits, regexp):
                return digits, Status.SUCCESS
            if variable:
                channel.set_variable(f"{variable}_invalid", digits)
                channel.set_variable(variable, None)
        if channel.ready and bad_path:
            play_file(session, bad_path)
    if transfer_on_failure and channel.ready:
        session.transfer(*transfer_on_failure.split()[:3])
    return "", Status.FALSE


def matches(digits: str, regexp: str) -> bool:
    """Return whether `digits` match a pattern; a pattern that is none matches nothing."""
    try:
        return search(digits, regexp) is not None
    except RegexError:
        return False
