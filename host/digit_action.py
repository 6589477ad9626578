"""Keys that mean something while they are pressed: a machine that compares them with bindings.

FreeSWITCH: the digit machine behind `bind_digit_action` (switch_ivr_dmachine).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from host.regex import RegexError, search, substitute

A = TypeVar("A")

# FreeSWITCH keeps so many digits for a pattern; a literal binding can only be as long as itself.
LONGEST: Final = 127


@dataclass(frozen=True, slots=True)
class Matched(Generic[A]):
    """Digits that a binding fits; with a replacement (`~regex~~text`) `digits` are what it made of them."""

    digits: str
    action: A


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Digits that no binding fits: they go on as if nothing had looked at them."""

    digits: str


@dataclass(slots=True)
class _Binding(Generic[A]):
    text: str  # as it was bound
    digits: str
    action: A
    is_pattern: bool = False
    replacement: str | None = None
    first: bool = False
    priority: bool = False
    made: str | None = None  # what a pattern made of the present digits, None when it does not fit

    def look(self, digits: str) -> None:
        """Compare a pattern with the digits."""
        self.made = None
        try:
            match = search(digits, self.digits)
        except RegexError:
            return
        if match:
            self.made = digits if self.replacement is None else substitute(self.replacement, match.groups)


class DigitMachine(Generic[A]):
    """Bindings in realms, one of which is active, and the digits since the last decision.

    A digit goes in with `feed`, a pause that was too long with `time_out`; both return what was decided, or None
    while more digits could come. The one who owns the machine measures `digit_timeout_ms` from digit to digit.
    """

    def __init__(self, digit_timeout_ms: int = 1500, terminators: str = "") -> None:
        self.digit_timeout_ms = digit_timeout_ms
        self.terminators = terminators
        self.digits = ""
        self._realms: dict[str, list[_Binding[A]]] = {}
        self._realm: str | None = None
        self._longest = 0

    def bind(self, realm: str, digits: str, action: A, *, priority: bool = False) -> bool:
        """Add a binding and make its realm the active one; False when the digits are too long.

        `=` in front takes the first match without waiting for longer ones, `~` makes it a pattern, with
        `~pattern~~text` a replacement. The same digits again change the action.
        """
        if len(digits) >= LONGEST:
            return False
        realm = realm or "default"
        bindings = self._realms.setdefault(realm, [])
        for known in bindings:
            if known.text == digits:
                known.action = action
                return True
        text = digits
        first = text.startswith("=")
        text = text[1:] if first else text
        binding = _Binding(digits, text, action, first=first, priority=priority)
        if text.startswith("~"):
            binding.is_pattern = True
            pattern, separator, replacement = text[1:].partition("~~")
            binding.digits = pattern
            binding.replacement = replacement if separator else None
        bindings.append(binding)
        self._realm = realm
        self._longest = LONGEST if binding.is_pattern else max(self._longest, len(digits))
        return True

    def set_realm(self, realm: str) -> bool:
        """Make a realm the active one; False when nothing was bound in it."""
        if realm not in self._realms:
            return False
        self._realm = realm
        return True

    def clear_realm(self, realm: str) -> bool:
        """Forget a realm's bindings; False when there are none."""
        if self._realms.pop(realm, None) is None:
            return False
        if self._realm == realm:
            self._realm = None
        return True

    def feed(self, digit: str) -> Matched[A] | Unmatched | None:
        """Take one digit."""
        self.digits += digit
        return self._decide(timed_out=False)

    def time_out(self) -> Matched[A] | Unmatched | None:
        """Decide now, for no further digit came in time."""
        return self._decide(timed_out=True) if self.digits else None

    def _decide(self, *, timed_out: bool) -> Matched[A] | Unmatched | None:
        bindings = self._realms.get(self._realm or "", [])
        for sign in self.terminators:
            place = self.digits.rfind(sign)
            if place >= 0:
                self.digits = self.digits[:place]
                timed_out = True
                break
        possible, found = self._compare(bindings, timed_out)
        digits = self.digits
        if found is not None:
            self.digits = ""
            made = found.made if found.is_pattern and found.made is not None else digits
            return Matched(made, found.action)
        if timed_out or not possible or len(digits) >= self._longest:
            self.digits = ""
            return Unmatched(digits)
        return None

    def _compare(self, bindings: list[_Binding[A]], timed_out: bool) -> tuple[bool, _Binding[A] | None]:
        """Return whether more digits may help, and the binding that fits now."""
        digits = self.digits
        patterns = [binding for binding in bindings if binding.is_pattern]
        for binding in patterns:
            binding.look(digits)
        literal = any(not b.is_pattern and b.digits == digits for b in bindings)
        exact: _Binding[A] | None = None
        longer = False
        for binding in bindings:
            if binding.is_pattern:
                alone = len(bindings) == 1
                takes = binding.first or (binding.priority and not literal) or timed_out or alone
                if binding.made is not None and takes:
                    return True, binding
                continue
            if not binding.digits.startswith(digits):
                continue
            if binding.digits != digits:
                longer = True
            elif exact is None and (binding.first or not patterns or binding.priority or timed_out):
                exact = binding
                if binding.first or binding.priority or len(digits) == self._longest:
                    return True, exact
        if exact is not None and (timed_out or not longer):
            return True, exact
        possible = bool(patterns) or longer or literal
        return possible, None
