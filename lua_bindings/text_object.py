"""freeswitch.string: a C++ string, which SWIG shows to scripts though nothing of mod_lua takes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.byte_text import byte_length
from lua_bindings.host_call import ScriptFault

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun


class Text:
    """A text that can be changed in place; made of nil it is empty (FreeSWITCH crashes)."""

    def __init__(self, run: ScriptRun, text: str | None = "") -> None:
        self._text = text or ""

    def assign(self, text: str | None) -> None:
        """Set the text. Raises ScriptFault for nil (FreeSWITCH crashes)."""
        if text is None:
            raise ScriptFault("Error in std::string::assign (arg 2), expected 'char const *' got 'nil'")
        self._text = text

    def size(self) -> int:
        """Return how many bytes the text has."""
        return byte_length(self._text)

    length = size

    def empty(self) -> bool:
        """Return whether the text is empty."""
        return not self._text

    def c_str(self) -> str:
        """Return the text."""
        return self._text

    data = c_str
