"""mod_hash: values and limits kept in this process's memory, or in Redis for several hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from host.arguments import separate
from host.interfaces import Application
from host.log import LogLevel
from host.modules.mod_hash.commands import change, hash_commands
from host.modules.mod_hash.limit_backend import HashLimit
from host.modules.mod_hash.shared import SharedStateError
from host.modules.mod_hash.state import HashState

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_APPLICATION_SYNTAX: Final = "[insert|insert_ifempty|delete|delete_ifmatch]/<realm>/<key>/<val>"

_states: WeakKeyDictionary[Switch, HashState] = WeakKeyDictionary()


def load(switch: Switch) -> None:
    """Bring the commands, the application `hash` and the limit back end `hash`, and connect to the remotes."""
    state = HashState(switch)
    _states[switch] = state

    def application(session: Session, data: str) -> None:
        try:
            if change(state.values, separate(data, "/", 4)) is None:
                session.channel.log(LogLevel.WARNING, f"USAGE: hash {_APPLICATION_SYNTAX}")
        except SharedStateError as error:
            session.channel.log(LogLevel.ERR, f"mod_hash: {error}")

    hash_commands(state).register(switch)
    switch.limits.add(HashLimit(switch, lambda: state.counts, state.elsewhere))
    switch.applications.add(
        Application(
            "hash",
            "mod_hash",
            application,
            _APPLICATION_SYNTAX,
            "Insert into the hashtable",
            routing_exec=True,
            zombie_exec=True,
        )
    )
    state.scan()


def unload(switch: Switch) -> None:
    """Leave the remotes."""
    state = _states.pop(switch, None)
    if state is not None:
        state.close()
