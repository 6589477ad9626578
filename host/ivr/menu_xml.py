"""IVR menus of the configuration (`ivr.conf`): from its element `menus` to menus that can be run."""

from __future__ import annotations

from typing import Final

from lxml import etree

from host.ivr.menu import Menu, MenuAction
from host.leading_number import leading_int
from host.xml_text import named_child

# FreeSWITCH's prompts for a menu with a PIN that names none.
_PIN_FILE: Final = "ivr/ivr-please_enter_pin_followed_by_pound.wav"
_BAD_PIN_FILE: Final = "conference/conf-bad-pin.wav"


class MenuXmlError(ValueError):
    """A menu that is not there, or has an entry that cannot be used."""


def read_menus(menus: etree._Element, name: str) -> list[Menu]:
    """Return the menu `name` (in any case) and then every sub menu that can be reached from it.

    A sub menu that is not there is found out about when it is chosen. Raises MenuXmlError.
    """
    first = named_child(menus, "menu", "name", name)
    if first is None:
        raise MenuXmlError("Unable to find menu")
    read: dict[str, Menu] = {}
    left = [first]
    while left:
        element = left.pop(0)
        own_name = element.get("name", "")
        if own_name in read:
            continue
        menu = read[own_name] = _menu(element, is_top=element is first)
        for entry in menu.entries:
            if entry.action is MenuAction.SUB and entry.argument not in read:
                sub = named_child(menus, "menu", "name", entry.argument)
                if sub is not None:
                    left.append(sub)
    return list(read.values())


def _menu(element: etree._Element, *, is_top: bool) -> Menu:
    def number(attribute: str) -> int:
        return leading_int(element.get(attribute, ""))

    pin = element.get("pin", "")
    menu = Menu(
        element.get("name", ""),
        greet_long=element.get("greet-long", ""),
        greet_short=element.get("greet-short", ""),
        invalid_sound=element.get("invalid-sound", ""),
        exit_sound=element.get("exit-sound", ""),
        transfer_sound=element.get("transfer-sound", ""),
        confirm_macro=element.get("confirm-macro", ""),
        confirm_key=element.get("confirm-key", ""),
        tts_engine=element.get("tts-engine", ""),
        tts_voice=element.get("tts-voice", ""),
        confirm_attempts=number("confirm-attempts"),
        inter_digit_timeout=number("inter-digit-timeout"),
        digit_len=max(0, number("digit-len")),
        timeout=number("timeout"),
        max_failures=number("max-failures"),
        max_timeouts=number("max-timeouts" if element.get("max-timeouts") else "max-failures"),
        exec_on_max_failures=element.get("exec-on-max-failures", ""),
        exec_on_max_timeouts=element.get("exec-on-max-timeouts", ""),
        pin=pin,
        pin_file=element.get("pin-file") or _PIN_FILE,
        bad_pin_file=element.get("bad-pin-file") or _BAD_PIN_FILE,
        is_top=is_top,
    )
    for entry in element.iterchildren("entry"):
        action, keys = entry.get("action", ""), entry.get("digits")
        try:
            chosen = MenuAction(action)
        except ValueError:
            raise MenuXmlError(f"Invalid Action [{action}]") from None
        if not keys:
            raise MenuXmlError(f"menu '{menu.name}': an entry {action} has no digits")
        menu.bind(chosen, entry.get("param", ""), keys)
    return menu
