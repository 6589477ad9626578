"""freeswitch.IVRMenu: menus that a script builds key by key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.log import LogLevel
from lua_bindings.host_call import ScriptFault

if TYPE_CHECKING:
    from lua_bindings.core_session import CoreSession
    from lua_bindings.script_run import ScriptRun

ACTIONS: Final = frozenset(
    {"menu-exit", "menu-sub", "menu-exec-app", "menu-play-sound", "menu-back", "menu-top"}
)


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
        self.main = main
        self.name = name or "no name"
        self.greeting_sound = greeting_sound
        self.short_greeting_sound = short_greeting_sound
        self.invalid_sound = invalid_sound
        self.exit_sound = exit_sound
        self.transfer_sound = transfer_sound
        self.confirm_macro = confirm_macro
        self.confirm_key = confirm_key
        self.tts_engine = tts_engine
        self.tts_voice = tts_voice
        self.confirm_attempts = confirm_attempts
        self.inter_timeout = inter_timeout
        self.digit_len = digit_len
        self.timeout = timeout
        self.max_failures = max_failures
        self.max_timeouts = max_timeouts
        self.bindings: list[tuple[str, str, str]] = []
        self.sub_menus: list[IVRMenu] = []
        if main is not None:
            main.top.sub_menus.append(self)

    @property
    def top(self) -> IVRMenu:
        """The main menu of all."""
        return self if self.main is None else self.main.top

    def bindAction(self, action: str | None, argument: str | None, keys: str | None) -> None:
        """Bind keys (or `/pattern/`) to an action."""
        if action not in ACTIONS:
            self._run.log(LogLevel.ERR, f"invalid action {action or ''}")
            return
        self._run.log(LogLevel.DEBUG, f"bind {keys or ''} to {action}({argument or ''})")
        self.bindings.append((keys or "", action, argument or ""))

    def execute(self, session: CoreSession | None, name: str | None) -> None:
        """Run the menu of that name for a session."""
        if session is None or session.session is None:
            self._run.log(LogLevel.ERR, "session is not initalized")
            return
        raise ScriptFault("Error in IVRMenu::execute: menus made by scripts cannot be run")
