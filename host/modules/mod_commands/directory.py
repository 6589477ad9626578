"""Commands that ask the directory and the rest of the XML configuration."""

from __future__ import annotations

from typing import Final

from lxml import etree

from host.api_table import ApiTable, UsageError
from host.arguments import separate
from host.interfaces import ApiRequest
from host.modules.mod_commands.core_tables import core_writers
from host.switch import Switch
from host.xml_directory import DirectoryUser, group_delimiter, setting
from host.xml_text import xml_text

commands: Final = ApiTable("mod_commands")
command = commands.command

_LIST_COLUMNS: Final = (
    "userid|context|domain|group|contact|callgroup|effective_caller_id_name|effective_caller_id_number\n"
)
_NOT_REGISTERED: Final = "error/user_not_registered"


@command("user_data", "<user>@<domain> [var|param|attr] <name>", "Find user data")
def user_data(request: ApiRequest) -> str:
    """Return an attribute, param or variable of a user; FreeSWITCH: any other word than var or attr is param."""
    parts = separate(request.argument, " ", 3)
    if len(parts) < 3:
        return ""
    who, kind, name = parts
    user, _, domain = who.partition("@")
    found = _user(request.switch, user, domain)
    if found is None:
        return ""
    if kind == "attr":
        return found.attribute(name) or ""
    return (found.variable(name) if kind == "var" else found.param(name)) or ""


@command("domain_data", "<domain> [var|param|attr] <name>", "Find domain data")
def domain_data(request: ApiRequest) -> str:
    parts = separate(request.argument, " ", 3)
    if len(parts) < 3:
        return ""
    domain, kind, name = parts
    found = request.switch.xml.directory.domain(domain)
    if found is None:
        return ""
    if kind == "attr":
        return found.get(name, "")
    return setting(found, "variables" if kind == "var" else "params", name) or ""


@command("domain_exists", "<domain>", "Check if a domain exists")
def domain_exists(request: ApiRequest) -> str:
    if not request.argument:
        return ""
    return "true" if request.switch.xml.directory.domain(request.argument) is not None else "false"


@command("user_exists", "<key> <user> <domain>", "Find a user")
def user_exists(request: ApiRequest) -> str:
    found = _user_by_key(request)
    return "true" if isinstance(found, DirectoryUser) else "false"


@command("find_user_xml", "<key> <user> <domain>", "Find a user")
def find_user_xml(request: ApiRequest) -> str:
    found = _user_by_key(request)
    return xml_text(found.element) if isinstance(found, DirectoryUser) else f"-ERR {found}\n"


@command("in_group", "<user>[@<domain>] <group_name>", "Determine if a user is in a group")
def in_group(request: ApiRequest) -> str:
    """Tell whether a user is in a group, the two parted by a comma as `user@domain,group`."""
    parts = separate(request.argument, ",", 2)
    if len(parts) < 2:
        return "false"
    user, _, domain = parts[0].partition("@")
    domain = domain or _default_domain(request.switch)
    return "true" if request.switch.xml.directory.in_group(user, domain, parts[1]) else "false"


@command("group_call", "<group>[@<domain>]", "Generate a dial string to call a group")
def group_call(request: ApiRequest) -> str:
    """Return what to dial for a group: all at once, with `+F` one after another, with `+E` each on its own."""
    address, _, flags = request.argument.partition("+")
    group, _, domain = address.partition("@")
    delimiter = group_delimiter(flags)
    text = request.switch.xml.directory.group_dial_string(
        group,
        domain or _default_domain(request.switch),
        lambda template, variables: _filled(request, template, dict(variables)),
        delimiter,
    )
    return text or "error/NO_ROUTE_DESTINATION"


@command(
    "list_users",
    "[group <group>] [domain <domain>] [user <user>] [context <context>]",
    "List Users configured in Directory",
)
def list_users(request: ApiRequest) -> str:
    parts = separate(request.argument, " ", 9)
    if len(parts) > 8:
        raise UsageError
    wanted = {key.lower(): value for key, value in zip(parts[::2], parts[1::2], strict=False)}
    directory = request.switch.xml.section("directory")
    rows: list[str] = []
    for domain in directory.iterchildren("domain") if directory is not None else ():
        if "domain" in wanted and domain.get("name", "").lower() != wanted["domain"].lower():
            continue
        rows += _listed(request.switch, domain, wanted)
    return f"{_LIST_COLUMNS}{''.join(rows)}\n+OK\n"


@command("xml_locate", "[root | <section> <tag> <tag_attr_name> <tag_attr_val>]", "Find some xml")
def xml_locate(request: ApiRequest) -> str:
    parts = separate(request.argument, " ", 4)
    xml = request.switch.xml
    found: etree._Element | None
    if parts == ["root"]:
        found = xml.root
    elif len(parts) == 1:
        found = xml.section(parts[0])
    elif len(parts) == 4:
        found = xml.locate(parts[0], parts[1], parts[2], parts[3])
    else:
        return "-ERR bad args\n"
    return "can't find anything\n" if found is None else xml_text(found)


@command("xml_flush_cache", "<id> <key> <val>", "Clear xml cache")
def xml_flush_cache(request: ApiRequest) -> str:
    parts = separate(request.argument, " ", 3)
    count = request.switch.xml.directory.flush_cache(*parts)
    return f"+OK cleared {count} entr{'y' if count == 1 else 'ies'}\n"


@command("reg_url", "<user>@<domain>")
def reg_url(request: ApiRequest) -> str:
    """Return where a user is reached that this host, or one with the same core database, has registered."""
    user, _, domain = request.argument.partition("@")
    domain = domain or _default_domain(request.switch)
    for registration in request.switch.registrations.values():
        if registration.reg_user == user and registration.realm.lower() == domain.lower():
            return registration.url
    tables = core_writers.get(request.switch)
    elsewhere = tables.registered_url(user, domain) if tables is not None else None
    return elsewhere or _NOT_REGISTERED


def _default_domain(switch: Switch) -> str:
    return switch.domain


def _user(switch: Switch, user: str, domain: str) -> DirectoryUser | None:
    return switch.xml.directory.user(user, domain or _default_domain(switch))


def _user_by_key(request: ApiRequest) -> DirectoryUser | str:
    """Return the user that key, value and domain name, or why there is none."""
    parts = separate(request.argument, " ", 3)
    if len(parts) < 3:
        return "bad args"
    key, user, domain = parts
    return request.switch.xml.directory.user(user, domain, key=key, relaid=True) or "can't find user"


def _filled(request: ApiRequest, template: str, variables: dict[str, str]) -> str:
    """Expand a dial string's `${dialed_…}` before all other variables."""
    for name, value in variables.items():
        template = template.replace(f"${{{name}}}", value)
    return request.switch.expand(template, request.session)


def _listed(switch: Switch, domain: etree._Element, wanted: dict[str, str]) -> list[str]:
    name = domain.get("name", "")
    rows: list[str] = []
    for group, element in switch.xml.directory.users(domain):
        user = element.get("id", "")
        if element.get("type") == "pointer":
            continue
        if any(
            value.lower() != wanted.get(key, value).lower()
            for key, value in (("group", group), ("user", user))
        ):
            continue
        found = switch.xml.directory.user(user, name)
        context = (found.variable("user_context") if found is not None else None) or ""
        if found is None or context.lower() != wanted.get("context", context).lower():
            continue
        contact = (
            switch.api("sofia_contact", f"{user}@{name}") if switch.api_commands.get("sofia_contact") else ""
        )
        values = (
            user,
            context,
            name,
            group,
            contact or _NOT_REGISTERED,
            found.variable("callgroup") or "",
            found.variable("effective_caller_id_name") or "",
            found.variable("effective_caller_id_number") or "",
        )
        rows.append("|".join(values) + "\n")
    return rows
