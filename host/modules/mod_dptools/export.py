"""Applications that hand variables and profile fields on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.caller_profile import CallerProfile
from host.ivr.uuid_bridge import partner_of
from host.log import LogLevel

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

applications: Final = ApplicationTable("mod_dptools")
application = applications.application


@application(
    "export", "<varname>=<value>", "Export a channel variable across a bridge", routing=True, zombie=True
)
def export(session: Session, data: str) -> None:
    """Set a variable and hand it to the legs called from here; `nolocal:` in front keeps it from this leg."""
    _export(session, data, "export_vars")


@application(
    "bridge_export",
    "<varname>=<value>",
    "Export a channel variable across a bridge",
    routing=True,
    zombie=True,
)
def bridge_export(session: Session, data: str) -> None:
    """Set a variable and hand it to whoever this leg is bridged with, in both directions."""
    _export(session, data, "bridge_export_vars")


def _export(session: Session, data: str, which: str) -> None:
    name, _, value = data.partition("=")
    if not name:
        session.channel.log(LogLevel.ERR, "No variable name specified.")
        return
    channel = session.channel
    channel.log(LogLevel.DEBUG, f"EXPORT ({which}) [{name}]=[{value or 'UNDEF'}]")
    # With its prefix the name is another one, so that this leg does not have the variable itself.
    channel.set_variable(name, value or None)
    if value:
        names = channel.variables.get(which)
        channel.variables.set(which, f"{names},{name}" if names else name)


@application(
    "set_profile_var", "<varname>=<value>", "Set a caller profile variable", routing=True, zombie=True
)
def set_profile_var(session: Session, data: str) -> None:
    """Set a field of the caller profile; a name that is no field changes nothing that can be read."""
    name, _, value = data.partition("=")
    if not name:
        session.channel.log(LogLevel.ERR, "No variable name specified.")
        return
    name = name.lower()
    if name in CallerProfile.FIELDS and name != "transfer_source":
        setattr(session.channel.profile, name, value)


@application("transfer_vars", "<~variable_prefix|variable>", "Transfer variables", zombie=True)
def transfer_vars(session: Session, data: str) -> None:
    """Copy a variable, or with `~` all whose names begin so, to the other leg."""
    other = partner_of(session)
    if not data or other is None:
        session.channel.log(LogLevel.ERR, "Usage: <~variable_prefix|variable>")
        return
    name = data.split(" ", 1)[0]
    variables = session.channel.variables
    if name.startswith("~"):
        copied = [(key, value) for key, value in variables.items() if key.startswith(name[1:])]
    else:
        value = variables.get(name)
        copied = [(name, value)] if value is not None else []
    other.channel.variables.update(copied)


def load(switch: Switch) -> None:
    """Bring these applications."""
    applications.register(switch)
