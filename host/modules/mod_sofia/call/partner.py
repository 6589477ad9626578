"""What a leg tells the channel that it is bridged with, or that it was placed for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.ivr.uuid_bridge import partner_of
from host.truth import is_true

if TYPE_CHECKING:
    from host.session import Session


def tell_partner(session: Session, *variables: tuple[str, str | None]) -> None:
    """Set variables on the channel that a call is bridged with, or was placed for; there may be none."""
    partner = partner_of(session)
    if partner is not None:
        for name, value in variables:
            partner.channel.variables.set(name, value)


def copy_to_partner(session: Session, prefix: str) -> None:
    """Give the channel that a call is bridged with the variables of a prefix (`sip_copy_custom_headers`)."""
    partner = partner_of(session)
    if partner is None:
        return
    for channel in (session.channel, partner.channel):
        wanted = channel.variables.get("sip_copy_custom_headers")
        if wanted is not None and not is_true(wanted):
            return
    for name, value in list(session.channel.variables.items()):
        if name.startswith(prefix):
            partner.channel.variables.set(name, value)
