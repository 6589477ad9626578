"""The text commands against what a real FreeSWITCH answered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import pytest

from host.arguments import separate
from host.coalesce import coalesce
from host.condition import condition
from host.escape import escape, quote_shell_arg, sql_escape, url_decode, url_encode
from host.expansion import expand
from host.expression import expression
from host.regex_command import regex
from host.replace import replace
from host.time_format import strepoch, strftime, strftime_tz, strmicroepoch
from host.variables import Variables
from tests.host.recorded_transcript import is_as_expected, steps, transcripts

NOW = 1_795_500_000_123_456  # 2026-11-24

FILES = transcripts(
    "expr",
    "cmd_expr_arithmetic",
    "cmd_expr_functions",
    "cmd_expr_logic",
    "cmd_expr_precision",
    "cmd_expr_variables",
    "cmd_expr_wrong",
    "cmd_cond_branches",
    "cmd_cond_numbers",
    "cmd_cond_quotes",
    "cmd_cond_strings",
    "cmd_cond_wrong",
    "cmd_regex_delimiters",
    "cmd_regex_match",
    "cmd_regex_no_match",
    "cmd_regex_substitute",
    "cmd_regex_wrong",
    "cmd_replace",
    "cmd_replace_wrong",
    "cmd_coalesce",
    "cmd_escape",
    "cmd_url",
    "cmd_strftime_forms",
    "cmd_strftime_letters",
    "cmd_strftime_refused",
    "cmd_strftime_tz_forms",
    "cmd_strftime_tz_letters",
    "cmd_strftime_tz_zones",
    "cmd_strepoch",
    "cmd_time_round_trip",
    "cmd_eval_array",
    "cmd_eval_escapes",
    "cmd_eval_function_arguments",
    "cmd_eval_functions",
    "cmd_eval_nested",
    "cmd_eval_substring",
    "cmd_eval_uuid",
    "cmd_eval_variables",
    "cmd_expand",
    "cmd_expand_wrong",
)


class Commands:
    """A few of the API commands over global variables, as a server would answer them."""

    def __init__(self) -> None:
        self.variables = Variables()
        self.table: dict[str, Callable[[str], str]] = {
            "expr": expression,
            "cond": condition,
            "regex": regex,
            "replace": replace,
            "coalesce": coalesce,
            "escape": escape,
            "quote_shell_arg": quote_shell_arg,
            "sql_escape": sql_escape,
            "url_encode": url_encode,
            "url_decode": url_decode,
            "strftime": lambda argument: strftime(argument, NOW, UTC),
            "strftime_tz": lambda argument: strftime_tz(argument, NOW, UTC),
            "strepoch": lambda argument: strepoch(argument, NOW, UTC),
            "strmicroepoch": lambda argument: strmicroepoch(argument, NOW, UTC),
            "echo": lambda argument: argument,
            "toupper": str.upper,
            "tolower": str.lower,
            "md5": lambda argument: hashlib.md5(argument.encode()).hexdigest(),
            "global_setvar": self.set_variable,
            "global_getvar": lambda argument: self.variables.get(argument) or "",
            "eval": self.evaluate,
            "expand": self.expand,
        }

    def set_variable(self, argument: str) -> str:
        name, value = (*separate(argument, "=", 3), "")[:2]
        self.variables.set(name, value)
        return "+OK"

    def evaluate(self, argument: str) -> str:
        if argument.startswith("uuid:"):
            argument = argument.partition(" ")[2]
        return expand(argument, lambda name, index: None, api=self.run, global_lookup=self.variables.get)

    def expand(self, argument: str) -> str:
        if argument.startswith("uuid:"):
            argument = argument.partition(" ")[2]
        if not argument:
            return "-ERR No input\n"
        name, _, rest = argument.partition(" ")
        reply = self.run(name, self.evaluate(rest))
        return "INVALID COMMAND!\n-ERR Cannot execute command\n" if reply is None else reply

    def run(self, name: str, argument: str) -> str | None:
        command = self.table.get(name.lower())
        return None if command is None else command(argument.strip(" "))


@pytest.mark.skipif(not FILES, reason="no recorded transcripts near by")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recorded(path: Path) -> None:
    commands = Commands()
    wrong = []
    for command, expected in steps(path):
        name, _, argument = command.partition(" ")
        reply = commands.run(name, argument) or ""
        if not is_as_expected(expected, reply):
            wrong.append((command, expected, reply))
    assert not wrong
