"""The commands fifo, fifo_member, fifo_add_outbound and fifo_check_bridge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable, UsageError
from host.arguments import separate
from host.leading_number import leading_int
from host.modules.mod_fifo.member import Member, outbound_id
from host.modules.mod_fifo.queue import SLOTS, Entry, Queue
from host.modules.mod_fifo.report import report
from host.modules.mod_fifo.settings import read_queues, read_settings

if TYPE_CHECKING:
    from host.interfaces import ApiRequest
    from host.modules.mod_fifo.queues import Queues

FIFO_SYNTAX: Final = (
    "list|list_verbose|count|debug|status|has_outbound|importance [<fifo name>]|reparse [del_all]"
)
_MEMBER_SYNTAX: Final = (
    "[add <fifo_name> <originate_string> [<simo_count>] [<timeout>] [<lag>] [<expires>] [<taking_calls>] "
    "| del <fifo_name> <originate_string>]"
)
_INVALID: Final = "-ERR Invalid!\n"


def table(module: str, queues: Queues) -> ApiTable:
    """Return the commands of a switch's queues."""
    commands = ApiTable(module)

    @commands.command("fifo", FIFO_SYNTAX, "Return data about a fifo")
    def fifo(request: ApiRequest) -> str:
        words = separate(request.argument, " ", 5)
        return _fifo(queues, words) if words else f"{FIFO_SYNTAX}\n"

    @commands.command("fifo_member", _MEMBER_SYNTAX, "Add members to a fifo")
    def fifo_member(request: ApiRequest) -> str:
        if not request.argument:
            raise UsageError
        return _member(queues, separate(request.argument, " ", 8))

    @commands.command("fifo_add_outbound", "<node> <url> [<priority>]", "Add outbound members to a fifo")
    def fifo_add_outbound(request: ApiRequest) -> str:
        name, url, *priority = (*separate(request.argument, " ", 4), "", "")[:5]
        if not name or not url:
            return "0"
        slot = max(0, min(leading_int(priority[0]), SLOTS - 1))
        return str(queues.push(queues.open(name), Entry(url=url), slot))

    @commands.command("fifo_check_bridge", "<uuid>|<outbound_id>", "check if uuid is in a bridge")
    def fifo_check_bridge(request: ApiRequest) -> str:
        return "true" if request.argument in queues.bridged else "false"

    return commands


def _fifo(queues: Queues, words: list[str]) -> str:
    action, name, *rest = (*words, "", "")
    action = action.lower()
    queue = queues.find(name) if name else None
    shown = list(queues) if not name else [queue] if queue is not None else []
    if action in ("list", "list_verbose"):
        return report(queues, shown, verbose=action == "list_verbose")
    if action == "count":
        return "".join(f"{q.name}:{_counts(q)}\n" for q in shown) or "none\n"
    if action == "has_outbound":
        return "".join(f"{q.name}:{int(q.has_outbound)}\n" for q in shown) or "none\n"
    if action == "importance":
        if queue is None:
            return "no fifo by that name\n"
        if rest[0]:
            queue.importance = max(0, leading_int(rest[0]))
        return f"importance: {queue.importance}\n"
    if action == "debug":
        if name:
            queues.debug = max(0, leading_int(name))
        return f"debug {queues.debug}\n"
    if action == "status":
        return _status(queues)
    if action == "reparse":
        read_settings(queues)
        if name.lower() == "del_all":
            queues.delete_all_members()
        read_queues(queues)
        return "+OK\n"
    return f"-ERR Usage: {FIFO_SYNTAX}\n"


def _counts(queue: Queue) -> str:
    numbers = (
        len(queue.consumers),
        queue.waiting,
        queue.member_count,
        queue.ringing,
        queue.idle_consumers,
    )
    return ":".join(map(str, numbers))


def _status(queues: Queues) -> str:
    """Tell the insides of all queues. FreeSWITCH: the first lines of each run together."""
    text = ""
    with queues.lock:
        for queue in queues:
            text += (
                f"node: {queue.name}\n outbound_name: {queue.outbound_name or ''}\n"
                f" outbound_per_cycle: {queue.per_cycle} outbound_per_cycle_min: {queue.per_cycle_min}"
                f" outbound_priority: {queue.priority} outbound_strategy: {queue.strategy}\n"
                f" has_outbound: {int(queue.has_outbound)}\n outbound_priority: {queue.priority}\n busy: 0\n"
                f" ready: {1 if queue.name != 'manual_calls' else 2}\n waiting: {queue.waiting}\n"
            )
        for title, keys in (
            ("caller_orig", queues.dialled_for),
            ("consumer_orig", queues.dialled),
            ("bridge", queues.bridged),
        ):
            text += f" {title}:\n" + "".join(f"  {key}\n" for key in keys)
    return text


def _member(queues: Queues, words: list[str]) -> str:
    if len(words) < 3:
        return _INVALID
    action, queue, dial_string, *numbers = words
    if action.lower() == "del":
        queues.delete_member(queue, dial_string)
        return "+OK\n"
    if action.lower() != "add":
        return _INVALID
    simo, timeout, lag, expires, taking = (
        leading_int(numbers[place]) if place < len(numbers) else -1 for place in range(5)
    )
    queues.add_member(
        Member(
            outbound_id(dial_string),
            queue,
            dial_string,
            simo if simo >= 0 else 1,
            timeout if timeout >= 0 else 60,
            lag if lag >= 0 else 5,
            queues.seconds + expires if len(numbers) > 3 else 0,
            max(1, taking),
            active_time=queues.seconds,
        )
    )
    return "+OK\n"
