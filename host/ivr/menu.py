"""IVR menus: what a menu is, and the loop that runs one on a session (FreeSWITCH: switch_ivr_menu_execute)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from host.channel_event import add_channel_headers
from host.ivr.digits import collect_digits_count, play_and_get_digits
from host.ivr.input_args import InputArgs
from host.ivr.phrase import phrase_macro
from host.ivr.play import play_file
from host.log import LogLevel
from host.regex import RegexError, search
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session

# FreeSWITCH's: what a menu does when nothing says otherwise.
DEFAULT_TIMEOUT_MS: Final = 10_000
DEFAULT_ATTEMPTS: Final = 3
DEFAULT_TERMINATORS: Final = "#"
# FreeSWITCH: so many menus may be open within each other; more are a loop of sub menus.
DEPTH_LIMIT: Final = 12

_PIN_TRIES: Final = 3
_PIN_TIMEOUT_MS: Final = 3000
_PIN_DIGIT_TIMEOUT_MS: Final = 10_000


class MenuAction(Enum):
    """What an entry does; the values are its names in scripts and in the configuration."""

    EXIT = "menu-exit"
    SUB = "menu-sub"
    EXEC_APP = "menu-exec-app"
    PLAY_SOUND = "menu-play-sound"
    BACK = "menu-back"
    TOP = "menu-top"


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """An action, its argument, and the keys for it: all of an entry, or a pattern when they begin with `/`."""

    action: MenuAction
    keys: str
    argument: str = ""

    def argument_for(self, digits: str) -> str | None:
        """Return the argument for these digits, `$N` of a pattern replaced; None when they are not the entry's.

        Raises RegexError for a pattern that PCRE refuses.
        """
        if not self.keys.startswith("/"):
            return self.argument if digits == self.keys else None
        match = search(digits, self.keys)
        return None if match is None else match.substitute(self.argument)


@dataclass(eq=False, slots=True)
class Menu:
    """A menu. Texts are empty and numbers 0 where nothing is said; numbers then get FreeSWITCH's defaults.

    `timeout` (for an entry) and `inter_digit_timeout` (after a key; half of `timeout`) are in ms. `digit_len` is how
    many keys an entry may have; longer keys of an entry raise it. `is_top`: `menu-top` of sub menus comes back here.
    """

    name: str
    greet_long: str = ""
    greet_short: str = ""
    invalid_sound: str = ""
    exit_sound: str = ""
    transfer_sound: str = ""
    confirm_macro: str = ""
    confirm_key: str = ""
    tts_engine: str = ""
    tts_voice: str = ""
    confirm_attempts: int = 0
    inter_digit_timeout: int = 0
    digit_len: int = 0
    timeout: int = 0
    max_failures: int = 0
    max_timeouts: int = 0
    exec_on_max_failures: str = ""
    exec_on_max_timeouts: str = ""
    pin: str = ""
    pin_file: str = ""
    bad_pin_file: str = ""
    is_top: bool = True
    entries: list[MenuEntry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.confirm_attempts = self.confirm_attempts or DEFAULT_ATTEMPTS
        self.inter_digit_timeout = self.inter_digit_timeout or self.timeout // 2
        if self.timeout <= 0:
            self.timeout = DEFAULT_TIMEOUT_MS
        if self.max_failures <= 0:
            self.max_failures = DEFAULT_ATTEMPTS
        if self.max_timeouts <= 0:
            self.max_timeouts = DEFAULT_ATTEMPTS

    def bind(self, action: MenuAction, argument: str, keys: str) -> None:
        """Add an entry; several for the same keys are done one after another."""
        self.entries.append(MenuEntry(action, keys, argument))
        if not keys.startswith("/"):
            self.digit_len = max(self.digit_len, len(keys))


def execute_menu(session: Session, menus: Sequence[Menu], name: str) -> Status:
    """Run the menu `name` until it is left, and its sub menus, which are among `menus`, too.

    Sets `ivr_menu_status` (success, failure, timeout); `ivr_menu_terminator` are the keys that end an entry (`#`).
    Fires CUSTOM menu::enter and menu::exit. FALSE when there is no such menu, its PIN was not given, or `menu-exit`
    ended it and there is no exit sound; else how the last action or the exit sound went.
    """
    return _Run(session, menus).execute(name)


class _Run:
    def __init__(self, session: Session, menus: Sequence[Menu]) -> None:
        self.session = session
        self.channel = session.channel
        self.menus = menus
        self.depth = 0
        self.to_top = False

    def execute(self, name: str) -> Status:
        menu = next((menu for menu in self.menus if menu.name == name), None)
        if self.depth >= DEPTH_LIMIT:
            self.channel.log(LogLevel.ERR, "Too many levels of recursion.")
            return Status.FALSE
        if not name or menu is None:
            self.channel.log(LogLevel.ERR, "Invalid Menu!" if name else "Invalid menu context")
            return Status.FALSE
        self._set_voice(menu)
        self.channel.log(LogLevel.DEBUG, f"Executing IVR menu {name}")
        self.channel.set_variable("ivr_menu_status", "success")
        self._tell("menu::enter", menu)
        self.depth += 1
        try:
            status = self._enter(menu)
        finally:
            self.depth -= 1
        self._tell("menu::exit", menu)
        return status

    def _enter(self, menu: Menu) -> Status:
        if menu.pin and not self._ask_pin(menu):
            return Status.FALSE
        status = self._loop(menu)
        if self.depth == 1 and menu.exit_sound:
            return self._play(menu.exit_sound)
        return status

    def _ask_pin(self, menu: Menu) -> bool:
        length = len(menu.pin)
        _, status = play_and_get_digits(
            self.session,
            length,
            length,
            _PIN_TRIES,
            _PIN_TIMEOUT_MS,
            DEFAULT_TERMINATORS,
            menu.pin_file,
            menu.bad_pin_file,
            regexp=f"^{menu.pin}$",
            digit_timeout_ms=_PIN_DIGIT_TIMEOUT_MS,
        )
        return status is Status.SUCCESS

    def _loop(self, menu: Menu) -> Status:
        status = Status.SUCCESS
        failures = timeouts = 0
        long, running = True, True
        while running and status is Status.SUCCESS and self.channel.ready:
            if failures == menu.max_failures:
                self._give_up("failure", menu.exec_on_max_failures)
                break
            if timeouts == menu.max_timeouts:
                self._give_up("timeout", menu.exec_on_max_timeouts)
                break
            digits, asked = self._ask(menu, (not long and menu.greet_short) or menu.greet_long)
            long = False
            if not digits and asked is Status.TIMEOUT:
                timeouts += 1
                continue
            matched = False
            if digits:
                self._set_voice(menu)  # only now: the greeting after a sub menu is still spoken in its voice
            for entry in menu.entries if digits else ():
                argument = self._argument(entry, digits)
                if argument is None:
                    continue
                matched = True
                failures = 0
                self.channel.log(
                    LogLevel.DEBUG,
                    f"IVR action on menu '{menu.name}' matched '{digits}' param '{argument}'",
                )
                status = self._do(menu, entry.action, argument)
                running = running and entry.action is not MenuAction.BACK
                long = long or (entry.action is MenuAction.SUB and argument != menu.name)
            if menu.is_top and self.to_top:
                self.to_top = False
                status, running = Status.SUCCESS, True
            elif not matched:
                self._reject(menu, digits)
                failures += 1
        return status

    def _give_up(self, result: str, command: str) -> None:
        self.channel.log(LogLevel.DEBUG, f"Maximum {result}s")
        self.channel.set_variable("ivr_menu_status", result)
        if command:
            application, _, data = command.partition(" ")
            self.session.execute(application, data)

    def _argument(self, entry: MenuEntry, digits: str) -> str | None:
        try:
            return entry.argument_for(digits)
        except RegexError as error:
            self.channel.log(LogLevel.ERR, str(error))
            return None

    def _reject(self, menu: Menu, digits: str) -> None:
        if not digits:
            self.channel.log(LogLevel.DEBUG, f"IVR menu '{menu.name}' no input detected")
            return
        self.channel.log(LogLevel.DEBUG, f"IVR menu '{menu.name}' caught invalid input '{digits}'")
        if menu.invalid_sound:
            self._play(menu.invalid_sound)

    # -- what an entry does --------------------------------------------------------------------------------------

    def _do(self, menu: Menu, action: MenuAction, argument: str) -> Status:
        """Do an action; anything but SUCCESS ends the menu."""
        match action:
            case MenuAction.EXIT:
                return Status.FALSE
            case MenuAction.BACK:
                return Status.SUCCESS
            case MenuAction.TOP:
                self.to_top = True
                return Status.BREAK
            case MenuAction.PLAY_SOUND:
                return play_file(self.session, argument)
            case MenuAction.SUB:
                if argument == menu.name:
                    return Status.SUCCESS
                self._tell("menu::exit", menu)
                status = self.execute(argument)
                self._tell("menu::enter", menu)
                return status
            case MenuAction.EXEC_APP:
                return self._execute(menu, argument)

    def _execute(self, menu: Menu, command: str) -> Status:
        """Run an application. FreeSWITCH: one that does not exist ends the menu, and does not hang up."""
        application, _, data = command.partition(" ")
        if self.session.switch.applications.get(application) is None:
            return Status.FALSE
        if menu.transfer_sound and application == "transfer":
            self._play(menu.transfer_sound)
        self.session.execute(application, data)
        return Status.SUCCESS

    # -- keys and sounds -----------------------------------------------------------------------------------------

    def _terminators(self) -> str:
        return self.channel.get_variable("ivr_menu_terminator") or DEFAULT_TERMINATORS

    def _ask(self, menu: Menu, greeting: str) -> tuple[str, Status]:
        """Play the greeting until the first key and collect the others; return them and how it ended.

        FreeSWITCH: the key that ends the greeting belongs to the entry even when it is a terminator; with no greeting
        at all nothing is collected, which fails.
        """
        if not greeting:
            return "", Status.FALSE
        if not menu.digit_len:
            return "", self._play(greeting)
        args = InputArgs(buffer_size=1, asks=True)
        status = play_file(self.session, self.session.expand(greeting), args=args)
        digits = args.digits[:1]
        if len(digits) < menu.digit_len:
            more, _, status = collect_digits_count(
                self.session,
                menu.digit_len - len(digits),
                self._terminators(),
                menu.inter_digit_timeout if digits else menu.timeout,
                menu.inter_digit_timeout,
                menu.timeout,
            )
            digits += more
        # FreeSWITCH does not ask about an entry that a timeout or the end of the greeting completed.
        if menu.confirm_macro and digits and status is Status.SUCCESS and not self._confirmed(menu, digits):
            digits = ""
        return digits, status

    def _confirmed(self, menu: Menu, digits: str) -> bool:
        """Say the digits with `confirm_macro` until a key is pressed; return whether it is `confirm_key`.

        FreeSWITCH: without a key for it nothing is ever confirmed.
        """
        for _ in range(menu.confirm_attempts):
            args = InputArgs(buffer_size=1) if menu.confirm_key else None
            phrase_macro(self.session, menu.confirm_macro, digits, args=args)
            if args is None:
                continue
            key = args.digits
            if not key:
                key, _, _ = collect_digits_count(self.session, 1, self._terminators(), menu.timeout)
            if key:
                return key[0] == menu.confirm_key[0]
        return False

    def _play(self, sound: str) -> Status:
        """Play a sound that any key breaks off; the key is lost (FreeSWITCH)."""
        return play_file(self.session, self.session.expand(sound), args=InputArgs(buffer_size=1))

    def _set_voice(self, menu: Menu) -> None:
        if menu.tts_engine and menu.tts_voice:
            self.channel.set_variable("tts_engine", menu.tts_engine)
            self.channel.set_variable("tts_voice", menu.tts_voice)

    def _tell(self, subclass: str, menu: Menu) -> None:
        switch = self.session.switch
        if switch.bus.wants("CUSTOM"):
            event = switch.new_event("CUSTOM", subclass)
            event.add_header("Menu-Name", menu.name)
            add_channel_headers(event, self.channel)
            switch.fire(event)
