"""mod_fifo: queues in which callers wait until somebody who serves them takes the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.interfaces import Application
from host.modules.mod_fifo.commands import table
from host.modules.mod_fifo.entry import SYNTAX, fifo
from host.modules.mod_fifo.member_store import MemberStore
from host.modules.mod_fifo.outbound import Outbound
from host.modules.mod_fifo.queues import Queues
from host.modules.mod_fifo.settings import read_queues, read_settings
from host.modules.mod_fifo.tracking import Tracking
from host.truth import is_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from host.switch import Switch

NAME: Final = "mod_fifo"

_ends: Final[dict[str, Callable[[], None]]] = {}


def load(switch: Switch) -> None:
    """Bring the applications and commands, and the queues and members of fifo.conf."""
    queues = Queues(switch)
    outbound, tracking = Outbound(queues), Tracking(queues)
    settings = read_settings(queues)
    store = queues.store = MemberStore(switch, settings)
    if is_true(settings.get("delete-all-outbound-member-on-startup")):
        store.clear()
    queues.members += store.load()
    read_queues(queues)
    queues.on_waiting = outbound.wake
    switch.applications.add(
        Application(
            "fifo",
            NAME,
            lambda session, data: fifo(queues, tracking, session, data),
            SYNTAX,
            "Park with FIFO",
            needs_media=True,
        )
    )
    switch.applications.add(
        Application(
            "fifo_track_call",
            NAME,
            tracking.track,
            "<fifo_outbound_uuid>",
            "Count a call as a fifo call in the manual_calls queue",
        )
    )
    table(NAME, queues).register(switch)
    probes = switch.bus.subscribe(queues.answer_probe, ["PRESENCE_PROBE"])

    def end() -> None:
        queues.running = False
        switch.bus.unsubscribe(probes)
        tracking.close()
        outbound.close()
        store.close()
        queues.store = None

    _ends[switch.core_uuid] = end


def unload(switch: Switch) -> None:
    """Call no members any more, and close their database."""
    end = _ends.pop(switch.core_uuid, None)
    if end is not None:
        end()
