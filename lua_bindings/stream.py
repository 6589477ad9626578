"""freeswitch.Stream: what a script writes for whoever ran it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lua_bindings.host_call import ScriptFault, to_bytes

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun


class Stream:
    """Bytes written so far. `body` is a request's body, which `read` hands out once (FreeSWITCH: httapi, xmlrpc)."""

    def __init__(
        self, run: ScriptRun | None = None, handle: object = None, *, body: bytes | None = None
    ) -> None:
        self._parts: list[bytes] = []
        self._body = body

    @property
    def data(self) -> bytes:
        """All that was written."""
        if len(self._parts) > 1:
            self._parts = [b"".join(self._parts)]
        return self._parts[0] if self._parts else b""

    def read(self) -> tuple[bytes | None, int]:
        """Return the request's body and its length; None and 0 when there is none (left)."""
        body, self._body = self._body, None
        return (body, len(body)) if body else (None, 0)

    def write(self, data: str | None) -> None:
        """Add text; nil adds nothing."""
        if data:
            self._parts.append(to_bytes(data))

    def raw_write(self, data: str | None, length: int) -> None:
        """Add the first `length` bytes of `data`; more than it has, or fewer than none, is an error."""
        written = to_bytes(data or "")
        if length < 0:
            raise ScriptFault("number must not be negative")
        self._parts.append(written[:length])

    def get_data(self) -> bytes:
        """Return what was written, up to its first NUL."""
        data = self.data
        end = data.find(b"\0")
        return data if end < 0 else data[:end]
