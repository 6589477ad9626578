"""The NOTIFY that makes a phone start anew or fetch its configuration (`check_sync`, `flush_inbound_reg … reboot`)."""

from __future__ import annotations

from typing import Final

from host.modules.mod_sofia.message import Body, OutgoingRequest
from host.modules.mod_sofia.registration.contact_route import towards
from host.modules.mod_sofia.registration.registrations import Binding

_SUMMARY: Final = "application/simple-message-summary"
# FreeSWITCH: what phones call it, by a part of their User-Agent; the first that is in it.
_EVENTS: Final = (
    ("snom", "check-sync;reboot=true"),
    ("yealink", "check-sync;reboot=true"),
    ("linksys/spa8000", "check-sync"),
    ("linksys", "reboot_now"),
    ("spa", "reboot"),
    ("cisco-cp7960g", "check-sync"),
    ("cisco-cp7940g", "check-sync"),
    ("cisco", "service-control"),
)


def check_sync(binding: Binding, from_uri: str) -> OutgoingRequest:
    """Return the NOTIFY for a registered phone."""
    agent = binding.user_agent.lower()
    event = next((event for part, event in _EVENTS if part in agent), "check-sync")
    body = Body(_SUMMARY, "")
    if event == "service-control":
        zeros = "{0000000000000000}"
        lines = ("action=restart", f"RegisterCallId={{{binding.call_id}}}")
        versions = (
            f"ConfigVersionStamp={zeros}",
            f"DialplanVersionStamp={zeros}",
            f"SoftkeyVersionStamp={zeros}",
        )
        body = Body("text/plain", "\n".join((*lines, *versions)))
    request = OutgoingRequest(
        "NOTIFY",
        "",
        f"sip:{binding.sip_user}@{binding.sip_host}",
        f"sip:{binding.sip_user}@{binding.sip_host}",
        headers=(("Event", event), ("Subscription-State", "terminated;reason=noresource")),
        body=body,
        contact=f"<{from_uri}>",
    )
    return towards(binding.contact, request)
