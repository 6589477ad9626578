"""What a response to our INVITE tells of whom we call: the dialog it makes, variables for scripts, name and address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.modules.mod_sofia.call.call_variables import header_variables, passed_headers
from host.modules.mod_sofia.message import (
    Message,
    call_id_of,
    contact_of,
    cseq_of,
    display_of,
    header_of,
    parse_address,
    source_of,
    tag_of,
    to_of,
    uri_user,
)

if TYPE_CHECKING:
    from host.modules.mod_sofia.call.client_leg import ClientLeg
    from host.session import Session


def learn(leg: ClientLeg, session: Session, response: Message, prefix: str) -> None:
    """Take over the dialog that a response makes, and note what scripts may want to know of it.

    Headers that are passed on become variables whose names begin with `prefix`.
    """
    tag = tag_of(to_of(response))
    if tag:
        leg.dialog.take_response(response)
    leg.note_allow(response)
    if leg.far_end is None:
        source = source_of(response) if response.source is not None else None
        if source is not None and source.transport != "udp":
            leg.far_end = source
    variables = session.channel.variables
    known = [
        ("sip_call_id", call_id_of(response)),
        ("sip_to_tag", tag),
        ("sip_from_tag", leg.dialog.local_tag),
        ("sip_cseq", str(cseq_of(response)[0])),
        ("sip_user_agent", header_of(response, "user-agent") or header_of(response, "server") or ""),
        ("sip_remote_fs_support", header_of(response, "x-fs-support") or ""),
    ]
    for name, value in [
        *known,
        *header_variables(response, outbound=True),
        *passed_headers(response, prefix),
    ]:
        if value:
            variables.set(name, value)
    if leg.profile.settings.pass_callee_id:
        _learn_callee(response, session)


def _learn_callee(response: Message, session: Session) -> None:
    value = header_of(response, "p-asserted-identity") or header_of(response, "remote-party-id")
    if not value:
        return
    try:
        address = parse_address(value)
    except ValueError:
        return
    profile = session.channel.profile
    number = uri_user(address.url)
    if number:
        profile.callee_id_number = number
        profile.callee_id_name = display_of(address) or number


def follow_source(leg: ClientLeg, response: Message) -> None:
    """Let what follows go where the answer came from when the call went to a contact behind NAT."""
    contact = contact_of(response)
    if not leg.invitation.destination.nat or contact is None or response.source is None:
        return
    leg.far_end = source_of(response)
    contact.url.host, contact.url.port = leg.far_end.ip, leg.far_end.port
