"""How long a member waits at most: in all, and while the queue has no agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.modules.mod_callcenter.states import NO_AGENT_TIMEOUT, TIMEOUT

if TYPE_CHECKING:
    from host.modules.mod_callcenter.queue import AgentsSeen, QueueSettings


def end_of_patience(settings: QueueSettings, joined: int, seen: AgentsSeen) -> tuple[int, str] | None:
    """Return when a member that joined at `joined` leaves if nothing changes, and why; None for never.

    Seconds since the epoch. FreeSWITCH: without agents both must be over, the time since there was one, and since the
    member joined that time and `max-wait-time-with-no-agent-time-reached`.
    """
    ends: list[tuple[int, str]] = []
    if settings.max_wait_time:
        ends.append((joined + settings.max_wait_time, TIMEOUT))
    alone = settings.max_wait_time_with_no_agent
    if alone and seen.present is False:
        grace = settings.max_wait_time_with_no_agent_time_reached
        ends.append((max(seen.last + alone, joined + (alone + grace if grace else 0)), NO_AGENT_TIMEOUT))
    return min(ends, default=None)
