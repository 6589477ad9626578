"""Commands about a channel's keys."""

from __future__ import annotations

from typing import Final

from host.api_table import ApiTable, UsageError
from host.channel import Flag
from host.channel_argument import NO_SESSION, no_such_channel, parts_of, session_of, uuid_and_words
from host.dtmf_string import has_other_keys, parse_dtmf, wants_processing
from host.inbox import Digit
from host.interfaces import ApiRequest
from host.ivr.send_dtmf import send_dtmf_string

commands: Final = ApiTable("mod_commands")
command = commands.command


@command("uuid_send_dtmf", "<uuid> <dtmf_data>", "Send dtmf digits")
def uuid_send_dtmf(request: ApiRequest) -> str:
    uuid, text = uuid_and_words(request)
    session = session_of(request, uuid, NO_SESSION)
    if not send_dtmf_string(session, text):
        return "-ERR Operation failed\n"
    return f"+OK {uuid} sent DTMF {text}.\n"


@command("uuid_recv_dtmf", "<uuid> <dtmf_data>", "Receive dtmf digits")
def uuid_recv_dtmf(request: ApiRequest) -> str:
    """Let a channel hear keys as if its far end had pressed them."""
    uuid, text = uuid_and_words(request)
    session = session_of(request, uuid, NO_SESSION)
    digits = parse_dtmf(text, request.switch.control)
    if not digits and has_other_keys(text):
        raise UsageError
    processed = wants_processing(text)
    for digit in digits:
        session.receive_digit(Digit(digit.digit, digit.duration, "APP", processed))
    return f"+OK {uuid} received DTMF {text}.\n"


@command("uuid_flush_dtmf", "<uuid>", "Flush dtmf on a given uuid")
def uuid_flush_dtmf(request: ApiRequest) -> str:
    session = session_of(request, request.argument, "-ERR No such session\n")
    session.inbox.flush(Digit)
    return "+OK\n"


@command(
    "uuid_drop_dtmf",
    "<uuid> [on | off ] [ mask_digits <digits> | mask_file <file>]",
    "Drop all DTMF or replace it with a mask",
)
def uuid_drop_dtmf(request: ApiRequest) -> str:
    uuid, wanted, mask, value = parts_of(request, 4, 5)[:4]
    session = session_of(request, uuid, no_such_channel(uuid))
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
