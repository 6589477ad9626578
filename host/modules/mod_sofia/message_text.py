"""The text of a message.

sippy asks `dir()` of every part whether it stands for our own address, which takes most of the time of writing; here
that is asked once, and what was never parsed is written as it came.
"""

from __future__ import annotations

from typing import Any

from sippy.SipVia import SipVia

from host.modules.mod_sofia.message import Message

SipAddress = tuple[tuple[str, int], str]


def text_of(message: Message, address: SipAddress, compact: bool = False) -> str:
    """Return a message as it is sent; `address` ((host, port), transport) stands where it says our own."""
    uri = getattr(message, "ruri", None)
    lines = [_one_line(message.getSL(None if uri is not None and not hasattr(uri.host, "my") else address))]
    lines += [_one_line(_header(header, address, compact)) for header in message.headers]
    body = message.body
    text = "" if body is None else body.localStr(address)
    if body is not None:
        lines.append(f"{'c' if compact else 'Content-Type'}: {body.mtype}")
    lines.append(f"{'l' if compact else 'Content-Length'}: {len(text)}\r\n\r\n{text}")
    return "\r\n".join(lines)


def _one_line(line: str) -> str:
    """Return a line that stays one: what was put into a header must not become another."""
    if "\r" in line or "\n" in line:
        return line.replace("\r", " ").replace("\n", " ")
    return line


def _header(header: Any, address: SipAddress, compact: bool) -> str:
    body = header.body
    name = body.getCanName(header.name, compact)
    if not body.parsed and isinstance(body.body, str):
        return f"{name}: {body.body}"
    if isinstance(body, SipVia) and not hasattr(body.hostname, "my") and not hasattr(body.transport, "my"):
        return f"{name}: {_via(body)}"
    uri = getattr(getattr(body, "address", None), "url", None)
    if uri is not None and not hasattr(uri.host, "my"):
        return f"{name}: {body.localStr()}"
    return f"{name}: {body.localStr(address)}"


def _via(via: Any) -> str:
    port = "" if via.port is None else f":{via.port}"
    params = "".join(f";{key}" if value is None else f";{key}={value}" for key, value in via.params.items())
    return f"{via.sipver}/{via.transport} {via.hostname}{port}{params}"
