"""mod_commands: the API commands that steer the switch and tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.modules.mod_commands import (
    clock,
    console,
    directory,
    evaluate,
    fsctl,
    json_commands,
    limits,
    modules,
    network,
    originate,
    say,
    schedule,
    server,
    show,
    system,
    texts,
    uuid_dtmf,
    uuid_media,
    uuid_message,
    uuid_route,
    uuid_state,
)
from host.modules.mod_commands.core_tables import core_tables, core_writers
from host.truth import is_true

if TYPE_CHECKING:
    from host.api_table import ApiTable
    from host.switch import Switch

# FreeSWITCH: who unloads it would have no command to load it again.
UNLOADABLE = False

TABLES: Final[tuple[ApiTable, ...]] = tuple(
    part.commands
    for part in (
        clock,
        console,
        directory,
        evaluate,
        fsctl,
        json_commands,
        limits,
        modules,
        network,
        originate,
        say,
        schedule,
        server,
        show,
        system,
        texts,
        uuid_dtmf,
        uuid_media,
        uuid_message,
        uuid_route,
        uuid_state,
    )
)


def load(switch: Switch) -> None:
    """Register the commands, and begin to write the core's tables.

    The commands that run programs come only where the global variable `disable_system_api_commands` is not true.
    """
    for table in TABLES:
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
