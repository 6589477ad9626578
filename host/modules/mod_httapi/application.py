"""The application `httapi`: ask a server, do what it says, ask again; tell it when the call is over."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from host.byte_text import to_bytes
from host.channel_state import ChannelState
from host.log import LogLevel
from host.modules.mod_httapi.client import KEY, Client
from host.modules.mod_httapi.document import Document, DocumentError, parse_document
from host.modules.mod_httapi.transfer import Attachment, Response
from host.modules.mod_httapi.work import carry_out
from host.sound_file import SCHEME_MARK, split_parameters
from host.truth import is_true

if TYPE_CHECKING:
    from host.modules.mod_httapi.settings import Settings
    from host.session import Session


def httapi(session: Session, data: str, settings: Settings) -> None:
    """Let a server steer the call: `{param=value,…}URL`; what is left out is in the profile."""
    client = _client(session, data, settings)
    if client is None:
        session.channel.log(LogLevel.ERR, "Cannot find suitable profile")
        return
    every = is_true(client.params.get("full_channel_data_on_every_req"))
    client.add_caller()
    client.add_variables()
    while session.channel.ready:
        document = _document(client, client.sync(), settings)
        if document is None or not carry_out(client, document):
            break
        if every:
            client.add_variables()


def _client(session: Session, data: str, settings: Settings) -> Client | None:
    """Return the call's client, a new one unless the call was here before; None when there is no such profile."""
    given, url = split_parameters(data)
    params = [(name, value) for name, value in given.items() if name and value]
    if SCHEME_MARK in url:
        params.append(("url", url))
    client = session.private(KEY, Client)
    if client is not None:
        client.forget_once()
        client.params.update(params)
        return client
    name = given.get("httapi_profile") or session.channel.get_variable("httapi_profile") or "default"
    profile = settings.profiles.get(name)
    if profile is None:
        session.channel.log(LogLevel.ERR, f"Cannot find profile [{name}]")
        return None
    client = session.channel.private[KEY] = Client(session, profile, params)
    # A handler of a state is forgotten when the call is transferred, so it comes with the hangup.
    session.at_hangup.append(lambda: session.handlers.append({ChannelState.CS_REPORTING: _report}))
    return client


def _document(client: Client, response: Response, settings: Settings) -> Document | None:
    """Return the document that a server has answered with; None, and a log line, when it has not."""
    if response.given_up:
        return None
    if response.oversized:
        client.log(LogLevel.ERR, "Error 1!")
        return None
    if response.status != 200:
        client.log(LogLevel.ERR, f"Received HTTP response: {response.status}.")
        return None
    if "text/xml" not in (response.content_type or "").lower():
        client.log(LogLevel.ERR, f"Received unsupported content-type {response.content_type or '(null)'}")
        return None
    if settings.debug:
        text = response.body.decode("utf-8", "surrogateescape")
        client.log(LogLevel.CRIT, f"Debugging Return Data:\n{text}")
    try:
        return parse_document(response.body)
    except DocumentError:
        client.log(LogLevel.WARNING, "No instructions found in result!")
        return None


def _report(session: Session) -> bool:
    """Tell the server that the call is over, with the recording of the call; where that goes elsewhere, both."""
    client = session.private(KEY, Client)
    if client is None:
        return True
    del session.channel.private[KEY]
    client.add_variables()
    client.once.set("exiting", "true")
    recording = client.recording
    if recording is not None:
        if os.path.exists(to_bytes(recording.path)):
            client.attachments.append(Attachment(recording.field, f"{session.uuid}.wav", recording.path))
        if recording.action and recording.action != client.url:
            client.once.set("url", recording.action)
            client.sync(last=True)
            client.add_variables()
            client.once.set("exiting", "true")
    client.sync(last=True)
    return True
