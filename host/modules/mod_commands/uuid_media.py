"""Commands about a channel's sound: recording, displacing, volume, the file that plays, what listens."""

from __future__ import annotations

from typing import Final

from host.api_table import ApiTable, UsageError
from host.arguments import separate
from host.channel_argument import NO_CHANNEL, NO_SESSION, parts_of, session_of, words_of
from host.clock import SECOND
from host.interfaces import ApiRequest
from host.ivr.file_command import command_file
from host.ivr.preprocess import preprocess_session
from host.ivr.record import (
    STEERING,
    record_path,
    record_session,
    session_recordings,
    steer_recording,
    stop_record_session,
)
from host.ivr.recording_settings import own_settings
from host.ivr.schedule import start_heartbeat, stop_heartbeat
from host.ivr.session_audio import (
    displace_session,
    mute_audio,
    set_audio_level,
    stop_displace_session,
    stop_session_audio,
)
from host.ivr.tone_detect import tone_detect_session
from host.leading_number import leading_int
from host.media_bug import media_bugs
from host.truth import is_true
from media.speexdsp import SpeexDspUnavailable

commands: Final = ApiTable("mod_commands")
command = commands.command

_SUCCESS: Final = "+OK Success\n"
_HEARTBEAT_SYNTAX: Final = "<uuid> [sched] [0|<seconds>]"
_HEARTBEAT_USAGE: Final = f"USAGE: uuid_session_heartbeat {_HEARTBEAT_SYNTAX}\n"
_DEFAULT_HEARTBEAT: Final = 60
_LONGEST_HEARTBEAT: Final = 10**9  # seconds


@command(
    "uuid_record",
    "<uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]",
    "Record session audio",
)
def uuid_record(request: ApiRequest) -> str:
    uuid, action, path, *more = words_of(request, 3, 5)
    if not action or not path:
        raise UsageError
    session = session_of(request, uuid, NO_SESSION)
    action = action.lower()
    if action == "start":
        settings = own_settings(more[1]) if len(more) > 1 else {}
        started = record_session(session, path, leading_int(more[0]) if more else 0, settings)
        # FreeSWITCH: a file that is being recorded already is a success.
        done = bool(started) or record_path(session, path) in session_recordings(session)
        return _SUCCESS if done else "-ERR Cannot record session!\n"
    if action == "stop":
        return _SUCCESS if stop_record_session(session, path) else "-ERR Cannot stop record session!\n"
    if action not in STEERING:
        raise UsageError
    steered = steer_recording(session, path, action)
    return _SUCCESS if steered else f"-ERR Cannot {action} recording session!\n"


@command("uuid_displace", "<uuid> [start|stop] <path> [<limit>] [mux]", "Displace audio")
def uuid_displace(request: ApiRequest) -> str:
    """Put a file in place of what the channel's far end hears; the limit is in ms, flags are r, w and m(ux)."""
    uuid, action, path, *more = words_of(request, 3, 5)
    session = session_of(request, uuid, NO_SESSION)
    action = action.lower()
    if action == "start":
        flags = more[1].lower() if len(more) > 1 else ""
        done = displace_session(
            session,
            path,
            read="r" in flags,
            mux="m" in flags,
            limit_ms=leading_int(more[0]) if more else 0,
        )
        return _SUCCESS if done else "-ERR Cannot displace session!\n"
    if action == "stop":
        done = stop_displace_session(session, path)
        return _SUCCESS if done else "-ERR Cannot stop displace session!\n"
    raise UsageError


@command("uuid_audio", "<uuid> [start [read|write] [mute|level <level>]|stop]", "uuid_audio")
def uuid_audio(request: ApiRequest) -> str:
    uuid, action, *more = words_of(request, 2, 5)
    session = session_of(request, uuid, NO_CHANNEL)
    action = action.lower()
    if action == "stop":
        stop_session_audio(session)
        return "+OK\n"
    if action != "start" or len(more) < 3:
        raise UsageError
    direction, what = more[0].lower(), more[1].lower()
    if direction not in ("read", "write") or what not in ("mute", "level"):
        raise UsageError
    level = leading_int(more[2])
    if what == "mute":
        mute_audio(session, direction, level)
    else:
        set_audio_level(session, direction, level)
    return "+OK\n"


@command("uuid_fileman", "<uuid> <cmd>:<val>", "Manage session audio")
def uuid_fileman(request: ApiRequest) -> str:
    uuid, text, *_ = words_of(request, 2, 4)
    session = session_of(request, uuid, NO_CHANNEL)
    file = session.playing
    if file is None:
        return "-ERR No file handle!\n"
    if text.partition(":")[0].lower() != "stop":  # FreeSWITCH: only an input callback can end the file
        command_file(file, text)
    return "+OK\n"


@command("uuid_buglist", "<uuid>", "List media bugs on a session")
def uuid_buglist(request: ApiRequest) -> str:
    uuid, *_ = parts_of(request, 1, 2)
    session = session_of(request, uuid, "")
    listed = [(bug.function, bug.target) for bug in media_bugs(session)]
    rows = "".join(
        f" <media-bug>\n  <function>{function}</function>\n  <target>{target}</target>\n"
        "  <thread-locked>0</thread-locked>\n </media-bug>\n"
        for function, target in listed
    )
    return f"<media-bugs>\n{rows}</media-bugs>\n"


@command("uuid_session_heartbeat", _HEARTBEAT_SYNTAX, "uuid_session_heartbeat")
def uuid_session_heartbeat(request: ApiRequest) -> str:
    """Tell the channel with SESSION_HEARTBEAT every so many seconds, with `heartbeat_fire_on_set` also at once.

    0 ends it; with `sched` it is a task of the scheduler.
    """
    parts = separate(request.argument, " ", 3)
    if len(parts) < 2:
        return f"-{_HEARTBEAT_USAGE}"
    session = session_of(request, parts[0], f"-ERR Cannot locate session. {_HEARTBEAT_USAGE}")
    scheduled = parts[1].lower() == "sched"
    wanted = parts[2:3] if scheduled else parts[1:2]
    if scheduled and not wanted:
        return f"-{_HEARTBEAT_USAGE}"
    number = leading_int(wanted[0])
    seconds = _DEFAULT_HEARTBEAT if number < 0 else min(number, _LONGEST_HEARTBEAT)
    if seconds:
        at_once = is_true(session.channel.get_variable("heartbeat_fire_on_set"))
        start_heartbeat(session, seconds, at_once=at_once, scheduled=scheduled)
    else:
        stop_heartbeat(session)
    return "+OK\n"


@command("uuid_preprocess", "<>", "Pre-process Channel")
def uuid_preprocess(request: ApiRequest) -> str:
    """Have noise suppressed and the gain regulated on a channel, see `host.ivr.preprocess`."""
    uuid, *more = words_of(request, 2, 3)
    session = session_of(request, uuid, NO_CHANNEL)
    try:
        preprocess_session(session, more[0])
    except SpeexDspUnavailable as error:
        return f"-ERR {error}\n"
    return "+OK\n"


@command(
    "tone_detect",
    "<uuid> <key> <tone_spec> [<flags> <timeout> <app> <args> <hits>]",
    "Start tone detection on a channel",
)
def tone_detect(request: ApiRequest) -> str:
    """Listen for a tone on a channel, until `+seconds` from now or a time since the epoch."""
    parts = separate(request.argument, " ", 8)
    if len(parts) < 3:
        return ""
    session = session_of(request, parts[0], NO_SESSION)
    key, tones, flags, when, application, data, hits = (parts[1:] + [""] * 7)[:7]
    seconds = 0
    if when:
        seconds = leading_int(when.removeprefix("+"))
        if not when.startswith("+"):
            seconds -= request.switch.clock.time() // SECOND
        if seconds <= 0:
            return ""
    tone_detect_session(session, key, tones, flags, seconds, max(leading_int(hits), 1), application, data)
    return f"+OK Enabling tone detection '{key}' '{tones}' '{flags}'\n"
