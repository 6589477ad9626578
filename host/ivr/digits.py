"""Collect keys: counted, into a callback, with a prompt, with retries and a pattern (FreeSWITCH: switch_ivr_…)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.arguments import separate
from host.clock import MILLISECOND
from host.event import Event
from host.inbox import Break, Digit
from host.ivr.idle_silence import IdleSilence
from host.ivr.input_args import InputArgs
from host.ivr.play import play_file
from host.log import LogLevel
from host.regex import RegexError, search
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session


# FreeSWITCH: this as a prompt plays nothing at all.
NO_PROMPT: Final = "silence"

# Before a terminator: it becomes a part of the entry, and with the latter the asking begins anew.
_RESTARTS: Final = "x"
_KEEPS: Final = ("+", _RESTARTS)

# FreeSWITCH divides what an asking in vain transfers to into so many parts, of which it takes three.
_TARGET_PARTS: Final = 4

_READ_RESULTS: Final = {Status.SUCCESS: "success", Status.TIMEOUT: "timeout"}


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
    SUCCESS at a terminator or a full count, TIMEOUT, BREAK, or FALSE when the call is over. `send_silence_when_idle`
    is sent meanwhile.
    """
    with IdleSilence(session):
        return _collect(session, max_digits, terminators, timeout_ms, digit_timeout_ms, abs_timeout_ms)


def _collect(
    session: Session,
    max_digits: int,
    terminators: str,
    timeout_ms: int,
    digit_timeout_ms: int,
    abs_timeout_ms: int,
) -> tuple[str, str, Status]:
    clock = session.clock
    began = clock.now()
    wait_ms = timeout_ms or digit_timeout_ms
    collected = ""
    last = began
    held: Break | None = None
    try:
        while len(collected) < max_digits:
            deadlines = [last + wait_ms * MILLISECOND] if wait_ms > 0 else []
            if abs_timeout_ms > 0:
                deadlines.append(began + abs_timeout_ms * MILLISECOND)
            item = session.receive(min(deadlines, default=None), (Digit, Break))
            if item is None:
                return collected, "", Status.TIMEOUT if session.channel.ready else Status.FALSE
            if isinstance(item, Break):
                held = item
                if item.stops:
                    return collected, "", Status.BREAK
                continue
            assert isinstance(item, Digit)
            session.tell_digit(item)
            if item.digit in terminators:
                return collected, item.digit, Status.SUCCESS
            collected += item.digit
            last = clock.now()
            wait_ms = digit_timeout_ms or timeout_ms
        return collected, "", Status.SUCCESS
    finally:
        if held is not None:  # FreeSWITCH: it breaks off what is played next
            session.inbox.put_back(held)


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
        if args.takes_digits or isinstance(item, Break):
            status = args.take(session, item)
            if not status:
                return status
        elif isinstance(item, Digit):
            session.tell_digit(item)
        if isinstance(item, Digit):
            last = clock.now()


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

    A call without media gets early media first. In `terminators`, a key after `+` or `x` is kept as a part of the
    entry when it ends it (and `x` makes the status RESTART), and a leading `=` asks for a terminator: without one the
    entry fails. Sets `read_result` (success, timeout with enough keys, failure), `read_terminator_used` when a
    terminator was pressed, and `variable`, also to an entry that is too short. A prompt that is not played to its end,
    nor broken off by a key, fails at once. FreeSWITCH: a prompt's only key of one that is wanted is dropped when it is
    a terminator, without being told as one.
    """
    channel = session.channel
    if max_digits < min_digits:
        forced = f"Max digits {max_digits} is less than Min {min_digits}, forcing Max to {min_digits}"
        channel.log(LogLevel.WARNING, forced)
        max_digits = min_digits
    channel.variables.unset("read_result")
    if variable:
        channel.set_variable(variable, None)
    if not session.pre_answer():
        return "", Status.FALSE
    digits, terminator = "", ""
    status = Status.SUCCESS
    if path and path.lower() != NO_PROMPT:
        args = InputArgs(buffer_size=1, asks=True)
        status = play_file(session, path, args=args)
        if status is Status.BREAK:
            status = Status.SUCCESS
        digits = args.digits
    if status:
        if len(digits) < max(min_digits, max_digits):
            if digits and digits in terminators:
                digits, terminator = "", digits
            else:
                first_timeout = digit_timeout_ms if digits and digit_timeout_ms else timeout_ms
                left = max_digits - len(digits)
                more, terminator, status = collect_digits_count(
                    session, left, terminators, first_timeout, digit_timeout_ms
                )
                digits += more
        if terminator:
            channel.variables.set("read_terminator_used", terminator)
            at = terminators.find(terminator)
            mark = terminators[at - 1] if at > 0 else ""
            if mark in _KEEPS:
                digits += terminator
            if mark == _RESTARTS:
                status = Status.RESTART
        elif terminators.startswith("="):
            status = Status.FALSE
        if len(digits) < min_digits:
            status = Status.FALSE
        channel.variables.set("read_result", _READ_RESULTS.get(status, "failure"))
    if status is not Status.RESTART and max_digits == 1 and len(digits) == 1 and digits in terminators:
        digits = ""
    if variable and digits:
        channel.set_variable(variable, digits)
    return digits, status


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
    minimum, no entry is "" and a success once any terminator was pressed in this call; after the last try the call
    goes to `transfer_on_failure` (`extension [dialplan [context]]`, divided by blanks). A negative number of tries is
    without end.
    """
    channel = session.channel
    if regexp and variable:
        channel.set_variable(f"{variable}_invalid", None)
    while tries and channel.ready:
        digits, status = read(
            session, min_digits, max_digits, path, variable, timeout_ms, terminators, digit_timeout_ms
        )
        if status is Status.RESTART:
            return digits, status
        if not digits and min_digits == 0 and channel.get_variable("read_terminator_used") is not None:
            return "", Status.SUCCESS
        if digits and status in (Status.SUCCESS, Status.TIMEOUT):
            if not regexp or matches(digits, regexp):
                return digits, Status.SUCCESS
            if variable:
                channel.set_variable(variable, None)
                channel.set_variable(f"{variable}_invalid", digits)
        if not session.channel.ready:
            break
        play_file(session, bad_path)
        tries -= 1
    if transfer_on_failure and channel.ready:
        target = separate(transfer_on_failure, " ", _TARGET_PARTS)[:3]
        where = " / ".join([*target, *["(null)"] * (3 - len(target))])
        channel.log(LogLevel.WARNING, f"PAGD failure! Transfer to: {where}")
        session.transfer(*target)
    return "", Status.FALSE


def matches(digits: str, regexp: str) -> bool:
    """Return whether `digits` match a pattern; a pattern that is none matches nothing."""
    try:
        return search(digits, regexp) is not None
    except RegexError:
        return False
