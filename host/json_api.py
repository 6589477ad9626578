"""The JSON commands of the switch: one object in, one out (FreeSWITCH: switch_json_api_execute)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

INVALID_REQUEST: Final = "Invalid request or non-existant command"


class JsonApiError(Exception):
    """A command that failed; `response` is told all the same."""

    def __init__(self, response: object) -> None:
        super().__init__(str(response))
        self.response = response


def execute_json(switch: Switch, request: dict[str, object], session: Session | None = None) -> None:
    """Run the request's `command` with its `data`, and add `status`, `message` and `response` to the request."""
    name, data = request.get("command"), request.get("data")
    found = switch.json_commands.get(name) if isinstance(name, str) else None
    if found is None or "data" not in request:
        request["status"] = "error"
        request["message"] = INVALID_REQUEST
        request["response"] = None
        return
    try:
        response = found.run(switch, data if isinstance(data, dict) else {}, session)
        request["status"] = "success"
    except JsonApiError as error:
        response = error.response
        request["status"] = "error"
        request["message"] = "The command returned an error"
    request["response"] = response
