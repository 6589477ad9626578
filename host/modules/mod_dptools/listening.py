"""Applications that listen to other calls and speak into them: `eavesdrop`, `three_way`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.ivr.digits import collect_digits_count
from host.ivr.eavesdrop import THREE_WAY, Ear, eavesdrop
from host.ivr.play import play_file
from host.log import LogLevel
from host.status import Status
from host.truth import is_true

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

applications: Final = ApplicationTable("mod_dptools")
application = applications.application

# FreeSWITCH: how long a listener to all calls waits for a key when there is none, or one failed, in ms.
_IDLE_WAIT_MS: Final = 2000
_FAILED_WAIT_MS: Final = 5000


@application("eavesdrop", "[all | <uuid>]", "eavesdrop on a uuid")
def eavesdrop_(session: Session, data: str) -> None:
    """Listen to a call, or to all one after the other; `eavesdrop_…` variables say to what and whether keys count."""
    if not data:
        session.channel.log(LogLevel.ERR, "Usage: [all | <uuid>]")
        return
    group = session.channel.variables.get("eavesdrop_require_group") or ""
    if data.lower() == "all":
        _listen_to_all(session, group)
        return
    target = session.switch.find_session(data)
    if target is None:
        session.channel.log(LogLevel.ERR, f"Cannot find uuid {data}")
        return
    eavesdrop(session, target, _ear(session), group)


def _ear(session: Session) -> Ear:
    get = session.channel.variables.get
    read, write = is_true(get("eavesdrop_bridge_aleg")), is_true(get("eavesdrop_bridge_bleg"))
    keys = get("eavesdrop_enable_dtmf")
    return Ear(
        hears_read=read or not write,
        hears_write=write or not read,
        speaks_read=is_true(get("eavesdrop_whisper_aleg")),
        speaks_write=is_true(get("eavesdrop_whisper_bleg")),
        keys=keys is None or is_true(keys),
    )


def _listen_to_all(session: Session, group: str) -> None:
    while session.channel.ready:
        others = [one for one in list(session.switch.sessions.values()) if one is not session]
        for target in others:
            if session.channel.down:
                return
            _indicate(session, "new")
            if eavesdrop(session, target, _ear(session), group) is Status.FALSE:
                _indicate(session, "failed")
                collect_digits_count(session, 1, "*", _FAILED_WAIT_MS)
        if not others or group:
            _indicate(session, "idle")
            collect_digits_count(session, 1, "*", _IDLE_WAIT_MS)


def _indicate(session: Session, what: str) -> None:
    path = session.channel.variables.get(f"eavesdrop_indicate_{what}")
    if path:
        play_file(session, path)


@application("native_eavesdrop", "<uuid> [read|write]", "eavesdrop on a uuid")
def native_eavesdrop(session: Session, data: str) -> None:
    """Listen to what a call's far end says, with `write` also to what it hears; keys mean nothing."""
    uuid, _, what = data.partition(" ")
    target = session.switch.find_session(uuid)
    if target is None:
        session.channel.log(LogLevel.WARNING, f"Cannot find uuid {uuid}")
        return
    eavesdrop(session, target, Ear(hears_write="write" in what.lower(), keys=False))


@application("three_way", "<uuid>", "three way call with a uuid")
def three_way(session: Session, data: str) -> None:
    """Speak with both legs of a call; a leg that is not there, or has no media, ends it at once."""
    target = session.switch.find_session(data) if data else None
    if target is None:
        session.channel.log(LogLevel.ERR, "Usage: <uuid>")
        return
    eavesdrop(session, target, THREE_WAY)


def load(switch: Switch) -> None:
    """Bring these applications."""
    applications.register(switch)
