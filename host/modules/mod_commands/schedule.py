"""Commands that do something later."""

from __future__ import annotations

from typing import Final

from host.api_table import ApiTable, UsageError
from host.arguments import separate
from host.clock import SECOND
from host.hangup_cause import HangupCause, find_cause
from host.interfaces import ApiRequest
from host.ivr.schedule import delay_until, schedule_broadcast, schedule_hangup, schedule_transfer
from host.leading_number import leading_long
from host.scheduler import LONGEST
from host.switch import Switch

commands: Final = ApiTable("mod_commands")
command = commands.command

_SCHED_API: Final = "[+@]<time> <group_name> <command_string>[&]"


@command("sched_api", _SCHED_API, "Schedule an api command")
def sched_api(request: ApiRequest) -> str:
    when, _, rest = request.argument.partition(" ")
    group, _, text = rest.partition(" ")
    if not text.strip():
        return f"-ERR Invalid syntax. USAGE: {_SCHED_API}\n"
    # A final & asks for a thread of its own, which every task has.
    name, _, argument = text.removesuffix("&").strip().partition(" ")
    switch = request.switch
    delay, interval = _time(switch, when)
    task = switch.scheduler.add(
        delay, "sched_api_function", group, lambda: switch.api(name, argument), interval=interval
    )
    return f"+OK Added: {task.id}\n"


@command("unsched_api", "<task_id>", "Unschedule an api command")
def unsched_api(request: ApiRequest) -> str:
    number = leading_long(request.argument)
    if not number:
        return ""
    return "+OK\n" if request.switch.scheduler.delete(number) else "-ERR No such id\n"


@command("sched_del", "<task_id>|<group_id>", "Delete a scheduled task")
def sched_del(request: ApiRequest) -> str:
    scheduler = request.switch.scheduler
    wanted = request.argument
    if wanted.isascii() and wanted.isdigit():
        count = int(len(wanted) < 19 and scheduler.delete(int(wanted)))
    else:
        count = scheduler.delete_group(wanted)
    return f"+OK Deleted: {count}\n"


@command("sched_hangup", "[+]<time> <uuid> [<cause>]", "Schedule a running call to hangup")
def sched_hangup(request: ApiRequest) -> str:
    parts = separate(request.argument, " ", 4)
    if not parts or not parts[0]:
        raise UsageError
    switch = request.switch
    uuid = parts[1] if len(parts) > 1 else ""
    session = switch.find_session(uuid)
    if session is None:
        return "-ERR No such channel!\n"
    cause = HangupCause.ALLOTTED_TIMEOUT
    if len(parts) > 2:
        cause = find_cause(parts[2]) or HangupCause.NORMAL_CLEARING
    delay = delay_until(switch, parts[0])
    if delay:
        schedule_hangup(switch, delay, uuid, cause)
    else:
        session.channel.hangup(cause)
    return "+OK\n"


@command(
    "sched_transfer",
    "[+]<time> <uuid> <extension> [<dialplan>] [<context>]",
    "Schedule a transfer for a running call",
)
def sched_transfer(request: ApiRequest) -> str:
    parts = separate(request.argument, " ", 7)
    if not 1 < len(parts) < 6:
        raise UsageError
    switch = request.switch
    when, uuid, *where = parts
    where = where or [""]  # FreeSWITCH: without an extension to the empty one, which no dialplan has
    if switch.find_session(uuid) is None:
        return "-ERR No such channel!\n"
    schedule_transfer(switch, delay_until(switch, when), uuid, *where)
    return "+OK\n"


@command(
    "sched_broadcast",
    "[[+]<time>|@time] <uuid> <path> [aleg|bleg|both]",
    "Schedule a broadcast event to a running call",
)
def sched_broadcast(request: ApiRequest) -> str:
    """Take any UUID: the call may begin before the time comes."""
    parts = separate(request.argument, " ", 4)
    if len(parts) < 3:
        raise UsageError
    switch = request.switch
    when, uuid, path, *legs = parts
    delay, interval = _time(switch, when)
    schedule_broadcast(switch, delay, uuid, path, legs[0] if legs else "aleg", interval=interval)
    return "+OK Message scheduled\n"


def _time(switch: Switch, text: str) -> tuple[int, int]:
    """Return (delay, interval) in seconds.

    FreeSWITCH: `+N` is in N seconds, `@N` every N seconds, N alone a time since the epoch; one that has passed is
    taken for an interval, so 0 is at once.
    """
    number = min(max(leading_long(text.lstrip("+@")), 0), LONGEST)
    if text.startswith("+"):
        return number, 0
    now = switch.clock.time() // SECOND
    if text.startswith("@") or number < now:
        return number, number
    return number - now, 0
