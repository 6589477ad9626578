"""Commands that take a text and give one back."""

from __future__ import annotations

import hashlib
import string
from typing import Final

from host import escape as escapes
from host.api_table import ApiTable
from host.byte_text import to_bytes
from host.coalesce import coalesce as first_value
from host.condition import condition
from host.interfaces import ApiRequest
from host.regex_command import regex as evaluate_regex
from host.replace import replace as replace_text

commands: Final = ApiTable("mod_commands")
command = commands.command

_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_UPPER: Final = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)


@command("echo", "<data>", "Echo")
def echo(request: ApiRequest) -> str:
    return request.argument


@command("md5", "<data>", "Return md5 hash")
def md5(request: ApiRequest) -> str:
    if not request.argument:
        return "!err!"
    return hashlib.md5(to_bytes(request.argument), usedforsecurity=False).hexdigest()


@command("tolower", "<string>", "Lower Case a string")
def tolower(request: ApiRequest) -> str:
    """Change ASCII letters only, as FreeSWITCH does."""
    return request.argument.translate(_LOWER)


@command("toupper", "<string>", "Upper Case a string")
def toupper(request: ApiRequest) -> str:
    return request.argument.translate(_UPPER)


@command("url_encode", "<string>", "Url encode a string")
def url_encode(request: ApiRequest) -> str:
    return escapes.url_encode(request.argument)


@command("url_decode", "<string>", "Url decode a string")
def url_decode(request: ApiRequest) -> str:
    return escapes.url_decode(request.argument)


@command("escape", "<data>", "Escape a string")
def escape(request: ApiRequest) -> str:
    return escapes.escape(request.argument)


@command("quote_shell_arg", "<data>", "Quote/escape a string for use on shell command line")
def quote_shell_arg(request: ApiRequest) -> str:
    return escapes.quote_shell_arg(request.argument)


@command("sql_escape", "<string>", "Escape a string to prevent sql injection")
def sql_escape(request: ApiRequest) -> str:
    return escapes.sql_escape(request.argument)


@command("replace", "<data>|<string1>|<string2>", "Replace a string")
def replace(request: ApiRequest) -> str:
    return replace_text(request.argument)


@command("regex", "<data>|<pattern>[|<subst string>][n|b]", "Evaluate a regex")
def regex(request: ApiRequest) -> str:
    return evaluate_regex(request.argument)


@command("cond", "<expr> ? <true val> : <false val>", "Evaluate a conditional")
def cond(request: ApiRequest) -> str:
    return condition(request.argument)


@command("coalesce", "[^^<delim>]<value1>,<value2>,...", "Return first nonempty parameter")
def coalesce(request: ApiRequest) -> str:
    return first_value(request.argument)
