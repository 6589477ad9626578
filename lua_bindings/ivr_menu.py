"""freeswitch.IVRMenu: menus that a script builds key by key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.ivr.menu import Menu, MenuAction, execute_menu
from host.log import LogLevel
from host.status import Status
from lua_bindings.leg_call import LegCall

if TYPE_CHECKING:
    from lua_bindings.core_session import CoreSession
    from lua_bindings.script_run import ScriptRun


class IVRMenu:
    """A menu or, with a main menu, one of its sub menus."""

    def __init__(
        self,
        run: ScriptRun,
        main: IVRMenu | None,
        name: str | None,
        greeting_sound: str | None,
        short_greeting_sound: str | None,
        invalid_sound: str | None,
        exit_sound: str | None,
        transfer_sound: str | None,
        confirm_macro: str | None,
        confirm_key: str | None,
        tts_engine: str | None,
        tts_voice: str | None,
        confirm_attempts: int,
        inter_timeout: int,
        digit_len: int,
        timeout: int,
        max_failures: int,
        max_timeouts: int,
    ) -> None:
        self._run = run
        self.menu = Menu(
            name or "no name",
            greet_long=greeting_sound or "",
            greet_short=short_greeting_sound or "",
            invalid_sound=invalid_sound or "",
            exit_sound=exit_sound or "",
            transfer_sound=transfer_sound or "",
            confirm_macro=confirm_macro or "",
            confirm_key=confirm_key or "",
            tts_engine=tts_engine or "",
            tts_voice=tts_voice or "",
            confirm_attempts=confirm_attempts,
            inter_digit_timeout=inter_timeout,
            digit_len=max(0, digit_len),
            timeout=timeout,
            max_failures=max_failures,
            max_timeouts=max_timeouts,
            is_top=main is None,
        )
        # All menus under one main menu, in the order in which they were made.
        self._menus: list[Menu] = [] if main is None else main._menus
        self._menus.append(self.menu)

    def bindAction(self, action: str | None, argument: str | None, keys: str | None) -> None:
        """Bind keys (or `/pattern/`) to an action, whose name may be in any case."""
        try:
            chosen = MenuAction((action or "").lower())
        except ValueError:
            self._run.log(LogLevel.ERR, f"invalid action {action or ''}")
            return
        self._run.log(LogLevel.DEBUG, f"bind {keys or ''} to {action}({argument or ''})")
        self.menu.bind(chosen, argument or "", keys or "")

    def execute(self, session: CoreSession | None, name: str | None) -> None:
        """Run the menu of that name, this one or one made after it under the same main menu, for a session.

        FreeSWITCH: neither input callbacks nor the hangup hook are called by this.
        """
        leg = session.session if session is not None else None
        if leg is None:
            self._run.log(LogLevel.ERR, "Invalid menu context")
            return
        menus = self._menus[self._menus.index(self.menu) :]
        if leg.in_own_thread or leg.thread is None or leg.channel.down:
            execute_menu(leg, menus, name or "")
        else:
            LegCall[Status](leg).run(lambda call: execute_menu(call, menus, name or ""), Status.FALSE)
