"""Text messages: MESSAGE (RFC 3428) from phones goes to the chat protocols, and the chat protocol `sip` to phones."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from host.byte_text import byte_length
from host.chat import send_chat
from host.clock import SECOND
from host.interfaces import ChatInterface
from host.log import LogLevel
from host.modules.mod_sofia.message import (
    Body,
    Message,
    OutgoingRequest,
    all_headers,
    body_of,
    from_of,
    header_of,
    headers_of,
    source_of,
    status_of,
    to_of,
    unwire,
    uri_host,
    uri_user,
    written_names,
)
from host.modules.mod_sofia.registration.contact_address import ContactError
from host.modules.mod_sofia.registration.contact_route import towards
from host.sql_store import SqlError
from host.truth import is_true

if TYPE_CHECKING:
    from collections.abc import Sequence

    from host.event import Event
    from host.modules.mod_sofia.profile.profile import Profile
    from host.modules.mod_sofia.sofia import Sofia

PROTOCOL: Final = "sip"
MODULE: Final = "mod_sofia"
SENDER: Final = "X-FS-Sending-Message"
_ERROR: Final = "sofia::error"
_HEADER: Final = "sip_h_"
# FreeSWITCH: a blocking message waits so long for its final response.
BLOCKING_SECONDS: Final = 20
# Text of people; a MESSAGE over UDP holds 1300 bytes (RFC 3428 section 8), streams carry more.
MAX_TEXT: Final = 60_000
_SCHEME: Final = re.compile(r"^sips?:", re.IGNORECASE)


class SipChat:
    """The chat protocol `sip` of one switch, and MESSAGE requests to its profiles."""

    def __init__(self, sofia: Sofia) -> None:
        self._sofia = sofia
        sofia.switch.chats.add(ChatInterface(PROTOCOL, MODULE, self.send))

    # -- from phones ---------------------------------------------------------------------------------------------

    def receive(self, profile: Profile, request: Message) -> None:
        """Answer a MESSAGE; `request.session_uuid` names the call within which it came. In the SIP thread."""
        if not profile.settings.enable_chat:
            self._accept(profile, request)
        elif profile.settings.auth_messages and not getattr(request, "session_uuid", ""):
            try:
                profile.registrar.digest.authenticate(request, lambda accepted: self._take(profile, request))
            except ContactError as error:
                profile.respond(request, 400, str(error))
        else:
            self._take(profile, request)

    def _take(self, profile: Profile, request: Message) -> None:
        switch = self._sofia.switch
        if header_of(request, SENDER) == switch.core_uuid:
            switch.log(LogLevel.WARNING, "Not sending message to ourselves!")
            profile.respond(request, 503, "Service Unavailable")
            return
        body = body_of(request)
        composing = body is not None and "composing" in body.content_type
        if not composing and uri_user(to_of(request).url):
            message = self._message(profile, request)
            session = switch.find_session(getattr(request, "session_uuid", ""))
            if profile.settings.fire_message_events:
                self._tell(message)
            if session is not None:
                session.queue_event(message.copy())
            proto = message.get_header("to_proto") or PROTOCOL
            if not self._sofia.stack.work(lambda: send_chat(switch, proto, message)):
                profile.respond(request, 503, "Service Unavailable", headers=(("Retry-After", "5"),))
                return
        self._accept(profile, request)

    def _accept(self, profile: Profile, request: Message) -> None:
        if profile.settings.sip_messages_respond_200_ok:
            profile.respond(request, 200, "OK")
        else:
            profile.respond(request, 202, "Accepted")

    def _tell(self, message: Event) -> None:
        switch = self._sofia.switch
        if switch.bus.wants("RECV_MESSAGE"):
            told = switch.new_event("RECV_MESSAGE")
            for name, value in message.headers:
                if name.lower() != "event-name" and isinstance(value, str):
                    told.set_header(name, value)
            told.body = message.body
            switch.fire(told)

    def _message(self, profile: Profile, request: Message) -> Event:
        """Return the event of a MESSAGE, with FreeSWITCH's headers."""
        sender, target, source = from_of(request), to_of(request), source_of(request)
        user, host = uri_user(target.url), uri_host(target.url)
        from_user, from_host = uri_user(sender.url), uri_host(sender.url)
        proto, to = PROTOCOL, f"{user}@{host}"
        before, plus, behind = user.partition("+")
        if plus and before:
            proto, to = before, behind.replace("+", "@", 1)
        body = body_of(request)
        event = self._sofia.switch.new_event("MESSAGE")
        event.add_headers(
            (
                ("login", profile.settings.url),
                ("proto", PROTOCOL),
                ("to_proto", proto),
                ("from", f"{from_user}@{from_host}"),
                ("from_user", from_user),
                ("from_host", from_host),
                ("to_user", user),
                ("to_host", host),
                ("from_sip_ip", source.ip),
                ("from_sip_port", str(source.port)),
                ("to", to),
                ("subject", "SIMPLE MESSAGE"),
                ("context", profile.settings.context),
                ("type", body.content_type if body is not None else "text/plain"),
                ("from_full", unwire(str(request.getHFBody("from")))),
                ("sip_profile", profile.name),
                *_known_headers(request),
            )
        )
        if body is not None:
            event.body = body.text
        return event

    # -- to phones -----------------------------------------------------------------------------------------------

    def send(self, message: Event) -> bool:
        """Deliver a message to a user's phones or to a URI; False when it cannot. May block, not in the SIP thread.

        FreeSWITCH: `to` is `[profile/]user[@host]` or `[profile/]sip:…`; with `blocking` the message waits for the
        final response, and its code is the header Delivery-Result-Code.
        """
        return _Delivery(self._sofia, message).run()


@dataclass(slots=True)
class _Delivery:
    """One message on its way to phones."""

    sofia: Sofia
    message: Event

    def run(self) -> bool:
        """Send it; return whether it went out, or, blocking, whether it was taken."""
        get = self.message.get_header
        to, sender = get("to"), get("from")
        if not to or not sender:
            self._log(LogLevel.ERR, f"Missing {'From' if to else 'To'}: header.")
            return False
        if byte_length(self.message.body or "") > MAX_TEXT:
            self._log(LogLevel.ERR, "Message is too long")
            return False
        place, user = self._parts(to)
        profile_name = place or get("sip_profile") or ""
        is_uri = bool(_SCHEME.match(user))
        user, _, host = (
            (user, "", user.rpartition("@")[2].partition(";")[0]) if is_uri else user.partition("@")
        )
        profile = self.sofia.find_profile(profile_name or host) if profile_name or host else None
        if profile is None:
            self._log(
                LogLevel.ERR, f"Chat proto [{get('proto')}] to [{to}]: Invalid Profile {profile_name or host}"
            )
            return False
        host = host or profile.settings.domain or profile_name
        contacts = [user] if is_uri else self._contacts(profile, user, host)
        if not contacts:
            self._tell_nobody(profile, to, sender)
            return False
        sent = [self._send(profile, contact, host) for contact in contacts]
        return all(sent)

    def _parts(self, to: str) -> tuple[str, str]:
        profile, slash, user = to.partition("/")
        if not slash or _SCHEME.match(profile):
            return "", to
        return profile, user

    def _contacts(self, profile: Profile, user: str, host: str) -> list[str]:
        """Return where a user is: the phones that are registered, else the host; nothing for a host of our own."""
        try:
            found = [one.contact for one in profile.registrar.registrations.find(user, host)]
        except SqlError as error:
            self._log(LogLevel.ERR, f"Registrations of {profile.name}: {error}")
            return []
        if found:
            return found
        if self.sofia.find_profile(host) is not None:
            self._log(LogLevel.WARNING, f"Not sending to local box for {user}@{host}")
            return []
        return [f"sip:{user}@{host}"]

    def _from(self, profile: Profile, host: str) -> tuple[str, str]:
        """Return From's display name and URI; who writes by another protocol is `proto+user`."""
        get = self.message.get_header
        proto, from_proto = get("proto") or "global", get("from_proto") or ""
        sender, full = get("from") or "", get("from_full")
        if proto.lower() == PROTOCOL and full:
            return "", full.partition(";tag=")[0]
        user, _, domain = _SCHEME.sub("", sender).partition("@")
        domain = domain or profile.settings.domain or host
        if "global" in proto.lower():
            foreign = from_proto if from_proto.lower() not in ("", PROTOCOL) else ""
        else:
            foreign = from_proto or proto
            foreign = "" if foreign.lower() == PROTOCOL else foreign
        return user, f"sip:{foreign}+{user}@{domain}" if foreign else f"sip:{user}@{domain}"

    def _send(self, profile: Profile, contact: str, host: str) -> bool:
        message = self.message
        display, from_uri = self._from(profile, host)
        headers = [(SENDER, self.sofia.switch.core_uuid)]
        headers += [
            (name[len(_HEADER) :], value)
            for name, value in message.headers
            if isinstance(value, str) and name.lower().startswith(_HEADER) and len(name) > len(_HEADER)
        ]
        body = Body(message.get_header("type") or "text/html", message.body or "")
        request = towards(
            contact,
            OutgoingRequest("MESSAGE", "", from_uri, "", from_display=display, headers=headers, body=body),
        )
        request = replace(request, to_uri=request.uri)
        if not is_true(message.get_header("blocking")):
            profile.send_request(request)
            return True
        return self._wait(profile, request)

    def _wait(self, profile: Profile, request: OutgoingRequest) -> bool:
        clock = self.sofia.switch.clock
        waiter = clock.waiter()
        code = 0

        def answered(response: Message) -> None:
            nonlocal code
            status, _ = status_of(response)
            if status >= 200:
                code = status
                waiter.notify()

        profile.send_request(replace(request, on_response=answered))
        waiter.wait(clock.now() + BLOCKING_SECONDS * SECOND)
        self.message.add_header("Delivery-Result-Code", str(code))
        return 200 <= code < 300

    def _tell_nobody(self, profile: Profile, to: str, sender: str) -> None:
        switch = self.sofia.switch
        self._log(LogLevel.ERR, f"Chat to [{to}]: Nobody to send to: Profile {profile.name}")
        if not switch.bus.wants("CUSTOM"):
            return
        event = switch.new_event("CUSTOM", _ERROR)
        event.add_headers(
            (
                ("Error-Type", "chat"),
                ("Error-Reason", "no recipient"),
                ("Chat-Send-To", to),
                ("Chat-Send-From", sender),
                ("Chat-Send-Profile", profile.name),
            )
        )
        event.body = self.message.body
        switch.fire(event)

    def _log(self, level: LogLevel, text: str) -> None:
        self.sofia.switch.log(level, text)


def _known_headers(request: Message) -> Sequence[tuple[str, str]]:
    """Return what FreeSWITCH keeps of other headers: Call-Info, Diversion, History-Info, Geolocation, X-… and P-…"""
    written = written_names(request)
    found: list[tuple[str, str]] = []
    call_info = header_of(request, "call-info")
    if call_info:
        found.append(("sip_call_info", call_info))
    history = headers_of(request, "history-info")
    if history:
        found.append(("sip_history_info", ", ".join(history)))
    for name in ("geolocation", "geolocation-error"):
        value = header_of(request, name)
        if value:
            found.append((f"sip_{name.replace('-', '_')}", value))
    taken: set[str] = set()
    for name, value in all_headers(request):
        if not value or not (name.startswith(("x-", "p-", "diversion")) or name == "user-to-user"):
            continue
        wanted = base = f"{_HEADER}{written.get(name, name)}"
        number = 0
        while wanted.lower() in taken:
            number += 1
            wanted = f"{base}-{number}"
        taken.add(wanted.lower())
        found.append((wanted, value))
    return found
