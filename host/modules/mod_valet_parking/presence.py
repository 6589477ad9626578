"""What lamps show of lots and slots: PRESENCE_IN of the protocol `park`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from host.event import Event
    from host.modules.mod_valet_parking.lots import Lot, Lots, Slot

_PROTOCOL: Final = "park"
_NO_DOMAIN: Final = "cluecon.com"  # FreeSWITCH's word where no domain is set


def tell_presence(lots: Lots, lot: Lot, slot: Slot, *, present: bool) -> None:
    """Tell how many wait in a lot, and whether somebody is in one of its slots."""
    login, _, domain = lot.name.partition("@")
    domain = domain or lots.switch.global_variables.get("domain") or _NO_DOMAIN
    _tell_lot(lots, lot, login, domain)
    _tell_slot(lots, slot.extension, domain, slot if present else None)


def answer_probe(lots: Lots, event: Event) -> None:
    """Answer who asks for `park+LOT@DOMAIN` or `park+EXTENSION@DOMAIN`; what nobody knows is empty."""
    kind, plus, wanted = (event.get_header("to") or "").partition("+")
    if kind.lower() != _PROTOCOL or not plus or "@" not in wanted:
        return
    login, _, domain = wanted.partition("@")
    call_id = event.get_header("sub-call-id") or ""
    lot = lots.find(login) or lots.find(wanted)
    if lot is not None:
        _tell_lot(lots, lot, login, domain, call_id)
        return
    slots = (
        lot.slots.get(login) for lot in lots if "@" not in lot.name or domain.lower() in lot.name.lower()
    )
    found = next((slot for slot in slots if slot is not None and slot.holding), None)
    _tell_slot(lots, login, domain, found, call_id)


def _tell_lot(lots: Lots, lot: Lot, login: str, domain: str, call_id: str = "") -> None:
    count = lot.count(lots.switch.clock.now())
    status = f"Active ({count} caller{'' if count == 1 else 's'})" if count else "Empty"
    _tell(lots, login, domain, status, active=count > 0, direction="inbound", call_id=call_id)


def _tell_slot(lots: Lots, login: str, domain: str, slot: Slot | None, call_id: str = "") -> None:
    holding = slot is not None and not slot.bridged
    status = "Empty" if slot is None else "Holding" if holding else "Active"
    direction = "outbound" if holding else "inbound"
    _tell(lots, login, domain, status, active=slot is not None, direction=direction, call_id=call_id)


def _tell(
    lots: Lots, login: str, domain: str, status: str, *, active: bool, direction: str, call_id: str
) -> None:
    switch = lots.switch
    if not switch.bus.wants("PRESENCE_IN"):
        return
    event = switch.new_event("PRESENCE_IN")
    event.add_headers(
        (
            ("proto", _PROTOCOL),
            ("login", login),
            ("from", f"{login}@{domain}"),
            ("force-status", status),
            ("rpid", "active" if active else "unknown"),
            ("event_type", "presence"),
            ("alt_event_type", "dialog"),
            ("event_count", str(next(lots.presences))),
            ("unique-id", login),
            ("channel-state", "CS_ROUTING" if active else "CS_HANGUP"),
            ("answer-state", "confirmed" if active else "terminated"),
            ("presence-call-direction", direction),
            *((("call-id", call_id),) if call_id else ()),
        )
    )
    switch.fire(event)
