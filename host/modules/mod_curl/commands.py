"""The command and the application `curl`: their words, and where the answer goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.arguments import separate
from host.escape import url_decode
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_curl.syntax import CURL
from host.modules.mod_curl.transfer import CurlRequest, CurlResponse, perform, validates_certificates

if TYPE_CHECKING:
    from host.channel import Channel
    from host.interfaces import ApiRequest
    from host.session import Session
    from host.switch import Switch

# FreeSWITCH: MOD_CURL_MAX_ARGS and HTTP_MAX_APPEND_HEADERS.
_WORDS: Final = 30
_HEADERS: Final = 10

_WITH_DATA: Final = ("post", "patch", "put", "delete")


def curl_command(request: ApiRequest) -> str:
    """Ask a server, and reply what it said."""
    if not request.argument:
        return f"-ERR\n{CURL}\n"
    channel = request.session.channel if request.session is not None else None
    words = separate(request.argument, " ", _WORDS + 1)
    if not words or _too_many(request.switch, channel, words):
        return ""
    asked, form = _read(request.switch, channel, words, times=True)
    return _shown(perform(request.switch, asked), form)


def curl_application(session: Session, data: str) -> None:
    """Ask a server, and leave what it said in `curl_response_data` and `curl_response_code`."""
    switch, channel = session.switch, session.channel
    words = separate(data, " ", _WORDS + 1)
    if not words:
        channel.log(LogLevel.ERR, f"Usage: {CURL}")
        return
    if _too_many(switch, channel, words):
        return
    asked, form = _read(switch, channel, words, times=False)
    asked.connect_timeout = leading_int(channel.get_variable("curl_connect_timeout") or "")
    asked.timeout = leading_int(channel.get_variable("curl_timeout") or "")
    response = perform(switch, asked)
    channel.set_variable("curl_response_data", _shown(response, form))
    channel.set_variable("curl_response_code", str(response.status))
    channel.set_variable("curl_method", asked.method)


def _too_many(switch: Switch, channel: Channel | None, words: list[str]) -> bool:
    if len(words) <= _WORDS:
        return False
    switch.log(LogLevel.ERR, f"Max args exceeded: {_WORDS}", uuid=channel.uuid if channel else "")
    return True


def _shown(response: CurlResponse, form: str) -> str:
    if form == "json":
        return response.as_json()
    return response.with_headers() if form == "headers" else response.body


def _read(
    switch: Switch, channel: Channel | None, words: list[str], *, times: bool
) -> tuple[CurlRequest, str]:
    """Return what the words ask for, and the form of the answer: "", "headers" or "json".

    FreeSWITCH: the application does not know the words of `times`, and words that nobody knows are passed over.
    """
    asked = CurlRequest(words[0], insecure=not validates_certificates(switch))
    form = ""
    rest = iter(words[1:])
    for word in rest:
        match word.lower():
            case "json":
                form = "json"
            case "headers":
                form = form or "headers"
            case "get" | "head":
                asked.method = word
            case name if name in _WITH_DATA:
                asked.method, asked.data = word, url_decode(next(rest, ""))
            case "content-type":
                asked.content_type = next(rest, asked.content_type)
            case "append_headers":
                header = next(rest, None)
                if header is not None and len(asked.append_headers) < _HEADERS:
                    asked.append_headers.append(header)
            case "connect-timeout" | "timeout" as name if times:
                seconds = leading_int(next(rest, "0"))
                if seconds <= 0:
                    switch.log(LogLevel.WARNING, f"Invalid {name}!", uuid=channel.uuid if channel else "")
                elif name == "timeout":
                    asked.timeout = seconds
                else:
                    asked.connect_timeout = seconds
            case "insecure" | "secure" as name:
                asked.insecure = name == "insecure"
            case "proxy":
                asked.proxy = next(rest, asked.proxy)
    return asked, form
