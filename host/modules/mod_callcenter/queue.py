"""A queue: what callcenter.conf says of it, what it has counted, and whether it has seen agents."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, field, fields
from typing import Final

from host.leading_number import leading_int
from host.modules.mod_callcenter.states import AGENT_STATUSES, ON_BREAK, known
from host.truth import is_true

RING_ALL: Final = "ring-all"
RING_PROGRESSIVELY: Final = "ring-progressively"
TOP_DOWN: Final = "top-down"

# Members of these are served by no agent in particular until one has answered.
RINGING: Final = frozenset({RING_ALL, RING_PROGRESSIVELY})

# FreeSWITCH: no time of a queue is longer, in seconds.
_LONGEST: Final = 86_400
_PROGRESSIVE_SECONDS: Final = 10
_NUMBER: Final = re.compile(r"[+-]?[0-9.]+")


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """The parameters of a queue, named as in callcenter.conf but for the hyphens; times are seconds."""

    strategy: str = "longest-idle-agent"
    moh_sound: str | None = None
    announce_sound: str | None = None
    announce_frequency: int = 0
    record_template: str | None = None
    time_base_score: str = "queue"
    ring_progressively_delay: int = 0
    tier_rules_apply: bool = False
    tier_rule_wait_second: int = 0
    tier_rule_wait_multiply_level: bool = False
    tier_rule_no_agent_no_wait: bool = True
    discard_abandoned_after: int = 60
    abandoned_resume_allowed: bool = False
    max_wait_time: int = 0
    max_wait_time_with_no_agent: int = 0
    max_wait_time_with_no_agent_time_reached: int = 5
    agent_no_answer_status: str = ON_BREAK
    skip_agents_with_external_calls: bool = True

    @property
    def way(self) -> str:
        """The strategy in lower case."""
        return self.strategy.lower()

    @property
    def progressive_delay(self) -> int:
        """Seconds from one agent to the next with `ring-progressively`."""
        return self.ring_progressively_delay or _PROGRESSIVE_SECONDS


@dataclass(slots=True)
class AgentsSeen:
    """When somebody waited last while the queue had an agent (whatever he was doing), in seconds since the epoch.

    `present` is whether that is so right now, None while nobody waits who was looked for.
    """

    present: bool | None = None
    last: int = 0

    def note(self, found: bool | None, now: int) -> None:
        """Note what was found for somebody who waits; None when nobody waits any more."""
        if found or self.present:
            self.last = now
        self.present = found


@dataclass(slots=True, eq=False)
class Queue:
    """A queue that is loaded."""

    name: str
    settings: QueueSettings = field(default_factory=QueueSettings)
    seen: AgentsSeen = field(default_factory=AgentsSeen)
    calls_answered: int = 0
    calls_abandoned: int = 0


def queue_settings(
    name: str, params: Iterable[tuple[str, str]], complain: Callable[[str], None]
) -> QueueSettings:
    """Read a queue's parameters; of two with one name the first counts. `complain` is told what cannot be meant.

    FreeSWITCH: a number that is none, or out of 0…86400, is as if it were not given.
    """
    given: dict[str, str] = {}
    for param, value in params:
        given.setdefault(param.lower(), value)
    found: dict[str, str | int | bool] = {}
    for setting in fields(QueueSettings):
        param = setting.name.replace("_", "-")
        text = given.get(param)
        default = setting.default
        if text is None or default is MISSING:
            continue
        if isinstance(default, bool):
            found[setting.name] = is_true(text)
        elif isinstance(default, int):
            number = leading_int(text)
            if not _NUMBER.fullmatch(text) or not 0 <= number <= _LONGEST:
                complain(f"Invalid value [{text}] for parameter [{param}], setting default [{default}]")
                number = default
            found[setting.name] = number
        else:
            found[setting.name] = text
    status = str(found.get("agent_no_answer_status", ON_BREAK))
    if known(status, AGENT_STATUSES) is None:
        complain(f"Queue {name} has invalid agent-no-answer-status, setting to {ON_BREAK}")
        status = ON_BREAK
    found["agent_no_answer_status"] = status
    return QueueSettings(**found)  # type: ignore[arg-type]
