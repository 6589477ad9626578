"""The application `callcenter_track AGENT`: an agent's call that no queue brought is counted as one of his calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.log import LogLevel
from host.modules.mod_callcenter.agents import Outcome, get_agent

if TYPE_CHECKING:
    from host.modules.mod_callcenter.center import CallCenter
    from host.session import Session


def track(center: CallCenter, session: Session, agent: str) -> None:
    """Count the call as an external one of the agent until it is hung up."""
    channel = session.channel
    if not agent:
        channel.log(LogLevel.ERR, "Missing agent name")
        return
    outcome, _ = get_agent(center, "status", agent)
    if outcome is not Outcome.SUCCESS:
        channel.log(LogLevel.WARNING, f"Invalid agent {agent}")
        return
    channel.variables.set("cc_tracked_agent", agent)
    _count(center, agent, 1)

    def end() -> None:
        _count(center, agent, -1)
        center.wake()

    session.at_hangup.append(end)
    channel.log(LogLevel.DEBUG, f"Tracking this call for agent {agent}")


def _count(center: CallCenter, agent: str, more: int) -> None:
    sql = f"update agents set external_calls_count = external_calls_count + ({more}) where name = ?"
    center.database.run(sql, agent)
