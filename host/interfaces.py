"""The registries through which a module's capabilities enter the switch, and their interface types."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from host.asr import AsrHandle, AsrRequest
    from host.caller_profile import CallerExtension, CallerProfile
    from host.event import Event
    from host.hangup_cause import HangupCause
    from host.ivr.originate_wait import OriginateWait
    from host.say.request import SayWords
    from host.session import Session
    from host.switch import Switch
    from media.source import Source


class Interface(Protocol):
    """What every registered interface has: its name and the module that owns it."""

    @property
    def name(self) -> str: ...

    @property
    def module(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Application:
    """A dialplan application. `run(session, data)` gets data that is already expanded.

    `needs_media` answers the call's media first (FreeSWITCH: an application without SAF_SUPPORT_NOMEDIA);
    `routing_exec` may run inline while the dialplan hunts; `raw_data` takes its data unexpanded.
    """

    name: str
    module: str
    run: Callable[[Session, str], object]
    syntax: str = ""
    description: str = ""
    needs_media: bool = False
    routing_exec: bool = False
    zombie_exec: bool = False
    raw_data: bool = False


@dataclass(slots=True)
class ApiRequest:
    """One call of an API command: its argument text, the session it came from, and its parameters as an event."""

    switch: Switch
    argument: str
    session: Session | None = None
    event: Event | None = None
    output: list[str] = field(default_factory=list)

    def write(self, text: str) -> None:
        """Add to the reply."""
        self.output.append(text)


@dataclass(frozen=True, slots=True)
class ApiCommand:
    """An API command: `run(request)` returns the reply, or writes it to the request and returns None."""

    name: str
    module: str
    run: Callable[[ApiRequest], str | None]
    syntax: str = ""
    description: str = ""


@dataclass(slots=True)
class OutgoingCall:
    """What an endpoint needs to place a call: the address behind its name, variables and the originating leg.

    `forked`: other legs are called beside this one, so the endpoint must not wait for an answer. `cancel` and `wait`
    are those of the call, for an endpoint that places another one in its place: what gives it up, and what is woken.
    """

    address: str
    variables: Mapping[str, str]
    profile: CallerProfile
    originator: Session | None = None
    forked: bool = False
    cancel: Callable[[], HangupCause | None] | None = None
    wait: OriginateWait | None = None


class Endpoint(Protocol):
    """A kind of channel (loopback, sofia, …)."""

    name: str
    module: str

    def outgoing(self, switch: Switch, call: OutgoingCall) -> Session | HangupCause:
        """Make the session of an outgoing leg, not yet started, or say why there is none."""


class ChannelIO(Protocol):
    """An endpoint's side of one channel: what the switch tells it. Every method returns at once."""

    def answer(self, session: Session) -> None: ...

    def pre_answer(self, session: Session) -> None: ...

    def ring_ready(self, session: Session) -> None: ...

    def send_dtmf(self, session: Session, digit: str, duration: int, processed: bool = True) -> None:
        """Send a digit; one that is not `processed` is for nothing that looks at keys, on other legs of ours, too."""

    def hangup(self, session: Session) -> None: ...

    def message(self, session: Session, kind: str, argument: str) -> bool:
        """Take a message such as "hold", "unhold", "deflect", "display"; False when it means nothing here."""


@dataclass(frozen=True, slots=True)
class Dialplan:
    """A dialplan: `hunt(session, argument, profile)` returns the extension to execute, None when none fits."""

    name: str
    module: str
    hunt: Callable[[Session, str, CallerProfile], CallerExtension | None]


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A file format by name ending (`wav`) or by scheme (`tone_stream`).

    `open(switch, path, rate, parameters)` returns what the media engine plays, at `rate` samples a second; it raises
    `OSError` with the reason when there is nothing to play. `record` says whether files can be written.
    """

    name: str
    module: str
    open: Callable[[Switch, str, int, Mapping[str, str]], Source]
    record: bool = False


@dataclass(frozen=True, slots=True)
class SayInterface:
    """A language's `say`: `words(request)` yields the prompts' names in order, without ending.

    Names are relative to the sound prefix (`digits/7`) or whole `scheme://…`; SayError where the text cannot be said.
    With `as_string` they are played as one `file_string://`, which the API `say_string` can answer, too; else one
    after another (FreeSWITCH has languages of both kinds).
    """

    name: str
    module: str
    words: SayWords
    as_string: bool = False


@dataclass(frozen=True, slots=True)
class SpeechInterface:
    """A text-to-speech engine: `speak(text, voice, rate)` returns int16 samples as a source."""

    name: str
    module: str
    speak: Callable[[str, str, int], Source]


@dataclass(frozen=True, slots=True)
class AsrInterface:
    """A speech recognition engine: `open(request)` begins to listen for one call, AsrError says why it cannot."""

    name: str
    module: str
    open: Callable[[AsrRequest], AsrHandle]


@dataclass(frozen=True, slots=True)
class ChatInterface:
    """A chat protocol: `send(message)` delivers it, False when it cannot."""

    name: str
    module: str
    send: Callable[[Event], bool]


@dataclass(frozen=True, slots=True)
class ChatApplication:
    """An application for messages (`chatplan`)."""

    name: str
    module: str
    run: Callable[[Event, str], object]
    syntax: str = ""


@dataclass(frozen=True, slots=True)
class JsonApi:
    """A command of the `json` API: takes and returns JSON objects."""

    name: str
    module: str
    run: Callable[[Switch, dict[str, object], Session | None], object]


I = TypeVar("I", bound=Interface)  # noqa: E741


class Registry(Generic[I]):
    """Interfaces of one kind by name; names ignore case unless `exact`. `permits` may refuse what is added."""

    def __init__(
        self, kind: str, *, exact: bool = False, permits: Callable[[str, Interface], bool] | None = None
    ) -> None:
        self.kind = kind
        self._exact = exact
        self._permits = permits
        self._interfaces: dict[str, I] = {}
        self._refused: dict[str, I] = {}
        self._lock = threading.Lock()

    def add(self, interface: I) -> None:
        """Register `interface`, unless it is not permitted; the newest of a name wins."""
        permitted = self._permits is None or self._permits(self.kind, interface)
        with self._lock:
            (self._interfaces if permitted else self._refused)[self._key(interface.name)] = interface

    def remove_module(self, module: str) -> None:
        """Take back everything that `module` registered."""
        with self._lock:
            self._interfaces = {k: v for k, v in self._interfaces.items() if v.module != module}
            self._refused = {k: v for k, v in self._refused.items() if v.module != module}

    def take_out(self, module: str) -> list[Callable[[], None]]:
        """Take back what `module` registered, and return what registers it again."""
        brought = [interface for interface in self.offered() if interface.module == module]
        self.remove_module(module)
        return [partial(self.add, interface) for interface in brought]

    def offered(self) -> list[I]:
        """Return all that modules brought, what was refused included, sorted by name."""
        with self._lock:
            both = [*self._interfaces.values(), *self._refused.values()]
        return sorted(both, key=lambda interface: interface.name)

    def get(self, name: str) -> I | None:
        """Return the interface of that name, None when no module brought it."""
        return self._interfaces.get(self._key(name))

    def __iter__(self) -> Iterator[I]:
        return iter(sorted(self._interfaces.values(), key=lambda interface: interface.name))

    def __len__(self) -> int:
        return len(self._interfaces)

    def _key(self, name: str) -> str:
        return name if self._exact else name.lower()


class AnyRegistry(Protocol):
    """A registry of whatever kind, for what is done with all of them."""

    kind: str

    def remove_module(self, module: str) -> None: ...

    def take_out(self, module: str) -> list[Callable[[], None]]: ...

    def offered(self) -> Sequence[Interface]: ...

    def __iter__(self) -> Iterator[Interface]: ...

    def __len__(self) -> int: ...
