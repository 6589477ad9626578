"""One transfer by libcurl: what is asked of a server, and what came back."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pycurl

from host.byte_text import to_bytes, to_text
from host.json_text import compact
from host.log import LogLevel
from host.truth import is_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from host.switch import Switch

CONFIGURATION: Final = "curl.conf"

# What servers are told, and how often a redirect is followed. FreeSWITCH: CURLOPT_USERAGENT, CURLOPT_MAXREDIRS.
AGENT: Final = "freeswitch-curl/1.0"
REDIRECTS: Final = 15

# libcurl keeps times as milliseconds in 32 bits.
_LONGEST: Final = 2**31 // 1000

# FreeSWITCH: the default of `max-bytes`.
_MAX_BYTES: Final = 64000


@dataclass(slots=True)
class CurlRequest:
    """What to do: times in seconds, 0 for libcurl's own; `method` None is a GET and was not asked for by name."""

    url: str
    method: str | None = None
    data: str = ""
    content_type: str | None = None
    append_headers: list[str] = field(default_factory=list)
    connect_timeout: int = 0
    timeout: int = 0
    insecure: bool = False
    proxy: str | None = None


@dataclass(slots=True)
class CurlResponse:
    """What came: libcurl's exit code (0: all is well), the HTTP status (0: none), the header lines and the body.

    The lines are those of all answers on the way, with status lines and the empty ones that end them, without the
    line ends. A body of nothing or of one blank is none.
    """

    exit_code: int = 0
    status: int = 0
    header_lines: list[str] = field(default_factory=list)
    body: str = ""

    def with_headers(self) -> str:
        """Return the header lines, an empty line, and the body."""
        return "".join(f"{line}\r\n" for line in self.header_lines) + "\n" + self.body

    def as_json(self) -> str:
        """Return all of it as one JSON object; each answer on the way has its own `version` and `phrase`."""
        members = [("exit_code", str(self.exit_code)), ("status_code", str(self.status))]
        if self.body:
            members.append(("body", self.body))
        headers: list[dict[str, str]] = []
        for line in self.header_lines:
            name, colon, value = line.partition(":")
            if colon:
                headers.append({"key": name, "value": value.lstrip(" ")})
            elif line.startswith("HTTP"):
                version, _, rest = line.partition(" ")
                members += [("version", version), ("phrase", rest.partition(" ")[2])]
        texts = [f"{compact(name)}:{compact(value)}" for name, value in members]
        return "{" + ",".join([*texts, f'"headers":{compact(headers)}']) + "}"


def max_bytes(switch: Switch) -> int:
    """Return how large a body may be (`max-bytes` of curl.conf)."""
    text = _param(switch, "max-bytes")
    return int(text) if text is not None and text.isdecimal() else _MAX_BYTES


def validates_certificates(switch: Switch) -> bool:
    """Return whether certificates are looked at where a request says nothing (`validate-certs` of curl.conf)."""
    return is_true(_param(switch, "validate-certs"))


def _param(switch: Switch, wanted: str) -> str | None:
    configuration = switch.xml.configuration(CONFIGURATION)
    if configuration is None:
        return None
    found = None
    for param in configuration.iterfind("settings/param"):
        if param.get("name", "").lower() == wanted:
            found = param.get("value", "")
    return found


def perform(switch: Switch, request: CurlRequest) -> CurlResponse:
    """Do what `request` says, however long it takes; what fails is told by the exit code."""
    response = CurlResponse()
    body = _Body(switch, max_bytes(switch))
    with_data = to_bytes(request.data)
    headers = [to_bytes(header) for header in request.append_headers]
    handle = pycurl.Curl()
    try:
        prepare(switch, handle, request.url, insecure=request.insecure)
        handle.setopt(pycurl.WRITEFUNCTION, body.take)
        handle.setopt(pycurl.HEADERFUNCTION, _header_taker(response))
        handle.setopt(pycurl.HTTPAUTH, pycurl.HTTPAUTH_ANY)
        if request.connect_timeout > 0:
            handle.setopt(pycurl.CONNECTTIMEOUT, min(request.connect_timeout, _LONGEST))
        if request.timeout > 0:
            handle.setopt(pycurl.TIMEOUT, min(request.timeout, _LONGEST))
        if request.proxy is not None:
            handle.setopt(pycurl.PROXY, to_bytes(request.proxy))
        method = (request.method or "get").upper()
        if method in ("POST", "PATCH", "DELETE"):
            if method != "POST":
                handle.setopt(pycurl.CUSTOMREQUEST, method)
            handle.setopt(pycurl.POSTFIELDS, with_data)
        elif method == "PUT":
            handle.setopt(pycurl.UPLOAD, 1)
            handle.setopt(pycurl.INFILESIZE, len(with_data))
            handle.setopt(pycurl.READFUNCTION, _reader(with_data))
        elif method == "HEAD":
            handle.setopt(pycurl.NOBODY, 1)
        if method not in ("GET", "HEAD") and request.content_type is not None:
            headers.append(b"Content-Type: " + to_bytes(request.content_type))
            if method == "PUT":
                headers.append(b"Expect:")
        if headers:
            handle.setopt(pycurl.HTTPHEADER, headers)
        response.exit_code = run(handle)
        response.status = handle.getinfo(pycurl.RESPONSE_CODE)
    except pycurl.error as error:  # an option that libcurl refuses, such as a URL of megabytes
        response.exit_code = int(error.args[0])
    except ValueError:  # a NUL in what libcurl takes as C's strings
        response.exit_code = pycurl.E_URL_MALFORMAT
    finally:
        handle.close()
    text = body.text
    response.body = "" if text == " " else text
    return response


def prepare(switch: Switch, handle: pycurl.Curl, url: str, *, insecure: bool) -> None:
    """Set what all transfers have: the URL, redirects, the agent, and whether certificates are looked at.

    FreeSWITCH: they are where there is a `cacert.pem` in `certs_dir`, whatever else is said.
    """
    handle.setopt(pycurl.URL, to_bytes(url))
    handle.setopt(pycurl.FOLLOWLOCATION, 1)
    handle.setopt(pycurl.MAXREDIRS, REDIRECTS)
    handle.setopt(pycurl.NOSIGNAL, 1)
    handle.setopt(pycurl.USERAGENT, AGENT)
    if url[:5].lower() != "https":
        return
    authorities = os.path.join(switch.global_variables.get("certs_dir") or ".", "cacert.pem")
    if os.path.exists(authorities):
        handle.setopt(pycurl.CAINFO, authorities)
    elif insecure:
        switch.log(LogLevel.WARNING, f"Not verifying TLS cert for {url}; connection is not secure")
        handle.setopt(pycurl.SSL_VERIFYPEER, 0)
        handle.setopt(pycurl.SSL_VERIFYHOST, 0)
    else:
        # a libcurl that comes with its wheel does not know where this machine has its authorities
        places = ssl.get_default_verify_paths()
        if places.cafile:
            handle.setopt(pycurl.CAINFO, places.cafile)
        if places.capath:
            handle.setopt(pycurl.CAPATH, places.capath)


def run(handle: pycurl.Curl) -> int:
    """Do the transfer and return libcurl's exit code."""
    try:
        handle.perform()
    except pycurl.error as error:
        return int(error.args[0])
    return 0


def _header_taker(response: CurlResponse) -> Callable[[bytes], None]:
    def take(line: bytes) -> None:
        response.header_lines.append(to_text(line.rstrip(b"\r\n")))

    return take


def _reader(data: bytes) -> Callable[[int], bytes]:
    position = 0

    def read(size: int) -> bytes:
        nonlocal position
        block = data[position : position + size]
        position += len(block)
        return block

    return read


class _Body:
    """A body as it comes: one that is too large ends the transfer, a NUL ends a block of it."""

    def __init__(self, switch: Switch, limit: int) -> None:
        self._switch = switch
        self._limit = limit
        self._size = 0
        self._blocks: list[bytes] = []

    def take(self, block: bytes) -> int | None:
        """Take a block; anything but None or its length ends the transfer."""
        self._size += len(block)
        if self._size > self._limit:
            self._switch.log(LogLevel.ERR, f"Oversized file detected [{self._size} bytes]")
            return 0
        self._blocks.append(block.partition(b"\0")[0])
        return None

    @property
    def text(self) -> str:
        return to_text(b"".join(self._blocks))
