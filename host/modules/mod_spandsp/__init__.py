"""mod_spandsp: tones with a cadence, text telephones, tones of faxes and in-band keys, listened for in a call.

There are no fax machines and no T.38 in it: `rxfax`, `txfax` and `t38_gateway` are absent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable, Refused
from host.application_table import ApplicationTable
from host.arguments import separate
from host.channel_argument import session_of
from host.inbox import Digit
from host.leading_number import leading_int
from host.log import LogLevel
from host.media_bug import media_bugs
from host.modules.mod_spandsp import text_telephone, tone_detection
from host.modules.mod_spandsp.descriptors import Descriptors, read_descriptors
from host.modules.mod_spandsp.listening import listen, stop
from media.dtmf_detector import DtmfDetector

if TYPE_CHECKING:
    from collections.abc import Callable

    from host.event import Event
    from host.event_bus import Subscription
    from host.interfaces import ApiRequest
    from host.session import Session
    from host.switch import Switch

NAME: Final = "mod_spandsp"

_NO_SESSION: Final = "-ERR Cannot locate session\n"
_RESPONSE: Final = "current_application_response"
_KEYS: Final = "spandsp_dtmf_detect"


@dataclass(slots=True)
class _Loaded:
    """What `unload` takes back."""

    descriptors: Descriptors
    subscriptions: list[Subscription] = field(default_factory=list)


# By the switch's core UUID: `unload` gets no more than the switch.
_loaded: Final[dict[str, _Loaded]] = {}


def load(switch: Switch) -> None:
    """Bring the applications and commands; the tones are those of spandsp.conf."""
    loaded = _loaded[switch.core_uuid] = _Loaded(read_descriptors(switch))

    def reload(event: Event) -> None:
        loaded.descriptors = read_descriptors(switch)

    loaded.subscriptions += [
        switch.bus.subscribe(reload, ["RELOADXML"]),
        switch.bus.subscribe(lambda event: _send_for(switch, event), ["CUSTOM"], text_telephone.SEND),
    ]
    _applications(loaded).register(switch)
    _commands(loaded).register(switch)


def unload(switch: Switch) -> None:
    """Listen no more, on no call."""
    loaded = _loaded.pop(switch.core_uuid, None)
    for subscription in loaded.subscriptions if loaded is not None else ():
        switch.bus.unsubscribe(subscription)
    functions = (
        tone_detection.TONES,
        tone_detection.FAX,
        text_telephone.DECODE,
        text_telephone.ENCODE,
        _KEYS,
    )
    for session in list(switch.sessions.values()):
        for function in functions:
            stop(session, function)


def _applications(loaded: _Loaded) -> ApplicationTable:
    applications = ApplicationTable(NAME)
    application = applications.application

    @application("spandsp_start_tone_detect", "<name>", "Start background tone detection with cadence")
    def start_tone_detect(session: Session, data: str) -> None:
        """Listen for the tones of a descriptor of spandsp.conf."""
        if not data:
            response = "-ERR missing descriptor name"
        elif tone_detection.start_tones(session, data, loaded.descriptors.get(data)):
            response = "+OK started"
        else:
            response = "-ERR failed to start tone detector"
        session.channel.set_variable(_RESPONSE, response)

    @application("spandsp_stop_tone_detect", "", "Stop background tone detection with cadence")
    def stop_tone_detect(session: Session, data: str) -> None:
        """Listen for tones no more."""
        stop(session, tone_detection.TONES)
        session.channel.set_variable(_RESPONSE, "+OK stopped")

    @application("spandsp_start_fax_detect", "<app>[ <arg>][ <timeout>][ <tone_type>]", "start fax detect")
    def start_fax_detect(session: Session, data: str) -> None:
        """Execute an application when a fax calls, or with `ced` answers."""
        words = separate(data, " ", 4)
        name, argument, timeout, kind = (words + [""] * 4)[:4]
        if len(words) < 2:  # FreeSWITCH
            session.channel.log(LogLevel.ERR, f"Cannot Enable fax detection '{name}' '{argument}'")
            return
        session.channel.log(LogLevel.NOTICE, f"Enabling fax detection '{name}' '{argument}'")
        tone = tone_detection.ANSWERING if kind == "ced" else tone_detection.CALLING
        tone_detection.start_fax(session, name, argument, leading_int(timeout), tone)

    @application("spandsp_stop_fax_detect", "", "stop fax detect")
    def stop_fax_detect(session: Session, data: str) -> None:
        """Listen for faxes no more."""
        session.channel.log(LogLevel.NOTICE, "Disabling fax detection")
        stop(session, tone_detection.FAX)

    @application("spandsp_start_dtmf", "", "Detect dtmf", media=True)
    def start_dtmf(session: Session, data: str) -> None:
        """Hear keys in the sound of the call, too."""
        if not media_bugs(session, _KEYS):
            listen(
                session,
                _KEYS,
                DtmfDetector(session.line.rate),
                lambda key: session.receive_digit(Digit(key, source="INBAND_AUDIO")),
            )

    @application("spandsp_stop_dtmf", "", "stop inband dtmf")
    def stop_dtmf(session: Session, data: str) -> None:
        """Stop hearing keys in the sound."""
        stop(session, _KEYS)

    @application("spandsp_detect_tdd", "", "Detect TDD data", media=True)
    def detect_tdd(session: Session, data: str) -> None:
        """Read what a text telephone types."""
        text_telephone.start_decoding(session)

    @application("spandsp_stop_detect_tdd", "", "stop sending tdd")
    def stop_detect_tdd(session: Session, data: str) -> None:
        """Read no more."""
        text_telephone.stop_decoding(session)

    @application("spandsp_inject_tdd", "", "Send TDD data", media=True)
    def inject_tdd(session: Session, data: str) -> None:
        """Type a text to the far end while the call goes on."""
        _type(session, data, text_telephone.encode_into)

    @application("spandsp_stop_inject_tdd", "", "stop sending tdd")
    def stop_inject_tdd(session: Session, data: str) -> None:
        """Type no more."""
        text_telephone.stop_encoding(session)

    @application("spandsp_send_tdd", "", "Send TDD data", media=True)
    def send_tdd(session: Session, data: str) -> None:
        """Type a text to the far end, and go on when it is there."""
        _type(session, data, text_telephone.send)

    return applications


def _type(session: Session, text: str, way: Callable[[Session, str], object]) -> None:
    if text:
        way(session, text)
    else:
        session.channel.log(LogLevel.ERR, "Missing text data")


def _commands(loaded: _Loaded) -> ApiTable:
    commands = ApiTable(NAME)
    command = commands.command

    @command("spandsp_start_tone_detect", "<uuid> <name>", "Start background tone detection with cadence")
    def start_tone_detect(request: ApiRequest) -> str:
        """Listen on a channel for the tones of a descriptor of spandsp.conf."""
        session, name = _session_and_text(request, "descriptor name")
        started = tone_detection.start_tones(session, name, loaded.descriptors.get(name))
        return "+OK started\n" if started else "-ERR failed to start tone detector\n"

    @command("spandsp_stop_tone_detect", "<uuid>", "Stop background tone detection with cadence")
    def stop_tone_detect(request: ApiRequest) -> str:
        """Listen for tones on a channel no more."""
        if not request.argument:
            return "-ERR missing session UUID\n"
        session = session_of(request, request.argument, _NO_SESSION)
        stop(session, tone_detection.TONES)
        return "+OK stopped\n"

    @command("start_tdd_detect", "<uuid>", "Start background tdd detection")
    def start_tdd_detect(request: ApiRequest) -> str:
        """Read what a text telephone types on a channel."""
        session = session_of(request, request.argument, _NO_SESSION)
        started = text_telephone.start_decoding(session)
        return "+OK started\n" if started else "-ERR failed to start tdd detector\n"

    @command("stop_tdd_detect", "<uuid>", "Stop background tdd detection")
    def stop_tdd_detect(request: ApiRequest) -> str:
        """Read no more."""
        session = session_of(request, request.argument, _NO_SESSION)
        text_telephone.stop_decoding(session)
        return "+OK stopped\n"

    @command("uuid_send_tdd", "<uuid> <text>", "send tdd data to a uuid")
    def uuid_send_tdd(request: ApiRequest) -> str:
        """Type a text to a channel's far end. FreeSWITCH: it answers +OK whether it can or not."""
        session, text = _session_and_text(request, "text")
        text_telephone.encode_into(session, text)
        return "+OK\n"

    return commands


def _session_and_text(request: ApiRequest, missing: str) -> tuple[Session, str]:
    uuid, _, text = request.argument.partition(" ")
    if not uuid:
        raise Refused("-ERR missing uuid\n")
    if not text:
        raise Refused(f"-ERR missing {missing}\n")
    return session_of(request, uuid, _NO_SESSION), text


def _send_for(switch: Switch, event: Event) -> None:
    """Type what an event TDD::SEND_MESSAGE asks for: its body or `tdd-message`, to the call `tdd-uuid`."""
    text = event.body or event.get_header("tdd-message")
    uuid = event.get_header("tdd-uuid")
    if not text:
        switch.log(LogLevel.WARNING, "No message for tdd handler")
    elif not uuid:
        switch.log(LogLevel.WARNING, "No uuid for tdd handler")
    else:
        session = switch.find_session(uuid)
        if session is None:
            switch.log(LogLevel.WARNING, "No session for supplied uuid.")
        else:
            text_telephone.encode_into(session, text)
