"""A dialog: what two user agents remember of each other (RFC 3261 section 12), and the requests sent within it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Final

from sippy.SipAddress import SipAddress
from sippy.SipCallId import SipCallId
from sippy.SipFrom import SipFrom
from sippy.SipHeader import SipHeader
from sippy.SipMaxForwards import SipMaxForwards
from sippy.SipRequest import SipRequest
from sippy.SipResponse import SipResponse
from sippy.SipRoute import SipRoute
from sippy.SipTo import SipTo
from sippy.SipURL import SipURL

from host.modules.mod_sofia.message import (
    Body,
    Message,
    OutgoingRequest,
    add_header,
    call_id_of,
    cseq_of,
    from_of,
    parse_uri,
    set_body,
    tag_of,
    to_of,
    unwire,
    wire,
)

# What a response takes over of its request, but for lists (RFC 3261 section 8.2.6.2).
_OF_RESPONSES: Final = frozenset({"from", "to", "call-id", "cseq"})
# FreeSWITCH (sofia-sip): what a request may be forwarded.
MAX_FORWARDS: Final = 70


def new_tag() -> str:
    """Return a tag nobody can guess (RFC 3261 section 19.3: at least 32 random bits)."""
    return secrets.token_hex(8)


def new_call_id() -> str:
    """Return a Call-ID of 128 random bits."""
    return secrets.token_hex(16)


@dataclass(slots=True)
class Dialog:
    """One side's view. `local` and `remote` are name-addresses without tags (`"Bob" <sip:bob@example.com>`).

    `route_set` is in the order in which requests go through it; `remote_target` is the URI they are for.
    """

    call_id: str
    local: str
    local_tag: str
    remote: str
    remote_tag: str = ""
    remote_target: str = ""
    route_set: list[str] = field(default_factory=list)
    local_cseq: int = 0
    remote_cseq: int = 0

    @classmethod
    def of_request(cls, request: Message) -> Dialog:
        """Make the dialog of one who was called (RFC 3261 section 12.1.1), with a new tag."""
        near, far = to_of(request), from_of(request)
        dialog = cls(
            call_id=call_id_of(request),
            local=untagged(near),
            local_tag=tag_of(near) or new_tag(),
            remote=untagged(far),
            remote_tag=tag_of(far),
            remote_cseq=cseq_of(request)[0],
        )
        dialog.route_set = routes_of(request)
        dialog.take_target(request)
        return dialog

    def take_response(self, response: Message) -> None:
        """Take over what a response that makes or confirms a dialog says (RFC 3261 section 12.1.2)."""
        self.remote_tag = tag_of(to_of(response))
        self.route_set = list(reversed(routes_of(response)))
        self.take_target(response)

    def take_target(self, message: Message) -> None:
        """Take over the Contact of a request or response that may refresh it."""
        if message.countHFs("contact"):
            contact = message.getHFBody("contact")
            if not contact.asterisk:
                self.remote_target = unwire(str(contact.getUrl()))

    def claims(self, request: Message) -> bool:
        """Return whether a request belongs to this dialog."""
        return (
            call_id_of(request) == self.call_id
            and tag_of(to_of(request)) == self.local_tag
            and tag_of(from_of(request)) in (self.remote_tag, "")
        )

    def in_order(self, request: Message) -> bool:
        """Note a request's CSeq; False for one that is older than the last (RFC 3261 section 12.2.2: answered 500)."""
        number, method = cseq_of(request)
        if method in ("ACK", "CANCEL"):
            return True
        if number < self.remote_cseq:
            return False
        self.remote_cseq = number
        return True

    def request(
        self, method: str, *, cseq: int | None = None, headers: tuple[tuple[str, str], ...] = ()
    ) -> OutgoingRequest:
        """Return a request within the dialog; its CSeq is the next one, unless it is given (ACK, a repetition)."""
        if cseq is None:
            self.local_cseq += 1
            cseq = self.local_cseq
        return OutgoingRequest(
            method,
            self.remote_target,
            from_uri=self.local,
            to_uri=self.remote,
            call_id=self.call_id,
            from_tag=self.local_tag,
            to_tag=self.remote_tag,
            cseq=cseq,
            headers=headers,
            routes=tuple(self.route_set),
        )


def untagged(address: object) -> str:
    """Return a name-address without its tag."""
    copy = address.getCopy()  # type: ignore[attr-defined]
    if "tag" in copy.params:
        copy.delParam("tag")
    copy.hadbrace = True
    return unwire(str(copy))


def routes_of(message: Message) -> list[str]:
    """Return the values of Record-Route, in their order."""
    return [unwire(str(body)) for body in message.getHFBodys("record-route")]


def build(
    request: OutgoingRequest, *, contact: str, user_agent: str, max_forwards: int = MAX_FORWARDS
) -> Message:
    """Return the message of a request that is not sent yet; ValueError when one of its addresses is none.

    RFC 3261 section 12.2.1.1: with a strict router at the head of the route set the URI moves to its end.
    """
    uri = parse_uri(request.uri)
    routes = [_address(route) for route in request.routes]
    if routes and not routes[0].url.lr:
        strict = routes.pop(0)
        routes.append(SipAddress(url=uri))
        uri = strict.url
    far = _address(request.to_uri, request.to_display)
    near = _address(request.from_uri, request.from_display)
    if request.to_tag:
        far.setParam("tag", request.to_tag)
    near.setParam("tag", request.from_tag or new_tag())
    message = SipRequest(
        method=request.method,
        ruri=uri,
        to=SipTo(address=far),
        fr0m=SipFrom(address=near),
        cseq=request.cseq or 1,
        callid=SipCallId(wire(request.call_id or new_call_id())),
        routes=[SipRoute(address=route) for route in routes],
        maxforwards=SipMaxForwards(number=max_forwards),
        target=uri.getTAddr(),
    )
    for name in ("user-agent", "expires"):
        message.delHFs(name)
    if contact:
        add_header(message, "Contact", contact)
    if user_agent and not any(name.lower() == "user-agent" for name, _ in request.headers):
        add_header(message, "User-Agent", user_agent)
    for name, value in request.headers:
        add_header(message, name, value)
    if request.body is not None:
        set_body(message, request.body)
    return message


def build_response(
    request: Message,
    code: int,
    reason: str,
    *,
    local_tag: str = "",
    contact: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    body: Body | None = None,
) -> Message:
    """Return the response to `request`; the tag of To is set unless the code is 100."""
    response = _response_to(request, code, wire(reason), local_tag if code > 100 else "")
    if contact:
        add_header(response, "Contact", contact)
    for name, value in headers:
        add_header(response, name, value)
    if body is not None:
        set_body(response, body)
    return response


def _response_to(request: Message, code: int, reason: str, local_tag: str) -> Message:
    """Return a bare response: to what was received, with its headers as they came (RFC 3261 section 8.2.6.2).

    `to_tag` of the response is the tag of its To, empty without.
    """
    if not getattr(request, "received_text", ""):
        response = request.genResponse(code, reason)
        if local_tag:
            response.getHFBody("to").setTag(local_tag)
        return response
    response = SipResponse(scode=code, reason=reason, sipver=request.sipver)
    vias, routes = [], []
    single: dict[str, SipHeader] = {}
    for header in request.headers:
        name = header.name
        if name == "via":
            vias.append(header)
        elif name == "record-route":
            routes.append(header)
        elif name in _OF_RESPONSES:
            single[name] = header
    near, far = single["from"].body, single["to"].body
    tag = far.getTag() or ""
    text = far.body
    if local_tag and not tag:
        tag, text = local_tag, f"{text};tag={local_tag}"
    response.headers = [
        *vias,
        *routes,
        SipHeader(name="from", body=SipFrom(near.body)),
        SipHeader(name="to", body=SipTo(text)),
        single["call-id"],
        single["cseq"],
    ]
    response.to_tag = tag
    return response


def _address(text: str, display: str = "") -> SipAddress:
    if "<" not in text:
        address = SipAddress(url=SipURL(wire(text)))
    else:
        address = SipAddress(wire(text))
    if display:
        address.name = wire(display.replace("\\", "\\\\").replace('"', '\\"'))
    return address
