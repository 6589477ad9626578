"""The commands `hash`, `hash_dump` and `hash_remote`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from host.api_table import ApiTable, Handler
from host.arguments import separate
from host.interfaces import ApiRequest
from host.log import LogLevel
from host.modules.mod_hash.shared import SharedStateError
from host.modules.mod_hash.state import HashState
from host.modules.mod_hash.values import Values, place_of

_USAGE: Final = "-ERR Usage: hash insert|insert_ifempty|select|delete|delete_ifmatch/realm/key[/value]\n"
_DUMP_SYNTAX: Final = "all|limit|db [<realm>]"
_REMOTE_SYNTAX: Final = "list|kill [name]|rescan"


def change(values: Values, parts: list[str]) -> str | None:
    """Do one changing operation and return its reply, None for wrong syntax. SharedStateError."""
    operation = parts[0].lower() if parts else ""
    if len(parts) < (3 if operation == "delete" else 4):
        return None
    place = place_of(*parts[1:3])
    if operation == "insert":
        values.insert(place, parts[3])
    elif operation == "insert_ifempty":
        if not values.insert_if_empty(place, parts[3]):
            return "-ERR key already exists\n"
    elif operation == "delete":
        if not values.delete(place):
            return "-ERR Not found\n"
    elif operation == "delete_ifmatch":
        deleted = values.delete_if_match(place, parts[3])
        if not deleted:
            return "-ERR Not found\n" if deleted is None else "-ERR Doesn't match\n"
    else:
        return None
    return "+OK\n"


def hash_commands(state: HashState) -> ApiTable:
    """Return the commands on one switch's state."""
    table = ApiTable("mod_hash")

    @table.command("hash", "[insert|delete|select]/<realm>/<key>/<value>", "hash get/set")
    @_told
    def hash_(request: ApiRequest) -> str:
        parts = separate(request.argument, "/", 4)
        if len(parts) > 2 and parts[0].lower() == "select":
            return state.values.select(place_of(*parts[1:3]))
        reply = change(state.values, parts)
        return _USAGE if reply is None else reply

    @table.command("hash_dump", _DUMP_SYNTAX, "dump hash/limit_hash data (used for synchronization)")
    @_told
    def hash_dump(request: ApiRequest) -> str:
        parts = separate(request.argument, " ", 5)
        mode = parts[0] if parts else ""
        if mode not in ("all", "limit", "db"):
            return f"Usage: {_DUMP_SYNTAX}\n"
        lines = state.counts.lines() if mode != "db" else []
        if mode != "limit":
            # FreeSWITCH: wherever in the place the realm stands.
            realm = f"{parts[1]}_" if len(parts) == 2 else ""
            lines += [f"D/{place}/{value}\n" for place, value in state.values.items() if realm in place]
        return "".join(lines)

    @table.command("hash_remote", _REMOTE_SYNTAX, "hash remote")
    def hash_remote(request: ApiRequest) -> str:
        """List the remotes, leave one, or connect to those that the configuration has got since."""
        match separate(request.argument, " ", 10):
            case ["list", *_]:
                rows = "".join(f"{name}\t\t\t{word}\n" for name, word in state.states())
                return f"Remote connections:\nName\t\t\tState\n{rows}+OK\n"
            case ["kill", name, *_]:
                return "+OK\n" if state.kill(name) else f"-ERR No such remote instance {name}\n"
            case ["rescan", *_]:
                state.scan()
                return "+OK\n"
        return f"-ERR Usage: {_REMOTE_SYNTAX}\n"

    return table


def _told(handler: Callable[[ApiRequest], str]) -> Handler:
    """Answer an error where what hosts share cannot be reached."""

    def run(request: ApiRequest) -> str:
        try:
            return handler(request)
        except SharedStateError as error:
            request.switch.log(LogLevel.ERR, f"mod_hash: {error}")
            return "-ERR The shared values cannot be reached\n"

    return run
