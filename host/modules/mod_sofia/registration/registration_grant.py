"""What a contact of a REGISTER is granted: how long it is kept, in which form, and what the status calls it.

FreeSWITCH: the user's `sip-force-contact`, `sip-force-expires`, `-min`, `-max` and `sip-expires-max-deviation` win
over those of the profile; they count for a user who proved who it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from host.leading_number import leading_int
from host.modules.mod_sofia.registration.contact_address import ContactAddress, contact_from, with_path
from host.modules.mod_sofia.registration.digest_server import Accepted
from host.modules.mod_sofia.registration.register_request import CheckList, RegisterRequest

if TYPE_CHECKING:
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings

# FreeSWITCH: the phones that NDLB-force-rport `safe` and more is for.
_OLD_PHONES: Final = ("poly", "kirk wireless server", "adtran_total_access")
_FORCED: Final = (
    "nat-connectile-dysfunction",
    "ndlb-connectile-dysfunction",
    "ndlb-tls-connectile-dysfunction",
)
_FORCED_2: Final = "ndlb-connectile-dysfunction-2.0"
_SHORT: Final = 30  # seconds for contacts that were put in place of a phone's own (FreeSWITCH)
_LONGEST: Final = 2**31 - 1  # seconds


class Grant(NamedTuple):
    """Seconds that a contact is registered for (0: it is taken back), its kept form and its status."""

    seconds: int
    kept: str
    status: str


def grant(
    request: RegisterRequest,
    contact: ContactAddress,
    accepted: Accepted | None,
    settings: ProfileSettings,
    check: CheckList,
    deviate: Callable[[int, int], int],
) -> Grant:
    """Return what a contact gets; `deviate(start, stop)` draws a number from `start` to below `stop`."""
    seconds = request.expires(contact)
    kept, status = request.kept(contact), request.status(contact)
    if accepted is None or not seconds:
        return Grant(min(seconds, _LONGEST), kept, status)
    forced = accepted.variable("sip-force-contact")
    if _is_old_phone_behind_nat(request, contact, settings, check) or forced.lower() == _FORCED_2:
        if "fs_path=" not in kept:
            kept, status, seconds = (
                with_path(kept, contact, request.place),
                "Registered(AUTO-NAT-2.0)",
                _SHORT,
            )
    elif forced.lower() in _FORCED:
        # FreeSWITCH looks for a transport in the value itself, where none of these words has one.
        kept = contact_from(contact, request.display, request.place, request.received)
        status, seconds = "Registered(AUTO-NAT)", _SHORT
    elif forced:
        kept = forced.translate({ord("'"): '"', ord("["): '"', ord("]"): '"'})
    return Grant(_seconds(seconds, accepted, settings, deviate), kept, status)


def _seconds(
    seconds: int, accepted: Accepted, settings: ProfileSettings, deviate: Callable[[int, int], int]
) -> int:
    least = leading_int(accepted.variable("sip-force-expires-min")) or settings.sip_force_expires_min
    most = leading_int(accepted.variable("sip-force-expires-max")) or settings.sip_force_expires_max
    exactly = leading_int(accepted.variable("sip-force-expires")) or settings.sip_force_expires
    deviation = (
        leading_int(accepted.variable("sip-expires-max-deviation")) or settings.sip_expires_max_deviation
    )
    seconds = max(seconds, least) if least > 0 else seconds
    seconds = min(seconds, most) if most > 0 else seconds
    seconds = exactly if exactly > 0 else seconds
    if deviation > 0:
        seconds += deviate(-deviation, deviation)
    return max(min(seconds, _LONGEST), 1)


def _is_old_phone_behind_nat(
    request: RegisterRequest, contact: ContactAddress, settings: ProfileSettings, check: CheckList
) -> bool:
    """FreeSWITCH: with NDLB-force-rport above 1, some phones get a way of their own without being asked."""
    if contact.transport in ("tcp", "tls") or settings.server_rport_level < 2:
        return False
    if not request.user_agent.lower().startswith(_OLD_PHONES):
        return False
    if settings.local_network_acl and check(request.source.ip, settings.local_network_acl):
        return False
    via = request.message.getHFBody("via")
    return str(via.hostname).strip("[]") != request.source.ip or (via.port or 5060) != request.source.port
