"""mod_console: what the console shows of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable
from host.arguments import separate
from host.console_settings import apply_console_conf
from host.interfaces import ApiRequest
from host.log import LogLevel, level_of
from host.truth import is_true

if TYPE_CHECKING:
    from host.switch import Switch

_RULE: Final = "-" * 80 + "\n"
_USAGE: Final = (
    f"USAGE:\n{_RULE}"
    "console help\n"
    "console loglevel [[0-7] | <loglevel_string>]\n"
    "console uuid [on|off|toggle]\n"
    "console json [on|off|toggle]\n"
    "console colorize [on|off|toggle]\n"
    f"{_RULE}"
)
_LEVEL_USAGE: Final = (
    f"USAGE:\n{_RULE}"
    "console loglevel [[0-7] | <loglevel_string>]\n\n"
    "Set the logging verbosity of the console from 0 (least verbose) to\n"
    "7 (debugging), or specify the loglevel as a string:\n\n"
    f"{''.join(f'  {int(level)} {level.name.lower()}{chr(10)}' for level in LogLevel if level >= LogLevel.CONSOLE)}"
    f"{_RULE}"
)
_COLOUR_USAGE: Final = (
    f"USAGE:\n{_RULE}"
    "console colorize [on|off|toggle]\n\n"
    "Enable, disable, or toggle console coloring.\n"
    f"{_RULE}"
)
_SWITCHES: Final = {"colorize": "color", "uuid": "uuid", "json": "json"}

_commands: Final = ApiTable("mod_console")


@_commands.command(
    "console",
    "loglevel [level]|colorize [on|toggle|off]|uuid [on|toggle|off]|json [on|toggle|off]",
    "Console",
)
def console(request: ApiRequest) -> str:
    """Set or tell what the console shows."""
    settings = request.switch.console_settings
    words = separate(request.argument, " ", 3)
    what = words[0].lower() if words else ""
    if what == "loglevel":
        if len(words) > 1:
            if words[1].lower() == "help":
                return _LEVEL_USAGE
            level = level_of(words[1])
            if level is None:
                return f"-ERR Invalid console loglevel ({words[1]})!\n\n"
            settings.level = level
        return f"+OK console log level set to {settings.level.name}\n"
    if what in _SWITCHES:
        on: bool = getattr(settings, what)
        if len(words) > 1:
            if what == "colorize" and words[1].lower() == "help":
                return _COLOUR_USAGE
            on = not on if words[1].lower() == "toggle" else is_true(words[1])
            setattr(settings, what, on)
        return f"+OK console {_SWITCHES[what]} {'enabled' if on else 'disabled'}\n"
    return _USAGE


def load(switch: Switch) -> None:
    """Bring the command `console`, and do as `console.conf` says."""
    apply_console_conf(switch.console_settings, switch.xml)
    _commands.register(switch)
