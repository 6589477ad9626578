"""The command `originate`."""

from __future__ import annotations

from typing import Final

from host.api_table import ApiTable
from host.interfaces import ApiRequest
from host.ivr.originate import originate as place_call
from host.ivr.originate import send_to_application
from host.originate_command import SYNTAX, OriginateUsageError, parse_originate

commands: Final = ApiTable("mod_commands")
command = commands.command


@command("originate", SYNTAX, "Originate a call")
def originate(request: ApiRequest) -> str:
    """Place a call and send the leg that answers to an application or an extension; return its UUID or the cause."""
    try:
        wanted = parse_originate(request.argument)
    except OriginateUsageError as error:
        return str(error)
    leg, cause = place_call(
        request.switch,
        wanted.call_url,
        timeout_s=wanted.timeout,
        caller_id_name=wanted.caller_id_name,
        caller_id_number=wanted.caller_id_number,
    )
    if leg is None:
        return f"-ERR {cause.name}\n"
    if wanted.application is not None:
        send_to_application(leg, wanted.application, wanted.arguments or "")
    else:
        leg.transfer(wanted.extension, wanted.dialplan, wanted.context)
    return f"+OK {leg.uuid}\n"
