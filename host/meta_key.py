"""A meta key: after it, one more key runs what is bound to it (FreeSWITCH: `bind_meta_app`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

# FreeSWITCH: the key that follows the meta key has to come within so many seconds.
PATIENCE_US: Final = 5_000_000


@dataclass(frozen=True, slots=True)
class MetaBinding:
    """What a key runs: `application` as for `uuid_broadcast`, on which `leg` (a, b, o, s), once or always."""

    application: str
    leg: str = "a"
    once: bool = False


@dataclass(slots=True)
class MetaKeys:
    """The keys that one leg of a call presses, and what is bound to them."""

    meta: str = "*"
    bindings: dict[str, MetaBinding] = field(default_factory=dict)
    _waiting: bool = False
    _last: int = 0

    def feed(self, digit: str, now: int) -> tuple[bool, MetaBinding | None]:
        """Take a digit at `now` (µs); return whether it is swallowed, and what it is to run.

        The meta key twice is the key itself. A key that nothing is bound to is swallowed behind the meta key.
        """
        if self._waiting and now - self._last > PATIENCE_US:
            self._waiting = False
            return False, None
        self._last = now
        if digit == self.meta:
            self._waiting = not self._waiting
            return self._waiting, None
        if not self._waiting:
            return False, None
        self._waiting = False
        binding = self.bindings.get(digit)
        if binding is not None and binding.once:
            del self.bindings[digit]
        return True, binding
