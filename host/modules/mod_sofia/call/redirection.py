"""What a 3xx makes of a call of ours: the variables it leaves, and where the call or its caller goes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.hangup_cause import HangupCause
from host.ivr.uuid_bridge import partner_of
from host.log import LogLevel
from host.modules.mod_sofia.message import (
    Message,
    header_of,
    headers_of,
    parse_address,
    status_of,
    unwire,
    uri_host,
    uri_user,
)
from host.truth import is_true

if TYPE_CHECKING:
    from host.modules.mod_sofia.profile.profile import Profile
    from host.session import Session

_SIP: Final = re.compile(r"(?:^|<)\s*sips?:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RedirectContact:
    """One Contact of a 3xx: as it came, and its parts."""

    text: str
    uri: str
    user: str
    host: str
    params: str


@dataclass(frozen=True, slots=True)
class Redirection:
    """What is to be done: follow `uri`, or hang up for `cause`."""

    uri: str = ""
    cause: HangupCause | None = None


def redirect_contacts(response: Message) -> list[RedirectContact]:
    """Return the SIP contacts of a 3xx in their order; what is no SIP address is left out."""
    found = []
    for value in headers_of(response, "contact"):
        try:
            url = parse_address(value.strip()).url
        except ValueError:
            continue
        if _SIP.search(value) is None or not uri_host(url):
            continue
        params = ";".join(unwire(str(part)) for part in url.getParams())
        found.append(RedirectContact(value.strip(), unwire(str(url)), uri_user(url), uri_host(url), params))
    return found


def redirect(profile: Profile, session: Session, response: Message) -> Redirection | None:
    """Note a 3xx in the variables and decide; None for one that redirects nothing. In a thread that may block.

    FreeSWITCH: with `outbound_redirect_fatal` the call is over. A call that is placed for another one hands that over
    to the dialplan when the contact is of this switch (its address, a domain of the directory), and with
    `manual-redirect` always, in the context `redirected`. All else is followed.
    """
    contacts = redirect_contacts(response)
    code, _ = status_of(response)
    channel = session.channel
    if not contacts:
        channel.log(LogLevel.ERR, "Missing contact header in redirect request")
        return None
    partner = partner_of(session)
    if is_true(channel.get_variable("outbound_redirect_fatal")):
        _note(session, None, contacts, profile.name)
        channel.variables.set("proto_specific_hangup_cause", f"sip:{code}")
        return Redirection(cause=HangupCause.REQUESTED_CHAN_UNAVAIL)
    _note(session, partner, contacts, channel.get_variable("sip_redirect_profile") or profile.name)
    diverted = header_of(response, "diversion")
    if diverted:
        for one in (session, partner):
            if one is not None:
                one.channel.variables.set("sip_redirected_by", diverted)
    first = contacts[0]
    if partner is None:
        return Redirection(uri=first.uri)
    if profile.settings.manual_redirect:
        if channel.variables.get("outbound_redirect_info") is None:
            dialplan = channel.get_variable("sip_redirect_dialplan") or "XML"
            context = channel.get_variable("sip_redirect_context") or "redirected"
            channel.log(LogLevel.DEBUG, f"Redirect: Transfering to {first.user} {dialplan} {context}")
            partner.transfer(first.user, dialplan, context)
        return Redirection(cause=HangupCause.REDIRECTION_TO_NEW_DESTINATION)
    settings = profile.settings
    ours = first.host in (settings.sip_ip, settings.ext_sip_ip)
    if ours or session.switch.xml.directory.domain(first.host) is not None:
        channel.log(LogLevel.DEBUG, f"Redirect: Transfering to {first.user}")
        partner.transfer(first.user)
        return Redirection(cause=HangupCause.REDIRECTION_TO_NEW_DESTINATION)
    return Redirection(uri=first.uri)


def _note(session: Session, partner: Session | None, contacts: Sequence[RedirectContact], place: str) -> None:
    known: list[tuple[str, str]] = [("sip_redirected_to", contacts[0].text)]
    dial_strings = []
    for number, contact in enumerate(contacts):
        known.append((f"sip_redirect_contact_{number}", contact.text))
        for what, value in (("user", contact.user), ("host", contact.host), ("params", contact.params)):
            if value:
                known.append((f"sip_redirect_contact_{what}_{number}", value))
        dial_strings.append(f"sofia/{place}/{contact.uri}")
        known.append((f"sip_redirect_dialstring_{number}", dial_strings[-1]))
    fork = is_true(session.channel.get_variable("sip_redirect_fork"))
    known.append(("sip_redirect_count", str(len(contacts))))
    known.append(("sip_redirect_dialstring", ("," if fork else "|").join(dial_strings)))
    for one in (session, partner):
        if one is not None:
            for name, text in known:
                one.channel.variables.set(name, text)
