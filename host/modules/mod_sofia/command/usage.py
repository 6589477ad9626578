"""The usage of `sofia`, as FreeSWITCH prints it."""

from __future__ import annotations

from typing import Final

_RULE: Final = "-" * 80
_NAME: Final = "<name>"
_PROFILE: Final = (
    "flush_inbound_reg [<call_id> | <[user]@domain>] [reboot]",
    "check_sync [<call_id> | <[user]@domain>]",
    "[register | unregister] [<gateway name> | all]",
    "killgw <gateway name>",
    "[stun-auto-disable | stun-enabled] [true | false]]",
    "siptrace <on|off>",
    "capture  <on|off>",
    "watchdog <on|off>",
)
_COMPONENTS: Final = (
    "all",
    "default",
    "tport",
    "iptsec",
    "nea",
    "nta",
    "nth_client",
    "nth_server",
    "nua",
    "soa",
    "sresolv",
    "stun",
)

# The parts of FreeSWITCH's SIP stack whose log level `sofia loglevel` sets.
LOG_COMPONENTS: Final = _COMPONENTS

USAGE: Final = "\n".join(
    (
        "USAGE:",
        _RULE,
        "sofia global siptrace <on|off>",
        "sofia        capture  <on|off>",
        "             watchdog <on|off>",
        "",
        f"sofia profile {_NAME} [start | stop | restart | rescan] [wait]",
        *(" " * 21 + line for line in _PROFILE),
        "",
        f"sofia <status|xmlstatus> profile {_NAME} [reg [<contact str>]] | [pres <pres str>] | [user <user@domain>]",
        f"sofia <status|xmlstatus> gateway {_NAME}",
        "",
        f"sofia loglevel <{'|'.join(_COMPONENTS)}> [0-9]",
        "sofia tracelevel <console|alert|crit|err|warning|notice|info|debug>",
        "",
        "sofia help",
        _RULE,
        "",
    )
)
