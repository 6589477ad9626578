"""A line as an operator types it: several API commands between `;;`, and aliases (FreeSWITCH: console_execute)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from host.switch import Switch

SEPARATOR: Final = ";;"
# Aliases that one line may go through (FreeSWITCH: 100); more are one that stands for itself.
MOST_EXPANSIONS: Final = 100
# FreeSWITCH takes so many commands of one line; the last one has the rest.
MOST_COMMANDS: Final = 128

_LINE_END: Final = re.compile(r"[\r\n]")


def run_line(switch: Switch, line: str) -> str:
    """Run the commands of a line and return all they print.

    FreeSWITCH: only the last one decides whether the line was understood; when it was not, nothing else is shown.
    """
    run = _Run(switch)
    if not run.line(line):
        return f"-ERR {line} Command not found!\n"
    return "".join(run.output)


@dataclass(slots=True)
class _Run:
    """One line on its way: what it has printed, and how many aliases it went through."""

    switch: Switch
    output: list[str] = field(default_factory=list)
    expansions: int = 0

    def line(self, line: str) -> bool:
        """Run a line, which may be an alias's; True when its last command was understood."""
        line = line.lstrip(" ")
        whole = line[:5].lower() == "alias"  # what an alias stands for may hold the separator
        understood = False
        for command in [line] if whole else line.split(SEPARATOR, MOST_COMMANDS - 1):
            name, _, argument = _LINE_END.split(command, maxsplit=1)[0].strip(" ").partition(" ")
            expanded = _expand_alias(self.switch, name, argument)
            if expanded is not None:
                self.expansions += 1
                if self.expansions > MOST_EXPANSIONS:
                    return False
                self.output.append(f"\nExpand Alias [{name}]->[{expanded}]\n\n")
                understood = self.line(expanded)
                continue
            understood = self.switch.api_commands.get(name) is not None
            self.output.append(self.switch.api(name, argument) if understood else "INVALID COMMAND!\n")
        return understood


def _expand_alias(switch: Switch, name: str, argument: str) -> str | None:
    """Return what an alias stands for: one of the command's name, or one of the name with its whole argument."""
    command = switch.words.alias(name)
    if command is not None:
        return f"{command} {argument}" if argument else command
    return switch.words.alias(f"{name} {argument}")
