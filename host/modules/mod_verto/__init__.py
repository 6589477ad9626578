"""mod_verto: browsers as phones. Pages with the verto client library log in over WebSockets, call and are called.

Profiles of `verto.conf` listen; calls are WebRTC. On a virtual clock, where no browser lives, nobody is ever connected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from host.log import LogLevel
from host.modules.mod_verto.service import RunningVerto
from host.modules.mod_verto.settings import VertoSettings, read_settings

if TYPE_CHECKING:
    from host.switch import Switch

_running: WeakKeyDictionary[Switch, RunningVerto] = WeakKeyDictionary()


def load(switch: Switch) -> None:
    """Bring the endpoint `verto.rtc`, the chat protocol `verto` and the commands, and let browsers connect."""
    settings = read_settings(switch.xml, switch.log)
    if settings is None:
        switch.log(LogLevel.DEBUG, "Open of verto.conf failed")
    start(switch, settings or VertoSettings())


def start(switch: Switch, settings: VertoSettings) -> RunningVerto:
    """Run the module with settings, port 0 being any that is free."""
    running = _running[switch] = RunningVerto(switch, settings)
    running.register()
    running.listen()
    return running


def unload(switch: Switch) -> None:
    """Disconnect the browsers; their calls end."""
    running = _running.pop(switch, None)
    if running is not None:
        running.stop()


def listening_addresses(switch: Switch) -> list[str]:
    """Return where browsers connect to, as `ws 127.0.0.1:8081`; nothing when the module is not loaded."""
    running = _running.get(switch)
    if running is None or running.server is None:
        return []
    return [
        f"{'wss' if binding.secure else 'ws'} {f'[{ip}]' if ':' in ip else ip}:{port}"
        for binding, ip, port in running.server.addresses
    ]
