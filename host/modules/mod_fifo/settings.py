"""fifo.conf: the module's settings, its queues, and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.hangup_cause import HangupCause
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_fifo.member import Member, outbound_id
from host.modules.mod_fifo.queue import ENTERPRISE, RINGALL
from host.modules.mod_fifo.queues import MANUAL
from host.truth import is_true

if TYPE_CHECKING:
    from lxml import etree

    from host.modules.mod_fifo.queue import Queue
    from host.modules.mod_fifo.queues import Queues

CONFIGURATION: Final = "fifo.conf"
_RING_TIMEOUT: Final = 60
_LAG: Final = 30
_LEAST_SECONDS: Final = 10  # FreeSWITCH: a ring timeout or lag is longer than this
_MEMBER_LAG: Final = 10
_MEMBER_TIMEOUT: Final = 60


def read_settings(queues: Queues) -> dict[str, str]:
    """Read the settings and return them by name, in lower case."""
    configuration = queues.switch.xml.configuration(CONFIGURATION)
    params = configuration.findall("settings/param") if configuration is not None else []
    found = {(param.get("name") or "").lower(): param.get("value") or "" for param in params}
    queues.default_strategy = _strategy(found.get("outbound-strategy") or RINGALL)
    queues.allow_transcoding = is_true(found.get("allow-transcoding"))
    queues.hold_key = not is_true(found.get("disable-dtmf-moh-key"))
    return found


def read_queues(queues: Queues) -> None:
    """Make the queues of fifo.conf as it says. Those that it named before and does not now are removed."""
    configuration = queues.switch.xml.configuration(CONFIGURATION)
    elements = configuration.findall("fifos/fifo") if configuration is not None else []
    with queues.lock:
        former = {queue.name for queue in queues if queue.static}
        queues.members = [member for member in queues.members if not member.static]
    for element in elements:
        name = element.get("name")
        if not name:
            queues.switch.log(LogLevel.ERR, "fifo has no name!")
        elif name.lower() == MANUAL:
            queues.switch.log(LogLevel.ERR, f"{MANUAL} is a reserved name, use another name please.")
        else:
            former.discard(name)
            _configure(queues, queues.open(name, _number(element, "importance", 0)), element)
    for name in former:
        remove(queues, name)


def remove(queues: Queues, name: str) -> None:
    """Remove a queue and hang up on who waits in it."""
    with queues.lock:
        queue = queues.queues.pop(name, None)
        entries = [entry for slot in queue.slots for entry in slot] if queue is not None else []
    for entry in entries:
        if entry.session is not None:
            entry.session.channel.hangup(HangupCause.MANAGER_REQUEST)


def _configure(queues: Queues, queue: Queue, element: etree._Element) -> None:
    with queues.lock:
        queue.outbound_name = element.get("outbound_name") or queue.outbound_name
        if element.get("outbound_strategy") is not None:
            queue.strategy = _strategy(element.get("outbound_strategy") or "")
        queue.per_cycle = _number(element, "outbound_per_cycle", 1)
        queue.per_cycle_min = _number(element, "outbound_per_cycle_min", 1)
        queue.retry_delay = _number(element, "retry_delay", queue.retry_delay)
        priority = _number(element, "outbound_priority", 5)
        queue.priority = priority if 1 <= priority <= 10 else 5
        queue.ring_timeout = _seconds(queues, queue, element, "ring_timeout", _RING_TIMEOUT)
        queue.default_lag = _seconds(queues, queue, element, "default_lag", _LAG)
        queue.static = True
    for child in element.findall("member"):
        text = (child.text or "").strip()
        if text:
            queues.add_member(_member(queues, queue, child, text))
    dials = ("outbound_strategy", "outbound_per_cycle", "outbound_priority")
    if any(element.get(name) is not None for name in dials):
        queue.has_outbound = True
    queues.switch.log(LogLevel.INFO, f"{queue.name} configured")


def _member(queues: Queues, queue: Queue, element: etree._Element, text: str) -> Member:
    timeout = _number(element, "timeout", _MEMBER_TIMEOUT)
    return Member(
        outbound_id(text),
        queue.name,
        text,
        simo=_number(element, "simo", 1),
        timeout=timeout if timeout >= _LEAST_SECONDS else queue.ring_timeout,
        lag=_number(element, "lag", _MEMBER_LAG, queue.default_lag),
        taking_calls=max(1, _number(element, "taking_calls", 1)),
        static=True,
        active_time=queues.seconds,
    )


def _strategy(text: str) -> str:
    return ENTERPRISE if text.lower() == ENTERPRISE else RINGALL


def _number(element: etree._Element, name: str, default: int, negative: int | None = None) -> int:
    """Return an attribute's number; `default` when it is not there, `negative` (else `default`) below 0."""
    text = element.get(name)
    if not text:
        return default
    number = leading_int(text)
    if number >= 0:
        return number
    return default if negative is None else negative


def _seconds(queues: Queues, queue: Queue, element: etree._Element, what: str, default: int) -> int:
    text = element.get(f"outbound_{what}")
    if text is None:
        return default
    if leading_int(text) > _LEAST_SECONDS:
        return leading_int(text)
    queues.switch.log(LogLevel.CRIT, f"Invalid {what}: must be > {_LEAST_SECONDS} for queue {queue.name}")
    return default
