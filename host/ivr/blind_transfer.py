"""Tell the leg that has asked for a blind transfer what became of it (`confirm_blind_transfer`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.channel import Flag

if TYPE_CHECKING:
    from host.session import Session


def blind_transfer_ack(session: Session, success: bool) -> bool:
    """Tell it, once; False where nobody waits to be told (FreeSWITCH: switch_ivr_blind_transfer_ack)."""
    channel = session.channel
    if Flag.CONFIRM_BLIND_TRANSFER not in channel.flags:
        return False
    channel.flags.discard(Flag.CONFIRM_BLIND_TRANSFER)
    asker = session.switch.find_session(channel.variables.get("blind_transfer_uuid") or "")
    if asker is None:
        return False
    asker.io.message(asker, "blind_transfer_response", "true" if success else "false")
    return True
