"""The functions of the table `freeswitch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.log import LogLevel, level_of
from lua_bindings.host_call import ScriptFault

if TYPE_CHECKING:
    from lua_bindings.core_session import CoreSession
    from lua_bindings.script_run import ScriptRun


class Functions:
    """One script's `freeswitch.*` functions, by the names scripts know."""

    def __init__(self, run: ScriptRun) -> None:
        self._run = run
        self.console_log = self.consoleLog
        self.console_log2 = self.consoleLog2
        self.console_clean_log = self.consoleCleanLog

    def setGlobalVariable(self, name: str | None, value: str | None) -> None:
        """Set a global variable; nil or empty text unsets it, `${` becomes `%{`."""
        if name:
            self._run.switch.global_variables.set(name, value.replace("${", "%{") if value else None)

    def getGlobalVariable(self, name: str | None) -> str | None:
        """Return a global variable."""
        return self._run.switch.global_variables.get(name) if name else None

    def consoleLog(self, level: str | None, text: str | None) -> None:
        """Write a log line; an unknown level counts as debug."""
        self._run.switch.log(log_level(level), line_of(text), file="switch_cpp.cpp", function="console_log")

    def consoleLog2(
        self, level: str | None, file: str | None, function: str | None, line: int, text: str | None
    ) -> None:
        """Write a log line that names a place."""
        self._run.switch.log(
            log_level(level), line_of(text), file=file or "", line=line, function=function or ""
        )

    def consoleCleanLog(self, text: str | None) -> None:
        """Write a log line without time and level."""
        self._run.switch.log(LogLevel.DEBUG, line_of(text), clean=True)

    def running(self) -> bool:
        """Return whether the switch runs."""
        return self._run.switch.running

    def msleep(self, ms: int) -> None:
        """Wait for `ms` milliseconds, whatever happens to calls meanwhile."""
        clock = self._run.switch.clock
        if ms > 0:
            waiter = clock.waiter()
            deadline = clock.now() + ms * 1000
            self._run.block_on(waiter, deadline)

    def email(
        self,
        to: str | None,
        sender: str | None,
        headers: str | None = None,
        body: str | None = None,
        file: str | None = None,
        convert_command: str | None = None,
        convert_extension: str | None = None,
    ) -> bool:
        """Send mail through the switch's mailer; False without addresses, with a missing file, or when it fails."""
        from lua_bindings.email import EmailError, send

        if not to or not sender:
            return False
        try:
            send(self._run.switch, to, sender, headers, body, file, convert_command, convert_extension)
        except EmailError as error:
            self._run.log(LogLevel.ERR, f"Unable to send email: {error}")
            return False
        return True

    def bridge(self, first: CoreSession, second: CoreSession) -> None:
        """Connect two legs until one hangs up."""
        first.bridge_with(second)

    def hanguphook(self, session: object) -> None:
        """Refuse: scripts have no session of C to pass (FreeSWITCH: meant for its own use)."""
        raise ScriptFault("hanguphook called with null session, something is horribly wrong")

    def dtmf_callback(self, *values: object) -> None:
        """Refuse, like `hanguphook`."""
        raise ScriptFault("dtmf_callback called with null session, something is horribly wrong")


def log_level(name: str | None) -> LogLevel:
    """Return the log level of a name or number as scripts give it; DEBUG for nil and unknown names."""
    level = level_of(name) if name is not None else None
    return LogLevel.DEBUG if level is None else level


def line_of(text: str | None) -> str:
    """Return a script's log text without its final newline."""
    text = text or ""
    return text.removesuffix("\n")
