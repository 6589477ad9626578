"""Commands that take a text and give one back."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Callable
from typing import Final

from host.api_table import ApiTable
from host.byte_text import to_bytes
from host.coalesce import coalesce
from host.condition import condition
from host.escape import escape, quote_shell_arg, sql_escape, url_decode, url_encode
from host.interfaces import ApiRequest
from host.regex_command import regex
from host.replace import replace

commands: Final = ApiTable("mod_commands")
_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_UPPER: Final = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)


def _md5(text: str) -> str:
    return hashlib.md5(to_bytes(text), usedforsecurity=False).hexdigest() if text else "!err!"


# Name, syntax, description, and what makes the reply of the argument.
_COMMANDS: Final[tuple[tuple[str, str, str, Callable[[str], str]], ...]] = (
    ("echo", "<data>", "Echo", str),
    ("md5", "<data>", "Return md5 hash", _md5),
    # FreeSWITCH: of ASCII letters only.
    ("tolower", "<string>", "Lower Case a string", lambda text: text.translate(_LOWER)),
    ("toupper", "<string>", "Upper Case a string", lambda text: text.translate(_UPPER)),
    ("url_encode", "<string>", "Url encode a string", url_encode),
    ("url_decode", "<string>", "Url decode a string", url_decode),
    ("escape", "<data>", "Escape a string", escape),
    ("quote_shell_arg", "<data>", "Quote/escape a string for use on shell command line", quote_shell_arg),
    ("sql_escape", "<string>", "Escape a string to prevent sql injection", sql_escape),
    ("replace", "<data>|<string1>|<string2>", "Replace a string", replace),
    ("regex", "<data>|<pattern>[|<subst string>][n|b]", "Evaluate a regex", regex),
    ("cond", "<expr> ? <true val> : <false val>", "Evaluate a conditional", condition),
    ("coalesce", "[^^<delim>]<value1>,<value2>,...", "Return first nonempty parameter", coalesce),
)


def _changing(change: Callable[[str], str]) -> Callable[[ApiRequest], str]:
    return lambda request: change(request.argument)


for _name, _syntax, _description, _change in _COMMANDS:
    commands.command(_name, _syntax, _description)(_changing(_change))
