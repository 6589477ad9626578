"""The command and the application `curl_sendfile`: a file and a few values, sent to a server as a form is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pycurl

from host.arguments import separate
from host.byte_text import to_bytes, to_text
from host.escape import url_decode
from host.event import Event
from host.log import LogLevel
from host.modules.mod_curl.syntax import SEND_APPLICATION, SEND_COMMAND
from host.modules.mod_curl.transfer import prepare, run

if TYPE_CHECKING:
    from host.channel import Channel
    from host.interfaces import ApiRequest
    from host.session import Session
    from host.switch import Switch

ACK: Final = "curl_sendfile::ack"

# FreeSWITCH: HTTP_SENDFILE_RESPONSE_SIZE; an answer of so many bytes or more ends the transfer.
_ANSWER_LIMIT: Final = 32768
_OK: Final = 200
_VALUES: Final = 64
_WORDS: Final = 5


@dataclass(slots=True)
class SendFile:
    """What to send where; `values` are `name=value` texts between `&`. `event`, `stream`, `none`: who is told."""

    url: str
    name: str
    path: str
    values: str = ""
    event: bool = False
    stream: bool = False
    none: bool = False
    identifier: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of it: the HTTP status (0: none) and the beginning of the answer."""

    status: int
    answer: str


def send_command(request: ApiRequest) -> str:
    """Send a file, and reply how it went."""
    asked = _read(request.switch, separate(request.argument, " ", 10))
    if asked is None:
        return f"-USAGE\n{SEND_COMMAND}\n"
    sent = _send(request.switch, asked)
    if sent is None:
        return f"-Err Unable to open file {asked.path}\n" if asked.stream or asked.none else ""
    if not (asked.stream or asked.none or asked.event):
        return ""
    reply = "+200 Ok\n" if sent.status == _OK else f"-{sent.status} Err\n"
    return f"{reply}{sent.answer}\n" if asked.stream and sent.answer else reply


def send_application(session: Session, data: str) -> None:
    """Send a file that `data` names, or without any the channel variables `curl_sendfile_…`."""
    switch, channel = session.switch, session.channel
    asked = _given(channel, data) if data else _from_variables(channel)
    if asked is None:
        usage = (
            f'Failure:  Usage: <data="{SEND_APPLICATION}">\nOr you can set chanvars curl_senfile_url,'
            " curl_sendfile_filename_element, curl_sendfile_filename, curl_sendfile_extrapost"
        )
        channel.log(LogLevel.ERR, usage)
        return
    sent = _send(switch, asked)
    if not asked.none:
        return
    if sent is None:
        channel.log(LogLevel.ERR, f"curl_sendfile: Unable to open file {asked.path}")
        return
    channel.log(
        LogLevel.INFO, f"Sending of file {asked.path} to url {asked.url} resulted with code {sent.status}"
    )


def _read(switch: Switch, words: list[str]) -> SendFile | None:
    """Return what the words of the command ask for; None: they are used wrongly."""
    if not 2 <= len(words) <= _WORDS:
        return None
    asked = _file(words)
    if asked is None or len(words) < 4:
        return asked
    form = words[3].lower()
    asked.event = form.startswith(("event", "both"))
    asked.stream = form.startswith(("stream", "both"))
    asked.none = not (asked.event or asked.stream)
    if asked.none and not form.startswith("none"):
        switch.log(LogLevel.INFO, 'Invalid 4th parameter set for curl_sendfile.  Defaulting to "none"')
    asked.identifier = words[4] if len(words) == _WORDS else None
    return asked


def _given(channel: Channel, data: str) -> SendFile | None:
    words = separate(data, " ", 10)
    if not 2 <= len(words) <= _WORDS:
        return None
    asked = _file(words)
    if asked is not None and len(words) > 3:
        asked.event = words[3].lower().startswith("event")
        if asked.event:
            channel.log(LogLevel.INFO, "Setting output to event handler.")
        if len(words) == _WORDS:  # FreeSWITCH: the word `uuid` is itself, any other stands for the call's
            asked.identifier = words[4] if words[4].lower().startswith("uuid") else channel.uuid
    return asked


def _file(words: list[str]) -> SendFile | None:
    parts = separate(url_decode(words[1]), "=", 10)
    if len(parts) != 2:
        return None
    values = words[2] if len(words) > 2 else ""
    return SendFile(url_decode(words[0]), url_decode(parts[0]), url_decode(parts[1]), values)


def _from_variables(channel: Channel) -> SendFile | None:
    url, name, path, values, report, identifier = (
        channel.get_variable(f"curl_sendfile_{name}") or ""
        for name in ("url", "filename_element", "filename", "extrapost", "report", "identifier")
    )
    if not (url and name and path):
        return None
    asked = SendFile(url_decode(url), url_decode(name), url_decode(path), values)
    asked.event = report.lower().startswith("event")
    asked.none = not asked.event
    if not report:
        channel.log(
            LogLevel.INFO, "No parameter specified for curl_sendfile_report.  Setting default of 'none'."
        )
    elif asked.none and not report.lower().startswith("none"):
        channel.log(
            LogLevel.INFO,
            f"Invalid parameter {report} specified for curl_sendfile_report.  Setting default of 'none'.",
        )
    if identifier:
        asked.identifier = channel.uuid if identifier.lower().startswith("uuid") else identifier
    return asked


def _send(switch: Switch, asked: SendFile) -> Sent | None:
    """Send the file, and fire the event that was asked for; None: the file cannot be read."""
    try:
        with open(to_bytes(asked.path), "rb"):
            pass
    except (OSError, ValueError):
        if asked.event:
            _fire(switch, asked, None)
        return None
    sent = _transfer(switch, asked)
    if asked.event:
        _fire(switch, asked, sent)
    return sent


def _transfer(switch: Switch, asked: SendFile) -> Sent:
    values = []
    for value in separate(asked.values, "&", _VALUES):
        pair = separate(value, "=", 4)
        if len(pair) == 2:
            values.append((to_bytes(url_decode(pair[0])), to_bytes(url_decode(pair[1]))))
    answer = bytearray()

    def take(block: bytes) -> int | None:
        if len(answer) + len(block) >= _ANSWER_LIMIT:
            text = f"Response page is more than {_ANSWER_LIMIT} bytes long, truncating."
            switch.log(LogLevel.ERR, text)
            return 0
        answer.extend(block)
        return None

    status = 0
    handle = pycurl.Curl()
    try:
        prepare(switch, handle, asked.url, insecure=True)
        handle.setopt(pycurl.WRITEFUNCTION, take)
        form = pycurl.CurlMime(handle)
        file = form.addpart()
        file.name(to_bytes(asked.name))
        file.filedata(to_bytes(asked.path))
        for name, text in (*values, (b"submit", b"or_die")):
            part = form.addpart()
            part.name(name)
            part.data(text)
        handle.setopt(pycurl.MIMEPOST, form)
        run(handle)
        status = handle.getinfo(pycurl.RESPONSE_CODE)
    except (pycurl.error, ValueError):  # a URL that libcurl refuses
        pass
    finally:
        handle.close()
    return Sent(status, to_text(bytes(answer).partition(b"\0")[0]))


def _fire(switch: Switch, asked: SendFile, sent: Sent | None) -> None:
    event = Event("CUSTOM", ACK)
    if asked.identifier is not None:
        event.add_header("Command-Execution-Identifier", asked.identifier)
    event.add_header("Filename", asked.path)
    event.add_header("File-Access", "Failure" if sent is None else "Success")
    if sent is not None:
        event.add_header("REST-HTTP-Code", str(sent.status))
        event.body = sent.answer
    switch.fire(event)
