"""Values and counts that several hosts share, in Redis.

A host that dies leaves its sessions counted until it starts again: each is counted with its host's name, and a host
that starts takes its own away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from host.byte_text import to_bytes, to_text
from host.modules.mod_hash.counts import Taken

_VALUES: Final = "moonline:hash"  # a hash of all values
_PLACES: Final = "moonline:limit"  # a set of all places that are counted
_SESSIONS: Final = "moonline:limit:sessions:"  # with a place: the set of `host/uuid`
_RATE: Final = "moonline:limit:rate:"  # with a place: a hash of rate, interval and begun

# A call waits for Redis, so it must not wait long.
_TIMEOUT: Final = 2.0

_DELETE_IF_MATCH: Final = """
local value = redis.call('hget', KEYS[1], ARGV[1])
if not value then return -1 end
if value ~= ARGV[2] then return 0 end
return redis.call('hdel', KEYS[1], ARGV[1])
"""

# KEYS: sessions, rate, places. ARGV: session, place, maximum, interval, elsewhere, now.
_TAKE: Final = """
local maximum, interval, now = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[6])
local new = 1 - redis.call('sismember', KEYS[1], ARGV[1])
local total = redis.call('scard', KEYS[1])
local rate = tonumber(redis.call('hget', KEYS[2], 'rate') or '0')
local allowed = 1
redis.call('sadd', KEYS[3], ARGV[2])
if interval > 0 then
  local begun = tonumber(redis.call('hget', KEYS[2], 'begun') or '0')
  if begun <= now - interval then
    rate = 1
    redis.call('hset', KEYS[2], 'begun', now)
  else
    rate = rate + 1
    if maximum >= 0 and rate > maximum then allowed = 0 end
  end
  redis.call('hset', KEYS[2], 'rate', rate, 'interval', interval)
elseif maximum >= 0 and total + new + tonumber(ARGV[5]) > maximum then
  allowed = 0
end
if allowed == 1 then redis.call('sadd', KEYS[1], ARGV[1]) end
return {allowed, new, redis.call('scard', KEYS[1]), rate}
"""

# KEYS: sessions, rate, places. ARGV: session, place, now.
_RELEASE: Final = """
if redis.call('srem', KEYS[1], ARGV[1]) == 0 then return {0, 0, 0} end
local total = redis.call('scard', KEYS[1])
local rate = tonumber(redis.call('hget', KEYS[2], 'rate') or '0')
local begun = tonumber(redis.call('hget', KEYS[2], 'begun') or '0')
if rate > 0 and begun <= tonumber(ARGV[3]) - tonumber(redis.call('hget', KEYS[2], 'interval') or '0') then
  rate = 0
end
if total == 0 and rate == 0 then
  redis.call('del', KEYS[2])
  redis.call('srem', KEYS[3], ARGV[2])
end
return {1, total, rate}
"""

_T = TypeVar("_T")


class SharedStateError(Exception):
    """Redis cannot be reached, or refuses; the text is its own."""


class SharedState:
    """A Redis server, asked by any thread. Errors are SharedStateError."""

    def __init__(self, url: str, hostname: str, now: Callable[[], int]) -> None:
        """Take `redis://[:PASSWORD@]HOST[:PORT][/DATABASE]`; SharedStateError where the client library is not there."""
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError as error:
            raise SharedStateError("Redis needs the extra moonline[redis]") from error
        self._error = redis.RedisError
        try:
            self._client: Any = redis.Redis.from_url(
                url,
                socket_timeout=_TIMEOUT,
                socket_connect_timeout=_TIMEOUT,
                retry=Retry(NoBackoff(), 1),  # a connection that has been idle may be dead
            )
        except ValueError as error:
            raise SharedStateError(str(error)) from error
        self.hostname = hostname
        self.now = now
        self._scripts = {
            text: self._client.register_script(text) for text in (_DELETE_IF_MATCH, _TAKE, _RELEASE)
        }

    def ask(self, question: Callable[[Any], _T]) -> _T:
        """Return what `question(client)` gives."""
        try:
            return question(self._client)
        except self._error as error:
            raise SharedStateError(str(error)) from error

    def script(self, text: str, keys: list[bytes], arguments: list[bytes]) -> Any:
        """Run one of the scripts above, which no one else's commands come between."""
        return self.ask(lambda client: self._scripts[text](keys=keys, args=arguments))

    def is_up(self) -> bool:
        """Tell whether Redis answers."""
        try:
            return bool(self.ask(lambda client: client.ping()))
        except SharedStateError:
            return False

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class SharedValues:
    """The values of all hosts."""

    def __init__(self, state: SharedState) -> None:
        self._state = state

    def select(self, place: str) -> str:
        value = self._state.ask(lambda client: client.hget(_VALUES, to_bytes(place)))
        return to_text(value) if value is not None else ""

    def insert(self, place: str, value: str) -> None:
        self._state.ask(lambda client: client.hset(_VALUES, to_bytes(place), to_bytes(value)))

    def insert_if_empty(self, place: str, value: str) -> bool:
        return bool(self._state.ask(lambda client: client.hsetnx(_VALUES, to_bytes(place), to_bytes(value))))

    def delete(self, place: str) -> bool:
        return bool(self._state.ask(lambda client: client.hdel(_VALUES, to_bytes(place))))

    def delete_if_match(self, place: str, value: str) -> bool | None:
        done = int(
            self._state.script(_DELETE_IF_MATCH, [_VALUES.encode()], [to_bytes(place), to_bytes(value)])
        )
        return None if done < 0 else bool(done)

    def items(self) -> list[tuple[str, str]]:
        found = self._state.ask(lambda client: client.hgetall(_VALUES))
        return sorted((to_text(place), to_text(value)) for place, value in found.items())


class SharedCounts:
    """The counts of all hosts."""

    def __init__(self, state: SharedState) -> None:
        self._state = state

    def take(self, place: str, uuid: str, maximum: int, interval: int, elsewhere: int) -> Taken:
        numbers = (maximum, interval, elsewhere, self._state.now())
        arguments = [self._member(uuid), to_bytes(place), *(str(number).encode() for number in numbers)]
        allowed, new, total, rate = self._state.script(_TAKE, self._keys(place), arguments)
        return Taken(bool(allowed), bool(new), int(total), int(rate))

    def release(self, place: str, uuid: str) -> tuple[int, int] | None:
        arguments = [self._member(uuid), to_bytes(place), str(self._state.now()).encode()]
        found, total, rate = self._state.script(_RELEASE, self._keys(place), arguments)
        return (int(total), int(rate)) if found else None

    def usage(self, place: str) -> tuple[int, int]:
        sessions, rate, _ = self._keys(place)
        total = self._state.ask(lambda client: client.scard(sessions))
        return int(total), int(self._state.ask(lambda client: client.hget(rate, "rate")) or 0)

    def reset(self) -> None:
        mine = to_bytes(f"{self._state.hostname}/")
        for place in self._places():
            sessions = _key(_SESSIONS, place)
            held = self._state.ask(lambda client: client.smembers(sessions))  # noqa: B023  # asked at once
            for member in held:
                if member.startswith(mine):
                    self.release(place, to_text(member[len(mine) :]))

    def reset_interval(self, place: str) -> None:
        rate = _key(_RATE, place)
        if self._state.ask(lambda client: client.exists(rate)):
            begun = {"rate": 0, "begun": self._state.now()}
            self._state.ask(lambda client: client.hset(rate, mapping=begun))

    def lines(self) -> list[str]:
        lines = []
        for place in self._places():
            sessions, rate, _ = self._keys(place)
            total = self._state.ask(lambda client: client.scard(sessions))  # noqa: B023
            facts = self._state.ask(lambda client: client.hmget(rate, "rate", "interval", "begun"))  # noqa: B023
            numbers = "/".join(str(int(fact or 0)) for fact in facts)
            if total or facts[0]:
                lines.append(f"L/{place}/{total}/{numbers}\n")
        return lines

    def _places(self) -> list[str]:
        return sorted(to_text(place) for place in self._state.ask(lambda client: client.smembers(_PLACES)))

    def _member(self, uuid: str) -> bytes:
        return to_bytes(f"{self._state.hostname}/{uuid}")

    def _keys(self, place: str) -> list[bytes]:
        return [_key(_SESSIONS, place), _key(_RATE, place), _PLACES.encode()]


def _key(beginning: str, place: str) -> bytes:
    return to_bytes(beginning + place)
