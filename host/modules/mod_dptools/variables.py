"""Applications that set variables: the channel's, global ones, arrays, those of a directory user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.arguments import separate
from host.log import LogLevel
from host.regex import RegexError, search
from host.xml_directory import DirectoryUser

if TYPE_CHECKING:
    from collections.abc import Callable

    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

# FreeSWITCH splits the data of multiset and multiunset into so many parts at most.
_MULTIPLE_LIMIT: Final = 256


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


@_application("set", "", "Set a channel variable", routing=True, zombie=True)
def set_variable(session: Session, data: str) -> None:
    """Set `name=value`, both taken as they are, blanks included; no value unsets."""
    name, equals, value = data.partition("=")
    if not name:
        session.channel.log(LogLevel.ERR, "No variable name specified.")
        return
    session.channel.log(LogLevel.DEBUG, f"SET {session.channel.name} [{name}]=[{value or 'UNDEF'}]")
    session.channel.set_variable(name, value if equals else None)


@_application("unset", "", "Unset a channel variable", routing=True, zombie=True)
def unset_variable(session: Session, data: str) -> None:
    """Unset the variable of that name."""
    if not data:
        session.channel.log(LogLevel.ERR, "No variable name specified.")
        return
    session.channel.log(LogLevel.DEBUG, f"UNSET [{data}]")
    session.channel.set_variable(data, None)


@_application(
    "multiset", "[^^<delim>]<varname>=<value> <var2>=<val2>", "Set many channel variables", routing=True, zombie=True
)  # fmt: skip
def set_several(session: Session, data: str) -> None:
    """Set several `name=value`, with blanks between them or what `^^X` says."""
    _each(session, data, set_variable)


@_application(
    "multiunset", "[^^<delim>]<varname> <var2> <var3>", "Unset many channel variables", routing=True, zombie=True
)  # fmt: skip
def unset_several(session: Session, data: str) -> None:
    """Unset several variables."""
    _each(session, data, unset_variable)


def _each(session: Session, data: str, run: Callable[[Session, str], object]) -> None:
    if not data:
        run(session, "")
        return
    delimiter = " "
    if data.startswith("^^") and len(data) > 2:
        delimiter, data = data[2], data[3:]
    for part in separate(data, delimiter, _MULTIPLE_LIMIT):
        run(session, part)


@_application("push", "<varname>=<value>", "Set a channel variable", routing=True, zombie=True)
def push(session: Session, data: str) -> None:
    """Add an element at the end of an array."""
    name, equals, value = data.partition("=")
    if name and equals:
        session.channel.variables.push(name, value)


@_application("unshift", "<varname>=<value>", "Set a channel variable", routing=True, zombie=True)
def unshift(session: Session, data: str) -> None:
    """Add an element at the beginning of an array."""
    name, equals, value = data.partition("=")
    if name and equals:
        session.channel.variables.unshift(name, value)


@_application("set_global", "<varname>=<value>", "Set a global variable", routing=True, zombie=True)
def set_global(session: Session, data: str) -> None:
    """Set a global variable, or unset it without a value; FreeSWITCH stores `${` as `%{`."""
    name, _, value = data.partition("=")
    if not name:
        session.channel.log(LogLevel.ERR, "No variable name specified.")
        return
    session.switch.global_variables.set(name, value.replace("${", "%{") or None)


@_application("set_name", "<name>", "Name the channel", routing=True, zombie=True)
def set_name(session: Session, data: str) -> None:
    """Give the channel another name."""
    if not data:
        session.channel.log(LogLevel.ERR, "No name specified.")
        return
    channel = session.channel
    channel.name = data  # FreeSWITCH: its caller profile keeps the former one
    channel.variables.set("channel_name", data)


@_application("set_user", "<user>@<domain> [prefix]", "Set a User", routing=True, zombie=True)
def set_user(session: Session, data: str) -> None:
    """Set the variables of a directory user on the channel, their names after the prefix."""
    words = data.split()
    user, at, domain = (words[0] if words else "").partition("@")
    prefix = words[1] if len(words) > 1 else ""
    channel = session.channel
    if not at:
        domain = channel.get_variable("domain") or session.switch.global_variables.get("domain") or ""
    found: DirectoryUser | None = session.switch.xml.directory.user(user, domain) if user and domain else None
    if found is None:
        channel.log(LogLevel.ERR, f"can't find user [{user}@{domain}]")
        return
    for name, value in found.variables():
        channel.set_variable(f"{prefix}{name}", value)
    channel.set_variable(f"{prefix}user_name", user)
    channel.set_variable(f"{prefix}domain_name", domain)


@_application("set_zombie_exec", "", "Enable Zombie Execution", routing=True, zombie=True)
def set_zombie_exec(session: Session, data: str) -> None:
    """Let all applications run after the hangup, too."""
    session.channel.private["zombie_exec"] = True


@_application("capture", "<varname>|<data>|<regex>", "capture data into a var", routing=True, zombie=True)
def capture(session: Session, data: str) -> None:
    """Keep what a pattern's groups match in a text, as an array variable."""
    parts = data.split("|", 2)
    if len(parts) < 3:
        session.channel.log(LogLevel.ERR, "Invalid Args")
        return
    name, text, pattern = parts
    try:
        match = search(text, pattern)
    except RegexError as error:
        session.channel.log(LogLevel.ERR, str(error))
        return
    if match is None:
        return
    session.channel.variables.unset(name)
    for value in match.captures():
        session.channel.variables.push(name, value)
