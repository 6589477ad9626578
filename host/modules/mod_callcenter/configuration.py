"""callcenter.conf: the settings, and the queues, agents and tiers that it puts into the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_callcenter.agents import Outcome, add_agent, set_agent
from host.modules.mod_callcenter.center import CONFIGURATION
from host.modules.mod_callcenter.tiers import add_tier, has_tier, set_tier

if TYPE_CHECKING:
    from lxml import etree

    from host.modules.mod_callcenter.center import CallCenter
    from host.modules.mod_callcenter.queue import Queue
    from host.switch import Switch

# What an agent's attributes set, in this order.
_ATTRIBUTES = (
    "contact",
    "status",
    "wrap_up_time",
    "max_no_answer",
    "reject_delay_time",
    "busy_delay_time",
    "no_answer_delay_time",
)


def read_settings(switch: Switch) -> dict[str, str]:
    """Return the settings by name, in lower case; without a configuration (logged) there are none."""
    configuration = switch.xml.configuration(CONFIGURATION)
    if configuration is None:
        switch.log(LogLevel.ERR, f"Open of {CONFIGURATION} failed")
        return {}
    params = configuration.findall("settings/param")
    return {(param.get("name") or "").lower(): param.get("value") or "" for param in params}


def load_all(center: CallCenter) -> None:
    """Load all queues, agents and tiers."""
    configuration = center.switch.xml.configuration(CONFIGURATION)
    if configuration is None:
        return
    for element in configuration.findall("queues/queue"):
        center.add_queue(element.get("name") or "", element)
    _load_agents(center, configuration)
    load_tiers(center, None, None)


def load_queue(center: CallCenter, name: str) -> Queue | None:
    """Load a queue anew, and all agents and tiers; None when the configuration has no such queue."""
    queue = center.load_queue(name)
    if queue is None:
        return None
    configuration = center.switch.xml.configuration(CONFIGURATION, {"CC-Queue": name})
    if configuration is not None:
        _load_agents(center, configuration)
        load_tiers(center, None, None)
    center.wake()
    return queue


def load_agent(center: CallCenter, name: str) -> bool:
    """Bring an agent to what the configuration says; nothing happens when it does not know him.

    False when there is no configuration.
    """
    configuration = center.switch.xml.configuration(CONFIGURATION)
    if configuration is None:
        center.switch.log(LogLevel.ERR, f"Open of {CONFIGURATION} failed")
        return False
    for element in configuration.findall("agents/agent"):
        if (element.get("name") or "").lower() == name.lower():
            _load_agent(center, element, name)
            break
    return True


def load_tiers(center: CallCenter, queue: str | None, agent: str | None) -> bool:
    """Load the tiers of a queue, of an agent, of both, or (None, None) all; False when there are none."""
    configuration = center.switch.xml.configuration(CONFIGURATION)
    found = False
    for element in configuration.findall("tiers/tier") if configuration is not None else ():
        its_queue, its_agent = element.get("queue") or "", element.get("agent") or ""
        if queue is not None and its_queue.lower() != queue.lower():
            continue
        if agent is not None and its_agent.lower() != agent.lower():
            continue
        _load_tier(center, its_queue, its_agent, element)
        found = True
    return found


def _load_agents(center: CallCenter, configuration: etree._Element) -> None:
    for element in configuration.findall("agents/agent"):
        name = element.get("name")
        if name:
            _load_agent(center, element, name)


def _load_agent(center: CallCenter, element: etree._Element, name: str) -> None:
    type_ = element.get("type")
    if type_ is None:
        return
    outcome = add_agent(center, name, type_)
    if outcome is Outcome.AGENT_INVALID_TYPE:
        return
    for key in _ATTRIBUTES:
        value = element.get(key.replace("_", "-"))
        if value is not None:
            set_agent(center, key, value, name)
    if outcome is Outcome.AGENT_ALREADY_EXIST:
        set_agent(center, "type", type_, name)


def _load_tier(center: CallCenter, queue: str, agent: str, element: etree._Element) -> None:
    level, position = element.get("level") or "1", element.get("position") or "1"
    if has_tier(center, queue, agent):
        set_tier(center, "level", level, queue, agent)
        set_tier(center, "position", position, queue, agent)
    else:
        add_tier(center, queue, agent, leading_int(level), leading_int(position))
