"""The application that runs a menu of the configuration `ivr.conf`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.channel_event import channel_event
from host.ivr.menu import execute_menu
from host.ivr.menu_xml import MenuXmlError, read_menus
from host.log import LogLevel

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

CONFIGURATION: Final = "ivr.conf"


def load(switch: Switch) -> None:
    """Register the application."""
    _applications.register(switch)


@_application("ivr", "<menu_name>", "Run an ivr menu", media=True)
def ivr(session: Session, data: str) -> None:
    """Run the menu of that name; who answers for the configuration is told the name and the call."""
    channel = session.channel
    asked = channel_event(channel, "REQUEST_PARAMS")
    asked.add_header("Menu-Name", data)
    params = {name: asked.get_header(name) or "" for name, _ in asked.headers}
    configuration = session.switch.xml.configuration(CONFIGURATION, params)
    if configuration is None:
        channel.log(LogLevel.ERR, f"Open of {CONFIGURATION} failed")
        return
    menus = configuration.find("menus")
    if menus is None:
        channel.log(LogLevel.ERR, "No menus configured")
        return
    try:
        read = read_menus(menus, data)
    except MenuXmlError as error:
        channel.log(LogLevel.ERR, str(error))
        return
    execute_menu(session, read, data)
