"""Commands for the console: aliases, completion, log lines."""

from __future__ import annotations

from typing import Final

from host.api_table import ApiTable, UsageError
from host.arguments import separate
from host.console_words import WORDS_LIMIT
from host.escape import xml_escape
from host.interfaces import ApiRequest
from host.leading_number import leading_int
from host.log import LogLevel, level_of
from host.switch import Switch

commands: Final = ApiTable("mod_commands")
command = commands.command

_WORDS_A_LINE: Final = 4


@command("alias", "[add|stickyadd] <alias> <command> | del [<alias>|*]", "Alias")
def alias(request: ApiRequest) -> str:
    words = request.switch.words
    how, *chosen = separate(request.argument, " ", 3) or [""]
    match how.lower(), chosen:
        case ("add" | "stickyadd") as kind, [name, text]:
            words.set_alias(name, text, sticky=kind == "stickyadd")
        case "del", [name]:
            words.delete_alias(name)
        case _:
            raise UsageError
    return "+OK\n"


@command("complete", "add <word>|del [<word>|*]", "Complete")
def complete(request: ApiRequest) -> str:
    words = request.switch.words
    how, *chosen = separate(request.argument, " ", WORDS_LIMIT + 1) or [""]
    match how.lower():
        case ("add" | "stickyadd") as kind:
            if chosen:  # FreeSWITCH: no words are a success
                words.add_completion(tuple(chosen), sticky=kind == "stickyadd")
        case "del" if chosen:
            words.delete_completion(tuple(chosen))
        case _:
            raise UsageError
    return "+OK\n"


@command("console_complete")
def console_complete(request: ApiRequest) -> str:
    """List what may follow a line, and what of it is certain: `write=<length to replace>:<text>`."""
    beginning, found = completions(request.switch, _line(request.argument))
    listed = "".join(
        f"[{word:>20}]\t{'' if number % _WORDS_A_LINE else chr(10)}" for number, word in enumerate(found, 1)
    )
    certain = _common_beginning(found)
    written = f"write={len(beginning)}:{certain}{' ' if len(found) == 1 else ''}" if certain else ""
    return f"\n\n{listed}\n\n{written}"


@command("console_complete_xml")
def console_complete_xml(request: ApiRequest) -> str:
    """List what may follow a line, as XML."""
    beginning, found = completions(request.switch, _line(request.argument))
    certain = _common_beginning(found)
    matches = "".join(f"  <match>{xml_escape(word)}</match>\n" for word in found)
    written = f'  <write length="{len(beginning)}">{xml_escape(certain)}</write>\n'
    return f'<?xml version="1.0"?>\n<complete>\n{matches}{written}</complete>\n'


@command("log", "<level> <message>", "Log")
def log(request: ApiRequest) -> str:
    """Write a log line; without a level, or with a wrong one, at DEBUG."""
    level, blank, text = request.argument.partition(" ")
    known = level_of(level) if blank else None
    uuid = request.session.uuid if request.session is not None else ""
    request.switch.log(known or LogLevel.DEBUG, text if blank else level, uuid=uuid)
    return "+OK\n"


def completions(switch: Switch, line: str) -> tuple[str, list[str]]:
    """Return the beginning of the word that `line` ends in, and the words that it may become, sorted.

    Commands and aliases come first; after a command that takes a channel, the channels' UUIDs.
    """
    *before, beginning = line.lstrip(" ").split(" ")
    before = [word for word in before if word]
    found = set(switch.words.following(tuple(before), beginning))
    if not before:
        found |= {known.name for known in switch.api_commands if known.name.startswith(beginning)}
        found |= {known.alias for known in switch.words.aliases() if known.alias.startswith(beginning)}
    elif len(before) == 1:
        known = switch.api_commands.get(before[0])
        if known is not None and known.syntax.startswith("<uuid>"):
            found |= {uuid for uuid in list(switch.sessions) if uuid.startswith(beginning)}
    return beginning, sorted(found)


def _common_beginning(words: list[str]) -> str:
    """Return what all of the sorted words begin with."""
    if not words:
        return ""
    first, last = words[0], words[-1]
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:length]


def _line(argument: str) -> str:
    """Return the line up to the cursor: `c=<column>;<line>`, or the line alone."""
    if argument.startswith("c="):
        column, semicolon, line = argument[2:].partition(";")
        if semicolon:
            return line[: max(0, leading_int(column))]
    return argument
