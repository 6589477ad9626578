"""Who logs in: the directory is asked, or nobody where `blind-reg` lets everybody in."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from host.clock import SECOND
from host.leading_number import leading_long
from host.log import LogLevel
from host.modules.mod_verto.json_rpc import (
    LOGIN_FAILED,
    LOGIN_NEEDED,
    Answer,
    RpcError,
    object_member,
    plain_members,
    text_member,
)
from host.modules.mod_verto.permissions import user_permissions
from host.truth import is_true

if TYPE_CHECKING:
    from host.json_members import JsonMembers
    from host.modules.mod_verto.client import Client
    from host.modules.mod_verto.verto import Verto
    from host.xml_directory import DirectoryUser

LOGIN: Final = "verto::login"
# Variables that applications or commands are run by, or that dialplans decide by what a caller may.
_NOT_FOR_PAGES: Final = re.compile(
    r"exec|^(?:_?nolocal|bridge_|group_confirm|transfer_|api_|toll_allow|accountcode|user_|domain_)",
    re.IGNORECASE,
)
# FreeSWITCH: how long a login lasts whose `login-expires` is over, in seconds.
_SHORT_LOGIN: Final = 300


class _Password(NamedTuple):
    """What the directory has: the password, or the hash of user, domain and password."""

    value: str
    hashed: bool


def log_in(verto: Verto, client: Client, params: JsonMembers | None) -> None:
    """Let a client in that says who it is; RpcError in FreeSWITCH's words where it does not, or wrongly."""
    if params is None:
        raise RpcError(LOGIN_FAILED, "Missing params")
    login, password = text_member(params, "login"), text_member(params, "passwd")
    if not login:
        raise RpcError(LOGIN_NEEDED, "Authentication Required")
    if not password:
        raise _failure(verto, client, params, "Missing passwd")
    profile = client.profile
    if login == "root" and profile.root_password:
        if not hmac.compare_digest(_bytes(password), _bytes(profile.root_password)):
            raise _failure(verto, client, params, "Authentication Failure")
        return
    if not profile.userauth:
        raise RpcError(LOGIN_NEEDED, "Authentication Required")
    user, domain = _who(client, login)
    if not (user and domain):
        raise RpcError(LOGIN_FAILED, "Missing or improper credentials")
    asked = dict(plain_members(object_member(params, "loginParams")))
    if profile.send_password or verto.settings.send_password:
        asked["user_supplied_pass"] = password
    asked["action"] = "jsonrpc-authenticate"
    found = verto.switch.xml.directory.user(user, domain, key="id", params=asked)
    if found is None and not profile.blind_reg:
        verto.log(LogLevel.WARNING, f"Login incorrect for user: {user} domain: {domain}")
        raise _failure(verto, client, params, "Login Incorrect")
    if found is not None and not _is_right(found, user, domain, password):
        verto.switch.xml.directory.flush_cache("id", user, domain)
        raise _failure(verto, client, params, "Authentication Failure")
    verto.note_login(client)
    _enter(verto, client, user, domain, params, found)


def answer_login(verto: Verto, client: Client, params: JsonMembers | None) -> Answer:
    """Answer the method `login`, once `log_in` has let the client in, and tell it with the event verto::login."""
    told: dict[str, object] = {"message": "logged in"}
    if client.expires:
        told["auth-expires"] = client.expires
    get = client.user_variables.get
    if is_true(get("moderator")):
        told["moderator"] = True
    if is_true(get("stereo_audio")):
        told["stereoAudio"] = True
    if is_true(get("superuser")):
        told["superuser"] = True
    _tell(verto, client, params, success=True, text="Logged in")
    return Answer(told)


def _who(client: Client, login: str) -> tuple[str, str]:
    profile = client.profile
    user, domain = login, ""
    if profile.userauth.startswith("@"):
        domain = profile.userauth[1:]
    elif is_true(profile.userauth) and profile.chop_domain:
        user, _, domain = login.partition("@")
    return user, profile.register_domain or domain


def _is_right(found: DirectoryUser, user: str, domain: str, password: str) -> bool:
    known = _password(found)
    if known is None or not known.value:
        return False
    given = password
    if known.hashed:
        given = hashlib.md5(_bytes(f"{user}:{domain}:{password}"), usedforsecurity=False).hexdigest()
    return hmac.compare_digest(_bytes(given), _bytes(known.value))


def _password(found: DirectoryUser) -> _Password | None:
    """FreeSWITCH: the first `password`, but what is a `jsonrpc-password` or an `a1-hash` comes before it."""
    known: _Password | None = None
    hashed = False
    for name, value in found.params():
        lowered = name.lower()
        hashed |= lowered == "a1-hash"
        if lowered in ("jsonrpc-password", "a1-hash") or (lowered == "password" and known is None):
            known = _Password(value, hashed)
    return known._replace(hashed=hashed) if known is not None else None


def _enter(
    verto: Verto,
    client: Client,
    user: str,
    domain: str,
    params: JsonMembers,
    found: DirectoryUser | None,
) -> None:
    verto.log(LogLevel.NOTICE, f"Login successful for user: {user} domain: {domain}")
    client.user, client.domain = user, domain
    client.page_variables = _page_variables(verto, client, object_member(params, "userVariables"))
    if found is not None:
        client.params = {name.lower(): value for name, value in found.params()}
        client.user_variables = {name.lower(): value for name, value in found.variables()}
        client.variables = found.variables()
        client.dialplan = client.params.get("verto-dialplan", "")
        client.context = client.params.get("verto-context", "")
        client.permissions = user_permissions(client.params)
        expires = client.user_variables.get("login-expires")
        if expires is not None:
            _limit(verto, client, leading_long(expires))
    client.ready = True


def _page_variables(verto: Verto, client: Client, told: JsonMembers | None) -> list[tuple[str, str]]:
    """Return the variables that a page gives its calls. FreeSWITCH takes any; those that run or permit something are
    for the directory to set.
    """
    taken = []
    for name, value in plain_members(told):
        if _NOT_FOR_PAGES.search(name) is None:
            taken.append((name, value))
        else:
            verto.log(LogLevel.WARNING, f"{client.uid} may not set the variable {name}")
    return taken


def _limit(verto: Verto, client: Client, expires: int) -> None:
    now = verto.switch.clock.time() // SECOND
    if expires <= now:
        verto.log(LogLevel.WARNING, f"Invalid expire time for {client.uid}. Defaulting to {_SHORT_LOGIN} sec")
        expires = now + _SHORT_LOGIN
    client.expires = expires
    verto.limit(client)


def _failure(verto: Verto, client: Client, params: JsonMembers, text: str) -> RpcError:
    _tell(verto, client, params, success=False, text=text)
    verto.note_failed_login(client)
    return RpcError(LOGIN_FAILED, text)


def _tell(verto: Verto, client: Client, params: JsonMembers | None, *, success: bool, text: str) -> None:
    headers = [("verto_login", text_member(params, "login") or "")] if params is not None else []
    if params is not None and success:
        headers.append(("verto_sessid", text_member(params, "sessid") or ""))
    headers += [("verto_success", "1" if success else "0"), ("verto_result_txt", text)]
    verto.tell(LOGIN, client, *headers)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
