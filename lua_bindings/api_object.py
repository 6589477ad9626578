"""freeswitch.API: API commands for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.log import LogLevel

if TYPE_CHECKING:
    from host.session import Session
    from lua_bindings.core_session import CoreSession
    from lua_bindings.script_run import ScriptRun

# FreeSWITCH's microsecond clock is a timer of 20 ms unless it was told otherwise; scripts compare its answers.
_TIME_STEP_MS: Final = 20


class API:
    """Runs API commands, those of a session's channel when made with one."""

    def __init__(self, run: ScriptRun, session: CoreSession | None = None) -> None:
        self._run = run
        self._session: Session | None = session.session if session is not None else None

    def execute(self, command: str | None, data: str | None = None) -> str:
        """Run a command and return its reply."""
        if not command:
            self._run.log(LogLevel.ERR, "No application specified")
            return "-ERR No application specified"
        switch = self._run.switch
        command = command.strip(" \t\r\n")
        if switch.api_commands.get(command) is None:
            self._run.log(LogLevel.ERR, f"Invalid API call {command}")
            return "INVALID COMMAND!\n"
        return switch.api(command, data or "", self._session)

    def executeString(self, text: str | None) -> str:
        """Run a command with its data behind the first blank."""
        command, _, data = (text or "").partition(" ")
        if text and not command:
            return "INVALID COMMAND!\n"
        return self.execute(command, data)

    def getTime(self) -> str:
        """Return the milliseconds since 1970, in steps of 20."""
        now = self._run.switch.clock.time() // 1000
        return str(now - now % _TIME_STEP_MS)
