"""The JSON command callcenter_config, which tells what there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from host.json_api import JsonApiError
from host.modules.mod_callcenter import tables

if TYPE_CHECKING:
    from host.modules.mod_callcenter.center import CallCenter

_OF_QUEUE: Final[dict[str, Callable[[CallCenter, str], tables.Table]]] = {
    "queue list agents": tables.agents_of,
    "queue list members": tables.members,
    "queue list tiers": tables.tiers,
}


def callcenter_config(center: CallCenter, data: dict[str, object]) -> object:
    """Answer the `arguments` of the command, in the words of the text command. Raises JsonApiError."""
    given = data.get("arguments")
    arguments = given.lower() if isinstance(given, str) else ""
    if arguments == "agent list":
        return tables.agents(center).texts()
    if arguments == "queue list":
        return tables.queues_for_json(center)
    if arguments == "member list":
        return tables.members(center, by_queue=False).texts()
    if arguments == "tier list":
        return tables.tiers(center).texts()
    ask = _OF_QUEUE.get(arguments)
    if ask is None:
        raise JsonApiError(None)
    queue = data.get("queue_name")
    if not isinstance(queue, str) or not queue:
        raise JsonApiError({"error": "Missing data attribute: queue_name"})
    return ask(center, queue).texts()
