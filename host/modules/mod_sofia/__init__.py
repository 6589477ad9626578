"""mod_sofia: SIP. Profiles of `sofia.conf` listen, calls come in and go out, users and gateways register."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from host.module_loader import ModuleUnavailable

if TYPE_CHECKING:
    from host.modules.mod_sofia.sofia import Sofia
    from host.switch import Switch

_running: WeakKeyDictionary[Switch, Sofia] = WeakKeyDictionary()


def load(switch: Switch) -> None:
    """Start the profiles; bring the endpoint `sofia`, the chat protocol `sip` and the commands.

    Raises ModuleUnavailable on a virtual clock, where no far end lives, and without the extra `sip`.
    """
    if switch.clock.virtual:
        raise ModuleUnavailable("SIP needs the real clock")
    try:
        from host.modules.mod_sofia import service
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("host", "media"):
            raise
        raise ModuleUnavailable(f"{error.name} is not installed: pip install 'moonline[sip]'") from error
    _running[switch] = service.start(switch)


def unload(switch: Switch) -> None:
    """Stop the profiles: calls are hung up, gateways unregistered."""
    sofia = _running.pop(switch, None)
    if sofia is not None:
        from host.modules.mod_sofia import service

        service.stop(sofia)


def sofia_of(switch: Switch) -> Sofia | None:
    """Return the module's state, None when it is not loaded."""
    return _running.get(switch)


def listening_addresses(switch: Switch) -> list[str]:
    """Return what the switch takes SIP at, as `udp 127.0.0.1:5060`; nothing when the module is not loaded."""
    sofia = _running.get(switch)
    if sofia is None:
        return []
    sources = [source for profile in sofia.profiles.values() for source in profile.listening]
    return [f"{one.transport} {f'[{one.ip}]' if ':' in one.ip else one.ip}:{one.port}" for one in sources]


def profile_refusals(switch: Switch) -> dict[str, str]:
    """Return why profiles do not run, by their names; as `udp 127.0.0.1:5060: Address already in use`."""
    sofia = _running.get(switch)
    return dict(sofia.refusals) if sofia is not None else {}
