"""The API commands of the module: `sofia`, and those named `sofia_…`; and the JSON commands `sofia.status…`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable
from host.arguments import separate
from host.leading_number import leading_int
from host.log import LogLevel, level_of
from host.modules.mod_sofia.command.dig_report import dig_report
from host.modules.mod_sofia.command.profile_command import profile_command
from host.modules.mod_sofia.command.status_json import json_status, status_object
from host.modules.mod_sofia.command.status_report import status
from host.modules.mod_sofia.command.status_xml import xml_status
from host.modules.mod_sofia.command.usage import LOG_COMPONENTS, USAGE
from host.modules.mod_sofia.registration.registration_lookup import (
    sofia_contact,
    sofia_count_reg,
    sofia_username_of,
)
from host.modules.mod_sofia.running_sofia import find_gateway
from host.modules.mod_sofia.transport.dns_records import CachedLookup
from host.sql_store import SqlError
from host.truth import is_true

if TYPE_CHECKING:
    from host.interfaces import ApiRequest
    from host.modules.mod_sofia.running_sofia import RunningProfile, RunningSofia
    from host.session import Session
    from host.switch import Switch

# FreeSWITCH takes at most so many words.
_MOST_WORDS: Final = 1024
_GLOBAL_USAGE: Final = (
    "-ERR Usage: siptrace <on|off>|capture <on|off>|watchdog <on|off>|debug <sla|presence|none"
)
_DEBUGGED: Final = 10

# Returns status and rpid of a user's presence at a profile: (profile's name, user, host); None without.
PresenceLookup = Callable[[str, str, str], "tuple[str, str] | None"]


class SofiaLogLevels:
    """The levels of `sofia loglevel`, by FreeSWITCH's names for parts of its SIP stack."""

    def __init__(self, level: int = 0) -> None:
        self._levels = dict.fromkeys(LOG_COMPONENTS[1:], level)

    def get(self, component: str) -> int | None:
        """Return a level, None for no such part (`all` is none)."""
        return self._levels.get(component.lower())

    def set(self, component: str, level: int) -> bool:
        """Set a level, of all parts for `all`; False for no such part or level."""
        name = component.lower()
        if not 0 <= level <= 9 or name not in LOG_COMPONENTS:
            return False
        for known in self._levels if name == "all" else (name,):
            self._levels[known] = level
        return True


def table(
    module: str, sofia: RunningSofia, presence: PresenceLookup = lambda profile, user, host: None
) -> ApiTable:
    """Return the commands of a switch's SIP module."""
    commands = ApiTable(module)
    levels = SofiaLogLevels(sofia.global_settings.log_level)
    address = "[profile/]<user>@<domain>"

    @commands.command("sofia", "<cmd> <args>", "Sofia Controls")
    def controls(request: ApiRequest) -> str:
        words = separate(request.argument, " ", _MOST_WORDS)
        return _guarded(lambda: _sofia(sofia, levels, words)) if words else USAGE

    @commands.command("sofia_contact", address, "Sofia Contacts")
    def contact(request: ApiRequest) -> str:
        variables = request.session.channel.get_variable if request.session is not None else lambda name: None
        return _guarded(
            lambda: sofia_contact(
                sofia,
                request.argument,
                default_domain=request.switch.global_variables.get("domain") or "",
                exclude_contact=variables("sip_exclude_contact") or "",
                match_user_agent=variables("sip_match_user_agent") or "",
            )
        )

    @commands.command("sofia_count_reg", address, "Count Sofia registration")
    def count(request: ApiRequest) -> str:
        return _guarded(lambda: sofia_count_reg(sofia, request.argument))

    @commands.command("sofia_username_of", address, "Sofia Username Lookup")
    def username(request: ApiRequest) -> str:
        return _guarded(lambda: sofia_username_of(sofia, request.argument)) if request.argument else ""

    @commands.command("sofia_dig", "<url>", "SIP DIG")
    def dig(request: ApiRequest) -> str:
        lookup = CachedLookup(sofia.resolver.cache)
        return dig_report(request.argument, lookup, lambda text: request.switch.log(LogLevel.ERR, text))

    @commands.command(
        "sofia_gateway_data", "<gateway_name> [ivar|ovar|var] <name>", "Get data from a sofia gateway"
    )
    def gateway_data(request: ApiRequest) -> str:
        return _gateway_data(sofia, request.argument)

    @commands.command(
        "sofia_presence_data",
        "[list|status|rpid|user_agent] [profile/]<user>@domain",
        "Sofia Presence Data",
    )
    def presence_data(request: ApiRequest) -> str:
        words = separate(request.argument, " ", 6)
        default = request.switch.global_variables.get("domain") or ""
        return _guarded(lambda: _presence_data(sofia, presence, words, default)) if len(words) > 1 else ""

    return commands


def json_commands(
    sofia: RunningSofia,
) -> dict[str, Callable[[Switch, dict[str, object], Session | None], object]]:
    """Return the JSON commands by name."""
    return {
        "sofia.status": lambda switch, data, session: status_object(sofia),
        "sofia.status.info": lambda switch, data, session: status_object(sofia, info=True),
    }


def _guarded(run: Callable[[], str]) -> str:
    """Return what `run` does, or that the shared database of registrations did not answer."""
    try:
        return run()
    except SqlError as error:
        return f"-ERR {error}\n"


def _sofia(sofia: RunningSofia, levels: SofiaLogLevels, words: list[str]) -> str:
    word, rest = words[0].lower(), words[1:]
    match word:
        case "profile":
            return profile_command(sofia, rest)
        case "status":
            return status(sofia, rest)
        case "xmlstatus":
            return xml_status(sofia, rest)
        case "jsonstatus":
            return json_status(sofia)
        case "tracelevel":
            return _tracelevel(sofia, rest)
        case "loglevel":
            return _loglevel(sofia, levels, rest)
        case "help":
            return USAGE
        case "global":
            return _global(sofia, rest)
        case "recover":
            return _recover(sofia, rest)
    return f"Unknown Command [{words[0]}]\n"


def _tracelevel(sofia: RunningSofia, rest: list[str]) -> str:
    """Set the level that traced messages are logged with. FreeSWITCH: another word than a level's is DEBUG."""
    if rest:
        level = level_of(rest[0])
        sofia.global_settings.tracelevel = level if level is not None else LogLevel.DEBUG
    return f"+OK tracelevel is {sofia.global_settings.tracelevel.name}"


def _loglevel(sofia: RunningSofia, levels: SofiaLogLevels, rest: list[str]) -> str:
    if len(rest) > 1 and rest[1].isascii() and rest[1].isdigit():
        level = leading_int(rest[1])
        if not levels.set(rest[0], level):
            return USAGE
        if level:
            sofia.switch.log(LogLevel.WARNING, "The SIP stack logs alike at all levels: see siptrace")
        return f"Sofia log level for component [{rest[0]}] has been set to [{level}]"
    found = levels.get(rest[0]) if rest else None
    return f"Sofia-sip loglevel for [{rest[0]}] is [{found}]" if found is not None else USAGE


def _global(sofia: RunningSofia, rest: list[str]) -> str:
    action, value = ([word.lower() for word in rest] + ["", ""])[:2]
    if action == "debug":
        return _debug(sofia, value)
    if len(rest) < 2:
        return _GLOBAL_USAGE
    on = is_true(value)
    word = "on" if on else "off"
    if action == "siptrace":
        sofia.siptrace_all(on)
    elif action == "standby":
        for profile in sofia.profiles.values():
            profile.settings.profile_standby = on
    elif action not in ("capture", "watchdog"):
        return _GLOBAL_USAGE
    elif on:
        return f"-ERR {action} is not supported\n"
    return f"+OK Global {action} {word}"


def _debug(sofia: RunningSofia, value: str) -> str:
    settings, text = sofia.global_settings, ""
    if "presence" in value:
        settings.debug_presence = _DEBUGGED
        text += "+OK Debugging presence\n"
    if "sla" in value:
        settings.debug_sla = _DEBUGGED
        text += "+OK Debugging sla\n"
    if "none" in value:
        settings.debug_presence = settings.debug_sla = 0
        text += "+OK Debugging nothing\n"
    presence, sla = ("on" if level else "off" for level in (settings.debug_presence, settings.debug_sla))
    return f"{text}+OK Debugging summary: presence: {presence} sla: {sla}\n"


def _recover(sofia: RunningSofia, rest: list[str]) -> str:
    """Answer as where no call was tracked (`track-calls`), for none is."""
    if rest and rest[0].lower() == "flush":
        return "Flushing recovery database.\n"
    event = sofia.switch.new_event("CUSTOM", "sofia::recovery_recovered")
    event.add_header("recovered_calls", "0")
    sofia.switch.fire(event)
    return "No calls to recover.\n"


def _gateway_data(sofia: RunningSofia, argument: str) -> str:
    if not argument:
        return "-ERR Parameter missing\n"
    name, kind, variable = (*separate(argument, " ", 4), "", "", "")[:3]
    gateway = find_gateway(sofia, name)
    if gateway is None or not variable:
        return ""
    inbound = {key.lower(): value for key, value in gateway.settings.inbound_variables}
    outbound = {key.lower(): value for key, value in gateway.settings.outbound_variables}
    found = {"ivar": inbound, "ovar": outbound, "var": outbound | inbound}.get(kind.lower(), {})
    return found.get(variable.lower(), "")


def _presence_data(sofia: RunningSofia, presence: PresenceLookup, words: list[str], default: str) -> str:
    """Return what is known of a user who is registered. FreeSWITCH: the domain is that of the login (realm)."""
    search, place = words[0].lower(), words[1]
    profile_name, slash, rest = place.partition("/")
    user, _, domain = (rest if slash else place).partition("@")
    profile_name = profile_name if slash else ""
    user, domain = user.partition("/")[0], domain.partition("/")[0] or default
    profile = None
    if profile_name != "*" or not domain:
        profile = sofia.find_profile(profile_name) if profile_name else None
        profile = profile or (sofia.find_profile(domain) if domain else None)
    text = ""
    if profile is not None:
        domain = domain or profile.name
        if profile.settings.domain and profile_name == profile.name:
            domain = profile.settings.domain
        text = _presence_of(profile, presence, search, user, domain)
    elif domain:
        profiles: Iterable[RunningProfile] = list(sofia.profiles.values())
        text = "".join(_presence_of(one, presence, search, user, domain) for one in profiles)
    return f"{text}+OK\n" if search == "list" else text


def _presence_of(
    profile: RunningProfile, presence: PresenceLookup, search: str, user: str, domain: str
) -> str:
    columns = ("status", "rpid", "user_agent", "network_ip", "network_port")
    rows = []
    for binding in profile.registrar.registrations.find(user):
        if binding.sip_realm == domain:
            state, rpid = presence(profile.name, user, binding.sip_host) or ("", "")
            values = (state, rpid, binding.user_agent, binding.network_ip, binding.network_port)
            rows.append([value or "unknown" for value in values])
    if search in columns[:3]:
        return "".join(row[columns.index(search)] for row in rows)
    lines = ["|".join(row) + "\n" for row in rows]
    return "".join(["|".join(columns) + "\n", *lines]) if lines else ""
