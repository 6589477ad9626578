"""One request by libcurl: fields and files to a server, and the document that comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import pycurl

from host.byte_text import to_bytes, to_text
from host.modules.mod_httapi.document import LIMIT
from host.modules.mod_httapi.fields import query

if TYPE_CHECKING:
    from host.modules.mod_httapi.settings import Profile

# FreeSWITCH: CURLOPT_MAXREDIRS.
_REDIRECTS: Final = 10
# libcurl keeps times as milliseconds in 32 bits.
_LONGEST: Final = 2**31 // 1000
_AUTH: Final = {
    "basic": pycurl.HTTPAUTH_BASIC,
    "digest": pycurl.HTTPAUTH_DIGEST,
    "ntlm": pycurl.HTTPAUTH_NTLM,
    "gss-negotiate": pycurl.HTTPAUTH_GSSNEGOTIATE,
}
_VERSIONS: Final = {"tlsv1.1": pycurl.SSLVERSION_TLSv1_1, "tlsv1.2": pycurl.SSLVERSION_TLSv1_2}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along: the field, the name that the server is told, and where it is."""

    field: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask: `method` may be empty (GET; with attachments POST), `timeout` 0 is that of the profile."""

    url: str
    fields: tuple[tuple[str, str], ...]
    method: str = ""
    agent: str = ""
    session_id: str = ""
    attachments: tuple[Attachment, ...] = ()
    timeout: int = 0


@dataclass(slots=True)
class Response:
    """What came: the HTTP status (0: none), the content type (None: none), the document.

    `oversized` is the size that ended it, `given_up` says that nobody waits for it any more.
    """

    status: int = 0
    content_type: str | None = None
    body: bytes = b""
    oversized: int = 0
    given_up: bool = False


def perform(profile: Profile, request: Request, gone: Callable[[], bool]) -> Response:
    """Ask a server, however long it takes, but no longer than a second after `gone()`; what fails has status 0."""
    response = Response()
    body = bytearray()

    def take(block: bytes) -> int | None:
        if len(body) + len(block) > LIMIT:
            response.oversized = len(body) + len(block)
            return 0
        body.extend(block)
        return None

    def take_header(line: bytes) -> None:
        name, colon, value = line.partition(b":")
        if line.startswith(b"HTTP/"):
            response.content_type = None  # that of an answer on the way is no longer it
        elif colon and name.strip().lower() == b"content-type":
            response.content_type = to_text(value.strip())

    def watch(*counts: int) -> int:
        response.given_up = gone()
        return int(response.given_up)

    handle = pycurl.Curl()
    try:
        _prepare(handle, profile, request)
        handle.setopt(pycurl.WRITEFUNCTION, take)
        handle.setopt(pycurl.HEADERFUNCTION, take_header)
        handle.setopt(pycurl.NOPROGRESS, 0)
        handle.setopt(pycurl.XFERINFOFUNCTION, watch)
        handle.perform()
        response.status = int(handle.getinfo(pycurl.RESPONSE_CODE))
        response.body = bytes(body)
    except (pycurl.error, ValueError):  # also a URL that libcurl refuses, or one with a NUL
        pass
    finally:
        handle.close()
    return response


def _prepare(handle: pycurl.Curl, profile: Profile, request: Request) -> None:
    url, credentials = _split_credentials(request.url)
    posts = request.method.lower() == "post"
    data = "" if request.attachments else query(request.fields, profile.only)
    if not posts and not request.attachments:
        url = f"{url}{'&' if '?' in url else '?'}{data}"
    handle.setopt(pycurl.URL, to_bytes(url))
    web = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS  # no document makes this machine read a file
    handle.setopt(pycurl.PROTOCOLS, web)
    handle.setopt(pycurl.REDIR_PROTOCOLS, web)
    handle.setopt(pycurl.FOLLOWLOCATION, 1)
    handle.setopt(pycurl.MAXREDIRS, _REDIRECTS)
    handle.setopt(pycurl.NOSIGNAL, 1)
    handle.setopt(pycurl.USERAGENT, to_bytes(request.agent or profile.agent))
    if request.attachments:
        _attach(handle, request)
    elif posts:
        handle.setopt(pycurl.POSTFIELDS, to_bytes(data))
    if request.method:
        handle.setopt(pycurl.CUSTOMREQUEST, to_bytes(request.method.upper()))
    if not profile.expects_continue:
        handle.setopt(pycurl.HTTPHEADER, [b"Expect:"])
    if credentials or profile.credentials:
        handle.setopt(pycurl.HTTPAUTH, sum(_AUTH[name] for name in profile.auth_schemes))
        handle.setopt(pycurl.USERPWD, to_bytes(credentials or profile.credentials))
    timeout = request.timeout or profile.timeout
    if timeout:
        handle.setopt(pycurl.TIMEOUT, min(timeout, _LONGEST))
    if profile.connect_timeout:
        handle.setopt(pycurl.CONNECTTIMEOUT, min(profile.connect_timeout, _LONGEST))
    if profile.cookie_file:
        handle.setopt(pycurl.COOKIE, to_bytes(f"HTTAPI_SESSION_ID={request.session_id}"))
        handle.setopt(pycurl.COOKIEFILE, to_bytes(profile.cookie_file))
        handle.setopt(pycurl.COOKIEJAR, to_bytes(profile.cookie_file))
    if profile.bind_local:
        handle.setopt(pycurl.INTERFACE, to_bytes(profile.bind_local))
    _secure(handle, profile)


def _secure(handle: pycurl.Curl, profile: Profile) -> None:
    handle.setopt(pycurl.SSL_VERIFYPEER, int(profile.checks_certificate))
    handle.setopt(pycurl.SSL_VERIFYHOST, 2 if profile.checks_host else 0)
    handle.setopt(pycurl.SSLVERSION, _VERSIONS.get(profile.ssl_version.lower(), pycurl.SSLVERSION_TLSv1))
    for option, text in (
        (pycurl.SSLCERT, profile.ssl_certificate),
        (pycurl.SSLKEY, profile.ssl_key),
        (pycurl.KEYPASSWD, profile.ssl_key_password),
        (pycurl.CAINFO, profile.ssl_authorities),
    ):
        if text:
            handle.setopt(option, to_bytes(text))


def _attach(handle: pycurl.Curl, request: Request) -> None:
    """Send the fields as a form does, with the files among them."""
    form = pycurl.CurlMime(handle)
    for name, value in request.fields:
        part = form.addpart()
        part.name(to_bytes(name))
        part.data(to_bytes(value))
    for attachment in request.attachments:
        part = form.addpart()
        part.name(to_bytes(attachment.field))
        part.filedata(to_bytes(attachment.path))
        part.filename(to_bytes(attachment.name))
    handle.setopt(pycurl.MIMEPOST, form)


def _split_credentials(url: str) -> tuple[str, str]:
    """Return a URL without the user and the password in it, and these as libcurl takes them."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url, ""
    end = min((place for place in map(rest.find, "/?#") if place >= 0), default=len(rest))
    account, at, host = rest[:end].rpartition("@")
    return (f"{scheme}://{host}{rest[end:]}", unquote(account)) if at else (url, "")
