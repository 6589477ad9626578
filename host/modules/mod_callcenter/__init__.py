"""mod_callcenter: queues in which callers wait until an agent is free, who is then called for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.interfaces import Application, JsonApi
from host.modules.mod_callcenter import tiers
from host.modules.mod_callcenter.caller import SYNTAX, callcenter
from host.modules.mod_callcenter.center import CallCenter
from host.modules.mod_callcenter.commands import table
from host.modules.mod_callcenter.configuration import load_all, read_settings
from host.modules.mod_callcenter.database import Database
from host.modules.mod_callcenter.dispatch import Dispatcher
from host.modules.mod_callcenter.events import tell_presence
from host.modules.mod_callcenter.json_command import callcenter_config
from host.modules.mod_callcenter.members import abandon_all
from host.modules.mod_callcenter.offer import make_offer
from host.modules.mod_callcenter.tracking import track
from host.truth import is_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from host.event import Event
    from host.switch import Switch

NAME: Final = "mod_callcenter"
_PRESENCE: Final = "callcenter+"

_ends: Final[dict[str, Callable[[], None]]] = {}


def load(switch: Switch) -> None:
    """Bring the applications and commands, and the queues, agents and tiers of callcenter.conf."""
    settings = read_settings(switch)
    database = Database(switch, settings)
    center = CallCenter(switch, database, settings)
    tiers.reset_tiers(center)
    abandon_all(center)
    for what in ("tiers", "agents"):
        if is_true(settings.get(f"truncate-{what}-on-load")):
            database.run(f"delete from {what}")
    load_all(center)
    dispatcher = Dispatcher(center, lambda offer: make_offer(center, offer))
    center.wake = dispatcher.wake
    switch.applications.add(
        Application(
            "callcenter",
            NAME,
            lambda session, data: callcenter(center, session, data),
            SYNTAX,
            "CallCenter",
            needs_media=True,
        )
    )
    switch.applications.add(
        Application(
            "callcenter_track",
            NAME,
            lambda session, data: track(center, session, data),
            SYNTAX,
            "CallCenter Track Call",
        )
    )
    table(NAME, center).register(switch)
    switch.json_commands.add(
        JsonApi("callcenter_config", NAME, lambda _switch, data, _session: callcenter_config(center, data))
    )
    probes = switch.bus.subscribe(lambda event: _answer_probe(center, event), ["PRESENCE_PROBE"])

    def end() -> None:
        switch.bus.unsubscribe(probes)
        dispatcher.close()
        center.close()
        database.close()

    _ends[switch.core_uuid] = end


def unload(switch: Switch) -> None:
    """Serve no queues any more, and close the database."""
    end = _ends.pop(switch.core_uuid, None)
    if end is not None:
        end()


def _answer_probe(center: CallCenter, event: Event) -> None:
    """Answer who asks for the presence of `callcenter+NAME@DOMAIN`."""
    wanted = event.get_header("to") or ""
    if wanted.lower().startswith(_PRESENCE) and "@" in wanted:
        name = wanted[len(_PRESENCE) :]
        if center.find_queue(name) is not None:
            tell_presence(center, name)
