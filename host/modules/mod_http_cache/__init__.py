"""Sounds of the web: `http_cache://URL`, `http://…` and `https://…`, kept on disk, and the commands about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable
from host.arguments import separate
from host.interfaces import ApiRequest, FileFormat
from host.log import LogLevel
from host.modules.mod_http_cache.cache import HttpCache
from host.modules.mod_http_cache.prefetch import Prefetch
from host.modules.mod_http_cache.settings import read_settings
from host.modules.mod_http_cache.transfer import Transfer, TransferError
from host.sound_file import SCHEME_MARK, open_source, split_parameters
from host.truth import is_true

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch
    from media.source import Source

_MODULE: Final = "mod_http_cache"
_GET_SYNTAX: Final = "{param=val}<url>"
_PUT_SYNTAX: Final = "{param=val}<url> <file>"
_REMOVE_SYNTAX: Final = "<url>"
_FAILED: Final = "-ERR\n"
# There is nothing by that name, and there will not be: the prompt is missing, as a file is.
_MISSING: Final = (404, 410)


def load(switch: Switch) -> None:
    """Read http_cache.conf, register the formats and the commands."""
    settings = read_settings(switch)
    transfer = Transfer(settings)
    cache = HttpCache(
        switch.clock, settings, transfer, lambda ending: switch.file_formats.get(ending) is not None
    )
    switch.file_formats.add(FileFormat("http_cache", _MODULE, _opener(cache, "")))
    for scheme in ("http", "https"):
        switch.file_formats.add(FileFormat(scheme, _MODULE, _opener(cache, scheme)))
    _commands(cache, Prefetch(switch, cache, settings), transfer).register(switch)


def _opener(cache: HttpCache, scheme: str) -> Callable[[Switch, str, int, Mapping[str, str]], Source]:
    def open_url(switch: Switch, path: str, rate: int, parameters: Mapping[str, str]) -> Source:
        """Open a document as the kind of file it is; FileNotFoundError when the server has none, else OSError."""
        url = _address(f"{scheme}{SCHEME_MARK}{path}" if scheme else path)
        refresh = is_true(parameters.get("refresh"))
        try:
            try:
                path = cache.get(url, refresh=refresh, caller=lambda: _caller(switch))
                return open_source(switch, path, rate, parameters)
            except FileNotFoundError:  # another call's document took its place on disk meanwhile
                path = cache.get(url, caller=lambda: _caller(switch))
                return open_source(switch, path, rate, parameters)
        except TransferError as error:
            if error.status in _MISSING:
                raise FileNotFoundError(f"HTTP {error}") from None
            raise

    return open_url


def _caller(switch: Switch, *, up: bool = False) -> Session | None:
    """Return the session whose thread this is; with `up` not one whose call has ended (a hangup hook may fetch)."""
    own = next((session for session in list(switch.sessions.values()) if session.in_own_thread), None)
    return None if own is not None and up and not own.channel.ready else own


def _commands(cache: HttpCache, prefetch: Prefetch, transfer: Transfer) -> ApiTable:
    commands = ApiTable(_MODULE)

    @commands.command("http_get", _GET_SYNTAX, "HTTP GET")
    def http_get(request: ApiRequest) -> str:
        """Fetch a document, if need be, and reply the path of its file."""
        parameters, url = split_parameters(request.argument)
        if not url:
            return f"USAGE: {_GET_SYNTAX}\n"
        refresh = is_true(parameters.get("refresh"))
        try:
            return cache.get(_address(url), refresh=refresh, caller=lambda: _caller(request.switch, up=True))
        except TransferError as error:
            request.switch.log(LogLevel.ERR, f"Failed to download URL {url}: {error}")
            return _FAILED

    @commands.command("http_tryget", _GET_SYNTAX, "HTTP GET from cache only")
    def http_tryget(request: ApiRequest) -> str:
        """Reply the path of a document's file, or that it must be downloaded."""
        parameters, url = split_parameters(request.argument)
        if not url:
            return f"USAGE: {_GET_SYNTAX}\n"
        path = None if is_true(parameters.get("refresh")) else cache.held(_address(url))
        return path or "-ERR download\n"

    @commands.command("http_put", _PUT_SYNTAX, "HTTP PUT")
    def http_put(request: ApiRequest) -> str:
        """Send a file to a server and reply the HTTP status."""
        parts = separate(request.argument, " ", 10)
        if len(parts) != 2:
            return f"USAGE: {_PUT_SYNTAX}\n"
        url = split_parameters(parts[0])[1]
        try:
            return f"+OK {transfer.upload(_address(url), parts[1])}\n"
        except TransferError as error:
            request.switch.log(LogLevel.ERR, f"Failed to PUT {parts[1]} to {url}: {error}")
            return f"-ERR {error.status}\n"

    @commands.command("http_clear_cache", "", "Clear the cache")
    def http_clear_cache(request: ApiRequest) -> str:
        """Forget all documents."""
        if request.argument:
            return "USAGE: \n"
        cache.clear()
        return "+OK\n"

    @commands.command("http_remove_cache", _REMOVE_SYNTAX, "Remove URL from cache")
    def http_remove_cache(request: ApiRequest) -> str:
        """Forget one document."""
        url = split_parameters(request.argument)[1]
        if not url:
            return f"USAGE: {_REMOVE_SYNTAX}\n"
        cache.remove(_address(url))
        return "+OK\n"

    @commands.command(
        "http_prefetch",
        _GET_SYNTAX,
        "Prefetch document in a background thread.  Use http_get to get the prefetched document",
    )
    def http_prefetch(request: ApiRequest) -> str:
        """Have a document fetched while the call goes on."""
        parameters, url = split_parameters(request.argument)
        if not url:
            return f"USAGE: {_GET_SYNTAX}\n"
        refresh = is_true(parameters.get("refresh"))
        return "+OK\n" if prefetch.add(_address(url), refresh=refresh) else _FAILED

    return commands


def _address(url: str) -> str:
    """Return a URL as one document has it: with a scheme (curl: http) and without blanks around it."""
    url = url.strip()
    return url if SCHEME_MARK in url else f"http{SCHEME_MARK}{url}"
