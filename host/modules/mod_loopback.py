"""The endpoints `loopback` (a call into the own dialplan, with two legs) and `null` (a leg without a far end)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.caller_profile import CallerExtension, CallerProfile
from host.channel import Flag
from host.channel_state import ChannelState
from host.clock import MILLISECOND
from host.hangup_cause import HangupCause
from host.inbox import Digit
from host.interfaces import OutgoingCall
from host.ivr.uuid_bridge import partner_of
from host.leading_number import leading_int
from host.session import Session
from host.session_message import MESSAGES_PASS_BY
from host.truth import is_true

if TYPE_CHECKING:
    from host.switch import Switch

NAME: Final = "mod_loopback"
_DEFAULT_RATE: Final = 8000
# FreeSWITCH: a leg's name has room for so many bytes.
_LONGEST_NAME: Final = 127
# FreeSWITCH: a null leg waits at most so long before it answers.
_LONGEST_ANSWER_DELAY: Final = 60_000

# States in which FreeSWITCH reads a leg's media, and so notices by itself that the other leg is gone.
_READING: Final = frozenset(
    {ChannelState.CS_EXECUTE, ChannelState.CS_EXCHANGE_MEDIA, ChannelState.CS_PARK, ChannelState.CS_ROUTING}
)

applications: Final = ApplicationTable(NAME)


@applications.application("unloop", "", "Tell loopback to unfold")
def unloop(session: Session, data: str) -> None:
    """Do nothing, as in FreeSWITCH, where its mere presence in an extension matters."""


class LoopbackLeg:
    """One of the two legs; what one is told, the other one sees happen to its far end."""

    def __init__(self, name: str, application: tuple[str, str] | None, variables: Mapping[str, str]) -> None:
        self.name = name  # A, which is called, or B, which the dialplan gets
        self.other: Session | None = None
        self.application = application
        self.variables = variables

    def answer(self, session: Session) -> None:
        """Answer the calling leg."""
        if self.other is not None:
            self.other.mark_answered()

    def pre_answer(self, session: Session) -> None:
        """Give the calling leg early media."""
        if self.other is not None:
            self.other.mark_pre_answered()

    def ring_ready(self, session: Session) -> None:
        """Let the calling leg ring."""
        if self.other is not None:
            self.other.mark_ring_ready()

    def send_dtmf(self, session: Session, digit: str, duration: int, processed: bool = True) -> None:
        """Press a key on the other leg."""
        if self.other is not None:
            self.other.receive_digit(Digit(digit, duration, processed=processed))

    def hangup(self, session: Session) -> None:
        """Hang up the other leg.

        FreeSWITCH: a leg in an application notices the silence before it is told, and ends by itself with
        NORMAL_CLEARING, where the hangup came from outside into another application; one in a bridge does not.
        """
        session.channel.variables.set("is_loopback", "1")
        other, self.other = self.other, None
        if other is None:
            return
        if other.channel.down:
            other.start()  # it may have ended before it began
            return
        cause = session.channel.hangup_cause
        ident = session.thread.ident if session.thread is not None else None
        surprised = session.channel.hung_up_in != ident
        if (
            surprised
            and other.partner is None
            and _reads(session, session.last_running_state)
            and _reads(other, other.channel.running_state)
        ):
            cause = HangupCause.NORMAL_CLEARING
        other.channel.hangup(cause)
        other.start()

    def message(self, session: Session, kind: str, argument: str) -> bool:
        """Take `deflect` (transfer whom the other leg speaks with) and `display` (tell the other leg's profile)."""
        other = self.other
        if kind == "deflect" and other is not None:
            partner = partner_of(other)
            if partner is not None and argument:
                partner.transfer(*argument.split(" ", 2))
            return True
        if kind == "display" and other is not None:
            who = "caller" if self.name == "B" else "callee"
            for part, text in zip(("name", "number"), argument.split("|", 1), strict=False):
                if text:
                    setattr(other.channel.profile, f"{who}_id_{part}", text)
            partner = partner_of(other)
            return partner is not None and partner.io.message(partner, kind, argument)
        return False


def _reads(session: Session, state: ChannelState) -> bool:
    media = session.channel.flags & {Flag.ANSWERED, Flag.EARLY_MEDIA}
    return bool(media) and state in _READING


def _new_profile(switch: Switch, call: OutgoingCall, endpoint: str) -> CallerProfile | None:
    """Return the profile of a new leg, None where none may begin.

    Who calls hears early media from here on, unless its `<endpoint>_no_pre_answer` is true.
    """
    caller = call.originator
    if caller is not None and not caller.channel.is_true(f"{endpoint}_no_pre_answer"):
        caller.pre_answer()
    if switch.refuses_session(outbound=True, throttled=False):
        return None
    profile = call.profile.clone()
    profile.source = NAME
    return profile


class LoopbackEndpoint:
    """`loopback/destination[/context[/dialplan]]` and `loopback/app=NAME[:arguments]`."""

    name = "loopback"
    module = NAME

    def outgoing(self, switch: Switch, call: OutgoingCall) -> Session | HangupCause:
        """Make the leg A; it makes the leg B when it starts."""
        profile = _new_profile(switch, call, self.name)
        if profile is None:
            return HangupCause.DESTINATION_OUT_OF_ORDER
        application: tuple[str, str] | None = None
        address = profile.destination_number
        if address.lower().startswith("app="):
            address, _, data = address[4:].partition(":")
            application = (address, data) if address else None
        destination, _, rest = address.partition("/")
        context, _, dialplan = rest.partition("/")
        profile.destination_number = destination
        profile.context = context or profile.context or "default"
        profile.dialplan = dialplan or profile.dialplan or "xml"
        leg = LoopbackLeg("A", application, call.variables)
        session = Session(
            switch,
            _cut(f"loopback/{destination}-a"),
            profile,
            leg,
            outbound=True,
            endpoint=self.name,
            rate=_rate(call),
            uuid=call.variables.get("origination_uuid"),
            born_as=_cut(f"loopback/{call.profile.destination_number}-a"),
        )
        variables = session.channel.variables
        if application is not None:
            variables.set("loopback_app", application[0])
            variables.set("loopback_app_arg", application[1])
        if call.originator is not None:
            variables.set("loopback_from_uuid", call.originator.uuid)
        session.endpoint_handlers = {ChannelState.CS_INIT: _init_a, ChannelState.CS_CONSUME_MEDIA: _begin_b}
        session.channel.set_state(ChannelState.CS_INIT)
        return session


def _cut(name: str) -> str:
    """Return what there is room for of a leg's name."""
    return name.encode("utf-8", "surrogateescape")[:_LONGEST_NAME].decode("utf-8", "surrogateescape")


def _init_a(a: Session) -> bool:
    """Make the other leg."""
    leg = a.io
    assert isinstance(leg, LoopbackLeg)
    if a.switch.refuses_session(outbound=False, throttled=False):
        a.channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        return False
    other_leg = LoopbackLeg("B", leg.application, leg.variables)
    b = Session(
        a.switch,
        _cut(f"loopback/{a.channel.profile.destination_number}-b"),
        _profile_of_b(a),
        other_leg,
        outbound=False,
        endpoint="loopback",
        rate=a.line.rate,
    )
    mine, theirs = a.channel.variables, b.channel.variables
    for name, value in leg.variables.items():
        theirs.set(name, value)
    for name in ("loopback_app", "loopback_app_arg"):
        theirs.set(name, mine.get(name))
    for name in [name for name in mine if name.startswith("group_confirm_")]:
        mine.set(name, None)
    for name in (mine.get("loopback_export") or "").split(","):
        exported = a.channel.get_variable(name) if name else None
        if exported:
            theirs.set(name, exported)
    leg.other, other_leg.other = b, a
    a.line.connect(b.line)
    mine.set("other_loopback_leg_uuid", b.uuid)
    theirs.set("other_loopback_leg_uuid", a.uuid)
    theirs.set("other_loopback_from_uuid", mine.get("loopback_from_uuid"))
    mine.set("loopback_leg", "A")
    theirs.set("loopback_leg", "B")
    b.endpoint_handlers = {ChannelState.CS_ROUTING: _route_b}
    b.channel.set_state(ChannelState.CS_INIT)
    if a.channel.down:
        b.channel.hangup(a.channel.hangup_cause)
        b.start()
    a.channel.set_state(ChannelState.CS_ROUTING, after=ChannelState.CS_INIT)
    return False


def _begin_b(a: Session) -> bool:
    """Let the other leg begin, once this one waits for what it does."""
    leg = a.io
    assert isinstance(leg, LoopbackLeg)
    if leg.other is not None:
        leg.other.start()
    return True


def _profile_of_b(a: Session) -> CallerProfile:
    profile = a.channel.profile.clone()
    profile.logical_direction = ""
    return profile


def _route_b(b: Session) -> bool:
    """Run the application of `app=`, once; else ask the dialplan."""
    leg = b.io
    assert isinstance(leg, LoopbackLeg)
    application, leg.application = leg.application, None
    if application is None:
        b.channel.private.pop(MESSAGES_PASS_BY, None)
        return True
    if leg.other is not None:
        b.channel.private[MESSAGES_PASS_BY] = leg.other.uuid
    name = application[0]
    b.channel.profile.extension = CallerExtension(name, name, [("pre_answer", ""), application])
    b.channel.set_state(ChannelState.CS_EXECUTE)
    return False


class NullLeg:
    """A leg whose far end is nobody: it answers by itself and hears silence."""

    def __init__(self, call: OutgoingCall) -> None:
        get = call.variables.get
        self.early = is_true(get("null_pre_answer"))
        self.answers = is_true(get("null_enable_auto_answer") or "true")
        delay = leading_int(get("null_auto_answer_delay") or "")
        self.delay_ms = min(max(delay, 0), _LONGEST_ANSWER_DELAY)

    def answer(self, session: Session) -> None:
        """Nobody has to be told."""

    def pre_answer(self, session: Session) -> None:
        """Nobody has to be told."""

    def ring_ready(self, session: Session) -> None:
        """Nobody has to be told."""

    def send_dtmf(self, session: Session, digit: str, duration: int, processed: bool = True) -> None:
        """Keep what was pressed in the variable `null_channel_dtmf_queued`."""
        variables = session.channel.variables
        variables.set("null_channel_dtmf_queued", (variables.get("null_channel_dtmf_queued") or "") + digit)

    def hangup(self, session: Session) -> None:
        """Nobody has to be told."""

    def message(self, session: Session, kind: str, argument: str) -> bool:
        """Take `display`, which nobody sees, and nothing else."""
        return kind == "display"


class NullEndpoint:
    """`null/anything`: answers after `null_auto_answer_delay` ms, unless `null_enable_auto_answer` is false."""

    name = "null"
    module = NAME

    def outgoing(self, switch: Switch, call: OutgoingCall) -> Session | HangupCause:
        """Make the leg."""
        profile = _new_profile(switch, call, self.name)
        if profile is None:
            return HangupCause.DESTINATION_OUT_OF_ORDER
        profile.context = profile.context or "default"
        session = Session(
            switch,
            _cut(f"null/{profile.destination_number}"),
            profile,
            NullLeg(call),
            outbound=True,
            endpoint=self.name,
            rate=_rate(call),
            uuid=call.variables.get("origination_uuid"),
        )
        session.endpoint_handlers = {ChannelState.CS_CONSUME_MEDIA: _answer_null}
        session.channel.set_state(ChannelState.CS_INIT)
        return session


def _answer_null(session: Session) -> bool:
    leg = session.io
    assert isinstance(leg, NullLeg)
    if leg.early:
        session.mark_pre_answered()
    if leg.answers:
        if leg.delay_ms:
            session.receive(session.clock.now() + leg.delay_ms * MILLISECOND, ())
        if session.channel.ready:
            session.mark_answered()
    return True


def _rate(call: OutgoingCall) -> int:
    """Return the caller's rate, else that of `loopback_initial_codec` or `null_audio_rate`, else 8000."""
    if call.originator is not None:
        return call.originator.line.rate
    codec = call.variables.get("loopback_initial_codec", "")
    for part in codec.split("@")[1:]:
        if part.lower().endswith("h") and leading_int(part) > 0:
            return leading_int(part)
    return leading_int(call.variables.get("null_audio_rate", "")) or _DEFAULT_RATE


def load(switch: Switch) -> None:
    """Bring the endpoints `loopback` and `null` and the application `unloop`."""
    switch.endpoints.add(LoopbackEndpoint())
    switch.endpoints.add(NullEndpoint())
    applications.register(switch)
