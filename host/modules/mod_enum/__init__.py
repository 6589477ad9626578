"""mod_enum: dial strings for telephone numbers from the DNS (RFC 6116), and for ISN numbers (`1234*256`)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable
from host.application_table import ApplicationTable
from host.arguments import separate
from host.caller_profile import CallerExtension, CallerProfile
from host.interfaces import ApiRequest, Dialplan
from host.log import LogLevel
from host.module_loader import ModuleUnavailable
from host.modules.mod_enum import name_servers
from host.modules.mod_enum.naptr import Offer, dial_list, domain_of, offers
from host.modules.mod_enum.settings import MAX_NAME_SERVERS, read_settings

if TYPE_CHECKING:
    from host.event import Event
    from host.event_bus import Subscription
    from host.session import Session
    from host.switch import Switch

NAME: Final = "mod_enum"
_USAGE: Final = "Usage: enum [reload | <number> [<root>] ]\n"
_COLUMNS: Final = f"Order\tPref\tService   \tRoute\n{'=' * 78}\n"
_VARIABLES: Final = "enum_"


class Enum:
    """The look-ups of one switch."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self.settings = read_settings(switch.xml)

    def reload(self) -> None:
        """Read enum.conf anew."""
        self.settings = read_settings(self._switch.xml)

    def hear(self, event: Event) -> None:
        """Read enum.conf anew after `reloadxml`, if it says so."""
        if self.settings.auto_reload:
            self.reload()
            self._switch.log(LogLevel.INFO, "ENUM Reloaded")

    def look_up(self, number: str, root: str = "", session: Session | None = None) -> list[Offer]:
        """Return the offers for a number below `root`, else the default one; none when no server answers.

        Waits for the servers. FreeSWITCH: an ISN number is `NUMBER*DOMAIN`, where DOMAIN (RFC 3872: the number of an
        ITAD) is looked for below the ISN root, or below `root`.
        """
        settings, switch = self.settings, self._switch
        number = number if number.startswith("+") else f"+{number}"
        number, star, owner = number.partition("*")
        root = f"{owner}.{root or settings.isn_root}" if star else root or settings.root
        domain = domain_of(number, root)

        def tell(text: str) -> None:
            switch.log(LogLevel.WARNING, text, uuid=session.uuid if session is not None else "")

        if switch.clock.virtual:
            tell(f"{domain} is not looked up: there is no network in a simulated call")
            return []
        try:
            records = name_servers.ask(
                domain,
                self._name_servers(session),
                timeout_ms=settings.timeout_ms,
                tries=settings.tries,
                shuffled=settings.random,
            )
        except name_servers.NoAnswer as error:
            tell(f"ENUM lookup of {domain} failed: {error}")
            return []
        return offers(number, records, settings.routes, switch.expand, tell)

    def _name_servers(self, session: Session | None) -> list[name_servers.NameServer]:
        """FreeSWITCH: the variable enum_nameserver, else the global enum-server, else enum.conf, else the machine's."""
        asked = session.channel.get_variable("enum_nameserver") if session is not None else None
        asked = asked or self._switch.global_variables.get("enum-server")
        texts = separate(asked, ",", MAX_NAME_SERVERS) if asked else self.settings.name_servers
        found = [server for text in texts if (server := name_servers.parse_name_server(text)) is not None]
        return found or name_servers.host_name_servers()


def set_variables(session: Session, found: list[Offer]) -> None:
    """Set enum_route_1, …, enum_route_count and enum_auto_route of a channel; former `enum_…` are gone."""
    channel = session.channel
    for name in list(channel.variables):
        if name.startswith(_VARIABLES):
            channel.set_variable(name, None)
    routes = [offer.route for offer in found if offer.supported]
    for number, route in enumerate(routes, 1):
        channel.set_variable(f"enum_route_{number}", route)
    channel.set_variable("enum_route_count", str(len(routes)))
    channel.set_variable("enum_auto_route", dial_list(found) or None)


def report(found: list[Offer]) -> str:
    """Return the reply of the command `enum`: all that is offered, and what of it a route supports."""
    rows = [(f"{o.order}\t{o.preference}\t{o.service:<10}\t{o.route}\n", o.supported) for o in found]
    offered = "".join(row for row, _ in rows)
    supported = "".join(row for row, is_supported in rows if is_supported)
    return f"\nOffered Routes:\n{_COLUMNS}{offered}\nSupported Routes:\n{_COLUMNS}{supported}"


def load(switch: Switch) -> None:
    """Bring the commands, the application and the dialplan; ModuleUnavailable without dnspython."""
    if find_spec("dns") is None:
        raise ModuleUnavailable("look-ups need the extra moonline[enum] (dnspython)")
    lookups = Enum(switch)
    commands = ApiTable(NAME)
    applications = ApplicationTable(NAME)

    @commands.command("enum", "", "ENUM")
    def enum(request: ApiRequest) -> str:
        """Show what is offered for a number, or read the configuration anew."""
        if request.session is not None:
            request.session.channel.log(LogLevel.ERR, "This function cannot be called from the dialplan.")
            return ""
        words = separate(request.argument, " ", 4)
        if not request.argument:
            return _USAGE
        if not words or not words[0]:
            return "Invalid Input!\n"
        if words[0].lower() == "reload":
            lookups.reload()
            return "+OK ENUM Reloaded.\n"
        return report(lookups.look_up(words[0], words[1] if len(words) > 1 else ""))

    @commands.command("enum_auto", "", "ENUM")
    def enum_auto(request: ApiRequest) -> str:
        """Return one dial string for a number."""
        words = separate(request.argument, " ", 4)
        if not words or not words[0]:
            return "none"
        return dial_list(lookups.look_up(words[0], words[1] if len(words) > 1 else ""))

    @applications.application("enum", "[reload | <number> [<root>]]", "Perform an ENUM lookup", routing=True)
    def enum_application(session: Session, data: str) -> None:
        """Set the channel's variables to what is offered for a number."""
        words = separate(data, " ", 4)
        if words and words[0]:
            set_variables(session, lookups.look_up(words[0], words[1] if len(words) > 1 else "", session))

    def hunt(session: Session, argument: str, profile: CallerProfile) -> CallerExtension:
        """Bridge to one offer after the other (FreeSWITCH: with hangup_after_bridge)."""
        number = profile.destination_number
        found = lookups.look_up(number, argument, session)
        session.channel.set_variable("hangup_after_bridge", "true")
        bridges = [("bridge", offer.route) for offer in found if offer.supported]
        return CallerExtension(number, number, bridges)

    commands.register(switch)
    applications.register(switch)
    switch.dialplans.add(Dialplan("enum", NAME, hunt))
    _subscriptions[switch.core_uuid] = switch.bus.subscribe(lookups.hear, ["RELOADXML"])


def unload(switch: Switch) -> None:
    """Listen no more."""
    subscription = _subscriptions.pop(switch.core_uuid, None)
    if subscription is not None:
        switch.bus.unsubscribe(subscription)


# By the switch's core UUID: `unload` gets no more than the switch.
_subscriptions: Final[dict[str, Subscription]] = {}
