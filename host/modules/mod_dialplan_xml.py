"""The dialplan `XML`: contexts, extensions and conditions of the configuration's section `dialplan`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lxml import etree

from host.caller_profile import CallerExtension, CallerProfile
from host.dialplan_hunt import TraceLine, find_context, hunt
from host.interfaces import Dialplan
from host.local_zone import local_zone
from host.log import LogLevel
from host.session import Session
from host.xml_text import XmlTextError, named_child, parse_xml

if TYPE_CHECKING:
    from host.switch import Switch

NAME: Final = "mod_dialplan_xml"


class _Caller:
    """What the hunt reads and changes of the call."""

    def __init__(self, session: Session, profile: CallerProfile) -> None:
        self._session = session
        self._profile = profile

    @property
    def name(self) -> str:
        return self._session.channel.name

    def field(self, name: str) -> str | None:
        return self._profile.value(name)

    def expand(self, text: str) -> str:
        return self._session.expand(text)

    def set_variable(self, name: str, value: str | None) -> None:
        self._session.channel.set_variable(name, value)

    def unset_variables(self, prefix: str) -> None:
        variables = self._session.channel.variables
        for name in list(variables):
            if name.startswith(prefix):
                variables.set(name, None)

    def execute_inline(self, application: str, data: str) -> None:
        found = self._session.switch.applications.get(application)
        if found is not None and not found.routing_exec:
            self._session.channel.log(
                LogLevel.WARNING, f"This application [{application}] cannot be executed inline"
            )
            return
        self._session.execute(application, data)


def hunt_xml(session: Session, argument: str, profile: CallerProfile) -> CallerExtension | None:
    """Return the extension for the profile's destination and context; `argument` names another file to look in."""
    channel = session.channel
    channel.log(
        LogLevel.INFO,
        f"Processing {profile.caller_id_name} <{profile.caller_id_number}>->{profile.destination_number} "
        f"in context {profile.context}",
    )
    dialplan = _section(session, argument, profile)
    context = find_context(dialplan, profile.context) if dialplan is not None else None
    if context is None:
        channel.log(LogLevel.WARNING, f"Context {profile.context} not found")
        return None
    now = datetime.fromtimestamp(session.clock.time() / 1_000_000, local_zone())

    def trace(line: TraceLine) -> None:
        channel.log(line.level, line.text)

    result = hunt(
        context, _Caller(session, profile), now, auto_hunt=channel.is_true("auto_hunt"), on_trace=trace
    )
    if result.extension is None:
        return None
    return CallerExtension(result.extension, profile.destination_number, list(result.applications))


def _section(session: Session, argument: str, profile: CallerProfile) -> etree._Element | None:
    if argument:
        try:
            root = parse_xml(Path(argument).read_text("utf-8", "surrogateescape"))
        except (OSError, XmlTextError) as error:
            session.channel.log(LogLevel.ERR, f"Open of {argument} failed: {error}")
            return None
        return named_child(root, "section", "name", "dialplan")
    params = {
        "Hunt-Context": profile.context,
        "Hunt-Destination-Number": profile.destination_number,
        "Caller-Context": profile.context,
        "Caller-Destination-Number": profile.destination_number,
        "Caller-Caller-ID-Number": profile.caller_id_number,
        "Caller-Caller-ID-Name": profile.caller_id_name,
        "Unique-ID": session.uuid,
        "Channel-Name": session.channel.name,
    }
    return session.switch.xml.section("dialplan", params)


def load(switch: Switch) -> None:
    """Bring the dialplan `XML`."""
    switch.dialplans.add(Dialplan("XML", NAME, hunt_xml))
