"""Commands about a channel's keys."""

from __future__ import annotations

from typing import Final

from host.api_table import ApiTable, UsageError
from host.arguments import separate
from host.channel import Flag
from host.clock import MILLISECOND
from host.dtmf_string import PAUSES_MS, SentDigit, has_other_keys, parse_dtmf, wants_processing
from host.inbox import Digit
from host.interfaces import ApiRequest
from host.ivr.note_sent import note_sent_digits
from host.modules.mod_commands.channel_argument import NO_SESSION, find, no_such_channel, words
from host.session import Session

commands: Final = ApiTable("mod_commands")
command = commands.command


@command("uuid_send_dtmf", "<uuid> <dtmf_data>", "Send dtmf digits")
def uuid_send_dtmf(request: ApiRequest) -> str:
    uuid, text = words(request, 2, 2)
    if not text:
        raise UsageError
    session = find(request, uuid)
    if session is None:
        return NO_SESSION
    digits = parse_dtmf(text, request.switch.control)
    if not digits:
        return "-ERR Operation failed\n"
    note_sent_digits(session.channel, digits)
    _send(session, digits)
    return f"+OK {uuid} sent DTMF {text}.\n"


@command("uuid_recv_dtmf", "<uuid> <dtmf_data>", "Receive dtmf digits")
def uuid_recv_dtmf(request: ApiRequest) -> str:
    """Let a channel hear keys as if its far end had pressed them."""
    uuid, text = words(request, 2, 2)
    if not text:
        raise UsageError
    session = find(request, uuid)
    if session is None:
        return NO_SESSION
    digits = parse_dtmf(text, request.switch.control)
    if not digits and has_other_keys(text):
        raise UsageError
    processed = wants_processing(text)
    for digit in digits:
        session.receive_digit(Digit(digit.digit, digit.duration, "APP", processed))
    return f"+OK {uuid} received DTMF {text}.\n"


@command("uuid_flush_dtmf", "<uuid>", "Flush dtmf on a given uuid")
def uuid_flush_dtmf(request: ApiRequest) -> str:
    session = find(request, request.argument)
    if session is None:
        return "-ERR No such session\n"
    session.inbox.flush(Digit)
    return "+OK\n"


@command(
    "uuid_drop_dtmf",
    "<uuid> [on | off ] [ mask_digits <digits> | mask_file <file>]",
    "Drop all DTMF or replace it with a mask",
)
def uuid_drop_dtmf(request: ApiRequest) -> str:
    parts = separate(request.argument, " ", 5)
    if len(parts) < 4:
        raise UsageError
    uuid, wanted, mask, value = parts[:4]
    session = find(request, uuid)
    if session is None:
        return no_such_channel(uuid)
    channel = session.channel
    kinds = {"mask_digits": "drop_dtmf_masking_digits", "mask_file": "drop_dtmf_masking_file"}
    for variable in kinds.values():
        channel.set_variable(variable, None)
    if mask.lower() not in kinds:
        raise UsageError
    channel.set_variable(kinds[mask.lower()], value)
    dropping = wanted.lower() == "on"
    if dropping:
        channel.set_flag(Flag.DROP_DTMF)
    else:
        channel.clear_flag(Flag.DROP_DTMF)
    channel.set_variable("drop_dtmf", "true" if dropping else "false")
    digits, file = (channel.variables.get(variable) or "NONE" for variable in kinds.values())
    return (
        f"+OK {uuid} is {'' if dropping else 'not '}dropping DTMF. mask_file: {file} mask_digits: {digits}\n"
    )


def _send(session: Session, digits: list[SentDigit]) -> None:
    """Send digits; what stands behind a `w` or `W` is sent after that pause."""
    for index, digit in enumerate(digits):
        pause = PAUSES_MS.get(digit.digit)
        if pause is not None:
            _send_later(session, digits[index + 1 :], pause)
            return
        if session.channel.up:
            session.io.send_dtmf(session, digit.digit, digit.duration)


def _send_later(session: Session, digits: list[SentDigit], pause_ms: int) -> None:
    if digits:
        session.clock.call_later(pause_ms * MILLISECOND, lambda: _send(session, digits))
