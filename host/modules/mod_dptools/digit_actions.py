"""Applications that bind keys to actions: `bind_digit_action`, `bind_meta_app` and their companions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.arguments import separate
from host.channel import Flag
from host.clock import MILLISECOND, Timer
from host.digit_action import DigitMachine, Matched, Unmatched
from host.event import Event
from host.inbox import Digit
from host.ivr.broadcast import Broadcast, broadcast, queue_broadcast
from host.ivr.uuid_bridge import partner_of
from host.leading_number import leading_int
from host.log import LogLevel
from host.meta_key import MetaBinding, MetaKeys

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

applications: Final = ApplicationTable("mod_dptools")
application = applications.application

_DIGIT_TIMEOUT_MS: Final = 1500
_BIND_USAGE: Final = "<realm>,<digits|~regex>,<string>[,<value>][,<dtmf target leg>][,<event target leg>]"
_META_USAGE: Final = "<key> [a|b|ab] [a|b|o|s|i|1] <app>"
# FreeSWITCH counts the keys 0-9, A-D as 0 to 13; only these can be bound.
_META_KEYS: Final = "0123456789ABCD"


@dataclass(frozen=True, slots=True)
class _Action:
    """What a binding does: `text` is `exec[flags]:app`, `api:command` or a name of the script's own."""

    text: str
    value: str
    target: str


class _Keys:
    """The digit machine of one direction of a call: keys that the leg presses (`self`), or that are sent to it."""

    def __init__(self, session: Session, target: str) -> None:
        variables = session.channel.variables
        self.session = session
        self.target = target
        timeout = variables.get("bind_digit_digit_timeout")
        self.machine: DigitMachine[_Action] = DigitMachine(
            leading_int(timeout) if timeout is not None else _DIGIT_TIMEOUT_MS
        )
        self._timer: Timer | None = None

    def take(self, digit: Digit) -> bool:
        """Look at a key; it does not go on by itself."""
        self._stop_timer()
        self._act(self.machine.feed(digit.digit))
        if self.machine.digits:
            delay = self.machine.digit_timeout_ms * MILLISECOND
            self._timer = self.session.clock.call_later(delay, self._time_out)
        return True

    def close(self) -> None:
        """Forget what was pressed."""
        self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_out(self) -> None:
        self._timer = None
        if self.session.channel.up:
            self._act(self.machine.time_out())

    def _act(self, decided: Matched[_Action] | Unmatched | None) -> None:
        if isinstance(decided, Matched):
            for session in _targets(self.session, decided.action.target):
                _run(session, decided)
        elif isinstance(decided, Unmatched):
            self._give_back(decided.digits)

    def _give_back(self, digits: str) -> None:
        session = self.session
        if self.target == "peer":
            session = partner_of(session) or session
        session.channel.variables.set("last_non_matching_digits", digits)
        event = Event("CHANNEL_DATA")
        event.add_header("digits", digits)
        # FreeSWITCH: an operation that takes input looks for keys first, and for an event in the same breath.
        for digit in digits:
            session.receive_digit(Digit(digit, source="APP", processed=False))
        if session.in_own_thread or callable(session.channel.private.get("divert_events")):
            session.queue_event(event)
        else:
            session.inbox.put_with_next_frame(event)


def _targets(session: Session, target: str) -> Iterator[Session]:
    other = partner_of(session)
    if target in ("peer", "both"):
        yield other or session
    if target == "self" or (target == "both" and other is not None):
        yield session


def _run(session: Session, matched: Matched[_Action]) -> None:
    """Queue the event of a binding for the script, and do what it says."""
    action = matched.action
    channel = session.channel
    channel.variables.set("last_matching_digits", matched.digits)
    channel.log(LogLevel.DEBUG, f"{channel.name} Digit match binding [{action.text}][{action.value}]")
    kind, name, flags = _parse(action.text)
    event = Event("CHANNEL_DATA")
    event.add_header(name, action.value)
    event.add_header("digits", matched.digits)
    if kind == "exec":
        event.add_header("execute", "blocking" if "i" in flags else "non-blocking")
    session.queue_event(event)
    if kind == "exec" and "i" in flags:
        session.run_in_session(lambda s: s.execute(name, action.value))
    elif kind == "exec":
        queue_broadcast(session, Broadcast(name, action.value))
    elif kind == "api":
        session.run_in_session(lambda s: _call_api(s, name, action.value))


def _parse(text: str) -> tuple[str, str, str]:
    """Return the kind (exec, api or empty), the name and the flags of `exec[flags]:name`, `api:name` or a name."""
    lowered = text.lower()
    if lowered.startswith("exec:"):
        return "exec", text[5:], ""
    if lowered.startswith("exec["):
        flags, bracket, rest = text[5:].partition("]")
        if bracket and rest.startswith(":"):
            return "exec", rest[1:], flags
    if lowered.startswith("api:"):
        return "api", text[4:], ""
    return "", text, ""


def _call_api(session: Session, command: str, argument: str) -> None:
    reply = session.switch.api(command, argument)
    session.channel.variables.set("bind_digit_action_api_result", reply or None)


def _key(target: str) -> str:
    return f"digit_machine_{target}"


def _keys(session: Session, target: str) -> _Keys | None:
    found = session.channel.private.get(_key(target))
    return found if isinstance(found, _Keys) else None


def _target(text: str) -> str:
    return text.lower() if text.lower() in ("peer", "both") else "self"


@application("bind_digit_action", _BIND_USAGE, "bind a key sequence or regex to an action")
def bind_digit_action(session: Session, data: str) -> None:
    """Bind digits or a pattern to an application, a command or an event for the script."""
    parts = separate(data, ",", 6)
    if len(parts) < 3 or not all(parts[:3]):
        session.channel.log(LogLevel.WARNING, f"Syntax Error, USAGE {_BIND_USAGE}")
        return
    realm, digits, text = parts[:3]
    value = parts[3] if len(parts) > 3 else ""
    target = _target(parts[4]) if len(parts) > 4 else "self"
    action = _Action(text, value, _target(parts[5]) if len(parts) > 5 else "self")
    for one in ("peer", "self") if target == "both" else (target,):
        keys = _keys(session, one)
        if keys is None:
            keys = _Keys(session, one)
            session.channel.private[_key(one)] = keys
            interceptors = session.digit_interceptors if one == "self" else session.sent_digit_interceptors
            interceptors.append(keys.take)
            session.at_hangup.append(keys.close)
        _, _, flags = _parse(text)
        keys.machine.bind(realm, digits, action, priority="P" in flags)
        keys.machine.terminators = (
            session.channel.variables.get("bda_terminators") or keys.machine.terminators
        )


@application("clear_digit_action", "<realm>|all[,target]", "clear all digit bindings")
def clear_digit_action(session: Session, data: str) -> None:
    """Forget the bindings of one realm, or all."""
    realm, _, target = data.partition(",")
    target = _target(target)
    for one in ("peer", "self") if target == "both" else (target,):
        keys = _keys(session, one)
        if keys is None:
            continue
        if realm and realm.lower() != "all":
            keys.machine.clear_realm(realm)
            continue
        keys.close()
        del session.channel.private[_key(one)]
        for interceptors in (session.digit_interceptors, session.sent_digit_interceptors):
            if keys.take in interceptors:
                interceptors.remove(keys.take)


@application("digit_action_set_realm", "<realm>[,<target>]", "change binding realm")
def digit_action_set_realm(session: Session, data: str) -> None:
    """Make another realm's bindings count."""
    realm, _, target = data.partition(",")
    target = _target(target)
    for one in ("peer", "self") if target == "both" else (target,):
        keys = _keys(session, one)
        if keys is not None and not keys.machine.set_realm(realm):
            session.channel.log(LogLevel.ERR, f"Digit parser: Error Setting realm to '{realm}'")


class _Meta:
    """The meta keys of a call: those that it presses, and those that its partner presses."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.pressed = MetaKeys()
        self.sent = MetaKeys()
        session.digit_interceptors.append(lambda digit: self._take(self.pressed, digit, from_a=True))
        session.sent_digit_interceptors.append(lambda digit: self._take(self.sent, digit, from_a=False))

    def _take(self, keys: MetaKeys, digit: Digit, *, from_a: bool) -> bool:
        session = self.session
        if not keys.bindings or Flag.INNER_BRIDGE in session.channel.flags:
            return False
        swallowed, binding = keys.feed(digit.digit, session.clock.now())
        if binding is not None:
            same, opposite = ("aleg", "bleg") if from_a else ("bleg", "aleg")
            legs = {"b": "bleg", "o": opposite, "s": same}.get(binding.leg, "aleg")
            broadcast(session.switch, session.uuid, binding.application, legs)
        return swallowed


def _meta(session: Session) -> _Meta:
    found = session.channel.private.get("meta_keys")
    if not isinstance(found, _Meta):
        found = session.channel.private["meta_keys"] = _Meta(session)
    return found


@application("bind_meta_app", _META_USAGE, "Bind a key to an application")
def bind_meta_app(session: Session, data: str) -> None:
    """Bind a key, pressed behind `bind_meta_key` (`*`) by one leg or both, to an application."""
    parts = separate(data, " ", 4)
    if len(parts) != 4:
        session.channel.log(LogLevel.ERR, f"Usage: {_META_USAGE}")
        return
    key, listens, flags, text = parts
    variable = session.channel.variables.get("bind_meta_key") or "*"
    meta_key = variable[0] if variable[0] in "0123456789*#ABCDabcd" else "*"
    if key[:1].upper() not in _META_KEYS or key[:1] == meta_key:
        session.channel.log(LogLevel.ERR, "Bind Error!")
        return
    leg = next((sign for sign in "aobs" if sign in flags), "a")
    meta = _meta(session)
    for sign, keys in (("a", meta.pressed), ("b", meta.sent)):
        if sign in listens:
            keys.meta = meta_key
            keys.bindings[key[:1].upper()] = MetaBinding(text, leg, once="1" in flags)


@application("unbind_meta_app", "[<key>]", "Unbind a key from an application")
def unbind_meta_app(session: Session, data: str) -> None:
    """Forget one key's binding, or all."""
    meta = _meta(session)
    for keys in (meta.pressed, meta.sent):
        if data:
            keys.bindings.pop(data[:1].upper(), None)
        else:
            keys.bindings.clear()


def load(switch: Switch) -> None:
    """Bring these applications."""
    applications.register(switch)
