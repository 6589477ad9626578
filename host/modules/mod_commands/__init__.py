"""mod_commands: the API commands that steer the switch and tell of it.

Every file of this package that has a table `commands` brings some of them.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

from host.api_table import ApiTable
from host.modules.mod_commands import json_commands, system
from host.modules.mod_commands.core_tables import core_tables, core_writers
from host.truth import is_true

if TYPE_CHECKING:
    from host.switch import Switch

# FreeSWITCH: who unloads it would have no command to load it again.
UNLOADABLE = False


def _tables() -> Iterator[ApiTable]:
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda part: part.name):
        table = getattr(importlib.import_module(f"{__name__}.{found.name}"), "commands", None)
        if isinstance(table, ApiTable):
            yield table


def load(switch: Switch) -> None:
    """Register the commands, and begin to write the core's tables.

    The commands that run programs come only where the global variable `disable_system_api_commands` is not true.
    """
    for table in _tables():
        table.register(switch)
    if not is_true(switch.global_variables.get("disable_system_api_commands")):
        system.programs.register(switch)
    json_commands.register_json(switch)
    try:
        switch.words.load()
    except (OSError, ValueError) as error:
        switch.report_bug("reading the sticky aliases", error)
    tables = core_tables(switch)
    if tables is not None:
        core_writers[switch] = tables
        tables.start()


def unload(switch: Switch) -> None:
    """End the writing of the core's tables."""
    tables = core_writers.pop(switch, None)
    if tables is not None:
        tables.stop()
