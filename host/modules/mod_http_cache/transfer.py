"""HTTP transfers: a document into a file, a file to a server; redirects, size, time and TLS have their limits."""

from __future__ import annotations

import base64
import http.client
import mimetypes
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from email.message import Message
from functools import cached_property
from typing import IO, TYPE_CHECKING, Final, cast

from host.clock import SECOND, RealClock

if TYPE_CHECKING:
    from host.modules.mod_http_cache.settings import Settings

_AGENT: Final = "Moonline-http-cache/1.0"
_BLOCK: Final = 65536
_NOT_MODIFIED: Final = 304
# FreeSWITCH: CURLOPT_MAXREDIRS.
_REDIRECTS: Final = 10
_PRINTABLE: Final = "".join(map(chr, range(0x21, 0x7F)))
# A year; RFC 9111 1.2.2 lets a cache hold back where a number is too great.
_LONGEST_AGE: Final = 365 * 86400

# The endings of audio types that are registered nowhere or under several names.
_AUDIO: Final = {
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
    "audio/vnd.wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/ogg": "ogg",
    "application/ogg": "ogg",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
    "audio/basic": "au",
    "audio/gsm": "gsm",
    "audio/x-gsm": "gsm",
    "audio/aiff": "aiff",
    "audio/x-aiff": "aiff",
    "audio/x-caf": "caf",
}
# The types that Python knows of, without what the machine's own files add.
_TYPES: Final = mimetypes.MimeTypes()


class TransferError(OSError):
    """A transfer that failed: why, and the HTTP status, 0 when there was none."""

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said of a document; `max_age` in seconds, None when it said nothing."""

    changed: bool
    content_type: str = ""
    etag: str = ""
    modified: str = ""
    max_age: int | None = None


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = _REDIRECTS

    def http_error_302(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
    ) -> http.client.HTTPResponse | None:
        # What comes with a redirect may be without end, and would be read.
        fp.close()
        return cast("http.client.HTTPResponse | None", super().http_error_302(req, fp, code, msg, headers))

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


class Transfer:
    """Downloads and uploads under the limits of http_cache.conf. Safe between threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        """What opens URLs, made at its first use: reading the certificates takes its time."""
        context = ssl.create_default_context(cafile=self._settings.ssl_cacert or None)
        context.check_hostname = self._settings.ssl_verifyhost and self._settings.ssl_verifypeer
        if not self._settings.ssl_verifypeer:
            context.verify_mode = ssl.CERT_NONE
        opener = urllib.request.OpenerDirector()
        # No more schemes than these: a redirect leads to no file of this machine.
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            _Redirects(),
        ):
            opener.add_handler(handler)
        return opener

    def download(self, url: str, file: IO[bytes], etag: str = "", modified: str = "") -> Answer:
        """Write the document to `file`, unless it is still the one of `etag` or `modified`; TransferError."""
        request = _request(url)
        if etag:
            request.add_header("If-None-Match", etag)
        if modified:
            request.add_header("If-Modified-Since", modified)
        try:
            with self._open(request) as response:
                self._receive(response, file)
                return _answer(response.headers, changed=True)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == _NOT_MODIFIED and (etag or modified):
                return _answer(error.headers, changed=False)
            raise TransferError(f"{error.code} {error.reason}", error.code) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _failed(error) from None

    def upload(self, url: str, path: str) -> int:
        """PUT a file and return the HTTP status, one of 2xx; TransferError says which other."""
        kind = _TYPES.guess_type(path)[0] or "application/octet-stream"
        try:
            with open(path, "rb") as file:
                request = _request(url, method="PUT", data=file)
                request.add_header("Content-Type", kind)
                request.add_header("Content-Length", str(os.fstat(file.fileno()).st_size))
                with self._open(request) as response:
                    return response.status
        except urllib.error.HTTPError as error:
            error.close()
            raise TransferError(f"{error.code} {error.reason}", error.code) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _failed(error) from None

    def _open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        patience = min(self._settings.connect_timeout, self._settings.download_timeout)
        response = self._opener.open(request, timeout=patience)
        if response is None:
            raise TransferError(f"no transfer by {request.type}")
        return cast("http.client.HTTPResponse", response)

    def _receive(self, response: http.client.HTTPResponse, file: IO[bytes]) -> None:
        limit, expected, size = self._settings.max_file_size, response.length, 0
        # A network takes real time, whatever time the call lives in.
        clock = RealClock()
        while expected is None or expected <= limit:
            block = response.read1(_BLOCK)
            if not block:
                if expected is not None and size < expected:
                    raise TransferError(f"the connection ended after {size} of {expected} bytes")
                return
            size += len(block)
            if size > limit:
                break
            file.write(block)
            if clock.now() > self._settings.download_timeout * SECOND:
                raise TransferError(f"it took more than {self._settings.download_timeout} s")
        raise TransferError(f"it is larger than {limit} bytes")


def ending_of(url: str) -> str:
    """Return the ending of a URL's last part, without the dot; empty where there is none or it is no plain word."""
    try:
        name = urllib.parse.urlsplit(url).path.rpartition("/")[2]
    except ValueError:
        return ""
    ending = name.rpartition(".")[2] if "." in name else ""
    return ending if ending.isascii() and ending.isalnum() and len(ending) <= 16 else ""


def ending_of_type(content_type: str) -> str:
    """Return the ending that a media type's files have, without the dot; empty for an unknown one."""
    kind = content_type.partition(";")[0].strip().lower()
    return _AUDIO.get(kind) or (_TYPES.guess_extension(kind) or "")[1:]


def max_age_of(cache_control: str) -> int | None:
    """Return the seconds for which a document is fresh, None when nothing is said (RFC 9111 5.2.2)."""
    found = None
    for directive in cache_control.split(","):
        name, _, value = directive.strip().partition("=")
        value = value.strip().strip('"')
        if name.lower() in ("no-store", "no-cache"):
            return 0
        if name.lower() == "max-age" and value.isascii() and value.isdigit():
            found = min(int(value[:12]), _LONGEST_AGE)
    return found


def _request(url: str, *, method: str = "GET", data: IO[bytes] | None = None) -> urllib.request.Request:
    """Return a request; a URL's user and password go into a header that no other server is sent."""
    text = urllib.parse.quote(url, safe=_PRINTABLE, errors="surrogateescape")
    try:
        parts = urllib.parse.urlsplit(text)
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{text} is no address of a web server")
        account, at, host = parts.netloc.rpartition("@")
        text = urllib.parse.urlunsplit(parts._replace(netloc=host, fragment=""))
        request = urllib.request.Request(text, data=data, method=method, headers={"User-Agent": _AGENT})
    except ValueError as error:
        raise TransferError(str(error)) from None
    if at:
        word = base64.b64encode(urllib.parse.unquote_to_bytes(account)).decode("ascii")
        request.add_unredirected_header("Authorization", f"Basic {word}")
    return request


def _answer(headers: Message, *, changed: bool) -> Answer:
    def text(name: str) -> str:
        # A folded header (RFC 9112 5.2) would be no value to send back.
        return " ".join(str(headers.get(name, "")).split())

    age = max_age_of(",".join(str(value) for value in headers.get_all("Cache-Control") or ()))
    return Answer(changed, text("Content-Type"), text("ETag"), text("Last-Modified"), age)


def _failed(error: Exception) -> TransferError:
    if isinstance(error, TransferError):
        return error
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return TransferError(str(reason) or type(error).__name__)
