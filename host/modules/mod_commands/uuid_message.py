"""Commands that are messages to a channel's endpoint: what it makes of them is its business."""

from __future__ import annotations

from typing import Final

from host.api_table import ApiTable, UsageError
from host.arguments import separate
from host.channel_argument import (
    find,
    no_such_channel,
    parts_of,
    session_of,
    uuid_and_text,
    uuid_and_words,
    words_of,
)
from host.interfaces import ApiRequest
from host.ivr.media_path import media_off, media_on
from host.ivr.note_sent import note_shown
from host.ivr.uuid_bridge import partner_of
from host.leading_number import leading_int
from host.log import LogLevel
from host.session import Session
from host.session_message import MESSAGES_PASS_BY

commands: Final = ApiTable("mod_commands")
command = commands.command

_SUCCESS: Final = "+OK Success\n"
_FAILED: Final = "-ERR Operation failed\n"
_MANUAL_REFRESH: Final = "manual_video_refresh"
_FAILED_TOO: Final = "-ERR Operation Failed\n"


@command("uuid_chat", "<uuid> <text>", "Send a chat message")
def uuid_chat(request: ApiRequest) -> str:
    session, text = _session_and_text(request)
    return "+OK\n" if session.io.message(session, "chat", text) else "-ERR Send failed\n"


@command("uuid_send_text", "<uuid> <text>", "Send text in real-time")
def uuid_send_text(request: ApiRequest) -> str:
    session, text = _session_and_text(request)
    session.io.message(session, "text", f"{text}\r\n")
    return "+OK\n"


@command("uuid_capture_text", "<uuid> <on|off>", "start/stop capture_text")
def uuid_capture_text(request: ApiRequest) -> str:
    session, text = _session_and_text(request)
    session.io.message(session, "capture_text", text)
    return ""


@command("uuid_deflect", "<uuid> <uri>", "Send a deflect")
def uuid_deflect(request: ApiRequest) -> str:
    return _with_reply(request, "deflect")


@command("uuid_redirect", "<uuid> <uri>", "Send a redirect")
def uuid_redirect(request: ApiRequest) -> str:
    return _with_reply(request, "redirect")


@command("uuid_recovery_refresh", "<uuid> <uri>", "Send a recovery_refresh")
def uuid_recovery_refresh(request: ApiRequest) -> str:
    return _with_reply(request, "recovery_refresh")


@command("uuid_display", "<uuid> <display>", "Update phone display")
def uuid_display(request: ApiRequest) -> str:
    uuid, text = uuid_and_words(request)
    session = session_of(request, uuid, _FAILED)
    note_shown(session.channel, text)
    return _SUCCESS if session.io.message(session, "display", text) else _FAILED


@command("uuid_phone_event", "<uuid>", "Send an event to the phone")
def uuid_phone_event(request: ApiRequest) -> str:
    parts = parts_of(request, 1, 3, _FAILED)
    return _taken(request, parts[0], "phone_event", " ".join(parts[1:]), _FAILED)


@command("uuid_send_info", "<uuid> [<mime_type> <mime_subtype>] <message>", "Send info to the endpoint")
def uuid_send_info(request: ApiRequest) -> str:
    parts = parts_of(request, 1, 4, _FAILED_TOO)
    if len(parts) == 3:
        raise UsageError(_FAILED_TOO)
    return _taken(request, parts[0], "info", "\n".join(parts[1:]), _FAILED_TOO)


@command("uuid_send_message", "<uuid> <message>", "Send MESSAGE to the endpoint")
def uuid_send_message(request: ApiRequest) -> str:
    uuid, text = words_of(request, 2, 2)
    return _taken(request, uuid, "message", text, "-ERR Unable to find session for UUID\n")


@command("uuid_simplify", "<uuid>", "Try to cut out of a call path / attended xfer")
def uuid_simplify(request: ApiRequest) -> str:
    uuid, *_ = parts_of(request, 1, 2)
    return _taken(request, uuid, "simplify", "", _FAILED)


@command("uuid_jitterbuffer", "<uuid> [0|<min_msec>[:<max_msec>]]", "uuid_jitterbuffer")
def uuid_jitterbuffer(request: ApiRequest) -> str:
    uuid, text = words_of(request, 2, 2)
    return _taken(request, uuid, "jitter_buffer", text, _FAILED)


@command("uuid_media", "[off] <uuid>", "Reinvite FS in or out of media path")
def uuid_media(request: ApiRequest) -> str:
    return _media_path(request, third_party=False)


@command("uuid_media_3p", "[off] <uuid>", "Reinvite FS in or out of media path using 3pcc")
def uuid_media_3p(request: ApiRequest) -> str:
    return _media_path(request, third_party=True)


@command("uuid_media_reneg", "<uuid>[ <codec_string>]", "Media negotiation")
def uuid_media_reneg(request: ApiRequest) -> str:
    parts = parts_of(request, 1, 2, _FAILED_TOO)
    if not parts[0]:
        raise UsageError(_FAILED_TOO)
    return _taken(request, parts[0], "media_reneg", "".join(parts[1:]), _FAILED_TOO)


@command("uuid_media_params", "<uuid> <json>", "Update remote vid params")
def uuid_media_params(request: ApiRequest) -> str:
    uuid, text = words_of(request, 2, 2)
    return _taken(request, uuid, "media_params", text, _FAILED)


@command("uuid_debug_media", "<uuid> <read|write|both|vread|vwrite|vboth|all> <on|off>", "Debug media")
def uuid_debug_media(request: ApiRequest) -> str:
    uuid, *what = words_of(request, 3, 3)
    return _taken(request, uuid, "debug_media", " ".join(what), _FAILED)


@command("uuid_codec_debug", "<uuid> audio|video <level>", "Send codec a debug message")
def uuid_codec_debug(request: ApiRequest) -> str:
    """Log what a call's packets are like where its codec can be told of (Opus), from level 2 on as FreeSWITCH."""
    parts = parts_of(request, 3, 3, _FAILED_TOO)
    session = session_of(request, parts[0], _FAILED_TOO)
    if parts[1].lower() == "audio":
        request.switch.engine.debug_line(session.line.number, leading_int(parts[2]) > 1)
    return _SUCCESS


@command("uuid_codec_param", "<uuid> audio|video read|write <param> <val>", "Send codec a param")
def uuid_codec_param(request: ApiRequest) -> str:
    not_sent = "-ERR Operation Failed [NOT SENT]\n"
    parts = parts_of(request, 3, 5, not_sent)
    session = session_of(request, parts[0], not_sent)
    session.io.message(session, "codec_param", " ".join(parts[1:]))
    return "+OK Command sent reply: [NOT SENT]\n"  # FreeSWITCH: unless a codec answers, which none here does


@command("uuid_set_media_stats", "<uuid>", "Set media stats")
def uuid_set_media_stats(request: ApiRequest) -> str:
    uuid = request.argument  # FreeSWITCH: all of it, quotes too
    if not uuid:
        raise UsageError
    session = session_of(request, uuid, no_such_channel(uuid))
    session.io.message(session, "media_stats", "")
    return "+OK:\n"


@command("uuid_video_refresh", "<uuid> [auto|manual]", "Send video refresh.")
def uuid_video_refresh(request: ApiRequest) -> str:
    """Ask for a whole picture, or with a word tell (`auto`, `manual`: set) who asks for them from now on."""
    parts = parts_of(request, 1, 2, _FAILED_TOO)
    session = session_of(request, parts[0], _FAILED_TOO)
    if not "".join(parts[1:]):
        return _taken(request, parts[0], "video_refresh", "", _FAILED_TOO)
    wanted = parts[1].lower()
    if wanted in ("auto", "manual"):
        session.channel.private[_MANUAL_REFRESH] = wanted == "manual"
    mode = "manual" if session.channel.private.get(_MANUAL_REFRESH) else "auto"
    return f"{session.channel.name} video refresh now in {mode} mode.\n{_SUCCESS}"


@command("uuid_video_bitrate", "<uuid> <bitrate>", "Send video bitrate req.")
def uuid_video_bitrate(request: ApiRequest) -> str:
    return _video_rate(request, "video_bitrate")


@command("uuid_video_bandwidth", "<uuid> <bitrate>", "Send video bandwidth")
def uuid_video_bandwidth(request: ApiRequest) -> str:
    return _video_rate(request, "video_bandwidth")


@command("uuid_msrp_send", "<msg>", "send msrp text")
def uuid_msrp_send(request: ApiRequest) -> str:
    parts = separate(request.argument, " ", 2)
    if len(parts) < 2 or not all(parts):
        return "-ERR Usage: uuid_msrp_send <uuid> msg\n"
    uuid, text = parts
    session = session_of(request, uuid, "-ERR Usage: cannot locate session.\n")
    if not session.io.message(session, "msrp", text):
        return "-ERR No msrp_session.\n"
    return "+OK message sent\n"


def _video_rate(request: ApiRequest, kind: str) -> str:
    parts = separate(request.argument, " ", 2)
    if len(parts) < 2:
        return f"-USAGE: <uuid> [auto|manual]\n{_FAILED_TOO}"  # FreeSWITCH: the usage of uuid_video_refresh
    return _taken(request, parts[0], kind, parts[1], _FAILED_TOO)


def _taken(request: ApiRequest, uuid: str, kind: str, text: str, failed: str) -> str:
    """Send a message. FreeSWITCH: an endpoint that does not know the kind has taken it all the same.

    But a leg of loopback that runs `app=` passes it on to who its other leg speaks with, and fails where nobody does.
    """
    session: Session | None = session_of(request, uuid, failed)
    while session is not None and not session.io.message(session, kind, text):
        session.channel.log(LogLevel.DEBUG, f"{session.channel.name} has no use for the message {kind}")
        way = session.private(MESSAGES_PASS_BY, str)
        if way is None:
            break
        other = request.switch.find_session(way)
        session = partner_of(other) if other is not None else None
    return failed if session is None else _SUCCESS


def _with_reply(request: ApiRequest, kind: str) -> str:
    session, text = _session_and_text(request)
    session.io.message(session, kind, text)
    return "+OK:\n"


def _session_and_text(request: ApiRequest) -> tuple[Session, str]:
    uuid, text = uuid_and_text(request)
    return session_of(request, uuid, no_such_channel(uuid)), text


def _media_path(request: ApiRequest, *, third_party: bool) -> str:
    """Take the switch out of a call's media path (`off`), or into it; into it can only come who was out."""
    parts = parts_of(request, 1, 4, _FAILED)
    if not parts[0]:
        raise UsageError(_FAILED)
    if parts[0].lower() == "off":
        session = find(request, parts[1] if len(parts) > 1 else "")
        done = session is not None and media_off(session, third_party=third_party)
    else:
        session = find(request, parts[0])
        done = session is not None and media_on(session, rebridge=True, third_party=third_party)
    return _SUCCESS if done else _FAILED
