"""The commands callcenter_config and callcenter_break."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable, UsageError
from host.arguments import separate
from host.leading_number import leading_int
from host.modules.mod_callcenter import tables
from host.modules.mod_callcenter.agents import Outcome, add_agent, delete_agent, get_agent, set_agent
from host.modules.mod_callcenter.configuration import load_agent, load_queue, load_tiers
from host.modules.mod_callcenter.members import forget_abandoned
from host.modules.mod_callcenter.offer import BREAK
from host.modules.mod_callcenter.tiers import add_tier, delete_tier, set_tier

if TYPE_CHECKING:
    from host.interfaces import ApiRequest
    from host.modules.mod_callcenter.center import CallCenter

_AGENT_KEYS: Final = (
    "status [agent_name] [status]",
    "state [agent_name] [state]",
    "contact [agent_name] [contact]",
    "ready_time [agent_name] [wait till epoch]",
    "reject_delay_time [agent_name] [wait second]",
    "busy_delay_time [agent_name] [wait second]",
    "no_answer_delay_time [agent_name] [wait second]",
)
_FORMS: Final = (
    "agent add [name] [type]",
    "agent del [name]",
    "agent reload [name]",
    *(f"agent set {key}" for key in _AGENT_KEYS),
    *(f"agent get {key} [agent_name]" for key in ("status", "state", "uuid")),
    "agent list [[agent_name]]",
    "tier add [queue_name] [agent_name] [[level]] [[position]]",
    *(f"tier set {key} [queue_name] [agent_name] [{key}]" for key in ("state", "level", "position")),
    "tier del [queue_name] [agent_name]",
    "tier reload [queue_name] [agent_name]",
    "tier list",
    *(f"queue {verb} [queue_name]" for verb in ("load", "unload", "reload")),
    "queue list",
    "queue list agents [queue_name] [status] [state]",
    "queue list members [queue_name]",
    "queue list tiers [queue_name]",
    "queue count",
    "queue count agents [queue_name] [status] [state]",
    "queue count members [queue_name]",
    "queue count tiers [queue_name]",
)
CONFIG_SYNTAX: Final = "callcenter_config <target> <args>,\n" + " | \n".join(
    f"\tcallcenter_config {form}" for form in _FORMS
)
BREAK_SYNTAX: Final = "callcenter_break agent <uuid>"

_OK: Final = "+OK\n"
_INVALID: Final = "-ERR Invalid!\n"
_UNKNOWN: Final = "-ERR Unknown Error!\n"
_MOST_WORDS: Final = 8

_AGENT_REPLIES: Final = {
    Outcome.SUCCESS: _OK,
    Outcome.AGENT_ALREADY_EXIST: "-ERR Agent already exist!\n",
    Outcome.AGENT_INVALID_STATUS: "-ERR Invalid Agent Status!\n",
    Outcome.AGENT_INVALID_STATE: "-ERR Invalid Agent State!\n",
    Outcome.AGENT_INVALID_TYPE: "-ERR Invalid Agent Type!\n",
    Outcome.INVALID_KEY: "-ERR Invalid Agent Update KEY!\n",
    Outcome.AGENT_NOT_FOUND: "-ERR Agent not found!\n",
}
_TIER_REPLIES: Final = {
    Outcome.SUCCESS: _OK,
    Outcome.QUEUE_NOT_FOUND: "-ERR Queue not found!\n",
    Outcome.TIER_INVALID_STATE: "-ERR Invalid Tier State!\n",
    Outcome.AGENT_NOT_FOUND: "-ERR Agent not found!\n",
    Outcome.TIER_ALREADY_EXIST: "-ERR Tier already exist!\n",
    Outcome.INVALID_KEY: "-ERR Invalid Tier Update KEY!\n",
}

_Action = Callable[["CallCenter", list[str]], str]


def table(module: str, center: CallCenter) -> ApiTable:
    """Return the commands of a switch's call center."""
    commands = ApiTable(module)

    @commands.command("callcenter_config", CONFIG_SYNTAX, "Config of callcenter")
    def callcenter_config(request: ApiRequest) -> str:
        if not request.argument:
            return f"-USAGE: \n{CONFIG_SYNTAX}\n"
        words = separate(request.argument, " ", _MOST_WORDS)
        if len(words) < 2:
            return _INVALID
        target, verb, *rest = words
        action = _ACTIONS.get((target.lower(), verb.lower()))
        if action is None:
            return ""
        try:
            return action(center, rest)
        except UsageError:
            return _INVALID

    @commands.command("callcenter_break", BREAK_SYNTAX, "Stop watching an uuid and release agent")
    def callcenter_break(request: ApiRequest) -> str:
        words = separate(request.argument, " ", 2)
        if len(words) < 2:
            return f"-ERR Usage: {BREAK_SYNTAX}\n"
        session = center.switch.find_session(words[1])
        if session is None:
            return f"-ERR Session not found for uuid {words[1]}\n"
        session.channel.private[BREAK] = True
        session.channel.tell_watchers()
        return ""

    return commands


def _need(words: list[str], count: int) -> list[str]:
    """Return so many words; raises UsageError when there are less."""
    if len(words) < count:
        raise UsageError
    return words[:count]


# -- agents ----------------------------------------------------------------------------------------------------------


def _agent_add(center: CallCenter, words: list[str]) -> str:
    outcome = add_agent(center, *_need(words, 2))
    return "-ERR Agent type invalid!\n" if outcome is Outcome.AGENT_INVALID_TYPE else _AGENT_REPLIES[outcome]


def _agent_del(center: CallCenter, words: list[str]) -> str:
    delete_agent(center, *_need(words, 1))
    return _OK


def _agent_reload(center: CallCenter, words: list[str]) -> str:
    return _OK if load_agent(center, *_need(words, 1)) else _UNKNOWN


def _agent_set(center: CallCenter, words: list[str]) -> str:
    key, agent, value = _need(words, 3)
    return _AGENT_REPLIES[set_agent(center, key, value, agent)]


def _agent_get(center: CallCenter, words: list[str]) -> str:
    outcome, value = get_agent(center, *_need(words, 2))
    return value if outcome is Outcome.SUCCESS else _AGENT_REPLIES[outcome]


def _agent_list(center: CallCenter, words: list[str]) -> str:
    if len(words) > 1:
        raise UsageError
    return tables.agents(center, *words).text() + _OK


# -- tiers -----------------------------------------------------------------------------------------------------------


def _tier_add(center: CallCenter, words: list[str]) -> str:
    queue, agent = _need(words, 2)
    level, position = (leading_int(word or "1") for word in (*words[2:4], "", "")[:2])
    return _TIER_REPLIES[add_tier(center, queue, agent, level, position)]


def _tier_set(center: CallCenter, words: list[str]) -> str:
    key, queue, agent, value = _need(words, 4)
    outcome = set_tier(center, key, value, queue, agent)
    if outcome is Outcome.QUEUE_NOT_FOUND:
        outcome = Outcome.AGENT_NOT_FOUND  # FreeSWITCH: in these words
    return _TIER_REPLIES.get(outcome, _UNKNOWN)


def _tier_del(center: CallCenter, words: list[str]) -> str:
    delete_tier(center, *_need(words, 2))
    return _OK


def _tier_reload(center: CallCenter, words: list[str]) -> str:
    queue: str | None = _need(words, 1)[0]
    agent = words[1] if len(words) > 1 else None
    if queue is not None and queue.lower() == "all":
        queue = agent = None
    return _OK if load_tiers(center, queue or None, agent or None) else _UNKNOWN


def _tier_list(center: CallCenter, words: list[str]) -> str:
    return tables.tiers(center).text() + _OK


# -- queues ----------------------------------------------------------------------------------------------------------


def _queue_load(center: CallCenter, words: list[str]) -> str:
    return _OK if load_queue(center, *_need(words, 1)) is not None else "-ERR Invalid Queue not found!\n"


def _queue_unload(center: CallCenter, words: list[str]) -> str:
    center.unload_queue(*_need(words, 1))
    return _OK


def _queue_reload(center: CallCenter, words: list[str]) -> str:
    _queue_unload(center, words)
    return _queue_load(center, words)


def _queue_list(center: CallCenter, words: list[str]) -> str:
    if not words:
        return tables.queues(center).text(headed=True) + _OK
    what, queue, status, state = _selection(words)
    if what == "agents":
        found = tables.agents_of(center, queue or "", status, state)
    elif what == "members":
        found = tables.members(center, queue)
    elif what == "tiers":
        found = tables.tiers(center, queue or "")
    else:
        raise UsageError
    return found.text() + _OK


def _queue_count(center: CallCenter, words: list[str]) -> str:
    if not words:
        return f"{len(center.queues)}\n"
    what, queue, status, state = _selection(words)
    if what == "agents":
        return f"{tables.count_agents_of(center, queue or '', status, state)}\n"
    if what not in ("members", "tiers"):
        raise UsageError
    if what == "members":
        forget_abandoned(center)
    return f"{center.database.number(f'select count(*) from {what} where queue = ?', queue or '')}\n"


def _selection(words: list[str]) -> tuple[str, str | None, str | None, str | None]:
    """Return what is asked for, of which queue, with which status and which state."""
    what, queue, status, state = [*words, *(None,) * 3][:4]
    return (what or "").lower(), queue, status, state


_ACTIONS: Final[dict[tuple[str, str], _Action]] = {
    ("agent", "add"): _agent_add,
    ("agent", "del"): _agent_del,
    ("agent", "reload"): _agent_reload,
    ("agent", "set"): _agent_set,
    ("agent", "get"): _agent_get,
    ("agent", "list"): _agent_list,
    ("tier", "add"): _tier_add,
    ("tier", "set"): _tier_set,
    ("tier", "del"): _tier_del,
    ("tier", "reload"): _tier_reload,
    ("tier", "list"): _tier_list,
    ("queue", "load"): _queue_load,
    ("queue", "unload"): _queue_unload,
    ("queue", "reload"): _queue_reload,
    ("queue", "list"): _queue_list,
    ("queue", "count"): _queue_count,
}
