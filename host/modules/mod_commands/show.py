"""The command `show`: reports of what there is in the running switch."""

from __future__ import annotations

from collections import Counter
from typing import Final

from host.api_table import ApiTable, UsageError
from host.arguments import separate
from host.console_words import WORDS_LIMIT
from host.interfaces import ApiRequest
from host.modules.mod_commands.channel_report import call_report, channel_report
from host.modules.mod_commands.report import Report, as_json, as_xml, with_delimiter
from host.registration import Registration
from host.switch import Switch

commands: Final = ApiTable("mod_commands")
command = commands.command

_SYNTAX: Final = (
    "codec|endpoint|application|api|dialplan|file|timer|calls [count]|channels [count|like <match string>]|calls"
    "|detailed_calls|bridged_calls|detailed_bridged_calls|aliases|complete|chat|management|modules|nat_map|say"
    "|interfaces|interface_types|tasks|limits|status"
)
# FreeSWITCH knows these by their beginnings, a final s being dropped.
_KINDS: Final = (
    "codec",
    "dialplan",
    "file",
    "timer",
    "chat",
    "limit",
    "say",
    "management",
    "endpoint",
)
_HELP_TITLE: Final = "\nValid Commands:\n\n"


@command("show", _SYNTAX, "Show various reports")
def show(request: ApiRequest) -> str:
    parts = separate(request.argument, " ", 6)
    if not parts:
        raise UsageError
    if parts[0].lower().startswith("status"):
        return request.switch.api("status", parts[1] if len(parts) > 1 else "", request.session)
    report = _report(request.switch, parts)
    if report is None:
        raise UsageError
    form = _format(parts)
    if parts[0].lower() == "help" and form in ("", "delim", "csv"):
        return _lines(report, parts[3] if form and len(parts) > 3 and parts[3] else ",")
    return _written(report, parts, form)


@command("help", "", "Show help for all the api commands")
def help_(request: ApiRequest) -> str:
    """List all commands, whatever is asked for; FreeSWITCH: the title only when nothing is."""
    title = "" if request.argument else _HELP_TITLE
    return title + _lines(_help_report(request.switch), ",")


def _help_report(switch: Switch) -> Report:
    rows = [(found.name, found.syntax, found.description, found.module) for found in switch.api_commands]
    return Report(("name", "syntax", "description", "ikey"), rows)


def _lines(report: Report, delimiter: str) -> str:
    """Return lines of values alone."""
    return "".join(f"{delimiter.join(row)}\n" for row in report.rows)


def _report(switch: Switch, parts: list[str]) -> Report | None:
    """Return the report that the words ask for, None when there is no such."""
    name = parts[0].lower()
    asked = parts[1] if len(parts) > 1 and parts[1].lower() != "as" else None
    counted = asked is not None and asked.lower() == "count"
    if name.startswith("module"):
        return _module_report(switch, asked)
    kind = next((kind for kind in _KINDS if name.startswith(kind)), None)
    if kind is not None:
        # The kind is compared with case: `CODEC` is no kind.
        return _interface_report(switch, parts[0].removesuffix("s"))
    match name:
        case "interfaces":
            return _interface_report(switch, None)
        case "interface_types":
            totals = Counter(kind for kind, _, _ in _interfaces(switch))
            return Report(("type", "total"), [(kind, str(total)) for kind, total in sorted(totals.items())])
        case "application" | "api" if parts[0] == name:
            return _described_report(switch, name, asked)
        case "application" | "api":
            return Report((), ())
        case "help":
            return _help_report(switch)
        case "tasks":
            return _task_report(switch)
        case "aliases":
            rows = [(str(int(a.sticky)), a.alias, a.command, switch.hostname) for a in switch.words.aliases()]
            return Report(("sticky", "alias", "command", "hostname"), rows)
        case "complete":
            return _completion_report(switch)
        case "nat_map":
            return Report(("port", "proto", "proto_num", "sticky"), ())
        case "registrations":
            return _counted(Report(Registration._fields, sorted(switch.registrations.values())), counted)
        case "calls":
            return _counted(call_report(switch), counted)
        case "channels" if asked is not None and asked.lower() == "like":
            return channel_report(switch, parts[2] if len(parts) > 2 else None)
        case "channels":
            return _counted(channel_report(switch), counted)
        case "detailed_calls":
            return call_report(switch, detailed=True)
        case "bridged_calls":
            return call_report(switch, bridged=True)
        case "detailed_bridged_calls":
            return call_report(switch, detailed=True, bridged=True)
    return None


def _format(parts: list[str]) -> str:
    """Return what stands behind `as`, in the places where the report looks for it."""
    name = parts[0].lower()
    second = parts[1].lower() if len(parts) > 1 else ""
    places = [1]
    if name == "channels" and second == "like":
        places = [3]
    elif name in ("calls", "channels", "registrations") and second == "count":
        places = [2]
    for place in places:
        if len(parts) > place + 1 and parts[place].lower() == "as":
            return parts[place + 1].lower()
    return ""


def _written(report: Report, parts: list[str], form: str) -> str:
    match form:
        case "":
            return with_delimiter(report, ",")
        case "delim" | "csv":
            # FreeSWITCH takes the fourth word, whatever it is.
            return with_delimiter(report, parts[3] if len(parts) > 3 and parts[3] else ",")
        case "xml":
            return as_xml(report)
        case "json":
            return as_json(report)
    return f"-ERR Cannot find format {form}\n"


def _counted(report: Report, only_count: bool) -> Report:
    return Report((), (), len(report.rows)) if only_count else report


def _interfaces(switch: Switch) -> list[tuple[str, str, str]]:
    """Return (kind, name, module) of all interfaces, sorted."""
    return sorted((kind.kind, found.name, found.module) for kind in switch.registries for found in kind)


def _interface_report(switch: Switch, kind: str | None) -> Report:
    rows = [row for row in _interfaces(switch) if kind is None or row[0] == kind]
    return Report(("type", "name", "ikey"), rows)


def _module_report(switch: Switch, module: str | None) -> Report:
    rows = [
        (*row, switch.modules.file(row[2]))
        for row in _interfaces(switch)
        if module is None or row[2] == module
    ]
    return Report(("type", "name", "ikey", "filename"), rows)


def _described_report(switch: Switch, kind: str, name: str | None) -> Report:
    registry = switch.applications if kind == "application" else switch.api_commands
    rows = [
        (found.name, found.description, found.syntax, found.module)
        for found in registry
        if found.description and (name is None or found.name == name)
    ]
    return Report(("name", "description", "syntax", "ikey"), rows)


def _task_report(switch: Switch) -> Report:
    columns = ("task_id", "task_desc", "task_group", "task_runtime", "task_sql_manager", "hostname")
    rows = [
        (str(task.id), task.description, task.group, str(task.runtime), "1", switch.hostname)
        for task in switch.scheduler.tasks()
    ]
    return Report(columns, rows)


def _completion_report(switch: Switch) -> Report:
    columns = ("sticky", *(f"a{number}" for number in range(1, WORDS_LIMIT + 1)), "hostname")
    rows = [
        (
            str(int(entry.sticky)),
            *entry.words,
            *[""] * (WORDS_LIMIT - len(entry.words)),
            switch.hostname,
        )
        for entry in switch.words.completions()
    ]
    return Report(columns, rows)
