"""The endpoints that stand for others: `error/CAUSE`, `user/id@domain`, `group/name@domain`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from host.expansion import expand
from host.hangup_cause import HangupCause, parse_cause
from host.ivr.dial_options import DEFAULT_TIMEOUT
from host.ivr.originate import Request, place_call, place_first
from host.leading_number import leading_int
from host.log import LogLevel
from host.xml_directory import group_delimiter

if TYPE_CHECKING:
    from host.interfaces import OutgoingCall
    from host.session import Session
    from host.switch import Switch
    from host.xml_directory import DirectoryUser

_MODULE: Final = "mod_dptools"
_NO_FAILURES: Final = (HangupCause.NONE, HangupCause.SUCCESS)
_FALSE: Final = frozenset({"false", "no", "off", "0", "f", "disabled", "inactive", "disallow"})


class ErrorEndpoint:
    """`error/CAUSE`: fails at once with that cause."""

    name = "error"
    module = _MODULE

    def outgoing(self, switch: Switch, call: OutgoingCall) -> Session | HangupCause:
        """Return the cause; FreeSWITCH: an unknown name is NORMAL_CLEARING, NONE is DESTINATION_OUT_OF_ORDER."""
        cause = parse_cause(call.address)
        return cause if cause not in _NO_FAILURES else HangupCause.DESTINATION_OUT_OF_ORDER


class UserEndpoint:
    """`user/id@domain`: dials the `dial-string` of that user of the directory."""

    name = "user"
    module = _MODULE

    def outgoing(self, switch: Switch, call: OutgoingCall) -> Session | HangupCause:
        """Return the user's leg, answered already unless the call is forked."""
        user_id, at, domain = call.address.partition("@")
        domain = domain if at else switch.domain
        given = dict(call.variables)
        asked = {"as_channel": "true", "action": "user_call", **given}
        if given.get("user_recurse_variables", "").lower() in _FALSE and "user_recurse_variables" in given:
            given = {}
        user = switch.xml.directory.user(user_id, domain, key="id", params=asked) if domain else None
        if user is None:
            switch.log(LogLevel.WARNING, f"Can't find user [{user_id}@{domain}]")
            return HangupCause.SUBSCRIBER_ABSENT
        return self._dial(switch, call, user, domain, given)

    def _dial(
        self, switch: Switch, call: OutgoingCall, user: DirectoryUser, domain: str, given: dict[str, str]
    ) -> Session | HangupCause:
        dial_string = user.param("dial-string")
        if dial_string is None:
            switch.log(LogLevel.ERR, "No dial-string available, please check your user directory.")
            return HangupCause.MANDATORY_IE_MISSING
        for name, value in user.params():
            if name.lower().startswith("dial-var-"):
                given[name[9:]] = value
        dialed = user.attribute("id") or ""
        given.update(dialed_user=dialed, dialed_domain=domain)
        if dial_string and "presence_id=" not in dial_string:
            given["presence_id"] = f"{dialed}@{domain}"
        caller = call.originator
        if caller is not None:
            caller.channel.variables.set("dialed_user", dialed)
            caller.channel.variables.set("dialed_domain", domain)
        dial_string = _expanded(switch, caller, given, dial_string)
        if f"user/{dialed}".lower() in dial_string.lower():
            switch.log(LogLevel.WARNING, f"user/{dialed} would call itself in an endless loop")
            return HangupCause.INVALID_IE_CONTENTS
        made = _nested(switch, call, given, dial_string)
        if isinstance(made, HangupCause):
            return made
        context = made.channel.get_variable("user_context")
        if context:
            made.channel.profile.context = context
        for name, value in user.variables():
            made.channel.variables.set(name, value)
        return made


class GroupEndpoint:
    """`group/name@domain`: dials what `group_call` makes of that group."""

    name = "group"
    module = _MODULE

    def outgoing(self, switch: Switch, call: OutgoingCall) -> Session | HangupCause:
        """Return the leg of who of the group answered first."""
        address, _, flags = call.address.partition("+")
        group, at, domain = address.partition("@")
        domain = domain if at else switch.domain
        given = dict(call.variables)
        if given.get("group_recurse_variables", "").lower() in _FALSE and "group_recurse_variables" in given:
            given = {}
        delimiter = group_delimiter(flags)

        def fill(text: str, names: Mapping[str, str]) -> str:
            return _expanded(switch, call.originator, {**given, **names}, text)

        dial_string = switch.xml.directory.group_dial_string(group, domain, fill, delimiter)
        made = _nested(switch, call, given, dial_string or "error/NO_ROUTE_DESTINATION", keep_profile=False)
        if isinstance(made, HangupCause):
            return made
        context = made.channel.get_variable("group_context")
        if context:
            made.channel.profile.context = context
        return made


def _expanded(switch: Switch, caller: Session | None, given: Mapping[str, str], text: str) -> str:
    """Fill in `${…}` of a dial string from the variables of the call, then from the caller's or the globals."""

    def lookup(name: str, index: int | None) -> str | None:
        value = given.get(name)
        if value is None and caller is not None:
            value = caller.channel.get_variable(name, index)
        return switch.global_variables.get(name) if value is None else value

    return expand(text, lookup, api=lambda command, argument: switch.api(command, argument, caller))


def _nested(
    switch: Switch,
    call: OutgoingCall,
    given: Mapping[str, str],
    dial_string: str,
    *,
    keep_profile: bool = True,
) -> Session | HangupCause:
    """Dial in place of the leg asked for. Beside others in a fork only the first leg is dialled, and not waited for."""
    variables = dict(given)
    timeout = variables.get("call_timeout") or variables.get("leg_timeout")
    request = Request(
        switch,
        call.originator,
        leading_int(timeout) if timeout is not None else DEFAULT_TIMEOUT,
        variables,
        profile=call.profile if keep_profile else None,
        cancel=call.cancel,
        wait=call.wait,
    )
    if call.forked:
        return place_first(request, dial_string)
    leg, cause = place_call(request, dial_string)
    return leg if leg is not None else cause


def load(switch: Switch) -> None:
    """Bring the endpoints `error`, `user` and `group`."""
    for endpoint in (ErrorEndpoint(), UserEndpoint(), GroupEndpoint()):
        switch.endpoints.add(endpoint)
