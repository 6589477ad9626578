"""mod_valet_parking: lots in whose numbered slots calls wait with music until somebody fetches them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.interfaces import ApiCommand, Application
from host.modules.mod_valet_parking.lots import Lots
from host.modules.mod_valet_parking.presence import answer_probe
from host.modules.mod_valet_parking.stay import SYNTAX, valet_park

if TYPE_CHECKING:
    from host.event_bus import Subscription
    from host.interfaces import ApiRequest
    from host.switch import Switch

NAME: Final = "mod_valet_parking"

# FreeSWITCH: calls that wait in the lots keep the module.
UNLOADABLE = False

_probes: Final[dict[str, Subscription]] = {}


def load(switch: Switch) -> None:
    """Bring the application `valet_park` and the command `valet_info`."""
    lots = Lots(switch)
    switch.applications.add(
        Application(
            "valet_park",
            NAME,
            lambda session, data: valet_park(lots, session, data),
            SYNTAX,
            "valet_park",
            needs_media=True,
        )
    )
    switch.api_commands.add(
        ApiCommand(
            "valet_info", NAME, lambda request: _info(lots, request), "[<lot name>]", "Valet Parking Info"
        )
    )
    _probes[switch.core_uuid] = switch.bus.subscribe(
        lambda event: answer_probe(lots, event), ["PRESENCE_PROBE"]
    )


def unload(switch: Switch) -> None:
    """Answer for presence no more."""
    subscription = _probes.pop(switch.core_uuid, None)
    if subscription is not None:
        switch.bus.unsubscribe(subscription)


def _info(lots: Lots, request: ApiRequest) -> str:
    """Tell the lots, or the one of that name in any case, and who waits in them, as XML."""
    lines = ["<lots>"]
    for lot in lots.named(request.argument):
        lines.append(f'  <lot name="{lot.name}">')
        lines += [
            f'    <extension uuid="{slot.uuid}">{slot.extension}</extension>'
            for slot in lot.slots.values()
            if slot.holding
        ]
        lines.append("  </lot>")
    return "\n".join([*lines, "</lots>", ""])
