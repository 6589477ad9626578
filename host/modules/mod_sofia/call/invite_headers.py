"""What the variables of a channel and its caller put into the INVITE that calls somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from host.caller_profile import CallerProfile
from host.modules.mod_sofia.message import quoted_display
from host.truth import is_true

ALLOW: Final = (
    "INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REGISTER, REFER, NOTIFY, PUBLISH, SUBSCRIBE"
)
ALLOW_EVENTS: Final = "talk, hold, conference, presence, dialog, message-summary, refer"
FS_SUPPORT: Final = "update_display,send_info"
# FreeSWITCH: what a name is called that nobody knows.
_UNDEFINED: Final = "_undef_"
# Characters that stand unescaped in the user of a URI (RFC 3261 section 25.1).
_USER_SAFE: Final = "&=+$,;?/-_.!~*'()"

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Identity:
    """The From of a call (a name-address without tag) and the headers that say who calls."""

    from_address: str
    headers: tuple[Header, ...]


def user_text(number: str) -> str:
    """Return a number as the user of a URI, escaped where it must be."""
    return quote(number, safe=_USER_SAFE)


def identity(
    profile: CallerProfile,
    variables: Mapping[str, str],
    *,
    domain: str,
    gateway_from: str = "",
    cid_type: str = "rpid",
) -> Identity:
    """Return who calls. `gateway_from` is the From URI a gateway insists on.

    FreeSWITCH: `sip_from_uri` and `sip_invite_from_uri` beat both, `sip_force_full_from` all; `sip_cid_type` chooses
    Remote-Party-ID, P-Asserted-Identity, or neither.
    """
    domain = variables.get("sip_invite_domain") or domain
    number, name = profile.caller_id_number, profile.caller_id_name
    undefined = not name or name.lower() == _UNDEFINED
    own = f"sip:{user_text(number)}{'@' if number else ''}{domain}"
    if profile.aniii:
        own += f";isup-oli={profile.aniii}"
    uri = _sip(variables.get("sip_invite_from_uri") or variables.get("sip_from_uri") or gateway_from or own)
    params = variables.get("sip_invite_from_params")
    if params:
        uri = f"{uri};{params}"
    shown = variables.get("sip_from_display")
    display = quoted_display(shown if shown is not None else "" if undefined else name)
    address = f"{display}<{uri}>"
    for override in ("sip_handle_full_from", "sip_force_full_from"):
        address = variables.get(override) or address
    place = uri.partition("@")[2].partition(";")[0] or domain
    place = variables.get("sip_invite_domain") or place
    kind = (variables.get("sip_cid_type") or cid_type).lower()
    headers: list[Header] = []
    shown_name = "" if undefined else quoted_display(name)
    who = f"sip:{user_text(number)}@{place}"
    if kind == "pid":
        pid_params = variables.get("sip_invite_pid_params")
        whole = f"{shown_name}<{who}{f';{pid_params}' if pid_params else ''}>"
        headers.append(("P-Asserted-Identity" if profile.screen else "P-Preferred-Identity", whole))
        if profile.privacy_hide_number:
            headers.append(("Privacy", "id"))
        elif not is_true(variables.get("sip_cid_suppress_privacy_none")):
            headers.append(("Privacy", "none"))
    elif kind == "rpid":
        privacy = "off"
        if profile.privacy_hide_number:
            privacy = "full"
        elif profile.privacy_hide_name:
            privacy = "name"
        screen = "yes" if profile.screen else "no"
        headers.append(
            ("Remote-Party-ID", f"{shown_name}<{who}>;party=calling;screen={screen};privacy={privacy}")
        )
    return Identity(address, tuple(headers))


def invite_headers(variables: Mapping[str, str], *, pass_callee_id: bool = True) -> list[Header]:
    """Return the headers of an INVITE that do not depend on media: what we can do, and what scripts add."""
    headers: list[Header] = [("Allow", ALLOW), ("Allow-Events", ALLOW_EVENTS)]
    alert = variables.get("alert_info")
    if alert:
        headers.append(("Alert-Info", alert))
    replaces = variables.get("_sofia_replaces_")
    if replaces:
        headers.append(("Replaces", replaces))
    subject = variables.get("sip_subject")
    if subject:
        headers.append(("Subject", subject))
    if pass_callee_id:
        headers.append(("X-FS-Support", FS_SUPPORT))
    headers += extra_headers(variables, "sip_h_")
    return headers


def extra_headers(variables: Mapping[str, str], prefix: str) -> list[Header]:
    """Return what the variables `PREFIXName` hold as headers (FreeSWITCH: `sip_h_`, `sip_rh_`, `sip_bye_h_`, …).

    Names that are no header names are passed over; a value ends at a line break.
    """
    headers: list[Header] = []
    for name, value in variables.items():
        if name.lower().startswith(prefix) and value:
            header = name[len(prefix) :]
            if header and all(char.isalnum() or char in "-.!%*_+`'~" for char in header):
                headers.append((header, value))
    return headers


def _sip(text: str) -> str:
    return text if text.lower().startswith(("sip:", "sips:")) else f"sip:{text}"
