"""What an INVITE says of its call, as the channel variables and the caller profile that FreeSWITCH makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import unquote

from host.modules.mod_sofia.message import (
    Message,
    NameAddress,
    Uri,
    all_headers,
    call_id_of,
    contact_of,
    display_of,
    from_of,
    header_of,
    headers_of,
    parse_address,
    source_of,
    to_of,
    unwire,
    uri_host,
    uri_user,
    written_names,
    written_value,
)

Variable = tuple[str, str]

# Headers that become `sip_h_NAME`: by the beginnings of their names (FreeSWITCH: those it does not know itself).
_PASSED_PREFIXES: Final = ("x-", "p-", "on", "k-")
_PASSED: Final = frozenset({"user-to-user", "diversion", "accept-language"})
_OWN: Final = frozenset(
    {
        "p-asserted-identity",
        "p-preferred-identity",
        "x-fs-channel-name",
        "x-fs-support",
    }
)
_PLACES: Final = {
    "geolocation": "sip_geolocation",
    "geolocation-error": "sip_geolocation_error",
    "userlocation": "sip_user_location",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the identity headers and From say: what the caller profile begins with."""

    number: str
    name: str
    cid_type: str
    username: str
    hide_name: bool = False
    hide_number: bool = False
    screen: bool = True
    aniii: str = ""


def caller_of(request: Message) -> Caller:
    """Return who calls. FreeSWITCH: Remote-Party-ID beats From, P-Asserted-Identity both, P-Preferred-Identity all."""
    near = from_of(request)
    user = uri_user(near.url)
    number = user
    name = display_of(near) or user or "unknown"
    kind = ""
    for header, its_kind in (
        ("remote-party-id", "rpid"),
        ("p-asserted-identity", "pid"),
        ("p-preferred-identity", "pid"),
    ):
        address = _address_in(request, header)
        if address is None:
            continue
        number = uri_user(address.url) or number
        name = display_of(address) or name
        kind = its_kind
    privacy, screen = _rpid_params(request)
    hidden = "id" in [part.strip().lower() for part in (header_of(request, "privacy") or "").split(";")]
    return Caller(
        number.partition(";")[0],
        name,
        kind,
        user,
        hide_name=hidden or privacy in ("yes", "full", "name"),
        hide_number=hidden or privacy in ("yes", "full", "number"),
        screen=screen != "no",
        aniii=_uri_param(near.url, "isup-oli"),
    )


def _rpid_params(request: Message) -> tuple[str, str]:
    """Return `privacy` and `screen` of Remote-Party-ID, in lower case, empty where they are not."""
    address = _address_in(request, "remote-party-id")
    if address is None:
        return "", ""
    params = {str(key).lower(): str(value or "").lower() for key, value in address.params.items()}
    return params.get("privacy", ""), params.get("screen", "")


def destination_of(request: Message, *, full: bool = False) -> str:
    """Return the number that is called: the user of the request URI, else that of To, of From, or `service`."""
    uri = request.getRURI()
    if full:
        return address_text(uri)
    for address in (uri, to_of(request).url, from_of(request).url):
        user = uri_user(address)
        if user:
            return unquote(user)
    return "service"


def invite_variables(request: Message) -> Iterator[Variable]:
    """Yield the variables of a channel that an INVITE made, but for those of the profile and of authentication."""
    source = source_of(request)
    near, far = from_of(request), to_of(request)
    caller = caller_of(request)
    yield "sip_network_ip", source.ip
    yield "sip_network_port", str(source.port)
    yield "sip_received_ip", source.ip
    yield "sip_received_port", str(source.port)
    yield "sip_via_protocol", source.transport
    yield from _uri_variables("sip_from", near.url)
    user = uri_user(near.url)
    if user:
        yield "sip_from_user_stripped", user.removeprefix("+")
    yield from _param_variables("from", near)
    if caller.cid_type:
        yield "sip_cid_type", caller.cid_type
    yield from _identity_variables(request)
    yield from header_variables(request, outbound=False)
    allow = headers_of(request, "allow")
    if allow:
        yield "sip_allow", ", ".join(allow)
    yield from _uri_variables("sip_req", request.getRURI())
    yield from _uri_variables("sip_to", far.url)
    yield from _param_variables("to", far)
    contact = contact_of(request)
    if contact is not None:
        yield from _uri_variables("sip_contact", contact.url)
    yield from _referred_by_variables(request)
    yield "sip_call_id", call_id_of(request)
    for header, name in (
        ("subject", "sip_subject"),
        ("user-agent", "sip_user_agent"),
        ("alert-info", "alert_info"),
        ("call-info", "sip_call_info"),
    ):
        value = header_of(request, header)
        if value:
            yield name, value
    call_info = (header_of(request, "call-info") or "").lower().replace(" ", "")
    alert = (header_of(request, "alert-info") or "").lower()
    if "answer-after=0" in call_info or "intercom=true" in request.getSL().lower() or "autoanswer" in alert:
        yield "sip_auto_answer_detected", "true"
    via = request.getHFBody("via")
    yield "sip_via_host", str(via.hostname)
    if via.port:
        yield "sip_via_port", str(via.port)
    if via.params.get("rport"):
        yield "sip_via_rport", str(via.params["rport"])
    yield "max_forwards", header_of(request, "max-forwards") or "70"
    yield from _privacy_and_date(request)
    yield from passed_headers(request, "sip_h_")
    replaces = header_of(request, "replaces")
    if replaces:
        call_id, *params = [part.strip() for part in replaces.split(";")]
        yield "sip_replaces_call_id", call_id
        for param in params:
            key, _, value = param.partition("=")
            yield f"sip_replaces_{key}", value or "true"


def header_variables(message: Message, *, outbound: bool) -> Iterator[Variable]:
    """Yield `sip_full_…`, the displays and the routes of a request or of a response to one."""
    routes = headers_of(message, "route")
    if routes:
        yield "sip_full_route", ",".join(routes)
    contact = contact_of(message)
    if outbound and contact is not None:
        yield "sip_recover_contact", unwire(str(contact))
    record = headers_of(message, "record-route")
    if record:
        forward, backward = ",".join(record), ",".join(reversed(record))
        yield "sip_invite_route_uri", backward if outbound else forward
        yield "sip_invite_record_route", forward if outbound else backward
    vias = headers_of(message, "via")
    if vias:
        yield "sip_full_via", ",".join(vias)
        if outbound or "TCP" in ",".join(vias).upper():
            yield "sip_recover_via", ",".join(vias)
    for name, address in (("from", from_of(message)), ("to", to_of(message))):
        display = display_of(address)
        if display:
            yield f"sip_{name}_display", display
        yield f"sip_full_{name}", written_value(message, name) or unwire(str(address))


def _is_passed(name: str) -> bool:
    return name not in _OWN and (name.startswith(_PASSED_PREFIXES) or name in _PASSED)


def passed_headers(message: Message, prefix: str) -> Iterator[Variable]:
    """Yield the headers that scripts see, as `PREFIXName`; the second of a name gets `-1`, and so on."""
    names = written_names(message)
    seen: dict[str, int] = {}
    for name, value in all_headers(message, _is_passed):
        if not value:
            continue
        times = seen.get(name, 0)
        seen[name] = times + 1
        if name in _PASSED and name != "user-to-user":
            if times:
                continue
            yield f"{prefix}{names.get(name, name)}", value
        else:
            yield f"{prefix}{names.get(name, name)}{f'-{times}' if times else ''}", value


def _privacy_and_date(request: Message) -> Iterator[Variable]:
    privacy = header_of(request, "privacy")
    if privacy:
        yield "sip_Privacy", privacy
    history = headers_of(request, "history-info")
    if history:
        yield "sip_history_info", ", ".join(history)
    for header, name in _PLACES.items():
        value = header_of(request, header)
        if value:
            yield name, value
    identity = header_of(request, "identity")
    if identity:
        yield "sip_h_identity", identity
    date = header_of(request, "date")
    if date:
        try:
            yield "sip_date_epoch_time", str(int(parsedate_to_datetime(date).timestamp()))
        except (ValueError, TypeError, OverflowError):
            pass  # what is no date sets no variable
    languages = [part for value in headers_of(request, "accept-language") for part in value.split(",")]
    for number, language in enumerate(languages):
        value, _, quality = (part.strip() for part in language.partition(";"))
        if number == 0:
            yield "sip_accept_language", value
        yield f"sip_accept_language_{number}_value", value
        if quality:
            yield f"sip_accept_language_{number}_q", quality.removeprefix("q=")
    if languages:
        yield "sip_accept_language_count", str(len(languages))


def _identity_variables(request: Message) -> Iterator[Variable]:
    for header, name in (
        ("remote-party-id", "sip_Remote-Party-ID"),
        ("p-preferred-identity", "sip_P-Preferred-Identity"),
    ):
        value = header_of(request, header)
        if value:
            yield name, value
    asserted = _address_in(request, "p-asserted-identity")
    if asserted is not None and uri_user(asserted.url):
        yield "sip_P-Asserted-Identity", uri_user(asserted.url)


def _referred_by_variables(request: Message) -> Iterator[Variable]:
    address = _address_in(request, "referred-by")
    if address is None:
        return
    user = uri_user(address.url)
    if user:
        yield "sip_referred_by_user_stripped", user.removeprefix("+")
    yield from _param_variables("referred_by", address)


def _uri_variables(prefix: str, uri: Uri) -> Iterator[Variable]:
    """Yield user, host, port, URI and parameters; FreeSWITCH: `nobody` and `nowhere` for what is not there."""
    params = ";".join(uri.getParams())
    if params:
        yield f"{prefix}_params", unwire(params)
    user = unquote(uri_user(uri)) or "nobody"
    host = uri_host(uri) or "nowhere"
    yield f"{prefix}_user", user
    if uri.port is not None:
        yield f"{prefix}_port", str(uri.port)
    yield f"{prefix}_uri", f"{user}@{host}{f':{uri.port}' if uri.port is not None else ''}"
    yield f"{prefix}_host", host


def _param_variables(header: str, address: NameAddress) -> Iterator[Variable]:
    for key, value in address.params.items():
        yield f"sip_{header}_{unwire(str(key))}", unwire(str(value)) if value is not None else "true"


def address_text(uri: Uri) -> str:
    """Return `user@host:port` of a URI."""
    for name, value in _uri_variables("", uri):
        if name == "_uri":
            return value
    return ""


def _address_in(request: Message, header: str) -> NameAddress | None:
    value = header_of(request, header)
    if not value:
        return None
    try:
        return parse_address(value)
    except ValueError:
        return None


def _uri_param(uri: Uri, name: str) -> str:
    for entry in uri.other:
        key, _, value = str(entry).partition("=")
        if key == name:
            return unwire(value)
    return ""
