"""The settings of `switch.conf`: limits, digits, the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.log import level_of
from host.session_control import MOST_DETAILED
from host.truth import is_true

if TYPE_CHECKING:
    from host.switch import Switch


def apply_switch_conf(switch: Switch) -> None:
    """Set what `switch.conf` says; parameters that are not known, and numbers that are none, change nothing."""
    configuration = switch.xml.configuration("switch.conf")
    if configuration is None:
        return
    for param in configuration.iterfind("settings/param"):
        setter = _SETTERS.get(param.get("name", "").lower())
        if setter is not None:
            setter(switch, param.get("value", ""))


def _max_sessions(switch: Switch, value: str) -> None:
    switch.control.max_sessions = max(0, leading_int(value)) or switch.control.max_sessions


def _sessions_per_second(switch: Switch, value: str) -> None:
    switch.control.max_sessions_per_second = (
        max(0, leading_int(value)) or switch.control.max_sessions_per_second
    )


def _min_idle_cpu(switch: Switch, value: str) -> None:
    try:
        number = float(value)
    except ValueError:
        return
    if 0 <= number <= 100:
        switch.control.min_idle_cpu = number


def _shortest_digit(switch: Switch, value: str) -> None:
    switch.control.shortest_digit = max(0, leading_int(value)) or switch.control.shortest_digit


def _longest_digit(switch: Switch, value: str) -> None:
    switch.control.longest_digit = max(0, leading_int(value)) or switch.control.longest_digit


def _default_digit(switch: Switch, value: str) -> None:
    switch.control.default_digit = max(0, leading_int(value)) or switch.control.default_digit


def _verbose_events(switch: Switch, value: str) -> None:
    switch.control.verbose_events = is_true(value)


def _switchname(switch: Switch, value: str) -> None:
    if value:
        switch.global_variables.set("switchname", value)


def _loglevel(switch: Switch, value: str) -> None:
    level = level_of(value)
    if level is not None:
        switch.logs.set_limit(level)


def _colorize(switch: Switch, value: str) -> None:
    switch.console_settings.colorize = is_true(value)


def _debug_level(switch: Switch, value: str) -> None:
    switch.control.debug_level = max(0, min(MOST_DETAILED, leading_int(value)))


def _mdns_resolve(switch: Switch, value: str) -> None:
    switch.control.mdns_resolve = is_true(value)


def _first_rtp_port(switch: Switch, value: str) -> None:
    _set_rtp_ports(switch, leading_int(value), switch.control.rtp_ports[1])


def _last_rtp_port(switch: Switch, value: str) -> None:
    _set_rtp_ports(switch, switch.control.rtp_ports[0], leading_int(value))


def _set_rtp_ports(switch: Switch, first: int, last: int) -> None:
    if 0 < first < 0x10000 and 0 < last < 0x10000:
        switch.control.rtp_ports = (first, last)


_SETTERS: Final[dict[str, Callable[[Switch, str], None]]] = {
    "max-sessions": _max_sessions,
    "sessions-per-second": _sessions_per_second,
    "min-idle-cpu": _min_idle_cpu,
    "min-dtmf-duration": _shortest_digit,
    "max-dtmf-duration": _longest_digit,
    "default-dtmf-duration": _default_digit,
    "verbose-channel-events": _verbose_events,
    "rtp-start-port": _first_rtp_port,
    "rtp-end-port": _last_rtp_port,
    "switchname": _switchname,
    "loglevel": _loglevel,
    "debug-level": _debug_level,
    "ice-resolve-candidate": _mdns_resolve,
    "colorize-console": _colorize,
}
