"""What the directory is told of a request with credentials, and what its user gives to the call or registration."""

from __future__ import annotations

from host.modules.mod_sofia.message import all_headers, from_of, to_of, uri_host, uri_user
from host.modules.mod_sofia.registration.digest import Credentials
from host.modules.mod_sofia.registration.register_request import RegisterRequest
from host.xml_directory import DirectoryUser


def directory_params(profile_name: str, request: RegisterRequest, given: Credentials) -> dict[str, str]:
    """Return what bindings of the directory are told of a request that is authenticated, FreeSWITCH's names."""
    message, first = request.message, request.first
    sender, target, uri = from_of(message).url, to_of(message).url, message.ruri
    params = {
        "action": "sip_auth",
        "sip_profile": profile_name,
        "sip_user_agent": request.user_agent,
        "sip_auth_username": given.username,
        "sip_auth_realm": given.realm,
        "sip_auth_nonce": given.nonce,
        "sip_auth_uri": given.uri,
    }
    if first is not None:
        params |= {"sip_contact_user": first.user, "sip_contact_host": first.host}
    params |= {"sip_to_user": uri_user(target), "sip_to_host": uri_host(target)}
    params |= {"sip_to_port": str(target.port)} if target.port else {}
    params["sip_via_protocol"] = request.source.transport
    params |= {"sip_from_user": uri_user(sender), "sip_from_host": uri_host(sender)}
    params |= {"sip_from_port": str(sender.port)} if sender.port else {}
    params["sip_call_id"] = request.call_id
    params |= {"sip_request_user": uri_user(uri), "sip_request_host": uri_host(uri)}
    params |= {"sip_request_port": str(uri.port)} if uri.port else {}
    params |= {
        _x_name(name): value for name, value in all_headers(message) if name.startswith("x-") and value
    }
    params |= {"sip_auth_qop": given.qop} if given.qop else {}
    params |= {"sip_auth_cnonce": given.cnonce} if given.cnonce else {}
    params |= {"sip_auth_nc": given.nc} if given.nc else {}
    params["sip_auth_response"] = given.response
    params["sip_auth_method"] = request.method
    params["client_port"] = str(request.source.port)
    return params


def _x_name(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def user_variables(given: Credentials, domain: str, user: DirectoryUser) -> list[tuple[str, str]]:
    """Return the variables of an authenticated user, in FreeSWITCH's order."""
    alias = user.attribute("number-alias") or given.username or "nobody"
    variables = [
        ("sip_number_alias", alias),
        ("sip_auth_username", given.username),
        ("sip_auth_realm", given.realm),
        ("number_alias", alias),
        ("user_name", given.username),
        ("domain_name", domain),
    ]
    mwi_account = user.param("mwi-account")
    if mwi_account:
        variables.append(("mwi-account", mwi_account))
    for name, value in user.params():
        if name and value and (name.lower().startswith("sip-") or name.lower() == "register-gateway"):
            variables.append((name, value))
    return variables + [(name, value) for name, value in user.variables() if name and value]
