"""Which grammar a script means: a file in the folder of grammars, a path, JSGF as it is, or one that is built in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from host.variables import Variables

_ENDING: Final = ".gram"
_JSGF: Final = "#JSGF"
_BUILT_IN: Final = re.compile(r"builtin:(?:(?:grammar|speech)/)?(\w+)(?:\?(.*))?", re.IGNORECASE)
_NAME: Final = re.compile(r"^\s*grammar\s+([\w.\-]+)\s*;", re.MULTILINE)

# A grammar that a person has written is some kilobytes long.
_LONGEST: Final = 1 << 20

# VoiceXML 2.0, appendix P: what a boolean and a row of digits are; so many digits at most.
_DIGIT: Final = "zero | oh | one | two | three | four | five | six | seven | eight | nine"
_MOST_DIGITS: Final = 40


class NoGrammar(Exception):
    """There is no such grammar; the text says why."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """A grammar's JSGF text, and how results name it."""

    name: str
    text: str


def find_grammar(wanted: str, folders: Variables) -> Grammar:
    """Return the grammar that `wanted` names or is. Raises NoGrammar.

    FreeSWITCH: what begins with a slash is the path of a file, with or without its ending `.gram`; anything else is a
    file in `${grammar_dir}`. Beyond that, text that begins with `#JSGF` is a grammar itself, and `builtin:boolean` and
    `builtin:digits` (`?length=4`, `?minlength=3;maxlength=5`) are grammars that need no file.
    """
    if wanted.lstrip().startswith(_JSGF):
        declared = _NAME.search(wanted.replace(";", ";\n"))
        return Grammar(declared[1] if declared else "inline", wanted.lstrip())
    built_in = _BUILT_IN.fullmatch(wanted.strip())
    if built_in is not None:
        return Grammar(wanted.strip(), _built_in(built_in[1].lower(), built_in[2] or ""))
    if not wanted or "\0" in wanted:
        raise NoGrammar("Can't open grammar file: none is named.")
    path = _path(wanted, folders.get("grammar_dir") or "")
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read(_LONGEST + 1)
    except OSError:
        raise NoGrammar(f"Can't open grammar file {path}.") from None
    if len(text) > _LONGEST:
        raise NoGrammar(f"Grammar file {path} is longer than {_LONGEST} characters.")
    return Grammar(wanted, text)


def _path(wanted: str, folder: str) -> str:
    if wanted.startswith("/"):
        return wanted if wanted.endswith(_ENDING) else wanted + _ENDING
    return f"{folder}/{wanted}{_ENDING}"


def _built_in(name: str, query: str) -> str:
    match name:
        case "boolean":
            rule = "yes | no"
        case "digits":
            rule = _digits(dict(parse_qsl(query.replace(";", "&"))))
        case _:
            raise NoGrammar(f"There is no grammar builtin:{name}, only boolean and digits.")
    return f"{_JSGF} V1.0;\ngrammar {name};\npublic <{name}> = {rule};\n"


def _digits(options: Mapping[str, str]) -> str:
    try:
        length = int(options["length"]) if "length" in options else None
        least = int(options.get("minlength", "1")) if length is None else length
        most = int(options["maxlength"]) if length is None and "maxlength" in options else length
    except ValueError:
        raise NoGrammar("A length of builtin:digits is no number.") from None
    if not 1 <= least <= (most if most is not None else _MOST_DIGITS) <= _MOST_DIGITS:
        raise NoGrammar(f"builtin:digits has 1 to {_MOST_DIGITS} digits.")
    one = f"({_DIGIT})"
    if most is None:
        return " ".join([one] * (least - 1) + [f"{one}+"])
    return " ".join([one] * least) + f" [{one}" * (most - least) + "]" * (most - least)
