"""`sofia profile NAME …`: what is done to one profile, with FreeSWITCH's words and answers. May block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from host.clock import SECOND
from host.modules.mod_sofia.running_sofia import find_gateway
from host.truth import is_true

if TYPE_CHECKING:
    from host.modules.mod_sofia.gateway.gateway import Gateway
    from host.modules.mod_sofia.running_sofia import RunningProfile, RunningSofia

# FreeSWITCH: a profile runs so long before it may be stopped, in seconds.
LEAST_UP: Final = 10
_EVERY_GATEWAY: Final = "_all_"
_NO_GATEWAY_NAME: Final = "-ERR missing gw name\n"

# Does one word of the command; gets the words behind it.
_Handler = Callable[["RunningSofia", "RunningProfile", list[str]], str]


def profile_command(sofia: RunningSofia, words: list[str]) -> str:
    """Return the answer to `sofia profile` and its arguments."""
    if len(words) < 2:
        return "Invalid Args!\n"
    name, action, rest = words[0], words[1].lower(), words[2:]
    if action == "start":
        return _start(sofia, name)
    if name.lower() == "restart" and action == "all":
        for profile in list(sofia.profiles.values()):
            sofia.restart_profile(profile.name)
        return ""
    found = sofia.find_profile(name)
    if found is None:
        return f"Invalid Profile [{name}]"
    handler = _HANDLERS.get(action)
    return handler(sofia, found, rest) if handler is not None else "-ERR Unknown command!\n"


def _reload(sofia: RunningSofia) -> str:
    return f"Reload XML [{sofia.switch.xml.reload()}]\n"


def _start(sofia: RunningSofia, name: str) -> str:
    """Start it. FreeSWITCH: one that runs is scanned again."""
    reloaded = _reload(sofia)
    known = sofia.find_profile(name) is not None
    problem = sofia.rescan(name) if known else sofia.start_profile(name)
    return reloaded + (f"{name} started successfully\n" if problem is None else f"Failure starting {name}\n")


def _rescan(sofia: RunningSofia, profile: RunningProfile, rest: list[str]) -> str:
    reloaded = _reload(sofia)
    if sofia.rescan(profile.name) is None:
        return f"{reloaded}+OK scan complete\n"
    return f"{reloaded}-ERR cannot find config for profile {profile.name}\n"


def _stop(sofia: RunningSofia, profile: RunningProfile, rest: list[str]) -> str:
    return _ending(sofia, profile, sofia.stop_profile, "stopping")


def _restart(sofia: RunningSofia, profile: RunningProfile, rest: list[str]) -> str:
    return _ending(sofia, profile, sofia.restart_profile, "restarting")


def _ending(sofia: RunningSofia, profile: RunningProfile, end: Callable[[str], object], word: str) -> str:
    """End a profile in one way or another, once it was up for a while."""
    left = LEAST_UP - (sofia.switch.clock.time() - profile.started) // SECOND
    if left > 0:
        return (
            f"Profile {profile.name} must be up for at least {LEAST_UP} seconds to stop/restart.\n"
            f"Please wait {left} second{'' if left == 1 else 's'}\n"
        )
    reloaded = _reload(sofia)
    end(profile.name)
    return f"{reloaded}{word}: {profile.name}"


def _kill_gateway(sofia: RunningSofia, profile: RunningProfile, rest: list[str]) -> str:
    if not rest:
        return _NO_GATEWAY_NAME
    if rest[0].lower() == _EVERY_GATEWAY:
        for gateway in list(profile.gateways.values()):
            gateway.delete()
        return "+OK every gateway marked for deletion.\n"
    found = find_gateway(sofia, rest[0])
    if found is None:
        return "-ERR no such gateway.\n"
    found.delete()
    return "+OK gateway marked for deletion.\n"


def _start_gateway(sofia: RunningSofia, profile: RunningProfile, rest: list[str]) -> str:
    if not rest:
        return _NO_GATEWAY_NAME
    reloaded = _reload(sofia)
    conf = sofia.read_configuration(only=profile.name)
    settings = conf.profile(profile.name) if conf is not None else None
    everyone = rest[0] == _EVERY_GATEWAY
    wanted = [g for g in settings.gateways if everyone or g.name == rest[0]] if settings is not None else []
    added = [profile.add_gateway(gateway) for gateway in wanted]
    if settings is not None and (any(added) or everyone):
        return f"{reloaded}+OK start gateway {rest[0]} complete\n"
    return f"{reloaded}-ERR cannot add gateway {rest[0]} for profile {profile.name}\n"


def _check_sync(sofia: RunningSofia, profile: RunningProfile, rest: list[str]) -> str:
    if rest:
        profile.registrar.check_sync(rest[0])
        return "+OK syncing all registrations matching specified call_id\n"
    profile.registrar.check_sync()
    return "+OK syncing all registrations\n"


def _flush(sofia: RunningSofia, profile: RunningProfile, rest: list[str]) -> str:
    reboot = "reboot" in [word.lower() for word in rest[:2]]
    word = "rebooting" if reboot else "flushing"
    if rest and rest[0].lower() != "reboot":
        profile.registrar.flush(rest[0], reboot=reboot)
        return f"+OK {word} all registrations matching specified call_id\n"
    profile.registrar.flush(reboot=reboot)
    return f"+OK {word} all registrations\n"


def _recover(sofia: RunningSofia, profile: RunningProfile, rest: list[str]) -> str:
    """Answer as where no call was tracked (`track-calls`), for none is."""
    flush = bool(rest) and rest[0].lower() == "flush"
    return "Flushing recovery database.\n" if flush else "No sessions to recover.\n"


def _register(sofia: RunningSofia, profile: RunningProfile, rest: list[str]) -> str:
    return _registration(sofia, profile, rest, lambda gateway: gateway.register(), "registered")


def _unregister(sofia: RunningSofia, profile: RunningProfile, rest: list[str]) -> str:
    return _registration(sofia, profile, rest, lambda gateway: gateway.unregister(), "unregistered")


def _registration(
    sofia: RunningSofia,
    profile: RunningProfile,
    rest: list[str],
    change: Callable[[Gateway], bool],
    done: str,
) -> str:
    if not rest:
        return "No gateway name provided!\n"
    if rest[0].lower() == "all":
        for gateway in list(profile.gateways.values()):
            change(gateway)
        return "+OK\n"
    found = find_gateway(sofia, rest[0])
    if found is None:
        return "Invalid gateway!\n"
    return "+OK\n" if change(found) else f"-ERR NOREG gateway [{rest[0]}] can't be {done}!\n"


def _siptrace(sofia: RunningSofia, profile: RunningProfile, rest: list[str]) -> str:
    if not rest:
        return "Usage: sofia profile <name> siptrace <on/off>\n"
    profile.siptrace = is_true(rest[0])
    return f"{'Enabled' if profile.siptrace else 'Disabled'} sip debugging on {profile.name}"


def _capture(sofia: RunningSofia, profile: RunningProfile, rest: list[str]) -> str:
    return _unsupported(profile, rest, "capture", "capturing", "siptrace")


def _watchdog(sofia: RunningSofia, profile: RunningProfile, rest: list[str]) -> str:
    return _unsupported(profile, rest, "watchdog", "debugging", "a supervisor such as systemd")


def _unsupported(profile: RunningProfile, rest: list[str], name: str, what: str, instead: str) -> str:
    """Answer for a switch that can only be off."""
    if not rest:
        return f"Usage: sofia profile <name> {name} <on/off>\n"
    if is_true(rest[0]):
        return f"-ERR {name} is not supported, use {instead}\n"
    return f"Disabled sip {what} on {profile.name}"


def _gateway_list(sofia: RunningSofia, profile: RunningProfile, rest: list[str]) -> str:
    wanted = not (rest and rest[0].lower() == "down")
    return "".join(f"{gateway.name} " for gateway in list(profile.gateways.values()) if gateway.up is wanted)


_HANDLERS: Final[Mapping[str, _Handler]] = {
    "killgw": _kill_gateway,
    "startgw": _start_gateway,
    "rescan": _rescan,
    "check_sync": _check_sync,
    "flush_inbound_reg": _flush,
    "recover": _recover,
    "register": _register,
    "unregister": _unregister,
    "stop": _stop,
    "restart": _restart,
    "siptrace": _siptrace,
    "capture": _capture,
    "watchdog": _watchdog,
    "gwlist": _gateway_list,
}
