"""What the core does in each channel state, after the endpoint's and the modules' own handlers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from host.api_hook import run_api_hook
from host.array_value import PREFIX, parse_array
from host.cdr_variables import set_cdr_variables
from host.channel import Flag
from host.channel_event import channel_event
from host.channel_state import CallState, ChannelState
from host.hangup_cause import HangupCause
from host.ivr.blind_transfer import blind_transfer_ack
from host.ivr.park import on_park
from host.log import LogLevel
from host.media_bug import media_bugs, remove_media_bug
from host.xml_cdr import xml_cdr

if TYPE_CHECKING:
    from host.session import Session, StateHandler

# Variables whose names begin so tell what runs when no media comes any more.
MEDIA_TIMEOUT: Final = "execute_on_media_timeout"

_APPLICATION: Final = re.compile(r"([^ :]*)(::|[ :]|)(.*)", re.DOTALL)


def _init(session: Session) -> bool:
    session.channel.set_state(ChannelState.CS_ROUTING, after=ChannelState.CS_INIT)
    return True


def tell_created(session: Session) -> None:
    """Tell that there is a new channel, once its state CS_INIT is over."""
    channel = session.channel
    channel.fire("CHANNEL_CREATE")
    if channel.outbound:
        channel.fire("CHANNEL_ORIGINATE")


def _routing(session: Session) -> bool:
    """Ask the dialplan where to go (FreeSWITCH: no extension is NO_ROUTE_DESTINATION)."""
    channel = session.channel
    session.switch.observe("route", channel)
    for told in list(session.at_routing):
        told()
    profile = channel.profile
    channel.variables.set("call_uuid", session.uuid)
    run_moment(session, "routing")
    for name in profile.dialplan.split(",") if profile.dialplan else ["XML"]:
        kind, _, argument = name.partition(":")
        dialplan = session.switch.dialplans.get(kind)
        if dialplan is None:
            channel.log(LogLevel.ERR, f"Invalid Dialplan {kind}")
            continue
        extension = dialplan.hunt(session, argument, profile)
        if channel.state is not ChannelState.CS_ROUTING or Flag.TRANSFER in channel.flags:
            return True  # an inline action hung up or sent the call elsewhere
        if extension is not None:
            channel.flip_caller_id()
            profile.extension = extension
            channel.set_state(ChannelState.CS_EXECUTE, after=ChannelState.CS_ROUTING)
            return True
    if blind_transfer_ack(session, success=False):
        return True
    channel.log(
        LogLevel.INFO,
        f"No Route, Aborting {profile.destination_number} in dialplan {profile.dialplan} context {profile.context}",
    )
    channel.hangup(HangupCause.NO_ROUTE_DESTINATION)
    return True


def _execute(session: Session) -> bool:
    """Run the extension's applications one after the other; at the end the call is over."""
    channel = session.channel
    channel.variables.set("call_uuid", session.uuid)
    while channel.ready:
        extension = channel.profile.extension  # an application may put another one in its place
        step = extension.next() if extension is not None else None
        if step is None:
            break
        session.execute(*step)
    if channel.state is ChannelState.CS_EXECUTE and Flag.TRANSFER not in channel.flags:
        if Flag.CONFIRM_BLIND_TRANSFER in channel.flags:
            # FreeSWITCH: the one who has transferred it takes it back, else it is over.
            channel.variables.set("park_timeout", "10:blind_transfer")
            channel.set_state(ChannelState.CS_PARK)
            blind_transfer_ack(session, success=False)
        else:
            channel.hangup(HangupCause.NORMAL_CLEARING)
    return True


def _consume_media(session: Session) -> bool:
    """Stay until the state changes; the inbox takes what arrives."""
    return True


def _hangup(session: Session) -> bool:
    channel = session.channel
    end_with_call(session)
    set_cdr_variables(channel)
    channel.set_call_state(CallState.HANGUP)
    session.io.hangup(session)
    run_moment(session, "hangup")
    run_api_hook(session, "api_hangup_hook")
    channel.set_state(ChannelState.CS_REPORTING)
    return True


def _reporting(session: Session) -> bool:
    channel = session.channel
    session.switch.report_cdr(session)
    run_api_hook(session, "api_reporting_hook")
    tell_complete(session)
    channel.set_state(ChannelState.CS_DESTROY)
    return True


def tell_complete(session: Session) -> None:
    """Tell that the call is over and its record complete, which `hangup_complete_with_xml` attaches."""
    channel = session.channel
    if not session.switch.bus.wants("CHANNEL_HANGUP_COMPLETE"):
        return
    event = channel_event(
        channel, "CHANNEL_HANGUP_COMPLETE", first=(("Hangup-Cause", channel.hangup_cause.name),)
    )
    if channel.is_true("hangup_complete_with_xml"):
        event.add_header("CDR-Attached", "xml")
        event.body = xml_cdr(session)
    session.switch.fire(event)


DEFAULT: Final[Mapping[ChannelState, StateHandler]] = {
    ChannelState.CS_INIT: _init,
    ChannelState.CS_ROUTING: _routing,
    ChannelState.CS_EXECUTE: _execute,
    ChannelState.CS_CONSUME_MEDIA: _consume_media,
    ChannelState.CS_PARK: on_park,
    ChannelState.CS_HANGUP: _hangup,
    ChannelState.CS_REPORTING: _reporting,
}


def abandon(session: Session) -> None:
    """Wind up a session whose thread failed: tell the endpoint and whoever watches that it is over."""
    channel = session.channel
    session.io.hangup(session)
    end_with_call(session)
    channel.state = ChannelState.CS_DESTROY
    channel.set_call_state(CallState.HANGUP)
    tell_complete(session)
    channel.fire("CHANNEL_DESTROY")
    channel.run_state(ChannelState.CS_DESTROY)


def end_with_call(session: Session) -> None:
    """End what runs beside the session and ends with it."""
    closers, session.at_hangup = session.at_hangup, []
    for close in closers:
        close()
    for bug in media_bugs(session):
        remove_media_bug(session, bug)


def run_moment(session: Session, moment: str) -> None:
    """Run what the variables `execute_on_MOMENT…` (applications) and `api_on_MOMENT…` (API commands) name.

    An application is `app arg`, `app:arg` or `app::arg`, which runs in the session's own thread at its next wait; a
    command is `command arg` and does not see the session. The elements of an array are run one after the other.
    """
    for _, value in session.channel.variables.beginning(f"execute_on_{moment}"):
        for text in _elements(value):
            run_application_text(session, text)
    for _, value in session.channel.variables.beginning(f"api_on_{moment}"):
        for text in _elements(value):
            command, _, argument = text.partition(" ")
            session.switch.api(command, session.expand(argument))


def run_application_text(session: Session, text: str) -> None:
    """Run an application given as `app arg`, `app:arg` or, at the session's next wait, `app::arg`."""
    found = _APPLICATION.match(text)
    assert found is not None  # it takes every text
    application, mark, argument = found.groups()
    if mark == "::":
        session.run_in_session(_execution(application, argument))
    elif session.in_own_thread or session.thread is None:
        session.execute(application, argument)
    else:
        session.run_in_session(_execution(application, argument))


def end_without_media(session: Session) -> None:
    """Run the applications that the variables `execute_on_media_timeout…` name, then end the call.

    FreeSWITCH: whatever they do, also a transfer, the call ends; the cause of one that hangs up stays. `app::arg`,
    which is to run later, does not come to it.
    """
    channel = session.channel
    for _, value in channel.variables.beginning(MEDIA_TIMEOUT):
        for text in _elements(value):
            found = _APPLICATION.match(text)
            assert found is not None  # it takes every text
            if found[2] != "::" and not channel.down:
                session.execute(found[1], found[3])
    channel.hangup(HangupCause.MEDIA_TIMEOUT)


def _elements(value: str) -> list[str]:
    array = parse_array(value) if value.startswith(PREFIX) else None
    return [text for text in ([value] if array is None else array.items) if text]


def _execution(application: str, data: str) -> Callable[[Session], object]:
    """Return what runs an application on the session that it is called with."""
    return lambda session: session.execute(application, data)
