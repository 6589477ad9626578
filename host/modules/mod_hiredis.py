"""mod_hiredis: limits counted in Redis, and Redis commands from the dialplan.

A profile of hiredis.conf is a list of servers: the first that answers is asked. The realm of a limit is the name of
a profile, and the resource is the key that is counted. FreeSWITCH's mod_hiredis counts under the same keys, so the
two may share them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from host import limit
from host.byte_text import to_bytes, to_text
from host.clock import SECOND
from host.interfaces import ApiCommand, ApiRequest, Application
from host.leading_number import leading_int
from host.log import LogLevel
from host.module_loader import ModuleUnavailable
from host.truth import is_true

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_MODULE: Final = "mod_hiredis"
_HOST: Final = "localhost"
_PORT: Final = 6379
_TIMEOUT_MS: Final = 1000
_HELD: Final = "hiredis_limits"
_DECREASE: Final = """
local left = redis.call('decr', KEYS[1])
if left <= 0 and ARGV[1] == '1' then redis.call('del', KEYS[1]) end
return left
"""

_profiles: WeakKeyDictionary[Switch, dict[str, Profile]] = WeakKeyDictionary()


class HiredisError(Exception):
    """No server of a profile answers (`unreachable`), or one refuses; the text is its own."""

    def __init__(self, text: str, *, unreachable: bool = False) -> None:
        super().__init__(text)
        self.unreachable = unreachable


@dataclass(slots=True)
class Profile:
    """One profile: its servers, and what it lets pass."""

    name: str
    servers: list[Any] = field(default_factory=list)
    ignore_connect_fail: bool = False
    ignore_error: bool = False
    delete_when_zero: bool = False

    def execute(self, ask: Callable[[Any], Any]) -> Any:
        """Return what `ask(client)` gives with the first server that answers. HiredisError."""
        import redis

        reason = "no connections are configured"
        for server in self.servers:
            try:
                return ask(server)
            except (redis.ConnectionError, redis.TimeoutError) as error:
                reason = str(error)
            except redis.RedisError as error:
                raise HiredisError(str(error)) from error
        raise HiredisError(reason, unreachable=True)

    def passes(self, error: HiredisError) -> bool:
        """Tell whether a call that could not be counted may go on all the same."""
        return self.ignore_error or (error.unreachable and self.ignore_connect_fail)


class HiredisLimit:
    """The limit back end `hiredis`. FreeSWITCH: a session counts as often as it asks; a maximum of 0 is none."""

    name = "hiredis"
    module = _MODULE

    def __init__(self, switch: Switch, profiles: dict[str, Profile]) -> None:
        self._switch = switch
        self._profiles = profiles

    def take(self, session: Session, realm: str, resource: str, maximum: int, interval: int) -> bool:
        channel = session.channel
        profile = self._profiles.get(realm)
        if profile is None:
            channel.log(LogLevel.ERR, f"hiredis: Unable to locate profile[{realm}]")
            return False
        # An interval has a key of its own, which goes when it is over.
        now = self._switch.clock.time() // SECOND
        key = to_bytes(f"{resource}_{now // interval}" if interval else resource)
        try:
            count = int(profile.execute(lambda client: client.incr(key)))
            if interval and count == 1:
                profile.execute(lambda client: client.expire(key, interval))
        except HiredisError as error:
            channel.set_variable("hiredis_raw_response", str(error))
            channel.log(
                LogLevel.ERR, f"hiredis: profile[{realm}] error incrementing [{resource}] because [{error}]"
            )
            return profile.passes(error)
        channel.set_variable("hiredis_raw_response", str(count))
        if 0 < maximum < count:
            channel.set_variable("hiredis_limit_exceeded", "true")
            if not interval:
                self._give_back(session, profile, key)
            return False
        if not interval and count > 0:
            held: list[tuple[str, str]] = session.private(_HELD, list) or []
            session.channel.private[_HELD] = [*held, (realm, resource)]
        limit.set_usage(channel, realm, resource, count)
        return True

    def release(self, session: Session, realm: str | None = None, resource: str | None = None) -> None:
        held: list[tuple[str, str]] = session.private(_HELD, list) or []
        given = held if realm is None else [one for one in held if one == (realm, resource)][:1]
        left = list(held)
        for one in given:
            left.remove(one)
        session.channel.private[_HELD] = left
        for held_realm, held_resource in given:
            profile = self._profiles.get(held_realm)
            if profile is not None:
                self._give_back(session, profile, to_bytes(held_resource))

    def usage(self, realm: str, resource: str) -> tuple[int, int]:
        profile = self._profiles.get(realm)
        if profile is None:
            self._switch.log(LogLevel.ERR, f"hiredis: Unable to locate profile[{realm}]")
            return -1, 0
        try:
            value = profile.execute(lambda client: client.get(to_bytes(resource)))
        except HiredisError as error:
            self._switch.log(
                LogLevel.ERR, f"hiredis: profile[{realm}] error querying [{resource}] because [{error}]"
            )
            return -1, 0
        return leading_int(to_text(value or b"")), 0

    def reset(self) -> bool:
        self._switch.log(LogLevel.ERR, "hiredis: unable to globally reset hiredis limit resources")
        return False

    def reset_interval(self, realm: str, resource: str) -> None:
        self._switch.log(LogLevel.ERR, "hiredis: unable to reset hiredis interval limit resources.")

    def status(self) -> str:
        return "-ERR not supported"

    def _give_back(self, session: Session, profile: Profile, key: bytes) -> None:
        delete = b"1" if profile.delete_when_zero else b"0"
        try:
            profile.execute(lambda client: client.eval(_DECREASE, 1, key, delete))
        except HiredisError as error:
            session.channel.log(
                LogLevel.ERR, f"hiredis: profile[{profile.name}] error decrementing because [{error}]"
            )


def read_profiles(switch: Switch) -> dict[str, Profile]:
    """Return the profiles of hiredis.conf; RuntimeError without the configuration or the client library."""
    configuration = switch.xml.configuration("hiredis.conf")
    if configuration is None:
        raise ModuleUnavailable("there is no configuration hiredis.conf")
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise ModuleUnavailable("mod_hiredis needs the extra moonline[redis]") from error
    profiles = {}
    for element in configuration.findall("profiles/profile"):
        params = {param.get("name", ""): param.get("value", "") for param in element.findall("params/param")}
        profile = Profile(
            element.get("name", ""),
            ignore_connect_fail=is_true(params.get("ignore-connect-fail")),
            ignore_error=is_true(params.get("ignore-error")),
            delete_when_zero=is_true(params.get("delete-when-zero")),
        )
        for connection in element.findall("connections/connection"):
            values = {
                param.get("name", "").replace("_", "-"): param.get("value", "")
                for param in connection.findall("param")
            }
            timeout = (leading_int(values.get("timeout-ms", "")) or _TIMEOUT_MS) / 1000
            profile.servers.append(
                redis.Redis(
                    values.get("hostname") or _HOST,
                    leading_int(values.get("port", "")) or _PORT,
                    password=values.get("password") or None,
                    socket_timeout=timeout,
                    socket_connect_timeout=timeout,
                    # A connection that has been idle may be dead; otherwise the next server's turn has come.
                    retry=Retry(NoBackoff(), 1),
                )
            )
        profiles[profile.name] = profile
    return profiles


def load(switch: Switch) -> None:
    """Bring the limit back end `hiredis`, and `hiredis_raw` as application and command. See `read_profiles`."""
    profiles = read_profiles(switch)
    _profiles[switch] = profiles

    def raw(text: str) -> str:
        """Run `<profile> <Redis command>` and return the answer. HiredisError."""
        name, _, line = text.partition(" ")
        profile = profiles.get(name)
        if profile is None:
            raise HiredisError(f"Unable to locate profile[{name}]")
        words = line.split()
        if not words:
            raise HiredisError("Use the format 'default set keyname value'")
        return _answer(profile.execute(lambda client: client.execute_command(*map(to_bytes, words))))

    def application(session: Session, data: str) -> None:
        try:
            answer = raw(data)
        except HiredisError as error:
            session.channel.log(LogLevel.ERR, f"hiredis: {error}")
            answer = str(error)
        session.channel.set_variable("hiredis_raw_response", answer)

    def command(request: ApiRequest) -> str:
        try:
            return raw(request.argument)
        except HiredisError as error:
            request.switch.log(LogLevel.ERR, f"hiredis: {error}")
            return ""

    switch.limits.add(HiredisLimit(switch, profiles))
    switch.api_commands.add(ApiCommand("hiredis_raw", _MODULE, command, "", "hiredis_raw"))
    switch.applications.add(
        Application(
            "hiredis_raw", _MODULE, application, "", "hiredis_raw", routing_exec=True, zombie_exec=True
        )
    )


def unload(switch: Switch) -> None:
    """Close the connections."""
    for profile in _profiles.pop(switch, {}).values():
        for server in profile.servers:
            server.close()


def _answer(value: object) -> str:
    """Return a Redis answer as text: elements of a list on lines of their own, nothing for none."""
    if isinstance(value, (list, tuple, set)):
        return "\n".join(_answer(one) for one in value)
    if isinstance(value, bytes):
        return to_text(value)
    if isinstance(value, bool):
        return "OK" if value else "0"
    return "" if value is None else str(value)
