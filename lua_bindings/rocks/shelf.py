"""Which rocks there are: for each name that scripts `require`, its Lua text and the host's functions it stands on."""

from __future__ import annotations

import importlib
import importlib.resources
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun

# The Lua text that stands between the rocks and the host's functions.
BORDER: Final = "border"

# A chunk of this name counts as the host's: its upvalues are out of a script's reach, and it is not interrupted.
_HOST_CHUNK: Final = b"=[C]"


@dataclass(frozen=True, slots=True)
class Rock:
    """A rock: the name of its Lua file, and the module whose `functions(run)` make what the host adds.

    One that is Lua alone shows in tracebacks by its name and can be stopped like a script. One that `yields` has a name
    that many modules have: a file of a script's own comes first, but for those where rocks are installed.
    """

    file: str
    host: str | None = None
    yields: bool = False

    @property
    def chunk(self) -> bytes:
        """The name of its chunk."""
        return b"=" + self.file.encode() if self.host is None else _HOST_CHUNK


ROCKS: Final[dict[str, Rock]] = {
    "ESL": Rock("esl"),
    "cjson": Rock("cjson"),
    "cjson.safe": Rock("cjson_safe"),
    "dkjson": Rock("dkjson"),
    "inspect": Rock("inspect"),
    "json": Rock("json", yields=True),
    "lfs": Rock("lfs", "file_system"),
    "ltn12": Rock("ltn12"),
    "luasql.mysql": Rock("luasql", "luasql"),
    "luasql.odbc": Rock("luasql", "luasql"),
    "luasql.postgres": Rock("luasql", "luasql"),
    "luasql.sqlite3": Rock("luasql", "luasql"),
    "md5": Rock("md5", "digest"),
    "mime": Rock("mime", "transfer_encoding"),
    "mime.core": Rock("mime", "transfer_encoding"),
    "redis": Rock("redis"),
    "rex_pcre": Rock("rex_pcre", "regular_expression"),
    "sha1": Rock("sha1", "digest"),
    "socket": Rock("socket", "sockets"),
    "socket.core": Rock("socket", "sockets"),
    "socket.http": Rock("socket_http"),
    "socket.smtp": Rock("socket_smtp"),
    "socket.url": Rock("socket_url"),
    "ssl": Rock("ssl", "tls"),
    "ssl.https": Rock("ssl_https"),
    "uuid": Rock("uuid", "identifier"),
}


@cache
def rock_text(name: str) -> bytes:
    """Return the Lua text of a rock or of the border."""
    file = BORDER if name == BORDER else ROCKS[name].file
    return importlib.resources.files("lua_bindings.rocks").joinpath(f"{file}.lua").read_bytes()


def rock_functions(run: ScriptRun, name: str) -> Mapping[str, Callable[..., object]] | None:
    """Return the host's functions of a rock for one script, none for one that is Lua alone; None: no such rock."""
    rock = ROCKS.get(name)
    if rock is None:
        return None
    if rock.host is None:
        return {}
    functions: Mapping[str, Callable[..., object]] = _host_module(rock.host).functions(run)
    return functions


_importing: Final = threading.Lock()
_modules: Final[dict[str, Any]] = {}


def _host_module(name: str) -> Any:
    """Return a rock's Python module, which one script at a time imports: a hundred may ask for it at once."""
    module = _modules.get(name)
    if module is None:
        with _importing:
            module = _modules[name] = importlib.import_module(f"lua_bindings.rocks.{name}")
    return module
